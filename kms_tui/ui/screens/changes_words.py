"""What has changed since a snapshot, in words: table rows, the detail of a row, headline, progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from kms_tui.fact_files.changes import KeyChange, NotCompared
from kms_tui.fact_files.fact_collection import CallsLeft, CollectionStage
from kms_tui.fact_files.fact_comparison import FactChanges
from kms_tui.fact_files.fact_file import FACT_WORDS
from kms_tui.inventory.row_health import SEVERITY_MARKS, HealthSeverity
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.words import counted, span_words
from kms_tui.ui.widgets.line_table import TableRow

_LOOKS: Mapping[HealthSeverity, tuple[str, str]] = {
    HealthSeverity.HIGH: ("danger", "$error"),
    HealthSeverity.MEDIUM: ("warning", "$warning"),
    HealthSeverity.LOW: ("plain", "$foreground-muted"),
}
"""Severity -> its look in a table, its colour elsewhere; a glyph and the word stand beside both."""
_NOT_KNOWN = "? not known"

Item = KeyChange | NotCompared


def _lines(*lines: Content) -> Content:
    return Content("\n").join(lines)


def _muted(text: str) -> Content:
    return Content.styled(text, "$foreground-muted")


def items(changes: FactChanges) -> Sequence[tuple[str, Item]]:
    """(row key, item): the changes, the gravest first, then what was not compared."""
    found: list[Item] = [*changes.changes, *changes.not_compared]
    return [(str(number), item) for number, item in enumerate(found)]


def _key_name(item: Item) -> str:
    return item.key.name if item.key is not None else "all keys"


def _what(item: Item) -> tuple[str, str]:
    """The title and the sentence of an item."""
    if isinstance(item, KeyChange):
        return item.title, item.sentence
    fact = FACT_WORDS.get(item.fact, f"The {item.fact}")
    return "Not compared", f"{fact}: {item.reason}"


def _place(item: Item) -> str:
    place = item.place if isinstance(item, NotCompared) else item.key.place
    return str(place)


def item_row(key: str, item: Item, *, several: bool, accounts: Mapping[str, str]) -> TableRow:
    """The row of an item; with ``several`` Regions its own stands beside the key's name, and its account's
    name, which ``accounts`` gives by its id where there are several.
    """
    if isinstance(item, KeyChange):
        first = f"{SEVERITY_MARKS[item.severity]} {item.severity.value}", _LOOKS[item.severity][0]
    else:
        first = _NOT_KNOWN, "quiet"
    title, sentence = _what(item)
    place = item.place if isinstance(item, NotCompared) else item.key.place
    parts = [_key_name(item)]
    if accounts:
        parts.append(accounts.get(place.account, place.account))
    if several:
        parts.append(place.region)
    name = " · ".join(parts)
    return TableRow(key, (first, title, (name, "strong"), (sentence, "quiet")))


def matches(item: Item, words: Sequence[str]) -> bool:
    """Whether an item's text contains each word."""
    severity = item.severity.value if isinstance(item, KeyChange) else _NOT_KNOWN
    details = item.details if isinstance(item, KeyChange) else ()
    arn = item.key.arn if item.key is not None else ""
    text = "\n".join((severity, _key_name(item), arn, _place(item), *_what(item), *details)).lower()
    return all(word in text for word in words)


def item_detail(item: Item) -> Content:
    """The whole of an item: what, which key, every sentence."""
    title, sentence = _what(item)
    if isinstance(item, KeyChange):
        mark, severity = SEVERITY_MARKS[item.severity], item.severity
        head = Content.assemble((f"{mark} {severity.value}", _LOOKS[severity][1]), "  ", (title, "bold"))
        more = [safe(detail) for detail in item.details]
    else:
        head = Content.assemble((_NOT_KNOWN, "$warning"), "  ", (title, "bold"))
        more = [_muted("What was not known then, or is not now, is never told as a change.")]
    where = safe(_key_name(item)).stylize("$accent") + _muted("  ")
    if item.key is not None:
        where += safe(f"{item.key.key_id} · ").stylize("$foreground-muted")
    where += safe(_place(item)).stylize("$foreground-muted")
    return _lines(head, where, safe(sentence), *more)


def headline(changes: FactChanges, name: str, remarks: Sequence[str]) -> Content:
    """How many changes of each severity, since when, and what else is to be told. The name is untrusted."""
    counts = Counter(change.severity for change in changes.changes)
    parts = [
        Content.styled(f"{SEVERITY_MARKS[severity]} {counts[severity]:,} {severity.value}", colour)
        for severity, (_, colour) in _LOOKS.items()
        if counts[severity]
    ]
    if changes.not_compared:
        parts.append(_muted(f"? {len(changes.not_compared):,} not known"))
    said = Content(" · ").join(parts) or Content.styled("✓ Nothing has changed", "$success bold")
    ago = span_words(max(changes.now - changes.then, timedelta()))
    told = f"    {counted(changes.keys, 'key')}, since {changes.then:%Y-%m-%d %H:%M} UTC ({ago} ago), "
    said += _muted(told) + safe(name).stylize("$foreground-muted")
    return _lines(said, *(safe(remark).stylize("$warning") for remark in remarks))


def reading_cost(calls: CallsLeft) -> Content:
    """The cost of reading, before it begins."""
    seconds, key = calls.seconds, "$accent bold"
    time = span_words(timedelta(seconds=seconds)) if seconds >= 60 else f"{seconds:.0f} s"
    return _lines(
        Content.styled(f"The facts of {calls.keys:,} keys are to be read.", "bold"),
        Content(""),
        Content(f"That takes up to {calls.calls:,} calls, about {time} at the polite rate."),
        Content(""),
        Content.assemble(("enter", key), " reads them; ", ("esc", key), " stops it at any time."),
    )


def progress(stage: CollectionStage) -> Content:
    """The stage, its progress, and why it waits."""
    line = Content(stage.words[:1].upper() + stage.words[1:])
    line += Content(f"  {stage.done:,} of {stage.total:,}" if stage.total else " …")
    if stage.error:
        line = _lines(line, Content.styled("Waiting: ", "$warning") + safe(stage.error))
    return _lines(line, _muted("esc stops it and shows what is known by then."))


def failed(error: KmsTuiError) -> Content:
    """Why nothing was compared, and what to do next."""
    next_step = [safe(error.next_step)] if error.next_step else []
    head = Content.styled("The keys could not be compared.", "$error")
    return _lines(head, safe(str(error)), *next_step, _muted("r tries again."))
