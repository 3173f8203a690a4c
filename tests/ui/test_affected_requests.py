"""Whom a change affects, in the question before it: read from the record, judged, and never in the way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button, Static

from kms_tui.backend.base import Backend
from kms_tui.evidence.change_replay import AffectedRequest, ReplayResult
from kms_tui.evidence.request_history.history_source import Coverage
from kms_tui.evidence.request_history.recorded_request import RecordedRequest
from kms_tui.ui.dialogs.affected_requests import AffectedRequests, result_lines
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, go_to, press, settled, state_of
from tests.ui.policy.workspace import key_policy, open_editor, write
from tests.ui.test_activity import on_aws
from tests.unit.evidence.trail import FakeTrail, entry
from tests.unit.evidence.world import arn_of, denied


def affected(pilot: Pilot[Any]) -> str:
    shown = pilot.app.screen.query_one("#affected", Static)
    return " ".join(str(shown.render()).split())


def test_disabling_names_the_callers_who_would_be_refused(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "orders-db")
        await press(pilot, "X")
        text = affected(pilot)
        assert "Whom it affects The last 90 days" in text
        assert (
            "would be refused: the key is disabled (DisabledException) role/app · Decrypt · table=orders"
            in text
        )
        await press(pilot, "escape")
        assert state_of(demo, key) == "Enabled"

    drive(make_app(), script)


def test_the_deletion_of_a_key_and_a_new_target_of_its_alias_name_them_too(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "D")
        assert "the key is pending deletion (KMSInvalidStateException) role/app · Decrypt" in affected(pilot)
        await press(pilot, "escape", "A", "enter", *"invoices", "enter")
        assert "recorded call" in affected(pilot)

    drive(make_app(), script)


def test_a_question_that_does_not_fit_scrolls_by_keys_and_keeps_its_last_line(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "D")
        await press(pilot, *"wrong", "enter")
        dialog = pilot.app.screen
        body = dialog.query_one("#dialog-body")
        assert body.max_scroll_y > 0
        assert "pgdn More" in str(dialog.query_one("#dialog-keys", Static).render())
        for name in ("#typed-name", "#dialog-error", "#confirm", "#dialog-keys"):
            assert dialog.query_one(name).region.bottom <= pilot.app.size.height, name
        await press(pilot, "pagedown", "pagedown")
        assert body.scroll_y == body.max_scroll_y
        assert dialog.query_one("#typed-name").has_focus
        pilot.app.notify("covers nothing that answers")
        await settled(pilot)
        (toast,) = dialog.query("Toast")
        assert toast.region.bottom < dialog.query_one("#typed-name").region.y

    drive(make_app(), script, size=(80, 24))


def test_the_review_of_a_policy_lists_whom_it_would_refuse(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot, "orders-db")
        before = key_policy(demo, editor.subject.key_id)
        policy = json.loads(before)
        deny = {"Sid": "NoApp", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt"}
        condition = {"StringEquals": {"kms:EncryptionContext:table": "orders"}}
        policy["Statement"].append({**deny, "Resource": "*", "Condition": condition})
        await write(pilot, editor, json.dumps(policy))
        await press(pilot, "ctrl+s")
        text = affected(pilot)
        assert "would be refused" in text
        assert "role/app · Decrypt · table=orders" in text
        assert "NoApp" in text
        await press(pilot, "escape")
        assert key_policy(demo, editor.subject.key_id) == before

    drive(make_app(), script)


def test_a_grant_that_ends_lists_its_users(demo: Backend) -> None:
    key = demo.call("DescribeKey", {"KeyId": "alias/sandbox"})["KeyMetadata"]
    grantee = "arn:aws:iam::111122223333:role/app"
    demo.call("CreateGrant", {"KeyId": key["KeyId"], "GranteePrincipal": grantee, "Operations": ["Decrypt"]})
    trail = FakeTrail([entry("e1", keys=(key["Arn"],), context={"a": "b"}, minutes_ago=5)])

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "F", "enter")
        text = affected(pilot)
        assert "depends on the IAM policies of role/app" in text
        assert "role/app · Decrypt · a=b · 1 call" in text
        assert "is not among a key's events" in text, "what the record lacks is said"

    drive(on_aws(demo, trail), script)


class TrailAndIam(FakeTrail):
    """A trail, and an IAM in which every role has one inline policy that allows everything."""

    def offers(self, service: str) -> bool:
        return service in ("cloudtrail", "iam")

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if service != "iam":
            return super().call(service, operation, params)
        self.calls.append(params)
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        answers: dict[str, Mapping[str, Any]] = {
            "GetRole": {"Role": {"RoleName": "app", "Arn": "arn:aws:iam::111122223333:role/app"}},
            "ListRolePolicies": {"PolicyNames": ["all"]},
            "GetRolePolicy": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]}},
            "ListAttachedRolePolicies": {"AttachedPolicies": []},
        }
        return answers[operation]


def test_the_iam_policies_of_callers_are_read_on_the_button_and_decide(demo: Backend) -> None:
    key = demo.call("DescribeKey", {"KeyId": "alias/sandbox"})["KeyMetadata"]
    grantee = "arn:aws:iam::111122223333:role/app"
    demo.call("CreateGrant", {"KeyId": key["KeyId"], "GranteePrincipal": grantee, "Operations": ["Decrypt"]})
    trail = TrailAndIam([entry("e1", keys=(key["Arn"],), minutes_ago=5)])

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "F", "enter")
        assert "depends on the IAM policies of role/app" in affected(pilot)
        assert not any("RoleName" in call for call in trail.calls), "nobody asked IAM yet"
        pilot.app.screen.query_one("#read-callers", Button).focus()
        await press(pilot, "enter")
        assert pilot.app.screen.query_one("#cancel").has_focus, "the button is gone, and the focus is not"
        assert "depends" not in affected(pilot)
        assert "1 recorded calls stay as they are" in affected(pilot)

    drive(on_aws(demo, trail), script)


class SlowTrail(FakeTrail):
    """A trail whose second page waits to be let go."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        super().__init__(entries)
        self.go_on = threading.Event()

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if "NextToken" in params:
            assert self.go_on.wait(10)
        return super().call(service, operation, params)


