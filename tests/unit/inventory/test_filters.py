"""The filter language: what it lets through, what it does not know yet, and what it says of mistakes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.evidence.health.row_judge import RowJudge
from kms_tui.inventory import FIELDS, Candidates, FilterError, complete, parse
from kms_tui.inventory.filters import without_faults
from kms_tui.inventory.row import FactName, Row
from kms_tui.kms.errors import EndpointError
from kms_tui.kms.facts import Denied, Fact, Failed, Known
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus, Tag
from tests.unit.inventory.world import NOW, FakeAccount, FakeKey, denied, key_id

SAFE_POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*", '
    '"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}]}'
)


def row(*aliases: str, region: str = "eu-west-1", number: int = 1, **metadata: Any) -> Row:
    """A described key."""
    account = FakeAccount([FakeKey(key_id(number), aliases, metadata)], region=region)
    made = Row(account.arn(key_id(number)), key_id(number), region, aliases)
    made.described = Known(
        Key.from_api(account.call("DescribeKey", {"KeyId": key_id(number)})["KeyMetadata"])
    )
    made.derive(NOW, RowJudge())
    return made


def unread(*aliases: str) -> Row:
    made = Row("arn:aws:kms:eu-west-1:1:key/x", key_id(1), "eu-west-1", aliases)
    made.derive(NOW, RowJudge())
    return made


def with_fact(made: Row, name: FactName, fact: Fact[Any]) -> Row:
    setattr(made, name.value, fact)
    made.derive(NOW, RowJudge())
    return made


def holds(text: str, made: Row) -> bool | None:
    query = parse(text, NOW)
    verdict = query.holds(made)
    result = query.apply(Candidates([made]))
    assert (bool(result.matches), bool(result.undecided)) == (verdict is True, verdict is None)
    return verdict


ORDERS = row("orders", "orders-db", Description="The orders' database")
SIGNING = row("payments-signing", KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")
DISABLED = row("legacy", KeyState="Disabled", CreationDate=NOW - timedelta(days=20))
DELETING = row("old", KeyState="PendingDeletion", DeletionDate=NOW + timedelta(days=9))


@pytest.mark.parametrize(
    ("text", "made", "expected"),
    [
        ("", ORDERS, True),
        ("ord", ORDERS, True),
        ("ORD", ORDERS, True),
        ("ord pay", ORDERS, False),
        ("database", ORDERS, True),
        ('"orders\' data"', ORDERS, True),
        ('"data orders"', ORDERS, False),
        (key_id(1), ORDERS, True),
        (f"arn:aws:kms:eu-west-1:111122223333:key/{key_id(1)}", ORDERS, True),
        ("alias/orders-db", ORDERS, True),
        ("-orders", ORDERS, False),
        ("!orders", SIGNING, True),
        ("-", ORDERS, True),
        ("state:enabled", ORDERS, True),
        ("state:en", ORDERS, True),
        ("state:disabled", ORDERS, False),
        ("-state:disabled", ORDERS, True),
        ("state:disabled,enabled", ORDERS, True),
        ("state:pending", DELETING, True),
        ("state:PendingDeletion", DELETING, True),
        ('state:"pending deletion"', DELETING, True),
        ("state:pending-import", DELETING, False),
        ("STATE:disabled", DISABLED, True),
        ("spec:rsa", SIGNING, True),
        ("spec:rsa-3072", SIGNING, True),
        ("spec:RSA_4096", SIGNING, False),
        ("spec:aes", ORDERS, True),
        ("spec:symmetric_default", ORDERS, True),
        ("usage:sign", SIGNING, True),
        ("usage:SIGN_VERIFY", SIGNING, True),
        ("usage:encrypt", SIGNING, False),
        ("rotation:none", SIGNING, True),
        ("rotation:off", SIGNING, False),
        ("manager:customer", ORDERS, True),
        ("manager:aws", ORDERS, False),
        ("manager:aws,customer", ORDERS, True),
        ("manager:aws", row("aws/s3", KeyManager="AWS"), True),
        ("region:eu-*", ORDERS, True),
        ("region:eu", ORDERS, True),
        ("region:us-*,eu-west-1", ORDERS, True),
        ("region:us-*", ORDERS, False),
        ("name:orders-*", ORDERS, True),
        ("name:rders", ORDERS, True),
        ("name:alias/orders", ORDERS, True),
        ("name:rders*", ORDERS, False),
        ("id:00000001", ORDERS, True),
        ("id:*ab", ORDERS, True),
        ("description:data*", ORDERS, False),
        ("description:*data*", ORDERS, True),
        ("description:DATABASE", ORDERS, True),
        ("age:>1y", ORDERS, True),
        ("age:>1y", DISABLED, False),
        ("age:<4w", DISABLED, True),
        ("age:>=10d", DISABLED, True),
        ("expires:<30d", ORDERS, False),
        ("expires:30d", row("x", Origin="EXTERNAL", ValidTo=NOW + timedelta(days=3)), True),
        ("expires:<2d", row("x", Origin="EXTERNAL", ValidTo=NOW + timedelta(days=3)), False),
        ("attention:any", DELETING, True),
        ("attention:deletion", DELETING, True),
        ("attention:high", DELETING, True),
        ("attention:medium", DELETING, False),
        ("attention:none", DELETING, False),
        ("attention:rotation-off", DELETING, False),
    ],
)
def test_a_described_key_passes_or_not(text: str, made: Row, expected: bool) -> None:
    assert holds(text, made) is expected


@pytest.mark.parametrize("text", ["state:disabled", "-spec:rsa", "usage:sign", "age:>1y", "attention:any"])
def test_a_key_that_is_not_described_is_undecided(text: str) -> None:
    assert holds(text, unread("orders")) is None
    assert parse(text, NOW).missing(unread("orders")) is FactName.DESCRIBED


def test_a_term_that_fails_decides_whatever_else_is_unknown() -> None:
    query = parse("payments state:disabled unused:>90d", NOW)
    assert holds(query.text, unread("orders")) is False
    assert query.missing(unread("orders")) is None


def test_what_costs_least_is_read_first_and_may_make_the_rest_needless() -> None:
    query = parse("unused:>90d state:disabled", NOW)
    assert query.missing(unread("orders")) is FactName.DESCRIBED
    assert query.missing(ORDERS) is None
    assert query.missing(DISABLED) is FactName.LAST_USAGE


def test_a_fact_that_was_refused_stays_undecided_and_is_not_asked_again() -> None:
    refused = with_fact(unread("orders"), FactName.DESCRIBED, Denied(denied("DescribeKey")))
    assert holds("state:disabled", refused) is None
    assert parse("state:disabled", NOW).missing(refused) is None
    assert holds("state:denied", refused) is True
    failed = with_fact(unread("orders"), FactName.DESCRIBED, Failed(EndpointError("down")))
    assert holds("state:failed", failed) is True
    assert holds("state:denied", failed) is None


@pytest.mark.parametrize(
    ("fact", "text", "expected"),
    [
        (Known(KeyRotationStatus(True, 365)), "rotation:on", True),
        (Known(KeyRotationStatus(True, 365)), "rotation:365d", True),
        (Known(KeyRotationStatus(True, 90)), "rotation:365d", False),
        (Known(KeyRotationStatus(False)), "rotation:off", True),
        (Known(KeyRotationStatus(False)), "rotation:none", False),
        (Known(KeyRotationStatus(False)), "attention:rotation-off", True),
        (Denied(denied("GetKeyRotationStatus")), "rotation:off", None),
        (Denied(denied("GetKeyRotationStatus")), "-rotation:off", None),
        (Denied(denied("GetKeyRotationStatus")), "rotation:denied", True),
    ],
)
def test_rotation(fact: Fact[KeyRotationStatus], text: str, expected: bool | None) -> None:
    assert holds(text, with_fact(row("orders"), FactName.ROTATION, fact)) is expected


def test_a_key_is_not_called_healthy_before_its_rotation_and_its_policy_are_known() -> None:
    made = row("orders")
    assert holds("attention:none", made) is None
    assert holds("attention:any", made) is None
    assert parse("attention:none", NOW).missing(made) is FactName.ROTATION
    with_fact(made, FactName.ROTATION, Known(KeyRotationStatus(True)))
    assert holds("attention:none", made) is None
    assert parse("attention:none", NOW).missing(made) is FactName.POLICY
    with_fact(made, FactName.POLICY, Known(SAFE_POLICY))
    assert holds("attention:none", made) is True
    assert holds("attention:any", made) is False
    assert holds("attention:high,low", made) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag:team", True),
        ("tag:TEAM=Payments", True),
        ("tag:team=pay*", True),
        ("tag:team=pay", False),
        ("tag:t*=*", True),
        ("tag:owner", False),
        ("-tag:owner", True),
        ('tag:note="two words"', True),
        ("payments", True),
    ],
)
def test_tags(text: str, expected: bool) -> None:
    tags = (Tag("team", "payments"), Tag("note", "two words"))
    assert holds(text, with_fact(row("orders"), FactName.TAGS, Known(tags))) is expected


def test_aws_managed_keys_have_no_tags_to_ask_for() -> None:
    made = row("aws/s3", KeyManager="AWS")
    assert holds("tag:team", made) is False
    assert holds("unused:>90d", made) is False


@pytest.mark.parametrize(
    ("usage", "text", "expected"),
    [
        (KeyLastUsage("Decrypt", NOW - timedelta(days=100)), "unused:>90d", True),
        (KeyLastUsage("Decrypt", NOW - timedelta(days=10)), "unused:>90d", False),
        (KeyLastUsage("Decrypt", NOW - timedelta(days=10)), "unused:<90d", True),
        (KeyLastUsage(tracking_start=NOW - timedelta(days=100)), "unused:>90d", True),
        (KeyLastUsage(tracking_start=NOW - timedelta(days=100)), "unused:<90d", False),
        (KeyLastUsage(tracking_start=NOW - timedelta(days=10)), "unused:>90d", None),
        (KeyLastUsage(), "unused:>90d", None),
    ],
)
def test_unused_claims_no_more_than_was_tracked(
    usage: KeyLastUsage, text: str, expected: bool | None
) -> None:
    assert holds(text, with_fact(row("orders"), FactName.LAST_USAGE, Known(usage))) is expected


@pytest.mark.parametrize(
    ("text", "sentence", "span"),
    [
        ("orders sate:x", 'there is no field "sate"', "sate:x"),
        ("state:", "state: needs a value", ""),
        ("state:gone", '"gone" is none of', "gone"),
        ("x -state:gone", '"gone" is none of', "gone"),
        ("spec:des", '"des" is none of', "des"),
        ("age:old", "age: needs a length of time, such as >1y", "old"),
        ("age:>99999999999y", "longer than the calendar", ">99999999999y"),
        ("unused:", "such as >90d", ""),
        ("tag:", "tag: needs a value, such as team=payments", ""),
        ("manager:me", "none of customer, aws", "me"),
        ("attention:boredom", "is none of any, none", "boredom"),
    ],
)
def test_a_mistake_is_named_where_it_is(text: str, sentence: str, span: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text, NOW)
    assert sentence in str(caught.value)
    assert text[caught.value.start : caught.value.end] == span


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("spec:", ""),
        ("orders spec:", "orders "),
        ("state:disabled foo:bar -unused:soon", "state:disabled  "),
        ("orders state:disabled", "orders state:disabled"),
    ],
)
def test_a_filter_without_its_faults_is_what_is_understood(text: str, left: str) -> None:
    assert without_faults(text) == left


def test_quotes_take_a_colon_literally() -> None:
    assert holds('"prod:db"', row("prod:db")) is True
    with pytest.raises(FilterError, match="put it in quotes"):
        parse("prod:db", NOW)


@pytest.mark.parametrize("text", ['"orders', 'state:"pending del', '"', "-", "!", '-"'])
def test_an_open_quote_is_no_mistake_while_one_types(text: str) -> None:
    parse(text, NOW)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30))
def test_any_text_is_understood_or_refused_with_a_place(text: str) -> None:
    assert parse(without_faults(text), NOW) is not None
    place: tuple[int, int] | None = None
    try:
        parse(text, NOW).apply(Candidates([ORDERS, unread("x")]))
    except FilterError as error:
        place = (error.start, error.end)
    assert place is None or 0 <= place[0] <= place[1] <= len(text)


TERMS = ["orders", "ord", "-ord", "db", "state:disabled", "-spec:rsa", "rotation:off", "age:>1y", "tag:a=b"]
TERMS += ["name:or", "name:ord", "-name:ord", "name:ord*", "description:or", "description:ord"]
ROWS = [
    ORDERS,
    SIGNING,
    DISABLED,
    DELETING,
    unread("orders"),
    with_fact(row("orders-a"), FactName.ROTATION, Known(KeyRotationStatus(False))),
    with_fact(row("b"), FactName.TAGS, Known((Tag("a", "b"),))),
    with_fact(unread("orders-c"), FactName.DESCRIBED, Denied(denied("DescribeKey"))),
]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(TERMS), max_size=4))
def test_sifting_many_rows_is_judging_each(terms: list[str]) -> None:
    query = parse(" ".join(terms), NOW)
    result = query.apply(Candidates(ROWS))
    assert result.matches == [each for each in ROWS if query.holds(each) is True]
    assert set(result.undecided) == {each for each in ROWS if query.holds(each) is None}


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(TERMS), max_size=3), st.lists(st.sampled_from(TERMS), max_size=3))
def test_a_narrower_filter_needs_no_row_that_the_wider_one_left_out(
    wide: list[str], narrow: list[str]
) -> None:
    before, after = parse(" ".join(wide), NOW), parse(" ".join(narrow), NOW)
    if after.narrows(before):
        kept = before.apply(Candidates(ROWS))
        again = after.apply(Candidates([*kept.matches, *kept.undecided]))
        fresh = after.apply(Candidates(ROWS))
        assert (set(again.matches), set(again.undecided)) == (set(fresh.matches), set(fresh.undecided))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("or", "ord", True),
        ("ord", "or", False),
        ("ord", "ord state:disabled", True),
        ("name:or", "name:ord", True),
        ("name:ord", "name:or", False),
        ("name:or", "name:or*", False),
        ("-name:or", "-name:ord", False),
        ("name:or", "description:ord", False),
        ("name:alias", "name:alias/or", False),
        ("state:disabled", "state:disabled db", True),
        ("state:disabled", "state:enabled", False),
        ("-or", "-ord", False),
    ],
)
def test_which_filters_narrow(before: str, after: str, expected: bool) -> None:
    assert parse(after, NOW).narrows(parse(before, NOW)) is expected


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("", [f"{name}:" for name in FIELDS]),
        ("sta", ["state:"]),
        ("-sta", ["state:"]),
        ("orders sp", ["spec:"]),
        ("state:dis", ["disabled"]),
        ("state:enabled,dis", ["disabled"]),
        ("state:disabled", []),
        ("nothing:x", []),
        ("orders ", [f"{name}:" for name in FIELDS]),
    ],
)
def test_completion_offers_what_may_come_next(text: str, offered: list[str]) -> None:
    assert [candidate.text for candidate in complete(text, len(text))] == offered


def test_a_completed_filter_is_understood() -> None:
    for field in FIELDS:
        for candidate in complete(f"{field}:", len(field) + 1):
            parse(f"{field}:{candidate.text}", NOW)


def test_completion_replaces_the_part_at_the_cursor_only() -> None:
    text = "orders -state:enabled,dis spec:rsa"
    cursor = text.index(" spec")
    candidate = complete(text, cursor)[0]
    assert text[: candidate.start] + candidate.text + text[candidate.end :] == (
        "orders -state:enabled,disabled spec:rsa"
    )


def test_completion_knows_the_values_of_this_account() -> None:
    offered = complete("region:e", 8, {"region": ["eu-west-1", "us-east-1"]})
    assert [candidate.text for candidate in offered] == ["eu-west-1"]
