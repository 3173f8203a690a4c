"""Messages that screens and widgets send each other."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Any, cast

from textual.app import App, SuspendNotSupported
from textual.binding import Binding
from textual.message import Message

if TYPE_CHECKING:
    from kms_tui.ui.app import KmsApp


class SessionOpened(Message):
    """The app has a session now, or another one than before."""

    bubble = False


class RefusalsChanged(Message):
    """What is known of the refused uses of watched keys has changed."""

    bubble = False


class KeysChanged(Message):
    """Something that this console did changed keys; ``key_ids`` are to be read again (empty: all)."""

    def __init__(self, *key_ids: str) -> None:
        super().__init__()
        self.key_ids = key_ids


def shown_key(app: App[Any], binding_id: str, key: str) -> str:
    """The first key of a binding, as people know it; ``key`` is the one that it has by default."""
    key = cast("KmsApp", app).config.keys.get(binding_id, key)
    return app.get_key_display(Binding(key.partition(",")[0], "", ""))


def run_login(app: KmsApp, command: str) -> bool:
    """Suspend the console, run ``command`` without a shell, come back; whether it succeeded."""
    try:
        with app.suspend():
            print(f"kms-tui runs: {command}\n", flush=True)
            result = subprocess.run(shlex.split(command), check=False)
    except SuspendNotSupported:
        app.notify(
            f"This terminal cannot be handed over. Run it in another one: {command}", severity="warning"
        )
        return False
    except OSError as error:
        app.notify(f"{command} could not be run: {error}.", severity="error", timeout=12)
        return False
    if result.returncode:
        app.notify(f"{command} ended with exit code {result.returncode}.", severity="error", timeout=12)
    return result.returncode == 0
