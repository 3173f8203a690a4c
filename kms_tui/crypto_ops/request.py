"""A request: an operation, its key, its inputs, and its settings with their choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kms_tui.crypto_ops.inputs import Entered, Input, InputError, InputField
from kms_tui.crypto_ops.scratchpad_operations import Operation, Role
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.keyspecs import KEY_SPECS, SIGNING_ALGORITHMS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyUsage


@dataclass(frozen=True, slots=True)
class ChosenKey:
    """A chosen key; ``key`` is None if it could not be described."""

    arn: str
    name: str
    """An alias without its prefix, or the key id."""
    region: str
    key: Key | None
    account_name: str = ""
    """Where several accounts are listed."""

    @property
    def key_id(self) -> str:
        return key_id_of(self.arn)

    def serves_in(self, other: ChosenKey) -> bool:
        """Whether both are replicas of one multi-Region key: each decrypts the other's ciphertext."""
        return self.key_id == other.key_id and self.key_id.startswith("mrk-")


@dataclass(frozen=True, slots=True)
class Destination:
    """The target of Re-encrypt."""

    key: ChosenKey
    context: Mapping[str, str]


_USUAL_CURVES = {
    "ECDSA_SHA_256": "ECC_NIST_P256",
    "ECDSA_SHA_384": "ECC_NIST_P384",
    "ECDSA_SHA_512": "ECC_NIST_P521",
}


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """One operation with its inputs; the repr leaves out contents."""

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
    """The file for a result too large for the screen."""
    overwrite: bool = False

    @property
    def described_key(self) -> Key | None:
        return self.key.key if self.key else None

    @property
    def role(self) -> Role | None:
        """The role of the main input; None without one."""
        return self.operation.roles[0] if self.operation.roles else None

    @property
    def second_data(self) -> bytes:
        """The bytes of the second input, which has been read; empty without one."""
        return self.second.data.reveal() if isinstance(self.second, Entered) else b""

    @property
    def algorithm(self) -> str:
        return self.settings.get("algorithm", "")

    @property
    def signing_spec(self) -> str:
        """The key spec that says how signatures are written; of a key that is not described the usual one of
        the algorithm.
        """
        key = self.described_key
        return key.spec if key else _USUAL_CURVES.get(self.algorithm, "")


Values = Mapping[str, str]
"""Setting's name -> chosen value."""
MOST_BYTES = 1024
"""The largest NumberOfBytes of GenerateRandom and GenerateDataKey."""
NUMBER_OF_BYTES = "NumberOfBytes"
_KEY_PAIR_SPECS = (
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
    "SM2",
)
"""DataKeyPairSpec; SM2 is available only in the China Regions."""


class SettingContext(NamedTuple):
    """The values that the choices of a setting depend on."""

    key: Key | None
    destination: Key | None
    values: Values


class SettingChoice(NamedTuple):
    value: str
    title: str


@dataclass(frozen=True, slots=True)
class OperationSetting:
    """One setting; ``choices`` gives its choices, the default first, or None if it does not apply.

    A setting without choices is a number of bytes with ``default`` as its first value.
    """

    name: str
    label: str
    choices: Callable[[SettingContext], tuple[SettingChoice, ...] | None]
    default: str = ""


class ActiveSetting(NamedTuple):
    """A setting that applies: its choices (none: a number) and its value."""

    setting: OperationSetting
    choices: tuple[SettingChoice, ...]
    value: str


def algorithms_of(key: Key) -> tuple[str, ...]:
    """The key's algorithms, the best first: in the table's order, then those that only DescribeKey names."""
    spec = KEY_SPECS.get(key.spec)
    known = spec.algorithms.get(KeyUsage(key.usage), ()) if spec and key.usage in set(KeyUsage) else ()
    if not key.algorithms:
        return known
    return (
        *(name for name in known if name in key.algorithms),
        *(name for name in key.algorithms if name not in known),
    )


def _same(*values: str) -> tuple[SettingChoice, ...]:
    return tuple(SettingChoice(value, value) for value in values)


def _algorithm(chosen: SettingContext) -> tuple[SettingChoice, ...]:
    return _same(*algorithms_of(chosen.key)) if chosen.key else _same(SYMMETRIC_DEFAULT)


def _destination_algorithm(chosen: SettingContext) -> tuple[SettingChoice, ...] | None:
    return _same(*algorithms_of(chosen.destination)) if chosen.destination else None


def _message_type(chosen: SettingContext) -> tuple[SettingChoice, ...] | None:
    algorithm = SIGNING_ALGORITHMS.get(chosen.values.get("algorithm", ""))
    return _same(*algorithm.message_types) if algorithm else None


def _number(_: SettingContext) -> tuple[SettingChoice, ...]:
    return ()


def _number_if_asked(chosen: SettingContext) -> tuple[SettingChoice, ...] | None:
    return () if chosen.values.get("data_key_spec") == NUMBER_OF_BYTES else None


SETTINGS: Mapping[str, OperationSetting] = {
    setting.name: setting
    for setting in (
        OperationSetting("algorithm", "Algorithm", _algorithm),
        OperationSetting("destination_algorithm", "To algorithm", _destination_algorithm),
        OperationSetting("message_type", "Message type", _message_type),
        OperationSetting(
            "data_key_spec",
            "Size",
            lambda _: (
                SettingChoice("AES_256", "AES_256, 32 bytes"),
                SettingChoice("AES_128", "AES_128, 16 bytes"),
                SettingChoice(NUMBER_OF_BYTES, "another number of bytes"),
            ),
        ),
        OperationSetting("number_of_bytes", "Bytes", _number_if_asked, "64"),
        OperationSetting("random_bytes", "Bytes", _number, "32"),
        OperationSetting("key_pair_spec", "Key spec", lambda _: _same(*_KEY_PAIR_SPECS)),
    )
}


def active_settings(
    operation: Operation, values: Values, key: Key | None, destination: Key | None
) -> list[ActiveSetting]:
    """The settings that apply, each with a valid value."""
    settled: dict[str, str] = {}
    ready = []
    for name in operation.settings:
        setting = SETTINGS[name]
        choices = setting.choices(SettingContext(key, destination, settled))
        if choices is None:
            continue
        value = values.get(name, setting.default)
        if choices and value not in {choice.value for choice in choices}:
            value = choices[0].value
        settled[name] = value
        ready.append(ActiveSetting(setting, choices, value))
    return ready


def number_of_bytes(values: Values, name: str) -> int:
    """The entered number of bytes; InputError unless it is from 1 to 1024."""
    text = values.get(name, "").strip()
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST_BYTES:
        raise InputError(
            InputField.SETTINGS, f"The number of bytes is a whole number from 1 to {MOST_BYTES:,}."
        )
    return int(text)
