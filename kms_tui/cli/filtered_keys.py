"""The keys of whole accounts that a filter lets through, for commands that do something with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kms_tui.cli.reading import Step, followed
from kms_tui.session import Session, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from kms_tui.inventory import Inventory, Row


def check_filter(text: str, usage_error: Callable[[str], object]) -> None:
    """Bad usage for a text that is no filter."""
    from kms_tui.inventory import FilterError, parse

    try:
        parse(text, utc_now())
    except FilterError as error:
        usage_error(f"the filter {text!r}: {error}")


def unlisted_sentences(inventory: Inventory) -> Iterator[str]:
    """Which keys and aliases could not be listed, and why."""
    from kms_tui.inventory.listing import unlisted
    from kms_tui.kms.facts import Denied, Failed

    for title, region in unlisted(inventory.regions):
        failed = {
            what: fact.error
            for what, fact in (("keys", region.keys), ("aliases", region.aliases))
            if isinstance(fact, Denied | Failed)
        }
        for error in dict.fromkeys(map(str, failed.values())):
            of_what = " and ".join(what for what in failed if str(failed[what]) == error)
            yield f"The {of_what} of {title} could not be listed: {error}"


class FilteredKeys:
    """Reads what the filter asks about, of every key of the session; ``rows`` match it, by name."""

    def __init__(self, session: Session, text: str) -> None:
        from kms_tui.inventory import FactName, View
        from kms_tui.inventory.view import Scope
        from kms_tui.inventory.whole_reading import WholeReading

        self._inventory = session.inventory
        self._view = View(session.inventory)
        self._view.set_scope(Scope.ALL)
        self._view.set_filter(text)
        query = self._view.query
        self._reading = WholeReading(
            session.inventory, query.missing, usage=FactName.LAST_USAGE in query.needs
        )

    def read(self, name: str) -> list[Row]:
        """The rows, with progress on a terminal. Raises KmsTuiError if there are none for its reason."""
        followed(self._read, self._progress, name=name)
        self._view.rebuild()
        return list(self._view.rows)

    def _read(self) -> None:
        self._inventory.open()
        with self._reading.listening():
            self._reading.wait_for_listing()
            self._reading.check_listing()
            self._reading.read()

    def problems(self) -> Iterator[str]:
        """What is missing among the rows, in sentences."""
        yield from unlisted_sentences(self._inventory)
        summary = self._view.summary()
        if left_out := summary.undecided + summary.unreadable:
            keys = "1 key is" if left_out == 1 else f"{left_out:,} keys are"
            yield f"{keys} left out: what the filter asks about could not be read."
        if self._reading.unanswered:
            yield f"Not every key was read: {self._reading.unanswered}."

    def _progress(self) -> Step:
        progress = self._inventory.progress()
        if progress is None:
            return Step("listing the keys", len(self._inventory))
        words = f"reading ({progress.error})" if progress.error else "reading"
        return Step(words, progress.done, progress.total)
