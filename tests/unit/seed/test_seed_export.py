"""A store as a seed: what it writes, and that an empty store which it fills exports the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.importing.import_operations import put_material
from kms_tui.backend.local.store.sources import SeededIds
from kms_tui.kms.errors import ServiceError
from kms_tui.seed.seed_application import apply_seed
from kms_tui.seed.seed_export import Exported, export_seed, seed_json, seed_yaml
from kms_tui.seed.seed_reading import read_seed
from tests.unit.seed.seeds import ACCOUNT, NOW, REGION, SEEDS, client, empty_store


def _again(exported: Exported, *, with_material: bool, as_json: bool = False) -> Exported:
    """What a store exports that the export has filled."""
    text = (seed_json if as_json else seed_yaml)(exported.members)
    with empty_store() as store:
        apply_seed(read_seed(text, name="s.json" if as_json else "s.yaml"), store)
        return export_seed(store, with_material=with_material)


@pytest.mark.parametrize("with_material", [False, True])
@pytest.mark.parametrize("as_json", [False, True])
def test_an_export_fills_a_store_that_exports_the_same(with_material: bool, as_json: bool) -> None:
    with empty_store() as store:
        apply_seed(read_seed(SEEDS / "accounts.yaml"), store)
        exported = export_seed(store, with_material=with_material)
    assert exported.left_out == ()
    assert len(exported.members["keys"]) == 9
    assert _again(exported, with_material=with_material, as_json=as_json) == exported


def test_without_material_an_export_holds_no_secret() -> None:
    with empty_store() as store:
        apply_seed(read_seed(SEEDS / "accounts.yaml"), store)
        without, whole = (seed_yaml(export_seed(store, with_material=each).members) for each in (False, True))
    assert "fixed" not in without.replace("fixtures", "")
    assert "PRIVATE KEY" not in without
    assert "5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9" in whole
    assert "-----BEGIN PRIVATE KEY-----\n" in whole


def test_ciphertexts_of_an_exported_store_are_those_of_the_one_it_fills() -> None:
    with empty_store() as store, empty_store() as other:
        kms = client(store)
        key_id = kms.call("CreateKey", {})["KeyMetadata"]["KeyId"]
        sealed = kms.call("Encrypt", {"KeyId": key_id, "Plaintext": b"hello"})["CiphertextBlob"]
        kms.call("RotateKeyOnDemand", {"KeyId": key_id})
        apply_seed(read_seed(export_seed(store, with_material=True).members), other)
        assert client(other).call("Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"hello"


def test_a_policy_keeps_its_text() -> None:
    text = json.dumps(_ADMINISTRATION)  # in one line, as no object is written
    with empty_store() as store:
        key_id = client(store).call("CreateKey", {"Policy": text})["KeyMetadata"]["KeyId"]
        exported = export_seed(store)
        assert exported.members["keys"][0]["policy"] == text
        assert _again(exported, with_material=False) == exported
        client(store).call("PutKeyPolicy", {"KeyId": key_id, "Policy": json.dumps(_ADMINISTRATION, indent=2)})
        assert export_seed(store).members["keys"][0]["policy"] == _ADMINISTRATION


def test_what_no_seed_has_is_told() -> None:
    with empty_store() as store:
        kms = client(store)
        kms.call("Encrypt", {"KeyId": "alias/aws/s3", "Plaintext": b"x"})
        managed = kms.call("DescribeKey", {"KeyId": "alias/aws/s3"})["KeyMetadata"]["KeyId"]
        grant = {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/r", "Operations": ["Decrypt"]}
        kms.call("CreateGrant", {"KeyId": managed, **grant})
        store_id = kms.call("CreateCustomKeyStore", _KEY_STORE)["CustomKeyStoreId"]
        kms.call("ConnectCustomKeyStore", {"CustomKeyStoreId": store_id})
        held = kms.call("CreateKey", {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store_id})
        in_store = held["KeyMetadata"]["KeyId"]
        exported = export_seed(store)
    assert [key["id"] for key in exported.members["keys"]] == [managed]
    assert exported.left_out == (
        f"The key {in_store} of account {ACCOUNT} in {REGION} is left out: it is of a custom key store.",
        f"The grants of {managed} of account {ACCOUNT} in {REGION}, an AWS managed key, are left out.",
    )


def test_an_empty_store_is_a_seed() -> None:
    with empty_store() as store:
        exported = export_seed(store)
    assert tuple(exported) == ({"version": 1, "account": ACCOUNT, "region": "us-east-1", "keys": []}, ())
    assert _again(exported, with_material=False) == exported


_KEY_STORE = {
    "CustomKeyStoreName": "store",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": "a password",
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n",
}
_ADMINISTRATION: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Grüße",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
_STEPS = st.sampled_from(
    ["rotate", "enable", "disable", "delete", "replicate", "grant", "alias", "wait", "describe"]
)


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(_STEPS, max_size=8),
    specs=st.lists(
        st.sampled_from(["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256"]), min_size=1, max_size=2
    ),
    text=_TEXT,
    with_material=st.booleans(),
    external=st.booleans(),
)
def test_whatever_a_store_has_lived_through(
    steps: list[str], specs: list[str], text: str, with_material: bool, external: bool
) -> None:
    """Calls as they come, some refused: the export of the store fills one that exports the same."""
    now = [NOW - timedelta(days=1000)]
    with open_store(clock=lambda: now[0], ids=SeededIds("lives")) as store:
        kms = client(store)
        key_ids = [_new_key(kms, spec, text, external) for spec in specs]
        for number, step in enumerate(steps):
            now[0] += timedelta(days=90) if step == "wait" else timedelta(hours=1)
            key_id = key_ids[number % len(key_ids)]
            for operation, params in _CALLS.get(step, lambda *_: ())(key_id, number, text):
                with suppress(ServiceError):
                    kms.call(operation, params)
        now[0] += timedelta(minutes=1)
        kms.call("ListKeys", {})  # what is due happens
        exported = export_seed(store, with_material=with_material)
    with open_store(clock=lambda: now[0], ids=SeededIds("others")) as other:
        apply_seed(read_seed(seed_yaml(exported.members)), other)
        assert export_seed(other, with_material=with_material).members == exported.members


def _new_key(kms: LocalBackend, spec: str, text: str, external: bool) -> str:
    usages = {"HMAC_256": "GENERATE_VERIFY_MAC", "ECC_NIST_P256": "SIGN_VERIFY"}
    external = external and spec == "SYMMETRIC_DEFAULT"
    params = {
        "KeySpec": spec,
        "KeyUsage": usages.get(spec, "ENCRYPT_DECRYPT"),
        "Description": text,
        "MultiRegion": True,
        "Origin": "EXTERNAL" if external else "AWS_KMS",
        "Tags": [{"TagKey": "key", "TagValue": text}],
    }
    key_id: str = kms.call("CreateKey", params)["KeyMetadata"]["KeyId"]
    if external:
        call = kms.begin("ImportKeyMaterial")
        call.params = {"KeyId": key_id, "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
        put_material(call, hashlib.sha256(text.encode()).digest())
    return key_id


_CALLS: Mapping[str, Any] = {
    "rotate": lambda key, _, __: [("RotateKeyOnDemand", {"KeyId": key})],
    "enable": lambda key, _, __: [("EnableKeyRotation", {"KeyId": key, "RotationPeriodInDays": 90})],
    "disable": lambda key, _, __: [("DisableKey", {"KeyId": key})],
    "delete": lambda key, _, __: [("ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 30})],
    "replicate": lambda key, number, text: [
        ("ReplicateKey", {"KeyId": key, "ReplicaRegion": f"eu-west-{number % 2 + 2}", "Description": text})
    ],
    "grant": lambda key, _, text: [
        (
            "CreateGrant",
            {
                "KeyId": key,
                "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/r",
                "Operations": [operation],
                "Constraints": {"EncryptionContextEquals": {"a": text}} if operation == "Decrypt" else {},
            },
        )
        for operation in ("Decrypt", "GenerateMac", "Sign")
    ],
    "alias": lambda key, number, _: [("CreateAlias", {"AliasName": f"alias/a{number}", "TargetKeyId": key})],
}
