"""THE table of operations: the inputs of each, the keys that offer it, and the operations that take its
output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from kms_tui.kms.keyspecs import KEY_SPECS, Family
from kms_tui.kms.model import Key, KeyUsage


class Role(Enum):
    """The role of an input in its operation; the value is its label."""

    PLAINTEXT = "Plaintext"
    CIPHERTEXT = "Ciphertext"
    MESSAGE = "Message"
    SIGNATURE = "Signature"
    MAC = "MAC"
    PUBLIC_KEY = "Public key"

    @property
    def noun(self) -> str:
        """The noun in a sentence."""
        name = str(self.value)
        return name if self is Role.MAC else name.lower()

    @property
    def is_secret(self) -> bool:
        """Whether it is hidden while no one edits it; the service model marks the same ones as sensitive."""
        return self in (Role.PLAINTEXT, Role.MESSAGE)

    @property
    def is_binary(self) -> bool:
        """Whether it is binary, so that typed text is base64 or hex."""
        return not self.is_secret


class OperationName(Enum):
    """The operations; the value is the name in the history and the interface."""

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    RE_ENCRYPT = "re-encrypt"
    DATA_KEY = "data-key"
    DATA_KEY_ENCRYPTED = "data-key-encrypted"
    KEY_PAIR = "key-pair"
    KEY_PAIR_ENCRYPTED = "key-pair-encrypted"
    SIGN = "sign"
    VERIFY = "verify"
    VERIFY_OFFLINE = "verify-offline"
    GENERATE_MAC = "generate-mac"
    VERIFY_MAC = "verify-mac"
    DERIVE = "derive-shared-secret"
    ENCAPSULATE = "encapsulate"
    DECAPSULATE = "decapsulate"
    PUBLIC_KEY = "public-key"
    ENCRYPT_OFFLINE = "encrypt-offline"
    RANDOM = "random"


_SYMMETRIC = frozenset({Family.SYMMETRIC})
_ASYMMETRIC = frozenset(Family) - {Family.SYMMETRIC, Family.HMAC}
_ANY = frozenset(Family)
_RSA = frozenset({Family.RSA})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; ``api`` is its API operation, ``usage`` is None if it needs no key."""

    name: OperationName
    title: str
    api: str
    tooltip: str
    usage: KeyUsage | None
    families: frozenset[Family] = _ANY
    roles: tuple[Role, ...] = ()
    settings: tuple[str, ...] = ()
    """Names in ``request.SETTINGS``, in the order in which they are shown."""
    context: bool = False
    """Whether it takes an encryption context; only symmetric keys do."""
    key_found: bool = False
    """Whether KMS finds the key itself, so that the user need not choose one."""
    any_usage: bool = False
    """Whether keys of any usage can be used, of these families."""

    @property
    def needs_key(self) -> bool:
        return (self.usage is not None or self.any_usage) and not self.key_found

    def suits(self, key: Key) -> bool:
        """Whether the key's usage and spec allow it; KMS checks its state."""
        spec = KEY_SPECS.get(key.spec)
        if self.usage is None and not self.any_usage:
            return True
        in_family = spec is None or spec.family in self.families
        return in_family and (self.any_usage or key.usage == self.usage)


_ENCRYPT, _SIGN, _MAC = KeyUsage.ENCRYPT_DECRYPT, KeyUsage.SIGN_VERIFY, KeyUsage.GENERATE_VERIFY_MAC
_ALGORITHM = ("algorithm",)
_SIGNING = ("algorithm", "message_type")
_DATA_KEY = ("data_key_spec", "number_of_bytes")

