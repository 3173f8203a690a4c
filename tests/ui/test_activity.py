"""The Activity tab and the watch on disabled keys, on the demo's own record and on a CloudTrail made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from kms_tui.backend.base import Backend, Services
from kms_tui.backend.local import LocalBackend
from kms_tui.inventory import Pace
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import parse
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.details.activity_tab import ActivityTab
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp, fixed_now
from tests.ui.console import drive, go_to, notifications, press, settled, state_of
from tests.unit.evidence.trail import FakeTrail, entry

USE = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}',
    identity=True,
)


class OnTrail:
    """The demo's backend with another CloudTrail, or with none."""

    def __init__(self, inner: Backend, trail: FakeTrail) -> None:
        self.inner = inner
        self.trail = trail
        self.account_id, self.region, self.partition = inner.account_id, inner.region, inner.partition

    @property
    def services(self) -> Services:
        return self.trail

    def caller(self) -> Any:
        return self.inner.caller()

    def in_region(self, region: str) -> Backend:
        return self.inner.in_region(region)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.inner.call(operation, params)


def on_aws(demo: Backend, trail: FakeTrail) -> KmsApp:
    """The console on an account whose CloudTrail is late and has a quota."""

    def opener(chosen: Connection, _prompt: Prompt) -> Session:
        return open_session(chosen, OnTrail(demo, trail), now=fixed_now, pace=Pace(rest=10_000))

    return KmsApp(opener, Connection(BackendKind.AWS, profile="prod"))


def arn_of(demo: Backend, alias: str) -> str:
    return str(demo.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]["Arn"])


def tab(pilot: Pilot[Any]) -> ActivityTab:
    return pilot.app.screen.query_one(ActivityTab)


async def open_activity(pilot: Pilot[Any]) -> None:
    """Open the tab of the key under the cursor, and put the focus on its table."""
    await press(pilot, "enter")
    pilot.app.screen.query_one(KeyDetails).open_tab(ActivityTab.TITLE)
    await settled(pilot)
    tab(pilot).query_one(LineTable).focus()
    await settled(pilot)


def said(pilot: Pilot[Any], part: str) -> str:
    return str(tab(pilot).query_one(f"#activity-{part}", Static).render())


def rows(pilot: Pilot[Any]) -> list[list[str]]:
    """Who, call and result of each row."""
    table = tab(pilot).query_one(LineTable)
    cells = [[cell if isinstance(cell, str) else cell[0] for cell in row.cells] for row in table.rows]
    return [row[1:4] for row in cells]


def test_a_key_tells_who_used_it_newest_first_and_shows_the_event_itself(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "customer-pii")
        await open_activity(pilot)
        assert rows(pilot)[0] == ["app", "Decrypt", "allowed"]
        assert ["reporting", "Decrypt", "denied"] in rows(pilot)
        assert "2 refused" in said(pilot, "summary")
        assert "own record" in said(pilot, "source")
        await press(pilot, "slash")
        tab(pilot).query_one("#activity-filter", Input).value = "result:refused"
        await press(pilot, "enter")
        assert {row[0] for row in rows(pilot)} == {"reporting"}
        assert "2 of 11 calls" in said(pilot, "summary")
        assert "AccessDenied" in said(pilot, "event")
        assert "203.0.113.24" in said(pilot, "event")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, TextScreen)
        assert '"errorCode": "AccessDenied"' in pilot.app.screen._text
        await press(pilot, "escape", "escape")
        assert tab(pilot).query_one("#activity-filter", Input).value == ""
        assert len(rows(pilot)) == 11
        await press(pilot, "v")
        assert ["administrator", "DescribeKey", "allowed"] in rows(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen.query_one(KeyList).has_focus

    drive(make_app(), script)


def test_cloudtrail_is_not_asked_before_the_tab_is_open_and_once_for_a_key(demo: Backend) -> None:
    trail = FakeTrail([entry("1", keys=[arn_of(demo, "orders-db")])])

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "enter", "right_square_bracket")
        assert trail.calls == []
        await open_activity(pilot)
        assert len(trail.calls) == 1
        # A look at another tab costs nothing of the quota.
        await press(pilot, "left_square_bracket", "right_square_bracket")
        assert len(trail.calls) == 1
        assert rows(pilot) == [["app", "Decrypt", "allowed"]]
        assert "CloudTrail: 90 days, up to 15 minutes late" in said(pilot, "source")

    drive(on_aws(demo, trail), script)


def test_older_events_are_read_on_going_down_and_throttling_is_said(make_app: MakeApp, demo: Backend) -> None:
    arn = arn_of(demo, "orders-db")
    trail = FakeTrail([entry(str(number), minutes_ago=number, keys=[arn]) for number in range(120)])

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await open_activity(pilot)
        assert len(rows(pilot)) == 50
        assert "+ reads on" in said(pilot, "source")
        await press(pilot, "end")
        assert len(rows(pilot)) == 100
        trail.error = ServiceError("ThrottlingException", "Rate exceeded", operation="LookupEvents")
        await press(pilot, "end")
        assert "throttling: it takes 2 requests a second" in said(pilot, "source")
        assert len(rows(pilot)) == 100
        trail.error = None
        await press(pilot, "plus")
        assert len(rows(pilot)) == 120
        assert "throttling" not in said(pilot, "source")
        assert "all of it is here" in said(pilot, "source")

    drive(make_app(OnTrail(demo, trail)), script)


