"""THE table of what a grant may allow on each kind of key (CreateGrant: Operations)."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyUsage

_BY_USAGE: Mapping[str, tuple[str, ...]] = {
    KeyUsage.ENCRYPT_DECRYPT: ("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"),
    KeyUsage.SIGN_VERIFY: ("Sign", "Verify"),
    KeyUsage.GENERATE_VERIFY_MAC: ("GenerateMac", "VerifyMac"),
    KeyUsage.KEY_AGREEMENT: ("DeriveSharedSecret",),
    KeyUsage.ENCAPSULATE_DECAPSULATE: ("Decapsulate", "Encapsulate"),
}
_DATA_KEYS = (
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
)
_ALWAYS = ("DescribeKey", "CreateGrant", "RetireGrant")


def grant_operations(spec: str, usage: str) -> tuple[str, ...]:
    """The operations that a grant on such a key may allow, those of its usage first."""
    known = KEY_SPECS.get(spec)
    operations = _BY_USAGE.get(usage, ())
    if known is not None and known.is_symmetric:
        operations += _DATA_KEYS
    if known is None or known.is_asymmetric:
        operations += ("GetPublicKey",)
    return operations + _ALWAYS
