"""The contract says something about every operation of the service model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.shapes import service_model

_CLIENTS = frozenset({"kms", "other"})
"""The names that the suite gives to a KmsClient; a call of one wants an answer that its shape allows."""
_LISTING = frozenset({"pages", "all"})
_SHORTER = {"describe": "DescribeKey"}
"""Methods of a KmsClient that make one call."""


def _answered(source: str) -> Iterator[str]:
    """The operations of which a test wants an answer, not only a refusal, and not a mention of the name."""
    for call in ast.walk(ast.parse(source)):
        match call:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(operation)), *_]) if (
                name in _CLIENTS
            ):
                yield operation
            case ast.Call(
                func=ast.Attribute(value=ast.Name(), attr=name), args=[ast.Constant(value=str(operation)), *_]
            ) if name in _LISTING:
                yield operation
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
                name in _CLIENTS and method in _SHORTER
            ):
                yield _SHORTER[method]


def test_every_operation_is_answered_in_the_contract() -> None:
    sources = (path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    answered = {operation for source in sources for operation in _answered(source)}
    assert set(service_model().operation_names) - answered == set()


@pytest.mark.parametrize(
    "source",
    [
        '# kms("Encrypt")',
        'kms.refused("Encrypt", "DisabledException")',
        '@pytest.mark.parametrize("operation", ["Encrypt"])\ndef test(operation): ...',
        'print("Encrypt")',
    ],
)
def test_a_mention_is_no_answer(source: str) -> None:
    assert list(_answered(source)) == []
