"""The fixes of every row of the denial table, and the words where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from operator import itemgetter
from typing import Any

import pytest

from kms_tui.denials.fix_statements import with_statement
from kms_tui.denials.fixes import Fix, FixKind, fixes_for
from kms_tui.kms.model import KeyState
from kms_tui.policy import AccessRequest, Caller, guard, parse
from kms_tui.policy.authorization import authorize_request
from kms_tui.policy.layers import Layer, Layers, UnreadLayer
from tests.unit.denials.denial_table import DENIALS, Denial, scps
from tests.unit.policy.build import ACCOUNT, Shape, cases
from tests.unit.policy.layer_build import (
    KEY,
    LINKED,
    PARTNER,
    ROLE,
    SESSION,
    USER,
    gives,
    grant,
    iam,
    key_policy,
    layers,
)


def _fixes(
    changed: Layers, caller: str = SESSION, action: str = "kms:Decrypt", **more: Any
) -> tuple[Fix, ...]:
    context = more.pop("context", {})
    request = AccessRequest(Caller.parse(caller), action, KEY, context, complete=True)
    return fixes_for(request, changed, **more)


def _of(kind: FixKind, fixes: tuple[Fix, ...]) -> Shape:
    (found,) = (fix for fix in fixes if [part.kind for part in fix.parts] == [kind])
    return dict(json.loads(found.parts[0].text))


@pytest.mark.parametrize("denial", DENIALS, ids=lambda denial: denial.name)
def test_every_denial_names_all_its_causes_and_offers_what_mends_it(denial: Denial) -> None:
    case = denial.case
    judged = authorize_request(case.request, case.layers)
    named = {step.layer.value for step in (judged.decisive, *judged.also) if step}
    if judged.step(Layer.GRANT).near_misses:
        named.add("grant")
    assert judged.outcome == "deny"
    assert named - {"grant"} <= set(denial.causes) <= named
    fixes = fixes_for(case.request, case.layers)
    sufficient = [fix for fix in fixes if fix.suffices]
    assert {"-".join(part.kind.value for part in fix.parts) for fix in sufficient} == denial.fixed
    assert all(authorize_request(case.request, fix.layers).is_allowed for fix in sufficient)
    assert all(fix.sentence.endswith((".", ")")) for fix in fixes)
    if not denial.fixed:
        assert any(not fix.is_change for fix in fixes)


def test_there_are_enough_denials_of_each_layer_and_half_have_two_causes() -> None:
    assert all(sum(layer in denial.causes for denial in DENIALS) >= 5 for layer in Layer)
    assert 2 * sum(len(denial.causes) > 1 for denial in DENIALS) >= len(DENIALS) >= 60


def test_the_statement_is_as_narrow_as_the_request() -> None:
    context = {
        "kms:EncryptionContext:Table": "orders",
        "kms:EncryptionContextKeys": ["Table"],
        "kms:ViaService": "s3.us-east-1.amazonaws.com",
        "aws:PrincipalTag/team": "red",
    }
    fixes = _fixes(layers(), context=context)
    condition = {
        "StringEquals": {
            "kms:EncryptionContext:Table": "orders",
            "kms:ViaService": "s3.us-east-1.amazonaws.com",
        }
    }
    assert _of(FixKind.KEY_POLICY, fixes) == {
        "Sid": "Allow app to Decrypt",
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": condition,
    }
    assert _of(FixKind.IDENTITY, fixes) == {
        "Sid": "AllowDecrypt",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": KEY,
        "Condition": condition,
    }
    assert _of(FixKind.GRANT, fixes) == {
        "KeyId": KEY,
        "GranteePrincipal": ROLE,
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"Table": "orders"}},
    }


def test_the_roles_path_is_taken_from_the_request_where_it_tells_it() -> None:
    path = ROLE.replace("role/app", "role/team/app")
    fixes = _fixes(layers(), context={"aws:PrincipalArn": path})
    assert _of(FixKind.KEY_POLICY, fixes)["Principal"] == {"AWS": path}


@pytest.mark.parametrize("context", [{}, {"aws:SourceAccount": ACCOUNT}])
def test_a_service_that_anybody_may_have_use_the_key_is_warned_of(context: dict[str, str]) -> None:
    (fix,) = (
        fix for fix in _fixes(layers(), "logs.eu-west-1.amazonaws.com", context=context) if fix.is_change
    )
    assert ("add a condition on aws:SourceAccount" in fix.sentence) is (not context)
    assert ("Condition" in json.loads(fix.parts[0].text)) is bool(context)


def test_a_name_with_signs_gives_a_sid_without() -> None:
    caller = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123/jane@example.com"
    assert _of(FixKind.KEY_POLICY, _fixes(layers(), caller))["Sid"] == (
        "Allow AWSReservedSSO Admin 0123 to Decrypt"
    )


def test_a_request_that_is_not_told_whole_gets_a_grant_for_what_is_told() -> None:
    request = AccessRequest(Caller.parse(SESSION), "kms:Decrypt", KEY, {"kms:EncryptionContext:t": "a"})
    found = _of(FixKind.GRANT, fixes_for(request, layers()))
    assert found["Constraints"] == {"EncryptionContextSubset": {"t": "a"}}


@pytest.mark.parametrize(
    ("action", "caller", "context"),
    [
        ("kms:PutKeyPolicy", SESSION, {}),
        ("kms:CreateGrant", SESSION, {}),
        ("kms:Decrypt", "logs.us-east-1.amazonaws.com", {}),
        ("kms:Decrypt", SESSION, {f"kms:EncryptionContext:k{n}": "v" for n in range(9)}),
        ("kms:Decrypt", SESSION, {"kms:EncryptionContext:k": "v" * 385}),
    ],
)
def test_what_no_grant_can_hold_gets_none(action: str, caller: str, context: dict[str, str]) -> None:
    fixes = _fixes(layers(), caller, action, context=context)
    assert not any(part.kind is FixKind.GRANT for fix in fixes for part in fix.parts)
    assert any(part.kind is FixKind.KEY_POLICY for fix in fixes for part in fix.parts)


def test_the_key_policy_with_the_statement_passes_the_guard() -> None:
    (fix,) = (fix for fix in _fixes(layers()) if fix.parts[0].kind is FixKind.KEY_POLICY)
    text = fix.parts[0].policy
    assert guard.check(text, account_id=ACCOUNT, key_arn=KEY).verdict.value != "refuse"
    assert [statement.sid for statement in parse(text).statements] == ["", "Allow app to Decrypt"]


def test_a_policy_that_the_guard_refuses_is_not_offered_and_the_reason_is_told() -> None:
    only_user = key_policy().document.text.replace(":root", ":user/ada")
    changed = layers(key_policy=replace(key_policy(), document=parse(only_user)), identity=iam(gives()))
    fixes = _fixes(changed)
    assert [part.kind for fix in fixes if fix.is_change for part in fix.parts] == [FixKind.GRANT]
    assert any("the guard refuses that policy" in fix.sentence for fix in fixes)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (KeyState.DISABLED, "kms:EnableKey"),
        (KeyState.PENDING_DELETION, "kms:CancelKeyDeletion"),
        (KeyState.PENDING_IMPORT, "kms:ImportKeyMaterial"),
        (KeyState.UNAVAILABLE, "kms:ConnectCustomKeyStore"),
        (KeyState.PENDING_REPLICA_DELETION, "kms:CancelKeyDeletion"),
    ],
)
def test_the_state_of_the_key_comes_first(state: KeyState, words: str) -> None:
    allowed = _fixes(layers(identity=iam(gives())), key_state=state)
    assert len(allowed) == 1
    assert words in allowed[0].sentence
    assert _fixes(layers(), key_state=state)[0].sentence == allowed[0].sentence
    assert _fixes(layers(identity=iam(gives())), key_state=KeyState.ENABLED) == ()


def test_another_accounts_key_is_mended_by_its_administrators() -> None:
    fixes = _fixes(layers(identity=iam(gives())), PARTNER, own_account="444455556666")
    assert [fix.sentence for fix in fixes] == [
        f"An administrator of the key's account {ACCOUNT} can add this statement to the key policy.",
        f"An administrator of the key's account {ACCOUNT} can create this grant.",
    ]


def test_a_change_that_is_not_enough_alone_says_so_and_who_must_do_the_rest() -> None:
    fixes = _fixes(layers(**scps(gives("s3:*"))))
    assert not any(fix.suffices for fix in fixes)
    assert fixes[0].sentence == "Add this statement to the key policy. This alone is not enough."
    assert "Only an administrator of the organization of the caller's account" in fixes[-1].sentence


def test_the_policies_of_a_service_linked_role_are_nobodys_to_change() -> None:
    kinds = {part.kind for fix in _fixes(layers(), LINKED) for part in fix.parts}
    assert kinds == {FixKind.KEY_POLICY, FixKind.GRANT}
    foreign = LINKED.replace(ACCOUNT, "444455556666")
    (fix,) = _fixes(layers(), foreign)
    assert fix.sentence.startswith("Nobody can change the policies of a service-linked role: ")
    assert "account 444455556666 that may call kms:CreateGrant" in fix.sentence
    assert [fix.sentence for fix in _fixes(layers(), foreign, "kms:PutKeyPolicy")] == [
        f"kms:PutKeyPolicy does not work on a key of another account: only a principal of account {ACCOUNT} "
        "can do it."
    ]


def test_a_deny_is_named_and_never_removed() -> None:
    denying = {**gives("kms:Decrypt"), "Effect": "Deny", "Sid": "NoDecrypt", "Principal": "*"}
    fixes = _fixes(layers(key_policy=key_policy(denying), identity=iam(gives())))
    assert [fix.is_change for fix in fixes] == [False]
    assert fixes[0].sentence == (
        "NoDecrypt of key policy denies kms:Decrypt. No Allow outweighs a Deny: whoever may call "
        "kms:PutKeyPolicy on the key decides whether NoDecrypt should except this caller."
    )


def test_what_is_allowed_or_not_known_gets_no_fix() -> None:
    assert _fixes(layers(identity=iam(gives()))) == ()
    assert _fixes(layers(identity=UnreadLayer("denied"))) == ()


def test_an_unread_key_policy_gets_no_statement() -> None:
    fixes = _fixes(layers(key_policy=None, grants=(grant(USER),)))
    assert not any(part.kind is FixKind.KEY_POLICY for fix in fixes for part in fix.parts)


NEW: Shape = {"Sid": "New", "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}


@pytest.mark.parametrize("case", cases("judged_policies.jsonl")[:80], ids=itemgetter("id"))
def test_a_statement_more_leaves_the_others_as_they_are_written(case: Shape) -> None:
    document = parse(case["policy"])
    if not document.is_valid:
        return
    text = with_statement(document, NEW)
    changed = parse(text)
    assert changed.is_valid, changed.problems
    assert len(changed.statements) == len(document.statements) + 1
    assert json.loads(text)["Statement"][-1] == NEW
    for before, after in zip(document.statements, changed.statements, strict=False):
        assert text[slice(*after.span)] == document.text[slice(*before.span)]


@pytest.mark.parametrize(
    "text",
    [
        '{"Statement": {"Sid": "New", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}',
        '{"Statement":[{"Sid":"New","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
        '{\r\n\t"Statement": [\r\n\t\t{"Sid": "New", "Effect": "Allow", "Principal": "*", "Action": "*", '
        '"Resource": "*"}\r\n\t]\r\n}',
    ],
)
def test_a_name_that_is_taken_gets_a_number(text: str) -> None:
    changed = parse(with_statement(parse(text), NEW))
    assert [statement.sid for statement in changed.statements] == ["New", "New 2"]
    assert changed.is_valid