@pytest.mark.parametrize(
    ("offered", "sentence"),
    [(True, "denied: you may not call LookupEvents"), (False, "CloudTrail is not available here.")],
)
def test_what_cannot_be_read_says_why(make_app: MakeApp, demo: Backend, offered: bool, sentence: str) -> None:
    trail = FakeTrail(offered=offered)
    trail.error = ServiceError("AccessDeniedException", "no", operation="LookupEvents")

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await open_activity(pilot)
        assert sentence in said(pilot, "summary")
        assert not tab(pilot).query_one(LineTable).display

    drive(make_app(OnTrail(demo, trail)), script)


def test_hostile_events_are_shown_as_text(make_app: MakeApp, demo: Backend) -> None:
    arn = arn_of(demo, "orders-db")
    nasty = "[/b]\x1b]0;x\x07[@click=app.quit]\u202e"
    entries = [
        entry("1", nasty, who=nasty, error=nasty, message=nasty, keys=[arn], context={nasty: nasty}),
        {**entry("2", keys=[arn]), "CloudTrailEvent": nasty, "Username": nasty},
    ]

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await open_activity(pilot)
        await press(pilot, "down", "enter")
        shown = str(pilot.app.screen.query_one("#dialog-body Static", Static).render())
        assert "\x1b" not in shown
        await press(pilot, "escape")
        assert "\x1b" not in said(pilot, "summary") + said(pilot, "event")
        assert rows(pilot)[1][2] == "not known"

    drive(make_app(OnTrail(demo, FakeTrail(entries))), script)


# Disable and watch


def use(demo: Backend, key_id: str, role: str) -> None:
    """Use a key as somebody else does, on the same store."""
    assert isinstance(demo, LocalBackend)
    other = LocalBackend(
        demo.store,
        account_id=demo.account_id,
        region=demo.region,
        caller_arn=f"arn:aws:iam::{demo.account_id}:role/{role}",
        iam_policies=[USE],
    )
    with pytest.raises(ServiceError, match="is disabled"):
        other.call("Encrypt", {"KeyId": key_id, "Plaintext": b"x"})


def attention(pilot: Pilot[Any], alias: str) -> str:
    from kms_tui.inventory.cells import attention as words

    app = pilot.app
    assert isinstance(app, KmsApp)
    assert app.session is not None
    row = next(row for row in app.session.inventory.rows() if alias in row.aliases)
    return words(row, app.session.now()).text


def watch_line(pilot: Pilot[Any]) -> str:
    line = pilot.app.screen.query_one(KeyDetails).query_one("#details-watch", Static)
    return str(line.render()) if line.display else ""


async def look(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, KmsApp)
    app.poll_refused_uses()
    await settled(pilot)


def test_a_disabled_key_is_watched_until_it_is_enabled(make_app: MakeApp, demo: Backend) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "X", "tab", "enter")
        assert state_of(demo, key_id) == "Disabled"
        assert "No use refused" in watch_line(pilot)
        use(demo, key_id, "app")
        use(demo, key_id, "batch")
        use(demo, key_id, "app")
        await look(pilot)
        assert "3 uses refused: app 2, batch 1" in watch_line(pilot)
        assert attention(pilot, "orders-db") == "disabled, 3 refused"
        assert "app, batch was refused" in notifications(app)
        # It stays in view wherever the cursor goes.
        await go_to(pilot, "ledger")
        assert watch_line(pilot) == ""
        assert attention(pilot, "orders-db") == "disabled, 3 refused"
        assert "3 refused · " in str(app.screen.query_one("#status", Static).render())
        await go_to(pilot, "orders-db")
        await press(pilot, "x")
        assert watch_line(pilot) == ""
        assert attention(pilot, "orders-db") == ""

    drive(app, script)


def test_a_key_disabled_long_ago_is_watched_when_asked_and_enabling_it_elsewhere_ends_that(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "chat-archive")
        assert watch_line(pilot) == ""
        await press(pilot, "V")
        assert "4 uses refused: batch 4" in watch_line(pilot)
        assert "since it was disabled" in watch_line(pilot)
        await press(pilot, "D")
        preflight = str(pilot.app.screen.query_one("#preflight", Static).render())
        assert "4 uses refused: batch 4" in preflight
        await press(pilot, "escape")
        demo.call("EnableKey", {"KeyId": key_id})
        await look(pilot)
        assert watch_line(pilot) == ""
        assert attention(pilot, "chat-archive") == "◆ rotation off"

    drive(make_app(), script)


def test_disabling_instead_of_deleting_watches_and_asking_again_stops(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "D")
        pilot.app.screen.query_one("#disable", Button).press()
        await settled(pilot)
        assert state_of(demo, key_id) == "Disabled"
        assert "No use refused" in watch_line(pilot)
        await press(pilot, "V", "escape")
        assert watch_line(pilot) != "", "it is watched still"
        await press(pilot, "V", "y")
        assert watch_line(pilot) == ""
        assert attention(pilot, "orders-db") == "disabled"

    drive(make_app(), script)


def test_a_watch_that_cloudtrail_denies_says_so_and_never_zero(demo: Backend) -> None:
    trail = FakeTrail()
    trail.error = ServiceError("AccessDeniedException", "no", operation="LookupEvents")

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "X", "tab", "enter")
        assert "denied: you may not call LookupEvents" in watch_line(pilot)
        assert attention(pilot, "orders-db") == "disabled"

    drive(on_aws(demo, trail), script)


def test_only_a_disabled_key_can_be_watched(make_app: MakeApp, demo: Backend) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "ledger")
        await press(pilot, "V")
        assert "Only a disabled key can be watched" in notifications(app)

    drive(app, script)
