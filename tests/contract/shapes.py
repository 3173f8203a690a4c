"""botocore's KMS service model as a judge: is this response, or this error, one that the model allows?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import ServiceError

COMMON_ERRORS = frozenset(
    {
        "AccessDeniedException",
        "IncompleteSignature",
        "InternalFailure",
        "InvalidAction",
        "InvalidClientTokenId",
        "NotAuthorized",
        "NotAuthorizedException",
        "OptInRequired",
        "RequestExpired",
        "ServiceUnavailable",
        "ThrottlingException",
        "ValidationException",
    }
)
"""Errors that any operation may answer (KMS API reference, "Common Error Types")."""

_TYPES: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "blob": bytes,
    "timestamp": datetime,
    "list": list,
    "map": dict,
    "structure": dict,
}


@cache
def service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("kms", "service-2"), "kms")


def operation_model(operation: str) -> OperationModel:
    return service_model().operation_model(operation)


def problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What in a response differs from its shape: types, members, enums, patterns, lengths and ranges."""
    expected = _TYPES[shape.type_name]
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        yield f"{path}: {type(value).__name__} instead of {shape.type_name}"
        return
    if shape.type_name == "structure":
        yield from _structure_problems(shape, value, path)
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from problems(shape.member, member, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from problems(shape.key, key, f"{path} key")
            yield from problems(shape.value, member, f"{path}[{key!r}]")
    elif shape.type_name == "timestamp" and value.tzinfo is None:
        yield f"{path}: a timestamp without a time zone"
    yield from _constraint_problems(shape, value, path)


def _structure_problems(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name}: missing"
    for name, member in value.items():
        if (shape.name, name, member) == ("GrantListEntry", "Name", ""):
            # Against its own model, and what AWS answers of a grant without a name (ListGrants' examples).
            continue
        if name in shape.members:
            yield from problems(shape.members[name], member, f"{path}.{name}")
        else:
            yield f"{path}.{name}: not in the model"


def _constraint_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    enum, constraints = shape.metadata.get("enum"), shape.metadata
    if enum and value not in enum:
        yield f"{path}: {value!r} is none of {enum}"
    if "pattern" in constraints and not re.search(constraints["pattern"], value):
        yield f"{path}: {value!r} does not match {constraints['pattern']}"
    size = value if shape.type_name == "integer" else len(value) if hasattr(value, "__len__") else None
    if size is not None and not constraints.get("min", size) <= size <= constraints.get("max", size):
        yield f"{path}: {size} is not within {constraints.get('min')} and {constraints.get('max')}"


class Validated(Wrapper):
    """A backend whose every response and error code is held against the service model."""

    def around(self, inner: Backend) -> Validated:
        return Validated(inner)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        model = operation_model(operation)
        try:
            answer = self.inner.call(operation, params)
        except ServiceError as error:
            modelled: list[Any] = model.error_shapes
            if error.code not in COMMON_ERRORS | {shape.error_code for shape in modelled}:
                raise AssertionError(f"{operation} never answers {error}") from error
            raise
        found = (
            list(problems(model.output_shape, answer, operation))
            if model.output_shape is not None
            else [f"{operation}: {name} in an answer that is empty" for name in answer]
        )
        assert not found, "\n".join(found)
        return answer
