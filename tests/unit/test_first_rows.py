"""What people wait for before they see text, and then keys, holds nothing that they do not see yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.environment import use_static_credentials
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount

FIRST_TEXT = {
    "kms_tui": "accounts atomic cli config kms session ui visible",
    "kms_tui.accounts": "account",
    "kms_tui.cli": "connection console_command region_flags standard_streams",
    "kms_tui.kms": "arn errors facts",
    "kms_tui.ui": "app app_shell base widgets",
    "kms_tui.ui.app_shell": "boundary encoding_fallback refusal_poller screen_table themes",
    "kms_tui.ui.base": "background host pasting safe_text",
    "kms_tui.ui.widgets": "text_widgets",
}
"""THE table of what may be imported before the first text: a package -> its modules."""
FIRST_ROWS = {
    "kms_tui": "backend counts evidence inventory undo workers",
    "kms_tui.backend": "base kms_facade service_model wrappers",
    "kms_tui.backend.wrappers": (
        "answer_check metering policy_guard read_only read_your_writes session_log stack"
    ),
    # The top bar shows the price of the calls a second after the start: on a slow machine before the rows.
    "kms_tui.evidence": "activity cost events health refused_uses",
    "kms_tui.evidence.health": "row_judge",
    "kms_tui.inventory": (
        "cells changes columns fact_reader filters listing live_list pace row row_class row_health row_table "
        "slices view"
    ),
    "kms_tui.inventory.filters": "filter_fields query syntax value_tests",
    "kms_tui.kms": "change_effects keyspecs model operations",
    "kms_tui.ui": "actions details mode_screen screens",
    "kms_tui.ui.actions": "action_screen action_table",
    "kms_tui.ui.base": "new_screen subject words",
    "kms_tui.ui.details": "detail_tab key_details",
    "kms_tui.ui.screens": "key_counts keys_screen",
    "kms_tui.ui.widgets": ("filter_line key_line key_list key_notes marked_list screen_bars virtual_list"),
    "kms_tui.undo": "recorder reversals",
}
"""And before the first rows, whatever the backend."""
AWS = {
    "kms_tui.backend": "aws",
    "kms_tui.backend.aws": (
        "aws_backend boto_session credential_sources error_translation profiles retries session_credentials"
    ),
}
OFFLINE = ("kms_tui.backend.local", "kms_tui.demo", "kms_tui.policy", "kms_tui.kms.service_principals")
"""The demo's account is an offline KMS, which authorizes by key policies."""
LATER = ("aws_encryption_sdk", "tomllib", "tree_sitter", "uvicorn", "textual.widgets._text_area")


def started(*arguments: str) -> Any:
    """What the start in another process says at its first row."""
    command = [sys.executable, "-m", "tests.unit.first_rows", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(ended.stdout)


def ours(modules: Iterable[str]) -> set[str]:
    return {name for name in modules if name.startswith("kms_tui.")}


def allowed(*tables: dict[str, str]) -> set[str]:
    return {
        f"{package}.{name}" for table in tables for package, names in table.items() for name in names.split()
    }


def within(modules: Iterable[str], packages: Iterable[str]) -> list[str]:
    return sorted(name for name in modules if any(f"{name}.".startswith(f"{each}.") for each in packages))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_static_credentials(monkeypatch)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def test_the_first_text_needs_little() -> None:
    script = "import sys, kms_tui.cli.console_command, kms_tui.ui.app; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    modules = ended.stdout.split()
    assert ours(modules) - allowed(FIRST_TEXT) == set()
    assert within(modules, ("boto3", "botocore", "cryptography", *LATER)) == []


def test_the_first_rows_of_an_account_need_only_what_they_show() -> None:
    with FaultEndpoint(SyntheticAccount(keys=20)) as endpoint:
        found = started("--endpoint-url", endpoint.url, "--region", "eu-west-1")
    assert ours(found["modules"]) - allowed(FIRST_TEXT, FIRST_ROWS, AWS) == set()
    assert within(found["modules"], ("cryptography", "sqlite3", *LATER)) == []
    assert "kms_tui.backend.wrappers.policy_guard" in found["modules"]
    assert found["reparsed"] == 0


def test_the_first_rows_of_the_demo_need_no_aws_library() -> None:
    found = started("--demo")
    offline = within(found["modules"], OFFLINE)
    assert ours(found["modules"]) - allowed(FIRST_TEXT, FIRST_ROWS) - set(offline) == set()
    assert within(found["modules"], ("boto3", "botocore", *LATER)) == []
    assert found["reparsed"] == 0
