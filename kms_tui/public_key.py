"""Uses of a downloaded public key without KMS: formats, encryption, wrapping, verification, digests.

KMS is not called, so no key state, policy or grant applies, and CloudTrail logs nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    ssh_key_fingerprint,
)

from kms_tui.formats import pem
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import DIGEST, EXTERNAL_MU, KEY_SPECS, SIGNING_ALGORITHMS, Family
from kms_tui.kms.model import Secret

_CHUNK = 1 << 18
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_OAEP = {"RSAES_OAEP_SHA_1": hashes.SHA1(), "RSAES_OAEP_SHA_256": hashes.SHA256()}
_KEY_WRAP = {"RSA_AES_KEY_WRAP_SHA_1": hashes.SHA1(), "RSA_AES_KEY_WRAP_SHA_256": hashes.SHA256()}
_JWK_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
_ML_DSA = {
    mldsa.MLDSA44PublicKey: "ML-DSA-44",
    mldsa.MLDSA65PublicKey: "ML-DSA-65",
    mldsa.MLDSA87PublicKey: "ML-DSA-87",
}
_MlDsaKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
_ML_DSA_ALGORITHM = "ML_DSA_SHAKE_256"
_CURVE_SPECS = {
    "secp256r1": "ECC_NIST_P256",
    "secp384r1": "ECC_NIST_P384",
    "secp521r1": "ECC_NIST_P521",
    "secp256k1": "ECC_SECG_P256K1",
}
_TYPE_SPECS: Mapping[type[PublicKeyTypes], str] = {
    ed25519.Ed25519PublicKey: "ECC_NIST_EDWARDS25519",
    mldsa.MLDSA44PublicKey: "ML_DSA_44",
    mldsa.MLDSA65PublicKey: "ML_DSA_65",
    mldsa.MLDSA87PublicKey: "ML_DSA_87",
    mlkem.MLKEM768PublicKey: "ML_KEM_768",
    mlkem.MLKEM1024PublicKey: "ML_KEM_1024",
}
_SshKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
_SSH_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_THUMBPRINT_MEMBERS = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "AKP": ("alg", "kty", "pub"),
}
"""The required members of each key type, in the order of the alphabet: RFC 7638, 8037, 9964."""
_WITHOUT_JWK = {Family.ML_KEM, Family.SM2}

WRAPPING_ALGORITHMS = (*_OAEP, *_KEY_WRAP)
"""The wrapping algorithms of GetParametersForImport that ``wrap`` supports."""


class PublicKeyError(KmsTuiError):
    """A public key does not fit its use; the sentence says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key from GetPublicKey or GetParametersForImport: a SubjectPublicKeyInfo in DER."""

    der: bytes = field(repr=False)
    spec: str = ""
    """The KMS key spec, or "" if unknown."""

    @classmethod
    def from_api(cls, answer: Mapping[str, Any]) -> PublicKey:
        """From GetPublicKey's answer, or GetParametersForImport's.

        CustomerMasterKeySpec is the former name of KeySpec, and the only one that moto answers with.
        """
        return cls(
            bytes(answer["PublicKey"]), answer.get("KeySpec") or answer.get("CustomerMasterKeySpec", "")
        )

    @classmethod
    def of(cls, key: PublicKeyTypes) -> PublicKey:
        """From a loaded key, with its key spec where KMS has one."""
        return cls(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), spec_of(key))

    @property
    def pem(self) -> str:
        return pem("PUBLIC KEY", self.der)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER in lowercase hex, like ``openssl pkey -pubin -outform der | sha256sum``."""
        return hashlib.sha256(self.der).hexdigest()

    def pkcs1_pem(self) -> str:
        """An RSA key as ``RSA PUBLIC KEY`` (PKCS #1). PublicKeyError for other kinds."""
        key = self.loaded()
        if not isinstance(key, rsa.RSAPublicKey):
            raise PublicKeyError(f"Only RSA keys have a PKCS #1 form; {self._name} has none.")
        return key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()

    def ssh_line(self, comment: str = "") -> str:
        """A line of ``authorized_keys``; PublicKeyError for kinds that OpenSSH does not have."""
        line = self._ssh_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return f"{line} {comment}".rstrip()

    @property
    def ssh_fingerprint(self) -> str:
        """``SHA256:…``, as ``ssh-keygen -l`` writes it. PublicKeyError as for ``ssh_line``."""
        digest = ssh_key_fingerprint(self._ssh_key(), hashes.SHA256())
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    def _ssh_key(self) -> _SshKey:
        key = self.loaded()
        on_curve = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _SSH_CURVES
        if on_curve or isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
            assert isinstance(key, _SshKey)
            return key
        raise PublicKeyError(
            f"OpenSSH has no form for {self._name}: it knows RSA, P-256, P-384, P-521 and Ed25519."
        )

    @property
    def _name(self) -> str:
        return self.spec or "this kind of key"

    @property
    def thumbprint(self) -> str:
        """The JWK's SHA-256 thumbprint (RFC 7638) in base64url. PublicKeyError as for ``jwk``."""
        jwk = self.jwk()
        required = {member: jwk[member] for member in _THUMBPRINT_MEMBERS[jwk["kty"]]}
        return _base64url(hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest())

    def jwk(self) -> dict[str, str]:
        """The JSON Web Key: RFC 7518 (RSA, EC), 8812 (secp256k1), 8037 (Ed25519), 9964 (ML-DSA).

        PublicKeyError for kinds without a standard JWK form: ML-KEM and SM2.
        """
        spec = KEY_SPECS.get(self.spec)
        key = None if spec and spec.family in _WITHOUT_JWK else self.loaded()
        if isinstance(key, rsa.RSAPublicKey):
            numbers = key.public_numbers()
            return {"kty": "RSA", "n": _base64url_number(numbers.n), "e": _base64url_number(numbers.e)}
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _JWK_CURVES:
            size, point = (key.curve.key_size + 7) // 8, key.public_numbers()
            coordinates = {"x": _base64url_number(point.x, size), "y": _base64url_number(point.y, size)}
            return {"kty": "EC", "crv": _JWK_CURVES[key.curve.name], **coordinates}
        if isinstance(key, ed25519.Ed25519PublicKey):
            return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public_bytes_raw())}
        if isinstance(key, _MlDsaKey):
            name = next(name for kind, name in _ML_DSA.items() if isinstance(key, kind))
            return {"kty": "AKP", "alg": name, "pub": _base64url(key.public_bytes_raw())}
        raise PublicKeyError(
            f"{self.spec or 'This kind of key'} has no JWK form in any standard.", next_step="Use PEM or DER."
        )

    def loaded(self) -> PublicKeyTypes:
        """The loaded key; PublicKeyError if the cryptography library does not support its kind."""
        try:
            return load_der_public_key(self.der)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise PublicKeyError(
                f"The public key{f' of spec {self.spec}' if self.spec else ''} cannot be used offline: "
                "this program's cryptography library does not know its kind.",
                next_step="Let KMS do it.",
            ) from error

    def encrypt(self, plaintext: Secret, algorithm: str) -> bytes:
        """RSAES_OAEP_SHA_1 or _256; KMS's Decrypt takes the result with the same algorithm."""
        return self._oaep(plaintext.reveal(), _look_up(_OAEP, algorithm, "encrypt"), algorithm)

    def wrap(self, material: Secret, algorithm: str) -> bytes:
        """Key material for ImportKeyMaterial, by one of ``WRAPPING_ALGORITHMS``.

        RSA_AES_KEY_WRAP is an AES-256 key in OAEP, then the material under it in AES-KWP (RFC 5649).
        """
        if algorithm in _OAEP:
            return self._oaep(material.reveal(), _OAEP[algorithm], algorithm)
        digest = _look_up(_KEY_WRAP, algorithm, "wrap key material")
        aes_key = os.urandom(32)
        return self._oaep(aes_key, digest, algorithm) + aes_key_wrap_with_padding(aes_key, material.reveal())

    def verify(self, message: bytes, signature: bytes, algorithm: str, message_type: str = "RAW") -> bool:
        """Whether the signature is good, with Verify's algorithms and message types.

        PublicKeyError if the algorithm does not fit the key, or the digest's length the algorithm.
        """
        signing = SIGNING_ALGORITHMS.get(algorithm)
        if signing is None or message_type not in signing.message_types:
            raise PublicKeyError(f"{algorithm} does not take a message of type {message_type}.")
        if message_type != "RAW" and len(message) != signing.digest_size:
            raise PublicKeyError(
                f"A {message_type} message for {algorithm} has {signing.digest_size} bytes; "
                f"here are {len(message):,}.",
                next_step="Choose RAW if this is the message and not its digest.",
            )
        try:
            self._check(message, signature, algorithm, message_type)
        except InvalidSignature:
            return False
        return True

    def _check(self, message: bytes, signature: bytes, algorithm: str, message_type: str) -> None:
        key, name = self.loaded(), SIGNING_ALGORITHMS[algorithm].digest
        if name in _HASHES:
            digest = _HASHES[name]
            given = utils.Prehashed(digest) if message_type == DIGEST else digest
            if isinstance(key, rsa.RSAPublicKey) and algorithm.startswith("RSASSA_PSS"):
                pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
                return key.verify(signature, message, pss, given)
            if isinstance(key, rsa.RSAPublicKey) and algorithm.startswith("RSASSA_PKCS1"):
                return key.verify(signature, message, padding.PKCS1v15(), given)
            if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.startswith("ECDSA"):
                return key.verify(signature, message, ec.ECDSA(given))
        if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "ED25519_SHA_512":
            return key.verify(signature, message)
        if isinstance(key, _MlDsaKey) and algorithm == _ML_DSA_ALGORITHM:
            if message_type == EXTERNAL_MU:
                return key.verify_mu(signature, message)
            return key.verify(signature, message)
        raise PublicKeyError(
            f"{algorithm} cannot be verified offline with this key.", next_step="Let KMS do it."
        )

    def _oaep(self, plaintext: bytes, digest: hashes.HashAlgorithm, algorithm: str) -> bytes:
        key = self.loaded()
        if not isinstance(key, rsa.RSAPublicKey):
            raise PublicKeyError(f"{algorithm} needs an RSA key.")
        limit = key.key_size // 8 - 2 * digest.digest_size - 2
        if len(plaintext) > limit:
            raise PublicKeyError(
                f"{algorithm} with an RSA key of {key.key_size} bits takes up to {limit} bytes; "
                f"here are {len(plaintext):,}.",
                next_step="For key material, choose RSA_AES_KEY_WRAP; for data, envelope encryption.",
            )
        return key.encrypt(plaintext, padding.OAEP(padding.MGF1(digest), digest, None))


