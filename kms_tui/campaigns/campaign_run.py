"""A run of a campaign: its items one after the other, each checked, written, read back, and in the journal.

One item's failure does not stop the others; what would fail for all of them alike does: credentials that are
refused, a network that is gone, a journal that cannot be written. Whatever stopped it, a later run goes on.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Protocol

from kms_tui.accounts.account import Account
from kms_tui.atomic import FileError
from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.campaigns.campaign import CampaignItem, ItemState, is_carried_out
from kms_tui.campaigns.journal import Journal
from kms_tui.campaigns.preparation import NOT_UNDONE, check_destination
from kms_tui.campaigns.resource_move import Announce, ItemOutcome, ResourceMove, carry_out_in_kms
from kms_tui.counts import counted, counted_as
from kms_tui.key_moves.destination import DestinationError
from kms_tui.kms.arn import key_account, key_region
from kms_tui.kms.errors import (
    UNRECOGNIZED,
    AnswerError,
    ConfigurationError,
    CredentialsError,
    EndpointError,
    KmsTuiError,
    OutcomeUnknownError,
    ReadOnlyError,
    ServiceError,
)
from kms_tui.session import Session
from kms_tui.undo import not_undone

_TRIES = 6
"""Of an item whose service is busy, or whose write's answer was lost."""
_LONGEST_PAUSE = 20.0
_UNREACHABLE = 3
"""Items in a row whose service could not be reached, after which the run stops."""
_LOOKS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0)
"""Seconds between the looks at changes that were sent: five minutes in all."""
_BUSY = frozenset(
    {
        "ConcurrentModificationException",
        "LimitExceededException",
        "OperationAborted",
        "OperationAbortedException",
        "ResourceConflictException",
        "ResourceInUseException",
        "TooManyUpdates",
    }
)
"""Error codes of services that take the same change a moment later."""
_GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NotFound",
        "NotFoundException",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
"""Error codes of a resource that is not there any longer."""


_TRIED = b"kms-tui"
"""Encrypted by a dry run, which makes no ciphertext."""
_NOT_ENCRYPTED = (
    "you may not call kms:Encrypt with the new key, so that what is there may have stayed under the old one"
)
"""Source: botocore's text of UpdateSecret. A policy may still allow it through the service."""


class CampaignAccess(Protocol):
    """How a run reaches the accounts; its methods raise KmsTuiError."""

    def writing(self, account: str, region: str) -> Services: ...

    def kms(self, account: str, region: str) -> Kms: ...


class NoAccountError(ConfigurationError):
    """An account is none of those that the session has opened."""


