"""An account to try operations on: the demo's, at a fixed moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.inputs import Entered
from kms_tui.crypto_ops.request import ChosenKey, OperationRequest, active_settings
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, OperationName
from kms_tui.kms.model import Secret
from tests.demo_copies import demo_copy

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def kms() -> Kms:
    return Kms(demo_copy(NOW))


Ask = Callable[..., OperationRequest]


@pytest.fixture
def ask(kms: Kms) -> Ask:
    """Makes requests as the scratchpad does: ``ask(Name.ENCRYPT, "orders-db", b"hello", context={…})``."""

    def make(
        name: OperationName, alias: str = "", data: bytes | None = None, **more: Any
    ) -> OperationRequest:
        operation = OPERATIONS[name]
        key = chosen(kms, alias) if alias else None
        destination = more.get("destination")
        ready = active_settings(
            operation,
            more.pop("settings", {}),
            key.key if key else None,
            destination.key.key if destination else None,
        )
        return OperationRequest(
            operation,
            kms.region,
            key,
            Entered(Secret(data)) if data is not None else more.pop("given", None),
            settings={setting.setting.name: setting.value for setting in ready},
            **more,
        )

    return make


def chosen(kms: Kms, alias: str) -> ChosenKey:
    key = kms.describe(f"alias/{alias}")
    return ChosenKey(key.arn, alias, kms.region, key)
