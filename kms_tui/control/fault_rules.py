"""Which call meets which fault: orders by operation, key and principal, in their order.

    rules.plan("Encrypt", THROTTLE, OK, DENY)            # the next three calls, then proper answers
    rules.plan("Encrypt", "throttle", "ok", "deny")      # the same, by their names
    rules.always("Decrypt", DENY, key="alias/app")       # every call, until ``clear``
    rules.plan_from(ANY, itertools.cycle([OK, THROTTLE]))  # a schedule without end

A call meets the order that says most about it: one for its key or its principal before one for any, one for
its operation before ``ANY``; and of these a plan before what is always so. A plan is replaced by a newer one
for the same calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from kms_tui.control.faults import OK, Fault, Stale, fault_of

ANY = "*"
"""Stands for operations without an order of their own."""


@dataclass(frozen=True, slots=True)
class CallSelector:
    """The calls that an order is about; "" is any key, and any principal.

    ``key`` is a key id, an ARN or an alias, as a request could name it; ``principal`` an ARN.
    """

    operation: str = ANY
    key: str = ""
    principal: str = ""

    @property
    def weight(self) -> int:
        """How much it says: what is about one key comes before what is about one operation."""
        return 4 * bool(self.key) + 2 * bool(self.principal) + (self.operation != ANY)

    def fits(self, operation: str, keys: Collection[str], principal: str) -> bool:
        return (
            self.operation in (ANY, operation)
            and (not self.key or self.key in keys)
            and self.principal in ("", principal)
        )


@dataclass(slots=True)
class FaultOrder:
    """What was ordered for the calls of a selector, and how many calls it has met.

    ``since`` is the state of KMS when stale reads were ordered, which they are answered from.
    """

    selector: CallSelector
    plan: Iterator[Fault] = field(default_factory=lambda: iter(()))
    always: Fault | None = None
    since: object = None
    met: int = 0

    def next(self) -> Fault | None:
        found = next(self.plan, None)
        if found is None:
            found = self.always
        if not isinstance(found, Fault | None):
            raise TypeError(f"{found!r} was ordered, which is no fault, such as {OK!r}")
        return found


class MetFault(NamedTuple):
    """What a call meets, and the state of KMS when that was ordered."""

    fault: Fault = OK
    since: object = None


NO_FAULT = MetFault()


class FaultRules:
    """All orders; safe to use from several threads.

    ``present`` gives the state of KMS, which is asked for where stale reads are ordered. An order for an
    operation that is not one of ``operations`` is a ValueError; without these it may name any.
    """

    def __init__(
        self, present: Callable[[], object] = lambda: None, operations: Collection[str] = ()
    ) -> None:
        self._present = present
        self._operations = operations
        self._orders: dict[CallSelector, FaultOrder] = {}
        self._ranked: list[FaultOrder] = []
        # Once more by the same thread where a schedule looks at the orders itself.
        self._lock = threading.RLock()

    def plan(self, operation: str, *faults: Fault | str, key: str = "", principal: str = "") -> None:
        """Meet the next calls with these, one each: faults, or their names (``"throttle"``)."""
        self.plan_from(operation, [_fault(each) for each in faults], key=key, principal=principal)

    def plan_from(
        self, operation: str, faults: Iterable[Fault], *, key: str = "", principal: str = ""
    ) -> None:
        is_schedule = not isinstance(faults, Sequence)  # of which nobody knows what comes
        is_stale = is_schedule or any(isinstance(each, Stale) for each in faults)
        with self._order(CallSelector(operation, key, principal), is_stale) as order:
            order.plan = iter(faults)

    def always(self, operation: str, fault: Fault | str, *, key: str = "", principal: str = "") -> None:
        """Meet every call with this, once its plan is used up."""
        found = _fault(fault)
        with self._order(CallSelector(operation, key, principal), isinstance(found, Stale)) as order:
            order.always = found

    def clear(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._orders.clear()
            self._ranked = []

    def orders(self) -> list[FaultOrder]:
        """What is ordered, in the order in which it is looked at."""
        with self._lock:
            return list(self._ranked)

    def fault_for(self, operation: str, keys: Collection[str] = (), principal: str = "") -> MetFault:
        """What a call meets now, which uses up its place in a plan. ``keys`` are all names of its keys."""
        with self._lock:
            for order in self._ranked:
                if order.selector.fits(operation, keys, principal):
                    found = order.next()
                    if found is not None:
                        order.met += 1
                        return MetFault(found, order.since)
        return NO_FAULT

    @contextmanager
    def _order(self, selector: CallSelector, is_stale: bool) -> Iterator[FaultOrder]:
        self._require_known(selector.operation)
        since = self._present() if is_stale else None
        with self._lock:
            if selector not in self._orders:
                self._orders[selector] = FaultOrder(selector)
                self._ranked = sorted(self._orders.values(), key=lambda order: -order.selector.weight)
            order = self._orders[selector]
            order.since = since or order.since
            yield order

    def _require_known(self, operation: str) -> None:
        if not self._operations or operation == ANY or operation in self._operations:
            return
        close = get_close_matches(operation, self._operations, 1)
        meant = f"did you mean {close[0]!r}?" if close else f"{ANY!r} is all"
        raise ValueError(f"there is no operation {operation!r} of KMS; {meant}")


def _fault(fault: Fault | str) -> Fault:
    return fault_of(fault) if isinstance(fault, str) else fault
