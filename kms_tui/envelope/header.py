"""What a sealed file tells everyone, without any key: it stands in its header in the clear."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from aws_encryption_sdk.internal.defaults import ENCODED_SIGNER_KEY
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from aws_encryption_sdk.internal.formatting.serialize import serialize_header

from kms_tui.envelope.errors import CutShortError, NotAMessageError
from kms_tui.envelope.streams import Prefixed, Readable

KMS_PROVIDER = "aws-kms"
MAX_DATA_KEYS = 64
"""A header may name 65,535 keys, each of which would cost a call."""
RESERVED_CONTEXT_PREFIX = "aws-crypto-"
"""The Encryption SDK keeps the signature's public key in the context, under a name of its own."""


@dataclass(frozen=True, slots=True)
class SealedUnder:
    """One key that can open the message: for KMS, ``name`` is its ARN."""

    provider: str
    name: str
    encrypted_size: int
    """Bytes of the encrypted data key."""


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """A message's header, before anything of it has been verified: all of it is untrusted."""

    suite: str
    """The algorithm suite's name in the Encryption SDK ("AES_256_GCM_HKDF_SHA512_COMMIT_KEY")."""
    suite_id: int
    committed: bool
    signed: bool
    context: Mapping[str, str]
    """The encryption context, without what the Encryption SDK adds for itself."""
    keys: tuple[SealedUnder, ...]
    frame_length: int
    """Bytes of plaintext a frame; 0 where the body is one piece."""
    header_size: int

    @property
    def key_arns(self) -> tuple[str, ...]:
        return tuple(key.name for key in self.keys if key.provider == KMS_PROVIDER)


def looks_like_message(start: bytes) -> bool:
    """Whether content that begins so (4 bytes do) can be an Encryption SDK message.

    A version 1 message begins 01 80, a version 2 message 02 and its suite; a KMS ciphertext begins otherwise.
    """
    if start[:2] == b"\x01\x80":
        return _suite(start[2:4]) is not None
    return start[:1] == b"\x02" and _suite(start[1:3]) is not None


def describe(message: bytes | Readable) -> MessageInfo:
    """Read the header of a message (or of its first bytes); raises NotAMessageError or CutShortError."""
    source = io.BytesIO(message) if isinstance(message, bytes) else message
    return read_header(source)[0]


def read_header(source: Readable) -> tuple[MessageInfo, bytes]:
    """The header and its own bytes, with the source left right behind them."""
    start = Prefixed(b"", source).read(4)
    if not looks_like_message(start):
        raise NotAMessageError("it is empty" if not start else "it begins otherwise")
    replayed = Prefixed(start, source)
    try:
        header, raw = deserialize_header(replayed, MAX_DATA_KEYS)
    except (AWSEncryptionSDKClientError, UnicodeDecodeError) as error:
        if replayed.ended:
            raise CutShortError(replayed.position) from error
        raise NotAMessageError("its header makes no sense") from error
    if header.version.value != header.algorithm.message_format_version:
        # The SDK finds out only at the body, where the keys of one version lack what the other needs.
        raise NotAMessageError("its header makes no sense")
    return info_of(header), raw


def _suite(identifier: bytes) -> Any:
    try:
        return AlgorithmSuite.get_by_id(int.from_bytes(identifier))
    except KeyError:
        return None


def info_of(header: Any) -> MessageInfo:
    """What the Encryption SDK's MessageHeader says."""
    suite = header.algorithm
    keys = (
        SealedUnder(
            entry.key_provider.provider_id,
            entry.key_provider.key_info.decode(errors="backslashreplace"),
            len(entry.encrypted_data_key),
        )
        for entry in header.encrypted_data_keys
    )
    return MessageInfo(
        suite=suite.name,
        suite_id=suite.algorithm_id,
        committed=bool(suite.is_committing()),
        signed=suite.signing_algorithm_info is not None,
        context={n: v for n, v in header.encryption_context.items() if n != ENCODED_SIGNER_KEY},
        keys=tuple(sorted(keys, key=lambda key: (key.provider, key.name))),
        frame_length=header.frame_length,
        header_size=len(serialize_header(header)),
    )
