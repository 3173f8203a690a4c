from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from kms_tui.kms.model import Secret
from kms_tui.public_key import WRAPPING_ALGORITHMS, PublicKey, PublicKeyError, digest_message

RSA_KEY = rsa.generate_private_key(65537, 2048)
P256_KEY = ec.generate_private_key(ec.SECP256R1())
ED25519_KEY = ed25519.Ed25519PrivateKey.generate()
ML_DSA_KEY = mldsa.MLDSA44PrivateKey.generate()
MESSAGE = b"to be or not to be"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
ML_KEM_512_DER = bytes.fromhex("30820332300b0609608648016503040401038203210000") + bytes(799)


def public(private: Any, spec: str = "") -> PublicKey:
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(der, spec)


def number(text: str) -> int:
    return int.from_bytes(raw(text))


def raw(text: str) -> bytes:
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    "key", [RSA_KEY, P256_KEY, ED25519_KEY, ML_DSA_KEY, mlkem.MLKEM768PrivateKey.generate()]
)
def test_pem_is_what_other_software_writes(key: Any) -> None:
    expected = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert public(key).pem == expected
    assert load_pem_public_key(public(key).pem.encode()) == key.public_key()


def test_a_kind_that_the_library_does_not_know_still_has_pem_and_fingerprint() -> None:
    key = PublicKey(ML_KEM_512_DER, "ML_KEM_512")
    body = "".join(key.pem.splitlines()[1:-1])
    assert base64.b64decode(body) == ML_KEM_512_DER
    assert key.fingerprint == hashlib.sha256(ML_KEM_512_DER).hexdigest()


def test_the_answer_of_get_public_key_is_taken_as_it_is() -> None:
    der = public(P256_KEY).der
    key = PublicKey.from_api({"KeyId": "x", "PublicKey": der, "KeySpec": "ECC_NIST_P256"})
    assert (key.der, key.spec) == (der, "ECC_NIST_P256")
    assert PublicKey.from_api({"PublicKey": der}).spec == ""


def test_the_jwk_of_an_rsa_key_has_its_numbers() -> None:
    jwk = public(RSA_KEY).jwk()
    assert jwk == {"kty": "RSA", "n": jwk["n"], "e": "AQAB"}
    assert number(jwk["n"]) == RSA_KEY.public_key().public_numbers().n
    assert raw(jwk["n"])[0] != 0


@pytest.mark.parametrize(
    ("curve", "name", "size"),
    [
        (ec.SECP256R1(), "P-256", 32),
        (ec.SECP384R1(), "P-384", 48),
        (ec.SECP521R1(), "P-521", 66),
        (ec.SECP256K1(), "secp256k1", 32),
    ],
)
def test_the_jwk_of_a_curve_key_has_coordinates_of_full_length(
    curve: ec.EllipticCurve, name: str, size: int
) -> None:
    for private_value in range(1, 400):
        key = ec.derive_private_key(private_value, curve)
        jwk = public(key).jwk()
        assert (jwk["kty"], jwk["crv"]) == ("EC", name)
        assert len(raw(jwk["x"])) == len(raw(jwk["y"])) == size
        point = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), curve)
        assert point.public_key() == key.public_key()


def test_the_jwk_of_an_ed25519_key_is_the_one_of_rfc_8037() -> None:
    seed = raw("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    assert public(key).jwk() == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (mldsa.MLDSA44PrivateKey, "ML-DSA-44"),
        (mldsa.MLDSA65PrivateKey, "ML-DSA-65"),
        (mldsa.MLDSA87PrivateKey, "ML-DSA-87"),
    ],
)
def test_the_jwk_of_an_ml_dsa_key_is_an_algorithm_key_pair(kind: Any, name: str) -> None:
    key = kind.generate()
    jwk = public(key).jwk()
    assert (jwk["kty"], jwk["alg"]) == ("AKP", name)
    assert raw(jwk["pub"]) == key.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    "key",
    [
        public(mlkem.MLKEM768PrivateKey.generate(), "ML_KEM_768"),
        public(mlkem.MLKEM768PrivateKey.generate()),
        PublicKey(ML_KEM_512_DER, "ML_KEM_512"),
        PublicKey(b"", "SM2"),
    ],
    ids=["ML_KEM_768", "unnamed", "ML_KEM_512", "SM2"],
)
def test_a_kind_without_a_jwk_standard_says_so(key: PublicKey) -> None:
    with pytest.raises(PublicKeyError, match="no JWK form") as caught:
        key.jwk()
    assert "PEM" in caught.value.next_step


