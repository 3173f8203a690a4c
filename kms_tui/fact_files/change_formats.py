"""What changed as a text: a table for people, Markdown for a page, JSON for programs.

Names and sentences are untrusted; no text has a control or invisible character but the ends of its lines.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from kms_tui.counts import in_words
from kms_tui.export import ExportFormat, Table, aligned, render
from kms_tui.fact_files.changes import ChangedKey, KeyChange, NotCompared
from kms_tui.fact_files.fact_comparison import FactChanges
from kms_tui.fact_files.fact_file import FACT_WORDS
from kms_tui.fact_files.fact_writing import time_text
from kms_tui.kms.arn import places_in_words
from kms_tui.visible import visible

_COLUMNS = ("severity", "change", "key", "account", "region", "what", "arn")
_SHOWN = ("SEVERITY", "CHANGE", "KEY", "ACCOUNT", "REGION", "WHAT")
_WIDEST = 100


def summary(changes: FactChanges) -> str:
    """ "3 changes in 24 keys since 2026-11-29 10:00 UTC." """
    count = len(changes.changes)
    told = "No change" if not count else "1 change" if count == 1 else f"{count:,} changes"
    keys = "1 key" if changes.keys == 1 else f"{changes.keys:,} keys"
    return f"{told} in {keys} since {_moment(changes.then)}."


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def title(changes: FactChanges) -> str:
    places = places_in_words(changes.places)
    return f"KMS keys of {places}: changes from {_moment(changes.then)} to {_moment(changes.now)}"


def remarks(changes: FactChanges) -> Iterator[str]:
    """What was not compared, in sentences, and what is no change."""
    yield from covered(changes)
    alike: defaultdict[tuple[str, str], list[NotCompared]] = defaultdict(list)
    for each in changes.not_compared:
        if each.key is None:
            yield f"The {each.fact} of {each.place} were not compared: {each.reason}."
        else:
            alike[each.fact, each.reason].append(each)
    for (fact, reason), several in alike.items():
        yield f"{FACT_WORDS[fact]} of {_keys([each.key for each in several])}: not compared, {reason}."


def covered(changes: FactChanges) -> Iterator[str]:
    """Which Regions are in one file alone, and which policies are only written otherwise."""
    if changes.now < changes.then:
        yield "The snapshot is newer than what it is compared with: the changes are told backwards."
    only = ((changes.only_then, "in the snapshot only"), (changes.only_now, "not in the snapshot"))
    for places, held in only:
        if len(places) == 1:
            yield f"{places[0]} is {held}: its keys were not compared."
        elif places:
            yield f"{_first([str(place) for place in places])} are {held}: their keys were not compared."
    if changes.rewritten:
        yield f"The policy of {_keys(changes.rewritten)} is written otherwise and means the same: no change."


_NAMED = 3


def _keys(keys: Sequence[ChangedKey | None]) -> str:
    return _first([key.name for key in keys if key is not None])


def _first(names: Sequence[str]) -> str:
    return in_words(names, _NAMED)


def changes_table(changes: FactChanges) -> Table:
    """A row for each change, the gravest first."""
    return Table(title(changes), _COLUMNS, [_row(each) for each in changes.changes])


def _row(change: KeyChange) -> tuple[str, ...]:
    account, region = change.key.place
    what = "; ".join((change.sentence, *change.details))
    return change.severity, change.title, change.key.name, account, region, what, change.key.arn


def _columns(changes: FactChanges) -> list[int]:
    """The places of the columns that are shown: account and Region only where there are several."""
    shown = list(range(len(_SHOWN)))
    if len({place.account for place in changes.places}) < 2:
        shown.remove(_SHOWN.index("ACCOUNT"))
    if len({place.region for place in changes.places}) < 2:
        shown.remove(_SHOWN.index("REGION"))
    return shown


def _text(changes: FactChanges) -> str:
    parts = [f"{title(changes)}\n"]
    if changes.changes:
        shown = _columns(changes)
        lines: list[tuple[str, ...]] = [_SHOWN]
        for change in changes.changes:
            row = _row(change)
            lines.append((*row[:5], _cut(change.sentence)))
            lines += [("",) * 5 + (_cut(detail),) for detail in change.details]
        parts.append(aligned([[line[at] for at in shown] for line in lines]))
    told = [f"{visible(remark)}\n" for remark in remarks(changes)]
    if told:
        parts.append("".join(told))
    parts.append(f"{summary(changes)}\n")
    return "\n".join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"


def _markdown(changes: FactChanges) -> str:
    shown = _columns(changes)
    columns = tuple(_COLUMNS[at] for at in shown)
    rows = [[_row(each)[at] for at in shown] for each in changes.changes]
    parts = [render(Table(title(changes), columns, rows), ExportFormat.MARKDOWN)]
    if not rows:
        parts = [parts[0].partition("\n\n")[0] + "\n"]
    told = [(remark,) for remark in remarks(changes)]
    if told:
        parts.append("#" + render(Table("Not compared", ("remark",), told), ExportFormat.MARKDOWN))
    return "\n".join([*parts, f"{summary(changes)}\n"])


def _json(changes: FactChanges) -> str:
    shape: dict[str, Any] = {
        "then": time_text(changes.then),
        "now": time_text(changes.now),
        "whole": changes.whole,
        "regions": [place._asdict() for place in changes.places],
        "only_then": [place._asdict() for place in changes.only_then],
        "only_now": [place._asdict() for place in changes.only_now],
        "keys": changes.keys,
        "summary": dict(Counter(each.kind.value for each in changes.changes)),
        "changes": [
            {
                "kind": each.kind.value,
                "severity": each.severity.value,
                **_key(each.key),
                "what": each.sentence,
                "details": list(each.details),
                "before": each.before,
                "after": each.after,
            }
            for each in changes.changes
        ],
        "not_compared": [
            {
                "fact": each.fact,
                **each.place._asdict(),
                "then": each.then,
                "now": each.now,
                **({} if each.key is None else _key(each.key)),
            }
            for each in changes.not_compared
        ],
        "same_meaning": [_key(each) for each in changes.rewritten],
    }
    # Escaped to ASCII: safe in a terminal, and any JSON reader restores the text.
    return json.dumps(shape, indent=2) + "\n"


def _key(key: ChangedKey) -> Mapping[str, str]:
    return {"key": key.name, "arn": key.arn, **key.place._asdict()}


WRITERS: Mapping[str, Callable[[FactChanges], str]] = {"table": _text, "md": _markdown, "json": _json}
"""Format -> all changes as text, with a final line end."""
