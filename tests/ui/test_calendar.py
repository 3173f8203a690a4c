"""The calendar: every date that the backend holds, soonest first; deletions are cancelled from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, Static

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.inventory import Pace
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.app import KmsApp
from kms_tui.ui.app_shell.screen_table import MODE_TABLE
from kms_tui.ui.screens.calendar_screen import CalendarScreen
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, press, settled, state_of
from tests.ui.test_many_keys import Refusing, key_id

NARROW = (80, 24)
CALENDAR = str(list(MODE_TABLE).index("calendar") + 1)


async def open_calendar(pilot: Pilot[Any]) -> None:
    await press(pilot, CALENDAR)
    assert isinstance(pilot.app.screen, CalendarScreen)
    await settled(pilot)


def lines(pilot: Pilot[Any]) -> list[tuple[str, ...]]:
    rows = pilot.app.screen.query_one(LineTable).rows
    return [tuple(cell if isinstance(cell, str) else cell[0] for cell in row.cells) for row in rows]


async def go_to_event(pilot: Pilot[Any], name: str) -> None:
    table = pilot.app.screen.query_one(LineTable)
    number = next(number for number, line in enumerate(lines(pilot)) if line[3] == name)
    assert table.go_to(table.rows[number].key)
    await settled(pilot)


def dates_of(backend: Backend) -> list[datetime]:
    """Every date to come in a region, asked for key by key."""
    kms, dates = Kms(backend), []
    for page in kms.key_pages():
        for key in (kms.describe(entry.key_id) for entry in page):
            if key.is_aws_managed:
                continue
            found = [key.deletion_date, key.valid_to]
            if key.spec == "SYMMETRIC_DEFAULT" and key.origin == "AWS_KMS" and not key.deletion_date:
                found.append(kms.rotation_status(key.key_id).next_date)
            dates += [date for date in found if date is not None]
    return sorted(dates)


def test_every_date_of_all_loaded_regions_is_listed_soonest_first(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    regions = ("eu-west-1", "us-east-1")
    expected = sorted(date for region in regions for date in dates_of(demo.in_region(region)))

    async def script(pilot: Pilot[Any]) -> None:
        await open_calendar(pilot)
        shown = lines(pilot)
        assert [line[1] for line in shown] == [f"{date:%Y-%m-%d}" for date in expected]
        assert [line[0] for line in shown if line[0]] == ["today", "within a month", "later"]
        assert [line[5] for line in shown if line[3] == "global-config"] == ["eu-west-1", "us-east-1"]
        await press(pilot, "w")
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / "calendar.json")
        await press(pilot, "ctrl+s")

    drive(make_app(regions=regions), script)
    written = json.loads((tmp_path / "calendar.json").read_text("utf-8"))
    assert [datetime.fromisoformat(event["time"]) for event in written] == expected


def test_a_deletion_is_cancelled_from_the_calendar_and_enter_goes_to_the_key(
    make_app: MakeApp, demo: Backend
) -> None:
    doomed = key_id(demo, "old-backups")

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "slash", *"payments", "enter")
        await open_calendar(pilot)
        await go_to_event(pilot, "old-backups")
        await press(pilot, "U")
        assert state_of(demo, doomed) == "Disabled"
        await settled(pilot)
        assert "old-backups" not in {line[3] for line in lines(pilot)}
        await go_to_event(pilot, "imported-hsm-root")
        await press(pilot, "enter")
        current = pilot.app.screen.query_one(KeyList).current
        assert current is not None
        assert current.aliases == ("imported-hsm-root",)

    drive(make_app(), script)


def test_a_reading_that_takes_minutes_waits_until_it_is_asked_for(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        assert app.session is not None
        app.session.inventory.pace = Pace(demand=0.1)
        await open_calendar(pilot)
        note = pilot.app.screen.query_one("#calendar-note", Static)
        assert "minutes: r starts it, esc stops it." in str(note.render())
        shown = len(lines(pilot))
        await press(pilot, "r")
        await settled(pilot)
        assert not note.display
        assert len(lines(pilot)) > shown

    drive(make_app(pace=Pace(rest=10_000, read_unasked=0)), script, size=NARROW)


def test_dates_that_may_not_be_read_are_counted(make_app: MakeApp, demo: Backend) -> None:
    def before(operation: str, params: Mapping[str, Any]) -> None:
        if (operation, params.get("KeyId")) in refused:
            raise ServiceError("AccessDeniedException", "no", operation=operation)

    refused = {
        ("DescribeKey", key_id(demo, "old-backups")),
        ("GetKeyRotationStatus", key_id(demo, "ledger")),
        ("GetKeyRotationStatus", key_id(demo, "secrets")),
    }

    async def script(pilot: Pilot[Any]) -> None:
        await open_calendar(pilot)
        note = str(pilot.app.screen.query_one("#calendar-note", Static).render())
        assert "the dates of 1 key that cannot be described" in note
        assert "the next rotation of 2 keys" in note
        assert {"old-backups", "ledger", "secrets"}.isdisjoint(line[3] for line in lines(pilot))
        assert "warehouse" in {line[3] for line in lines(pilot)}

    drive(make_app(Refusing(demo, before)), script)
