"""Answers an endpoint's requests from a ``Backend``, turning the wire's shapes into boto3's and back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from kms_tui.backend.base import Backend


class Forward:
    """An endpoint's account that is a backend: every region of it, with its real cryptography."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._model = ServiceModel(Loader().load_service_model("kms", "service-2"), "kms")

    def __call__(self, region: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        model = self._model.operation_model(operation)
        backend = self._backend if region == self._backend.region else self._backend.in_region(region)
        answer = backend.call(operation, from_wire(model.input_shape, params))
        wire: dict[str, Any] = to_wire(model.output_shape, answer) if answer else {}
        return wire


def from_wire(shape: Any, value: Any) -> Any:
    """A JSON value as boto3 would take it: blobs decoded, timestamps aware datetimes."""
    if shape.type_name == "blob":
        return base64.b64decode(value)
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    return _within(shape, value, from_wire)


def to_wire(shape: Any, value: Any) -> Any:
    """A value of a response as it goes over the wire: blobs in base64, timestamps in epoch seconds."""
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if shape.type_name == "timestamp":
        return value.timestamp()
    return _within(shape, value, to_wire)


def _within(shape: Any, value: Any, turn: Any) -> Any:
    if shape.type_name == "structure":
        return {name: turn(shape.members[name], member) for name, member in value.items()}
    if shape.type_name == "list":
        return [turn(shape.member, member) for member in value]
    if shape.type_name == "map":
        return {key: turn(shape.value, member) for key, member in value.items()}
    return value
