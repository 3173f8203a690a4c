"""Checks answers against botocore's service model: a member of a wrong type gets no further.

botocore passes on whatever an endpoint sends for a string, a number or a list. Missing members are left to
whoever needs them: the model does not say which ones always come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Self

from kms_tui.backend.base import Wrapper
from kms_tui.backend.service_model import Shape, compiled, service_model
from kms_tui.kms.errors import AnswerError

_TYPES: Mapping[str, tuple[type, ...]] = {
    "blob": (bytes,),
    "boolean": (bool,),
    "integer": (int,),
    "list": (list, tuple),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
    "timestamp": (datetime,),
}
"""Type in the service model -> what stands for it in an answer."""

Check = Callable[[Any, str], None]
"""AnswerError where a value is not of its shape; the text is what it is called in the error."""


class AnswerCheck(Wrapper):
    """Raises AnswerError in the place of an answer with a member of a wrong type."""

    def around(self, inner: Any) -> Self:
        return type(self)(inner)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.inner.call(operation, params)
        if not isinstance(answer, dict):
            raise AnswerError(f"{operation} is no structure")
        described = service_model()["operations"].get(operation, {}).get("output")
        if described is not None:
            _check_of(described["shape"])(answer, operation)
        return answer


@compiled
def _check_of(shape: Shape, parts: Mapping[str, Check]) -> Check:
    kind, types = shape["type"], _TYPES[shape["type"]]

    def check(value: Any, path: str) -> None:
        is_right = isinstance(value, types) and not (kind == "integer" and isinstance(value, bool))
        if not is_right or (kind == "timestamp" and value.tzinfo is None):
            raise AnswerError(f"{path} is no {kind}")
        if kind == "structure":
            for name, member in value.items():
                if name in parts:
                    parts[name](member, f"{path}.{name}")
        elif kind == "list":
            for member in value:
                parts["member"](member, f"{path}[]")
        elif kind == "map":
            for name, member in value.items():
                parts["key"](name, f"{path}{{}}")
                parts["value"](member, f"{path}{{}}")

    return check