def test_a_long_record_is_shown_as_it_is_read_and_can_be_stopped(demo: Backend) -> None:
    arn = arn_of(str(demo.call("DescribeKey", {"KeyId": "alias/sandbox"})["KeyMetadata"]["KeyId"]))
    trail = SlowTrail([entry(f"e{n}", keys=(arn,), minutes_ago=n) for n in range(1, 121)])

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await pilot.press("X")
        async with asyncio.timeout(10):
            while not (pilot.app.screen.query("#affected") and "reading on: " in affected(pilot)):
                await pilot.pause(0.05)
        assert "50 events" in affected(pilot)
        assert "role/app · Decrypt · 50 calls" in affected(pilot)
        section = pilot.app.screen.query_one(AffectedRequests)
        section.query_one("#stop-reading", Button).press()
        trail.go_on.set()
        async with asyncio.timeout(10):
            while section.has_class("-reading"):
                await pilot.pause(0.05)
        await settled(pilot)
        assert "of 90 days (100 events)" in affected(pilot)
        assert "reading on" not in affected(pilot)

    drive(on_aws(demo, trail), script)


def test_a_record_that_may_not_be_read_is_said_and_hinders_nothing(demo: Backend) -> None:
    trail = FakeTrail([])
    trail.error = denied("LookupEvents")

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "X")
        assert "? Not known: " in affected(pilot)
        assert "affected." not in affected(pilot), "what was not read may affect anybody"
        await press(pilot, "tab", "enter")
        assert state_of(demo, key) == "Disabled"

    drive(on_aws(demo, trail), script)


def test_a_record_without_a_call_is_said_to_affect_none(demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "X")
        assert "No recorded call is affected." in affected(pilot)

    drive(on_aws(demo, FakeTrail([])), script)


def test_thousands_of_reasons_are_counted_and_not_listed() -> None:
    role = "arn:aws:iam::111122223333:role/r"
    request = RecordedRequest(role, "AssumedRole", "111122223333", "Decrypt", arn_of("k"))
    rows = tuple(AffectedRequest(request, 2, None, f"depends on role {n}") for n in range(5_000))
    coverage = Coverage("a record", NOW - timedelta(days=90), NOW, NOW, 10_000, complete=True)
    result = ReplayResult((), (), rows, 0, 0, 5_000, coverage)
    lines = [str(line) for line in result_lines(result, NOW, is_reading=False)]
    assert len(lines) < 40
    assert lines[-1] == "? depends: 4,988 more with 9,976 calls, for 4,988 other reasons"


def test_several_keys_are_disabled_without_a_replay(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "space", "down", "space", "X")
        assert not pilot.app.screen.query(AffectedRequests)

    drive(make_app(), script)
