"""What people paste for a ciphertext, a signature or a MAC: the bytes inside, or the name of what it is.

Source: the answers of ``aws kms`` (JSON with base64), and the metadata that sops writes into its files (YAML,
JSON, INI and dotenv; https://getsops.io).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kms_tui.crypto_ops.scratchpad_operations import Role
from kms_tui.formats import Format, FormatError, decode, readings
from kms_tui.signing.pasted_kinds import kind_of, kind_of_bytes, unquoted

_MEMBERS: Mapping[Role, tuple[str, ...]] = {
    Role.CIPHERTEXT: ("CiphertextBlob", "PrivateKeyCiphertextBlob", "SharedSecretCiphertextBlob"),
    Role.SIGNATURE: ("Signature",),
    Role.MAC: ("Mac",),
}
"""Role -> the members of KMS's answers that hold it."""
_ANSWERED = (*(name for names in _MEMBERS.values() for name in names), "PublicKey", "Plaintext", "KeyId")
_ENCLAVE = "CiphertextForRecipient"


class PastedInput(NamedTuple):
    """Bytes, and what they were taken out of, for people; untrusted."""

    data: bytes
    origin: str


def take(text: str, role: Role) -> PastedInput | None:
    """The bytes of a role in a text that is neither base64 nor hex; None for a text of no known kind.

    FormatError names the kind of a text that holds no such bytes.
    """
    bare = text.lstrip("\ufeff").strip()
    keys = sops_keys(bare)
    if keys is not None:
        return _of_sops(keys, role)
    if bare.startswith("{"):
        return _of_answer(bare, role)
    inner = unquoted(bare)
    if inner is not None:
        return PastedInput(_decoded(inner, f"The {role.noun} in quotes"), "quotes")
    kind = kind_of(bare)
    if kind is not None:
        raise FormatError(f"This is {kind.name}, not a {role.noun}.", 0, next_step=kind.next_step)
    return None


def refuse_structures(data: bytes, role: Role) -> None:
    """FormatError for bytes that are a structure around a signature or a ciphertext, and neither itself."""
    kind = kind_of_bytes(data)
    if kind is not None:
        raise FormatError(f"This is {kind.name}, not a {role.noun}.", 0, next_step=kind.next_step)


def _decoded(text: str, what: str) -> bytes:
    for form in readings(text):
        if form is not Format.TEXT:
            return decode(text, form)
    raise FormatError(f"{what} is not base64.", 0, next_step="Paste it whole.")


def _of_answer(text: str, role: Role) -> PastedInput | None:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for name in _MEMBERS.get(role, ()):
        if isinstance(answer.get(name), str):
            return PastedInput(
                _decoded(answer[name], f"The {name} in this JSON"), f"{name} of an answer of KMS"
            )
    if _ENCLAVE in answer and role is Role.CIPHERTEXT:
        raise FormatError(
            f"This answer of KMS has a {_ENCLAVE}, which only the enclave that asked for it can open.", 0
        )
    held = [name for name in _ANSWERED if name in answer]
    wanted = " or ".join(_MEMBERS.get(role, ()))
    if held:
        raise FormatError(f"This answer of KMS holds {', '.join(held)}, and no {wanted}.", 0)
    if "ciphertext" in answer and "protected" in answer:
        raise FormatError(f"This is an encrypted token (JWE) in JSON, not a {role.noun}.", 0)
    raise FormatError(f"This is JSON without a {wanted}.", 0, next_step=f"Paste the {role.noun} itself.")


# sops


class SopsKey(NamedTuple):
    """The data key of a sops file, wrapped by a KMS key; all of it is untrusted."""

    arn: str
    ciphertext: str
    """In base64."""
    context: Mapping[str, str]


