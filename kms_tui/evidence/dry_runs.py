"""Whether the caller may use a key, asked of KMS itself by calls with DryRun, which do nothing.

Source: the service model (DryRun, DryRunModifiers) and the developer guide (testing-permissions). KMS answers
DryRunOperationException where the call would have succeeded. Verify, VerifyMac and Decapsulate are not asked:
they need what only the key has made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import ACCESS_DENIED, ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyUsage
from kms_tui.kms.operations import ROWS

_WOULD_SUCCEED = "DryRunOperationException"
_MESSAGE = b"dry run"
_BLOB = b"\x00" * 152
"""Stands where a ciphertext does: IGNORE_CIPHERTEXT leaves it unread."""


class DryRunOutcome(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    FAILED = "failed"
    """For another reason than access: the key's state, a throttled call."""


@dataclass(frozen=True, slots=True)
class DryRunAnswer:
    """KMS's answer about one operation; ``message`` is its error, untrusted, or ""."""

    operation: str
    outcome: DryRunOutcome
    message: str = ""


Context = Mapping[str, str]
Members = Callable[[Key, Context], dict[str, Any]]


def _algorithm(key: Key) -> str:
    return KEY_SPECS[key.spec].algorithms[KeyUsage(key.usage)][0]


def _encryption(key: Key, context: Context) -> dict[str, Any]:
    """The members that encryption and decryption have in common."""
    if key.spec != SYMMETRIC_DEFAULT:
        return {"EncryptionAlgorithm": _algorithm(key)}
    return {"EncryptionContext": dict(context)} if context else {}


def _unread(key: Key, context: Context) -> dict[str, Any]:
    return {"CiphertextBlob": _BLOB, "DryRunModifiers": ["IGNORE_CIPHERTEXT"], **_encryption(key, context)}


def _re_encrypt(key: Key, context: Context) -> dict[str, Any]:
    """From the key to itself."""
    members: dict[str, Any] = {
        "CiphertextBlob": _BLOB,
        "DryRunModifiers": ["IGNORE_CIPHERTEXT"],
        "SourceKeyId": key.arn,
        "DestinationKeyId": key.arn,
    }
    for side in ("Source", "Destination"):
        if key.spec != SYMMETRIC_DEFAULT:
            members[f"{side}EncryptionAlgorithm"] = _algorithm(key)
        elif context:
            members[f"{side}EncryptionContext"] = dict(context)
    return members


def _data_key_pair(key: Key, context: Context) -> dict[str, Any]:
    return {"KeyPairSpec": "ECC_NIST_P256", **_encryption(key, context)}


def _data_key(key: Key, context: Context) -> dict[str, Any]:
    return {"KeySpec": "AES_256", **_encryption(key, context)}


_MEMBERS: Mapping[str, Members] = {
    "Encrypt": lambda key, context: {"Plaintext": _MESSAGE, **_encryption(key, context)},
    "Decrypt": _unread,
    "ReEncrypt": _re_encrypt,
    "GenerateDataKey": _data_key,
    "GenerateDataKeyWithoutPlaintext": _data_key,
    "GenerateDataKeyPair": _data_key_pair,
    "GenerateDataKeyPairWithoutPlaintext": _data_key_pair,
    "Sign": lambda key, _: {"Message": _MESSAGE, "SigningAlgorithm": _algorithm(key)},
    "GenerateMac": lambda key, _: {"Message": _MESSAGE, "MacAlgorithm": _algorithm(key)},
    "Encapsulate": lambda key, _: {"EncapsulationAlgorithm": _algorithm(key)},
}
"""Operation -> the members of a call with DryRun beside KeyId."""


def operations_for(key: Key) -> tuple[str, ...]:
    """The operations that can be asked about this key."""
    spec = KEY_SPECS.get(key.spec)
    if spec is None or key.usage not in spec.algorithms:
        return ()
    return tuple(name for name in _MEMBERS if ROWS[name].fits(spec, key.usage))


def dry_runs(kms: Kms, key: Key, context: Context) -> Iterator[DryRunAnswer]:
    """Ask about each operation in turn. Raises KmsTuiError but for what KMS answers to one call."""
    for operation in operations_for(key):
        members = _MEMBERS[operation](key, context)
        if operation != "ReEncrypt":
            members["KeyId"] = key.arn
        try:
            kms.call(operation, DryRun=True, **members)
        except ServiceError as error:
            yield _answer(operation, error)
        else:
            yield DryRunAnswer(operation, DryRunOutcome.FAILED, "KMS made the call instead of trying it.")


def _answer(operation: str, error: ServiceError) -> DryRunAnswer:
    if error.code == _WOULD_SUCCEED:
        return DryRunAnswer(operation, DryRunOutcome.ALLOWED)
    outcome = DryRunOutcome.DENIED if error.code in ACCESS_DENIED else DryRunOutcome.FAILED
    return DryRunAnswer(operation, outcome, error.message)
