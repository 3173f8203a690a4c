"""botocore's service models of KMS and STS, read as data, and functions compiled from shapes.

Building botocore's own objects from the files would take ten times as long as reading them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

Shape = dict[str, Any]
"""An entry of the model's ``shapes``, with its ``name``."""

_KMS = "data/kms/2014-11-01/service-2.json.gz"
_STS = "data/sts/2011-06-15/service-2.json.gz"


def model_file(model: str = _KMS) -> Path:
    """The path of the installed botocore's ``service-2.json``, compressed: that of KMS."""
    return botocore_file(model)


def botocore_file(name: str) -> Path:
    """The path of a file of the installed botocore; ``name`` is relative to its package."""
    package = find_spec("botocore")
    if package is None or package.origin is None:  # pragma: no cover
        raise ImportError("botocore is not installed")
    return Path(package.origin).parent / name


@cache
def service_model() -> Any:
    """The parsed ``service-2.json``: operations, and the shapes of what goes in and comes out."""
    return _parsed(_KMS)


@cache
def sts_model() -> Any:
    """The same of STS."""
    return _parsed(_STS)


def _parsed(model: str) -> Any:
    with gzip.open(model_file(model)) as file:
        return json.load(file)


@cache
def operations() -> frozenset[str]:
    """The names of all operations of the service model."""
    return frozenset(service_model()["operations"])


def shape_named(name: str) -> Shape:
    return {"name": name, **service_model()["shapes"][name]}


def parts_of(shape: Shape) -> dict[str, str]:
    """Member, or "member", "key" and "value" of a list or map -> the name of its shape."""
    members = shape.get("members") or {
        part: shape[part] for part in ("member", "key", "value") if part in shape
    }
    return {part: reference["shape"] for part, reference in members.items()}


def compiled(build: Callable[[Shape, Mapping[str, T]], T]) -> Callable[[str], T]:
    """A function from a shape's name to what ``build`` makes of the shape and of what was made of its parts.

    So whoever reads, checks or writes values makes one function per shape, once, and does not look at the
    model again.
    """

    @cache
    def of(name: str) -> T:
        shape = shape_named(name)
        return build(shape, {part: of(inner) for part, inner in parts_of(shape).items()})

    return of
