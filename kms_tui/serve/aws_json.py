"""AWS JSON 1.1: bodies to parameters and results to bodies, by the shapes of botocore's service model.

Blobs are base64 and timestamps seconds since 1970. The refusals have the words of the front end that AWS's
services share, and come before any validation, as there. Members that are null or unknown count as absent.
"""

from __future__ import annotations

import binascii
import json
import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn

from kms_tui.backend.service_model import Shape, compiled, service_model
from kms_tui.kms.errors import ServiceError

TARGET_PREFIX = "TrentService."

Parse = Callable[[Any], Any]
Format = Callable[[Any], Any]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"))


@cache
def faults() -> frozenset[str]:
    """The errors that are the service's fault and not the caller's: HTTP 500."""
    shapes = service_model()["shapes"].items()
    return frozenset(name for name, shape in shapes if shape.get("exception") and shape.get("fault"))


def parse(operation: str, body: bytes) -> dict[str, Any]:
    """The parameters in boto3's shapes; raises SerializationException."""
    try:
        value = _DECODER.decode(body.decode())
        if b"\\u" in body:
            # A lone surrogate is no character: it could be neither stored nor answered.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _refused("") from error
    if not isinstance(value, dict | list):
        raise _refused("")
    parameters: dict[str, Any] = _parser(service_model()["operations"][operation]["input"]["shape"])(value)
    return parameters


def serialize(operation: str, result: Mapping[str, Any]) -> bytes:
    """The response's body: empty for an operation without output, as KMS has it."""
    output = service_model()["operations"][operation].get("output")
    if output is None:
        return b""
    form = _formatter(output["shape"])
    return _ENCODER.encode(form(result) if form else result).encode()


def error_body(code: str, message: str) -> bytes:
    """An error as KMS writes it: without a message where there is none."""
    body = {"__type": code}
    if message:
        body["Message" if code == "AccessDeniedException" else "message"] = message
    return _ENCODER.encode(body).encode()


def _refused(message: str) -> ServiceError:
    return ServiceError("SerializationException", message)


def _wrong(value: object, wanted: str) -> ServiceError:
    """The refusal of a JSON value of a wrong type, in the service's words."""
    if isinstance(value, dict):
        return _refused("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return _refused("Start of list found where not expected")
    if value is None:
        return _refused("")
    if isinstance(value, bool):
        kind = "TRUE_VALUE" if value else "FALSE_VALUE"
    else:
        kind = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    return _refused(f"{kind} can not be converted to {wanted}")


def _string(value: Any) -> str:
    if type(value) is not str:
        raise _wrong(value, "a String")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _wrong(value, "a Boolean")
    return value


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is not float:
        raise _wrong(value, "an Integer")
    if not math.isfinite(value):
        raise _refused("")
    return int(value)


def _blob(value: Any) -> bytes:
    if type(value) is not str:
        raise _wrong(value, "a Blob")
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise _refused("") from error


def _timestamp(value: Any) -> datetime:
    if type(value) not in (int, float):
        raise _wrong(value, "milliseconds since epoch")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _refused("") from error


_SCALARS: Mapping[str, Parse] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "blob": _blob,
    "timestamp": _timestamp,
}


def _structure_parser(members: Mapping[str, Parse]) -> Parse:
    def parse_structure(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong(value, "") if isinstance(value, list) else _refused("Expected null")
        return {
            member: members[member](inner)
            for member, inner in value.items()
            if inner is not None and member in members
        }

    return parse_structure


def _list_parser(parts: Mapping[str, Parse]) -> Parse:
    parse_member = parts["member"]

    def parse_list(value: Any) -> list[Any]:
        if type(value) is not list:
            raise _wrong(value, "") if isinstance(value, dict) else _refused("Expected list or null")
        return [parse_member(member) for member in value]

    return parse_list


def _map_parser(parts: Mapping[str, Parse]) -> Parse:
    parse_value = parts["value"]

    def parse_map(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong(value, "") if isinstance(value, list) else _refused("Expected map or null")
        return {key: parse_value(inner) for key, inner in value.items()}

    return parse_map


_PARSERS: Mapping[str, Callable[[Mapping[str, Parse]], Parse]] = {
    "structure": _structure_parser,
    "list": _list_parser,
    "map": _map_parser,
}


@compiled
def _parser(shape: Shape, parts: Mapping[str, Parse]) -> Parse:
    kind = shape["type"]
    return _PARSERS[kind](parts) if kind in _PARSERS else _SCALARS[kind]


def _format_blob(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _format_timestamp(value: datetime) -> float:
    return round(value.timestamp(), 3)


_SCALAR_FORMATS: Mapping[str, Format] = {"blob": _format_blob, "timestamp": _format_timestamp}


def _structure_formatter(members: Mapping[str, Format | None]) -> Format:
    def format_structure(value: Mapping[str, Any]) -> dict[str, Any]:
        formatted = {}
        for member, inner in value.items():
            if member in members and inner is not None:
                form = members[member]
                formatted[member] = form(inner) if form else inner
        return formatted

    return format_structure


@compiled
def _formatter(shape: Shape, parts: Mapping[str, Format | None]) -> Format | None:
    """What turns a result of this shape into JSON's types; None where it is of JSON's types already."""
    if shape["type"] == "structure":
        return _structure_formatter(parts)
    if shape["type"] == "list":
        member = parts["member"]
        return (lambda value: [member(inner) for inner in value]) if member else None
    return _SCALAR_FORMATS.get(shape["type"])
