"""Verification: a sound store has no problems, and each thing that is wrong is told once, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.store.store_verification import find_problems
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION, TestClock
from tests.unit.local.imported import external, import_material, rotated

_CLUSTER = {
    "CustomKeyStoreName": "hsm",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": "kmsPswd123",
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----",
}
_PLACE = f"{ACCOUNT}/{REGION}/"


def _connected(kms: KmsClient) -> str:
    store_id = str(kms("CreateCustomKeyStore", **_CLUSTER)["CustomKeyStoreId"])
    kms("ConnectCustomKeyStore", CustomKeyStoreId=store_id)
    return store_id


def _found(store: Store) -> list[tuple[str, str]]:
    return [(problem.subject, problem.sentence) for problem in find_problems(store)]


def test_a_store_in_which_everything_has_happened_is_sound(
    kms: KmsClient, store: Store, clock: TestClock
) -> None:
    for spec, usage in (
        ("RSA_2048", "SIGN_VERIFY"),
        ("HMAC_224", "GENERATE_VERIFY_MAC"),
        ("ML_DSA_44", "SIGN_VERIFY"),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
    ):
        kms.key(KeySpec=spec, KeyUsage=usage)
    rotating, shared = kms.key(), kms.key(MultiRegion=True)
    kms("EnableKeyRotation", KeyId=rotating, RotationPeriodInDays=90)
    kms.alias(rotating)
    kms("CreateGrant", KeyId=rotating, GranteePrincipal=ACCOUNT, Operations=["Encrypt"])
    kms("ReplicateKey", KeyId=shared, ReplicaRegion="us-east-1")
    kms("EnableKeyRotation", KeyId=shared)
    kms("ScheduleKeyDeletion", KeyId=shared)
    kms.describe("alias/aws/s3")
    external(kms)
    rotated(kms, external(kms))
    missing = external(kms, MultiRegion=True)
    import_material(kms, missing)
    kms("ReplicateKey", KeyId=missing, ReplicaRegion="us-east-1")
    kms("DeleteImportedKeyMaterial", KeyId=missing)
    key_store = _connected(kms)
    kms.key(CustomKeyStoreId=key_store, Origin="AWS_CLOUDHSM")
    kms("DisconnectCustomKeyStore", CustomKeyStoreId=key_store)
    clock.advance(days=100)
    kms("ListKeys")
    assert _found(store) == []


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("usage", "SIGN_VERIFY", "a key of spec SYMMETRIC_DEFAULT has no usage SIGN_VERIFY"),
        ("spec", "AES_512", "there is no key spec AES_512"),
        ("origin", "ELSEWHERE", "ELSEWHERE is no KeyOrigin"),
        ("manager", "NOBODY", "NOBODY is no KeyManager"),
        ("state", "Gone", "Gone is no KeyState"),
        ("next_rotation_at", 1, "what is due for it next was not noted"),
        ("pending_window", 7, "its state and its waiting period before deletion do not go together"),
    ],
)
def test_a_key_that_cannot_be_is_told(
    kms: KmsClient, store: Store, column: str, value: Any, sentence: str
) -> None:
    key_id = kms.key()
    kms.key()
    with store.write() as db:
        db.execute(f"UPDATE keys SET {column} = ? WHERE key_id = ?", (value, key_id))
    assert (_PLACE + key_id, sentence) in _found(store)
    assert {subject for subject, _ in _found(store)} == {_PLACE + key_id}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("wrapped = randomblob(60)", "it does not unwrap: it was changed, or is of another store"),
        ("wrapped = zeroblob(3)", "it does not unwrap: it was changed, or is of another store"),
        ("material_id = 'm'", "it does not unwrap: it was changed, or is of another store"),
        ("wrapped = NULL", "it is missing"),
        ("state = 'OLD'", "there is no state OLD"),
        ("import_state = 'IMPORTED'", "its import state and the key's origin do not go together"),
    ],
)
def test_key_material_that_is_not_sound_is_told(
    kms: KmsClient, store: Store, change: str, sentence: str
) -> None:
    key_id = kms.key()
    kms.key()
    with store.write() as db:
        db.execute(
            f"UPDATE materials SET {change} WHERE key = (SELECT row FROM keys WHERE key_id = ?)", (key_id,)
        )
    found = _found(store)
    assert {subject for subject, _ in found} == {_PLACE + key_id}
    assert next(text for _, text in found if text.startswith("key material")).endswith(f": {sentence}")


def test_material_of_another_kind_is_told(kms: KmsClient, store: Store) -> None:
    key_id = kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    row = store.one("SELECT material_id FROM materials")
    assert row is not None
    wrapped = store.root_key.wrap(key_id, row[0], b"no private key")
    with store.write() as db:
        db.execute("UPDATE materials SET wrapped = ?", (wrapped,))
    assert _found(store) == [
        (_PLACE + key_id, f"key material {row[0]}: it is none of key spec ECC_NIST_P256")
    ]


def test_a_key_without_its_material_is_told(kms: KmsClient, store: Store) -> None:
    key_id = kms.key()
    with store.write() as db:
        db.execute("DELETE FROM materials")
    assert _found(store) == [(_PLACE + key_id, "it has 0 current key materials")]


def test_imported_material_that_is_missing_unnoticed_is_told(kms: KmsClient, store: Store) -> None:
    key_id = external(kms)
    import_material(kms, key_id)
    with store.write() as db:
        db.execute("UPDATE materials SET wrapped = NULL, import_state = 'PENDING_IMPORT'")
    assert _found(store) == [(_PLACE + key_id, "key material is missing, yet it is Enabled")]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM policies", "it has no key policy"),
        ("UPDATE policies SET text = '{'", "its key policy cannot be read"),
    ],
)
def test_a_policy_that_is_not_sound_is_told(
    kms: KmsClient, store: Store, statement: str, sentence: str
) -> None:
    key_id = kms.key()
    with store.write() as db:
        db.execute(statement)
    assert _found(store) == [(_PLACE + key_id, sentence)]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE keys SET primary_region = 'us-east-1' WHERE region = 'eu-west-1'",
         "the multi-Region key has 0 primary keys"),
        ("UPDATE keys SET rotation_period = 90 WHERE region = 'us-east-1'",
         "its related keys differ in rotation_period"),
        ("DELETE FROM materials WHERE key = 2", "it has 0 current key materials"),
        ("UPDATE materials SET material_id = '0' WHERE key = 2",
         "its related keys differ in their key material"),
    ],
)  # fmt: skip
def test_related_keys_that_differ_are_told(
    kms: KmsClient, store: Store, statement: str, sentence: str
) -> None:
    key_id = kms.key(MultiRegion=True)
    kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    with store.write() as db:
        db.execute(statement)
    assert sentence in [text for _, text in _found(store)]


def test_aliases_grants_and_key_stores_are_looked_at_too(kms: KmsClient, store: Store) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    granted = {"KeyId": key_id, "GranteePrincipal": ACCOUNT, "Operations": ["Encrypt"]}
    grant_id = kms("CreateGrant", **granted)["GrantId"]
    key_store = _connected(kms)
    first, second = (kms.key(CustomKeyStoreId=key_store, Origin="AWS_CLOUDHSM") for _ in range(2))
    with store.write() as db:
        db.execute("UPDATE aliases SET region = 'us-east-1'")
        db.execute("UPDATE grants SET operations = 'x'")
        db.execute("UPDATE keys SET available = 0 WHERE key_id = ?", (first,))
        db.execute("UPDATE keys SET custom_key_store_id = 'cks-0' WHERE key_id = ?", (second,))
    assert _found(store) == [
        (f"{ACCOUNT}/us-east-1/{alias}", "the alias is of another account or Region than its key"),
        (f"grant {grant_id}", "its operations or constraints cannot be read"),
        (_PLACE + first, "its custom key store is CONNECTED, and it does not know"),
        (_PLACE + second, "its custom key store cks-0 is not there"),
    ]


def test_rows_without_their_key_are_told(kms: KmsClient, store: Store) -> None:
    kms.key()
    store.rows("PRAGMA foreign_keys = OFF")
    with store.write() as db:
        db.execute("INSERT INTO tags (key, tag_key, tag_value) VALUES (99, 'a', 'b')")
    assert _found(store) == [("file", "row 1 of tags belongs to a row of keys that is not there")]


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_no_change_of_wrapped_material_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path: Path = tmp_path_factory.mktemp("verify") / "store.db"
    with open_store(path) as store:
        kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION))
        kms.key()
        row = store.one("SELECT wrapped FROM materials")
        assert row is not None
        wrapped = bytearray(row[0])
    content = path.read_bytes()
    start = content.index(bytes(wrapped))
    position = data.draw(st.integers(start, start + len(wrapped) - 1))
    changed = bytearray(content)
    changed[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    with open_store(path) as store:
        assert _found(store)


@pytest.mark.parametrize(
    ("tampering", "subject"),
    [
        ("UPDATE keys SET key_id = 7", "keys"),
        ("UPDATE keys SET spec = x'00'", "keys"),
        ("UPDATE keys SET pending_window = 'x', deletion_at = x'00', due_at = 'x'", "keys"),
        ("UPDATE keys SET created_at = 1 << 62", "keys"),
        ("UPDATE materials SET material_id = x'00'", "keys"),
        ("UPDATE materials SET wrapped = 5", "keys"),
        ("UPDATE policies SET text = 5", "keys"),
        ("UPDATE grants SET operations = 5", "grants"),
        pytest.param(f"UPDATE grants SET operations = '{'[' * 100_000}'", "grant", id="nested deeply"),
    ],
)
def test_values_of_other_types_are_problems_and_no_traceback(
    kms: KmsClient, store: Store, tampering: str, subject: str
) -> None:
    kms("CreateGrant", KeyId=kms.key(), GranteePrincipal=ACCOUNT, Operations=["Encrypt"])
    store.rows("PRAGMA writable_schema = ON")
    store.rows("UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')')")
    store.rows("PRAGMA writable_schema = RESET")
    store.rows(tampering)
    assert [found for found, _ in _found(store) if found.startswith((subject, _PLACE, "grant"))]