def spec_of(key: PublicKeyTypes) -> str:
    """The KMS key spec of a loaded key; "" where KMS has none."""
    if isinstance(key, rsa.RSAPublicKey):
        spec = f"RSA_{key.key_size}"
        return spec if spec in KEY_SPECS else ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVE_SPECS.get(key.curve.name, "")
    return next((spec for kind, spec in _TYPE_SPECS.items() if isinstance(key, kind)), "")


@dataclass(frozen=True, slots=True)
class Digested:
    """The digest of a message for Sign and Verify: the bytes to send, and their message type."""

    message: bytes
    message_type: str
    sentence: str


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Hasher(Protocol):
    """What digests bytes: a hash, or that of ML-DSA's mu."""

    def update(self, data: bytes, /) -> None: ...


def digest_message(
    source: _Source,
    algorithm: str,
    public_key: PublicKey | None = None,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Digested:
    """Digest a message of any length for a signing algorithm, in constant memory.

    ML-DSA's mu depends on the public key (FIPS 204, algorithm 7), the others only on the message.
    ``progress`` gets the bytes done, and may raise to stop. PublicKeyError if the algorithm takes only whole
    messages (Ed25519, HMAC) or a digest that is not supported here (SM2).
    """
    signing = SIGNING_ALGORITHMS.get(algorithm)
    if algorithm == _ML_DSA_ALGORITHM:
        key = public_key.loaded() if public_key else None
        if not isinstance(key, _MlDsaKey):
            raise PublicKeyError(f"{algorithm} digests a message together with an ML-DSA public key.")
        mu = mldsa.MLDSAMuHasher(key)
        feed([mu], source, progress)
        return Digested(mu.finalize(), EXTERNAL_MU, "The message was digested here to ML-DSA's 64-byte mu.")
    if signing is None or signing.digest not in _HASHES or DIGEST not in signing.message_types:
        raise PublicKeyError(
            f"{algorithm} cannot take a digest made here, so its message has at most 4,096 bytes.",
            next_step="ED25519_PH_SHA_512 signs a digest." if algorithm.startswith("ED25519") else "",
        )
    digest = hashlib.new(signing.digest)
    feed([digest], source, progress)
    twice = " KMS hashes it again, so other Ed25519ph software must do so too." if "_PH_" in algorithm else ""
    name = f"SHA-{signing.digest.removeprefix('sha')}"
    return Digested(digest.digest(), DIGEST, f"The message was digested here with {name}.{twice}")


def feed(hashers: Sequence[Hasher], source: _Source, progress: Callable[[int], None]) -> None:
    """Give each hasher all of a stream, which is read once; ``progress`` gets the bytes done."""
    done = 0
    while chunk := source.read(_CHUNK):
        for hasher in hashers:
            hasher.update(chunk)
        done += len(chunk)
        progress(done)


def _look_up(table: Mapping[str, hashes.HashAlgorithm], algorithm: str, verb: str) -> hashes.HashAlgorithm:
    if algorithm not in table:
        raise PublicKeyError(f"{algorithm} cannot {verb} offline.", next_step=f"Choose {' or '.join(table)}.")
    return table[algorithm]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _base64url_number(number: int, size: int | None = None) -> str:
    return _base64url(number.to_bytes(size or (number.bit_length() + 7) // 8))