# fmt: off
_TABLE = (
    Operation(OperationName.ENCRYPT, "Encrypt", "Encrypt", "Encrypt text or a file of any size", _ENCRYPT, roles=(Role.PLAINTEXT,), settings=_ALGORITHM, context=True),
    Operation(OperationName.DECRYPT, "Decrypt", "Decrypt", "Open a ciphertext; KMS finds a symmetric key itself", _ENCRYPT, roles=(Role.CIPHERTEXT,), settings=_ALGORITHM, context=True, key_found=True),
    Operation(OperationName.RE_ENCRYPT, "Re-encrypt", "ReEncrypt", "Move a ciphertext to another key, context or region; its plaintext is not shown", _ENCRYPT, roles=(Role.CIPHERTEXT,), settings=("algorithm", "destination_algorithm"), context=True, key_found=True),
    Operation(OperationName.DATA_KEY, "Data key", "GenerateDataKey", "A key to encrypt with outside KMS, in the clear and encrypted", _ENCRYPT, families=_SYMMETRIC, settings=_DATA_KEY, context=True),
    Operation(OperationName.DATA_KEY_ENCRYPTED, "Data key, encrypted", "GenerateDataKeyWithoutPlaintext", "A data key in encrypted form only, to be decrypted when it is needed", _ENCRYPT, families=_SYMMETRIC, settings=_DATA_KEY, context=True),
    Operation(OperationName.KEY_PAIR, "Key pair", "GenerateDataKeyPair", "A key pair to use outside KMS: private key in the clear and encrypted", _ENCRYPT, families=_SYMMETRIC, settings=("key_pair_spec",), context=True),
    Operation(OperationName.KEY_PAIR_ENCRYPTED, "Key pair, encrypted", "GenerateDataKeyPairWithoutPlaintext", "A key pair whose private key comes in encrypted form only", _ENCRYPT, families=_SYMMETRIC, settings=("key_pair_spec",), context=True),
    Operation(OperationName.SIGN, "Sign", "Sign", "Sign a message, or the digest of one", _SIGN, roles=(Role.MESSAGE,), settings=_SIGNING),
    Operation(OperationName.VERIFY, "Verify", "Verify", "Ask KMS whether a signature is good", _SIGN, roles=(Role.MESSAGE, Role.SIGNATURE), settings=_SIGNING),
    Operation(OperationName.VERIFY_OFFLINE, "Verify offline", "GetPublicKey", "Check a signature here, with the downloaded public key", _SIGN, roles=(Role.MESSAGE, Role.SIGNATURE), settings=_SIGNING),
    Operation(OperationName.GENERATE_MAC, "Generate MAC", "GenerateMac", "Make the message authentication code of a message", _MAC, roles=(Role.MESSAGE,), settings=_ALGORITHM),
    Operation(OperationName.VERIFY_MAC, "Verify MAC", "VerifyMac", "Ask KMS whether a message authentication code is good", _MAC, roles=(Role.MESSAGE, Role.MAC), settings=_ALGORITHM),
    Operation(OperationName.DERIVE, "Shared secret", "DeriveSharedSecret", "Agree on a secret with the owner of another public key (ECDH)", KeyUsage.KEY_AGREEMENT, roles=(Role.PUBLIC_KEY,), settings=_ALGORITHM),
    Operation(OperationName.ENCAPSULATE, "Encapsulate", "Encapsulate", "Make a shared secret that this key alone can decapsulate (ML-KEM)", KeyUsage.ENCAPSULATE_DECAPSULATE, settings=_ALGORITHM),
    Operation(OperationName.DECAPSULATE, "Decapsulate", "Decapsulate", "Get the shared secret out of its ciphertext (ML-KEM)", KeyUsage.ENCAPSULATE_DECAPSULATE, roles=(Role.CIPHERTEXT,), settings=_ALGORITHM),
    Operation(OperationName.PUBLIC_KEY, "Public key", "GetPublicKey", "Download the public key: PEM, DER, JWK, SSH line, fingerprints", None, families=_ASYMMETRIC, any_usage=True),
    Operation(OperationName.ENCRYPT_OFFLINE, "Encrypt offline", "GetPublicKey", "Encrypt here, with the downloaded public key", _ENCRYPT, families=_RSA, roles=(Role.PLAINTEXT,), settings=_ALGORITHM),
    Operation(OperationName.RANDOM, "Random bytes", "GenerateRandom", "Random bytes from KMS; no key is involved", None, settings=("random_bytes",)),
)
# fmt: on

OPERATIONS: Mapping[OperationName, Operation] = {operation.name: operation for operation in _TABLE}


def offered(key: Key | None) -> tuple[Operation, ...]:
    """The operations that a key allows and those that need none; all without a key."""
    return tuple(operation for operation in _TABLE if key is None or operation.suits(key))


class NextOperation(NamedTuple):
    """The next operation, and the input that the output becomes; other inputs stay."""

    operation: OperationName
    role: Role


_CIPHERTEXT, _PLAINTEXT = (
    NextOperation(OperationName.DECRYPT, Role.CIPHERTEXT),
    NextOperation(OperationName.ENCRYPT, Role.PLAINTEXT),
)
_NEXT: Mapping[str, NextOperation] = {
    "Ciphertext": _CIPHERTEXT,
    "Sealed message": _CIPHERTEXT,
    "Encrypted data key": _CIPHERTEXT,
    "Encrypted private key": _CIPHERTEXT,
    "Plaintext": _PLAINTEXT,
    "Data key": _PLAINTEXT,
    "Private key": _PLAINTEXT,
    "Random bytes": _PLAINTEXT,
    "Encrypted secret": NextOperation(OperationName.DECAPSULATE, Role.CIPHERTEXT),
    "SSH line": NextOperation(OperationName.DERIVE, Role.PUBLIC_KEY),
    "JWK": NextOperation(OperationName.DERIVE, Role.PUBLIC_KEY),
    "PEM": NextOperation(OperationName.DERIVE, Role.PUBLIC_KEY),
    "DER": NextOperation(OperationName.DERIVE, Role.PUBLIC_KEY),
    "Public key": NextOperation(OperationName.DERIVE, Role.PUBLIC_KEY),
    **{
        name: NextOperation(OperationName.VERIFY, Role.SIGNATURE)
        for name in ("Signature", "Signature as r‖s", "Signature with low s", "Signature as r‖s, low s")
    },
    "MAC": NextOperation(OperationName.VERIFY_MAC, Role.MAC),
}
"""Output's name -> the next operation."""


def next_for(output: str) -> NextOperation | None:
    """The operation that takes an output; None if there is none."""
    return _NEXT.get(output)
