"""The screen of all grants: what it lists, how many keys it covers, and what revoking from it leaves."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.inventory import Pace
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import Grant
from kms_tui.session import Session
from kms_tui.ui.actions.grant_actions import RevokeGrant
from kms_tui.ui.app import KmsApp
from kms_tui.ui.screens.grants_screen import GrantsScreen
from kms_tui.ui.screens.held_grants import HeldGrant, grant_row, held_grants, matching_grants
from kms_tui.ui.screens.keys_screen import KeyDetailsScreen, KeysScreen
from kms_tui.ui.widgets.line_table import LineTable, TableRow
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, notifications, press, settled
from tests.ui.test_many_keys import Refusing, body
from tests.ui.test_read_only import Sent

PARTNER = "arn:aws:iam::444455556666:role/importer"
OWNER = "arn:aws:iam::444455556666:root"


def key_arn(backend: Backend, alias: str) -> str:
    return str(backend.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]["Arn"])


def grants_of(backend: Backend, alias: str) -> list[Mapping[str, Any]]:
    return list(backend.call("ListGrants", {"KeyId": key_arn(backend, alias)})["Grants"])


def cells(pilot: Pilot[Any]) -> list[list[str]]:
    rows = pilot.app.screen.query_one(LineTable).rows
    return [[cell if isinstance(cell, str) else cell[0] for cell in row.cells] for row in rows]


def note(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#grants-note", Static).render())


def shown(pilot: Pilot[Any]) -> type:
    return type(pilot.app.screen)


async def only(pilot: Pilot[Any], text: str) -> None:
    pilot.app.screen.query_one("#table-filter", Input).value = text
    await settled(pilot)


def painted(pilot: Pilot[Any]) -> str:
    return str(pilot.app.export_screenshot()).replace("&#160;", " ")


def list_grants(pilot: Pilot[Any]) -> int:
    assert isinstance(pilot.app, KmsApp)
    assert pilot.app.session is not None
    return pilot.app.session.meter.calls["ListGrants"]


def test_all_grants_are_listed_oldest_first_with_the_keys_they_cover(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        assert shown(pilot) is GrantsScreen
        assert note(pilot) == "Grants of 42 of 42 customer keys"
        assert list_grants(pilot) == 42
        expected = sum(len(grants_of(demo, alias)) for alias in ("ebs-default", "rds-reporting"))
        found = [row for row in cells(pilot) if row[2] in ("ebs-default", "rds-reporting")]
        assert len(found) == expected >= 4
        assert cells(pilot)[0][1].startswith("3 y")
        assert cells(pilot)[-1][1] == "19 d"
        await only(pilot, "444455556666 decrypt")
        assert [row[2] for row in cells(pilot)] == ["partner-exchange"]
        assert "exchange=inbound" in painted(pilot)

    drive(make_app(), script)


def test_typing_fast_shows_what_the_last_filter_leaves(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work on an earlier filter ends after that on the last one."""
    begun, may_end = threading.Event(), threading.Event()

    def slow_at_first(held: Sequence[HeldGrant], text: str) -> list[HeldGrant]:
        if text == "i":
            begun.set()
            assert may_end.wait(10)
        return matching_grants(held, text)

    monkeypatch.setattr("kms_tui.ui.screens.grants_screen.matching_grants", slow_at_first)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B", "slash")
        for key in "importer":
            await pilot.press(key)
        await settled(pilot)
        assert begun.is_set()
        assert [row[2] for row in cells(pilot)] == ["partner-exchange"]
        may_end.set()
        await pilot.pause(0.05)
        await settled(pilot)
        assert [row[2] for row in cells(pilot)] == ["partner-exchange"]

    drive(make_app(), script)


