"""An API call as text that somebody else can run: an ``aws kms …`` command line, or Python with boto3.

No secret is ever written into either. What goes in (the plaintext, ciphertext or message, or a secret
string) is read from a file, named INPUT unless told otherwise; both run as they stand once it exists.
It is slow to import (0.1 s): import it late.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from botocore import xform_name

from kms_tui.backend.service_model import service_model
from kms_tui.kms.operations import SECRET_MEMBERS

_LEFT_OUT = frozenset({"GrantTokens"})
"""Grant tokens: needed for a few minutes after CreateGrant, and whoever holds one can use the grant."""
_BEARER = frozenset({"GrantToken"})
"""Not marked sensitive in the model, but whoever holds it can use the grant."""
_BESIDE_THE_INPUT = frozenset({"Signature", "Mac", "ImportToken"})
"""Blobs beside the input that are not secret."""


Shape = Mapping[str, Any]


class MemberKind(Enum):
    """How a member is written; INPUT is a file, read in place of a secret or of bytes."""

    INPUT_BYTES = auto()
    INPUT_TEXT = auto()
    INPUT_JSON = auto()
    BYTES = auto()
    TEXT = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    TIMESTAMP = auto()
    NESTED = auto()


@dataclass(frozen=True, slots=True)
class CallMember:
    """One member of a call; ``value`` may be a secret."""

    name: str
    kind: MemberKind
    value: Any = field(repr=False)


_KINDS = {
    "string": MemberKind.TEXT,
    "boolean": MemberKind.BOOLEAN,
    "integer": MemberKind.INTEGER,
    "timestamp": MemberKind.TIMESTAMP,
    "structure": MemberKind.NESTED,
    "map": MemberKind.NESTED,
    "list": MemberKind.NESTED,
}


def members_of(operation: str, params: Mapping[str, Any]) -> Iterator[CallMember]:
    """The members to write, in the model's order. ValueError for an operation or a member that the installed
    botocore does not know.
    """
    shapes = _input_shapes(operation)
    unknown = params.keys() - shapes
    if unknown:
        raise ValueError(f"{operation} has no member {', '.join(sorted(unknown))}")
    for name, shape in shapes.items():
        if params.get(name) is not None and name not in _LEFT_OUT:
            yield CallMember(name, _kind(name, shape), params[name])


def left_out(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of members that neither text contains, to show to the user."""
    return tuple(sorted(_LEFT_OUT & params.keys()))


def _input_shapes(operation: str) -> Mapping[str, Shape]:
    model = service_model()
    if operation not in model["operations"]:
        raise ValueError(f"KMS has no operation {operation}")
    reference = model["operations"][operation].get("input")
    return _members(model["shapes"][reference["shape"]]) if reference else {}


def _members(structure: Shape) -> Mapping[str, Shape]:
    shapes = service_model()["shapes"]
    return {name: shapes[member["shape"]] for name, member in structure["members"].items()}


def _kind(name: str, shape: Shape) -> MemberKind:
    if shape["type"] == "blob":
        return MemberKind.BYTES if name in _BESIDE_THE_INPUT else MemberKind.INPUT_BYTES
    if name in _BEARER or _is_sensitive(shape):
        return MemberKind.INPUT_TEXT if shape["type"] == "string" else MemberKind.INPUT_JSON
    return _KINDS[shape["type"]]


def _is_sensitive(shape: Shape) -> bool:
    if shape["type"] == "structure":
        return any(map(_is_sensitive, _members(shape).values()))
    return bool(shape.get("sensitive"))


_PATHLIB = "from pathlib import Path"
_IMPORTS: Mapping[MemberKind, tuple[str, ...]] = {
    MemberKind.INPUT_BYTES: (_PATHLIB,),
    MemberKind.INPUT_TEXT: (_PATHLIB,),
    MemberKind.INPUT_JSON: ("import json", _PATHLIB),
    MemberKind.BYTES: ("import base64",),
    MemberKind.TIMESTAMP: ("from datetime import datetime",),
}


def boto3_code(
    operation: str,
    params: Mapping[str, Any],
    *,
    region: str = "",
    profile: str = "",
    endpoint_url: str = "",
    input_file: str = "INPUT",
) -> str:
    """A Python program that makes the call; ValueError for anything that the service model does not know."""
    members = list(members_of(operation, params))
    standard = {line for member in members for line in _IMPORTS.get(member.kind, ())}
    imports = sorted(standard, key=lambda line: (line.startswith("from"), line))
    options = {"region_name": region, "endpoint_url": endpoint_url}
    arguments = "".join(f", {name}={value!r}" for name, value in options.items() if value)
    maker = f"boto3.Session(profile_name={profile!r})" if profile else "boto3"
    values = [f"    {member.name}={_value(member, input_file)}," for member in members]
    call = f"answer = kms.{xform_name(operation)}("
    lines = [
        *imports,
        *([""] if imports else []),
        "import boto3",
        "",
        f"kms = {maker}.client('kms'{arguments})",
        *([call, *values, ")"] if values else [f"{call})"]),
    ]
    return "\n".join(lines) + "\n"


