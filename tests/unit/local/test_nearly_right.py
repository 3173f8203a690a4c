"""Requests that KMS takes, and the same with one member made worse: an answer of KMS each time.

``test_any_request`` asks anything at all, of which nine in ten are refused before they reach a key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.local_backend import OPERATIONS
from kms_tui.kms.errors import ServiceError
from tests.contract.client import KmsClient
from tests.contract.shapes import COMMON_ERRORS, operation_model, problems
from tests.unit.local.conftest import ACCOUNT, REGION, client_of
from tests.unit.local.imported import FOREVER, external, import_material, import_request
from tests.unit.local.test_last_uses import USES, sealed

_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": _ROOT}, "Action": "kms:*", "Resource": "*"},
    }
)
_CLUSTER = {
    "CustomKeyStoreName": "hsm",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": "kmsPswd123",
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----",
}

Made = Callable[[KmsClient], Mapping[str, Any]]


def _with_key(**params: Any) -> Made:
    return lambda kms: {"KeyId": kms.key(), **params}


def _use(operation: str) -> Made:
    def made(kms: KmsClient) -> Mapping[str, Any]:
        spec, params = USES[operation]
        key_id = kms.key(**spec)
        return {"KeyId": key_id, **params(kms, key_id)}

    return made


def _dying(kms: KmsClient) -> Mapping[str, Any]:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    return {"KeyId": key_id}


def _aliased(kms: KmsClient) -> Mapping[str, Any]:
    return {"AliasName": kms.alias(kms.key())}


def _granted(kms: KmsClient) -> Mapping[str, Any]:
    key_id = kms.key()
    grant = kms("CreateGrant", KeyId=key_id, GranteePrincipal=_ROOT, Operations=["Encrypt"])
    return {"KeyId": key_id, "GrantId": grant["GrantId"]}


def _imported(kms: KmsClient) -> Mapping[str, Any]:
    key_id = external(kms)
    import_material(kms, key_id)
    return {"KeyId": key_id}


def _replicated(kms: KmsClient) -> Mapping[str, Any]:
    key_id = kms.key(MultiRegion=True)
    kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    return {"KeyId": key_id, "PrimaryRegion": "us-east-1"}


def _key_store(*, connected: bool) -> Made:
    def made(kms: KmsClient) -> Mapping[str, Any]:
        store_id = kms("CreateCustomKeyStore", **_CLUSTER)["CustomKeyStoreId"]
        if connected:
            kms("ConnectCustomKeyStore", CustomKeyStoreId=store_id)
        return {"CustomKeyStoreId": store_id}

    return made


_WRAPPING = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
_SOUND: Mapping[str, Made] = {
    **{operation: _use(operation) for operation in USES},
    "CancelKeyDeletion": _dying,
    "ConnectCustomKeyStore": _key_store(connected=False),
    "CreateAlias": lambda kms: {"AliasName": "alias/a", "TargetKeyId": kms.key()},
    "CreateCustomKeyStore": lambda kms: _CLUSTER,
    "CreateGrant": _with_key(GranteePrincipal=_ROOT, Operations=["Encrypt", "Decrypt"]),
    "CreateKey": lambda kms: {"Description": "a key", "Policy": _POLICY},
    "DeleteAlias": _aliased,
    "DeleteCustomKeyStore": _key_store(connected=False),
    "DeleteImportedKeyMaterial": _imported,
    "DescribeCustomKeyStores": _key_store(connected=True),
    "DescribeKey": _with_key(),
    "DisableKey": _with_key(),
    "DisableKeyRotation": _with_key(),
    "DisconnectCustomKeyStore": _key_store(connected=True),
    "EnableKey": _with_key(),
    "EnableKeyRotation": _with_key(RotationPeriodInDays=90),
    "GenerateRandom": lambda kms: {"NumberOfBytes": 32},
    "GetKeyLastUsage": _with_key(),
    "GetKeyPolicy": _with_key(PolicyName="default"),
    "GetKeyRotationStatus": _with_key(),
    "GetParametersForImport": lambda kms: {"KeyId": external(kms), **_WRAPPING},
    "GetPublicKey": lambda kms: {"KeyId": kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")},
    "ImportKeyMaterial": lambda kms: {**import_request(kms, external(kms), bytes(32)), **FOREVER},
    "ListAliases": _with_key(Limit=5),
    "ListGrants": _granted,
    "ListKeyPolicies": _with_key(Limit=5),
    "ListKeyRotations": _with_key(IncludeKeyMaterial="ALL_KEY_MATERIAL"),
    "ListKeys": lambda kms: {"Limit": 5},
    "ListResourceTags": _with_key(Limit=5),
    "ListRetirableGrants": lambda kms: {"RetiringPrincipal": _ROOT},
    "PutKeyPolicy": _with_key(PolicyName="default", Policy=_POLICY),
    "ReEncrypt": lambda kms: {**sealed(kms, kms.key()), "DestinationKeyId": kms.key()},
    "ReplicateKey": lambda kms: {"KeyId": kms.key(MultiRegion=True), "ReplicaRegion": "us-east-1"},
    "RetireGrant": _granted,
    "RevokeGrant": _granted,
    "RotateKeyOnDemand": _with_key(),
    "ScheduleKeyDeletion": _with_key(PendingWindowInDays=7),
    "TagResource": _with_key(Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "UntagResource": _with_key(TagKeys=["a"]),
    "UpdateAlias": lambda kms: {**_aliased(kms), "TargetKeyId": kms.key()},
    "UpdateCustomKeyStore": lambda kms: {**_key_store(connected=False)(kms), "NewCustomKeyStoreName": "new"},
    "UpdateKeyDescription": _with_key(Description="another"),
    "UpdatePrimaryRegion": _replicated,
}
"""Operation -> a request that is answered, with what it needs made first."""

_WORSE = st.sampled_from(
    (None, "", "alias/none", "NONSENSE", "é", "\ud800", "x" * 5000, b"", bytes(5000), -1, 0, 10**20)
) | st.sampled_from((True, 1.5, [], ["x"] * 300, [{}], {}, {"a": 1}, "2026-01-01"))


def test_there_is_a_sound_request_of_every_operation() -> None:
    assert _SOUND.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("operation", sorted(_SOUND))
def test_a_sound_request_is_answered_and_a_worse_one_gets_an_answer_of_kms(operation: str) -> None:
    with open_store() as store:
        kms = client_of(store)
        kms(operation, **_SOUND[operation](kms))
    with open_store() as store:
        backend = LocalBackend(store, account_id=ACCOUNT, region=REGION)
        sound = _SOUND[operation](KmsClient(backend))
        model: Any = operation_model(operation)
        known = (
            COMMON_ERRORS | {shape.error_code for shape in model.error_shapes} | {"SerializationException"}
        )

        @settings(deadline=None, max_examples=30, database=None)
        @given(st.sampled_from(sorted(sound)), _WORSE)
        def ask(member: str, worse: Any) -> None:
            refusal, answer = "", {}
            try:
                answer = backend.call(operation, {**sound, member: worse})
            except ServiceError as error:
                refusal = error.code
            assert refusal in known or not refusal
            if not refusal and model.output_shape is not None:
                assert list(problems(model.output_shape, answer, operation)) == []

        ask()
