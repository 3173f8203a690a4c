"""CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kms_tui.kms.errors import ServiceError
from tests.contract.client import KmsClient


def user(kms: KmsClient, name: str = "ada") -> str:
    return f"arn:aws:iam::{kms.backend.account_id}:user/{name}"


def grant(kms: KmsClient, key_id: str, **params: Any) -> Any:
    given = {"GranteePrincipal": user(kms), "Operations": ["Encrypt", "Decrypt"], **params}
    return kms("CreateGrant", KeyId=key_id, **given)


def listed(kms: KmsClient, key_id: str, **params: Any) -> list[str]:
    return [entry["GrantId"] for entry in kms.all("ListGrants", "Grants", KeyId=key_id, **params)]


def test_a_grant_has_an_id_and_a_token(kms: KmsClient) -> None:
    answer = grant(kms, kms.key())
    assert len(answer["GrantId"]) == 64
    assert int(answer["GrantId"], 16) > 0
    assert answer["GrantToken"]


def test_a_grant_is_listed_as_it_was_made(kms: KmsClient) -> None:
    key_id = kms.key()
    made = grant(
        kms,
        key_id,
        RetiringPrincipal=user(kms, "grace"),
        Name="nightly",
        Constraints={"EncryptionContextSubset": {"team": "payments"}},
    )
    (entry,) = kms("ListGrants", KeyId=key_id)["Grants"]
    assert entry["GrantId"] == made["GrantId"]
    assert entry["KeyId"].endswith(key_id)
    assert entry["GranteePrincipal"] == user(kms)
    assert entry["RetiringPrincipal"] == user(kms, "grace")
    assert entry["Name"] == "nightly"
    assert sorted(entry["Operations"]) == ["Decrypt", "Encrypt"]
    assert entry["Constraints"] == {"EncryptionContextSubset": {"team": "payments"}}


def test_a_grant_tells_who_made_it_and_when(kms: KmsClient) -> None:
    key_id = kms.key()
    grant(kms, key_id)
    (entry,) = kms("ListGrants", KeyId=key_id)["Grants"]
    assert entry["IssuingAccount"] == f"arn:aws:iam::{kms.backend.account_id}:root"
    assert abs(datetime.now(UTC) - entry["CreationDate"]) < timedelta(minutes=1)


def test_the_same_grant_of_one_name_is_made_once(kms: KmsClient) -> None:
    key_id = kms.key()
    first, second = grant(kms, key_id, Name="n"), grant(kms, key_id, Name="n")
    assert first["GrantId"] == second["GrantId"]
    assert first["GrantToken"] != second["GrantToken"]
    assert listed(kms, key_id) == [first["GrantId"]]


def test_another_grant_of_one_name_is_another(kms: KmsClient) -> None:
    key_id = kms.key()
    first = grant(kms, key_id, Name="n")
    second = grant(kms, key_id, Name="n", Operations=["Encrypt"])
    assert first["GrantId"] != second["GrantId"]
    assert len(listed(kms, key_id)) == 2


def test_grants_without_a_name_are_all_different(kms: KmsClient) -> None:
    key_id = kms.key()
    assert grant(kms, key_id)["GrantId"] != grant(kms, key_id)["GrantId"]


@pytest.mark.parametrize(
    ("spec", "usage", "operation"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "Sign"),
        ("RSA_2048", "SIGN_VERIFY", "Encrypt"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "GenerateDataKey"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "GetPublicKey"),
        ("ECC_NIST_P256", "KEY_AGREEMENT", "Verify"),
    ],
    ids=lambda value: value,
)
def test_a_grant_of_what_the_key_cannot_do_is_refused(
    kms: KmsClient, spec: str, usage: str, operation: str
) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    kms.refused(
        "CreateGrant", "ValidationException", KeyId=key_id, GranteePrincipal=user(kms), Operations=[operation]
    )


@pytest.mark.parametrize("operations", [["ScheduleKeyDeletion"], ["ReEncrypt"], ["*"]], ids=str)
def test_a_grant_of_what_grants_cannot_give_is_refused(kms: KmsClient, operations: list[str]) -> None:
    kms.refused(
        "CreateGrant",
        "ValidationException",
        KeyId=kms.key(),
        GranteePrincipal=user(kms),
        Operations=operations,
    )


@pytest.mark.parametrize(
    "principals",
    [
        {},
        {
            "GranteePrincipal": "arn:aws:iam::111122223333:user/ada",
            "GranteeServicePrincipal": "rds.amazonaws.com",
        },
    ],
    ids=["none", "both"],
)
def test_a_grant_has_one_grantee(kms: KmsClient, principals: dict[str, str]) -> None:
    kms.refused("CreateGrant", "ValidationException", KeyId=kms.key(), Operations=["Encrypt"], **principals)


@pytest.mark.parametrize(
    "context", [{str(n): "v" for n in range(9)}, {"k": "v" * 385}], ids=["nine pairs", "long value"]
)
def test_a_constraint_has_eight_pairs_of_384_characters_at_most(
    kms: KmsClient, context: dict[str, str]
) -> None:
    kms.refused(
        "CreateGrant",
        "ValidationException",
        KeyId=kms.key(),
        GranteePrincipal=user(kms),
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": context},
    )


def test_a_grant_has_one_constraint_on_the_encryption_context(kms: KmsClient) -> None:
    kms.refused(
        "CreateGrant",
        "ValidationException",
        "More than one constraint supplied",
        KeyId=kms.key(),
        GranteePrincipal=user(kms),
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": {"a": "1"}, "EncryptionContextSubset": {"a": "1"}},
    )


def test_a_service_can_be_given_a_grant_and_retire_it(kms: KmsClient) -> None:
    key_id, service = kms.key(), "dynamodb.us-west-1.amazonaws.com"
    made = grant(kms, key_id, GranteePrincipal=service, RetiringPrincipal=service)
    (entry,) = kms("ListGrants", KeyId=key_id)["Grants"]
    assert entry["GranteePrincipal"] == entry["RetiringPrincipal"] == service
    retirable = kms.all("ListRetirableGrants", "Grants", RetiringPrincipal=service)
    assert [each["GrantId"] for each in retirable] == [made["GrantId"]]


def test_grants_are_listed_by_id_and_grantee(kms: KmsClient) -> None:
    key_id = kms.key()
    mine = grant(kms, key_id)["GrantId"]
    other = grant(kms, key_id, GranteePrincipal=user(kms, "grace"))["GrantId"]
    assert sorted(listed(kms, kms.arn(key_id))) == sorted([mine, other])
    assert listed(kms, key_id, GrantId=other) == [other]
    assert listed(kms, key_id, GranteePrincipal=user(kms, "grace")) == [other]


def test_grants_of_one_key_are_not_anothers(kms: KmsClient) -> None:
    key_id, other = kms.key(), kms.key()
    grant(kms, key_id)
    assert listed(kms, other) == []


def test_a_revoked_grant_is_gone(kms: KmsClient) -> None:
    key_id = kms.key()
    made = grant(kms, key_id)
    assert kms("RevokeGrant", KeyId=key_id, GrantId=made["GrantId"]) == {}
    assert listed(kms, key_id) == []


def test_a_grant_that_does_not_exist_cannot_be_revoked(kms: KmsClient) -> None:
    kms.refused("RevokeGrant", "NotFoundException", KeyId=kms.key(), GrantId="0" * 64)


@pytest.mark.parametrize("by", ["token", "id"])
def test_a_retired_grant_is_gone(kms: KmsClient, by: str) -> None:
    key_id = kms.key()
    made = grant(kms, key_id)
    by_id = {"KeyId": kms.arn(key_id), "GrantId": made["GrantId"]}
    assert kms("RetireGrant", **({"GrantToken": made["GrantToken"]} if by == "token" else by_id)) == {}
    assert listed(kms, key_id) == []


def test_a_token_that_names_no_grant_cannot_be_retired(kms: KmsClient) -> None:
    with pytest.raises(ServiceError):
        kms("RetireGrant", GrantToken="not-a-token")


def test_grants_are_listed_for_those_who_may_retire_them(kms: KmsClient) -> None:
    key_id = kms.key()
    mine = grant(kms, key_id, RetiringPrincipal=user(kms, "grace"))["GrantId"]
    grant(kms, key_id)
    retirable = kms.all("ListRetirableGrants", "Grants", RetiringPrincipal=user(kms, "grace"))
    assert [entry["GrantId"] for entry in retirable] == [mine]


def test_a_disabled_key_gets_no_grants(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("DisableKey", KeyId=key_id)
    kms.refused(
        "CreateGrant",
        "DisabledException",
        f"{kms.arn(key_id)} is disabled.",
        KeyId=key_id,
        GranteePrincipal=user(kms),
        Operations=["Encrypt"],
    )


def test_a_key_pending_deletion_gets_no_grants_and_can_lose_those_it_has(kms: KmsClient) -> None:
    key_id = kms.key()
    first, second = grant(kms, key_id), grant(kms, key_id)
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms.refused(
        "CreateGrant",
        "KMSInvalidStateException",
        f"{kms.arn(key_id)} is pending deletion.",
        KeyId=key_id,
        GranteePrincipal=user(kms),
        Operations=["Encrypt"],
    )
    assert len(listed(kms, key_id)) == 2
    kms("RevokeGrant", KeyId=key_id, GrantId=first["GrantId"])
    kms("RetireGrant", GrantToken=second["GrantToken"])
    assert listed(kms, key_id) == []


SUCCESS = "The request would have succeeded, but the DryRun option is set."


def test_a_grant_can_be_tried_without_being_made(kms: KmsClient) -> None:
    key_id = kms.key()
    kms.refused(
        "CreateGrant",
        "DryRunOperationException",
        SUCCESS,
        KeyId=key_id,
        GranteePrincipal=user(kms),
        Operations=["Encrypt"],
        DryRun=True,
    )
    assert listed(kms, key_id) == []


@pytest.mark.parametrize("operation", ["RevokeGrant", "RetireGrant"])
def test_ending_a_grant_can_be_tried_without_ending_it(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    made = grant(kms, key_id)["GrantId"]
    kms.refused(
        operation, "DryRunOperationException", SUCCESS, KeyId=kms.arn(key_id), GrantId=made, DryRun=True
    )
    assert listed(kms, key_id) == [made]


def test_grants_are_paged(kms: KmsClient) -> None:
    key_id = kms.key()
    made = {grant(kms, key_id)["GrantId"] for _ in range(5)}
    pages = list(kms.pages("ListGrants", KeyId=key_id, Limit=2))
    assert [len(page["Grants"]) for page in pages] == [2, 2, 1]
    assert {entry["GrantId"] for page in pages for entry in page["Grants"]} == made


def test_a_page_of_grants_has_its_sizes(kms: KmsClient) -> None:
    key_id = kms.key()
    for _ in range(51):
        grant(kms, key_id)
    assert len(kms("ListGrants", KeyId=key_id)["Grants"]) == 50
    assert len(kms("ListGrants", KeyId=key_id, Limit=100)["Grants"]) == 51
    kms.refused("ListGrants", "ValidationException", KeyId=key_id, Limit=101)
    kms.refused("ListGrants", "InvalidMarkerException", KeyId=key_id, Marker="x")
