"""What the tests of ``kms_tui.testing`` share."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.endpoints.environment import clear_aws_environment


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's AWS configuration counts, and a connection that is opened fails the test."""
    clear_aws_environment(monkeypatch)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
