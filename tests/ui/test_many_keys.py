"""One act on many keys: what is asked first, how a run goes on, and what the backend holds after it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static, TextArea

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import CredentialsError, ServiceError
from kms_tui.ui.actions.batch import BatchConfirm, BatchRun
from kms_tui.ui.dialogs.form import Form
from kms_tui.ui.widgets.filter_line import FilterLine
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled, state_of

NAMES = ("sandbox", "search-index", "warehouse")


class Refusing(Wrapper):
    """Asks ``before`` ahead of each call; what that raises is the call's answer."""

    def __init__(self, inner: Backend, before: Callable[[str, Mapping[str, Any]], None]) -> None:
        super().__init__(inner)
        self._before = before

    def around(self, inner: Backend) -> Refusing:
        return Refusing(inner, self._before)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self._before(operation, params)
        return self.inner.call(operation, params)


async def mark(pilot: Pilot[Any], *names: str) -> list[str]:
    """Mark the keys of these aliases; their ids."""
    key_ids = []
    for name in names:
        key_ids.append(await go_to(pilot, name))
        await press(pilot, "space")
    return key_ids


def key_id(backend: Backend, alias: str) -> str:
    return str(backend.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]["KeyId"])


def body(pilot: Pilot[Any]) -> str:
    return "\n".join(str(each.render()) for each in pilot.app.screen.query(Static))


def table(pilot: Pilot[Any]) -> dict[str, str]:
    """Key -> what the dialog's table says of it."""

    def text(cell: str | tuple[str, str]) -> str:
        return cell if isinstance(cell, str) else cell[0]

    rows = pilot.app.screen.query_one(LineTable).rows
    return {text(row.cells[0]): text(row.cells[1]) for row in rows}


def test_marked_keys_are_disabled_after_one_question_that_counts_and_names_them(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, *NAMES)
        await press(pilot, "X")
        assert isinstance(pilot.app.screen, BatchConfirm)
        assert "3 keys are marked" in body(pilot)
        assert set(table(pilot)) == set(NAMES)
        await press(pilot, "enter")
        assert {state_of(demo, each) for each in key_ids} == {"Enabled"}, "the dialog starts on Cancel"
        await press(pilot, "X", "tab", "enter")
        assert isinstance(pilot.app.screen, BatchRun)
        assert table(pilot) == dict.fromkeys(NAMES, "done")
        assert {state_of(demo, each) for each in key_ids} == {"Disabled"}
        await press(pilot, "escape")
        assert "3 of 3 done" in notifications(pilot.app)  # type: ignore[arg-type]
        rows = {row.key_id: row.key for row in pilot.app.screen.query_one(KeyList).rows}
        assert all((key := rows[each]) is not None and key.state == "Disabled" for each in key_ids)

    drive(make_app(), script)


def test_marks_hidden_by_the_filter_are_counted_named_and_changed(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, *NAMES)
        pilot.app.screen.query_one(FilterLine).input.value = "sandbox"
        await settled(pilot)
        pilot.app.screen.query_one(KeyList).focus()
        await press(pilot, "X")
        assert "3 keys are marked, 2 of them hidden by the filter" in body(pilot)
        assert table(pilot) == {
            "search-index": "hidden by the filter",
            "warehouse": "hidden by the filter",
            "sandbox": "",
        }
        await press(pilot, "tab", "enter")
        assert {state_of(demo, each) for each in key_ids} == {"Disabled"}

    drive(make_app(), script)


def test_keys_that_cannot_be_changed_are_left_out_and_say_why(make_app: MakeApp, demo: Backend) -> None:
    sent: list[str] = []

    def watch(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "EnableKey":
            sent.append(str(params["KeyId"]))

    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, "sandbox", "sandbox-old", "chat-archive")
        await press(pilot, "x")
        assert "1 left out" in body(pilot)
        assert table(pilot)["sandbox"] == "left out: it is enabled"
        await press(pilot, "tab", "enter")
        assert sorted(sent) == sorted(key_ids[1:])
        assert {state_of(demo, each) for each in key_ids} == {"Enabled"}

    drive(make_app(Refusing(demo, watch)), script)


def test_one_refusal_hides_no_other_result_and_the_rest_can_be_tried_again(
    make_app: MakeApp, demo: Backend
) -> None:
    refused = {key_id(demo, "sandbox")}

    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "DisableKey" and params["KeyId"] in refused:
            raise ServiceError("AccessDeniedException", "not [/b] allowed", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, *NAMES)
        await press(pilot, "X", "tab", "enter")
        results = table(pilot)
        assert results["sandbox"].startswith("failed: AccessDeniedException: not [/b] allowed")
        assert results["search-index"] == results["warehouse"] == "done"
        assert "2 of 3 done, 1 failed" in body(pilot)
        assert [state_of(demo, each) for each in key_ids] == ["Enabled", "Disabled", "Disabled"]
        refused.clear()
        pilot.app.screen.query_one("#again", Button).press()
        await settled(pilot)
        assert table(pilot) == dict.fromkeys(NAMES, "done")
        assert {state_of(demo, each) for each in key_ids} == {"Disabled"}

    drive(make_app(Refusing(demo, refuse)), script)


