"""What people wait for before they see keys holds nothing that they do not see yet."""

from __future__ import annotations

import subprocess
import sys

LATER = (
    "boto3",
    "botocore",
    "cryptography",
    "kms_tui.policy",
    "kms_tui.backend.local",
    "kms_tui.evidence.scans",
    "kms_tui.ui.actions.deletion_dialogs",
    "kms_tui.ui.policy_editor.editor_screen",
    "kms_tui.ui.scratchpad.scratchpad_screen",
    "kms_tui.ui.screens.log_screen",
)


def test_the_key_screen_imports_only_what_it_shows() -> None:
    script = (
        "import sys, kms_tui.cli.console_command, kms_tui.ui.app, kms_tui.inventory\n"
        "import kms_tui.ui.screens.keys_screen\n"
        f"print([name for name in {LATER} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]"
