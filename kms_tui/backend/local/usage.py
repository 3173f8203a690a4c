"""What a key is for: refusals of operations and algorithms that do not fit it."""

from __future__ import annotations

from kms_tui.backend.local.call import Call
from kms_tui.backend.local.material import LoadedMaterial
from kms_tui.backend.local.references import find_key
from kms_tui.backend.local.rows import KeyRow, MaterialRow, current_material
from kms_tui.backend.local.states import require_state
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyUsage


def key_for(call: Call, reference: str, usage: KeyUsage, algorithm: str) -> KeyRow:
    """The key that is meant, allowed, of this usage, in a usable state, and able to do the algorithm.

    In this order: a key of another usage says so even where it is disabled.
    """
    key = key_of(call, reference, usage)
    require_algorithm(key, algorithm)
    return key


def key_of(call: Call, reference: str, usage: KeyUsage, action: str = "") -> KeyRow:
    """The key that is meant, allowed, of this usage and in a usable state; ``action`` as in ``find_key``."""
    key = find_key(call, reference, action)
    require_usage(call, key, usage)
    require_state(call, key)
    return key


def current(call: Call, key: KeyRow) -> tuple[MaterialRow, LoadedMaterial]:
    """The key's current material: its row, and itself ready for use."""
    material = current_material(call.store, key)
    if material is None:
        raise ServiceError("KMSInternalException", f"{call.arn(key)} has no key material.", status=500)
    return material, call.keyring.load(key, material)


def require_usage(call: Call, key: KeyRow, usage: KeyUsage) -> None:
    if key.usage != usage:
        raise ServiceError(
            "InvalidKeyUsageException",
            f"{call.arn(key)} key usage is {key.usage} which is not valid for {call.operation}.",
        )


def require_algorithm(key: KeyRow, algorithm: str) -> None:
    if algorithm not in KEY_SPECS[key.spec].algorithms[KeyUsage(key.usage)]:
        raise ServiceError(
            "InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key.spec}."
        )


def require_no_recipient(call: Call) -> None:
    """UnsupportedOperationException: an attestation document could not be verified here."""
    if "Recipient" in call.params:
        raise ServiceError(
            "UnsupportedOperationException",
            "Recipient is not supported: this KMS cannot verify attestation documents of Nitro Enclaves.",
        )
