"""A call for each action, with which a throwaway offline KMS tries whether a principal may do it.

Each makes what the call needs first, as the key's administrator: a ciphertext to decrypt, a grant to retire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kms_tui.backend.local import LocalBackend
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyUsage
from kms_tui.kms.operations import ROWS, KeyClass

_MESSAGE = b"tried by kms-tui"
_FOR_EVERYONE = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", '
    '"Resource": "*"}}'
)
_DEFAULT_SPECS: Mapping[KeyUsage, str] = {
    KeyUsage.ENCRYPT_DECRYPT: SYMMETRIC_DEFAULT,
    KeyUsage.SIGN_VERIFY: "ECC_NIST_P256",
    KeyUsage.GENERATE_VERIFY_MAC: "HMAC_256",
    KeyUsage.KEY_AGREEMENT: "ECC_NIST_P256",
    KeyUsage.ENCAPSULATE_DECAPSULATE: "ML_KEM_768",
}


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The spec and the usage of the key to try an action on."""

    spec: str
    usage: KeyUsage

    @property
    def algorithm(self) -> str:
        return KEY_SPECS[self.spec].algorithms[self.usage][0]


def key_form(operation: str, known: Mapping[str, str], granted: Iterable[str] = ()) -> KeyForm:
    """A key that can have the operation: of the spec in ``known`` (kms:keyspec), or the usual one.

    ``known`` are the request's condition keys in lower case with their single values, ``granted`` the
    operations that the key's grants allow, which tell its usage where the operation does not.
    """
    row = ROWS[operation]
    usage = row.usage or next(
        (ROWS[name].usage for name in granted if name in ROWS and ROWS[name].usage), None
    )
    if usage is None:
        asymmetric = row.keys is KeyClass.ASYMMETRIC
        usage = KeyUsage.SIGN_VERIFY if asymmetric else KeyUsage.ENCRYPT_DECRYPT
    algorithm = known.get("kms:signingalgorithm") or known.get("kms:encryptionalgorithm") or ""
    specs = [known.get("kms:keyspec", ""), *(name for name in KEY_SPECS if not KEY_SPECS[name].regions)]
    for name in specs:
        spec = KEY_SPECS.get(name)
        offered = spec.algorithms.get(usage, ()) if spec else ()
        if offered and row.fits(spec, usage) and (not algorithm or algorithm in offered):
            wanted = algorithm or name == specs[0]
            return KeyForm(name if wanted else _DEFAULT_SPECS[usage], usage)
    return KeyForm(_DEFAULT_SPECS[usage], usage)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a call is made of: administrators of the key's and the caller's account, the key, and the request.

    ``known`` are the request's condition keys in lower case with their single values.
    """

    administrator: LocalBackend
    callers_administrator: LocalBackend
    arn: str
    form: KeyForm
    context: Mapping[str, str]
    known: Mapping[str, str]

    @property
    def key(self) -> dict[str, Any]:
        return {"KeyId": self.arn}

    @property
    def algorithm(self) -> str:
        named = self.known.get("kms:signingalgorithm") or self.known.get("kms:encryptionalgorithm")
        return named or self.form.algorithm

    @property
    def encryption(self) -> dict[str, Any]:
        """The members that encryption and decryption have in common."""
        if self.form.spec != SYMMETRIC_DEFAULT:
            return {"EncryptionAlgorithm": self.algorithm}
        return {"EncryptionContext": dict(self.context)} if self.context else {}

    def ciphertext(self) -> bytes:
        request = self.key | {"Plaintext": _MESSAGE} | self.encryption
        return bytes(self.administrator.call("Encrypt", request)["CiphertextBlob"])

    def other_key(self) -> str:
        """The ARN of a key of the caller's account, which everyone there may use."""
        request = {"Policy": _FOR_EVERYONE, "BypassPolicyLockoutSafetyCheck": True}
        return str(self.callers_administrator.call("CreateKey", request)["KeyMetadata"]["Arn"])


Members = dict[str, Any]


def _only_key(trial: Trial) -> Members:
    return trial.key


def _with(**members: Any) -> Callable[[Trial], Members]:
    return lambda trial: trial.key | members


def _encrypt(trial: Trial) -> Members:
    return trial.key | {"Plaintext": _MESSAGE} | trial.encryption


def _decrypt(trial: Trial) -> Members:
    return trial.key | {"CiphertextBlob": trial.ciphertext()} | trial.encryption


def _re_encrypt_from(trial: Trial) -> Members:
    source = {"CiphertextBlob": trial.ciphertext(), "SourceKeyId": trial.arn}
    context = {"SourceEncryptionContext": dict(trial.context)} if trial.context else {}
    return {**source, **context, "DestinationKeyId": trial.other_key()}


def _re_encrypt_to(trial: Trial) -> Members:
    other = trial.other_key()
    sealed = trial.callers_administrator.call("Encrypt", {"KeyId": other, "Plaintext": _MESSAGE})
    context = {"DestinationEncryptionContext": dict(trial.context)} if trial.context else {}
    return {"CiphertextBlob": sealed["CiphertextBlob"], "DestinationKeyId": trial.arn, **context}


def _data_key(trial: Trial) -> Members:
    return trial.key | {"KeySpec": "AES_256"} | trial.encryption


