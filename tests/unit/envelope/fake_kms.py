"""A KMS of a few symmetric keys, just enough for envelope encryption: AES-GCM and nothing to look after."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import CallerIdentity

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
REGION, OTHER_REGION = "eu-west-1", "us-east-1"


_ALGORITHM = {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}


def arn(number: int, *, region: str = REGION, account: str = ACCOUNT, mrk: bool = False) -> str:
    key_id = f"mrk-{number:032x}" if mrk else f"{number:08x}-0000-4000-8000-000000000000"
    return f"arn:aws:kms:{region}:{account}:key/{key_id}"


KEY, SECOND_KEY, FAR_KEY = arn(1), arn(2), arn(3, region=OTHER_REGION)


def _new_keys() -> dict[str, bytes]:
    return {key: secrets.token_bytes(32) for key in (KEY, SECOND_KEY, FAR_KEY)}


@dataclass
class FakeKms:
    """A Backend. ``calls`` has (region, operation, KeyId); ``before`` may raise in place of a call."""

    region: str = REGION
    account_id: str = ACCOUNT
    partition: str = "aws"
    keys: dict[str, bytes] = field(default_factory=_new_keys)
    aliases: dict[str, str] = field(default_factory=lambda: {"alias/files": KEY})
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda region, operation: None

    def caller(self) -> CallerIdentity:
        return CallerIdentity(self.account_id)

    def in_region(self, region: str) -> FakeKms:
        return FakeKms(
            region, self.account_id, self.partition, self.keys, self.aliases, self.calls, self.before
        )

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = params.get("KeyId", "")
        self.calls.append((self.region, operation, reference))
        self.before(self.region, operation)
        context = json.dumps(params.get("EncryptionContext", {}), sort_keys=True).encode()
        if operation == "Decrypt" and not reference:
            reference = _named(params["CiphertextBlob"])
        key = self._find(reference, operation)
        named = _named(params.get("CiphertextBlob", b""))
        if named in self.keys and named.rpartition("/")[2] != key.rpartition("/")[2]:
            raise ServiceError("IncorrectKeyException", "The key ID does not identify a CMK that can.")
        cipher = AESGCM(self.keys[key])
        if operation == "Decrypt":
            opened = self._open(cipher, params["CiphertextBlob"], context)
            return {"KeyId": key, "Plaintext": opened, **_ALGORITHM}
        plaintext = (
            params["Plaintext"] if operation == "Encrypt" else secrets.token_bytes(params["NumberOfBytes"])
        )
        nonce = secrets.token_bytes(12)
        blob = key.encode() + b"\0" + nonce + cipher.encrypt(nonce, plaintext, context)
        answer = {"KeyId": key, "CiphertextBlob": blob}
        return answer | _ALGORITHM if operation == "Encrypt" else answer | {"Plaintext": plaintext}

    def _find(self, reference: str, operation: str) -> str:
        ids = {key.rpartition("/")[2]: key for key in self.keys if f":{self.region}:" in key}
        key = self.aliases.get(reference, ids.get(reference, reference))
        if key not in self.keys or f":{self.region}:" not in key:
            raise ServiceError("NotFoundException", f"Key '{reference}' does not exist", operation=operation)
        return key

    @staticmethod
    def _open(cipher: AESGCM, blob: bytes, context: bytes) -> bytes:
        sealed = blob.partition(b"\0")[2]
        try:
            return cipher.decrypt(sealed[:12], sealed[12:], context)
        except (InvalidTag, ValueError):
            raise ServiceError("InvalidCiphertextException", operation="Decrypt") from None


def _named(blob: bytes) -> str:
    return blob[:100].split(b"\0")[0].decode(errors="replace")
