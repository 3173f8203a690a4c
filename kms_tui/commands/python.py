"""A call as Python with boto3."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from botocore import xform_name

from kms_tui.commands.members import Kind, Member, members_of

_PATHLIB = "from pathlib import Path"
_IMPORTS: Mapping[Kind, tuple[str, ...]] = {
    Kind.INPUT_BYTES: (_PATHLIB,),
    Kind.INPUT_TEXT: (_PATHLIB,),
    Kind.INPUT_JSON: ("import json", _PATHLIB),
    Kind.BYTES: ("import base64",),
    Kind.TIMESTAMP: ("from datetime import datetime",),
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
    """A Python program that makes the call; ValueError for what the service model does not know."""
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


def _value(member: Member, input_file: str) -> str:
    match member.kind:
        case Kind.INPUT_BYTES:
            return f"Path({input_file!r}).read_bytes()"
        case Kind.INPUT_TEXT:
            return f"Path({input_file!r}).read_text()"
        case Kind.INPUT_JSON:
            return f"json.loads(Path({input_file!r}).read_text())"
        case Kind.BYTES:
            return f"base64.b64decode({base64.b64encode(member.value).decode()!r})"
        case Kind.TIMESTAMP:
            return f"datetime.fromisoformat({member.value.isoformat()!r})"
    return repr(member.value)
