"""Which resources of several accounts name one key, and what of the answer is missing.

A key is used in its own Region, so that is scanned in each account. In another account than its own, a key is
named by its ARN, or by the ARN of an alias.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.references import KeyNames
from kms_tui.evidence.scan_shortfalls import error_words, name_gaps, shortfall_words
from kms_tui.evidence.scan_task import Use
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scans import Scan, ScanRun, can_scan
from kms_tui.kms.arn import Arn, key_id_of
from kms_tui.kms.errors import AnswerError, EndpointError, KmsTuiError, UnavailableError
from kms_tui.kms.facts import UNASKED, Known
from kms_tui.workers import Job, QueueRules, WorkerPool, WorkQueues

_ACCOUNTS_AT_ONCE = 4
"""Each has quotas of its own."""
_LAST_WAIT = 5.0
"""Seconds that a cancelled scan may take to end."""


class ScannedAccount(Protocol):
    """An account that can be scanned: ``kms_tui.accounts.account.Account``. Its calls raise KmsTuiError."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    def kms(self, region: str = "") -> Kms: ...

    def services(self, region: str = "") -> Services | None: ...


@dataclass(frozen=True, slots=True)
class AccountScan:
    """The scan of one account, or why there is none."""

    account: str
    title: str
    result: Scan | KmsTuiError


@dataclass(frozen=True, slots=True)
class FoundUse:
    """A resource of an account that names the key."""

    account: str
    use: Use


@dataclass(frozen=True, slots=True)
class UseGap:
    """What was not checked, in words; ``what`` is a kind, or "" for the account. Untrusted text."""

    account: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class KeyUses:
    """The uses of one key in the scans of some accounts."""

    key_arn: str
    scans: tuple[AccountScan, ...]

    @property
    def region(self) -> str:
        return Arn.parse(self.key_arn).region

    @property
    def uses(self) -> Sequence[FoundUse]:
        """By account, and then in the order of the kinds."""
        return [
            FoundUse(each.account, use)
            for each in self.scans
            if isinstance(each.result, Scan)
            for use in self._uses_in(each.result)
        ]

    @property
    def checked(self) -> int:
        """The number of resources that were checked."""
        return sum(each.result.checked for each in self.scans if isinstance(each.result, Scan))

    @property
    def gaps(self) -> Sequence[UseGap]:
        """Whatever leaves the answer incomplete."""
        return [*self._gaps()]

    @property
    def not_offered(self) -> Sequence[str]:
        """The kinds that AWS does not offer in the Region, which are no gap."""
        found = {
            section.title
            for each in self.scans
            if isinstance(each.result, Scan)
            for section in each.result.not_offered
        }
        return [scanner.title for scanner in SCANNERS if scanner.title in found]

    def _gaps(self) -> Iterator[UseGap]:
        for each in self.scans:
            if isinstance(each.result, KmsTuiError):
                yield UseGap(each.account, "", f"{each.title} was not scanned: {error_words(each.result)}")
                continue
            for section in each.result.unchecked:
                yield UseGap(each.account, section.title, shortfall_words(section, each.result))
            for what, why in name_gaps(each.result):
                yield UseGap(each.account, what, why)
        if self._aliases is None and any(isinstance(each.result, Scan) for each in self.scans):
            account = Arn.parse(self.key_arn).account
            yield UseGap(
                account, "", f"the aliases of {account} were not read: who names the key by one is not known"
            )

    @property
    def _own_names(self) -> KeyNames | None:
        """What the key's own account calls its keys; None where it was not scanned."""
        account = Arn.parse(self.key_arn).account
        scans = (each.result for each in self.scans if isinstance(each.result, Scan))
        return next((scan.names for scan in scans if scan.names.account in ("", account)), None)

    @property
    def _aliases(self) -> frozenset[str] | None:
        """The aliases of the key; None where its own account was not scanned."""
        own = self._own_names
        if own is None:
            return None
        # Where they could not be read, that is a gap of the scan.
        aliases = own.aliases.value if isinstance(own.aliases, Known) else {}
        return frozenset(name for name, key_id in aliases.items() if key_id == key_id_of(self.key_arn))

    def _uses_in(self, scan: Scan) -> Iterator[Use]:
        # Where the account is not known, ARNs of any account have been taken for its own.
        is_own = scan.names.account in ("", Arn.parse(self.key_arn).account)
        if is_own:
            yield from scan.uses(key_id_of(self.key_arn))
        for stray in scan.unmatched:
            reference = stray.use.reference
            # In its own account, one that is not there any longer is named by its id, too.
            if (is_own and reference == key_id_of(self.key_arn)) or self._is_named_by(reference):
                yield stray.use

    @property
    def is_gone(self) -> bool:
        """Whether the key's own account was scanned, and does not have it."""
        key_ids = self._own_names.key_ids if self._own_names is not None else UNASKED
        return isinstance(key_ids, Known) and key_id_of(self.key_arn) not in key_ids.value

    def _is_named_by(self, reference: str) -> bool:
        """Whether a reference of another account's resource is the key."""
        if reference == self.key_arn:
            return True
        try:
            alias, key = Arn.parse(reference), Arn.parse(self.key_arn)
        except ValueError:
            return False
        is_there = (alias.service, alias.account, alias.region) == ("kms", key.account, key.region)
        return is_there and alias.resource in (self._aliases or ())


