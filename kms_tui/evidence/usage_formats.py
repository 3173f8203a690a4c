"""Who spends the requests, as a text: a table for people, JSON for programs, Markdown for a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from kms_tui.evidence.request_history.coverage_words import coverage_sentence, covers
from kms_tui.evidence.request_usage import RequestUsage, as_dict, shortened
from kms_tui.export import ExportFormat, Table, aligned, render
from kms_tui.kms.request_quotas import DATE
from kms_tui.visible import visible

_SPENT = ("calls", "a day", "principal", "operation", "context", "service", "Region")
_QUOTAS = ("quota", "Region", "a second", "calls a day", "average use")
_OBSERVED = ("subject", "what", "calls a day")
_WIDEST = 60


def _tables(usage: RequestUsage) -> Iterator[Table]:
    yield Table(
        "Who spends the requests",
        _SPENT,
        [
            (
                f"{each.calls:,}",
                f"{each.per_day:,.1f}",
                each.request.principal_label,
                each.request.operation,
                each.request.context_label,
                each.request.service,
                each.region,
            )
            for each in usage.spent
        ],
    )
    yield Table(
        f"Average use of the quotas (default values of {DATE})",
        _QUOTAS,
        [
            (
                each.quota.name,
                each.region,
                "not known" if each.quota.per_second is None else f"{each.quota.per_second:,g}",
                f"{each.per_day:,.1f}",
                "not known" if each.share is None else f"{each.share:.4%}",
            )
            for each in usage.quotas
        ],
    )
    for title, observed in (
        ("S3 without bucket keys", usage.buckets),
        ("Callers without post-quantum key exchange", usage.classical),
    ):
        if observed:
            rows = [(each.subject, each.detail, f"{each.per_day:,.1f}") for each in observed]
            yield Table(title, _OBSERVED, rows)


def _remarks(usage: RequestUsage) -> Iterator[str]:
    if usage.untold:
        calls = "1 call" if usage.untold == 1 else f"{usage.untold:,} calls"
        yield f"Of {calls} the record does not tell the key exchange."
    yield coverage_sentence(usage.coverage)
    yield from usage.coverage.notes


def as_table(usage: RequestUsage, most: int) -> str:
    lines: list[str] = []
    for table in _tables(shortened(usage, most)):
        if not table.rows:
            continue
        lines += [f"{table.title}:", *_aligned((table.columns, *table.rows)), ""]
    if len(usage.spent) > most:
        lines.append(f"{len(usage.spent) - most:,} further rows: --top shows more.")
    lines += [visible(line) for line in _remarks(usage)]
    return "\n".join(lines) + "\n"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, its cells cut to ``_WIDEST`` characters."""
    cut = [[cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…" for cell in row] for row in rows]
    return [f"  {line}" for line in aligned(cut).split("\n")[:-1]]


def as_markdown(usage: RequestUsage, most: int) -> str:
    tables = [
        *_tables(shortened(usage, most)),
        Table("What was seen", ("remark",), [(x,) for x in _remarks(usage)]),
    ]
    return "\n".join(render(table, ExportFormat.MARKDOWN) for table in tables)


def as_json(usage: RequestUsage, most: int) -> str:
    return json.dumps({**as_dict(usage), "covers": covers(usage.coverage)}, indent=2) + "\n"


WRITERS: Mapping[str, Callable[[RequestUsage, int], str]] = {
    "table": as_table,
    "json": as_json,
    "md": as_markdown,
}
"""The name of a format -> the text of a usage; JSON has all rows, the others the ``most`` most frequent."""
