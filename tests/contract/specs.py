"""What each legal pair of key spec and usage can do, written out from the service model."""

from __future__ import annotations

OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
RSA_SIGNING = [
    f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)
]

LEGAL: dict[tuple[str, str], tuple[str, list[str]]] = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): ("EncryptionAlgorithms", ["SYMMETRIC_DEFAULT"]),
    **{(f"RSA_{bits}", "ENCRYPT_DECRYPT"): ("EncryptionAlgorithms", OAEP) for bits in (2048, 3072, 4096)},
    **{(f"RSA_{bits}", "SIGN_VERIFY"): ("SigningAlgorithms", RSA_SIGNING) for bits in (2048, 3072, 4096)},
    ("ECC_NIST_P256", "SIGN_VERIFY"): ("SigningAlgorithms", ["ECDSA_SHA_256"]),
    ("ECC_NIST_P384", "SIGN_VERIFY"): ("SigningAlgorithms", ["ECDSA_SHA_384"]),
    ("ECC_NIST_P521", "SIGN_VERIFY"): ("SigningAlgorithms", ["ECDSA_SHA_512"]),
    ("ECC_SECG_P256K1", "SIGN_VERIFY"): ("SigningAlgorithms", ["ECDSA_SHA_256"]),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"): (
        "SigningAlgorithms",
        ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
    ),
    **{
        (f"ECC_NIST_{curve}", "KEY_AGREEMENT"): ("KeyAgreementAlgorithms", ["ECDH"])
        for curve in ("P256", "P384", "P521")
    },
    **{
        (f"HMAC_{bits}", "GENERATE_VERIFY_MAC"): ("MacAlgorithms", [f"HMAC_SHA_{bits}"])
        for bits in (224, 256, 384, 512)
    },
    **{
        (f"ML_DSA_{level}", "SIGN_VERIFY"): ("SigningAlgorithms", ["ML_DSA_SHAKE_256"])
        for level in (44, 65, 87)
    },
    **{
        (f"ML_KEM_{level}", "ENCAPSULATE_DECAPSULATE"): ("EncapsulationAlgorithms", ["ML_KEM"])
        for level in (768, 1024)
    },
}
"""(spec, usage) -> (member of KeyMetadata, its algorithms, in their order).

Without SM2, which only China Regions have, and ML_KEM_512, which not every cryptographic library can do.
"""

ALGORITHM_MEMBERS = frozenset(member for member, _ in LEGAL.values())

ILLEGAL = (
    ("SYMMETRIC_DEFAULT", "SIGN_VERIFY"),
    ("SYMMETRIC_DEFAULT", "GENERATE_VERIFY_MAC"),
    ("RSA_2048", "KEY_AGREEMENT"),
    ("RSA_2048", "GENERATE_VERIFY_MAC"),
    ("ECC_NIST_P256", "ENCRYPT_DECRYPT"),
    ("ECC_SECG_P256K1", "KEY_AGREEMENT"),
    ("ECC_NIST_EDWARDS25519", "KEY_AGREEMENT"),
    ("HMAC_256", "SIGN_VERIFY"),
    ("HMAC_256", "ENCRYPT_DECRYPT"),
    ("ML_DSA_44", "ENCAPSULATE_DECAPSULATE"),
    ("ML_KEM_768", "SIGN_VERIFY"),
)