@pytest.mark.parametrize(("algorithm", "limit"), [("RSAES_OAEP_SHA_256", 190), ("RSAES_OAEP_SHA_1", 214)])
def test_what_was_encrypted_offline_decrypts_up_to_the_limit(algorithm: str, limit: int) -> None:
    plaintext = b"p" * limit
    ciphertext = public(RSA_KEY).encrypt(Secret(plaintext), algorithm)
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    assert RSA_KEY.decrypt(ciphertext, padding.OAEP(padding.MGF1(digest), digest, None)) == plaintext
    with pytest.raises(PublicKeyError, match=f"up to {limit} bytes; here are {limit + 1}"):
        public(RSA_KEY).encrypt(Secret(b"p" * (limit + 1)), algorithm)


def test_encryption_wants_an_rsa_key_and_an_algorithm_for_it() -> None:
    with pytest.raises(PublicKeyError, match="needs an RSA key"):
        public(P256_KEY).encrypt(Secret(b"x"), "RSAES_OAEP_SHA_256")
    with pytest.raises(PublicKeyError, match="SM2PKE cannot encrypt offline") as caught:
        public(RSA_KEY).encrypt(Secret(b"x"), "SM2PKE")
    assert "RSAES_OAEP_SHA_256" in caught.value.next_step


@pytest.mark.parametrize("algorithm", WRAPPING_ALGORITHMS)
@pytest.mark.parametrize("size", [24, 32, 33, 2000])
def test_wrapped_key_material_unwraps(algorithm: str, size: int) -> None:
    material = bytes(range(256)) * 8
    secret = Secret(material[:size])
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm.startswith("RSA_AES"):
        wrapped = public(RSA_KEY).wrap(secret, algorithm)
        aes_key = RSA_KEY.decrypt(wrapped[:256], oaep)
        assert len(aes_key) == 32
        assert aes_key_unwrap_with_padding(aes_key, wrapped[256:]) == material[:size]
    elif size < 190:
        assert RSA_KEY.decrypt(public(RSA_KEY).wrap(secret, algorithm), oaep) == material[:size]
    else:
        with pytest.raises(PublicKeyError) as caught:
            public(RSA_KEY).wrap(secret, algorithm)
        assert "RSA_AES_KEY_WRAP" in caught.value.next_step


def test_pkcs_1_wrapping_is_refused_as_kms_does() -> None:
    with pytest.raises(PublicKeyError, match="RSAES_PKCS1_V1_5 cannot wrap"):
        public(RSA_KEY).wrap(Secret(b"x" * 32), "RSAES_PKCS1_V1_5")


def sign(algorithm: str) -> tuple[PublicKey, bytes]:
    digest = HASHES.get(algorithm[-3:], hashes.SHA256())
    if algorithm.startswith("RSASSA_PSS"):
        pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
        return public(RSA_KEY), RSA_KEY.sign(MESSAGE, pss, digest)
    if algorithm.startswith("RSASSA"):
        return public(RSA_KEY), RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), digest)
    if algorithm.startswith("ECDSA"):
        return public(P256_KEY), P256_KEY.sign(MESSAGE, ec.ECDSA(digest))
    if algorithm.startswith("ED25519"):
        return public(ED25519_KEY), ED25519_KEY.sign(MESSAGE)
    return public(ML_DSA_KEY), ML_DSA_KEY.sign(MESSAGE)


PREHASHABLE = [
    *(f"RSASSA_{kind}_SHA_{bits}" for kind in ("PSS", "PKCS1_V1_5") for bits in HASHES),
    *(f"ECDSA_SHA_{bits}" for bits in HASHES),
    "ML_DSA_SHAKE_256",
]


@pytest.mark.parametrize("algorithm", [*PREHASHABLE, "ED25519_SHA_512"])
def test_a_good_signature_is_told_from_a_bad_one(algorithm: str) -> None:
    key, signature = sign(algorithm)
    assert key.verify(MESSAGE, signature, algorithm)
    assert not key.verify(MESSAGE + b"?", signature, algorithm)
    assert not key.verify(MESSAGE, signature[:-1] + bytes([signature[-1] ^ 1]), algorithm)
    assert not key.verify(MESSAGE, b"", algorithm)


