"""Which call meets which fault."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kms_tui.control.fault_rules import ANY, FaultRules
from kms_tui.control.faults import (
    DENY,
    INTERNAL,
    KINDS,
    NAMED,
    OK,
    THROTTLE,
    Answer,
    Fault,
    Raw,
    Refuse,
    Stale,
    fault_of,
    order_of,
)

KEY, OTHER = ("arn:key", "1234", "alias/app"), ("arn:other", "5678")


def _met(rules: FaultRules, operation: str, times: int, *, keys: tuple[str, ...] = ()) -> list[Fault]:
    return [rules.fault_for(operation, keys).fault for _ in range(times)]


def test_a_plan_is_met_in_order_and_then_over() -> None:
    rules = FaultRules()
    rules.plan("Encrypt", THROTTLE, OK, DENY)
    assert _met(rules, "Decrypt", 1) == [OK]
    assert _met(rules, "Encrypt", 4) == [THROTTLE, OK, DENY, OK]
    assert [order.met for order in rules.orders()] == [3]


def test_faults_may_be_ordered_by_name_for_operations_that_there_are() -> None:
    rules = FaultRules(operations=("Encrypt", "Decrypt"))
    rules.plan("Encrypt", "throttle", DENY)
    rules.always(ANY, "lost-answer")
    assert _met(rules, "Encrypt", 3) == [THROTTLE, DENY, NAMED["lost-answer"]]
    with pytest.raises(ValueError, match="did you mean 'throttle'"):
        rules.plan("Decrypt", "trottle")
    for order in (rules.plan, rules.always):
        with pytest.raises(ValueError, match="no operation 'encrypt' of KMS; did you mean 'Encrypt'"):
            order("encrypt", DENY)
    with pytest.raises(ValueError, match="is all"):
        rules.plan("Xyz", DENY)
    assert len(rules.orders()) == 2


def test_what_is_always_so_follows_a_plan() -> None:
    rules = FaultRules()
    rules.always("Encrypt", DENY)
    rules.plan("Encrypt", OK, THROTTLE)
    assert _met(rules, "Encrypt", 4) == [OK, THROTTLE, DENY, DENY]
    rules.clear()
    assert _met(rules, "Encrypt", 1) == [OK]


def test_a_newer_plan_replaces_the_one_for_the_same_calls() -> None:
    rules = FaultRules()
    rules.plan("Encrypt", DENY, DENY)
    rules.plan("Encrypt", THROTTLE)
    assert _met(rules, "Encrypt", 2) == [THROTTLE, OK]


def test_a_schedule_may_have_no_end() -> None:
    rules = FaultRules()
    rules.plan_from(ANY, itertools.cycle([OK, THROTTLE]))
    assert _met(rules, "Encrypt", 5) == [OK, THROTTLE, OK, THROTTLE, OK]


@pytest.mark.parametrize("name", KEY)
def test_an_order_for_a_key_is_met_under_each_of_its_names(name: str) -> None:
    rules = FaultRules()
    rules.always("Encrypt", DENY, key=name)
    assert _met(rules, "Encrypt", 1, keys=KEY) == [DENY]
    assert _met(rules, "Encrypt", 1, keys=OTHER) == [OK]
    assert _met(rules, "Decrypt", 1, keys=KEY) == [OK]


def test_the_order_that_says_most_comes_first() -> None:
    rules = FaultRules()
    rules.always(ANY, OK)
    rules.always("Encrypt", THROTTLE)
    rules.always(ANY, INTERNAL, principal="arn:ada")
    rules.always(ANY, DENY, key="alias/app")
    asked = (("Sign", "", ()), ("Encrypt", "", ()), ("Encrypt", "arn:ada", ()), ("Encrypt", "arn:ada", KEY))
    met = [rules.fault_for(operation, keys, who).fault for operation, who, keys in asked]
    assert met == [OK, THROTTLE, INTERNAL, DENY]


def test_an_order_keeps_the_state_of_its_time() -> None:
    states = iter("abc")
    rules = FaultRules(lambda: next(states))
    rules.plan("DescribeKey", Stale(), OK, Stale())
    rules.always("ListKeys", Stale())
    assert [rules.fault_for("DescribeKey").since for _ in range(4)] == ["a", "a", "a", None]
    assert rules.fault_for("ListKeys").since == "b"


def test_the_state_is_asked_for_only_where_stale_reads_are_ordered() -> None:
    taken = itertools.count(1)
    rules = FaultRules(lambda: next(taken))
    rules.plan("Encrypt", THROTTLE, OK)
    rules.always("Encrypt", DENY)
    assert next(taken) == 1
    rules.always("ListKeys", Stale())
    rules.plan("ListKeys", THROTTLE)
    assert [rules.fault_for("ListKeys") for _ in range(2)] == [(THROTTLE, 2), (Stale(), 2)]
    rules.plan_from("ListKeys", iter([Stale()]))
    assert rules.fault_for("ListKeys") == (Stale(), 3)


def test_a_schedule_may_look_at_the_orders() -> None:
    rules = FaultRules()
    rules.plan_from("Encrypt", (THROTTLE if rules.orders()[0].met == 1 else OK for _ in range(3)))
    assert _met(rules, "Encrypt", 3) == [OK, THROTTLE, OK]


@pytest.mark.parametrize("what", [Answer, "hang", 5, True])
def test_what_is_no_fault_is_told_when_it_is_met(what: Any) -> None:
    rules = FaultRules()
    rules.plan_from("Encrypt", iter([what]))
    with pytest.raises(TypeError, match="no fault, such as"):
        rules.fault_for("Encrypt")


def test_each_fault_of_a_plan_is_met_once_by_many_threads() -> None:
    rules = FaultRules()
    rules.plan("Encrypt", *[THROTTLE] * 100)
    with ThreadPoolExecutor(8) as threads:
        met = list(threads.map(lambda _: rules.fault_for("Encrypt").fault, range(300)))
    assert met.count(THROTTLE) == 100


@pytest.mark.parametrize("name", NAMED)
def test_a_named_fault_is_ordered_by_its_name(name: str) -> None:
    assert order_of(fault_of(name)) == name


@pytest.mark.parametrize(
    ("order", "fault"),
    [
        ({"fault": "answer", "after": 2}, Answer(2.0)),
        ({"fault": "refuse", "code": "KMSInternalException", "status": 500}, INTERNAL),
        ({"fault": "raw", "status": 502, "body": "<html>"}, Raw(502, b"<html>")),
        ({"fault": "refuse", "code": "X", "message": "é"}, Refuse("X", "é")),
        ({"fault": "raw", "status": 200, "body": "Sign in"}, Raw(200, b"Sign in")),
        ({"fault": "stale"}, Stale()),
    ],
)
def test_a_fault_is_ordered_by_its_kind_and_members(order: dict[str, object], fault: Fault) -> None:
    assert fault_of(order) == fault
    assert fault_of(order_of(fault)) == fault


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("trottle", "did you mean 'throttle'"),
        ("", "there is no fault"),
        (7, "a name such as"),
        ([], "a name such as"),
        ({}, "must be one of answer, refuse"),
        ({"fault": ["answer"]}, "must be one of"),
        ({"fault": "refuse"}, "needs the member 'code'"),
        ({"fault": "answer", "afer": 1}, "did you mean 'after'"),
        ({"fault": "answer", "after": -1}, "seconds from 0"),
        ({"fault": "answer", "after": True}, "seconds from 0"),
        ({"fault": "answer", "after": float("nan")}, "seconds from 0"),
        ({"fault": "answer", "after": 1e400}, "seconds from 0"),
        ({"fault": "refuse", "code": "a\r\nset-cookie: b"}, "lines of ASCII"),
        ({"fault": "refuse", "code": ""}, "not empty"),
        ({"fault": "refuse", "code": "X", "status": 200}, "400 to 599"),
        ({"fault": "refuse", "code": "X", "message": 1}, "is a text"),
        ({"fault": "refuse", "code": "X", "message": "\ud800"}, "is a text"),
        ({"fault": "raw", "status": 500, "body": 1}, "in JSON a text"),
        ({"fault": "raw", "status": 100}, "200 to 599"),
        ({"fault": "hang", "for": 5}, "no member 'for': there are none"),
        ({"fault": "drop", "done": 1}, "true or false"),
    ],
)
def test_what_is_no_fault_is_refused_by_its_member(order: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        fault_of(order)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Answer(-1),
        lambda: Answer(float("inf")),
        lambda: Refuse("X", status=200),
        lambda: Refuse("X\r\nY"),
        lambda: Raw(500, "text"),  # type: ignore[arg-type]
    ],
)
def test_a_fault_that_nobody_can_answer_cannot_be_made(make: Callable[[], Fault]) -> None:
    with pytest.raises(ValueError, match=r"is|are"):
        make()


def test_every_kind_can_be_ordered() -> None:
    assert {type(fault) for fault in NAMED.values()} <= set(KINDS.values())
