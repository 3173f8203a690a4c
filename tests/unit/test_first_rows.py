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
    "kms_tui.ui.dialogs.schedule_deletion",
    "kms_tui.ui.dialogs.take_grant",
    "kms_tui.ui.policy_editor.screen",
    "kms_tui.ui.scratchpad.screen",
    "kms_tui.ui.screens.log",
)


def test_the_key_screen_imports_only_what_it_shows() -> None:
    script = (
        "import sys, kms_tui.cli.console_command, kms_tui.ui.app, kms_tui.inventory, kms_tui.ui.screens.keys\n"
        f"print([name for name in {LATER} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]"
