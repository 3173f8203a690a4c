"""KMS keys as private keys of the ``cryptography`` library, so that its builders sign with them.

Its builders of certificates, requests, revocation lists and SSH certificates take any subclass of its
abstract private keys and call ``sign``. Here ``sign`` is one call of KMS's Sign, with the digest made here.
The private key never leaves KMS: what would give its bytes away raises SigningError.
"""

from __future__ import annotations

from typing import Any, NoReturn, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric import utils as asymmetric
from cryptography.hazmat.primitives.serialization import Encoding, KeySerializationEncryption, PrivateFormat
from cryptography.utils import Buffer

from kms_tui.kms.keyspecs import DIGEST, EXTERNAL_MU, RAW, Family
from kms_tui.signing.signing_key import SigningError, SigningKey

ED25519, ML_DSA = "ED25519_SHA_512", "ML_DSA_SHAKE_256"


class _KmsPrivateKey:
    """What all of them share: the key, and the refusal of what only the private bytes could do."""

    def __init__(self, key: SigningKey) -> None:
        self.signing_key = key

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.signing_key.arn!r})"

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002 (the library's own name)
        encryption_algorithm: KeySerializationEncryption,
    ) -> NoReturn:
        self._refuse()

    def private_bytes_raw(self) -> NoReturn:
        self._refuse()

    def private_numbers(self) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise SigningError(f"The private key of {self.signing_key.asked_as} never leaves KMS.")

    def _sign_hashed(
        self, data: Buffer, prefix: str, algorithm: asymmetric.Prehashed | hashes.HashAlgorithm
    ) -> bytes:
        """Sign with the algorithm of KMS that a prefix and a hash name, e.g. ``ECDSA`` and SHA-256."""
        made = algorithm._algorithm if isinstance(algorithm, asymmetric.Prehashed) else algorithm
        name = self.signing_key.require(f"{prefix}_{made.name.upper().replace('SHA', 'SHA_')}")
        if isinstance(algorithm, asymmetric.Prehashed):
            return self.signing_key.sign(bytes(data), name, DIGEST)
        digest = hashes.Hash(made)
        digest.update(data)
        return self.signing_key.sign(digest.finalize(), name, DIGEST)


class KmsRsaPrivateKey(_KmsPrivateKey, rsa.RSAPrivateKey):
    """An RSA key of usage SIGN_VERIFY."""

    def public_key(self) -> rsa.RSAPublicKey:
        loaded = self.signing_key.public_key.loaded()
        assert isinstance(loaded, rsa.RSAPublicKey)
        return loaded

    @property
    def key_size(self) -> int:
        return self.public_key().key_size

    def decrypt(self, ciphertext: bytes, padding: padding.AsymmetricPadding) -> NoReturn:
        raise SigningError(f"{self.signing_key.asked_as} signs; a key of its usage decrypts nothing.")

    def sign(
        self,
        data: bytes,
        padding: padding.AsymmetricPadding,
        algorithm: asymmetric.Prehashed | hashes.HashAlgorithm | asymmetric.NoDigestInfo,
    ) -> bytes:
        """PKCS #1 v1.5, or PSS with a salt as long as the digest (Sign's only one), with SHA-2."""
        if isinstance(algorithm, asymmetric.NoDigestInfo):
            raise SigningError("KMS makes no RSA signature without the name of the digest.")
        return self._sign_hashed(data, _rsa_prefix(padding, algorithm), algorithm)


def _rsa_prefix(
    chosen: padding.AsymmetricPadding, algorithm: asymmetric.Prehashed | hashes.HashAlgorithm
) -> str:
    if isinstance(chosen, padding.PKCS1v15):
        return "RSASSA_PKCS1_V1_5"
    if not isinstance(chosen, padding.PSS):
        raise SigningError(f"KMS signs with PKCS #1 v1.5 and PSS, not with {chosen.name}.")
    digest = algorithm._algorithm if isinstance(algorithm, asymmetric.Prehashed) else algorithm
    lengths = (padding.PSS.DIGEST_LENGTH, digest.digest_size)
    if not any(chosen == padding.PSS(padding.MGF1(digest), length) for length in lengths):
        raise SigningError(
            "KMS makes PSS signatures whose salt is as long as the digest, and whose mask has the same hash."
        )
    return "RSASSA_PSS"


