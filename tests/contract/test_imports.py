"""Imported key material: parameters, import, expiry, deletion, re-import and rotation."""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from kms_tui.kms.errors import ServiceError
from tests.contract.client import KmsClient

FOREVER: dict[str, Any] = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
OAEP = {"RSAES_OAEP_SHA_1": hashes.SHA1(), "RSAES_OAEP_SHA_256": hashes.SHA256()}
WRAPS = [*OAEP, "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]
MATERIAL = bytes(range(32))


def external(kms: KmsClient, **params: str) -> str:
    return kms.key(Origin="EXTERNAL", **params)


def wrapped(public_key: bytes, algorithm: str, material: bytes) -> bytes:
    public = load_der_public_key(public_key)
    assert isinstance(public, rsa.RSAPublicKey)
    chosen = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    scheme = padding.OAEP(padding.MGF1(chosen), chosen, None)
    if algorithm.startswith("RSAES"):
        return public.encrypt(material, scheme)
    key = os.urandom(32)
    return public.encrypt(key, scheme) + keywrap.aes_key_wrap_with_padding(key, material)


def parameters(
    kms: KmsClient, key_id: str, algorithm: str = "RSAES_OAEP_SHA_256", spec: str = "RSA_2048"
) -> Any:
    return kms("GetParametersForImport", KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=spec)


def prepared(
    kms: KmsClient, key_id: str, material: bytes = MATERIAL, algorithm: str = "RSAES_OAEP_SHA_256"
) -> dict[str, Any]:
    """The parameters of an ImportKeyMaterial that would succeed, but for the expiration."""
    given = parameters(kms, key_id, algorithm)
    return {
        "KeyId": key_id,
        "ImportToken": given["ImportToken"],
        "EncryptedKeyMaterial": wrapped(given["PublicKey"], algorithm, material),
    }


def imported(kms: KmsClient, key_id: str, material: bytes = MATERIAL, **params: Any) -> Any:
    algorithm = params.pop("algorithm", "RSAES_OAEP_SHA_256")
    return kms("ImportKeyMaterial", **prepared(kms, key_id, material, algorithm), **FOREVER | params)


def test_a_key_for_imported_material_waits_for_it(kms: KmsClient) -> None:
    metadata = kms.describe(external(kms))
    assert metadata["Origin"] == "EXTERNAL"
    assert metadata["KeyState"] == "PendingImport"
    assert metadata["Enabled"] is False
    assert "CurrentKeyMaterialId" not in metadata


def test_a_key_that_waits_for_material_does_not_encrypt(kms: KmsClient) -> None:
    key_id = external(kms)
    message = f"{kms.arn(key_id)} is pending import."
    kms.refused("Encrypt", "KMSInvalidStateException", message, KeyId=key_id, Plaintext=b"x")


@pytest.mark.parametrize(("spec", "bits"), [("RSA_2048", 2048), ("RSA_3072", 3072), ("RSA_4096", 4096)])
def test_the_parameters_hold_a_wrapping_key_for_a_day(kms: KmsClient, spec: str, bits: int) -> None:
    key_id = external(kms)
    answer = parameters(kms, key_id, spec=spec)
    public = load_der_public_key(answer["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == bits
    assert answer["KeyId"] == kms.arn(key_id)
    valid = answer["ParametersValidTo"] - datetime.now(UTC)
    assert timedelta(hours=23) < valid < timedelta(hours=25)


def test_the_old_padding_is_refused(kms: KmsClient) -> None:
    with pytest.raises(ServiceError):
        parameters(kms, external(kms), "RSAES_PKCS1_V1_5")


def test_a_key_with_kmss_own_material_takes_no_other(kms: KmsClient) -> None:
    kms.refused(
        "GetParametersForImport",
        "UnsupportedOperationException",
        KeyId=kms.key(),
        WrappingAlgorithm="RSAES_OAEP_SHA_256",
        WrappingKeySpec="RSA_2048",
    )


@pytest.mark.parametrize("algorithm", WRAPS)
def test_imported_material_enables_the_key(kms: KmsClient, algorithm: str) -> None:
    key_id = external(kms)
    answer = imported(kms, key_id, algorithm=algorithm)
    assert answer["KeyId"] == kms.arn(key_id)
    metadata = kms.describe(key_id)
    assert metadata["KeyState"] == "Enabled"
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert metadata["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    blob = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    opened = kms("Decrypt", CiphertextBlob=blob)
    assert opened["Plaintext"] == b"x"
    assert opened["KeyMaterialId"] == answer["KeyMaterialId"]


def test_the_id_of_material_follows_from_the_key_and_the_bytes(kms: KmsClient) -> None:
    first, second = external(kms), external(kms)
    here, there = (imported(kms, key_id)["KeyMaterialId"] for key_id in (first, second))
    kms("DeleteImportedKeyMaterial", KeyId=first)
    assert imported(kms, first)["KeyMaterialId"] == here != there


def test_an_import_expires_unless_told_otherwise(kms: KmsClient) -> None:
    key_id = external(kms)
    kms.refused("ImportKeyMaterial", "ValidationException", **prepared(kms, key_id))
    valid_to = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    kms("ImportKeyMaterial", ValidTo=valid_to, **prepared(kms, key_id))
    metadata = kms.describe(key_id)
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert metadata["ValidTo"] == valid_to


@pytest.mark.parametrize("days", [-1, 366])
def test_an_expiry_is_ahead_and_within_a_year(kms: KmsClient, days: int) -> None:
    valid_to = datetime.now(UTC) + timedelta(days=days)
    kms.refused("ImportKeyMaterial", "ValidationException", ValidTo=valid_to, **prepared(kms, external(kms)))


def test_material_that_does_not_expire_has_no_expiry(kms: KmsClient) -> None:
    valid_to = datetime.now(UTC) + timedelta(days=30)
    kms.refused(
        "ImportKeyMaterial",
        "ValidationException",
        ValidTo=valid_to,
        **FOREVER,
        **prepared(kms, external(kms)),
    )


def test_a_token_of_another_key_is_refused(kms: KmsClient) -> None:
    given = prepared(kms, external(kms)) | {"KeyId": external(kms)}
    kms.refused("ImportKeyMaterial", "InvalidImportTokenException", **given, **FOREVER)


def test_a_token_that_is_none_is_refused(kms: KmsClient) -> None:
    given = prepared(kms, external(kms)) | {"ImportToken": b"not a token"}
    kms.refused("ImportKeyMaterial", "InvalidImportTokenException", **given, **FOREVER)


def test_material_wrapped_for_another_key_is_refused(kms: KmsClient) -> None:
    key_id = external(kms)
    given = prepared(kms, key_id)
    other = parameters(kms, key_id)
    given["EncryptedKeyMaterial"] = wrapped(other["PublicKey"], "RSAES_OAEP_SHA_256", MATERIAL)
    kms.refused("ImportKeyMaterial", "InvalidCiphertextException", **given, **FOREVER)


@pytest.mark.parametrize("size", [16, 31, 33])
def test_material_of_the_wrong_size_is_refused(kms: KmsClient, size: int) -> None:
    key_id = external(kms)
    with pytest.raises(ServiceError):
        imported(kms, key_id, bytes(size))
    assert kms.describe(key_id)["KeyState"] == "PendingImport"


def test_deleted_material_can_come_back_and_opens_what_it_sealed(kms: KmsClient) -> None:
    key_id = external(kms)
    material_id = imported(kms, key_id)["KeyMaterialId"]
    blob = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    deleted = kms("DeleteImportedKeyMaterial", KeyId=key_id)
    assert deleted["KeyId"] == kms.arn(key_id)
    assert deleted["KeyMaterialId"] == material_id
    assert kms.describe(key_id)["KeyState"] == "PendingImport"
    message = f"{kms.arn(key_id)} is pending import."
    kms.refused("Decrypt", "KMSInvalidStateException", message, CiphertextBlob=blob)
    imported(kms, key_id)
    assert kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == b"x"


def test_other_material_does_not_come_back_in_its_place(kms: KmsClient) -> None:
    key_id = external(kms)
    imported(kms, key_id)
    kms("DeleteImportedKeyMaterial", KeyId=key_id)
    kms.refused(
        "ImportKeyMaterial", "IncorrectKeyMaterialException", **prepared(kms, key_id, bytes(32)), **FOREVER
    )


def test_deleting_material_leaves_a_key_pending_deletion(kms: KmsClient) -> None:
    key_id = external(kms)
    imported(kms, key_id)
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms("DeleteImportedKeyMaterial", KeyId=key_id)
    assert kms.describe(key_id)["KeyState"] == "PendingDeletion"


def test_material_of_kmss_own_cannot_be_deleted(kms: KmsClient) -> None:
    kms.refused("DeleteImportedKeyMaterial", "UnsupportedOperationException", KeyId=kms.key())


def test_an_imported_key_rotates_to_the_material_that_waits(kms: KmsClient) -> None:
    key_id = external(kms)
    first = imported(kms, key_id)["KeyMaterialId"]
    blob = kms("Encrypt", KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    second = imported(kms, key_id, bytes(32), ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="second")[
        "KeyMaterialId"
    ]
    assert kms.describe(key_id)["CurrentKeyMaterialId"] == first
    waiting = next(r for r in history(kms, key_id) if r["KeyMaterialId"] == second)
    assert waiting["KeyMaterialState"] == "PENDING_ROTATION"
    assert waiting["ImportState"] == "IMPORTED"
    assert waiting["KeyMaterialDescription"] == "second"
    assert "RotationDate" not in waiting
    kms("RotateKeyOnDemand", KeyId=key_id)
    assert kms.describe(key_id)["CurrentKeyMaterialId"] == second
    states = {entry["KeyMaterialId"]: entry["KeyMaterialState"] for entry in history(kms, key_id)}
    assert states == {first: "NON_CURRENT", second: "CURRENT"}
    assert kms("Decrypt", CiphertextBlob=blob)["KeyMaterialId"] == first


def history(kms: KmsClient, key_id: str) -> list[Any]:
    return kms.all("ListKeyRotations", "Rotations", KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")


def test_an_imported_key_does_not_rotate_without_new_material(kms: KmsClient) -> None:
    key_id = external(kms)
    imported(kms, key_id)
    with pytest.raises(ServiceError) as caught:
        kms("RotateKeyOnDemand", KeyId=key_id)
    assert (
        caught.value.message == f"No available key material pending rotation for the key: {kms.arn(key_id)}."
    )


def test_one_material_waits_at_a_time(kms: KmsClient) -> None:
    key_id = external(kms)
    imported(kms, key_id)
    imported(kms, key_id, bytes(32), ImportType="NEW_KEY_MATERIAL")
    with pytest.raises(ServiceError):
        imported(kms, key_id, b"\1" * 32, ImportType="NEW_KEY_MATERIAL")


def test_a_key_needs_all_of_its_materials(kms: KmsClient) -> None:
    key_id = external(kms)
    first = imported(kms, key_id)["KeyMaterialId"]
    imported(kms, key_id, bytes(32), ImportType="NEW_KEY_MATERIAL")
    kms("RotateKeyOnDemand", KeyId=key_id)
    kms("DeleteImportedKeyMaterial", KeyId=key_id, KeyMaterialId=first)
    assert kms.describe(key_id)["KeyState"] == "PendingImport"
    imported(kms, key_id, ImportType="EXISTING_KEY_MATERIAL")
    assert kms.describe(key_id)["KeyState"] == "Enabled"


def test_an_imported_hmac_key_makes_the_macs_of_its_bytes(kms: KmsClient) -> None:
    key_id = external(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    imported(kms, key_id)
    mac = kms("GenerateMac", KeyId=key_id, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert mac == hmac.new(MATERIAL, b"m", hashlib.sha256).digest()


def private_der(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_der(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_an_imported_elliptic_curve_key_has_its_public_key(kms: KmsClient) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    key_id = external(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    imported(kms, key_id, private_der(private))
    assert kms("GetPublicKey", KeyId=key_id)["PublicKey"] == public_der(private)


def test_an_imported_rsa_key_has_its_public_key(kms: KmsClient) -> None:
    private = rsa.generate_private_key(65537, 2048)
    key_id = external(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    imported(kms, key_id, private_der(private), algorithm="RSA_AES_KEY_WRAP_SHA_256")
    assert kms("GetPublicKey", KeyId=key_id)["PublicKey"] == public_der(private)


def test_a_key_of_another_kind_is_not_imported(kms: KmsClient) -> None:
    key_id = external(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    other = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(ServiceError):
        imported(kms, key_id, private_der(other))
    assert kms.describe(key_id)["KeyState"] == "PendingImport"