class KeyUseScan:
    """Scans accounts for one key. ``run`` blocks; the other methods are for other threads meanwhile."""

    def __init__(self, key_arn: str, accounts: Sequence[ScannedAccount], now: Callable[[], datetime]) -> None:
        self._key_arn = key_arn
        self._region = Arn.parse(key_arn).region
        self._accounts = accounts
        self._now = now
        self._lock = threading.Lock()
        self._runs: dict[int, ScanRun] = {}
        self._results: dict[int, AccountScan] = {}
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        queues = WorkQueues({"accounts": QueueRules()}, workers=_ACCOUNTS_AT_ONCE)
        self._pool = WorkerPool(queues, name="accounts")

    def run(self) -> KeyUses:
        """Scan all accounts, several at once; the failure of one is a gap of the answer."""
        for number in range(len(self._accounts)):
            self._pool.put("accounts", Job(number, partial(self._scan, number)))
        self._pool.join()
        self._pool.close()
        self._ended.set()
        return self.result()

    def stop(self) -> None:
        """Make no more calls; ``run`` returns what was found by then."""
        with self._lock:
            self._cancelled.set()
            runs = list(self._runs.values())
        for run in runs:
            run.cancel()

    def cancel(self) -> None:
        """Stop, and wait a moment for the scans to end."""
        self.stop()
        self._ended.wait(_LAST_WAIT)
        self._pool.close()

    def result(self) -> KeyUses:
        """What was found so far; an account without a result is a gap."""
        with self._lock:
            results = dict(self._results)
        scans = [
            results.get(number) or AccountScan(account.id, account.title, EndpointError("cancelled"))
            for number, account in enumerate(self._accounts)
        ]
        return KeyUses(self._key_arn, tuple(scans))

    def progress(self) -> tuple[int, int, str]:
        """How many kinds of all accounts are over, of how many, and one that is not."""
        with self._lock:
            runs, over = list(self._runs.values()), len(self._results)
        here = sum(scanner.home in ("", self._region) for scanner in SCANNERS)
        done, current = over * here, ""
        for run in runs:
            for section in run.sections():
                done += section.is_over
                current = current or ("" if section.is_over or not section.calls else section.title)
        return done, here * len(self._accounts), current

    def _scan(self, number: int) -> None:
        account = self._accounts[number]
        try:
            result: Scan | KmsTuiError = self._scan_of(number, account)
        except KmsTuiError as error:
            result = error
        except Exception as error:
            result = AnswerError.of(error)
        with self._lock:
            self._runs.pop(number, None)
            known = result.names.account if isinstance(result, Scan) else ""
            self._results[number] = AccountScan(known or account.id, account.title, result)

    def _scan_of(self, number: int, account: ScannedAccount) -> Scan:
        if self._cancelled.is_set():
            raise EndpointError("cancelled")
        services = account.services(self._region)
        if services is None or not can_scan(services):
            raise UnavailableError("S3 and other services")
        run = ScanRun(account.kms(self._region), services, self._now)
        with self._lock:
            self._runs[number] = run
        if self._cancelled.is_set():
            run.cancel()
        return run.run()
