"""An offline KMS with keys, and ciphertexts under them in every form that files have."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.envelope.message import seal, unseal
from kms_tui.reencryption.file_task import MoveOptions
from kms_tui.reencryption.key_move import prepared_move

PLAINTEXT = b"so long, and thanks for all the fish " * 300
CONTEXT = {"app": "orders"}
WHEN = "2024-05-01T10:00:00Z"


@dataclass(frozen=True)
class Account:
    """Keys of one account: two in its Region that a move is between, one beside, one in another Region."""

    backend: LocalBackend
    old: str
    new: str
    other: str
    far: str

    def kms_for(self, reference: str) -> Kms:
        return Kms(self.backend).in_region_of(reference)

    def encrypted(self, plaintext: bytes, key: str, context: Mapping[str, str] | None = None) -> bytes:
        params = {"KeyId": key, "Plaintext": plaintext}
        return bytes(
            self.kms_for(key).call("Encrypt", **params, EncryptionContext=context or None)["CiphertextBlob"]
        )

    def decrypted(self, ciphertext: bytes, key: str, context: Mapping[str, str] | None = None) -> bytes:
        return self.kms_for(key).decrypt(ciphertext, key=key, context=context).plaintext.reveal()

    def sealed(self, *keys: str, signed: bool = False, frame_length: int = 4096) -> bytes:
        target = io.BytesIO()
        seal(
            io.BytesIO(PLAINTEXT),
            target,
            backend=self.backend,
            keys=keys,
            context=CONTEXT,
            signed=signed,
            frame_length=frame_length,
        )
        return target.getvalue()

    def unsealed(self, message: bytes, key: str) -> bytes:
        target = io.BytesIO()
        unseal(io.BytesIO(message), target, backend=self.backend, key=key)
        return target.getvalue()

    def options(self, to: str = "", source: str | None = None, **given: object) -> MoveOptions:
        move = prepared_move(self.kms_for, to or self.new, source)
        members: dict[str, object] = {"context": {}, "new_context": {}, **given}
        return MoveOptions(move, **members)  # type: ignore[arg-type]


@contextmanager
def an_account(path: Path | None = None) -> Iterator[Account]:
    with open_store(path) if path is not None else open_store() as store:
        backend = LocalBackend(store, account_id="111122223333", region="eu-west-1")

        def new_key(backend: LocalBackend) -> str:
            return str(backend.call("CreateKey", {})["KeyMetadata"]["Arn"])

        far = new_key(backend.in_region("us-east-1"))
        yield Account(backend, new_key(backend), new_key(backend), new_key(backend), far)


class SopsSample:
    """A sops file as sops writes it: a value and the MAC under a data key, that under KMS keys."""

    def __init__(self, account: Account, *keys: str, context: Mapping[str, str] | None = None) -> None:
        self.data_key = os.urandom(32)
        self.context = dict(context or {})
        self.wrapped = [(key, account.encrypted(self.data_key, key, context)) for key in keys]
        self.value = self.sealed(b"hunter2", "password:")
        self.mac = self.sealed(b"9F86D081", WHEN)

    def sealed(self, value: bytes, name: str) -> str:
        nonce = os.urandom(32)
        sealed = AESGCM(self.data_key).encrypt(nonce, value, name.encode())
        parts = (base64.b64encode(part).decode() for part in (sealed[:-16], nonce, sealed[-16:]))
        return "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]".format(*parts)

    def entries(self) -> list[dict[str, object]]:
        return [
            {
                "arn": key,
                **({"context": self.context} if self.context else {}),
                "created_at": WHEN,
                "enc": base64.b64encode(blob).decode(),
                "aws_profile": "",
            }
            for key, blob in self.wrapped
        ]

    def yaml(self) -> str:
        lines = ["# kept", f"password:   {self.value} # kept, too", "sops:", "    kms:"]
        for entry in self.entries():
            lines += ["        # who may open it", f"        - arn: {entry['arn']}"]
            if self.context:
                lines += ["          context:", *(f"            {n}: {v}" for n, v in self.context.items())]
            lines += [f"          created_at: '{WHEN}'", f"          enc: {entry['enc']}"]
            lines += ['          aws_profile: ""']
        return "\n".join(
            [
                *lines,
                "    age: []",
                f'    lastmodified: "{WHEN}"',
                f"    mac: {self.mac}",
                "    version: 3.9.0",
            ]
        )

    def json(self) -> str:
        metadata = {"kms": self.entries(), "age": None, "lastmodified": WHEN, "mac": self.mac}
        return json.dumps({"password": self.value, "sops": {**metadata, "version": "3.9.0"}}, indent="\t")

    def dotenv(self) -> str:
        return f"password={self.value}\n" + "".join(f"sops_{line}\n" for line in self._flat("="))

    def ini(self) -> str:
        return f"[db]\npassword = {self.value}\n\n[sops]\n" + "\n".join(self._flat("   = "))

    def _flat(self, equals: str) -> Iterator[str]:
        for number, entry in enumerate(self.entries()):
            path = f"kms__list_{number}__map_"
            for name, value in entry.items():
                if isinstance(value, dict):
                    yield from (f"{path}{name}__map_{n}{equals}{v}" for n, v in value.items())
                else:
                    yield f"{path}{name}{equals}{value}"
        yield from (f"lastmodified{equals}{WHEN}", f"mac{equals}{self.mac}", f"version{equals}3.9.0")


SOPS_FORMS = ("yaml", "json", "dotenv", "ini")
