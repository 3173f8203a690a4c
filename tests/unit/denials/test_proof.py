"""Every fix that is said to suffice makes the call pass in a throwaway offline KMS; nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_tui.denials.fixes import Fix, fixes_for
from kms_tui.denials.proof import Proof, prove
from kms_tui.denials.trial_calls import CALLS, KeyForm, key_form
from kms_tui.kms.model import KeyUsage
from kms_tui.policy import AccessRequest, Caller, parse
from kms_tui.policy.actions import ACTIONS
from kms_tui.policy.denial_case import DenialCase
from kms_tui.policy.layers import Layer, Layers, UnreadLayer
from tests.unit.denials.denial_table import DENIALS, Denial, scps
from tests.unit.policy.layer_build import (
    KEY,
    PARTNER,
    ROLE,
    SESSION,
    USER,
    gives,
    grant,
    iam,
    key_policy,
    layers,
    named,
)

ENCRYPT, SIGN = KeyUsage.ENCRYPT_DECRYPT, KeyUsage.SIGN_VERIFY
AES = KeyForm("SYMMETRIC_DEFAULT", ENCRYPT)


def _case(changed: Layers, caller: str = SESSION, action: str = "kms:Decrypt", **context: Any) -> DenialCase:
    known = {key.replace("__", ":"): value for key, value in context.items()}
    return DenialCase(AccessRequest(Caller.parse(caller), action, KEY, known, complete=True), changed)


def _changes(case: DenialCase) -> list[Fix]:
    return [fix for fix in fixes_for(case.request, case.layers) if fix.is_change]


def _proofs(case: DenialCase) -> list[Proof]:
    return [prove(case, fix) for fix in _changes(case)]


@pytest.mark.parametrize("denial", [each for each in DENIALS if each.fixed], ids=lambda denial: denial.name)
def test_every_fix_that_suffices_is_proved(denial: Denial) -> None:
    case = denial.case
    for fix in _changes(case):
        if fix.suffices:
            proof = prove(case, fix)
            assert proof.holds, proof.words
            assert proof.words.startswith("Proved in the offline KMS:")


def test_a_change_that_other_layers_still_deny_is_not_proved() -> None:
    for proof in _proofs(_case(layers(**scps(gives("s3:*"))))):
        assert not proof.holds
        assert proof.before is not None
        assert proof.before.is_refusal
        assert "service control policy" in proof.words


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_every_action_that_can_be_tried_is_proved_for_each_fix(operation: str) -> None:
    given = layers(grants=(grant(USER),)) if operation == "RetireGrant" else layers()
    proofs = _proofs(_case(given, action=f"kms:{operation}"))
    assert proofs
    assert all(proof.holds for proof in proofs), [proof.words for proof in proofs]


def test_the_actions_that_cannot_be_tried_need_more_than_a_key() -> None:
    tried = {f"kms:{operation}" for operation in CALLS}
    on_keys = {action.name for action in ACTIONS.values() if not action.iam_only}
    assert {name.removeprefix("kms:") for name in on_keys - tried} == {
        "CreateAlias",
        "DeleteAlias",
        "DeleteImportedKeyMaterial",
        "GetParametersForImport",
        "ImportKeyMaterial",
        "ReplicateKey",
        "SynchronizeMultiRegionKey",
        "UpdateAlias",
        "UpdatePrimaryRegion",
    }
    assert tried <= on_keys


def test_the_grants_of_a_key_tell_its_usage() -> None:
    signing = layers(grants=(grant(USER, "Sign"),))
    assert all(proof.holds for proof in _proofs(_case(signing, action="kms:DescribeKey")))


def test_what_takes_more_than_a_key_is_left_to_the_evaluation() -> None:
    (proof, *_) = _proofs(_case(layers(), action="kms:ImportKeyMaterial"))
    assert (proof.before, proof.after, proof.holds) == (None, None, False)
    assert proof.words.startswith("ImportKeyMaterial takes more than a key")


@pytest.mark.parametrize("action", ["kms:ReEncryptFrom", "kms:ReEncryptTo"])
@pytest.mark.parametrize("caller", [SESSION, PARTNER])
def test_either_side_of_a_re_encryption_is_tried_with_another_key(action: str, caller: str) -> None:
    context = {"kms__EncryptionContext__table": "orders"}
    proofs = _proofs(_case(layers(), caller, action, **context))
    assert proofs
    assert all(proof.holds for proof in proofs), [proof.words for proof in proofs]


def test_what_is_not_refused_to_begin_with_is_not_proved() -> None:
    case = _case(layers(identity=iam(gives())))
    fix = _changes(_case(layers()))[0]
    assert prove(case, fix).words == (
        "Not proved: in the offline KMS Decrypt is not refused to begin with (answered)."
    )


def test_a_layer_that_is_not_known_is_taken_as_no_limit_and_named() -> None:
    case = _case(layers(key_policy=key_policy()))
    fix = _changes(case)[0]
    unread = replace(
        case, layers=replace(case.layers, scps=UnreadLayer("denied"), rcps=UnreadLayer("denied"))
    )
    proof = prove(unread, fix)
    assert proof.holds
    assert proof.words.endswith("Not known, and taken as no limit: SCPs, RCPs.")


def test_iam_policies_of_another_account_that_are_not_known_are_taken_to_allow() -> None:
    unread = layers(key_policy=key_policy(), identity=UnreadLayer("of another account"))
    proofs = _proofs(_case(unread, PARTNER))
    assert proofs
    assert all(proof.holds for proof in proofs), [proof.words for proof in proofs]
    assert all(proof.words.endswith("Not known, and taken as no limit: IAM policies.") for proof in proofs)


def test_without_the_key_policy_there_is_nothing_to_try() -> None:
    case = _case(layers())
    fix = _changes(case)[0]
    unread = replace(case, layers=replace(case.layers, key_policy=UnreadLayer("denied")))
    assert prove(unread, fix).words == "The key policy is not known, so the call cannot be tried."
    managed = replace(case, layers=replace(case.layers, aws_managed=True))
    assert "AWS-managed" in prove(managed, fix).words


def test_what_cannot_be_rebuilt_is_a_sentence() -> None:
    odd = grant(ROLE, "Sign")
    case = _case(layers(grants=(odd,)))
    (proof, *_) = _proofs(case)
    assert proof.before is None
    assert proof.words.startswith("The case cannot be rebuilt in the offline KMS: ")


def test_a_grant_that_a_service_made_for_itself_is_in_nobodys_way() -> None:
    made = grant("dynamodb.us-east-1.amazonaws.com", "Encrypt")
    proofs = _proofs(_case(layers(grants=(made,))))
    assert proofs
    assert all(proof.holds for proof in proofs)


def test_a_session_has_the_sign_in_with_mfa_that_the_case_gives_it() -> None:
    limits = named(Layer.BOUNDARY, gives(Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}))
    for context in ({}, {"aws__MultiFactorAuthPresent": "true"}):
        proofs = _proofs(_case(layers(boundary=limits), **context))
        assert proofs
        assert all(proof.holds for proof in proofs)


def test_the_request_keeps_its_key_and_what_comes_with_its_caller() -> None:
    conditions = {
        "StringEquals": {"aws:PrincipalTag/team": "red", "aws:SourceVpce": "vpce-1"},
        "ArnEquals": {"aws:PrincipalArn": ROLE},
    }
    limits = named(Layer.BOUNDARY, {**gives(Condition=conditions), "Resource": KEY})
    context = {"aws__PrincipalTag/team": "red", "aws__SourceVpce": "vpce-1"}
    proofs = _proofs(_case(layers(boundary=limits), **context))
    assert len(proofs) == 3
    assert all(proof.holds for proof in proofs)


def test_other_partitions_multi_region_keys_and_partners_are_rebuilt() -> None:
    china = parse(key_policy().document.text.replace("arn:aws:", "arn:aws-cn:"))
    key = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
    changed = layers(key_policy=replace(key_policy(), document=china))
    caller = Caller.parse(SESSION.replace("arn:aws:", "arn:aws-cn:"))
    case = DenialCase(AccessRequest(caller, "kms:Decrypt", key, complete=True), changed)
    assert all(proof.holds for proof in _proofs(case))
    assert len(_proofs(case)) == 3
    partner = _proofs(_case(layers(), PARTNER))
    assert [proof.holds for proof in partner] == [True, True]


@pytest.mark.parametrize(
    ("action", "known", "form"),
    [
        ("Decrypt", {}, AES),
        ("Decrypt", {"kms:encryptionalgorithm": "RSAES_OAEP_SHA_256"}, KeyForm("RSA_2048", ENCRYPT)),
        ("Sign", {}, KeyForm("ECC_NIST_P256", SIGN)),
        ("Sign", {"kms:keyspec": "ECC_NIST_P384"}, KeyForm("ECC_NIST_P384", SIGN)),
        ("Sign", {"kms:signingalgorithm": "ML_DSA_SHAKE_256"}, KeyForm("ML_DSA_44", SIGN)),
        ("Sign", {"kms:keyspec": "nonsense"}, KeyForm("ECC_NIST_P256", SIGN)),
        ("GetPublicKey", {}, KeyForm("ECC_NIST_P256", SIGN)),
        ("GenerateMac", {}, KeyForm("HMAC_256", KeyUsage.GENERATE_VERIFY_MAC)),
        ("GenerateDataKey", {"kms:keyspec": "RSA_2048"}, AES),
    ],
)
def test_the_key_fits_the_action(action: str, known: dict[str, str], form: KeyForm) -> None:
    assert key_form(action, known) == form
