"""Lists one region into the table: ListKeys and ListAliases at once, one page for each job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from kms_tui.backend.kms_facade import KeyRef, Kms
from kms_tui.inventory.changes import Coalescer
from kms_tui.inventory.pace import Priority
from kms_tui.inventory.row import ListedAccount, Row
from kms_tui.inventory.row_table import RowTable
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.facts import LOADING, UNASKED, Denied, Fact, Failed, Known, unreadable
from kms_tui.kms.model import Alias
from kms_tui.workers import Job, Workers, is_passing


class Unlisted(NamedTuple):
    """A Region that is not listed whole, or all Regions of an account where each has the same error.

    ``title`` names it, untrusted; ``region`` is one of them.
    """

    title: str
    region: Region


def unlisted(regions: Sequence[Region]) -> list[Unlisted]:
    """What is not listed whole, in the order of the Regions; an account that fails everywhere stands once."""
    errors: defaultdict[ListedAccount, list[str]] = defaultdict(list)
    for region in regions:
        errors[region.account].append(str(region.error) if region.error is not None else "")
    found: dict[Any, Unlisted] = {}
    for region in regions:
        if region.error is None:
            continue
        of_account = errors[region.account]
        is_alike = bool(region.account.name) and len(set(of_account)) == 1
        title = region.account.name if is_alike else region.title
        found.setdefault(region.account if is_alike else region, Unlisted(title, region))
    return list(found.values())


@dataclass(slots=True)
class _Feed:
    """The pages of one List operation, as one listing reads them."""

    listing: int
    names: defaultdict[str, list[str]]
    """The aliases of each key id in this listing; the two feeds of a listing share it."""
    announce: bool
    """The region has been listed whole before, so a difference is a change to tell."""
    open: Callable[[Kms], Iterator[list[Any]]]
    add: Callable[[_Feed, list[Any]], object]
    end: Callable[[Fact[int]], None]
    pages: Iterator[list[Any]] | None = None
    asked: int = 0
    """Jobs so far; they number the pages, since ``count`` does not grow on an empty one."""
    count: int = 0


class RecordedListing:
    """The listing of a Region from elsewhere than its KMS; see ``Region.recorded``."""

    def __init__(self, region: Region, keys: _Feed, aliases: _Feed) -> None:
        self._region = region
        self._keys = keys
        self._aliases = aliases

    def add_keys(self, page: list[KeyRef]) -> list[Row]:
        """Add keys; their rows, in the same order."""
        self._keys.count += len(page)
        return self._region.add_keys(self._keys, page)

    def add_aliases(self, page: list[Alias]) -> None:
        self._aliases.count += len(page)
        self._region.add_aliases(self._aliases, page)

    def end(self, *, is_whole: bool) -> None:
        """All is added; where that ``is_whole`` not, the Region counts as not listed: KMS is to list it."""
        for feed in (self._keys, self._aliases):
            self._region.end(feed, Known(feed.count) if is_whole else UNASKED)


class Region:
    """One region's listing in one account; its failure affects no other.

    ``keys`` and ``aliases`` are the numbers that ListKeys and ListAliases returned: LOADING, then Known,
    Denied or Failed. An alias names its key, too, so rows come from the operation that answers first.
    """

    def __init__(
        self, name: str, account: ListedAccount, table: RowTable, workers: Workers, coalescer: Coalescer
    ) -> None:
        self.name = name
        self.account = account
        self.keys: Fact[int] = UNASKED
        self.aliases: Fact[int] = UNASKED
        self.listed = 0
        """Keys found so far by the running listing, or in all by the last one."""
        self.passing_error: KmsTuiError | None = None
        """The passing error for which the last listing is retried."""
        self._broken: list[_Feed] = []
        self._table = table
        self._workers = workers
        self._coalescer = coalescer
        self._listing = 0
        self._whole = False
        """Whether the region has been listed whole before: only then does a new key count as a change."""

    @property
    def title(self) -> str:
        """ "eu-west-1", after its account's name where there are several. Untrusted."""
        return f"{self.account.name} {self.name}" if self.account.name else self.name

    def kms(self) -> Kms:
        """The façade in this region; slow where the account is not opened yet. Raises KmsTuiError."""
        return self.account.kms(self.name)

    @property
    def busy(self) -> bool:
        return self.keys is LOADING or self.aliases is LOADING

    @property
    def error(self) -> KmsTuiError | None:
        """Why the listing is not whole, or None."""
        for fact in (self.keys, self.aliases):
            if isinstance(fact, Denied | Failed):
                return fact.error
        return None

    def start(self) -> None:
        """List the region, for the first time or again; its rows stay."""
        for feed in self._begin():
            self._read_on(feed)

    def recorded(self) -> RecordedListing:
        """As ``start``, with what the caller adds instead of KMS's answers."""
        aliases, keys = self._begin()
        return RecordedListing(self, keys, aliases)

    def _begin(self) -> tuple[_Feed, _Feed]:
        with self._table.lock:
            self._listing += 1
            self.keys = self.aliases = LOADING
            self.listed = 0
            self._broken = []
            listing = (self._listing, defaultdict[str, list[str]](list), self._whole)
            feeds = (
                _Feed(*listing, Kms.alias_pages, self.add_aliases, self._set_aliases),
                _Feed(*listing, Kms.key_pages, self.add_keys, self._set_keys),
            )
        self._coalescer.note(listing=True)
        return feeds

    def read_on_after_errors(self) -> None:
        """Continue at the pages that failed with a passing error."""
        with self._table.lock:
            feeds, self._broken = self._broken, []
            for feed in feeds:
                feed.end(LOADING)
        self._coalescer.note(listing=True)
        for feed in feeds:
            self._read_on(feed)

    def _set_aliases(self, outcome: Fact[int]) -> None:
        self.aliases = outcome

    def _set_keys(self, outcome: Fact[int]) -> None:
        self.keys = outcome

    def _read_on(self, feed: _Feed) -> None:
        feed.asked += 1
        name = (self.account, self.name, feed.open, feed.listing, feed.asked)
        self._workers.put(Priority.LISTING, Job(name, partial(self._read_page, feed), self.account))

    def _read_page(self, feed: _Feed) -> None:
        if feed.listing != self._listing:
            return
        try:
            if feed.pages is None:
                feed.pages = feed.open(self.kms())
            page = next(feed.pages, None)
            if page is not None:
                feed.count += len(page)
                feed.add(feed, page)
        except KmsTuiError as error:
            self.end(feed, unreadable(error))
        except Exception as error:
            self.end(feed, Failed(AnswerError.of(error)))
        else:
            if page is None:
                self.end(feed, Known(feed.count))
            else:
                self._coalescer.note(listing=True)
                self._read_on(feed)

    def add_keys(self, feed: _Feed, page: list[KeyRef]) -> list[Row]:
        """Add a page of keys; their rows, in the same order."""
        with self._table.lock:
            if feed.listing == self._listing:
                self.listed = feed.count
        return [
            self._table.add(ref.arn, ref.key_id, self, feed.listing, announce=feed.announce) for ref in page
        ]

    def add_aliases(self, feed: _Feed, page: list[Alias]) -> None:
        for alias in page:
            if not alias.target_key_id:
                continue
            arn = alias.arn.removesuffix(alias.name) + f"key/{alias.target_key_id}"
            row = self._table.add(arn, alias.target_key_id, self, feed.listing, announce=feed.announce)
            names = feed.names[row.key_id]
            names.append(alias.short_name)
            if not row.aliases_known:
                self._table.set_aliases(row, names, announce=False)

    def end(self, feed: _Feed, outcome: Fact[int]) -> None:
        """One of the two lists is whole, or will not be: ``outcome``."""
        with self._table.lock:
            if feed.listing != self._listing:
                return
            feed.end(outcome)
            if isinstance(outcome, Failed) and is_passing(outcome.error):
                self._broken.append(feed)
            if not self.busy:
                errors = [fact.error for fact in (self.keys, self.aliases) if isinstance(fact, Failed)]
                self.passing_error = next(filter(is_passing, errors), None)
                self._reconcile(feed)
        self._coalescer.note(listing=True)

    def _reconcile(self, feed: _Feed) -> None:
        """Once both feeds have ended: mark rows that neither named as gone, and set the aliases."""
        for row in self._table.rows_of(self):
            if isinstance(self.keys, Known) and row.seen < feed.listing:
                self._table.set_gone(row)
            elif isinstance(self.aliases, Known):
                names = feed.names.get(row.key_id, ())
                self._table.set_aliases(row, names, announce=feed.announce, all_known=True)
        self._whole |= isinstance(self.keys, Known) and isinstance(self.aliases, Known)

    def start_if_broken(self) -> None:
        """List the region unless it has been listed whole."""
        if self.error is not None or self.keys is UNASKED:
            self.start()