def test_a_throttled_call_is_made_again_after_a_pause_and_told_once_it_stays_so(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchRun, "PAUSES", (0.0, 0.0))
    tries: Counter[str] = Counter()
    always = key_id(demo, "warehouse")

    def throttle(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "DisableKey":
            tries[params["KeyId"]] += 1
            if tries[params["KeyId"]] <= 2 or params["KeyId"] == always:
                raise ServiceError("ThrottlingException", "Rate exceeded", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, *NAMES)
        await press(pilot, "X", "tab", "enter")
        assert table(pilot)["sandbox"] == table(pilot)["search-index"] == "done"
        assert table(pilot)["warehouse"].startswith("failed: ThrottlingException")
        assert tries == dict.fromkeys(key_ids, 3)
        assert [state_of(demo, each) for each in key_ids] == ["Disabled", "Disabled", "Enabled"]

    drive(make_app(Refusing(demo, throttle)), script)


def test_stopping_awaits_the_call_under_way_and_sends_no_other(make_app: MakeApp, demo: Backend) -> None:
    sent, under_way, go_on = [], threading.Event(), threading.Event()

    def wait(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "DisableKey":
            sent.append(params["KeyId"])
            under_way.set()
            assert go_on.wait(10)

    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, *NAMES)
        await press(pilot, "X")
        await pilot.press("tab", "enter")
        while not under_way.is_set():
            await pilot.pause(0.01)
        run = pilot.app.screen
        assert isinstance(run, BatchRun)
        while not run.armed:
            await pilot.pause(0.01)
        await pilot.press("escape")
        go_on.set()
        await settled(pilot)
        assert isinstance(pilot.app.screen, BatchRun), "the report stays"
        assert len(sent) == 1
        assert run.summary == "1 of 3 done, 2 not sent"
        assert sorted(state_of(demo, each) for each in key_ids) == ["Disabled", "Enabled", "Enabled"]

    drive(make_app(Refusing(demo, wait)), script)


def test_credentials_that_expire_half_way_end_the_run(make_app: MakeApp, demo: Backend) -> None:
    sent = []

    def expire(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "DisableKey":
            sent.append(params["KeyId"])
            if len(sent) == 2:
                raise CredentialsError("The session has expired.")

    async def script(pilot: Pilot[Any]) -> None:
        await mark(pilot, *NAMES)
        await press(pilot, "X", "tab", "enter")
        run = pilot.app.screen
        assert isinstance(run, BatchRun)
        assert run.summary == "1 of 3 done, 1 failed, 1 not sent"
        assert len(sent) == 2

    drive(make_app(Refusing(demo, expire)), script)


def test_rotation_is_turned_on_for_many_and_left_alone_where_it_cannot_be(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, "sandbox", "legacy-exports", "payments-signing")
        await press(pilot, "o")
        assert isinstance(pilot.app.screen, Form)
        pilot.app.screen.query_one("#period", Input).value = "180"
        await press(pilot, "enter")
        assert table(pilot)["payments-signing"].startswith("left out: RSA-3072 keys cannot rotate")
        await press(pilot, "tab", "enter")
        for each in key_ids[:2]:
            status = demo.call("GetKeyRotationStatus", {"KeyId": each})
            assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 180)
        assert not demo.call("GetKeyRotationStatus", {"KeyId": key_ids[2]})["KeyRotationEnabled"]

    drive(make_app(), script)


def test_tags_are_added_to_many_and_their_other_tags_stay(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_ids = await mark(pilot, "sandbox", "ledger")
        before = [demo.call("ListResourceTags", {"KeyId": each})["Tags"] for each in key_ids]
        await press(pilot, "t", "ctrl+s")
        assert pilot.app.screen.query_one("#tags-error").has_class("-shown")
        pilot.app.screen.query_one("#tags", TextArea).text = "audit=2026"
        await press(pilot, "ctrl+s", "tab", "enter")
        for each, tags in zip(key_ids, before, strict=True):
            after = demo.call("ListResourceTags", {"KeyId": each})["Tags"]
            assert {tag["TagKey"]: tag["TagValue"] for tag in after} == {
                "audit": "2026",
                **{tag["TagKey"]: tag["TagValue"] for tag in tags},
            }

    drive(make_app(), script)
