"""The contract says something about every operation of the service model."""

from __future__ import annotations

from pathlib import Path

from tests.contract.shapes import service_model


def test_every_operation_is_called_by_the_contract() -> None:
    suite = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in service_model().operation_names if f'"{name}"' not in suite] == []