class KmsEcPrivateKey(_KmsPrivateKey, ec.EllipticCurvePrivateKey):
    """A key on P-256, P-384, P-521 or secp256k1 of usage SIGN_VERIFY; signatures are DER."""

    def public_key(self) -> ec.EllipticCurvePublicKey:
        loaded = self.signing_key.public_key.loaded()
        assert isinstance(loaded, ec.EllipticCurvePublicKey)
        return loaded

    @property
    def curve(self) -> ec.EllipticCurve:
        return self.public_key().curve

    @property
    def key_size(self) -> int:
        return self.curve.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        raise SigningError(f"{self.signing_key.asked_as} signs; a key of its usage agrees on no secret.")

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """ECDSA with the one hash that KMS has for the curve."""
        if not isinstance(signature_algorithm, ec.ECDSA):
            raise SigningError("KMS signs with ECDSA on these curves.")
        return self._sign_hashed(data, "ECDSA", signature_algorithm.algorithm)


class KmsEd25519PrivateKey(_KmsPrivateKey, ed25519.Ed25519PrivateKey):
    """An Ed25519 key: it signs whole messages of at most 4,096 bytes (RFC 8032 signs no digest)."""

    def public_key(self) -> ed25519.Ed25519PublicKey:
        loaded = self.signing_key.public_key.loaded()
        assert isinstance(loaded, ed25519.Ed25519PublicKey)
        return loaded

    def sign(self, data: Buffer) -> bytes:
        return self.signing_key.sign(bytes(data), ED25519, RAW)


class _KmsMlDsaPrivateKey(_KmsPrivateKey):
    """ML-DSA (FIPS 204): mu is made here with the public key, and signed as EXTERNAL_MU."""

    def sign(self, data: Buffer, context: Buffer | None = None) -> bytes:
        if context:
            hasher = mldsa.MLDSAMuHasher(self.public_key(), bytes(context))
            hasher.update(bytes(data))
            return self.sign_mu(hasher.finalize())
        return self.signing_key.sign_message(bytes(data), ML_DSA)

    def sign_mu(self, mu: Buffer) -> bytes:
        return self.signing_key.sign(bytes(mu), ML_DSA, EXTERNAL_MU)

    def public_key(self) -> Any:
        return self.signing_key.public_key.loaded()


class KmsMlDsa44PrivateKey(_KmsMlDsaPrivateKey, mldsa.MLDSA44PrivateKey):
    """An ML_DSA_44 key."""


class KmsMlDsa65PrivateKey(_KmsMlDsaPrivateKey, mldsa.MLDSA65PrivateKey):
    """An ML_DSA_65 key."""


class KmsMlDsa87PrivateKey(_KmsMlDsaPrivateKey, mldsa.MLDSA87PrivateKey):
    """An ML_DSA_87 key."""


KmsPrivateKey = (
    KmsRsaPrivateKey
    | KmsEcPrivateKey
    | KmsEd25519PrivateKey
    | KmsMlDsa44PrivateKey
    | KmsMlDsa65PrivateKey
    | KmsMlDsa87PrivateKey
)

_BY_FAMILY: dict[Family, type[KmsRsaPrivateKey | KmsEcPrivateKey]] = {
    Family.RSA: KmsRsaPrivateKey,
    Family.ECC: KmsEcPrivateKey,
}
_BY_SPEC: dict[str, type[KmsPrivateKey]] = {
    "ECC_NIST_EDWARDS25519": KmsEd25519PrivateKey,
    "ML_DSA_44": KmsMlDsa44PrivateKey,
    "ML_DSA_65": KmsMlDsa65PrivateKey,
    "ML_DSA_87": KmsMlDsa87PrivateKey,
}


def private_key(key: SigningKey) -> KmsPrivateKey:
    """The key as a private key of ``cryptography``. SigningError for SM2, which it lacks."""
    kind = _BY_SPEC.get(key.spec) or _BY_FAMILY.get(key.family)
    if kind is None:
        raise SigningError(
            f"{key.asked_as} is an {key.spec} key, which this program's cryptography library does not know.",
            next_step="KMS itself signs with it: use the scratchpad, or `aws kms sign`.",
        )
    return kind(key)
