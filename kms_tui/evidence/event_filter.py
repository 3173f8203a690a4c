"""Which events a filter lets through: words, and ``who:``, ``op:``, ``result:``, ``from:``, ``context:``.

Its language is that of the key list: blanks mean and, ``-`` means not, quotes hold words together. Every
text has a reading: a field that is not one of these is looked for as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kms_tui.evidence.events import UsageEvent
from kms_tui.inventory.filters.syntax import Term, split

FIELDS: Mapping[str, Callable[[UsageEvent], str]] = {
    "who": lambda event: f"{event.who} {event.principal}",
    "op": lambda event: event.operation,
    "result": lambda event: f"{event.result} {event.error} {'refused' if event.is_refused else 'allowed'}",
    "from": lambda event: f"{event.address} {event.agent}",
    "context": lambda event: " ".join(f"{name}={value}" for name, value in event.context),
}


def matching(text: str, events: Iterable[UsageEvent]) -> list[UsageEvent]:
    """The events that a filter lets through, in their order."""
    left = list(events)
    for term in split(text):
        left = [event for event in left if _holds(term, event)]
    return left


def _holds(term: Term, event: UsageEvent) -> bool:
    field = FIELDS.get(term.field)
    if field is not None:
        found = term.value.lower() in field(event).lower()
    else:
        wanted = f"{term.field}:{term.value}" if term.field else term.value
        found = wanted.lower() in event.haystack
    return found is not term.negated
