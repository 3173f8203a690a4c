"""Copying: to this machine's clipboard, or through the terminal (OSC 52) where there is none, as over SSH."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kms_tui.kms.model import Secret

if TYPE_CHECKING:
    from kms_tui.ui.app import KmsApp

CLEAR_SECONDS = 30.0
"""How long a secret stays on the clipboard."""
_NOTHING = " "
"""What replaces a secret in a terminal's clipboard: most terminals, tmux among them, take no empty text."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Where a copy went; what went through the terminal cannot be read back, nor cleared with certainty."""

    through_terminal: bool


def copy_text(app: KmsApp, text: str, *, environ: Mapping[str, str] = os.environ) -> Copied:
    """Copy text; over SSH, and where this machine has no clipboard, through the terminal."""
    import pyperclip

    if not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")):
        try:
            pyperclip.copy(text)
        except pyperclip.PyperclipException:
            pass
        else:
            return Copied(through_terminal=False)
    app.copy_to_clipboard(text)
    return Copied(through_terminal=True)


def paste_text(app: KmsApp, *, environ: Mapping[str, str] = os.environ) -> str:
    """What is on this machine's clipboard; over SSH, and where there is none, what was copied here last."""
    import pyperclip

    if not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")):
        try:
            return str(pyperclip.paste())
        except pyperclip.PyperclipException:
            pass
    return app.clipboard


def copy_secret(app: KmsApp, secret: Secret, text: str, *, seconds: float = CLEAR_SECONDS) -> Copied:
    """Copy a secret's text form; after ``seconds``, or on quitting, the clipboard is cleared if it still
    holds it. What went through the terminal is cleared whatever is there by then."""
    copied = copy_text(app, text)

    def clear() -> None:
        atexit.unregister(clear)
        if clear in app.secrets_copied:
            app.secrets_copied.remove(clear)
            _clear(app, text, copied)

    app.secrets_copied.append(clear)
    atexit.register(clear)  # the program may end otherwise than by being left
    app.set_timer(seconds, clear)
    return copied


def _clear(app: KmsApp, text: str, copied: Copied) -> None:
    import pyperclip

    if copied.through_terminal:
        app.copy_to_clipboard(_NOTHING)
        return
    try:
        if pyperclip.paste() == text:
            pyperclip.copy("")
    except pyperclip.PyperclipException:
        return
