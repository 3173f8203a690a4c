"""Draws the README's pictures from the demo; run it with ``make screenshots``."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ["TZ"] = "UTC"
time.tzset()

from kms_tui.demo import demo_backend  # noqa: E402
from kms_tui.inventory import Pace  # noqa: E402
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session  # noqa: E402
from kms_tui.ui.app import KmsApp  # noqa: E402
from kms_tui.ui.screenshot import draw  # noqa: E402

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PICTURES: dict[str, tuple[str, ...]] = {
    "keys": (),
    "policy": ("slash", *"invoices", "enter", "e"),
    "scratchpad": ("slash", *"orders-db", "enter", "s"),
    "health": ("5",),
    "deletion": ("slash", *"orders-db", "enter", "b", "D"),
    "calendar": ("6",),
    "signing": (
        "slash",
        *"ci-release",
        "enter",
        *("C", "down", "enter"),
        *"CN=Example Root CA,O=Example",
        *["tab"] * 5,
        *("enter", *"a cert", "enter"),
    ),
    "explain": ("slash", *"customer-pii", "enter", "enter", *["right"] * 5, "tab", *["down"] * 4, "h"),
}
"""File name without its ending -> the keys pressed before the picture is taken."""


def open_demo(connection: Connection, _prompt: Prompt) -> Session:
    return open_session(connection, demo_backend(now=lambda: NOW), now=lambda: NOW, pace=Pace(rest=10_000))


if __name__ == "__main__":
    for name, keys in PICTURES.items():
        app = KmsApp(open_demo, Connection(BackendKind.DEMO))
        draw(app, Path(__file__).with_name(f"{name}.svg"), keys=keys, size=(160, 42))
