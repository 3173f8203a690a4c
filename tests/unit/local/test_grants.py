"""Grants: made, listed, ended, and what they let a caller do that no policy lets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.keys import grant_operations
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import Document, parse
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, START

_ADA = f"arn:aws:iam::{ACCOUNT}:user/ada"
_GRACE = f"arn:aws:iam::{ACCOUNT}:user/grace"
_APP = f"arn:aws:iam::{ACCOUNT}:role/app"
_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1"
_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
_PARTNER = "arn:aws:iam::444455556666:role/importer"
_SERVICE = "rds.eu-west-1.amazonaws.com"
_SOURCE = f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:reporting"

Clients = Callable[..., KmsClient]


def _grant(kms: KmsClient, key_id: str, grantee: str = _ADA, *operations: str, **more: Any) -> Any:
    return kms(
        "CreateGrant",
        KeyId=key_id,
        GranteePrincipal=grantee,
        Operations=list(operations or ("Encrypt", "Decrypt")),
        **more,
    )


def _iam(effect: str, *actions: str) -> tuple[Document]:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return (parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), identity=True),)


def _ids(kms: KmsClient, key_id: str, **filters: Any) -> list[str]:
    return [entry["GrantId"] for entry in kms.all("ListGrants", "Grants", KeyId=key_id, **filters)]


def test_a_grant_is_answered_with_what_it_has_and_nothing_else(kms: KmsClient) -> None:
    key_id = kms.key()
    made = _grant(kms, key_id)
    assert set(made) == {"GrantId", "GrantToken"}
    assert kms("ListGrants", KeyId=key_id) == {
        "Grants": [
            {
                "KeyId": kms.arn(key_id),
                "GrantId": made["GrantId"],
                "Name": "",
                "CreationDate": START,
                "GranteePrincipal": _ADA,
                "IssuingAccount": _ROOT,
                "Operations": ["Encrypt", "Decrypt"],
            }
        ],
        "Truncated": False,
    }


def test_a_grantee_needs_neither_policy_nor_token(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    ada = client(caller_arn=_ADA)
    ada.refused("Encrypt", "AccessDeniedException", KeyId=key_id, Plaintext=b"x")
    token = _grant(kms, key_id)["GrantToken"]
    sealed = ada("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert ada("Decrypt", CiphertextBlob=sealed, GrantTokens=[token])["Plaintext"] == b"x"
    ada.refused("DescribeKey", "AccessDeniedException", KeyId=key_id)
    client(caller_arn=_GRACE).refused(
        "Encrypt", "AccessDeniedException", KeyId=key_id, Plaintext=b"x", GrantTokens=[token]
    )


@pytest.mark.parametrize(
    ("grantee", "caller", "granted"),
    [
        (_APP, _APP, True),
        (_APP, _SESSION, True),
        (_SESSION, _SESSION, True),
        (_SESSION, _SESSION.replace("i-1", "i-2"), False),
        (_ROOT, _ROOT, True),
        (ACCOUNT, _ROOT, True),
        (_ROOT, _ADA, False),
        (_PARTNER, _PARTNER, False),
        ("arn:aws:iam::444455556666:root", _PARTNER, False),
        (f"arn:aws:iam::{ACCOUNT}:user/ADA", _ADA, False),
    ],
)
def test_a_grant_is_its_grantees_own(
    kms: KmsClient, client: Clients, grantee: str, caller: str, granted: bool
) -> None:
    policy = {"Statement": {"Effect": "Allow", "Principal": {"AWS": _GRACE}, "Action": "*", "Resource": "*"}}
    key_id = kms.key(Policy=json.dumps(policy), BypassPolicyLockoutSafetyCheck=True)
    _grant(kms, key_id, grantee)
    call: dict[str, Any] = {"KeyId": kms.arn(key_id), "Plaintext": b"x"}
    if granted:
        assert client(caller_arn=caller)("Encrypt", **call)["KeyId"] == kms.arn(key_id)
    else:
        client(caller_arn=caller).refused("Encrypt", "AccessDeniedException", **call)


def test_a_grantee_of_another_account_needs_its_own_accounts_iam_policy(
    kms: KmsClient, client: Clients
) -> None:
    arn = kms.arn(kms.key())
    _grant(kms, arn, _PARTNER)
    client(caller_arn=_PARTNER).refused(
        "Encrypt",
        "AccessDeniedException",
        f"User: {_PARTNER} is not authorized to perform: kms:Encrypt on resource: {arn} because no "
        "identity-based policy allows the kms:Encrypt action",
        KeyId=arn,
        Plaintext=b"x",
    )
    partner = client(caller_arn=_PARTNER, iam_policies=_iam("Allow", "kms:Encrypt"))
    partner("Encrypt", KeyId=arn, Plaintext=b"x")


def test_an_account_passes_its_grant_on_by_iam(kms: KmsClient, client: Clients) -> None:
    arn = kms.arn(kms.key())
    _grant(kms, arn, "arn:aws:iam::444455556666:root")
    partner = client(caller_arn=_PARTNER, iam_policies=_iam("Allow", "kms:Encrypt"))
    partner("Encrypt", KeyId=arn, Plaintext=b"x")
    administrator = client(account_id="444455556666")
    administrator("Encrypt", KeyId=arn, Plaintext=b"x")
    administrator.refused("DescribeKey", "AccessDeniedException", KeyId=arn)


def test_a_deny_wins_over_a_grant(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    _grant(kms, key_id)
    client(caller_arn=_ADA, iam_policies=_iam("Deny", "kms:Encrypt")).refused(
        "Encrypt", "AccessDeniedException", KeyId=key_id, Plaintext=b"x"
    )


def test_a_grant_ends_with_its_retirement_or_revocation(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    ada = client(caller_arn=_ADA)
    for end in ("RevokeGrant", "RetireGrant"):
        grant_id = _grant(kms, key_id)["GrantId"]
        ada("Encrypt", KeyId=key_id, Plaintext=b"x")
        kms(end, KeyId=key_id, GrantId=grant_id)
        ada.refused("Encrypt", "AccessDeniedException", KeyId=key_id, Plaintext=b"x")


def test_a_grant_ends_with_its_key(kms: KmsClient, store: Store) -> None:
    key_id = kms.key()
    _grant(kms, key_id)
    with store.write() as db:
        db.execute("DELETE FROM keys WHERE key_id = ?", (key_id,))
    assert store.one("SELECT count(*) FROM grants") == (0,)


@pytest.mark.parametrize(
    ("constraint", "context", "holds"),
    [
        ({"EncryptionContextEquals": {"team": "red"}}, {"team": "red"}, True),
        ({"EncryptionContextEquals": {"team": "red"}}, {"TEAM": "red"}, True),
        ({"EncryptionContextEquals": {"team": "red"}}, {"team": "RED"}, False),
        ({"EncryptionContextEquals": {"team": "red"}}, {"team": "red", "more": "x"}, False),
        ({"EncryptionContextEquals": {"team": "red"}}, {}, False),
        ({"EncryptionContextSubset": {"team": "red"}}, {"team": "red"}, True),
        ({"EncryptionContextSubset": {"team": "red"}}, {"team": "red", "more": "x"}, True),
        ({"EncryptionContextSubset": {"team": "red"}}, {"team": "blue", "more": "x"}, False),
        ({"EncryptionContextSubset": {"team": "red"}}, {}, False),
        ({"SourceArn": _SOURCE}, {}, False),
        ({}, {"team": "red"}, True),
    ],
)
def test_a_constraint_holds_by_the_encryption_context_of_the_request(
    kms: KmsClient, client: Clients, constraint: dict[str, Any], context: dict[str, str], holds: bool
) -> None:
    key_id = kms.key()
    _grant(kms, key_id, Constraints=constraint)
    ada = client(caller_arn=_ADA)
    call: dict[str, Any] = {"KeyId": key_id, "Plaintext": b"x", "EncryptionContext": context}
    if holds:
        ada("Encrypt", **call)
    else:
        ada.refused("Encrypt", "AccessDeniedException", **call)


def test_looking_at_the_key_is_not_constrained_by_an_encryption_context(
    kms: KmsClient, client: Clients
) -> None:
    key_id = kms.key()
    constraints = {"EncryptionContextEquals": {"team": "red"}}
    _grant(kms, key_id, _ADA, "DescribeKey", "Encrypt", Constraints=constraints)
    client(caller_arn=_ADA).describe(key_id)


def test_re_encryption_is_granted_side_by_side(kms: KmsClient, client: Clients) -> None:
    source, target = kms.key(), kms.key()
    _grant(kms, source, _ADA, "ReEncryptFrom")
    sealed = kms("Encrypt", KeyId=source, Plaintext=b"x")["CiphertextBlob"]
    ada, call = client(caller_arn=_ADA), {"CiphertextBlob": sealed, "DestinationKeyId": target}
    ada.refused("ReEncrypt", "AccessDeniedException", **call)
    _grant(kms, target, _ADA, "ReEncryptTo")
    ada("ReEncrypt", **call)


@pytest.mark.parametrize(
    ("operations", "constraints", "made"),
    [
        (["Decrypt"], {"EncryptionContextSubset": {"a": "1"}}, True),
        (["Decrypt", "CreateGrant"], {"EncryptionContextSubset": {"a": "1", "b": "2"}}, True),
        (["Decrypt"], {"EncryptionContextEquals": {"a": "1", "b": "2"}}, True),
        (["Decrypt"], {"EncryptionContextEquals": {"b": "2"}}, False),
        (["Decrypt"], {"EncryptionContextSubset": {"b": "2"}}, False),
        (["Decrypt"], {}, False),
        (["Decrypt", "Encrypt"], {"EncryptionContextSubset": {"a": "1"}}, False),
    ],
)
def test_a_grant_to_make_grants_makes_none_that_gives_more(
    kms: KmsClient, client: Clients, operations: list[str], constraints: dict[str, Any], made: bool
) -> None:
    key_id = kms.key()
    parent = {"EncryptionContextSubset": {"a": "1"}}
    _grant(kms, key_id, _ADA, "Decrypt", "CreateGrant", Constraints=parent)
    ada = client(caller_arn=_ADA)
    call: dict[str, Any] = {
        "KeyId": key_id,
        "GranteePrincipal": _GRACE,
        "Operations": operations,
        "Constraints": constraints,
    }
    if made:
        ada("CreateGrant", **call)
    else:
        ada.refused("CreateGrant", "AccessDeniedException", **call)


def test_a_grant_of_equal_contexts_passes_equal_contexts_on_only(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    equals = {"EncryptionContextEquals": {"a": "1"}}
    _grant(kms, key_id, _ADA, "Decrypt", "CreateGrant", Constraints=equals)
    ada = client(caller_arn=_ADA)
    call: dict[str, Any] = {"KeyId": key_id, "GranteePrincipal": _GRACE, "Operations": ["Decrypt"]}
    ada("CreateGrant", **call, Constraints=equals)
    narrower = {"EncryptionContextEquals": {"a": "1", "b": "2"}}
    for constraints in ({"EncryptionContextSubset": {"a": "1"}}, narrower):
        ada.refused("CreateGrant", "AccessDeniedException", **call, Constraints=constraints)


def test_a_key_policy_can_deny_what_the_grant_allows_its_retiring_principal(
    kms: KmsClient, client: Clients
) -> None:
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": _ROOT}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": _GRACE}, "Action": "kms:RetireGrant", "Resource": "*"},
    ]
    key_id = kms.key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    token = _grant(kms, key_id, _APP, RetiringPrincipal=_GRACE)["GrantToken"]
    refusal = client(caller_arn=_GRACE).refused("RetireGrant", "AccessDeniedException", GrantToken=token)
    assert refusal.message.endswith("with an explicit deny in a resource-based policy")
    assert len(_ids(kms, key_id)) == 1


@pytest.mark.parametrize(
    ("caller", "policies", "retires"),
    [
        (_GRACE, (), True),
        (_ADA, (), False),
        (_APP, (), False),
        (_APP, _iam("Allow", "kms:RetireGrant"), True),
        (_GRACE, _iam("Deny", "kms:RetireGrant"), False),
        (_ROOT, (), True),
        ("arn:aws:iam::444455556666:root", (), False),
        (_PARTNER, _iam("Allow", "kms:RetireGrant"), False),
    ],
)
def test_a_grant_says_who_may_retire_it(
    kms: KmsClient, client: Clients, caller: str, policies: tuple[Document, ...], retires: bool
) -> None:
    key_id = kms.key()
    token = _grant(kms, key_id, RetiringPrincipal=_GRACE)["GrantToken"]
    other = client(caller_arn=caller, iam_policies=policies)
    if retires:
        other("RetireGrant", GrantToken=token)
        assert _ids(kms, key_id) == []
    else:
        refusal = other.refused("RetireGrant", "AccessDeniedException", GrantToken=token)
        assert "is not authorized to perform: kms:RetireGrant on " in refusal.message
        assert len(_ids(kms, key_id)) == 1


def test_a_grantee_retires_the_grant_if_that_lets_it(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    token = _grant(kms, key_id, _ADA, "Encrypt", "RetireGrant")["GrantToken"]
    client(caller_arn=_ADA)("RetireGrant", GrantToken=token)
    assert _ids(kms, key_id) == []


def test_another_account_retires_what_was_made_retirable_by_it(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    arn = kms.arn(key_id)
    made = _grant(kms, key_id, RetiringPrincipal="arn:aws:iam::444455556666:root")
    theirs = client(account_id="444455556666")
    retirable = theirs("ListRetirableGrants", RetiringPrincipal="arn:aws:iam::444455556666:root")["Grants"]
    assert [(entry["KeyId"], entry["GrantId"]) for entry in retirable] == [(arn, made["GrantId"])]
    theirs("RetireGrant", KeyId=arn, GrantId=made["GrantId"])
    assert _ids(kms, key_id) == []


def test_the_account_that_made_a_grant_on_anothers_key_retires_it(kms: KmsClient, client: Clients) -> None:
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
        for root in (_ROOT, "arn:aws:iam::444455556666:root")
    ]
    key_id = kms.key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    theirs = client(account_id="444455556666")
    made = [_grant(theirs, kms.arn(key_id)) for _ in range(2)]
    for caller, policies in ((_PARTNER, ()), ("arn:aws:iam::777788889999:root", ())):
        client(caller_arn=caller, iam_policies=policies).refused(
            "RetireGrant", "AccessDeniedException", GrantToken=made[0]["GrantToken"]
        )
    theirs("RetireGrant", GrantToken=made[0]["GrantToken"])
    partner = client(caller_arn=_PARTNER, iam_policies=_iam("Allow", "kms:RetireGrant"))
    partner("RetireGrant", KeyId=kms.arn(key_id), GrantId=made[1]["GrantId"])
    assert _ids(kms, key_id) == []


def test_listing_retirable_grants_is_allowed_on_the_principal(kms: KmsClient, client: Clients) -> None:
    statement = {"Effect": "Allow", "Action": "kms:ListRetirableGrants", "Resource": _GRACE}
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), identity=True)
    ada = client(caller_arn=_ADA, iam_policies=(document,))
    assert ada("ListRetirableGrants", RetiringPrincipal=_GRACE)["Grants"] == []
    ada.refused(
        "ListRetirableGrants",
        "AccessDeniedException",
        f"User: {_ADA} is not authorized to perform: kms:ListRetirableGrants on resource: {_ADA} because no "
        "identity-based policy allows the kms:ListRetirableGrants action",
        RetiringPrincipal=_ADA,
    )


def test_a_token_is_good_as_long_as_its_grant(kms: KmsClient) -> None:
    key_id = kms.key()
    made = _grant(kms, key_id, Name="n")
    again = _grant(kms, key_id, Name="n")
    kms("Encrypt", KeyId=key_id, Plaintext=b"x", GrantTokens=[made["GrantToken"], again["GrantToken"]])
    kms("RetireGrant", GrantToken=again["GrantToken"])
    kms("Encrypt", KeyId=key_id, Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    kms.refused("RetireGrant", "NotFoundException", GrantToken=made["GrantToken"])


@pytest.mark.parametrize("token", ["x", "AAAA", "é", "A" * 88])
def test_what_is_no_token_is_refused(kms: KmsClient, token: str) -> None:
    key_id = kms.key()
    kms.refused("Encrypt", "InvalidGrantTokenException", KeyId=key_id, Plaintext=b"x", GrantTokens=[token])
    kms.refused("RetireGrant", "InvalidGrantTokenException", GrantToken=token)


def test_a_token_of_another_store_is_refused(kms: KmsClient) -> None:
    with open_store() as other:
        theirs = KmsClient(LocalBackend(other, account_id=ACCOUNT, region="eu-west-1"))
        token = _grant(theirs, theirs.key())["GrantToken"]
    kms.refused("RetireGrant", "InvalidGrantTokenException", GrantToken=token)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"GrantId": "0" * 64},
        {"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
        {"GrantToken": "x", "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "GrantId": "0" * 64},
    ],
)
def test_a_grant_to_retire_is_told_in_one_way(kms: KmsClient, params: dict[str, str]) -> None:
    kms.refused("RetireGrant", "ValidationException", **params)


@pytest.mark.parametrize("grant_id", ["x", "0" * 63, "G" * 64, "0" * 65])
def test_what_has_not_the_form_of_a_grant_id_is_nobodys(kms: KmsClient, grant_id: str) -> None:
    key_id = kms.key()
    kms.refused("ListGrants", "InvalidGrantIdException", KeyId=key_id, GrantId=grant_id)
    for operation in ("RevokeGrant", "RetireGrant"):
        words = f"Grant ID {grant_id} not found"
        kms.refused(operation, "NotFoundException", words, KeyId=key_id, GrantId=grant_id)


def test_a_grant_of_another_key_is_not_found(kms: KmsClient) -> None:
    grant_id = _grant(kms, kms.key())["GrantId"]
    other = kms.key()
    words = f"Grant ID {grant_id} not found"
    for operation in ("RevokeGrant", "RetireGrant"):
        kms.refused(operation, "NotFoundException", words, KeyId=other, GrantId=grant_id)


@pytest.mark.parametrize(
    "principal",
    [
        "ada",
        f"arn:aws:iam::{ACCOUNT}:group/admins",
        "arn:aws:iam::1:user/ada",
        "AIDAAAAABBBB",
        f"arn:aws-cn:iam::{ACCOUNT}:user/ada",
        "rds.example.com",
        "rds.cn-north-1.amazonaws.com",
        "rds.amazonaws.com.cn",
        "amazonaws.com",
    ],
)
@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
def test_what_is_no_principal_is_refused(kms: KmsClient, member: str, principal: str) -> None:
    params = {"GranteePrincipal": _ADA, member: principal}
    kms.refused("CreateGrant", "InvalidArnException", KeyId=kms.key(), Operations=["Encrypt"], **params)


def test_a_service_is_a_principal_like_any_other(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    made = _grant(kms, key_id, _SERVICE, RetiringPrincipal=_SERVICE)
    (entry,) = kms("ListGrants", KeyId=key_id, GranteePrincipal=_SERVICE)["Grants"]
    assert entry["GranteePrincipal"] == entry["RetiringPrincipal"] == _SERVICE
    assert kms("ListRetirableGrants", RetiringPrincipal=_SERVICE)["Grants"] == [entry]
    service, key_arn = client(caller_arn=_SERVICE), kms.arn(key_id)
    sealed = service("Encrypt", KeyId=key_arn, Plaintext=b"x")["CiphertextBlob"]
    assert service("Decrypt", KeyId=key_arn, CiphertextBlob=sealed)["Plaintext"] == b"x"
    service.refused("DescribeKey", "AccessDeniedException", KeyId=key_arn)
    other = client(caller_arn="dynamodb.eu-west-1.amazonaws.com")
    other.refused("Encrypt", "AccessDeniedException", KeyId=key_arn, Plaintext=b"x")
    other.refused("RetireGrant", "AccessDeniedException", GrantToken=made["GrantToken"])
    service("RetireGrant", GrantToken=made["GrantToken"])
    assert _ids(kms, key_id) == []


@pytest.mark.parametrize("equals", [{"a": "1"}, {}], ids=["pairs", "empty"])
def test_a_grant_has_one_constraint_on_the_encryption_context(kms: KmsClient, equals: dict[str, str]) -> None:
    kms.refused(
        "CreateGrant",
        "ValidationException",
        "More than one constraint supplied",
        KeyId=kms.key(),
        GranteePrincipal=_ADA,
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": equals, "EncryptionContextSubset": {"a": "1"}},
    )


def test_a_grant_gives_more_than_leave_to_make_grants(kms: KmsClient) -> None:
    for operations in (["CreateGrant"], []):
        kms.refused(
            "CreateGrant",
            "ValidationException",
            "Grants must not contain only the CreateGrant operation.",
            KeyId=kms.key(),
            GranteePrincipal=_ADA,
            Operations=operations,
        )


@pytest.mark.parametrize(
    ("spec", "usage"),
    [("RSA_2048", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "SIGN_VERIFY")],
)
@pytest.mark.parametrize("member", ["EncryptionContextEquals", "EncryptionContextSubset"])
def test_only_symmetric_keys_have_encryption_contexts(
    kms: KmsClient, spec: str, usage: str, member: str
) -> None:
    kms.refused(
        "CreateGrant",
        "ValidationException",
        KeyId=kms.key(KeySpec=spec, KeyUsage=usage),
        GranteePrincipal=_ADA,
        Operations=["DescribeKey"],
        Constraints={member: {"a": "b"}},
    )


def _to_service(kms: KmsClient, key_id: str, **changes: Any) -> dict[str, Any]:
    params = {
        "KeyId": key_id,
        "GranteeServicePrincipal": _SERVICE,
        "RetiringServicePrincipal": _SERVICE,
        "Operations": ["Decrypt"],
        "Constraints": {"SourceArn": _SOURCE},
        **changes,
    }
    return {name: value for name, value in params.items() if value is not None}


def test_a_grant_to_a_service_is_for_one_resource_of_it(kms: KmsClient, client: Clients) -> None:
    key_id = kms.key()
    grant_id = kms("CreateGrant", **_to_service(kms, key_id))["GrantId"]
    (entry,) = kms("ListGrants", KeyId=key_id, GranteeServicePrincipal=_SERVICE)["Grants"]
    assert entry["GranteeServicePrincipal"] == entry["RetiringServicePrincipal"] == _SERVICE
    assert entry["Constraints"] == {"SourceArn": _SOURCE}
    assert "GranteePrincipal" not in entry
    assert kms("ListRetirableGrants", RetiringServicePrincipal=_SERVICE)["Grants"] == [entry]
    client(caller_arn=_SERVICE)("RetireGrant", KeyId=kms.arn(key_id), GrantId=grant_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"Constraints": None},
        {"RetiringServicePrincipal": None},
        {"RetiringPrincipal": _GRACE},
        {"GranteePrincipal": _ADA},
    ],
)
def test_a_grant_to_a_service_is_complete(kms: KmsClient, changes: dict[str, Any]) -> None:
    kms.refused("CreateGrant", "ValidationException", **_to_service(kms, kms.key(), **changes))


@pytest.mark.parametrize("filters", [{}, {"RetiringPrincipal": _GRACE, "RetiringServicePrincipal": _SERVICE}])
def test_retirable_grants_are_listed_for_one_principal(kms: KmsClient, filters: dict[str, str]) -> None:
    kms.refused("ListRetirableGrants", "ValidationException", **filters)


def test_grants_come_in_pages_of_fifty_and_at_most_a_hundred(kms: KmsClient) -> None:
    key_id = kms.key()
    made = [_grant(kms, key_id, RetiringPrincipal=_GRACE)["GrantId"] for _ in range(51)]
    first = kms("ListGrants", KeyId=key_id)
    assert (len(first["Grants"]), first["Truncated"]) == (50, True)
    assert _ids(kms, key_id, Limit=7) == made
    for operation, subject in (
        ("ListGrants", {"KeyId": key_id}),
        ("ListRetirableGrants", {"RetiringPrincipal": _GRACE}),
    ):
        pages = kms.all(operation, "Grants", **subject, Limit=20)
        assert [entry["GrantId"] for entry in pages] == made
        kms.refused(operation, "ValidationException", **subject, Limit=101)
        kms.refused(operation, "InvalidMarkerException", **subject, Marker="x")
    kms.refused("ListGrants", "InvalidMarkerException", KeyId=kms.key(), Marker=first["NextMarker"])


def test_retirable_grants_are_those_of_the_region(kms: KmsClient) -> None:
    _grant(kms, kms.key(), RetiringPrincipal=_GRACE)
    assert kms.in_region("us-east-1")("ListRetirableGrants", RetiringPrincipal=_GRACE)["Grants"] == []


def test_a_key_has_only_so_many_grants(kms: KmsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grant_operations, "MAX_GRANTS", 2)
    key_id = kms.key()
    for number in range(2):
        _grant(kms, key_id, Name=f"n{number}")
    _grant(kms, key_id, Name="n1")
    kms.refused(
        "CreateGrant", "LimitExceededException", KeyId=key_id, GranteePrincipal=_ADA, Operations=["Encrypt"]
    )


def test_the_order_of_operations_makes_no_other_grant(kms: KmsClient) -> None:
    key_id = kms.key()
    first = _grant(kms, key_id, _ADA, "Encrypt", "Decrypt", Name="n")
    again = _grant(kms, key_id, _ADA, "Decrypt", "Encrypt", "Decrypt", Name="n")
    assert first["GrantId"] == again["GrantId"]
    assert _grant(kms, key_id, _GRACE, "Encrypt", "Decrypt", Name="n")["GrantId"] != first["GrantId"]


def test_aliases_do_not_name_the_key_of_a_grant(kms: KmsClient) -> None:
    alias = kms.alias(kms.key())
    for reference in (alias, kms.alias_arn(alias)):
        kms.refused(
            "ListGrants",
            "InvalidArnException",
            "Key Aliases are not supported for this operation.",
            KeyId=reference,
        )


def test_tokens_are_not_written_down(kms: KmsClient, store: Store) -> None:
    key_id = kms.key()
    token = _grant(kms, key_id)["GrantToken"]
    kms("Encrypt", KeyId=key_id, Plaintext=b"x", GrantTokens=[token])
    assert not any(token in str(row) for row in store.rows("SELECT * FROM events"))


_MEMBERS = ("EncryptionContextEquals", "EncryptionContextSubset")
_PAIRS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)


@settings(deadline=None, max_examples=60)
@given(member=st.sampled_from(_MEMBERS), pairs=_PAIRS, context=_PAIRS)
def test_constraints_mean_what_they_say(member: str, pairs: dict[str, str], context: dict[str, str]) -> None:
    with open_store() as store:
        kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region="eu-west-1"))
        key_id = kms.key()
        _grant(kms, key_id, Constraints={member: pairs})
        expected = all(context.get(name) == value for name, value in pairs.items())
        if member == "EncryptionContextEquals" and pairs:
            expected = pairs == context
        ada = LocalBackend(store, account_id=ACCOUNT, region="eu-west-1", caller_arn=_ADA)
        try:
            ada.call("Encrypt", {"KeyId": key_id, "Plaintext": b"x", "EncryptionContext": context})
            allowed = True
        except ServiceError as error:
            allowed = not error.denied
        assert allowed == expected
