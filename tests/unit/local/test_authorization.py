"""A named caller: the key policy and its IAM policies decide, and a refusal says which of them it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kms_tui.policy import Document, parse
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION

_APP = f"arn:aws:iam::{ACCOUNT}:role/app"
_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0123"
_ADA = f"arn:aws:iam::{ACCOUNT}:user/ada"
_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
_PARTNER = "arn:aws:iam::444455556666:role/importer"

Clients = Callable[..., KmsClient]


def _allow(action: Any, principal: str = "", **more: Any) -> dict[str, Any]:
    named = {"Principal": {"AWS": principal}} if principal else {}
    return {"Effect": "Allow", **named, "Action": action, "Resource": "*", **more}


def _deny(action: Any, principal: str = "", **more: Any) -> dict[str, Any]:
    return {**_allow(action, principal), "Effect": "Deny", **more}


def _policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _iam(*statements: Any) -> tuple[Document]:
    document = parse(_policy(*statements), identity=True)
    assert document.is_valid, document.problems
    return (document,)


_DELEGATED = _allow("kms:*", _ROOT)


def _key(kms: KmsClient, *statements: Any, **params: Any) -> str:
    return kms.key(Policy=_policy(*statements), BypassPolicyLockoutSafetyCheck=True, **params)


def _refused(kms: KmsClient, caller: str, operation: str, resource: str, clause: str, **params: Any) -> None:
    where = f" on resource: {resource}" if resource else ""
    if clause == _NEITHER:
        where = " on this resource"
    message = f"User: {caller} is not authorized to perform: kms:{operation}{where} {clause}"
    kms.refused(operation, "AccessDeniedException", message, **params)


def test_the_root_statement_alone_admits_nobody(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    ada = client(caller_arn=_ADA)
    _refused(
        ada,
        _ADA,
        "Encrypt",
        kms.arn(key_id),
        "because no identity-based policy allows the kms:Encrypt action",
        KeyId=key_id,
        Plaintext=b"x",
    )


def test_the_root_statement_and_an_iam_policy_admit_together(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    ada = client(caller_arn=_ADA, iam_policies=_iam(_allow(["kms:Encrypt", "kms:DescribeKey"])))
    ada("Encrypt", KeyId=key_id, Plaintext=b"x")
    assert ada.describe(key_id)["KeyId"] == key_id
    _refused(
        ada,
        _ADA,
        "DisableKey",
        kms.arn(key_id),
        "because no identity-based policy allows the kms:DisableKey action",
        KeyId=key_id,
    )


def test_an_iam_policy_alone_admits_nobody(kms: KmsClient, client: Clients) -> None:
    key_id = _key(kms, _allow("kms:*", _APP))
    ada = client(caller_arn=_ADA, iam_policies=_iam(_allow("kms:*")))
    _refused(
        ada,
        _ADA,
        "DescribeKey",
        kms.arn(key_id),
        "because no resource-based policy allows the kms:DescribeKey action",
        KeyId=key_id,
    )


@pytest.mark.parametrize("caller", [_APP, _SESSION])
def test_a_role_named_by_the_key_policy_needs_no_iam_policy(
    kms: KmsClient, client: Clients, caller: str
) -> None:
    key_id = _key(kms, _DELEGATED, _allow("kms:Encrypt", _APP))
    client(caller_arn=caller)("Encrypt", KeyId=key_id, Plaintext=b"x")


def test_a_session_named_by_the_key_policy_is_that_session_only(kms: KmsClient, client: Clients) -> None:
    key_id = _key(kms, _DELEGATED, _allow("kms:DescribeKey", _SESSION))
    client(caller_arn=_SESSION).describe(key_id)
    client(caller_arn=_SESSION.replace("i-0123", "i-9999")).refused(
        "DescribeKey", "AccessDeniedException", KeyId=key_id
    )


def test_a_deny_of_the_key_policy_wins(kms: KmsClient, client: Clients) -> None:
    key_id = _key(kms, _DELEGATED, _deny("kms:Encrypt", _ADA))
    ada = client(caller_arn=_ADA, iam_policies=_iam(_allow("kms:*")))
    _refused(
        ada,
        _ADA,
        "Encrypt",
        kms.arn(key_id),
        "with an explicit deny in a resource-based policy",
        KeyId=key_id,
        Plaintext=b"x",
    )
    ada.describe(key_id)


def test_a_deny_of_an_iam_policy_wins(kms: KmsClient, client: Clients) -> None:
    key_id = _key(kms, _allow("kms:*", _ADA))
    ada = client(caller_arn=_ADA, iam_policies=_iam(_deny("kms:DescribeKey")))
    _refused(
        ada,
        _ADA,
        "DescribeKey",
        kms.arn(key_id),
        "with an explicit deny in an identity-based policy",
        KeyId=key_id,
    )


def test_the_root_user_needs_the_key_policy_and_no_iam_policy(kms: KmsClient, client: Clients) -> None:
    mine, others = kms.key(), _key(kms, _allow("kms:*", _APP))
    root = client(caller_arn=_ROOT)
    root.describe(mine)
    root("ListKeys")
    root.refused("DescribeKey", "AccessDeniedException", KeyId=others)


@pytest.mark.parametrize(
    ("operation", "params"),
    [("ListKeys", {}), ("ListAliases", {}), ("GenerateRandom", {"NumberOfBytes": 8}), ("CreateKey", {})],
)
def test_what_is_about_no_key_is_a_matter_of_iam_alone(
    client: Clients, operation: str, params: dict[str, Any]
) -> None:
    _refused(
        client(caller_arn=_ADA),
        _ADA,
        operation,
        "*",
        f"because no identity-based policy allows the kms:{operation} action",
        **params,
    )
    denied = client(caller_arn=_ADA, iam_policies=_iam(_allow("*"), _deny(f"kms:{operation}")))
    _refused(denied, _ADA, operation, "*", "with an explicit deny in an identity-based policy", **params)
    account = f"arn:aws:kms:{REGION}:{ACCOUNT}:*"
    allowed = _iam(_allow([f"kms:{operation}", "kms:PutKeyPolicy"], Resource=account))
    client(caller_arn=_ADA, iam_policies=allowed)(operation, **params)


def test_listing_a_keys_aliases_is_a_matter_of_iam_alone(kms: KmsClient, client: Clients) -> None:
    key_id = _key(kms, _allow("kms:*", _APP))
    ada = client(caller_arn=_ADA, iam_policies=_iam(_allow("kms:ListAliases")))
    assert ada("ListAliases", KeyId=key_id)["Aliases"] == []
    client(caller_arn=_APP).refused("ListAliases", "AccessDeniedException", KeyId=key_id)


def test_tags_of_a_new_key_need_leave_of_their_own(client: Clients) -> None:
    tags = [{"TagKey": "team", "TagValue": "red"}]
    make = _allow(["kms:CreateKey", "kms:PutKeyPolicy"])
    ada = client(caller_arn=_ADA, iam_policies=_iam(make))
    ada.refused(
        "CreateKey",
        "AccessDeniedException",
        f"User: {_ADA} is not authorized to perform: kms:TagResource because no identity-based policy allows "
        "the kms:TagResource action",
        Tags=tags,
    )
    red = _allow("kms:TagResource", Condition={"StringEquals": {"aws:RequestTag/team": "red"}})
    assert client(caller_arn=_ADA, iam_policies=_iam(make, red)).key(Tags=tags)


def test_a_new_key_needs_no_leave_to_update_its_policy_but_the_lockout_check_does(client: Clients) -> None:
    ada = client(caller_arn=_ADA, iam_policies=_iam(_allow("kms:CreateKey")))
    assert ada.key()
    ada.refused(
        "CreateKey",
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
        Policy=_policy(_DELEGATED),
    )
    assert ada.key(Policy=_policy(_allow("kms:*", _ADA)))


def test_an_alias_and_both_keys_must_allow_its_move(kms: KmsClient, client: Clients) -> None:
    old, new = kms.key(), _key(kms, _allow("kms:*", _APP))
    kms("CreateAlias", AliasName="alias/a", TargetKeyId=old)
    on_keys = _allow("kms:*Alias", Resource=f"arn:aws:kms:*:{ACCOUNT}:key/*")
    on_alias = _allow("kms:*Alias", Resource=f"arn:aws:kms:*:{ACCOUNT}:alias/a*")
    params = {"AliasName": "alias/a", "TargetKeyId": new}
    without = client(caller_arn=_ADA, iam_policies=_iam(on_keys))
    _refused(
        without,
        _ADA,
        "UpdateAlias",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/a",
        "because no identity-based policy allows the kms:UpdateAlias action",
        **params,
    )
    ada = client(caller_arn=_ADA, iam_policies=_iam(on_keys, on_alias))
    _refused(
        ada,
        _ADA,
        "UpdateAlias",
        kms.arn(new),
        "because no resource-based policy allows the kms:UpdateAlias action",
        **params,
    )
    ada("CreateAlias", AliasName="alias/a2", TargetKeyId=old)
    without.refused("DeleteAlias", "AccessDeniedException", AliasName="alias/a2")
    without.refused("CreateAlias", "AccessDeniedException", AliasName="alias/a3", TargetKeyId=old)
    ada("DeleteAlias", AliasName="alias/a2")


def test_a_decryption_without_a_key_is_judged_by_the_key_of_the_ciphertext(
    kms: KmsClient, client: Clients
) -> None:
    mine, others = kms.key(), kms.key()
    ada = client(caller_arn=_ADA, iam_policies=_iam(_allow("kms:Decrypt", Resource=kms.arn(mine))))
    sealed = {key: kms("Encrypt", KeyId=key, Plaintext=b"x")["CiphertextBlob"] for key in (mine, others)}
    assert ada("Decrypt", CiphertextBlob=sealed[mine])["Plaintext"] == b"x"
    words = (
        f"User: {_ADA} is not authorized to perform: kms:Decrypt on the resource associated with this "
        "ciphertext because no identity-based policy allows the kms:Decrypt action"
    )
    ada.refused("Decrypt", "AccessDeniedException", words, CiphertextBlob=sealed[others])


def test_re_encryption_asks_for_both_of_its_actions(kms: KmsClient, client: Clients) -> None:
    source = _key(kms, _allow(["kms:ReEncryptFrom"], _APP))
    target = _key(kms, _allow(["kms:ReEncryptTo"], _APP))
    sealed = kms("Encrypt", KeyId=source, Plaintext=b"x")["CiphertextBlob"]
    app = client(caller_arn=_APP)
    app("ReEncrypt", CiphertextBlob=sealed, DestinationKeyId=target)
    refusal = app.refused(
        "ReEncrypt", "AccessDeniedException", CiphertextBlob=sealed, DestinationKeyId=source
    )
    assert f"kms:ReEncryptTo on resource: {kms.arn(source)} because" in refusal.message


def test_permission_comes_before_the_state_of_the_key(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    kms("DisableKey", KeyId=key_id)
    client(caller_arn=_ADA).refused("Encrypt", "AccessDeniedException", KeyId=key_id, Plaintext=b"x")


def test_a_dry_run_tells_a_permission_from_a_refusal(kms: KmsClient, client: Clients) -> None:
    key_id = _key(kms, _DELEGATED, _allow("kms:Encrypt", _APP))
    params: dict[str, Any] = {"KeyId": key_id, "Plaintext": b"x", "DryRun": True}
    client(caller_arn=_APP).refused("Encrypt", "DryRunOperationException", **params)
    client(caller_arn=_ADA).refused("Encrypt", "AccessDeniedException", **params)


_NEITHER = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a "
    "resource-based policy explicitly denies access"
)


def test_a_caller_of_another_account_needs_both_sides(kms: KmsClient, client: Clients) -> None:
    open_key = _key(kms, _DELEGATED, _allow("kms:Encrypt", "444455556666"))
    shut = _key(kms, _DELEGATED, _deny("kms:Encrypt", "*"))
    use = _iam(_allow("kms:*"))
    partner = client(caller_arn=_PARTNER, iam_policies=use)
    assert partner("Encrypt", KeyId=kms.arn(open_key), Plaintext=b"x")["KeyId"] == kms.arn(open_key)
    _refused(partner, _PARTNER, "Encrypt", kms.arn(shut), _NEITHER, KeyId=kms.arn(shut), Plaintext=b"x")
    _refused(
        client(caller_arn=_PARTNER),
        _PARTNER,
        "Encrypt",
        kms.arn(open_key),
        "because no identity-based policy allows the kms:Encrypt action",
        KeyId=kms.arn(open_key),
        Plaintext=b"x",
    )


def test_a_caller_of_another_account_lists_its_own_keys(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    partner = client(caller_arn=_PARTNER, iam_policies=_iam(_allow("kms:*")))
    assert partner("ListKeys")["Keys"] == []
    assert partner.backend.account_id == "444455556666"
    partner.refused("DescribeKey", "NotFoundException", KeyId=key_id)


def test_a_service_is_admitted_by_the_key_policy_alone(kms: KmsClient, client: Clients) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
        "Action": "kms:GenerateDataKey",
        "Resource": "*",
    }
    key_id = _key(kms, _DELEGATED, statement)
    logs = client(caller_arn="logs.eu-west-1.amazonaws.com")
    logs("GenerateDataKey", KeyId=kms.arn(key_id), KeySpec="AES_256")
    logs.refused("ListKeys", "AccessDeniedException")
    client(caller_arn="s3.amazonaws.com").refused(
        "GenerateDataKey", "AccessDeniedException", KeyId=key_id, KeySpec="AES_256"
    )


def test_an_aws_managed_key_is_viewed_through_iam_and_used_through_its_service_only(
    kms: KmsClient, client: Clients
) -> None:
    key_id = kms.describe("alias/aws/s3")["KeyId"]
    ada = client(caller_arn=_ADA, iam_policies=_iam(_allow("kms:*")))
    ada.describe(key_id)
    for operation, params in {"Encrypt": {"Plaintext": b"x"}, "DisableKey": {}}.items():
        _refused(
            ada,
            _ADA,
            operation,
            kms.arn(key_id),
            f"because no resource-based policy allows the kms:{operation} action",
            KeyId=key_id,
            **params,
        )


def test_the_administrator_is_refused_by_no_policy(kms: KmsClient) -> None:
    key_id = _key(kms, _deny("kms:*", "*"))
    kms.describe(key_id)
    kms("PutKeyPolicy", KeyId=key_id, Policy=_policy(_DELEGATED))


def test_a_replica_needs_leave_to_make_a_key_in_its_region(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key(MultiRegion=True)
    replicate = _allow("kms:ReplicateKey", Condition={"StringEquals": {"kms:ReplicaRegion": "us-east-1"}})
    ada = client(caller_arn=_ADA, iam_policies=_iam(replicate))
    refusal = ada.refused("ReplicateKey", "AccessDeniedException", KeyId=key_id, ReplicaRegion="us-east-1")
    assert "kms:CreateKey on resource: *" in refusal.message
    make = _allow("kms:CreateKey", Condition={"StringEquals": {"kms:MultiRegionKeyType": "REPLICA"}})
    ada = client(caller_arn=_ADA, iam_policies=_iam(replicate, make))
    refusal = ada.refused("ReplicateKey", "AccessDeniedException", KeyId=key_id, ReplicaRegion="us-east-2")
    assert "kms:ReplicateKey" in refusal.message
    ada("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")


def test_a_refusal_is_recorded_under_the_name_of_its_caller(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    ada = client(caller_arn=_ADA)
    ada.refused("DisableKey", "AccessDeniedException", KeyId=key_id)
    backend: Any = kms.backend.inner
    assert backend.store.one("SELECT caller, error, key_id FROM events ORDER BY row DESC") == (
        _ADA,
        "AccessDeniedException",
        key_id,
    )


def test_a_reference_that_is_none_is_refused_as_such(kms: KmsClient, client: Clients) -> None:
    key_id = _key(kms, _allow("kms:*", _APP))
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    app = client(caller_arn=_APP)
    app.refused("ReEncrypt", "NotFoundException", CiphertextBlob=sealed, DestinationKeyId="arn:nonsense")
    app.refused("DescribeKey", "InvalidArnException", KeyId="arn:nonsense")


def test_a_grant_that_a_service_makes_is_for_a_resource_of_aws(kms: KmsClient, client: Clients) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "rds.amazonaws.com"},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
    grant = {"KeyId": kms.arn(_key(kms, _DELEGATED, statement)), "GranteePrincipal": _ADA}
    client(caller_arn="rds.amazonaws.com")("CreateGrant", **grant, Operations=["Decrypt"])
    direct = _iam(_allow("kms:*", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}))
    client(caller_arn=_APP, iam_policies=direct).refused(
        "CreateGrant",
        "AccessDeniedException",
        GranteePrincipal=_ADA,
        KeyId=grant["KeyId"],
        Operations=["Decrypt"],
    )
