"""What a person asks for: an operation, its key, its inputs and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kms_tui.crypto_ops.inputs import Entered, Input
from kms_tui.crypto_ops.operations import Operation, Role
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.model import Key


@dataclass(frozen=True, slots=True)
class ChosenKey:
    """A key as it was chosen; ``key`` is None where it could not be described."""

    arn: str
    name: str
    """What people call it: an alias without its prefix, or the key id."""
    region: str
    key: Key | None

    @property
    def key_id(self) -> str:
        return key_id_of(self.arn)

    def serves_in(self, other: ChosenKey) -> bool:
        """Whether both are one multi-Region key: ciphertext of either opens with the other."""
        return self.key_id == other.key_id and self.key_id.startswith("mrk-")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where Re-encrypt moves a ciphertext to."""

    key: ChosenKey
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """One operation, ready to be checked and made; contents stay out of the repr."""

    operation: Operation
    region: str
    key: ChosenKey | None = None
    given: Input | None = field(default=None, repr=False)
    second: Input | None = field(default=None, repr=False)
    """The signature or MAC to verify."""
    settings: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    destination: Destination | None = None
    target: Path | None = None
    """The file that a result too large for the screen is written to."""
    overwrite: bool = False

    @property
    def described_key(self) -> Key | None:
        return self.key.key if self.key else None

    @property
    def role(self) -> Role | None:
        """What the main input is; None where the operation takes none."""
        return self.operation.roles[0] if self.operation.roles else None

    @property
    def second_data(self) -> bytes:
        """The bytes of the second input, which has been read; none where there is none."""
        return self.second.data.reveal() if isinstance(self.second, Entered) else b""

    @property
    def algorithm(self) -> str:
        return self.settings.get("algorithm", "")
