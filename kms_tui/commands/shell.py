"""A call as one line for a POSIX shell, with either version of the AWS CLI."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from typing import Any

from botocore import xform_name

from kms_tui.commands.members import Kind, Member, members_of

_LOADED = ("file://", "fileb://", "http://", "https://")
"""An argument that begins so is taken by the AWS CLI for the name of what to load."""


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
    piped = [member for member in members if member.kind is Kind.BYTES]
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


def _is_awkward(member: Member) -> bool:
    return member.kind is Kind.TEXT and (not member.value.isprintable() or member.value.startswith(_LOADED))


def _flag(member: Member, input_file: str) -> list[str]:
    name = f"--{xform_name(member.name, '-')}"
    match member.kind:
        case Kind.BOOLEAN:
            return [name if member.value else f"--no-{name[2:]}"]
        case Kind.INPUT_BYTES:
            return [name, f"fileb://{input_file}"]
        case Kind.INPUT_TEXT | Kind.INPUT_JSON:
            return [name, f"file://{input_file}"]
        case Kind.BYTES:
            return [name, "fileb:///dev/stdin"]
        case Kind.TIMESTAMP:
            return [name, member.value.isoformat()]
        case Kind.NESTED:
            return [name, _json(member.value)]
    text = str(member.value)
    return [f"{name}={text}"] if text.startswith("-") else [name, text]


def _json(value: Any) -> str:
    """JSON that reads well where it can: only what a terminal would not print is escaped."""
    text = json.dumps(value, ensure_ascii=False, default=_json_bytes)
    return text if text.isprintable() else json.dumps(value, default=_json_bytes)


def _json_bytes(value: bytes) -> str:
    """Bytes within a structure, as version 2 of the AWS CLI reads them."""
    return base64.b64encode(value).decode()
