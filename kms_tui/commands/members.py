"""How each member of a call is written down, decided from botocore's KMS service model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape, StructureShape

_LEFT_OUT = frozenset({"GrantTokens"})
"""They are needed for some minutes after CreateGrant only, and whoever holds them can use the grant."""
_BEARER = frozenset({"GrantToken"})
"""Not marked sensitive in the model, but whoever holds it can use the grant."""
_BESIDE_THE_INPUT = frozenset({"Signature", "Mac", "ImportToken"})
"""Blobs that come with the one that is the input, and are no secret."""


class Kind(Enum):
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


_SCALARS = {
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
    if operation not in model.operation_names:
        raise ValueError(f"KMS has no operation {operation}")
    shape = model.operation_model(operation).input_shape
    return shape.members if shape is not None else {}


@cache
def service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("kms", "service-2"), "kms")


def _kind(name: str, shape: Shape) -> Kind:
    if shape.type_name == "blob":
        return Kind.BYTES if name in _BESIDE_THE_INPUT else Kind.INPUT_BYTES
    if name in _BEARER or _is_sensitive(shape):
        return Kind.INPUT_TEXT if shape.type_name == "string" else Kind.INPUT_JSON
    return _SCALARS[shape.type_name]


def _is_sensitive(shape: Shape) -> bool:
    if isinstance(shape, StructureShape):
        return any(map(_is_sensitive, shape.members.values()))
    return bool(shape.metadata.get("sensitive"))