def _value(member: CallMember, input_file: str) -> str:
    match member.kind:
        case MemberKind.INPUT_BYTES:
            return f"Path({input_file!r}).read_bytes()"
        case MemberKind.INPUT_TEXT:
            return f"Path({input_file!r}).read_text()"
        case MemberKind.INPUT_JSON:
            return f"json.loads(Path({input_file!r}).read_text())"
        case MemberKind.BYTES:
            return f"base64.b64decode({base64.b64encode(member.value).decode()!r})"
        case MemberKind.TIMESTAMP:
            return f"datetime.fromisoformat({member.value.isoformat()!r})"
    return repr(member.value)


_LOADED = ("file://", "fileb://", "http://", "https://")
"""Beginnings of an argument that the AWS CLI takes as the name of a file or URL to load."""


def aws_cli(
    operation: str,
    params: Mapping[str, Any],
    *,
    region: str = "",
    profile: str = "",
    endpoint_url: str = "",
    input_file: str = "INPUT",
) -> str:
    """The ``aws kms …`` command line of a call; ValueError for what the service model does not know.

    Strings that a terminal or the AWS CLI would take for something else (control characters, line ends, a
    leading file://) go into --cli-input-json, escaped. A signature, MAC or import token comes through a
    pipe, since the two versions of the AWS CLI read bytes on the command line differently.
    """
    members = list(members_of(operation, params))
    words = ["aws", "kms", xform_name(operation, "-")]
    awkward = {member.name: member.value for member in members if _is_awkward(member)}
    piped = [member for member in members if member.kind is MemberKind.BYTES]
    for member in members:
        if member.name not in awkward:
            words += _flag(member, input_file)
    if awkward:
        words += ["--cli-input-json", json.dumps(awkward)]
    for flag, value in (("--region", region), ("--profile", profile), ("--endpoint-url", endpoint_url)):
        if value:
            words += [flag, value]
    line = shlex.join(words)
    for member in piped:
        line = f"printf %s {base64.b64encode(member.value).decode()} | base64 -d | {line}"
    return line


def _is_awkward(member: CallMember) -> bool:
    return member.kind is MemberKind.TEXT and _is_awkward_text(member.value)


def _is_awkward_text(text: str) -> bool:
    return not text.isprintable() or text.startswith(_LOADED)


_CLI_NAMES = {"s3": "s3api", "config": "configservice"}
"""Services that the AWS CLI calls otherwise than botocore."""


def service_words(service: str, operation: str, params: Mapping[str, Any]) -> list[str]:
    """The words of an ``aws`` command line of any service's call, not yet quoted for a shell.

    Params are texts, numbers, booleans, and lists and mappings of those. A secret is read from INPUT.
    """
    secret = SECRET_MEMBERS.get((service, operation), frozenset())
    words = ["aws", _CLI_NAMES.get(service, service), xform_name(operation, "-")]
    awkward = {}
    for name, value in params.items():
        flag = f"--{xform_name(name, '-')}"
        if name in secret:
            words += [flag, "file://INPUT"]
        elif isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        elif not isinstance(value, str):
            words += [flag, _json(value)]
        elif _is_awkward_text(value):
            awkward[name] = value
        else:
            words += [f"{flag}={value}"] if value.startswith("-") else [flag, value]
    return [*words, "--cli-input-json", json.dumps(awkward)] if awkward else words


def service_line(
    service: str,
    operation: str,
    params: Mapping[str, Any],
    *,
    region: str = "",
    profile: str = "",
    endpoint_url: str = "",
) -> str:
    """The ``aws`` command line of any service's call, quoted for a shell; see ``service_words``."""
    flags = (("--region", region), ("--profile", profile), ("--endpoint-url", endpoint_url))
    return shlex.join(
        [*service_words(service, operation, params), *(word for flag in flags if flag[1] for word in flag)]
    )


def waiter_words(service: str, waiter: str, params: Mapping[str, Any]) -> list[str]:
    """The words of an ``aws … wait`` command line."""
    program, name, command, *flags = service_words(service, waiter, params)
    return [program, name, "wait", command, *flags]


def _flag(member: CallMember, input_file: str) -> list[str]:
    name = f"--{xform_name(member.name, '-')}"
    match member.kind:
        case MemberKind.BOOLEAN:
            return [name if member.value else f"--no-{name[2:]}"]
        case MemberKind.INPUT_BYTES:
            return [name, f"fileb://{input_file}"]
        case MemberKind.INPUT_TEXT | MemberKind.INPUT_JSON:
            return [name, f"file://{input_file}"]
        case MemberKind.BYTES:
            return [name, "fileb:///dev/stdin"]
        case MemberKind.TIMESTAMP:
            return [name, member.value.isoformat()]
        case MemberKind.NESTED:
            return [name, _json(member.value)]
    text = str(member.value)
    return [f"{name}={text}"] if text.startswith("-") else [name, text]


def _json(value: Any) -> str:
    """Readable JSON: only unprintable characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, default=_json_bytes)
    return text if text.isprintable() else json.dumps(value, default=_json_bytes)


def _json_bytes(value: bytes) -> str:
    """Bytes within a structure, in the form of AWS CLI version 2."""
    return base64.b64encode(value).decode()
