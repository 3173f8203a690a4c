"""A KMS key that signs: its public key, its algorithms, and messages of any size with one call of Sign."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.streams import Readable
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.keyspecs import (
    DIGEST,
    EXTERNAL_MU,
    KEY_SPECS,
    MAX_PLAINTEXT,
    RAW,
    SIGNING_ALGORITHMS,
    Family,
)
from kms_tui.kms.model import KeyUsage
from kms_tui.public_key import PublicKey, PublicKeyError, digest_message

_USAGES = {
    KeyUsage.ENCRYPT_DECRYPT: "encrypts",
    KeyUsage.GENERATE_VERIFY_MAC: "makes MACs",
    KeyUsage.KEY_AGREEMENT: "agrees on secrets",
    KeyUsage.ENCAPSULATE_DECAPSULATE: "encapsulates keys",
}


class SigningError(KmsTuiError):
    """A key cannot sign what is asked for; the sentence says why. Nothing is signed."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A KMS key of usage SIGN_VERIFY, as GetPublicKey describes it."""

    kms: Kms = field(repr=False)
    """The façade of the key's Region."""
    arn: str
    asked_as: str
    """What KMS is asked for: the name that the caller gave (an id, an ARN or an alias)."""
    public_key: PublicKey
    algorithms: tuple[str, ...]

    @property
    def spec(self) -> str:
        return self.public_key.spec

    @property
    def family(self) -> Family:
        return KEY_SPECS[self.spec].family

    def require(self, algorithm: str) -> str:
        """The algorithm; SigningError if the key does not have it."""
        if algorithm not in self.algorithms:
            raise SigningError(
                f"{self.asked_as} is an {self.spec} key: it does not sign with {algorithm}.",
                next_step=f"It signs with {', '.join(self.algorithms)}.",
            )
        return algorithm

    def sign(self, message: bytes, algorithm: str, message_type: str = RAW) -> bytes:
        """Sign's answer for a message of this type: DER for ECDSA, as KMS writes it. One call.

        SigningError for an algorithm or a message that KMS would refuse, before anything is sent; and for a
        signature that does not verify.
        """
        rules = SIGNING_ALGORITHMS[self.require(algorithm)]
        if message_type not in rules.message_types:
            raise SigningError(f"{algorithm} does not take a message of type {message_type}.")
        if message_type != RAW and len(message) != rules.digest_size:
            raise SigningError(
                f"{algorithm} takes a {message_type} of {rules.digest_size} bytes; here are {len(message):,}."
            )
        if message_type == RAW and len(message) > MAX_PLAINTEXT:
            raise SigningError(
                f"{algorithm} signs whole messages of at most {MAX_PLAINTEXT:,} bytes; "
                f"here are {len(message):,}.",
                next_step="A key of another spec signs any size.",
            )
        answer = self.kms.call(
            "Sign", KeyId=self.asked_as, Message=message, MessageType=message_type, SigningAlgorithm=algorithm
        )
        signature = bytes(answer["Signature"])
        self._require_good(message, signature, algorithm, message_type)
        return signature

    def _require_good(self, message: bytes, signature: bytes, algorithm: str, message_type: str) -> None:
        """Verify what the endpoint answered with the public key, which costs no call."""
        try:
            good = self.public_key.verify(message, signature, algorithm, message_type)
        except PublicKeyError:  # of a kind that the cryptography library does not know: SM2
            return
        if not good:
            raise SigningError(
                "The signature that was answered does not verify with the public key: it is not used.",
                next_step="The endpoint does not sign as KMS does; moto, for one, hashes a digest once more.",
            )

    def sign_message(self, message: bytes, algorithm: str) -> bytes:
        """Sign a message of any size; it is digested here wherever the algorithm allows that."""
        return self.sign_stream(io.BytesIO(message), algorithm)

    def sign_stream(
        self, source: Readable, algorithm: str, progress: Callable[[int], None] = lambda done: None
    ) -> bytes:
        """Sign what a stream holds, in constant memory; ``progress`` gets the bytes done.

        The signature is the same as KMS makes of the whole message. Ed25519 signs no digest (RFC 8032), and
        SM2's cannot be made here: their messages have at most 4,096 bytes.
        """
        if not _is_digested_here(self.require(algorithm)):
            message = source.read(MAX_PLAINTEXT + 1)
            if len(message) > MAX_PLAINTEXT:
                raise SigningError(
                    f"{algorithm} signs whole messages of at most {MAX_PLAINTEXT:,} bytes; this is longer.",
                    next_step="A file of any size is signed as CMS or SSH, or by a key of another spec.",
                )
            progress(len(message))
            return self.sign(message, algorithm)
        digested = digest_message(source, algorithm, self.public_key, progress=progress)
        return self.sign(digested.message, algorithm, digested.message_type)


def open_signing_key(kms: Kms, key: str) -> SigningKey:
    """The key that an id, an ARN or an alias names. One call of GetPublicKey, in the Region of an ARN.

    SigningError for a key of another usage or without a public key; KMS's own errors for the rest.
    """
    there = kms.in_region_of(key)
    try:
        answer = there.call("GetPublicKey", KeyId=key)
    except ServiceError as error:
        if error.code != "UnsupportedOperationException":
            raise
        raise SigningError(
            f"{key} is a symmetric key: it has no public key, and signs nothing.",
            next_step="Choose a key of usage SIGN_VERIFY; an HMAC key signs tokens only.",
        ) from error
    usage, public_key = answer.get("KeyUsage", ""), PublicKey.from_api(answer)
    if usage != KeyUsage.SIGN_VERIFY:
        raise SigningError(
            f"{key} is a key of usage {usage}: it {_USAGES.get(usage, 'does other work')}; it signs nothing.",
            next_step="Choose a key of usage SIGN_VERIFY.",
        )
    if public_key.spec not in KEY_SPECS:
        raise SigningError(f"{key} is of the key spec {public_key.spec}, which this program does not know.")
    return SigningKey(there, answer["KeyId"], key, public_key, tuple(answer["SigningAlgorithms"]))


def default_algorithm(key: SigningKey) -> str:
    """The algorithm that the key signs with where none is asked for: PKCS #1 v1.5 with SHA-256 for RSA,
    which all verifiers know, the key's own for the others.
    """
    if key.family is Family.RSA:
        return key.require("RSASSA_PKCS1_V1_5_SHA_256")
    return key.algorithms[0]


def _is_digested_here(algorithm: str) -> bool:
    """Whether a message of any size can be signed: by its digest, made here."""
    rules = SIGNING_ALGORITHMS[algorithm]
    return rules.digest != "sm3" and bool({DIGEST, EXTERNAL_MU} & set(rules.message_types))
