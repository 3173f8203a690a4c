"""A replay as a text: a table for people, JSON for programs, Markdown for a pull request.

All of it is untrusted but for the words around it: the table and Markdown have it made visible, JSON escapes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from kms_tui.evidence.change_replay.replay_result import AffectedRequest, ReplayResult
from kms_tui.evidence.request_history.coverage_words import coverage_sentence, iso
from kms_tui.export import ExportFormat, Table, render
from kms_tui.visible import visible

_COLUMNS = ("effect", "principal", "operation", "context", "service", "calls", "last", "reason")


def _parts(result: ReplayResult) -> Iterator[tuple[str, tuple[AffectedRequest, ...]]]:
    yield "refused", result.refused
    yield "newly allowed", result.allowed
    yield "depends", result.undecided


def _remarks(result: ReplayResult) -> Iterator[str]:
    """The numbers, what was seen, and what was not."""
    yield result.summary
    if result.failed:
        yield f"{result.failed:,} calls failed for reasons other than authorization, and are not judged."
    yield coverage_sentence(result.coverage)
    yield from result.coverage.notes


def as_table(result: ReplayResult, now: datetime) -> str:
    lines: list[str] = []
    for effect, requests in _parts(result):
        if requests:
            lines += [f"{effect}:", *(f"  {each.sentence(now)}" for each in requests), ""]
    return "\n".join(visible(line) for line in (*lines, *_remarks(result))) + "\n"


def as_markdown(result: ReplayResult, now: datetime) -> str:
    rows = [
        (
            effect,
            each.request.principal_label,
            each.request.operation,
            each.request.context_label,
            each.request.service,
            f"{each.count:,}",
            iso(each.last) if each.last is not None else "",
            each.reason,
        )
        for effect, requests in _parts(result)
        for each in requests
    ]
    table = render(Table("Requests that the change affects", _COLUMNS, rows), ExportFormat.MARKDOWN)
    remarks = render(Table("", ("remark",), [(each,) for each in _remarks(result)]), ExportFormat.MARKDOWN)
    return table + "\n" + remarks.partition("\n\n")[2]


def as_json(result: ReplayResult, now: datetime) -> str:
    return json.dumps(result.as_dict(), indent=2) + "\n"


WRITERS: Mapping[str, Callable[[ReplayResult, datetime], str]] = {
    "table": as_table,
    "json": as_json,
    "md": as_markdown,
}
"""The name of a format -> the text with a final line end."""
