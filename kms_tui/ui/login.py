"""Running the command that renews expired credentials, with the terminal handed over to it meanwhile."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from kms_tui.ui.app import KmsApp


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
