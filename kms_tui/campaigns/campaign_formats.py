"""A campaign's journal as evidence: a table for the terminal, Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kms_tui.campaigns.campaign import Campaign, ItemState
from kms_tui.export import ExportFormat, Table, render
from kms_tui.visible import visible

_TIME = "%Y-%m-%d %H:%M:%S UTC"


def counts_in_words(campaign: Campaign) -> str:
    """ "500 moved, 3 failed, 197 waiting", in the order of the states."""
    counts = campaign.counts
    said = [f"{counts[state]:,} {state}" for state in ItemState if counts[state]]
    return ", ".join(said) or "nothing to move"


def head_in_words(campaign: Campaign) -> str:
    """What the campaign is, and how far it is; untrusted text."""
    head = campaign.head
    to = head.new or "a key that is still to be made"
    state = "given up: " if campaign.given_up else ""
    return f"From {head.old} to {to}, begun {head.begun.strftime(_TIME)}: {state}{counts_in_words(campaign)}."


_COLUMNS = ("state", "kind", "resource", "account", "region", "time", "what")


def _rows(campaign: Campaign) -> Sequence[tuple[str, ...]]:
    return [
        (
            str(record.state),
            item.use.kind,
            item.use.resource,
            item.account,
            item.region,
            record.at.strftime(_TIME) if record.at else "",
            record.words,
        )
        for item, record in zip(campaign.items, campaign.records, strict=True)
    ]


def _as_table(campaign: Campaign) -> str:
    """The head, what is not settled, and the notes of the runs."""
    lines = [visible(head_in_words(campaign))]
    rows = [
        (str(record.state), item.use.kind, item.use.resource, record.words)
        for item, record in zip(campaign.items, campaign.records, strict=True)
        if not record.state.is_settled or record.words
    ]
    widths = [max((len(visible(row[column])) for row in rows), default=0) for column in range(3)]
    for row in rows:
        cells = [visible(cell).ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        lines.append("  ".join(cells).rstrip())
    if campaign.head.left:
        lines += ["", "Not part of the campaign:"]
        lines += [f"  {visible(each)}" for each in campaign.head.left]
    lines.append("")
    lines += [f"{note.at.strftime(_TIME)}  {visible(note.words)}" for note in campaign.notes]
    return "\n".join(lines).rstrip() + "\n"


def _as_markdown(campaign: Campaign) -> str:
    items = list(zip(campaign.items, campaign.records, strict=True))
    tables = [
        Table("Items", _COLUMNS, _rows(campaign)),
        Table(
            "Commands that were sent",
            ("resource", "command"),
            [(item.use.resource, line) for item, record in items for line in record.commands],
        ),
        Table("Not part of the campaign", ("what",), [(each,) for each in campaign.head.left]),
        Table("Runs", ("time", "what"), [(note.at.strftime(_TIME), note.words) for note in campaign.notes]),
    ]
    parts = [f"# A key is left: {visible(campaign.head.old)}\n\n{visible(head_in_words(campaign))}\n"]
    return "\n".join([*parts, *(render(table, ExportFormat.MARKDOWN) for table in tables if table.rows)])


def _as_json(campaign: Campaign) -> str:
    head = campaign.head
    shape: dict[str, Any] = {
        "key": head.old,
        "new_key": head.new,
        "begun": head.begun.isoformat(timespec="seconds"),
        "finished": campaign.is_finished,
        "given_up": campaign.given_up,
        "counts": {str(state): count for state, count in campaign.counts.items()},
        "items": [
            {
                "account": item.account,
                "region": item.region,
                "kind": item.use.kind,
                "resource": item.use.resource,
                "label": item.use.label,
                "purpose": item.use.purpose,
                "reference": item.use.reference,
                "state": str(record.state),
                "time": record.at.isoformat(timespec="seconds") if record.at else None,
                "what": record.words,
                "commands": list(record.commands),
            }
            for item, record in zip(campaign.items, campaign.records, strict=True)
        ],
        "not_part_of_it": list(head.left),
        "runs": [
            {"time": note.at.isoformat(timespec="seconds"), "what": note.words} for note in campaign.notes
        ],
    }
    return json.dumps(shape, indent=2) + "\n"


WRITERS: Mapping[str, Callable[[Campaign], str]] = {"table": _as_table, "md": _as_markdown, "json": _as_json}
"""The name of a format -> the text of a campaign."""
