"""THE table of key specs: what each may be used for, with which algorithms, and within which sizes.

Source: the enums of botocore's KMS service model and the developer guide's key spec reference
(symm-asymm-choose-key-spec). Sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from kms_tui.kms.model import KeyUsage

SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
MAX_PLAINTEXT = 4096
"""Largest plaintext of Encrypt under a symmetric key, and largest RAW message of Sign and GenerateMac."""
MAX_CIPHERTEXT = 6144
RAW, DIGEST, EXTERNAL_MU = "RAW", "DIGEST", "EXTERNAL_MU"
CIPHERTEXT_STARTS = (b"\x01\x02\x02\x00\x78", b"\x01\x02\x03\x00\x78")
"""The first bytes of AWS's symmetric ciphertexts for years (AQICAH, AQIDAH in base64); undocumented."""


class Family(StrEnum):
    """The kind of key material; aliases move only within one family and usage."""

    SYMMETRIC = "symmetric"
    HMAC = "hmac"
    RSA = "rsa"
    ECC = "ecc"
    SM2 = "sm2"
    ML_DSA = "ml-dsa"
    ML_KEM = "ml-kem"


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One key spec; ``algorithms`` maps each legal usage to its algorithms, the default first."""

    name: str
    family: Family
    title: str
    algorithms: Mapping[KeyUsage, tuple[str, ...]]
    max_plaintext: Mapping[str, int] = field(default_factory=dict)
    """Encryption algorithm -> largest plaintext."""
    regions: tuple[str, ...] = ()
    """Prefixes of the only regions that have this spec; empty: all."""

    @property
    def usages(self) -> tuple[KeyUsage, ...]:
        return tuple(self.algorithms)

    @property
    def is_symmetric(self) -> bool:
        return self.family is Family.SYMMETRIC

    @property
    def is_asymmetric(self) -> bool:
        return self.family not in (Family.SYMMETRIC, Family.HMAC)


class SigningAlgorithm(NamedTuple):
    """The message types a signing algorithm takes and, for DIGEST, the hash and the length it must have."""

    name: str
    message_types: tuple[str, ...]
    digest: str = ""
    """hashlib's name of the hash that a DIGEST message was made with; "" where there is none."""
    digest_size: int = 0


_RSA_SIGNING = tuple(
    f"RSASSA_{padding}_SHA_{bits}" for padding in ("PSS", "PKCS1_V1_5") for bits in (256, 384, 512)
)
_RSA_ENCRYPTION = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")
_ENCRYPT, _SIGN = KeyUsage.ENCRYPT_DECRYPT, KeyUsage.SIGN_VERIFY
_MAC, _AGREE, _ENCAPSULATE = (
    KeyUsage.GENERATE_VERIFY_MAC,
    KeyUsage.KEY_AGREEMENT,
    KeyUsage.ENCAPSULATE_DECAPSULATE,
)


def _rsa(bits: int) -> KeySpec:
    modulus = bits // 8
    return KeySpec(
        f"RSA_{bits}",
        Family.RSA,
        f"RSA-{bits}",
        {_ENCRYPT: _RSA_ENCRYPTION, _SIGN: _RSA_SIGNING},
        max_plaintext={"RSAES_OAEP_SHA_256": modulus - 66, "RSAES_OAEP_SHA_1": modulus - 42},
    )


def _nist(curve: str, digest_bits: int) -> KeySpec:
    return KeySpec(
        f"ECC_NIST_{curve}",
        Family.ECC,
        f"NIST {curve[0]}-{curve[1:]}",
        {_SIGN: (f"ECDSA_SHA_{digest_bits}",), _AGREE: ("ECDH",)},
    )


def _hmac(bits: int) -> KeySpec:
    return KeySpec(f"HMAC_{bits}", Family.HMAC, f"HMAC-{bits}", {_MAC: (f"HMAC_SHA_{bits}",)})


def _ml_dsa(level: int) -> KeySpec:
    return KeySpec(f"ML_DSA_{level}", Family.ML_DSA, f"ML-DSA-{level}", {_SIGN: ("ML_DSA_SHAKE_256",)})


def _ml_kem(level: int) -> KeySpec:
    return KeySpec(f"ML_KEM_{level}", Family.ML_KEM, f"ML-KEM-{level}", {_ENCAPSULATE: ("ML_KEM",)})


_SPECS = (
    KeySpec(
        SYMMETRIC_DEFAULT,
        Family.SYMMETRIC,
        "AES-256",
        {_ENCRYPT: (SYMMETRIC_DEFAULT,)},
        max_plaintext={SYMMETRIC_DEFAULT: MAX_PLAINTEXT},
    ),
    *(_rsa(bits) for bits in (2048, 3072, 4096)),
    _nist("P256", 256),
    _nist("P384", 384),
    _nist("P521", 512),
    KeySpec("ECC_SECG_P256K1", Family.ECC, "secp256k1", {_SIGN: ("ECDSA_SHA_256",)}),
    KeySpec(
        "ECC_NIST_EDWARDS25519", Family.ECC, "Ed25519", {_SIGN: ("ED25519_SHA_512", "ED25519_PH_SHA_512")}
    ),
    *(_hmac(bits) for bits in (224, 256, 384, 512)),
    *(_ml_dsa(level) for level in (44, 65, 87)),
    *(_ml_kem(level) for level in (512, 768, 1024)),
    KeySpec(
        "SM2",
        Family.SM2,
        "SM2",
        {_ENCRYPT: ("SM2PKE",), _SIGN: ("SM2DSA",), _AGREE: ("ECDH",)},
        max_plaintext={"SM2PKE": 1024},
        regions=("cn-",),
    ),
)

KEY_SPECS: Mapping[str, KeySpec] = {spec.name: spec for spec in _SPECS}

_HASHES = {256: "sha256", 384: "sha384", 512: "sha512"}

SIGNING_ALGORITHMS: Mapping[str, SigningAlgorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        *(
            SigningAlgorithm(f"{prefix}_SHA_{bits}", (RAW, DIGEST), name, bits // 8)
            for prefix in ("RSASSA_PSS", "RSASSA_PKCS1_V1_5", "ECDSA")
            for bits, name in _HASHES.items()
        ),
        SigningAlgorithm("SM2DSA", (RAW, DIGEST), "sm3", 32),
        SigningAlgorithm("ED25519_SHA_512", (RAW,)),
        SigningAlgorithm("ED25519_PH_SHA_512", (DIGEST,), "sha512", 64),
        SigningAlgorithm("ML_DSA_SHAKE_256", (RAW, EXTERNAL_MU), "", 64),
    )
}


def spec_title(name: str) -> str:
    """The short name of a key spec for people ("AES-256"); an unknown spec's own name."""
    spec = KEY_SPECS.get(name)
    return spec.title if spec else name


def alias_kind(spec: str, usage: str) -> tuple[str, bool, bool]:
    """What an alias keeps when it moves: usage, and whether symmetric, asymmetric or HMAC (UpdateAlias)."""
    known = KEY_SPECS.get(spec)
    return usage, known is not None and known.is_symmetric, known is None or known.is_asymmetric
