"""How each member of a call is written down, decided from botocore's KMS service model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from kms_tui.backend.service_model import service_model

_LEFT_OUT = frozenset({"GrantTokens"})
"""They are needed for some minutes after CreateGrant only, and whoever holds them can use the grant."""
_BEARER = frozenset({"GrantToken"})
"""Not marked sensitive in the model, but whoever holds it can use the grant."""
_BESIDE_THE_INPUT = frozenset({"Signature", "Mac", "ImportToken"})
"""Blobs that come with the one that is the input, and are no secret."""


Shape = Mapping[str, Any]


class Kind(Enum):
    """How a member is written down; INPUT is a file, read in place of what is secret or bytes."""

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
class Member:
    """One member of a call; ``value`` may be a secret."""

    name: str
    kind: Kind
    value: Any = field(repr=False)


_KINDS = {
    "string": Kind.TEXT,
    "boolean": Kind.BOOLEAN,
    "integer": Kind.INTEGER,
    "timestamp": Kind.TIMESTAMP,
    "structure": Kind.NESTED,
    "map": Kind.NESTED,
    "list": Kind.NESTED,
}


def members_of(operation: str, params: Mapping[str, Any]) -> Iterator[Member]:
    """The members that are written down, in the model's order.

    ValueError for an operation or a member that the installed botocore does not know.
    """
    shapes = _input_shapes(operation)
    unknown = params.keys() - shapes
    if unknown:
        raise ValueError(f"{operation} has no member {', '.join(sorted(unknown))}")
    for name, shape in shapes.items():
        if params.get(name) is not None and name not in _LEFT_OUT:
            yield Member(name, _kind(name, shape), params[name])


def left_out(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of members that neither text mentions, to be told to whoever copies it."""
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


def _kind(name: str, shape: Shape) -> Kind:
    if shape["type"] == "blob":
        return Kind.BYTES if name in _BESIDE_THE_INPUT else Kind.INPUT_BYTES
    if name in _BEARER or _is_sensitive(shape):
        return Kind.INPUT_TEXT if shape["type"] == "string" else Kind.INPUT_JSON
    return _KINDS[shape["type"]]


def _is_sensitive(shape: Shape) -> bool:
    if shape["type"] == "structure":
        return any(map(_is_sensitive, _members(shape).values()))
    return bool(shape.get("sensitive"))
