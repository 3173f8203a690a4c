"""Copy and paste: this machine's clipboard, or the terminal's (OSC 52) over SSH and where there is none."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from dataclasses import dataclass

from kms_tui.kms.model import Secret
from kms_tui.ui.base.host import Host

_NOTHING = " "
"""Replaces a secret in a terminal's clipboard: most terminals, tmux among them, ignore an empty text."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Where a copy went; a terminal's clipboard cannot be read back, and may not be cleared."""

    through_terminal: bool


def copy_text(app: Host, text: str, *, environ: Mapping[str, str] = os.environ) -> Copied:
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


def paste_text(app: Host, *, environ: Mapping[str, str] = os.environ) -> str:
    """This machine's clipboard; over SSH, and where there is none, the text last copied in this app."""
    import pyperclip

    if not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")):
        try:
            return str(pyperclip.paste())
        except pyperclip.PyperclipException:
            pass
    return app.clipboard


def copy_secret(app: Host, secret: Secret, text: str, *, seconds: float) -> Copied:
    """Copy a secret's text form; clear the clipboard after ``seconds`` or on quitting if it still holds it.

    A terminal's clipboard is cleared whatever it holds by then.
    """
    copied = copy_text(app, text)

    def clear() -> None:
        atexit.unregister(clear)
        if clear in app.secrets_copied:
            app.secrets_copied.remove(clear)
            _clear(app, text, copied)

    app.secrets_copied.append(clear)
    atexit.register(clear)  # the program may end without unmounting the app
    app.set_timer(seconds, clear)
    return copied


def _clear(app: Host, text: str, copied: Copied) -> None:
    import pyperclip

    if copied.through_terminal:
        app.copy_to_clipboard(_NOTHING)
        return
    try:
        if pyperclip.paste() == text:
            pyperclip.copy("")
    except pyperclip.PyperclipException:
        return
