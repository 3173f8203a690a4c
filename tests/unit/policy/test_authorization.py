"""All layers together, each rule of AWS's evaluation once; the rules are named in the modules' docstrings."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy import AccessRequest, Caller
from kms_tui.policy.authorization import LayerEffect, Outcome, authorize_request, is_allowed
from kms_tui.policy.denial_case import read_case
from kms_tui.policy.layers import Layer, Layers, UnreadLayer, read_policy
from tests.unit.policy.build import Shape
from tests.unit.policy.layer_build import (
    FEDERATED,
    KEY,
    LINKED,
    LINKED_SESSION,
    PARTNER,
    PARTNER_ROOT,
    ROLE,
    ROOT,
    SERVICE,
    SESSION,
    USER,
    everyone,
    gives,
    grant,
    iam,
    judged,
    key_policy,
    layers,
    levels,
    named,
    told,
)

CASES = Path(__file__).parents[2] / "data" / "denials" / "layer_cases.jsonl"
UNREAD = UnreadLayer("it was denied")
DECRYPT = iam(gives("kms:Decrypt"))
S3 = gives("s3:*")
DENY = gives("kms:Decrypt", "Deny")
BOUNDARY = named(Layer.BOUNDARY, S3)
SESSION_POLICY = (named(Layer.SESSION, S3),)


def _lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]


def to(principal: str, action: str = "kms:Decrypt", **extra: Any) -> Shape:
    kind = "Service" if principal.endswith("amazonaws.com") else "AWS"
    return {**gives(action, **extra), "Principal": "*" if principal == "*" else {kind: principal}}


ONLY_USER = named(Layer.KEY_POLICY, to(USER))


def against(principal: str, **extra: Any) -> Shape:
    return {**to(principal, **extra), "Effect": "Deny"}


@pytest.mark.parametrize(
    "line", CASES.read_text("utf-8").splitlines(), ids=lambda line: json.loads(line)["id"]
)
def test_the_cases_get_their_outcome_and_name_a_layer_that_denies(line: str) -> None:
    expected = json.loads(line)
    case = read_case(json.dumps(expected["case"]))
    found = authorize_request(case.request, case.layers)
    assert found.outcome.value == expected["expect"]
    layer = found.decisive.layer.value if found.decisive else None
    assert layer is expected["layer"] is None or layer in expected["layer"]


@pytest.mark.parametrize(
    ("changes", "caller", "expected"),
    [
        # The key's own account
        ({}, SESSION, ("deny", "identity")),
        ({"identity": DECRYPT}, SESSION, ("allow",)),
        ({"identity": iam(S3)}, SESSION, ("deny", "identity")),
        ({"identity": iam(gives("kms:Decrypt"), DENY)}, SESSION, ("deny", "identity")),
        ({"key_policy": key_policy(to(ROLE))}, SESSION, ("allow",)),
        ({"key_policy": key_policy(to(SESSION))}, SESSION, ("allow",)),
        ({"key_policy": key_policy(to(SESSION))}, SESSION.replace("17", "18"), ("deny", "identity")),
        ({"key_policy": key_policy(to(USER))}, USER, ("allow",)),
        ({"key_policy": key_policy(against(ROLE)), "identity": DECRYPT}, SESSION, ("deny", "key-policy")),
        ({"key_policy": None, "identity": DECRYPT}, SESSION, ("deny", "key-policy")),
        (
            {"key_policy": named(Layer.KEY_POLICY, to(USER)), "identity": DECRYPT},
            SESSION,
            ("deny", "key-policy"),
        ),
        # The root user
        ({}, ROOT, ("allow",)),
        ({"boundary": BOUNDARY}, ROOT, ("allow",)),
        ({"scps": levels(Layer.SCP, DENY)}, ROOT, ("deny", "scp")),
        # Another account
        ({"key_policy": key_policy(to(PARTNER))}, PARTNER, ("deny", "identity")),
        ({"identity": DECRYPT}, PARTNER, ("deny", "key-policy")),
        ({}, PARTNER, ("deny", "key-policy", "identity")),
        ({"key_policy": key_policy(to(PARTNER)), "identity": DECRYPT}, PARTNER, ("allow",)),
        ({"key_policy": key_policy(to(PARTNER_ROOT)), "identity": DECRYPT}, PARTNER, ("allow",)),
        ({"key_policy": key_policy(to("*")), "identity": DECRYPT}, PARTNER, ("allow",)),
        ({"key_policy": key_policy(to(PARTNER_ROOT))}, PARTNER_ROOT, ("allow",)),
        ({"grants": (grant(PARTNER),)}, PARTNER, ("deny", "identity")),
        ({"grants": (grant(PARTNER),), "identity": DECRYPT}, PARTNER, ("allow",)),
        (
            {"key_policy": key_policy(to(PARTNER)), "identity": DECRYPT, "boundary": BOUNDARY},
            PARTNER,
            ("deny", "boundary"),
        ),
        # Grants
        ({"grants": (grant(ROLE),)}, SESSION, ("allow",)),
        ({"grants": (grant(SESSION),)}, SESSION, ("allow",)),
        ({"grants": (grant(USER),)}, USER, ("allow",)),
        ({"grants": (grant(ROOT),)}, SESSION, ("deny", "identity")),
        ({"key_policy": None, "grants": (grant(ROOT),), "identity": DECRYPT}, SESSION, ("allow",)),
        ({"grants": (grant(ROLE, "Encrypt"),)}, SESSION, ("deny", "identity")),
        ({"grants": (grant(ROLE),), "identity": iam(DENY)}, SESSION, ("deny", "identity")),
        ({"grants": (grant(SERVICE, SourceArn="arn:aws:logs:::x"),)}, SERVICE, ("deny", "key-policy")),
        ({"grants": (grant("AROAEXAMPLEID12345"),)}, SESSION, ("deny", "identity")),
        # Boundary and session policies limit what is given to the role, not to the user or the session
        ({"identity": DECRYPT, "boundary": BOUNDARY}, SESSION, ("deny", "boundary")),
        ({"identity": DECRYPT, "session": SESSION_POLICY}, SESSION, ("deny", "session")),
        ({"key_policy": key_policy(to(ROLE)), "boundary": BOUNDARY}, SESSION, ("deny", "boundary")),
        ({"key_policy": key_policy(to(ROLE)), "session": SESSION_POLICY}, SESSION, ("deny", "session")),
        ({"key_policy": key_policy(to(SESSION)), "boundary": BOUNDARY}, SESSION, ("allow",)),
        ({"key_policy": key_policy(to(SESSION)), "session": SESSION_POLICY}, SESSION, ("allow",)),
        ({"key_policy": key_policy(to(USER)), "boundary": BOUNDARY}, USER, ("allow",)),
        ({"key_policy": key_policy(to("*")), "boundary": BOUNDARY}, SESSION, ("allow",)),
        ({"grants": (grant(ROLE),), "boundary": BOUNDARY}, SESSION, ("deny", "boundary")),
        ({"grants": (grant(SESSION),), "session": SESSION_POLICY}, SESSION, ("allow",)),
        (
            {"key_policy": key_policy(to(SESSION)), "boundary": named(Layer.BOUNDARY, gives(), DENY)},
            SESSION,
            ("deny", "boundary"),
        ),
        (
            {"key_policy": key_policy(to(SESSION)), "session": (named(Layer.SESSION, DENY),)},
            SESSION,
            ("deny", "session"),
        ),
        (
            {"identity": DECRYPT, "boundary": BOUNDARY, "session": SESSION_POLICY},
            SESSION,
            ("deny", "boundary", "session"),
        ),
        ({"boundary": BOUNDARY}, SESSION, ("deny", "identity", "boundary")),
        # Federated users have what their session's policy gives
        ({"identity": DECRYPT}, FEDERATED, ("deny", "session")),
        ({"identity": DECRYPT, "session": (named(Layer.SESSION, gives()),)}, FEDERATED, ("allow",)),
        ({"key_policy": key_policy(to(FEDERATED))}, FEDERATED, ("allow",)),
        # SCPs: every level
        ({"identity": DECRYPT, "scps": levels(Layer.SCP, gives("*"), gives("kms:*"))}, SESSION, ("allow",)),
        ({"identity": DECRYPT, "scps": levels(Layer.SCP, gives("*"), S3)}, SESSION, ("deny", "scp")),
        ({"identity": DECRYPT, "scps": ((),)}, SESSION, ("deny", "scp")),
        ({"scps": levels(Layer.SCP, gives("*"), S3)}, SESSION, ("deny", "scp", "identity")),
        ({"key_policy": key_policy(to(SESSION)), "scps": levels(Layer.SCP, DENY)}, SESSION, ("deny", "scp")),
        ({"key_policy": key_policy(to(LINKED)), "scps": levels(Layer.SCP, DENY)}, LINKED, ("allow",)),
        ({"key_policy": key_policy(to(LINKED)), "scps": levels(Layer.SCP, DENY)}, LINKED_SESSION, ("allow",)),
        ({"key_policy": key_policy(to(SERVICE)), "scps": levels(Layer.SCP, DENY)}, SERVICE, ("allow",)),
        # RCPs: the key's account, every caller but service-linked roles
        ({"identity": DECRYPT, "rcps": levels(Layer.RCP, everyone("*"))}, SESSION, ("allow",)),
        ({"identity": DECRYPT, "rcps": levels(Layer.RCP, everyone("s3:*"))}, SESSION, ("deny", "rcp")),
        (
            {"key_policy": key_policy(to(SERVICE)), "rcps": levels(Layer.RCP, everyone("*", "Deny"))},
            SERVICE,
            ("deny", "rcp"),
        ),
        (
            {"key_policy": key_policy(to(LINKED)), "rcps": levels(Layer.RCP, everyone("*", "Deny"))},
            LINKED,
            ("allow",),
        ),
        (
            {"identity": DECRYPT, "rcps": levels(Layer.RCP, everyone("*", "Deny")), "aws_managed": True},
            SESSION,
            ("allow",),
        ),
        (
            {"identity": DECRYPT, "rcps": levels(Layer.RCP, everyone("*", "Deny")), "scps": ((),)},
            SESSION,
            ("deny", "rcp", "scp"),
        ),
        # Services
        ({"key_policy": key_policy(to(SERVICE))}, SERVICE, ("allow",)),
        ({}, SERVICE, ("deny", "key-policy")),
    ],
)
def test_every_rule_of_the_evaluation(
    changes: dict[str, Any], caller: str, expected: tuple[str, ...]
) -> None:
    found = judged(layers(**changes), caller)
    assert told(found) == expected
    request = AccessRequest(Caller.parse(caller), "kms:Decrypt", KEY, complete=True)
    assert is_allowed(request, layers(**changes)) is found.is_allowed


def test_another_account_gets_only_what_works_across_accounts() -> None:
    changed = layers(key_policy=key_policy(to(PARTNER, "kms:*")), identity=iam(gives()))
    assert told(judged(changed, PARTNER, "kms:DescribeKey")) == ("allow",)
    found = judged(changed, PARTNER, "kms:PutKeyPolicy")
    assert told(found) == ("deny", "key-policy")
    assert found.only_own_account
    unread = judged(replace(changed, key_policy=UNREAD), PARTNER, "kms:PutKeyPolicy")
    assert found.decisive is not None
    assert unread.decisive is not None
    assert unread.decisive.effect is found.decisive.effect is LayerEffect.IMPLICIT_DENY
    assert unread.decisive.sentence == found.decisive.sentence
    assert found.decisive.sentence == "kms:PutKeyPolicy does not work on a key of another account."


def test_an_endpoint_policy_counts_only_for_requests_through_the_endpoint() -> None:
    changed = layers(identity=DECRYPT, endpoint=named(Layer.ENDPOINT, everyone("kms:Encrypt")))
    assert told(judged(changed)) == ("allow",)
    assert told(judged(changed, aws__SourceVpce=None)) == ("allow",)
    assert told(judged(changed, aws__SourceVpce="vpce-1")) == ("deny", "endpoint")
    assert told(judged(changed, complete=False)) == ("unknown", "endpoint")
    assert told(judged(layers(identity=DECRYPT), aws__SourceVpce="vpce-1")) == ("allow",)


def test_what_is_about_no_key_is_left_to_identity_policies_and_their_limits() -> None:
    def ask(action: str, resource: str, caller: str = SESSION, **changes: Any) -> tuple[str, ...]:
        request = AccessRequest(Caller.parse(caller), action, resource, complete=True)
        return told(authorize_request(request, layers(key_policy=UNREAD, grants=UNREAD, **changes)))

    anywhere = "arn:aws:kms:us-east-1:111122223333:*"
    alias = "arn:aws:kms:us-east-1:111122223333:alias/a"
    assert ask("kms:ListKeys", anywhere) == ("deny", "identity")
    assert ask("kms:ListKeys", anywhere, identity=iam(gives())) == ("allow",)
    assert ask("kms:ListKeys", anywhere, ROOT) == ("allow",)
    assert ask("kms:ListKeys", anywhere, SERVICE) == ("deny", "identity")
    assert ask("kms:CreateAlias", alias, identity=iam(gives())) == ("allow",)
    assert ask("kms:Decrypt", alias, identity=iam(gives())) == ("unknown", "key-policy")
    assert ask("kms:TagResource", anywhere, identity=iam(gives())) == ("allow",)
    assert ask("kms:CreateAlias", alias, identity=iam(gives()), boundary=BOUNDARY) == ("deny", "boundary")


@pytest.mark.parametrize(
    ("constraints", "context", "allowed"),
    [
        ({"EncryptionContextSubset": {"t": "a"}}, {"t": "a", "u": "b"}, True),
        ({"EncryptionContextSubset": {"t": "a"}}, {"T": "a"}, True),
        ({"EncryptionContextSubset": {"t": "a"}}, {"t": "A"}, False),
        ({"EncryptionContextSubset": {"t": "a"}}, {}, False),
        ({"EncryptionContextEquals": {"t": "a"}}, {"t": "a"}, True),
        ({"EncryptionContextEquals": {"t": "a"}}, {"t": "a", "u": "b"}, False),
        ({"EncryptionContextEquals": {}}, {}, True),
        ({"EncryptionContextEquals": {}}, {"t": "a"}, False),
    ],
)
def test_a_grants_constraints_ask_for_the_encryption_context(
    constraints: dict[str, Any], context: dict[str, str], allowed: bool
) -> None:
    changed = layers(grants=(grant(ROLE, "Decrypt", "DescribeKey", **constraints),))
    known: dict[str, Any] = {f"kms__EncryptionContext__{name}": value for name, value in context.items()}
    known["kms__EncryptionContextKeys"] = list(context) or None
    assert judged(changed, **known).is_allowed is allowed
    assert judged(changed, action="kms:DescribeKey").is_allowed


@pytest.mark.parametrize(
    ("grantee", "caller", "context", "allowed"),
    [
        (ROLE.replace("role/", "role/team/"), SESSION, {}, True),
        (ROLE.replace("role/", "role/team/"), ROLE, {}, False),
        ("111122223333", ROOT, {}, True),
        ("AROAEXAMPLEID12345", SESSION, {"aws__userid": "AROAEXAMPLEID12345:job-17"}, True),
        (FEDERATED, FEDERATED, {}, True),
        (SERVICE.upper(), SERVICE, {}, True),
        (ROLE + "x", SESSION, {}, False),
        ("*", SESSION, {}, False),
        ("", SESSION, {}, False),
        ("nonsense", SESSION, {}, False),
    ],
)
def test_a_grantee_is_found_among_many(
    grantee: str, caller: str, context: dict[str, Any], allowed: bool
) -> None:
    others = tuple(grant(f"{USER}{number}") for number in range(300))
    changed = layers(grants=(*others, grant(grantee)))
    for _ in range(2):
        assert judged(changed, caller, **context).is_allowed is (allowed or caller == ROOT)


def test_a_grant_for_one_resource_of_a_service_asks_for_it() -> None:
    source = "arn:aws:logs:us-east-1:111122223333:log-group:a"
    changed = layers(grants=(grant(SERVICE, SourceArn=source),))
    assert judged(changed, SERVICE, aws__SourceArn=source).is_allowed
    assert not judged(changed, SERVICE, aws__SourceArn=source + "b").is_allowed
    assert told(judged(changed, SERVICE, complete=False)) == ("unknown", "grant")


def test_a_grant_is_retired_by_its_principals_and_the_keys_account() -> None:
    retirable = replace(grant(ROLE, "Decrypt"), retiring=USER)
    changed = layers(key_policy=None, grants=(retirable,), rcps=levels(Layer.RCP, everyone("*", "Deny")))
    retire = "kms:RetireGrant"
    assert judged(changed, USER, retire).is_allowed
    assert judged(changed, ROOT, retire).is_allowed
    assert not judged(changed, SESSION, retire).is_allowed
    assert judged(replace(changed, identity=iam(gives())), SESSION, retire).is_allowed
    by_grantee = layers(grants=(grant(ROLE, "RetireGrant"),))
    assert judged(by_grantee, SESSION, retire).is_allowed
    partner = layers(grants=(replace(retirable, retiring=PARTNER),))
    assert judged(partner, PARTNER, retire).is_allowed
    assert not judged(layers(key_policy=key_policy(to(ROLE, retire))), SESSION, retire).is_allowed
    assert told(judged(layers(key_policy=key_policy(against(ROLE))), SESSION, retire)) == ("deny", "identity")


@pytest.mark.parametrize("issuer", ["444455556666", "arn:aws:iam::444455556666:root"])
def test_a_grant_is_retired_by_the_account_that_made_it(issuer: str) -> None:
    """Its root user, and whom its IAM policies let (grant-delete)."""
    changed = layers(grants=(replace(grant(USER), issuing_account=issuer),))
    retire = "kms:RetireGrant"
    assert judged(changed, "arn:aws:iam::444455556666:root", retire).is_allowed
    assert told(judged(changed, PARTNER, retire)) == ("deny", "identity")
    assert judged(replace(changed, identity=iam(gives())), PARTNER, retire).is_allowed
    other = "arn:aws:iam::777788889999:root"
    assert judged(changed, other, retire).outcome is Outcome.DENY
    assert judged(changed, "arn:aws:iam::444455556666:root", "kms:Decrypt").outcome is Outcome.DENY


def test_the_limits_of_a_role_hold_for_retiring_a_grant_of_another_account() -> None:
    session = "arn:aws:sts::444455556666:assumed-role/partner/work"
    changed = layers(grants=(replace(grant(USER), retiring=PARTNER),))
    assert judged(changed, session, "kms:RetireGrant").is_allowed
    limited = replace(changed, session=SESSION_POLICY)
    assert told(judged(limited, session, "kms:RetireGrant")) == ("deny", "session")


def test_a_grant_that_the_callers_own_account_made_needs_no_identity_policy() -> None:
    trusting = replace(grant(PARTNER), issuing_account=PARTNER_ROOT)
    assert judged(layers(grants=(trusting,)), PARTNER).is_allowed
    by_id = replace(trusting, issuing_account=PARTNER_ROOT.split(":")[4])
    assert judged(layers(grants=(by_id,)), PARTNER).is_allowed
    assert told(judged(layers(grants=(grant(PARTNER),)), PARTNER)) == ("deny", "identity")
    by_key_account = replace(trusting, issuing_account=ROOT)
    assert told(judged(layers(grants=(by_key_account,)), PARTNER)) == ("deny", "identity")
    to_account = replace(trusting, grantee=PARTNER_ROOT)
    assert told(judged(layers(grants=(to_account,)), PARTNER)) == ("deny", "identity")
    limited = layers(grants=(trusting,), boundary=BOUNDARY)
    assert told(judged(limited, PARTNER)) == ("deny", "boundary")
    assert told(judged(layers(grants=UNREAD), PARTNER)) == ("unknown", "grant")
    assert told(judged(layers(grants=(), key_policy=UNREAD), PARTNER)) == ("deny", "identity")
    linked = LINKED.replace("111122223333", "444455556666")
    for_service = replace(grant(linked), issuing_account=PARTNER_ROOT)
    assert judged(layers(grants=(for_service,), key_policy=key_policy(to(PARTNER_ROOT))), linked).is_allowed


def test_a_layer_that_does_not_count_is_never_the_cause() -> None:
    found = judged(layers(), SERVICE, "kms:RetireGrant")
    assert told(found) == ("deny", "key-policy")


@pytest.mark.parametrize(
    ("changes", "caller", "expected"),
    [
        ({"identity": UNREAD}, SESSION, ("unknown", "identity")),
        ({"identity": UNREAD, "key_policy": key_policy(to(ROLE))}, SESSION, ("unknown", "identity")),
        ({"identity": UNREAD, "boundary": UNREAD}, ROOT, ("allow",)),
        ({"identity": UNREAD, "key_policy": None}, SESSION, ("deny", "key-policy")),
        ({"identity": DECRYPT, "scps": UNREAD}, SESSION, ("unknown", "scp")),
        ({"identity": DECRYPT, "rcps": UNREAD}, SESSION, ("unknown", "rcp")),
        ({"identity": DECRYPT, "rcps": UNREAD}, LINKED, ("allow",)),
        ({"identity": iam(S3), "scps": UNREAD, "rcps": UNREAD}, SESSION, ("deny", "identity")),
        ({"identity": iam(DENY), "scps": UNREAD}, SESSION, ("deny", "identity")),
        ({"identity": DECRYPT, "boundary": UNREAD}, SESSION, ("unknown", "boundary")),
        ({"identity": DECRYPT, "session": UNREAD}, SESSION, ("unknown", "session")),
        ({"key_policy": key_policy(to(SESSION)), "session": UNREAD}, SESSION, ("unknown", "session")),
        ({"identity": DECRYPT, "session": UNREAD}, USER, ("allow",)),
        ({"session": UNREAD}, ROOT, ("allow",)),
        ({"identity": DECRYPT, "grants": UNREAD}, SESSION, ("allow",)),
        ({"grants": UNREAD}, SESSION, ("unknown", "grant")),
        ({"key_policy": UNREAD, "identity": DECRYPT}, SESSION, ("unknown", "key-policy")),
        ({"key_policy": UNREAD, "identity": iam(DENY)}, SESSION, ("deny", "identity")),
        ({"key_policy": UNREAD, "scps": levels(Layer.SCP, DENY)}, SESSION, ("deny", "scp")),
        ({"identity": DECRYPT, "endpoint": UNREAD}, SESSION, ("allow",)),
        ({"key_policy": key_policy(to(SERVICE)), "scps": UNREAD, "identity": UNREAD}, SERVICE, ("allow",)),
    ],
)
def test_a_layer_that_was_not_read_is_unknown_unless_it_makes_no_difference(
    changes: dict[str, Any], caller: str, expected: tuple[str, ...]
) -> None:
    found = judged(layers(**changes), caller)
    assert told(found) == expected
    if found.outcome is Outcome.UNKNOWN:
        assert found.decisive is not None
        assert found.decisive in found.unread
        assert found.decisive.sentence == "Not known: it was denied."
    else:
        assert found.unread == ()


def test_a_policy_that_cannot_be_read_counts_as_unread() -> None:
    invalid = read_policy(Layer.IDENTITY, "iam", "{")
    found = judged(layers(identity=(invalid,)))
    assert told(found) == ("unknown", "identity")


X_IS_Y = {"StringEquals": {"aws:PrincipalTag/x": "${aws:ResourceTag/y}"}}
X_IS_NOT_Y = {"StringNotEquals": {"aws:PrincipalTag/x": "${aws:ResourceTag/y}"}}
Y_IS_X = {"StringEquals": {"aws:ResourceTag/y": "${aws:PrincipalTag/x}"}}


@pytest.mark.parametrize(
    ("allowing", "denying", "expected"),
    [
        ((X_IS_Y,), X_IS_Y, ("deny", "identity")),
        ((X_IS_Y,), Y_IS_X, ("deny", "identity")),
        ((X_IS_NOT_Y,), X_IS_NOT_Y, ("deny", "identity")),
        ((X_IS_Y,), X_IS_NOT_Y, ("unknown", "identity")),
        ((X_IS_Y, X_IS_NOT_Y), None, ("allow",)),
        ((Y_IS_X, X_IS_NOT_Y), None, ("allow",)),
        (
            ({"Null": {"aws:PrincipalTag/x": "true"}}, {"Null": {"aws:PrincipalTag/x": "false"}}),
            None,
            ("allow",),
        ),
        (({"StringEquals": {"aws:PrincipalTag/x": "a"}},), None, ("unknown", "identity")),
    ],
)
def test_conditions_that_say_the_same_are_one_fact(
    allowing: tuple[Shape, ...], denying: Shape | None, expected: tuple[str, ...]
) -> None:
    statements = [gives("kms:Decrypt", Condition=each) for each in allowing]
    if denying:
        statements.append(gives("kms:Decrypt", "Deny", Condition=denying))
    found = judged(layers(identity=iam(*statements)), complete=False)
    assert told(found) == expected
    if found.outcome is Outcome.UNKNOWN:
        assert len(found.conditions) == 1


def test_one_fact_counts_across_layers() -> None:
    changed = layers(
        identity=iam(gives("kms:Decrypt", Condition=X_IS_Y)),
        boundary=named(Layer.BOUNDARY, gives("kms:*", Condition=X_IS_NOT_Y)),
    )
    assert told(judged(changed, complete=False))[0] == "deny"


@pytest.mark.parametrize("grants", [(), UNREAD])
def test_conditions_of_two_layers_that_exclude_each_other_deny(grants: Any) -> None:
    changed = layers(
        grants=grants,
        key_policy=named(Layer.KEY_POLICY, to(ROLE, Condition=X_IS_Y)),
        boundary=named(Layer.BOUNDARY, gives("kms:*", Condition=X_IS_NOT_Y)),
        scps=levels(Layer.SCP, gives("*", Condition=X_IS_Y)),
    )
    found = judged(changed, complete=False)
    assert found.outcome is (Outcome.DENY if grants == () else Outcome.UNKNOWN)
    assert found.decisive is not None
    assert found.decisive.effect in (LayerEffect.DEPENDS, LayerEffect.UNREAD)


def test_a_deny_to_all_but_some_spares_nobody_with_a_boundary() -> None:
    spared = {**gives("kms:*", "Deny"), "NotPrincipal": {"AWS": [ROLE, ROOT, SESSION]}}
    policy = key_policy(to(ROLE), spared)
    assert told(judged(layers(key_policy=policy))) == ("allow",)
    assert told(judged(layers(key_policy=policy, boundary=named(Layer.BOUNDARY, gives())))) == (
        "deny",
        "key-policy",
    )


def test_a_resource_with_a_variable_that_is_open_leaves_the_question_open() -> None:
    tagged = gives("kms:Decrypt", Resource="arn:aws:kms:*:*:key/${aws:PrincipalTag/key}")
    changed = layers(identity=iam(tagged))
    found = judged(changed, complete=False)
    assert told(found) == ("unknown", "identity")
    assert [each.test.key_text for each in found.conditions] == ["Resource"]
    assert not judged(changed).is_allowed
    assert judged(changed, aws__PrincipalTag___key=KEY.rpartition("/")[2]).is_allowed


def _misses(layer: Layer, statement: Shape, **context: Any) -> list[str]:
    member = {Layer.KEY_POLICY: "key_policy", Layer.IDENTITY: "identity"}[layer]
    value = key_policy(statement) if layer is Layer.KEY_POLICY else iam(statement)
    return [miss.sentence for miss in judged(layers(**{member: value}), **context).step(layer).near_misses]


ORDERS = {"StringEquals": {"kms:EncryptionContext:table": "orders"}}


@pytest.mark.parametrize(
    ("layer", "statement", "sentence"),
    [
        (
            Layer.KEY_POLICY,
            to(ROLE, Condition=ORDERS),
            "kms:EncryptionContext:table: wanted orders, got invoices",
        ),
        (Layer.KEY_POLICY, to(USER), f"the principal: it names user/ada, the caller is {SESSION}"),
        (Layer.KEY_POLICY, to(ROLE, "kms:Encrypt"), "the action: it has kms:Encrypt, wanted kms:Decrypt"),
        (
            Layer.IDENTITY,
            gives("kms:Decrypt", Resource=KEY + "c"),
            f"the resource: it has {KEY}c, wanted {KEY}",
        ),
        (
            Layer.IDENTITY,
            gives("kms:Decrypt", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            "aws:MultiFactorAuthPresent: wanted true, got none",
        ),
        (
            Layer.IDENTITY,
            gives("kms:Decrypt", Condition={"StringNotEquals": {"kms:EncryptionContext:table": "invoices"}}),
            "kms:EncryptionContext:table: wanted anything but invoices, got invoices",
        ),
        (
            Layer.IDENTITY,
            gives("kms:Decrypt", Condition={"Null": {"kms:EncryptionContext:table": "true"}}),
            "kms:EncryptionContext:table: wanted it to be absent, got invoices",
        ),
    ],
)
def test_a_statement_that_nearly_matches_says_what_it_lacks(
    layer: Layer, statement: Shape, sentence: str
) -> None:
    context = {"kms__EncryptionContext__table": "invoices"}
    assert _misses(layer, statement, **context) == [f"would match but for {sentence}"]


@pytest.mark.parametrize("statement", [S3, gives("kms:Encrypt", Resource=KEY + "c"), DENY])
def test_a_statement_that_misses_by_more_is_no_near_miss(statement: Shape) -> None:
    assert _misses(Layer.IDENTITY, statement) == []


def test_a_grant_that_nearly_allows_says_what_it_lacks() -> None:
    mine = grant(ROLE, EncryptionContextSubset={"table": "orders"})
    found = judged(layers(grants=(mine, grant(USER))), kms__EncryptionContext__table="invoices")
    assert [miss.sentence for miss in found.step(Layer.GRANT).near_misses] == [
        "would match but for kms:EncryptionContext:table: wanted orders, got invoices",
        f"would match but for the principal: it names user/ada, the caller is {SESSION}",
    ]


def test_a_step_names_the_policies_and_statements_that_decide() -> None:
    found = judged(layers(identity=DECRYPT, scps=levels(Layer.SCP, gives("*"), S3)))
    step = found.step(Layer.SCP)
    assert (step.effect, step.sentence) == (
        LayerEffect.IMPLICIT_DENY,
        "No service control policy of level 2 of 2, counted from the root, allows kms:Decrypt.",
    )
    assert step.source == "level 2"
    allowing = found.step(Layer.IDENTITY)
    assert allowing.source == "the identity"
    assert [each.text for each in allowing.statements] == [json.dumps(gives("kms:Decrypt"))]


# What holds with unknowns holds for whatever they are.

_STATEMENTS: dict[str, list[tuple[Shape, ...]]] = {
    "identity": [(gives("kms:Decrypt"),), (S3,), (DENY, gives()), (gives("kms:Decrypt", Condition=X_IS_Y),)],
    "key_policy": [(), (to(ROLE),), (to(SESSION),), (against(SESSION),), (to("*", Condition=X_IS_NOT_Y),)],
}
_CHOICES: dict[str, list[Any]] = {
    "key_policy": [key_policy(*each) for each in _STATEMENTS["key_policy"]],
    "grants": [(), (grant(ROLE),), (grant(SESSION),), (grant(ROLE, EncryptionContextSubset={"t": "a"}),)],
    "identity": [(), *(iam(*each) for each in _STATEMENTS["identity"])],
    "boundary": [None, BOUNDARY, named(Layer.BOUNDARY, gives()), named(Layer.BOUNDARY, DENY, gives())],
    "session": [(), SESSION_POLICY, (named(Layer.SESSION, gives(Condition=X_IS_Y)),)],
    "scps": [(), levels(Layer.SCP, gives("*")), levels(Layer.SCP, gives("*"), S3)],
    "rcps": [(), levels(Layer.RCP, everyone("*")), levels(Layer.RCP, everyone("kms:*", "Deny"))],
    "endpoint": [None, named(Layer.ENDPOINT, everyone("kms:Encrypt"))],
}
_ANY = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in _CHOICES.items()})
_CONTEXTS = st.fixed_dictionaries(
    {
        "aws:PrincipalTag/x": st.sampled_from([None, "a", "b"]),
        "aws:ResourceTag/y": st.sampled_from([None, "a"]),
        "kms:EncryptionContext:t": st.sampled_from([None, "a", "b"]),
        "aws:SourceVpce": st.sampled_from([None, "vpce-1"]),
    }
)


@settings(max_examples=150, deadline=None)
@given(_ANY, _CONTEXTS, st.sets(st.sampled_from(sorted(_CHOICES))), st.sets(st.integers(0, 3)))
def test_what_is_certain_with_unknowns_holds_whatever_they_are(
    chosen: dict[str, Any], context: dict[str, Any], unread: set[str], opened: set[int]
) -> None:
    known = Layers(**chosen)
    withheld: dict[str, Any] = dict.fromkeys(unread, UNREAD)
    unknown = replace(known, **withheld)
    given_keys = {key: value for n, (key, value) in enumerate(context.items()) if n not in opened}
    caller = Caller.parse(SESSION)
    certain = authorize_request(AccessRequest(caller, "kms:Decrypt", KEY, context, complete=True), known)
    vague = authorize_request(AccessRequest(caller, "kms:Decrypt", KEY, given_keys), unknown)
    assert certain.outcome is not Outcome.UNKNOWN
    assert vague.outcome in (certain.outcome, Outcome.UNKNOWN)
    if not unread and not opened:
        assert vague.outcome is certain.outcome
    for found in (certain, vague):
        assert (found.decisive is None) == found.is_allowed
        assert [step.layer for step in found.steps] == list(Layer)


@settings(max_examples=60, deadline=None)
@given(_ANY, st.sampled_from(["identity", "key_policy", "scps", "rcps", "boundary", "session"]))
def test_a_deny_in_any_layer_wins(chosen: dict[str, Any], member: str) -> None:
    denials: dict[str, tuple[Layer, Any]] = {
        "identity": (Layer.IDENTITY, iam(DENY)),
        "key_policy": (Layer.KEY_POLICY, key_policy(against("*"))),
        "scps": (Layer.SCP, levels(Layer.SCP, DENY)),
        "rcps": (Layer.RCP, levels(Layer.RCP, everyone("kms:*", "Deny"))),
        "boundary": (Layer.BOUNDARY, named(Layer.BOUNDARY, DENY)),
        "session": (Layer.SESSION, (named(Layer.SESSION, DENY),)),
    }
    layer, denying = denials[member]
    found = judged(replace(Layers(**chosen), **{member: denying}))
    assert found.outcome is Outcome.DENY
    assert layer in {step.layer for step in (found.decisive, *found.also) if step}


def test_every_layer_has_a_field() -> None:
    assert _CHOICES.keys() == {field.name for field in fields(Layers) if field.init} - {
        "aws_managed",
        "unread_grants",
    }
