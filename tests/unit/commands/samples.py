"""A call of every operation with every member that it can have, made up from botocore's service model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from kms_tui.commands.members import service_model

OPERATIONS = tuple(service_model().operation_names)
SECRET = "hunter2-" * 6

_NOT_SENT = frozenset({"Recipient"})
"""Only a Nitro enclave has an attestation document."""


def full_call(operation: str) -> dict[str, Any]:
    shape = service_model().operation_model(operation).input_shape
    return _structure(shape) if shape is not None else {}


def _structure(shape: Shape) -> dict[str, Any]:
    assert isinstance(shape, StructureShape)
    return {n: _sample(n, member) for n, member in shape.members.items() if n not in _NOT_SENT}


def _sample(name: str, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return [_sample(name, shape.member)] * 2
    if isinstance(shape, MapShape):
        return {"it's": 'a "context"', "é": "ü"}
    if shape.metadata.get("enum"):
        return shape.metadata["enum"][0]
    if shape.type_name == "string" and (shape.metadata.get("sensitive") or name.startswith("GrantToken")):
        return SECRET
    return {
        "string": f"{name} of $HOME".ljust(shape.metadata.get("min", 0), "."),
        "blob": f"{name} \x00\xff".encode("latin-1"),
        "boolean": True,
        "integer": shape.metadata.get("min", 9),
        "timestamp": datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
    }[shape.type_name]