def _of_sops(keys: Sequence[SopsKey], role: Role) -> PastedInput:
    if role is not Role.CIPHERTEXT or not keys:
        more = "it holds no data key of KMS" if not keys else "it holds a ciphertext"
        raise FormatError(
            f"This is a sops file: {more}, not a {role.noun}.", 0, next_step="sops decrypts it."
        )
    if len(keys) > 1:
        named = ", ".join(key.arn for key in keys[:8])
        raise FormatError(
            f"This is a sops file: its data key is wrapped by each of {len(keys)} keys: {named}.",
            0,
            next_step="Paste the enc of one of them.",
        )
    (key,) = keys
    origin = f"a sops file: its data key, wrapped by {key.arn}"
    if key.context:
        origin += f", with the context {', '.join(f'{name}={value}' for name, value in key.context.items())}"
    return PastedInput(_decoded(key.ciphertext, "The enc of this sops file"), origin)


def sops_keys(text: str) -> tuple[SopsKey, ...] | None:
    """The keys of KMS that wrap a sops file's data key; None for a text that is no sops file."""
    if "sops" not in text:
        return None
    if text.startswith("{"):
        return _of_sops_json(text)
    yaml = _SOPS_YAML.search(text)
    if yaml is not None:
        return _of_sops_yaml(text[yaml.end() :])
    if _SOPS_FLAT.search(text):
        return _of_sops_flat(text)
    return None


def _of_sops_json(text: str) -> tuple[SopsKey, ...] | None:
    try:
        metadata = json.loads(text).get("sops")
    except (ValueError, RecursionError):
        return None
    if not isinstance(metadata, dict) or "mac" not in metadata:
        return None
    groups = metadata.get("key_groups")
    listed = [metadata, *(groups if isinstance(groups, list) else ())]
    entries = [
        entry
        for group in listed
        if isinstance(group, dict) and isinstance(group.get("kms"), list)
        for entry in group["kms"]
    ]
    return tuple(
        key for entry in entries if isinstance(entry, dict) and (key := _sops_key(entry)) is not None
    )


def _sops_key(entry: Mapping[str, Any]) -> SopsKey | None:
    arn, enc, context = entry.get("arn"), entry.get("enc"), entry.get("context")
    if not isinstance(arn, str) or not isinstance(enc, str):
        return None
    pairs = context.items() if isinstance(context, dict) else ()
    return SopsKey(arn, enc, {str(name): str(value) for name, value in pairs})


_SOPS_YAML = re.compile(r"^sops:[ \t]*\r?\n", re.MULTILINE)
_YAML_LINE = re.compile(r"([ \t]*)(- +)?(?:([A-Za-z_][\w.-]*):)?[ \t]*(.*)")


def _of_sops_yaml(block: str) -> tuple[SopsKey, ...]:
    """The entries with an arn: of sops's key types only those of KMS have one."""
    entries: list[dict[str, Any]] = []
    nested = -1  # the column of an entry's "context:", while lines are further to the right
    for line in block.split("\n"):
        if line.strip() and not line[0].isspace() and not line.startswith("-"):
            break
        found = _YAML_LINE.match(line.rstrip())
        if found is None or not line.strip():
            continue
        column, (dash, name, value) = len(found[1]) + len(found[2] or ""), found.groups()[1:]
        if dash:
            entries.append({})
            nested = -1
        if not entries or name is None:
            continue
        if 0 <= nested < column:
            entries[-1]["context"][name] = value.strip("\"'")
            continue
        nested = column if name == "context" and not value else -1
        if nested >= 0:
            entries[-1][name] = {}
        else:
            entries[-1].setdefault(name, value.strip("\"'"))
    return tuple(key for entry in entries if (key := _sops_key(entry)) is not None)


_SOPS_FLAT = re.compile(r"^(?:sops_version=|\[sops\][ \t]*\r?$)", re.MULTILINE)
_FLAT_LINE = re.compile(r"^(?:sops_)?kms__list_([0-9]{1,3})__map_(arn|enc)[ \t]*=([^\r\n]*)", re.MULTILINE)


def _of_sops_flat(text: str) -> tuple[SopsKey, ...]:
    """INI and dotenv."""
    entries: dict[str, dict[str, Any]] = {}
    for number, name, value in _FLAT_LINE.findall(text):
        entries.setdefault(number, {})[name] = value.strip().strip("\"'")
    return tuple(key for entry in entries.values() if (key := _sops_key(entry)) is not None)