def _data_key_pair(trial: Trial) -> Members:
    spec = trial.known.get("kms:datakeypairspec", "ECC_NIST_P256")
    return trial.key | {"KeyPairSpec": spec} | trial.encryption


def _sign(trial: Trial) -> Members:
    return trial.key | {"Message": _MESSAGE, "SigningAlgorithm": trial.algorithm}


def _verify(trial: Trial) -> Members:
    members = _sign(trial)
    return members | {"Signature": trial.administrator.call("Sign", members)["Signature"]}


def _mac(trial: Trial) -> Members:
    return trial.key | {"Message": _MESSAGE, "MacAlgorithm": trial.form.algorithm}


def _verify_mac(trial: Trial) -> Members:
    members = _mac(trial)
    return members | {"Mac": trial.administrator.call("GenerateMac", members)["Mac"]}


def _agree(trial: Trial) -> Members:
    other = trial.administrator.call("CreateKey", {"KeySpec": trial.form.spec, "KeyUsage": trial.form.usage})
    public = trial.administrator.call("GetPublicKey", {"KeyId": other["KeyMetadata"]["Arn"]})["PublicKey"]
    return trial.key | {"KeyAgreementAlgorithm": "ECDH", "PublicKey": public}


def _encapsulate(trial: Trial) -> Members:
    return trial.key | {"EncapsulationAlgorithm": trial.form.algorithm}


def _decapsulate(trial: Trial) -> Members:
    members = _encapsulate(trial)
    sealed = trial.administrator.call("Encapsulate", members)["SharedSecretCiphertextBlob"]
    return members | {"SharedSecretCiphertextBlob": sealed}


def _put_policy(trial: Trial) -> Members:
    return trial.key | {"Policy": trial.administrator.call("GetKeyPolicy", trial.key)["Policy"]}


def _cancel_deletion(trial: Trial) -> Members:
    trial.administrator.call("ScheduleKeyDeletion", trial.key | {"PendingWindowInDays": 7})
    return trial.key


def _deletion(trial: Trial) -> Members:
    days = trial.known.get("kms:schedulekeydeletionpendingwindowindays", "30")
    return trial.key | {"PendingWindowInDays": int(days) if days.isdigit() else 30}


def _root(trial: Trial) -> str:
    backend = trial.administrator
    return f"arn:{backend.partition}:iam::{backend.account_id}:root"


def _new_grant(trial: Trial) -> Members:
    grantee = trial.known.get("kms:granteeprincipal") or _root(trial)
    operation = trial.known.get("kms:grantoperations") or "DescribeKey"
    members = trial.key | {"GranteePrincipal": grantee, "Operations": [operation]}
    if trial.context:
        members["Constraints"] = {"EncryptionContextSubset": dict(trial.context)}
    return members


def _some_grant(trial: Trial) -> Members:
    """A grant of the case, or else a new one."""
    known = trial.administrator.call("ListGrants", trial.key)["Grants"]
    if known:
        return trial.key | {"GrantId": known[0]["GrantId"]}
    grantee = {"GranteePrincipal": _root(trial), "Operations": ["DescribeKey"]}
    return trial.key | {"GrantId": trial.administrator.call("CreateGrant", trial.key | grantee)["GrantId"]}


CALLS: Mapping[str, Callable[[Trial], Members]] = {
    "Encrypt": _encrypt,
    "Decrypt": _decrypt,
    "ReEncryptFrom": _re_encrypt_from,
    "ReEncryptTo": _re_encrypt_to,
    "GenerateDataKey": _data_key,
    "GenerateDataKeyWithoutPlaintext": _data_key,
    "GenerateDataKeyPair": _data_key_pair,
    "GenerateDataKeyPairWithoutPlaintext": _data_key_pair,
    "Sign": _sign,
    "Verify": _verify,
    "GenerateMac": _mac,
    "VerifyMac": _verify_mac,
    "DeriveSharedSecret": _agree,
    "Encapsulate": _encapsulate,
    "Decapsulate": _decapsulate,
    "PutKeyPolicy": _put_policy,
    "CancelKeyDeletion": _cancel_deletion,
    "ScheduleKeyDeletion": _deletion,
    "CreateGrant": _new_grant,
    "RetireGrant": _some_grant,
    "RevokeGrant": _some_grant,
    "TagResource": _with(Tags=[{"TagKey": "tried", "TagValue": "yes"}]),
    "UntagResource": _with(TagKeys=["tried"]),
    "UpdateKeyDescription": _with(Description="tried"),
    **dict.fromkeys(
        (
            "DescribeKey",
            "DisableKey",
            "DisableKeyRotation",
            "EnableKey",
            "EnableKeyRotation",
            "GetKeyLastUsage",
            "GetKeyPolicy",
            "GetKeyRotationStatus",
            "GetPublicKey",
            "ListGrants",
            "ListKeyPolicies",
            "ListKeyRotations",
            "ListResourceTags",
            "RotateKeyOnDemand",
        ),
        _only_key,
    ),
}
"""Action -> the members of a call that tries it. The others need an alias, a Region or key material."""
OPERATIONS = {"ReEncryptFrom": "ReEncrypt", "ReEncryptTo": "ReEncrypt"}
"""Action -> the operation that asks for it, where that has another name."""
