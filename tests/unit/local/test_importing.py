"""Imported key material: wrapping, tokens, expiry, what is missing, rotation, and several Regions."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kms_tui.backend.local import LocalBackend, Store
from kms_tui.backend.local.importing.import_token import open_token
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION, START, TestClock
from tests.unit.local.imported import (
    FIRST,
    FOREVER,
    SECOND,
    external,
    import_material,
    import_request,
    rotated,
)

_ALL = {"IncludeKeyMaterial": "ALL_KEY_MATERIAL"}


@pytest.fixture
def us(kms: KmsClient) -> KmsClient:
    return kms.in_region("us-east-1")


def _state(kms: KmsClient, key_id: str) -> str:
    return str(kms.describe(key_id)["KeyState"])


def _history(kms: KmsClient, key_id: str) -> dict[str, tuple[str, str]]:
    rotations = kms("ListKeyRotations", KeyId=key_id, **_ALL)["Rotations"]
    return {entry["KeyMaterialId"]: (entry["KeyMaterialState"], entry["ImportState"]) for entry in rotations}


def test_the_parameters_are_good_for_a_day_and_for_their_key(kms: KmsClient, clock: TestClock) -> None:
    key_id = external(kms)
    given = kms(
        "GetParametersForImport",
        KeyId=key_id,
        WrappingAlgorithm="RSAES_OAEP_SHA_1",
        WrappingKeySpec="RSA_2048",
    )
    assert given["ParametersValidTo"] == START + timedelta(days=1)
    assert given["KeyId"] == kms.arn(key_id)
    assert set(given) == {"KeyId", "ImportToken", "PublicKey", "ParametersValidTo"}


def test_a_token_is_good_again_and_again_until_it_expires(kms: KmsClient, clock: TestClock) -> None:
    key_id = external(kms)
    request = import_request(kms, key_id, FIRST)
    clock.advance(days=1, milliseconds=-1)
    for _ in range(2):
        kms("ImportKeyMaterial", **request, **FOREVER)
    clock.advance(milliseconds=1)
    kms.refused("ImportKeyMaterial", "ExpiredImportTokenException", **request, **FOREVER)


def test_a_token_of_the_same_key_in_another_region_is_refused(kms: KmsClient, us: KmsClient) -> None:
    key_id = external(kms, MultiRegion=True)
    import_material(kms, key_id)
    kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    request = import_request(kms, key_id, FIRST)
    us.refused("ImportKeyMaterial", "InvalidImportTokenException", **request, **FOREVER)


@pytest.mark.parametrize("position", [0, 3, 10, 40, -1])
def test_a_token_that_was_changed_is_refused(kms: KmsClient, position: int) -> None:
    request = import_request(kms, external(kms), FIRST)
    token = bytearray(request["ImportToken"])
    token[position] ^= 1
    request["ImportToken"] = bytes(token)
    kms.refused("ImportKeyMaterial", "InvalidImportTokenException", **request, **FOREVER)


def test_a_token_shows_no_key(kms: KmsClient, store: Store) -> None:
    key_id = external(kms)
    token = open_token(store, import_request(kms, key_id, FIRST)["ImportToken"], kms.arn(key_id), store.now())
    assert repr(token) == f"<import token of {kms.arn(key_id)}>"


@pytest.mark.parametrize(
    ("spec", "usage", "algorithm", "wrapping"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSAES_PKCS1_V1_5", "RSA_2048"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "SM2PKE", "SM2"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSAES_OAEP_SHA_256", "SM2"),
        ("RSA_2048", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_4096"),
        ("ECC_NIST_P521", "SIGN_VERIFY", "RSAES_OAEP_SHA_1", "RSA_2048"),
    ],
)
def test_a_wrapping_that_does_not_fit_is_refused(
    kms: KmsClient, spec: str, usage: str, algorithm: str, wrapping: str
) -> None:
    kms.refused(
        "GetParametersForImport",
        "UnsupportedOperationException",
        KeyId=external(kms, KeySpec=spec, KeyUsage=usage),
        WrappingAlgorithm=algorithm,
        WrappingKeySpec=wrapping,
    )


def test_a_key_of_another_origin_says_which_it_has(kms: KmsClient) -> None:
    key_id = kms.key()
    words = f"{kms.arn(key_id)} origin is AWS_KMS which is not valid for this operation."
    kms.refused("DeleteImportedKeyMaterial", "UnsupportedOperationException", words, KeyId=key_id)
    kms.refused(
        "ImportKeyMaterial",
        "UnsupportedOperationException",
        words,
        KeyId=key_id,
        ImportToken=b"x",
        EncryptedKeyMaterial=b"x",
        **FOREVER,
    )


@pytest.mark.parametrize("change", [b"", b"x", b"\0" * 256, b"\0" * 300])
def test_what_does_not_unwrap_is_refused(kms: KmsClient, change: bytes) -> None:
    request = import_request(kms, external(kms), FIRST)
    request["EncryptedKeyMaterial"] = change or request["EncryptedKeyMaterial"][:-1]
    kms.refused("ImportKeyMaterial", "InvalidCiphertextException", **request, **FOREVER)


_SPECS = {
    "HMAC_224": "GENERATE_VERIFY_MAC",
    "HMAC_512": "GENERATE_VERIFY_MAC",
    "ECC_NIST_P521": "SIGN_VERIFY",
    "ECC_SECG_P256K1": "SIGN_VERIFY",
    "ECC_NIST_P384": "KEY_AGREEMENT",
    "ECC_NIST_EDWARDS25519": "SIGN_VERIFY",
    "RSA_3072": "ENCRYPT_DECRYPT",
}
_MATERIALS: dict[str, Callable[[], bytes | PrivateKeyTypes]] = {
    "HMAC_224": lambda: os.urandom(28),
    "HMAC_512": lambda: os.urandom(64),
    "ECC_NIST_P521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ECC_SECG_P256K1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ECC_NIST_P384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
    "RSA_3072": lambda: rsa.generate_private_key(65537, 3072),
}


def _der(private_key: PrivateKeyTypes) -> bytes:
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("spec", _SPECS)
def test_material_of_every_kind_is_what_the_key_then_uses(kms: KmsClient, spec: str) -> None:
    made = _MATERIALS[spec]()
    key_id = external(kms, KeySpec=spec, KeyUsage=_SPECS[spec])
    answer = import_material(kms, key_id, made if isinstance(made, bytes) else _der(made))
    assert (answer["KeyId"], len(answer["KeyMaterialId"])) == (kms.arn(key_id), 64)
    assert "CurrentKeyMaterialId" not in kms.describe(key_id)
    if isinstance(made, bytes):
        algorithm = f"HMAC_SHA_{spec.removeprefix('HMAC_')}"
        mac = kms("GenerateMac", KeyId=key_id, Message=b"m", MacAlgorithm=algorithm)["Mac"]
        assert mac == hmac.new(made, b"m", algorithm[5:].lower().replace("_", "")).digest()
    else:
        expected = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert kms("GetPublicKey", KeyId=key_id)["PublicKey"] == expected


@pytest.mark.parametrize("spec", ["HMAC_512", "ECC_NIST_P521"])
def test_a_key_that_does_not_rotate_takes_its_own_material_only(kms: KmsClient, spec: str) -> None:
    made = _MATERIALS[spec]()
    material = made if isinstance(made, bytes) else _der(made)
    key_id = external(kms, KeySpec=spec, KeyUsage=_SPECS[spec])
    answer = import_material(kms, key_id, material)
    other = _MATERIALS[spec]()
    request = import_request(kms, key_id, other if isinstance(other, bytes) else _der(other))
    kms.refused("ImportKeyMaterial", "IncorrectKeyMaterialException", **request, **FOREVER)
    for member, value in (
        ("ImportType", "EXISTING_KEY_MATERIAL"),
        ("KeyMaterialDescription", "x"),
        ("KeyMaterialId", "0" * 64),
    ):
        kms.refused("ImportKeyMaterial", "ValidationException", **request, **FOREVER, **{member: value})
    assert kms("DeleteImportedKeyMaterial", KeyId=key_id) == answer
    import_material(kms, key_id, material)
    assert _state(kms, key_id) == "Enabled"


def _encrypted_der() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )


@pytest.mark.parametrize(
    ("spec", "usage", "material"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", lambda: bytes(16)),
        ("HMAC_384", "GENERATE_VERIFY_MAC", lambda: bytes(32)),
        ("ECC_NIST_P256", "SIGN_VERIFY", lambda: bytes(32)),
        ("ECC_NIST_P256", "SIGN_VERIFY", _encrypted_der),
        ("ECC_NIST_P256", "SIGN_VERIFY", lambda: _der(ec.generate_private_key(ec.SECP256K1()))),
        ("ECC_NIST_P256", "SIGN_VERIFY", lambda: _der(ed25519.Ed25519PrivateKey.generate())),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", lambda: _der(ec.generate_private_key(ec.SECP256R1()))),
        ("RSA_3072", "SIGN_VERIFY", lambda: _der(rsa.generate_private_key(65537, 2048))),
    ],
)
def test_material_of_another_kind_is_incorrect(
    kms: KmsClient, spec: str, usage: str, material: Callable[[], bytes]
) -> None:
    key_id = external(kms, KeySpec=spec, KeyUsage=usage)
    request = import_request(kms, key_id, material())
    kms.refused("ImportKeyMaterial", "IncorrectKeyMaterialException", **request, **FOREVER)
    assert _state(kms, key_id) == "PendingImport"


def test_material_expires_at_its_time_and_comes_back(kms: KmsClient, clock: TestClock) -> None:
    key_id = external(kms)
    valid_to = START + timedelta(days=9)
    material_id = import_material(kms, key_id, ValidTo=valid_to)["KeyMaterialId"]
    assert kms.describe(key_id)["ValidTo"] == valid_to
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    clock.advance(days=9)
    metadata = kms.describe(key_id)
    assert metadata["KeyState"] == "PendingImport"
    assert not {"ValidTo", "ExpirationModel"} & set(metadata)
    kms.refused("Decrypt", "KMSInvalidStateException", CiphertextBlob=sealed)
    assert import_material(kms, key_id)["KeyMaterialId"] == material_id
    assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_importing_again_changes_the_expiry(kms: KmsClient, clock: TestClock) -> None:
    key_id = external(kms)
    import_material(kms, key_id, ValidTo=START + timedelta(days=9))
    import_material(kms, key_id, ValidTo=START + timedelta(days=90))
    clock.advance(days=10)
    assert _state(kms, key_id) == "Enabled"
    import_material(kms, key_id)
    clock.advance(days=365)
    assert _state(kms, key_id) == "Enabled"


def test_each_material_expires_by_itself_and_the_key_needs_all(kms: KmsClient, clock: TestClock) -> None:
    key_id = external(kms)
    first = import_material(kms, key_id, ValidTo=START + timedelta(days=5))["KeyMaterialId"]
    second = import_material(
        kms, key_id, SECOND, ImportType="NEW_KEY_MATERIAL", ValidTo=START + timedelta(days=7)
    )["KeyMaterialId"]
    assert kms.describe(key_id)["ValidTo"] == START + timedelta(days=5)
    kms("RotateKeyOnDemand", KeyId=key_id)
    assert kms.describe(key_id)["ValidTo"] == START + timedelta(days=5)
    clock.advance(days=6)
    assert _state(kms, key_id) == "PendingImport"
    assert _history(kms, key_id) == {
        first: ("NON_CURRENT", "PENDING_IMPORT"),
        second: ("CURRENT", "IMPORTED"),
    }
    clock.advance(days=2)
    import_material(kms, key_id)
    assert _state(kms, key_id) == "PendingImport"
    import_material(kms, key_id, SECOND)
    assert _state(kms, key_id) == "Enabled"


def test_what_waits_for_rotation_is_not_missed_when_it_expires(kms: KmsClient, clock: TestClock) -> None:
    key_id = external(kms)
    import_material(kms, key_id)
    waiting = import_material(
        kms, key_id, SECOND, ImportType="NEW_KEY_MATERIAL", ValidTo=START + timedelta(days=1)
    )["KeyMaterialId"]
    clock.advance(days=2)
    assert _state(kms, key_id) == "Enabled"
    kms.refused(
        "RotateKeyOnDemand",
        "KMSInvalidStateException",
        f"No available key material pending rotation for the key: {kms.arn(key_id)}.",
        KeyId=key_id,
    )
    import_material(kms, key_id, SECOND, ImportType="EXISTING_KEY_MATERIAL", KeyMaterialId=waiting)
    kms("RotateKeyOnDemand", KeyId=key_id)
    assert kms.describe(key_id)["CurrentKeyMaterialId"] == waiting


def test_what_waits_for_rotation_goes_altogether_and_makes_room(kms: KmsClient) -> None:
    key_id = external(kms)
    first = import_material(kms, key_id)["KeyMaterialId"]
    waiting = import_material(kms, key_id, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    other = import_request(kms, key_id, bytes(32))
    kms.refused(
        "ImportKeyMaterial", "KMSInvalidStateException", **other, **FOREVER, ImportType="NEW_KEY_MATERIAL"
    )
    kms("DeleteImportedKeyMaterial", KeyId=key_id, KeyMaterialId=waiting)
    assert _state(kms, key_id) == "Enabled"
    assert set(_history(kms, key_id)) == {first}
    kms("ImportKeyMaterial", **other, **FOREVER, ImportType="NEW_KEY_MATERIAL")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ImportType": "NEW_KEY_MATERIAL"}, "IncorrectKeyMaterialException"),
        ({"KeyMaterialId": "0" * 64}, "IncorrectKeyMaterialException"),
        ({"ImportType": "NEW_KEY_MATERIAL", "KeyMaterialId": "0" * 64}, "ValidationException"),
    ],
)
def test_known_material_is_neither_new_nor_another(
    kms: KmsClient, changes: dict[str, str], code: str
) -> None:
    key_id = external(kms)
    import_material(kms, key_id)
    kms.refused("ImportKeyMaterial", code, **import_request(kms, key_id, FIRST), **FOREVER, **changes)


def test_nothing_is_known_before_the_first_import(kms: KmsClient) -> None:
    key_id = external(kms)
    kms.refused(
        "ImportKeyMaterial",
        "IncorrectKeyMaterialException",
        **import_request(kms, key_id, FIRST),
        **FOREVER,
        ImportType="EXISTING_KEY_MATERIAL",
    )


def test_a_description_stays_until_there_is_another(kms: KmsClient) -> None:
    key_id = external(kms)
    for given, kept in (("from the HSM", "from the HSM"), (None, "from the HSM"), ("again", "again")):
        described: dict[str, Any] = {"KeyMaterialDescription": given} if given else {}
        import_material(kms, key_id, **described)
        (entry,) = kms("ListKeyRotations", KeyId=key_id, **_ALL)["Rotations"]
        assert entry["KeyMaterialDescription"] == kept


def test_deletion_takes_the_current_material_or_the_one_that_is_named(kms: KmsClient) -> None:
    key_id = external(kms)
    first, second = rotated(kms, key_id)
    assert kms("DeleteImportedKeyMaterial", KeyId=key_id)["KeyMaterialId"] == second
    assert kms("DeleteImportedKeyMaterial", KeyId=key_id, KeyMaterialId=first)["KeyMaterialId"] == first
    assert {imported for _, imported in _history(kms, key_id).values()} == {"PENDING_IMPORT"}
    kms.refused("DeleteImportedKeyMaterial", "NotFoundException", KeyId=key_id, KeyMaterialId="0" * 64)


def test_deletion_without_material_has_no_effect(kms: KmsClient) -> None:
    key_id = external(kms)
    assert kms("DeleteImportedKeyMaterial", KeyId=key_id) == {"KeyId": kms.arn(key_id)}
    assert _state(kms, key_id) == "PendingImport"


def test_deleted_material_is_gone_from_the_store_and_from_memory(kms: KmsClient, store: Store) -> None:
    key_id = external(kms)
    import_material(kms, key_id)
    kms("Encrypt", KeyId=key_id, Plaintext=b"x")
    kms("DeleteImportedKeyMaterial", KeyId=key_id)
    assert store.rows("SELECT wrapped, valid_to, expiration_model FROM materials") == [(None, None, None)]
    backend: Any = kms.backend.inner
    assert not backend._keyring._loaded


def test_cancelling_a_deletion_waits_for_what_is_missing(kms: KmsClient) -> None:
    whole, missing = external(kms), external(kms)
    for key_id in (whole, missing):
        import_material(kms, key_id)
        kms("ScheduleKeyDeletion", KeyId=key_id)
    kms("DeleteImportedKeyMaterial", KeyId=missing)
    for key_id, state in ((whole, "Disabled"), (missing, "PendingImport")):
        kms("CancelKeyDeletion", KeyId=key_id)
        assert _state(kms, key_id) == state


def test_material_that_expires_leaves_a_deletion_alone(kms: KmsClient, clock: TestClock) -> None:
    key_id = external(kms)
    import_material(kms, key_id, ValidTo=START + timedelta(days=1))
    kms("ScheduleKeyDeletion", KeyId=key_id)
    clock.advance(days=2)
    assert _state(kms, key_id) == "PendingDeletion"
    kms("CancelKeyDeletion", KeyId=key_id)
    assert _state(kms, key_id) == "PendingImport"


def test_the_events_hold_no_material(kms: KmsClient, store: Store) -> None:
    import_material(kms, external(kms))
    requests = [
        row[0] for row in store.rows("SELECT request FROM events WHERE operation = 'ImportKeyMaterial'")
    ]
    assert len(requests) == 1
    assert "Token" not in requests[0]
    assert "Material" not in requests[0].replace("MATERIAL", "")


def test_the_same_material_has_another_id_in_another_key(kms: KmsClient) -> None:
    ids = {import_material(kms, external(kms))["KeyMaterialId"] for _ in range(3)}
    assert len(ids) == 3
    assert hashlib.sha256(FIRST).hexdigest() not in ids


def _replicated(kms: KmsClient) -> str:
    key_id = external(kms, MultiRegion=True)
    import_material(kms, key_id)
    kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    return key_id


def test_a_replica_takes_the_material_of_its_primary_only(kms: KmsClient, us: KmsClient) -> None:
    key_id = _replicated(kms)
    assert _state(us, key_id) == "PendingImport"
    us.refused(
        "ImportKeyMaterial", "IncorrectKeyMaterialException", **import_request(us, key_id, SECOND), **FOREVER
    )
    assert import_material(us, key_id)["KeyMaterialId"] == kms.describe(key_id)["CurrentKeyMaterialId"]
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert us("Decrypt", CiphertextBlob=sealed, KeyId=key_id)["Plaintext"] == b"x"


def test_related_keys_lose_their_material_one_by_one(kms: KmsClient, us: KmsClient) -> None:
    key_id = _replicated(kms)
    import_material(us, key_id)
    kms("DeleteImportedKeyMaterial", KeyId=key_id)
    assert (_state(kms, key_id), _state(us, key_id)) == ("PendingImport", "Enabled")


def test_new_material_rotates_once_it_is_in_every_region(kms: KmsClient, us: KmsClient) -> None:
    key_id = _replicated(kms)
    first = import_material(us, key_id)["KeyMaterialId"]
    us.refused(
        "ImportKeyMaterial",
        "UnsupportedOperationException",
        f"{us.arn(key_id)} is not a multi-region primary key.",
        **import_request(us, key_id, SECOND),
        **FOREVER,
        ImportType="NEW_KEY_MATERIAL",
    )
    second = import_material(kms, key_id, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    waiting = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert _history(kms, key_id)[second] == (waiting, "IMPORTED")
    assert _history(us, key_id)[second] == (waiting, "PENDING_IMPORT")
    assert _state(us, key_id) == "Enabled"
    kms.refused("RotateKeyOnDemand", "KMSInvalidStateException", KeyId=key_id)
    import_material(us, key_id, SECOND)
    assert _history(kms, key_id)[second] == _history(us, key_id)[second] == ("PENDING_ROTATION", "IMPORTED")
    kms("RotateKeyOnDemand", KeyId=key_id)
    for client in (kms, us):
        assert _history(client, key_id) == {
            first: ("NON_CURRENT", "IMPORTED"),
            second: ("CURRENT", "IMPORTED"),
        }
        assert _state(client, key_id) == "Enabled"


def test_deleting_what_waits_on_the_primary_deletes_it_everywhere(kms: KmsClient, us: KmsClient) -> None:
    key_id = _replicated(kms)
    first = import_material(us, key_id)["KeyMaterialId"]
    second = import_material(kms, key_id, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    import_material(us, key_id, SECOND)
    us("DeleteImportedKeyMaterial", KeyId=key_id, KeyMaterialId=second)
    assert set(_history(kms, key_id)) == {first, second}
    kms("DeleteImportedKeyMaterial", KeyId=key_id, KeyMaterialId=second)
    assert set(_history(kms, key_id)) == set(_history(us, key_id)) == {first}


def test_a_new_replica_and_the_end_of_one_decide_what_may_rotate(
    kms: KmsClient, us: KmsClient, clock: TestClock
) -> None:
    key_id = external(kms, MultiRegion=True)
    import_material(kms, key_id)
    second = import_material(kms, key_id, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert _history(kms, key_id)[second][0] == "PENDING_ROTATION"
    kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    assert _history(kms, key_id)[second][0] == "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    us("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    clock.advance(days=7)
    assert _history(kms, key_id)[second][0] == "PENDING_ROTATION"


def test_imported_material_outlives_the_process(kms: KmsClient, store: Store) -> None:
    key_id = external(kms)
    import_material(kms, key_id)
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    again = LocalBackend(store, account_id=ACCOUNT, region=REGION)
    assert again.call("Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"x"
