"""Where the service validates otherwise than its model says: as AWS answers, or as it is documented."""

from __future__ import annotations

from collections.abc import Mapping

MAXIMA: Mapping[tuple[str, str], int] = {
    ("ListAliasesRequest", "Limit"): 100,
    ("ListGrantsRequest", "Limit"): 100,
    ("ListRetirableGrantsRequest", "Limit"): 100,
    ("ListResourceTagsRequest", "Limit"): 50,
}
"""Limits that the documentation of a member gives, lower than its shape's."""

UNLIMITED = frozenset({"PolicyType"})
"""Shapes whose maximum the service answers with LimitExceededException, after validation."""

PATTERNS: Mapping[str, tuple[str, str]] = {"KeyIdType": (r"^\p{ASCII}+$", r"[\x00-\x7f]+")}
"""Shape -> a pattern that the model does not have: as the service shows it, and for Python's ``re``."""

_KEY_SPECS = (
    *("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"),
    *("ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "SYMMETRIC_DEFAULT"),
    *("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"),
)
_SIGNING = tuple(
    f"{scheme}_SHA_{bits}"
    for scheme in ("RSASSA_PSS", "RSASSA_PKCS1_V1_5", "ECDSA")
    for bits in (256, 384, 512)
)

SHOWN: Mapping[str, tuple[str, ...]] = {
    # The service lists the specs of KMS keys here, although it takes AES_128 and AES_256.
    "DataKeySpec": _KEY_SPECS,
    "EncryptionAlgorithmSpec": ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT"),
    "KeySpec": (*_KEY_SPECS, "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
    "KeyUsageType": (
        *("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"),
        "ENCAPSULATE_DECAPSULATE",
    ),
    "MacAlgorithmSpec": ("HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"),
    "SigningAlgorithmSpec": (
        *(*_SIGNING, "ED25519_SHA_512", "ED25519_PH_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256"),
    ),
}
"""Enum -> its values as the refusal of any other lists them, where that is not the model's order."""

ALSO_TAKEN: Mapping[str, frozenset[str]] = {"SigningAlgorithmSpec": frozenset({"SYMMETRIC_DEFAULT"})}
"""Enum -> values besides its own that pass validation, to be found incompatible with the key instead."""

TAKE_ALIASES = frozenset(
    {
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetPublicKey",
        "ReEncrypt",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)
"""Operations whose KeyId may be an alias (their own pages of the API reference)."""
