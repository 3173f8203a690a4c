"""Each check: what it finds and with which words, what it lets pass, and which keys it is not for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.evidence.health.checks import CHECKS, chosen_checks
from kms_tui.evidence.health.examined import Need, Settings, Since
from kms_tui.kms.errors import EndpointError, ServiceError
from kms_tui.kms.facts import LOADING, UNASKED, Denied, Fact, Failed, Known
from kms_tui.kms.model import KeyLastUsage, KeyRotationStatus, KeyState
from tests.unit.evidence.health.build import (
    ACCOUNT,
    ALL,
    NOW,
    OTHER,
    REPLICA,
    days,
    healthy,
    judged,
    key,
    reasons,
)
from tests.unit.policy.build import allow, policy, with_root

PENDING = {"state": "PendingDeletion", "deletion_date": NOW + days(12)}
IMPORTED = {"origin": "EXTERNAL", "expiration_model": "KEY_MATERIAL_EXPIRES"}
STORED = {"origin": "AWS_CLOUDHSM", "custom_key_store_id": "cks-1"}
OFF = Known(KeyRotationStatus(enabled=False))
ROLE = "arn:aws:iam::111122223333:role/app"
DENIED = Denied(ServiceError("AccessDeniedException", "no, ada", operation="X"))


def text(*statements: dict[str, Any]) -> Known[str]:
    return Known(with_root(*statements))


def used(day: float | None, tracked: float = 399) -> Known[KeyLastUsage]:
    """Last used so many days ago (None: not seen), and tracked for so many."""
    began = NOW - days(tracked)
    if day is None:
        return Known(KeyLastUsage(tracking_start=began))
    return Known(KeyLastUsage("Encrypt", NOW - days(day), tracking_start=began))


def test_a_key_in_good_shape_passes_every_check() -> None:
    assert reasons(key()) == {}
    assert reasons(key(multi_region=REPLICA)) == {}
    assert reasons(key(**IMPORTED, valid_to=NOW + days(200))) == {}
    assert reasons(key(spec="RSA_2048", usage="SIGN_VERIFY"), {"rotation": UNASKED}) == {}


FOUND: list[tuple[str, dict[str, Any], dict[str, Fact[Any]], str]] = [
    ("pending-deletion", PENDING, {}, "deleted on 2026-12-02, in 12 d"),
    ("pending-deletion", {"state": "PendingReplicaDeletion"}, {}, "after its replicas"),
    ("public-policy", {}, {"policy": text(allow("*", "kms:Decrypt"))}, "Anyone in any account"),
    ("no-account-control", {}, {"policy": Known(policy(allow(ROLE)))}, "role/app could change"),
    ("no-account-control", {}, {"policy": Known("{")}, ""),
    (
        "external-administration",
        {},
        {"policy": text(allow(f"arn:aws:iam::{OTHER}:root", "kms:ScheduleKeyDeletion"))},
        f"account {OTHER} gets kms:ScheduleKeyDeletion",
    ),
    ("unavailable", {**STORED, "state": "Unavailable"}, {}, "key store cks-1 is not connected"),
    ("material-missing", {**IMPORTED, "state": "PendingImport"}, {}, "has no key material"),
    ("material-missing", {**IMPORTED, "valid_to": NOW - days(3)}, {}, "expired on 2026-11-17, 3 d ago"),
    ("material-expires", {**IMPORTED, "valid_to": NOW + days(9)}, {}, "on 2026-11-29, in 9 d"),
    ("rotation-off", {}, {"rotation": OFF}, "rotation is off; the key is 400 d old"),
    (
        "conditional-control",
        {},
        {"policy": Known(policy(allow(condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})))},
        "aws:MultiFactorAuthPresent",
    ),
    (
        "cross-account",
        {},
        {"policy": text(allow(f"arn:aws:iam::{OTHER}:role/partner", "kms:Decrypt", Sid="Partner"))},
        f'"Partner": role/partner of {OTHER} gets kms:Decrypt.',
    ),
    (
        "unbound-service",
        {},
        {"policy": text(allow({"Service": "s3.amazonaws.com"}, "kms:Decrypt"))},
        "s3.amazonaws.com may use the key for anyone's resources",
    ),
    (
        "replica-policy",
        {"multi_region": REPLICA},
        {"policy": text(allow(ROLE, "kms:Decrypt"))},
        "Compared with its primary in us-east-1: role/app gains kms:Decrypt.",
    ),
    (
        "disabled-long",
        {"state": "Disabled"},
        {"disabled_since": Known(Since(NOW - days(64)))},
        "since 2026-09-17, for 64 d",
    ),
    (
        "disabled-long",
        {"state": "Disabled"},
        {"disabled_since": Known(Since(NOW - days(90), before=True))},
        "since before 2026-08-22, for more than 90 d",
    ),
    ("unused", {}, {"last_usage": used(121)}, "Encrypt on 2026-07-22, 121 d ago"),
    ("unused", {}, {"last_usage": used(None)}, "No use has been seen since 2025-10-17"),
    ("no-alias", {"description": "old"}, {"aliases": Known(())}, 'no alias; its description is "old"'),
    ("tags-missing", {}, {"tags": Known(())}, 'no tag "team"; it has 0 in all'),
]


@pytest.mark.parametrize(("check", "members", "facts", "said"), FOUND)
def test_what_is_wrong_is_found_with_the_keys_own_numbers(
    check: str, members: dict[str, Any], facts: dict[str, Fact[Any]], said: str
) -> None:
    found = reasons(key(**members), facts)
    assert check in found
    assert said in found[check]
    assert found[check].endswith(".")


def test_each_check_is_among_those_that_are_tried_here() -> None:
    assert {check for check, *_ in FOUND} == {check.id for check in CHECKS}


@pytest.mark.parametrize(
    ("members", "facts"),
    [
        (STORED, {"rotation": OFF}),
        ({"spec": "HMAC_256", "usage": "GENERATE_VERIFY_MAC"}, {"rotation": OFF}),
        ({"state": "Disabled"}, {"rotation": OFF, "disabled_since": Known(Since(NOW - days(12)))}),
        ({"state": "Disabled"}, {"last_usage": used(300), "disabled_since": Known(Since(NOW - days(1)))}),
        ({}, {"last_usage": used(89)}),
        ({"created": NOW - days(20)}, {"last_usage": used(None, tracked=20)}),
        ({**IMPORTED, "valid_to": NOW + days(31)}, {"rotation": OFF}),
        (
            {"multi_region": REPLICA},
            {
                "policy": text(allow({"Service": "logs.eu-west-1.amazonaws.com"}, "kms:DescribeKey")),
                "primary_policy": text(allow({"Service": "logs.us-east-1.amazonaws.com"}, "kms:DescribeKey")),
            },
        ),
        (
            {},
            {
                "policy": text(
                    allow("*", "kms:Decrypt", {"StringEquals": {"kms:CallerAccount": "111122223333"}})
                )
            },
        ),
        (
            {},
            {
                "policy": text(
                    allow(
                        {"Service": "s3.amazonaws.com"},
                        "kms:Decrypt",
                        {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                    )
                )
            },
        ),
    ],
)
def test_what_only_looks_like_it_passes(members: dict[str, Any], facts: dict[str, Fact[Any]]) -> None:
    assert reasons(key(**members), facts) == {}


def test_the_keys_own_account_and_organization_bound_who_gets_in() -> None:
    """AWS's Identity Center baseline: ${aws:ResourceAccount} and ${aws:ResourceOrgID} are the key's own."""
    baseline = text(
        allow(
            {"Service": ["sso.amazonaws.com", "identitystore.amazonaws.com"]},
            "kms:Decrypt",
            {"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}},
        ),
        allow(
            "*",
            "kms:Decrypt",
            {
                "StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"},
                "StringLike": {"kms:ViaService": "sso.*.amazonaws.com"},
            },
        ),
        allow(
            "*",
            "kms:Decrypt",
            {
                "Bool": {"aws:PrincipalIsAWSService": "true"},
                "StringEquals": {"aws:SourceOrgID": "${aws:ResourceOrgID}"},
            },
        ),
    )
    assert not {"public-policy", "unbound-service"} & set(reasons(key(), {"policy": baseline}))


def test_a_policy_that_differs_in_form_only_is_its_primarys_twin() -> None:
    primary = policy(allow(Sid="a"), allow(ROLE, "kms:Decrypt", Sid="b"))
    own = policy(allow(ROLE, "kms:Decrypt"), allow(Sid="root"))
    facts: dict[str, Fact[Any]] = {"policy": Known(own), "primary_policy": Known(primary)}
    assert reasons(key(multi_region=REPLICA), facts) == {}


@pytest.mark.parametrize(
    "fact", [DENIED, Failed(EndpointError("kms could not be reached.")), UNASKED, LOADING]
)
@pytest.mark.parametrize("need", Need)
def test_a_fact_that_is_not_known_is_never_a_pass(need: Need, fact: Fact[Any]) -> None:
    subject = key(
        state="Disabled" if need is Need.DISABLED_SINCE else "Enabled",
        multi_region=REPLICA if need is Need.PRIMARY_POLICY else None,
    )
    judging = judged(subject, {need.value: fact})
    (gap,) = judging.gaps
    assert {check.id for check in gap.checks} == {
        check.id for check in CHECKS if need in check.needs and check.applies(subject)
    }
    assert need.operation in gap.reason
    if isinstance(fact, Denied | Failed):
        assert str(fact.error) in gap.reason
    tallies = {tally.check.id: tally for tally in judging.tallies()}
    assert all(tallies[check.id].passed == 0 == tallies[check.id].found for check in gap.checks)
    assert all(tallies[check.id].not_known == 1 for check in gap.checks)


def test_a_use_that_is_not_tracked_for_long_enough_is_not_known() -> None:
    (gap,) = judged(key(), {"last_usage": used(None, tracked=30)}).gaps
    assert gap.reason == "KMS has tracked uses only since 2026-10-21, and saw none."


def test_disabled_before_a_day_that_is_too_late_to_tell_is_not_known() -> None:
    settings = Settings(disabled_days=200)
    since = Known(Since(NOW - days(90), before=True))
    (gap,) = judged(key(state="Disabled"), {"disabled_since": since}, settings).gaps
    assert gap.reason == "It was disabled at some time before 2026-08-22."


def test_a_policy_too_complex_to_judge_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.policy.guard.WORK", 1)
    judging = judged(key(), {"policy": text(allow(f"arn:aws:iam::{OTHER}:root", "kms:Decrypt"))})
    asked = {check.id for gap in judging.gaps for check in gap.checks}
    assert asked == {check.id for check in CHECKS if check.needs == (Need.POLICY,)}
    assert judging.findings == []


def test_an_answer_of_the_wrong_shape_costs_one_check() -> None:
    judging = judged(key(), {"rotation": Known("on"), "aliases": Known(())})
    assert [finding.check.id for finding in judging.findings] == ["no-alias"]
    (gap,) = judging.gaps
    assert [check.id for check in gap.checks] == ["rotation-off"]


def test_checks_that_nobody_asked_for_are_not_made() -> None:
    asked = {check.id for check in chosen_checks(Settings())}
    assert {check.id for check in chosen_checks(ALL)} - asked == {"unused", "tags-missing"}
    assert reasons(key(), {"last_usage": used(300), "tags": Known(())}, Settings()) == {}


@given(
    state=st.sampled_from(list(KeyState)),
    origin=st.sampled_from(["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM"]),
    spec=st.sampled_from(["SYMMETRIC_DEFAULT", "RSA_2048", "HMAC_256", "SOME_NEW_SPEC"]),
    multi_region=st.sampled_from([None, REPLICA]),
    valid_to=st.none() | st.integers(-900, 900).map(lambda number: NOW + days(number)),
    unknown=st.sets(st.sampled_from(list(Need))),
)
def test_every_check_of_a_key_is_a_pass_a_finding_or_a_gap(unknown: set[Need], **members: Any) -> None:
    subject = key(**members)
    facts: dict[str, Fact[Any]] = {need.value: DENIED for need in unknown}
    judging = judged(subject, {"disabled_since": Known(Since(NOW)), **facts})
    for tally in judging.tallies():
        assert tally.keys == tally.check.applies(subject)
        assert (tally.found, tally.not_known) in ((0, 0), (tally.keys, 0), (0, tally.keys))
        if tally.keys and unknown & set(tally.check.needs):
            assert tally.not_known == 1


def test_controls_of_security_hub_stand_beside_the_checks_that_they_are_about() -> None:
    controls = {check.id: check.control.id for check in CHECKS if check.control is not None}
    assert controls == {"pending-deletion": "KMS.3", "rotation-off": "KMS.4", "public-policy": "KMS.5"}


def test_checks_come_by_severity_and_say_what_to_do() -> None:
    ranks = [check.severity.rank for check in CHECKS]
    assert ranks == sorted(ranks)
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.advice.endswith(".") for check in CHECKS)


def test_the_healthy_key_of_these_tests_knows_everything_a_check_can_ask() -> None:
    assert set(healthy()) | {"disabled_since"} == {need.value for need in Need}
    assert json.loads(str(getattr(healthy()["policy"], "value", "")))