@pytest.mark.parametrize("algorithm", PREHASHABLE)
def test_a_local_digest_verifies_in_place_of_the_message(algorithm: str) -> None:
    key, signature = sign(algorithm)
    digested = digest_message(io.BytesIO(MESSAGE), algorithm, key)
    assert key.verify(digested.message, signature, algorithm, digested.message_type)
    other = digest_message(io.BytesIO(MESSAGE + b"?"), algorithm, key)
    assert not key.verify(other.message, signature, algorithm, other.message_type)


def test_mu_is_the_one_of_fips_204() -> None:
    pk = ML_DSA_KEY.public_key().public_bytes_raw()
    tr = hashlib.shake_256(pk).digest(64)
    mu = hashlib.shake_256(tr + b"\x00\x00" + MESSAGE).digest(64)
    digested = digest_message(io.BytesIO(MESSAGE), "ML_DSA_SHAKE_256", public(ML_DSA_KEY))
    assert (digested.message, digested.message_type) == (mu, "EXTERNAL_MU")


@pytest.mark.parametrize(("bits", "name"), [("256", "sha256"), ("384", "sha384"), ("512", "sha512")])
def test_the_digest_of_a_long_message_is_its_hash_and_says_so(bits: str, name: str) -> None:
    message, done = b"m" * (3 << 20), list[int]()
    digested = digest_message(io.BytesIO(message), f"ECDSA_SHA_{bits}", progress=done.append)
    assert digested.message == hashlib.new(name, message).digest()
    assert digested.message_type == "DIGEST"
    assert f"SHA-{bits}" in digested.sentence
    assert done == list(range(1 << 18, len(message) + 1, 1 << 18))


def test_the_digest_for_ed25519ph_says_that_kms_hashes_again() -> None:
    digested = digest_message(io.BytesIO(MESSAGE), "ED25519_PH_SHA_512")
    assert digested.message == hashlib.sha512(MESSAGE).digest()
    assert "hashes it again" in digested.sentence


@pytest.mark.parametrize("algorithm", ["ED25519_SHA_512", "HMAC_SHA_256", "SM2DSA"])
def test_what_cannot_be_digested_here_is_refused(algorithm: str) -> None:
    with pytest.raises(PublicKeyError, match=r"4,096 bytes"):
        digest_message(io.BytesIO(MESSAGE), algorithm)


@pytest.mark.parametrize("key", [None, public(P256_KEY)])
def test_mu_wants_an_ml_dsa_key(key: PublicKey | None) -> None:
    with pytest.raises(PublicKeyError, match="with an ML-DSA public key"):
        digest_message(io.BytesIO(MESSAGE), "ML_DSA_SHAKE_256", key)


def test_a_message_where_a_digest_was_declared_is_named() -> None:
    key, signature = sign("ECDSA_SHA_256")
    with pytest.raises(PublicKeyError, match="has 32 bytes; here are 18") as caught:
        key.verify(MESSAGE, signature, "ECDSA_SHA_256", "DIGEST")
    assert "RAW" in caught.value.next_step


@pytest.mark.parametrize(
    ("key", "algorithm", "message_type"),
    [
        (P256_KEY, "RSASSA_PSS_SHA_256", "RAW"),
        (RSA_KEY, "ECDSA_SHA_256", "RAW"),
        (RSA_KEY, "ED25519_SHA_512", "RAW"),
        (P256_KEY, "ML_DSA_SHAKE_256", "RAW"),
        (ED25519_KEY, "ED25519_SHA_512", "DIGEST"),
        (RSA_KEY, "NO_SUCH_ALGORITHM", "RAW"),
    ],
)
def test_an_algorithm_that_does_not_fit_the_key_is_an_error_not_a_bad_signature(
    key: Any, algorithm: str, message_type: str
) -> None:
    with pytest.raises(PublicKeyError):
        public(key).verify(MESSAGE, b"", algorithm, message_type)


def test_ed25519ph_is_left_to_kms() -> None:
    with pytest.raises(PublicKeyError, match="cannot be verified offline"):
        public(ED25519_KEY).verify(bytes(64), b"", "ED25519_PH_SHA_512", "DIGEST")


def test_bytes_that_are_no_key_are_told_so() -> None:
    with pytest.raises(PublicKeyError, match="RSA_2048 cannot be used offline"):
        PublicKey(b"junk", "RSA_2048").encrypt(Secret(b"x"), "RSAES_OAEP_SHA_256")
