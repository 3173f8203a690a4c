"""What one keystroke costs in the policy editor, on the event loop and beside it.

Run: python -m tests.bench.bench_policy_editor
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from kms_tui import data_files
from kms_tui.demo import demo_backend
from kms_tui.policy.snippets import enable_iam_policies, key_users
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from tests.ui.console import press, settled
from tests.ui.policy.workspace import edit_of

ACCOUNT = "111122223333"
STEPS = ("edit", "complete", "note the change", "paint", "judge (off the loop)")


def policy(size: int) -> str:
    """A policy of about ``size`` bytes: the root statement, and statements of five roles each."""
    statements: list[dict[str, Any]] = [enable_iam_policies(ACCOUNT)]
    text = ""
    while len(text) < size:
        number = len(statements)
        roles = [f"arn:aws:iam::{ACCOUNT}:role/team-{number}-{role}" for role in range(5)]
        statements.append(key_users(roles) | {"Sid": f"Team {number}"})
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
    return text


def keystroke(editor: PolicyEditor) -> list[float]:
    """Milliseconds of each step of typing one character into an action's name."""
    area, edit = editor.area, edit_of(editor)
    marks = [time.perf_counter()]

    def mark() -> None:
        marks.append(time.perf_counter())

    area.was_typed = True
    area._replace_via_keyboard("d", *area.selection)
    mark()
    editor.popup.typed(editor.context)
    mark()
    editor._changed()
    mark()
    editor._compositor.render_strips()
    mark()
    edit.target.judge(edit.text, time.time())
    mark()
    return [(after - before) * 1000 for before, after in pairwise(marks)]


async def measure(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await press(pilot, "e")
    editor = pilot.app.screen
    assert isinstance(editor, PolicyEditor)
    for size in (2_000, 32_000, 128_000):
        editor.area.load_policy(policy(size))
        await settled(pilot)
        row = next(row for row, line in enumerate(editor.area.document.lines) if "kms:Decrypt" in line)
        editor.area.move_cursor((row, editor.area.document.get_line(row).index("Decrypt")))
        await settled(pilot)
        runs = []
        for _ in range(15):
            runs.append(keystroke(editor))
            await settled(pilot)
        medians = [statistics.median(step) for step in zip(*runs, strict=True)]
        shown = ", ".join(f"{name} {ms:.1f}" for name, ms in zip(STEPS, medians, strict=True))
        print(f"{len(edit_of(editor).text):>7,} B  {shown} ms")


def main() -> None:
    backend = demo_backend()

    def opener(chosen: Connection, _prompt: Prompt) -> Session:
        return open_session(chosen, backend)

    async def run() -> None:
        async with KmsApp(opener, Connection(BackendKind.DEMO)).run_test(size=(160, 48)) as pilot:
            await measure(pilot)

    with tempfile.TemporaryDirectory() as folder:
        data_files.policy_root = lambda: Path(folder)
        asyncio.run(run())


if __name__ == "__main__":
    main()
