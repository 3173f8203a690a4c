"""A call of every operation with every member that it can have, made up from botocore's service model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kms_tui.backend.service_model import service_model

OPERATIONS = tuple(service_model()["operations"])
SECRET = "hunter2-" * 6

_NOT_SENT = frozenset({"Recipient"})
"""Only a Nitro enclave has an attestation document."""


def full_call(operation: str) -> dict[str, Any]:
    reference = service_model()["operations"][operation].get("input")
    return _sample("", reference["shape"]) if reference else {}


def _sample(name: str, shape_name: str) -> Any:
    shape = service_model()["shapes"][shape_name]
    if shape["type"] == "structure":
        members = {name: member["shape"] for name, member in shape["members"].items()}
        return {name: _sample(name, member) for name, member in members.items() if name not in _NOT_SENT}
    if shape["type"] == "list":
        return [_sample(name, shape["member"]["shape"])] * 2
    if "enum" in shape:
        return shape["enum"][0]
    if shape["type"] == "string" and (shape.get("sensitive") or name.startswith("GrantToken")):
        return SECRET
    return {
        "map": {"it's": 'a "context"', "é": "ü"},
        "string": f"{name} of $HOME".ljust(shape.get("min", 0), "."),
        "blob": f"{name} \x00\xff".encode("latin-1"),
        "boolean": True,
        "integer": shape.get("min", 9),
        "timestamp": datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
    }[shape["type"]]
