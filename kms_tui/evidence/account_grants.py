"""The grants of many keys, read key by key at a polite rate, and which of them look stale."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kms_tui.backend.kms_facade import Kms
from kms_tui.inventory.fact_reader import needs_credentials
from kms_tui.kms.facts import Denied, Fact, Failed, Known, read_fact
from kms_tui.kms.model import Grant
from kms_tui.policy.grant_statements import grant_principal
from kms_tui.policy.principals import PrincipalKind

_THREADS = 4
GRANTS_SHARE = 4
"""ListGrants has a twentieth of DescribeKey's quota: it gets this part of the inventory's rate."""


class GrantReading:
    """Reads ListGrants of keys, by their ARNs, once, on threads; ``facts`` fills as the answers arrive.

    ``kms_for`` gives the façade of an ARN's account and Region; ``rate`` is that of the inventory's
    background calls, in calls a second.
    """

    def __init__(self, kms_for: Callable[[str], Kms], keys: Sequence[str], rate: float) -> None:
        self._kms_for = kms_for
        self._left = list(reversed(keys))
        self._pause = _THREADS * GRANTS_SHARE / rate
        self._cancelled = threading.Event()
        self.total = len(keys)
        self.facts: dict[str, Fact[list[Grant]]] = {}
        """ARN of a key -> its grants, or why they are not known."""

    def cancel(self) -> None:
        """Read no further key; those that are left stay unread."""
        self._cancelled.set()

    def run(self) -> None:
        """Block until every key is read, reading is cancelled, or the credentials have ended."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(min(_THREADS, self.total))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self) -> None:
        while not self._cancelled.is_set():
            try:
                arn = self._left.pop()
            except IndexError:
                return
            began = time.monotonic()
            fact = read_fact(lambda arn=arn: self._kms_for(arn).grants(arn))  # type: ignore[misc]
            self.facts[arn] = fact
            if isinstance(fact, Denied | Failed) and needs_credentials(fact.error):
                self.cancel()
            self._cancelled.wait(max(0.0, self._pause - (time.monotonic() - began)))


@dataclass(frozen=True, slots=True)
class GrantCoverage:
    """Of how many keys the grants are known, and of how many they are not."""

    keys: int
    known: int
    denied: int
    failed: int

    @classmethod
    def of(cls, keys: Iterable[str], facts: dict[str, Fact[list[Grant]]]) -> GrantCoverage:
        states = [facts.get(arn) for arn in keys]
        kinds = (Known, Denied, Failed)
        return cls(len(states), *(sum(isinstance(state, kind) for state in states) for kind in kinds))


def is_deleted(principal: str) -> bool:
    """Whether a principal is the unique id that KMS shows in place of a user or role which was deleted."""
    found = grant_principal(principal)
    return found is not None and found.kind is PrincipalKind.UNIQUE_ID


_NEVER = datetime.max.replace(tzinfo=UTC)


def stale_first(grants: Iterable[Grant]) -> list[Grant]:
    """Grants of deleted principals first, then the oldest.

    No API tells when a grant was last used, so that its age stands for it.
    """
    return sorted(
        grants,
        key=lambda each: (not is_deleted(each.grantee), each.created or _NEVER, each.key_id, each.grant_id),
    )


def retirable_grants(kms: Kms, principal: str, *, is_service: bool) -> list[Grant]:
    """ListRetirableGrants: the grants of the Region that a principal may retire.

    Raises ServiceError: denied, or no principal.
    """
    member = "RetiringServicePrincipal" if is_service else "RetiringPrincipal"
    pages = kms.pages("ListRetirableGrants", "Grants", 100, **{member: principal})
    return [Grant.from_api(entry) for page in pages for entry in page]
