"""A drift report as text for people, as Markdown and as JSON. What a plan takes away comes first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from kms_tui.counts import counted, counted_as, in_words
from kms_tui.drift.drift import Difference, Drifted, DriftKind, DriftReport, Loss
from kms_tui.drift.state_reading import shown
from kms_tui.export import markdown_text
from kms_tui.visible import visible

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


def as_table(report: DriftReport, *, colored: bool = False) -> str:
    """Lines for a terminal; ``colored`` has what a plan takes away in red."""
    lines: list[str] = []
    for loss in report.losses:
        head = visible(_loss_head(report, loss))
        lines.append(f"{_RED}{head}{_PLAIN}" if colored else head)
        lines += [f"    {visible(sentence)}" for sentence in loss.consequences]
        lines.append("")
    for drifted in report.drifted:
        lines.append(visible(_drifted_head(drifted)))
        lines += [f"    {visible(words)}" for each in drifted.differences for words in _difference(each)]
        lines.append("")
    for address, reason in report.not_compared:
        lines.append(visible(f"{address} was not compared: {reason}"))
    if report.not_compared:
        lines.append("")
    if report.unmanaged is not None:
        lines += [*_unmanaged(report), ""] if report.unmanaged else []
    return "".join(f"{line}\n" for line in (*lines, summary(report)))


def summary(report: DriftReport) -> str:
    """One sentence for each thing that is counted."""
    text = _compared(report) if report.others is None else _nothing(report.others, is_plan=report.is_plan)
    if report.unmanaged is not None:
        keys = counted_as(len(report.unmanaged), "key of the account is", "keys of the account are")
        text += f" {keys} in no given state."
    return text


def _nothing(others: int, *, is_plan: bool) -> str:
    """ "No KMS resources in this state, among 3 others." """
    among = f", among {counted(others, 'other')}" if others else ""
    return f"No KMS resources in this {'plan' if is_plan else 'state'}{among}."


def _compared(report: DriftReport) -> str:
    parts = []
    if report.losses:
        who = "the plan destroys or replaces" if report.is_plan else "the next plan replaces"
        parts.append(f"{who} {len(report.losses):,}")
    parts.append(counted_as(len(report.drifted), "differs from the account", "differ from the account"))
    if report.not_compared:
        parts.append(counted_as(len(report.not_compared), "was not compared", "were not compared"))
    return f"Of {report.resources:,} KMS resources {in_words(parts)}."


def _loss_head(report: DriftReport, loss: Loss) -> str:
    planned = loss.planned
    what = "is replaced by another" if planned.replaces else "is destroyed"
    reasons = f": {'; '.join(planned.reasons)}" if planned.reasons else ""
    return f"{'PLAN' if report.is_plan else 'NEXT PLAN'}  {planned.resource.address} {what}{reasons}"


def _drifted_head(drifted: Drifted) -> str:
    kind, address = drifted.kind, drifted.resource.address
    if kind is DriftKind.CHANGED:
        return f"{address} differs"
    return f"{address} is {kind} {drifted.note}".rstrip()


def _difference(difference: Difference) -> Iterator[str]:
    if difference.words:
        yield f"{difference.attribute}: in the account, against the state:"
        yield from (f"  {words}" for words in difference.words)
    else:
        was, found = shown(difference.in_state), shown(difference.in_account)
        yield f"{difference.attribute}: {was} in the state, {found} in the account"


def _unmanaged(report: DriftReport) -> list[str]:
    return [visible(f"{name} is in no state ({arn})") for arn, name in report.unmanaged or ()]


def as_markdown(report: DriftReport) -> str:
    """Headings and lists, for a pull request's comment."""
    lines = ["# Drift of KMS keys", "", markdown_text(summary(report))]
    if report.losses:
        lines += ["", "## Destroyed or replaced", ""]
        for loss in report.losses:
            lines.append(f"- **{markdown_text(_loss_head(report, loss).partition('  ')[2])}**")
            lines += [f"  - {markdown_text(sentence)}" for sentence in loss.consequences]
    if report.drifted:
        lines += ["", "## Unlike the account", ""]
        for drifted in report.drifted:
            lines.append(f"- {markdown_text(_drifted_head(drifted))}")
            lines += [
                f"  - {markdown_text(words.strip())}"
                for each in drifted.differences
                for words in _difference(each)
            ]
    if report.not_compared:
        lines += ["", "## Not compared", ""]
        lines += [f"- {markdown_text(f'{each.address}: {each.reason}')}" for each in report.not_compared]
    if report.unmanaged:
        lines += ["", "## In no state", ""]
        lines += [f"- {markdown_text(f'{name} ({arn})')}" for arn, name in report.unmanaged]
    return "".join(f"{line}\n" for line in lines)


def as_json(report: DriftReport) -> str:
    """One object; a sensitive value is "(sensitive)" on both sides."""
    document = {
        "resources": report.resources,
        "plan": report.is_plan,
        "losses": [
            {
                "address": loss.planned.resource.address,
                "arn": loss.planned.resource.arn or None,
                "replaces": loss.planned.replaces,
                "reasons": loss.planned.reasons,
                "consequences": loss.consequences,
            }
            for loss in report.losses
        ],
        "drifted": [
            {
                "address": drifted.resource.address,
                "arn": drifted.resource.arn or None,
                "kind": drifted.kind,
                "note": drifted.note or None,
                "differences": [
                    {
                        "attribute": each.attribute,
                        "state": each.in_state,
                        "account": each.in_account,
                        "words": each.words,
                    }
                    for each in drifted.differences
                ],
            }
            for drifted in report.drifted
        ],
        "not_compared": [each._asdict() for each in report.not_compared],
        "unmanaged": None
        if report.unmanaged is None
        else [{"arn": arn, "name": name} for arn, name in report.unmanaged],
    }
    return json.dumps(document, indent=2) + "\n"


WRITERS: Mapping[str, Callable[[DriftReport], str]] = {"table": as_table, "md": as_markdown, "json": as_json}
