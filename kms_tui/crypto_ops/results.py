"""The result of a request: named outputs, facts about them, and the steps taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kms_tui.formats import Format, is_text
from kms_tui.kms.model import Secret


class Fact(NamedTuple):
    """A line below the output; the text is untrusted."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One output; a ``secret`` one is masked until revealed; ``form`` is the best format to show it."""

    name: str
    value: Secret
    secret: bool
    form: Format

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Result:
    """``good`` is the answer of a verification, else None."""

    parts: tuple[Part, ...] = ()
    facts: tuple[Fact, ...] = ()
    steps: tuple[str, ...] = ()
    good: bool | None = None
    sentence: str = ""
    """The first sentence: the verdict, the file written, that a digest was signed."""
    key_arn: str = field(default="")
    """The key that was used, if KMS names it."""

    @property
    def size(self) -> int:
        """Bytes of the main output."""
        return len(self.parts[0]) if self.parts else 0


def plain(name: str, data: bytes) -> Part:
    """A secret output, shown as text if it is text, else as a hex dump."""
    return Part(name, Secret(data), True, Format.TEXT if is_text(data) else Format.BINARY)


def key_material(name: str, data: bytes) -> Part:
    """A secret output that is never shown as text."""
    return Part(name, Secret(data), True, Format.HEX)


def blob(name: str, data: bytes) -> Part:
    return Part(name, Secret(data), False, Format.BASE64)


def text_part(name: str, text: str) -> Part:
    return Part(name, Secret(text.encode()), False, Format.TEXT)


_SECRETS = {"Plaintext": plain, "PrivateKeyPlaintext": key_material, "SharedSecret": key_material}
_OUTPUTS: Mapping[str, str] = {
    "CiphertextBlob": "Ciphertext",
    "Plaintext": "Plaintext",
    "PrivateKeyCiphertextBlob": "Encrypted private key",
    "PrivateKeyPlaintext": "Private key",
    "PublicKey": "Public key",
    "SharedSecretCiphertextBlob": "Encrypted secret",
    "SharedSecret": "Shared secret",
    "Signature": "Signature",
    "Mac": "MAC",
}
"""Member of an answer -> the output's name, in the order in which outputs are shown."""
_FACTS: Mapping[str, str] = {
    "SourceEncryptionAlgorithm": "Old algorithm",
    "DestinationEncryptionAlgorithm": "New algorithm",
    "EncryptionAlgorithm": "Algorithm",
    "SigningAlgorithm": "Algorithm",
    "MacAlgorithm": "Algorithm",
    "KeyAgreementAlgorithm": "Algorithm",
    "EncapsulationAlgorithm": "Algorithm",
    "KeyPairSpec": "Key spec",
    "KeyMaterialId": "Key material",
    "SourceKeyMaterialId": "Old material",
    "DestinationKeyMaterialId": "New material",
}
_NAMES: Mapping[tuple[str, str], str] = {
    ("GenerateDataKey", "Plaintext"): "Data key",
    ("GenerateDataKey", "CiphertextBlob"): "Encrypted data key",
    ("GenerateDataKeyWithoutPlaintext", "CiphertextBlob"): "Encrypted data key",
    ("GenerateRandom", "Plaintext"): "Random bytes",
}
"""Other names for some operations' outputs; their plaintext is random, so always shown as hex."""


def read_answer(operation: str, answer: Mapping[str, Any]) -> Result:
    """The result of one API call, from its answer in AWS's shape."""
    return Result(
        parts=tuple(_parts(operation, answer)),
        facts=tuple(
            Fact(label, str(answer[member])) for member, label in _FACTS.items() if answer.get(member)
        ),
        good=answer.get("SignatureValid", answer.get("MacValid")),
        key_arn=answer.get("KeyId", ""),
    )


def _parts(operation: str, answer: Mapping[str, Any]) -> Iterator[Part]:
    for member, usual_name in _OUTPUTS.items():
        if member not in answer:
            continue
        data = bytes(answer[member])
        name = _NAMES.get((operation, member))
        if name is not None and member in _SECRETS:
            yield key_material(name, data)
        elif member in _SECRETS:
            yield _SECRETS[member](usual_name, data)
        else:
            yield blob(name or usual_name, data)
