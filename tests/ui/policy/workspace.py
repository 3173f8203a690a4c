"""Opening the editor on a key of the demo, and looking at what it and the backend hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy.snippets import enable_iam_policies, key_users
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from kms_tui.ui.policy_editor.policy_edit import PolicyEdit
from tests.ui.console import go_to, press, settled

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROOT = enable_iam_policies(ACCOUNT)
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
APP_USES = key_users([APP])


def policy_with(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


SOUND = policy_with(ROOT, APP_USES)
"""Saves without a warning, and differs from the demo's default policy."""
NO_ACCOUNT = policy_with(APP_USES)
STAR_ONLY = policy_with(ROOT | {"Principal": "*"})
"""KMS would take it, and everyone keeps control; but the account is not named."""
BROKEN = SOUND[:-2]

REFUSED = {
    "no account": NO_ACCOUNT,
    "star instead of the root": STAR_ONLY,
    "no JSON": BROKEN,
    "empty": "",
    "denied to all": policy_with(ROOT, ROOT | {"Effect": "Deny", "Principal": "*"}),
    "byte order mark": "\ufeff" + SOUND,
}


async def open_editor(pilot: Pilot[Any], alias: str = "orders-db") -> PolicyEditor:
    """The editor on the policy of the key that an alias names."""
    await go_to(pilot, alias)
    await press(pilot, "e")
    return editor_of(pilot)


def editor_of(pilot: Pilot[Any]) -> PolicyEditor:
    editor = next(screen for screen in reversed(pilot.app.screen_stack) if isinstance(screen, PolicyEditor))
    assert editor.edit is not None
    return editor


def edit_of(editor: PolicyEditor) -> PolicyEdit:
    """What the editor edits, once it has read the policy."""
    assert editor.edit is not None
    return editor.edit


async def write(pilot: Pilot[Any], editor: PolicyEditor, text: str) -> None:
    """Replace the whole text, as selecting all and pasting does."""
    editor.area.replace_policy(text)
    await settled(pilot)
    assert edit_of(editor).text == text


async def save(pilot: Pilot[Any]) -> None:
    """Ctrl+s, and Save in the review."""
    await press(pilot, "ctrl+s")
    if pilot.app.screen.query("#confirm"):
        await press(pilot, "tab", "enter")


def key_policy(backend: Backend, key_id: str) -> str:
    return str(backend.call("GetKeyPolicy", {"KeyId": key_id, "PolicyName": "default"})["Policy"])


def put_policy(backend: Backend, key_id: str, policy: str) -> None:
    backend.call("PutKeyPolicy", {"KeyId": key_id, "PolicyName": "default", "Policy": policy})


def shown(pilot: Pilot[Any], selector: str) -> str:
    """The text of a widget of the screen on top."""
    return str(pilot.app.screen.query_one(selector, Static).render())


def dialog_text(pilot: Pilot[Any]) -> str:
    return "\n".join(str(each.render()) for each in pilot.app.screen.query(Static))


class Elsewhere:
    """A KMS that keeps no versions of policies; tests say what it answers instead of a call's own result."""

    def __init__(self, inner: Backend) -> None:
        while isinstance(inner, Wrapper):
            inner = inner.inner
        self.inner = inner
        self.failures: dict[str, Exception] = {}
        self.after_call: dict[str, Exception] = {}
        """Raised once the call has been made: its answer was lost."""
        self.calls: list[str] = []

    @property
    def account_id(self) -> str:
        return self.inner.account_id

    @property
    def region(self) -> str:
        return self.inner.region

    @property
    def partition(self) -> str:
        return self.inner.partition

    def caller(self) -> CallerIdentity:
        return self.inner.caller()

    def in_region(self, region: str) -> Backend:
        return self.inner.in_region(region)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append(operation)
        if operation in self.failures:
            raise self.failures[operation]
        answer = self.inner.call(operation, params)
        if operation in self.after_call:
            raise self.after_call[operation]
        return answer