class SessionAccess:
    """The accounts of a session; what is of none of them is refused."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._services: dict[tuple[str, str], Services] = {}

    def writing(self, account: str, region: str) -> Services:
        """Each is opened once: its clients are slow to make."""
        if (account, region) not in self._services:
            self._services[account, region] = self._opened(account, region)
        return self._services[account, region]

    def _opened(self, account: str, region: str) -> Services:
        return self.account(account).writing_services(region)

    def kms(self, account: str, region: str) -> Kms:
        """The façade for grants and aliases, where writes are allowed: a name means a key of its account."""
        found = self.account(account)
        found.require_writes()
        return found.kms(region)

    def account(self, account: str) -> Account:
        """The account of an id; slow where no call has told yet whose credentials these are."""
        found = self._session.account_with(account)
        if not found.id:
            found.kms().caller()
        if found.id != account:
            raise NoAccountError(
                f"No account of this session is {account}.",
                next_step="Open it too, with --accounts or its profile.",
            )
        return found


def require_writes(session: Session, old: str, new: str, items: Iterable[CampaignItem]) -> None:
    """Raise what keeps a campaign from writing in any of its accounts, before its first write; slow.

    The accounts are the old key's, the new key's (``new`` is "" until there is one), and each item's. Raises
    ReadOnlyError, ConfigurationError where the user has not allowed moves to write, NoAccountError.
    """
    access, wanted = SessionAccess(session), list(items)
    accounts = [session.account_of(old)]
    if new:
        with suppress(NoAccountError):  # the old key's account may be let in, as ``CampaignRun`` says
            accounts.append(access.account(key_account(new)))
    accounts += map(access.account, dict.fromkeys(item.account for item in wanted))
    for account in dict.fromkeys(accounts):
        account.require_writes("The move")
    for place in dict.fromkeys((item.account, item.region) for item in wanted if item.is_resource):
        access.writing(*place)


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """How far a run is: items done of all it has to do, the one in hand, and the seconds left, if known."""

    done: int
    total: int
    words: str = ""
    seconds_left: float | None = None


class CampaignRun:
    """``run`` blocks; ``cancel`` and ``progress`` are for other threads meanwhile.

    ``pause(seconds)`` waits and tells whether the run was cancelled; the clocks are injected for tests.
    """

    def __init__(
        self,
        journal: Journal,
        access: CampaignAccess,
        now: Callable[[], datetime],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], bool] | None = None,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        self.journal = journal
        self.stopped: KmsTuiError | None = None
        """What stopped the run before its end, if anything did."""
        self._access = access
        self._now = now
        self._clock = clock
        self._cancelled = threading.Event()
        self._pause = pause or self._cancelled.wait
        self._fraction = fraction
        self._began = clock()
        self._progress = CampaignProgress(0, len(journal.campaign.open_items))

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Begin no other item; the one in hand is finished."""
        self._cancelled.set()

    def progress(self) -> CampaignProgress:
        return self._progress

    def run(self) -> None:
        """Carry out what is open. Raises nothing but FileError of the journal; see ``stopped``."""
        numbers = self.journal.campaign.open_items
        self.journal.note(f"A run begins, with {counted(len(numbers), 'item')} to do.", self._now())
        self._began = self._clock()
        try:
            self._do_all(numbers)
            self._look_at_sent()
        except FileError:
            raise
        except KmsTuiError as error:
            self.stopped = error
        self.journal.note(self._end_words(), self._now())

    def _end_words(self) -> str:
        if self.stopped is not None:
            return f"The run stopped: {self.stopped}"
        return "The run was stopped." if self.is_cancelled else "The run ended."

    def _do_all(self, numbers: Sequence[int]) -> None:
        unreachable = 0
        for done, number in enumerate(numbers):
            if self.is_cancelled:
                return
            item = self.journal.campaign.items[number]
            self._show(done, len(numbers), f"{item.use.kind}: {item.use.resource}")
            self.journal.state(number, ItemState.STARTED, self._now())
            outcome, error = self._tried(number, item)
            if outcome.state is ItemState.ALREADY and self.journal.campaign.records[number].commands:
                outcome = ItemOutcome(ItemState.MOVED, outcome.words)  # by this campaign, earlier
            self.journal.state(number, outcome.state, self._now(), outcome.words)
            unreachable = unreachable + 1 if isinstance(error, EndpointError) else 0
            if error is not None and (_fails_for_all(error) or unreachable == _UNREACHABLE):
                raise error
        self._show(len(numbers), len(numbers), "")

    def _tried(self, number: int, item: CampaignItem) -> tuple[ItemOutcome, KmsTuiError | None]:
        """Carry out one item, again where its service asks for that; what failed, if anything did."""
        error: KmsTuiError | None = None
        for attempt in range(_TRIES):
            try:
                return self._carry_out(number, item), None
            except FileError:
                raise
            except KmsTuiError as failure:
                error = failure
            except Exception as failure:
                error = AnswerError.of(failure)
            if not _may_try_again(error) or attempt == _TRIES - 1:
                break
            if self._pause(self._fraction() * min(2.0**attempt, _LONGEST_PAUSE)):
                break
        assert error is not None
        if item.is_resource and isinstance(error, ServiceError) and error.code in _GONE:
            return ItemOutcome(ItemState.GONE, str(error)), error
        return ItemOutcome(ItemState.FAILED, error.with_next_step), error

    def _carry_out(self, number: int, item: CampaignItem) -> ItemOutcome:
        head = self.journal.campaign.head
        announce = partial(self._announce, number)
        kms_new = self._kms_of_new()
        # Not every service looks at the key that it is told to use.
        check_destination(self.journal.campaign, kms_new)
        if item.is_resource:
            if not is_carried_out(item.move):  # a journal of another version, or one that was edited
                return ItemOutcome(ItemState.FAILED, f"this version of kms-tui does not move {item.use.kind}")
            outcome = self._move(number, announce).carry_out()
            is_doubtful = item.move.needs_encrypt and outcome.state is ItemState.MOVED
            return outcome.with_words(_NOT_ENCRYPTED) if is_doubtful and not self._may_encrypt else outcome
        kms = self._access.kms(item.account, item.region)
        with not_undone(NOT_UNDONE):
            return carry_out_in_kms(item, head.new, head.old_names, kms, kms_new, announce)

    @cached_property
    def _may_encrypt(self) -> bool:
        """Whether the caller may encrypt with the new key, as far as a dry run is not denied."""
        try:
            self._kms_of_new().call(
                "Encrypt", KeyId=self.journal.campaign.head.new, Plaintext=_TRIED, DryRun=True
            )
        except ServiceError as error:
            return not error.denied
        return True

    def _kms_of_new(self) -> Kms:
        """That of the new key's account; where this is not opened, the old key's, which may be let in."""
        head = self.journal.campaign.head
        try:
            return self._access.kms(key_account(head.new), key_region(head.new))
        except NoAccountError:
            return self._access.kms(key_account(head.old), key_region(head.new))

    def _move(self, number: int, announce: Announce) -> ResourceMove:
        campaign = self.journal.campaign
        item, head = campaign.items[number], campaign.head
        return ResourceMove(
            item,
            head.new,
            head.old_names,
            self._access.writing(item.account, item.region),
            announce,
            lambda name: self._access.kms(item.account, item.region).describe(name).arn,
            bool(campaign.records[number].commands),
        )

    def _announce(self, number: int, line: str) -> None:
        self.journal.command(number, line, self._now())

    def _look_at_sent(self) -> None:
        """Read back what was sent and not seen yet, for some minutes; the next run looks again."""
        for seconds in _LOOKS:
            records = enumerate(self.journal.campaign.records)
            sent = [number for number, record in records if record.state is ItemState.SENT]
            if not sent or self.is_cancelled:
                return
            many = counted_as(len(sent), "change that is not seen yet", "changes that are not seen yet")
            self._progress = CampaignProgress(0, 0, many)
            if self._pause(seconds):
                return
            for number in sent:
                try:
                    outcome = self._move(number, _send_nothing).look()
                except ServiceError as error:
                    outcome = ItemOutcome(ItemState.SENT, str(error))
                except KmsTuiError:
                    raise
                except Exception as error:
                    outcome = ItemOutcome(ItemState.SENT, str(AnswerError.of(error)))
                if outcome.state is not ItemState.SENT:
                    self.journal.state(number, outcome.state, self._now(), outcome.words)

    def _show(self, done: int, total: int, words: str) -> None:
        seconds = (self._clock() - self._began) / done * (total - done) if done else None
        self._progress = CampaignProgress(done, total, words, seconds)


def _send_nothing(line: str) -> None:
    """What a look announces: it sends no write."""


def _fails_for_all(error: KmsTuiError) -> bool:
    """Whether an error of one item would be that of every other."""
    if isinstance(error, ServiceError):
        return error.code in UNRECOGNIZED
    return isinstance(error, CredentialsError | DestinationError | ReadOnlyError)


def _may_try_again(error: KmsTuiError) -> bool:
    """Whether an item is tried again at once: what it had done by then is seen by its read."""
    if isinstance(error, ServiceError):
        return error.throttled or error.code in _BUSY
    return isinstance(error, OutcomeUnknownError)
