"""How long an input may be, and what happens to a longer one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from kms_tui.crypto_ops.operations import Name, Operation
from kms_tui.kms.keyspecs import (
    DIGEST,
    EXTERNAL_MU,
    KEY_SPECS,
    MAX_CIPHERTEXT,
    MAX_PLAINTEXT,
    RAW,
    SIGNING_ALGORITHMS,
    SYMMETRIC_DEFAULT,
)
from kms_tui.kms.model import Key

MAX_PUBLIC_KEY = 8192
"""PublicKeyType of the service model."""


class Beyond(Enum):
    """What is done with an input over the limit."""

    REFUSED = auto()
    ENVELOPE = auto()
    """A data key encrypts it here, in the Encryption SDK's format; KMS encrypts the data key."""
    DIGEST = auto()
    """Its digest is signed instead, which is the same signature."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` bytes go to KMS as they are; with ``exact`` it must be so many."""

    most: int
    beyond: Beyond = Beyond.REFUSED
    exact: bool = False
    why: str = ""
    """For a refusal: the sentence that says what would do instead."""


_CIPHERTEXT = Limit(MAX_CIPHERTEXT, why="KMS makes no ciphertext longer than that.")
_DIGEST_WORDS = {DIGEST: "digest", EXTERNAL_MU: "mu"}
_OPENED = Limit(MAX_CIPHERTEXT, Beyond.ENVELOPE)


def limit_of(operation: Operation, key: Key | None, settings: Mapping[str, str]) -> Limit | None:
    """The limit of the operation's main input; None where it has no input or the key is not known yet."""
    algorithm = settings.get("algorithm", "")
    match operation.name:
        case Name.ENCRYPT | Name.ENCRYPT_OFFLINE:
            return _encryption(key, algorithm)
        case Name.DECRYPT:
            return _OPENED
        case Name.RE_ENCRYPT | Name.DECAPSULATE:
            return _CIPHERTEXT
        case Name.SIGN | Name.VERIFY | Name.VERIFY_OFFLINE:
            return _signing(algorithm, settings.get("message_type", RAW))
        case Name.GENERATE_MAC | Name.VERIFY_MAC:
            return Limit(MAX_PLAINTEXT, why="A MAC takes whole messages; authenticate a digest instead.")
        case Name.DERIVE:
            return Limit(MAX_PUBLIC_KEY, why="No public key is that long.")
    return None


def _encryption(key: Key | None, algorithm: str) -> Limit | None:
    spec = KEY_SPECS.get(key.spec) if key else None
    if spec is None or algorithm not in spec.max_plaintext:
        return None
    if algorithm == SYMMETRIC_DEFAULT:
        return Limit(MAX_PLAINTEXT, Beyond.ENVELOPE)
    why = "Envelope encryption, for any size, needs a symmetric key."
    return Limit(spec.max_plaintext[algorithm], why=why)


def _signing(algorithm: str, message_type: str) -> Limit | None:
    rules = SIGNING_ALGORITHMS.get(algorithm)
    if rules is None:
        return None
    if message_type != RAW:
        why = f"Choose RAW if this is the message, not its {_DIGEST_WORDS[message_type]}."
        return Limit(rules.digest_size, exact=True, why=why)
    if {DIGEST, EXTERNAL_MU} & set(rules.message_types):
        return Limit(MAX_PLAINTEXT, Beyond.DIGEST)
    return Limit(MAX_PLAINTEXT, why=f"{algorithm} signs whole messages only.")