def test_a_filter_typed_while_grants_are_put_in_order_holds_for_them(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(session: Session, grants: Iterable[tuple[str, Grant]]) -> list[HeldGrant]:
        begun.set()
        assert may_end.wait(10)
        return held_grants(session, grants)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        monkeypatch.setattr("kms_tui.ui.screens.grants_screen.held_grants", slow)
        await pilot.press("r", "slash")
        while not begun.is_set():
            await pilot.pause(0.01)
        for key in "importer":
            await pilot.press(key)
        may_end.set()
        await settled(pilot)
        assert [row[2] for row in cells(pilot)] == ["partner-exchange"]

    drive(make_app(), script)


def test_a_new_session_shows_no_grant_of_the_one_before(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        count = len(cells(pilot))
        screen = pilot.app.screen
        assert isinstance(screen, GrantsScreen)
        assert screen.session is not None
        screen.session_opened(screen.session)
        assert cells(pilot) == []
        screen.action_revoke()
        await settled(pilot)
        assert "no grant to revoke" in notifications(pilot.app)  # type: ignore[arg-type]
        assert len(cells(pilot)) == count

    drive(make_app(), script)


def test_of_many_grants_only_rows_on_screen_are_made(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0

    def counted(held: HeldGrant) -> TableRow:
        nonlocal made
        made += 1
        return grant_row(held)

    monkeypatch.setattr("kms_tui.ui.screens.grants_screen.grant_row", counted)
    arn, many = key_arn(demo, "sandbox"), 20_000

    def entry(number: int) -> Mapping[str, Any]:
        who = f"arn:aws:iam::111122223333:role/app-{number}"
        return {"KeyId": arn, "GrantId": f"{number:064x}", "GranteePrincipal": who, "Operations": ["Decrypt"]}

    class Many(Wrapper):
        def around(self, inner: Backend) -> Many:
            return Many(inner)

        def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            if operation == "ListGrants" and params["KeyId"] == arn:
                return {"Grants": [entry(number) for number in range(many)], "Truncated": False}
            return self.inner.call(operation, params)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B", "slash")
        table = pilot.app.screen.query_one(LineTable)
        assert len(table.rows) > many
        for key in "app-1999":
            await pilot.press(key)
        await settled(pilot)
        assert len(table.rows) == 11  # 1999, and 19990 to 19999
        assert table.go_to(f"{arn} {19_999:064x}")
        await press(pilot, *["backspace"] * 4)
        assert len(table.rows) == many
        assert table.current == f"{arn} {19_999:064x}", "the cursor stays with its grant"
        assert made < 2_000

    drive(make_app(Many(demo)), script)


def test_denied_keys_are_told_and_deleted_principals_come_first(make_app: MakeApp, demo: Backend) -> None:
    denied = key_arn(demo, "ebs-default")
    gone = key_arn(demo, "sandbox")

    class Deleted(Refusing):
        def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            answer = super().call(operation, params)
            if operation == "ListGrants" and params["KeyId"] == gone:
                entry = {
                    "KeyId": gone,
                    "GrantId": "g-1",
                    "GranteePrincipal": "AROAJQABLZS4A3QDU576Q",
                    "Operations": ["Decrypt"],
                }
                return {"Grants": [entry], "Truncated": False}
            return answer

    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "ListGrants" and params["KeyId"] == denied:
            raise ServiceError("AccessDeniedException", "no", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        assert note(pilot) == ("Grants of 41 of 42 customer keys · 1 denied: you may not call ListGrants")
        assert cells(pilot)[0][:3] == ["AROAJQABLZS4A3QDU576Q (deleted)", "–", "sandbox"]
        assert "1 of deleted principals" in body(pilot)

    drive(make_app(Deleted(demo, refuse)), script)


def test_a_large_account_is_read_when_asked(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        assert list_grants(pilot) == 0
        assert note(pilot) == "Grants of 0 of 42 customer keys · 42 not read: r reads all, a call a key"
        await press(pilot, "r")
        assert note(pilot) == "Grants of 42 of 42 customer keys"

    drive(make_app(pace=Pace(rest=10_000, read_whole=10)), script)


def test_reading_is_stopped_by_escape_and_keeps_what_it_has(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await pilot.press("B")
        while list_grants(pilot) < 1:
            await pilot.pause(0.01)
        await press(pilot, "escape")
        assert shown(pilot) is GrantsScreen
        assert "not read: r reads all" in note(pilot)
        assert 0 < list_grants(pilot) < 42
        await press(pilot, "escape")
        assert shown(pilot) is KeysScreen

    drive(make_app(pace=Pace(rest=10, read_whole=500)), script)


def test_a_grant_is_revoked_after_a_question_and_given_back_by_undo(make_app: MakeApp, demo: Backend) -> None:
    sent = Sent(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        await only(pilot, "importer")
        await press(pilot, "F")
        assert isinstance(pilot.app.screen, RevokeGrant)
        await press(pilot, "escape")
        assert sent.changes == []
        await press(pilot, "F", "ctrl+s")
        assert sent.changes == ["RevokeGrant"]
        assert grants_of(demo, "partner-exchange") == []
        assert cells(pilot) == []
        await press(pilot, "ctrl+z", "ctrl+s")
        assert [each["GranteePrincipal"] for each in grants_of(demo, "partner-exchange")] == [PARTNER]
        assert [row[2] for row in cells(pilot)] == ["partner-exchange"]

    drive(make_app(sent), script)


def test_enter_opens_the_key_and_escape_comes_back(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        await only(pilot, "importer")
        await press(pilot, "enter")
        assert shown(pilot) is KeyDetailsScreen
        assert "partner-exchange" in body(pilot)
        assert "partner-importer" in painted(pilot)
        await press(pilot, "escape")
        assert shown(pilot) is GrantsScreen
        await press(pilot, "escape")
        assert cells(pilot)[1:], "escape clears the filter before it leaves"
        await press(pilot, "escape")
        assert shown(pilot) is KeysScreen

    drive(make_app(), script)


def test_what_a_principal_may_retire_is_listed_and_v_goes_back(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B", "v")
        await press(pilot, *"nobody", "ctrl+s")
        assert "ARN of a role" in body(pilot)
        pilot.app.screen.query_one("#principal", Input).value = OWNER
        await press(pilot, "ctrl+s")
        assert note(pilot) == f"Grants that {OWNER} may retire. v shows all grants."
        assert [row[2] for row in cells(pilot)] == ["partner-exchange"]
        await press(pilot, "v")
        assert note(pilot) == "Grants of 42 of 42 customer keys"

    drive(make_app(), script)


def test_a_refused_list_of_retirable_grants_stands_beside_the_field(make_app: MakeApp, demo: Backend) -> None:
    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "ListRetirableGrants":
            raise ServiceError("AccessDeniedException", "not for you", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B", "v")
        pilot.app.screen.query_one("#principal", Input).value = OWNER
        await press(pilot, "ctrl+s")
        assert "not for you" in str(pilot.app.screen.query_one("#principal-error", Static).render())

    drive(make_app(Refusing(demo, refuse)), script)


def test_a_read_only_session_lists_and_revokes_nothing(make_app: MakeApp, demo: Backend) -> None:
    sent = Sent(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B", "F")
        assert shown(pilot) is GrantsScreen
        assert "Revoke grant is refused" in notifications(pilot.app)  # type: ignore[arg-type]
        assert cells(pilot)

    drive(make_app(sent, read_only=True), script)
    assert sent.changes == []


def test_the_list_is_exported_as_it_is_filtered(make_app: MakeApp, tmp_path: Path) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "B")
        await only(pilot, "importer")
        await press(pilot, "w")
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / "grants.csv")
        await press(pilot, "ctrl+s")

    drive(make_app(), script)
    (row,) = csv.DictReader((tmp_path / "grants.csv").read_text("utf-8").splitlines())
    assert (row["grantee"], row["name"]) == (PARTNER, "partner-importer")
