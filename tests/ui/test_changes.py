"""Changed since…: from a snapshot's file to the keys that differ, and what bad files get."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.health.row_judge import RowJudge
from kms_tui.fact_files.fact_collection import FactCollection
from kms_tui.fact_files.fact_file import FactFile
from kms_tui.fact_files.fact_writing import written
from kms_tui.inventory import Inventory, Pace
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.form import Form
from kms_tui.ui.screens.changes_screen import ChangesScreen
from kms_tui.ui.screens.keys_screen import KeysScreen
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, notifications, press, settled
from tests.ui.test_exporting import write_to
from tests.ui.test_many_keys import Refusing, key_id

ROOT = "arn:aws:iam::111122223333:root"
QUICK = Pace(rest=10_000, demand=10_000)
EVERYONE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"},
        ],
    }
)


def facts_of(demo: Backend) -> FactFile:
    """The facts of the demo's keys, as of ten days ago."""
    inventory = Inventory(Kms(demo), judge=RowJudge(), pace=QUICK, now=lambda: NOW)
    inventory.open()
    try:
        return replace(
            FactCollection(inventory, Kms(demo), Kms(demo).in_region_of).run(), time=NOW - timedelta(days=10)
        )
    finally:
        inventory.close()


def write_facts(demo: Backend) -> Path:
    """``before.json`` in the working directory: the demo's account before the test changes it."""
    path = Path("before.json")
    path.write_text("".join(written(facts_of(demo))))
    return path


@pytest.fixture
def earlier(demo: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_facts(demo)


def change_some(demo: Backend) -> None:
    for operation, alias, params in (
        ("ScheduleKeyDeletion", "ledger", {"PendingWindowInDays": 7}),
        ("PutKeyPolicy", "warehouse", {"PolicyName": "default", "Policy": EVERYONE}),
        ("DisableKey", "search-index", {}),
        ("TagResource", "sandbox", {"Tags": [{"TagKey": "team", "TagValue": "\x1b[2Jops"}]}),
    ):
        demo.call(operation, {"KeyId": key_id(demo, alias), **params})


async def compare_with(pilot: Pilot[Any], path: Path | str) -> None:
    await press(pilot, "equals_sign")
    assert isinstance(pilot.app.screen, Form)
    pilot.app.screen.query_one("#path", Input).value = str(path)
    await press(pilot, "ctrl+s")
    await settled(pilot)


def rows(pilot: Pilot[Any]) -> list[tuple[str, ...]]:
    assert isinstance(pilot.app.screen, ChangesScreen)
    shown = pilot.app.screen.query_one(LineTable).rows
    return [tuple(cell if isinstance(cell, str) else cell[0] for cell in row.cells) for row in shown]


def text(pilot: Pilot[Any], name: str) -> str:
    return str(pilot.app.screen.query_one(f"#{name}", Static).render())


def test_what_has_changed_is_listed_the_dangerous_first(
    make_app: MakeApp, demo: Backend, earlier: Path
) -> None:
    change_some(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        assert [row[:3] for row in rows(pilot)] == [
            ("▲ high", "Deletion scheduled", "ledger"),
            ("▲ high", "Policy lets more in", "warehouse"),
            ("◆ medium", "Disabled", "search-index"),
            ("▽ low", "Tags", "sandbox"),
        ]
        head = text(pilot, "changes-head")
        assert head.startswith(
            "▲ 2 high · ◆ 1 medium · ▽ 1 low    54 keys, since 2026-11-10 12:00 UTC (10 d ago)"
        )
        assert head.endswith("before.json")
        assert "is deleted on 2026-11-27" in text(pilot, "changes-detail")
        await press(pilot, "down", "down", "down")
        assert "\x1b" not in text(pilot, "changes-detail")
        assert "ops" in text(pilot, "changes-detail")

    drive(make_app(pace=QUICK), script)


def test_nothing_changed_is_said(make_app: MakeApp, earlier: Path) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        assert rows(pilot) == []
        assert text(pilot, "changes-head").startswith("✓ Nothing has changed")
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, KeysScreen)

    drive(make_app(pace=QUICK), script)


def test_enter_goes_to_the_key_and_the_filter_narrows(
    make_app: MakeApp, demo: Backend, earlier: Path
) -> None:
    change_some(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        await press(pilot, "slash", *"everyone", "enter")
        assert [row[2] for row in rows(pilot)] == ["warehouse"]
        await press(pilot, "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, KeysScreen)
        current = pilot.app.screen.query_one(KeyList).current
        assert current is not None
        assert current.key_id == key_id(demo, "warehouse")

    drive(make_app(pace=QUICK), script)


def test_a_key_that_is_gone_leads_nowhere(make_app: MakeApp, demo: Backend, earlier: Path) -> None:
    shape = json.loads(earlier.read_text())
    gone = dict(shape["keys"][0])
    gone["arn"] = gone["arn"].rpartition("/")[0] + "/11111111-2222-3333-4444-555555555555"
    gone["aliases"] = {"known": ["alias/long-gone"]}
    shape["keys"].append(gone)
    earlier.write_text(json.dumps(shape))

    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        assert [row[:3] for row in rows(pilot)] == [("▲ high", "Key gone", "long-gone")]
        await press(pilot, "enter")
        assert "not there any more" in notifications(pilot.app)  # type: ignore[arg-type]
        assert isinstance(pilot.app.screen, ChangesScreen)

    drive(make_app(pace=QUICK), script)


def test_what_is_denied_now_is_not_known_and_no_change(
    make_app: MakeApp, demo: Backend, earlier: Path
) -> None:
    change_some(demo)

    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "GetKeyPolicy" and params["KeyId"].endswith(key_id(demo, "warehouse")):
            raise ServiceError("AccessDeniedException", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        assert [row[1:3] for row in rows(pilot)][-1] == ("Not compared", "warehouse")
        assert "Policy lets more in" not in {row[1] for row in rows(pilot)}
        assert "? 1 not known" in text(pilot, "changes-head")
        await press(pilot, "end")
        assert "The key policy: denied now" in text(pilot, "changes-detail")

    drive(make_app(backend=Refusing(demo, refuse), pace=QUICK), script)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "could not be read"),
        ("", "the file is empty"),
        ("{}", "no snapshot of kms-tui"),
        ('{"format": "kms-tui snapshot", "version": 7}', "a snapshot of version 7"),
        ("other", "There is nothing to compare"),
    ],
)
def test_a_bad_file_is_told_beside_its_field_and_nothing_is_read(
    make_app: MakeApp, demo: Backend, earlier: Path, content: str | None, sentence: str
) -> None:
    path = Path("given.json")
    if content == "other":
        path.write_text(earlier.read_text().replace("111122223333", "999988887777"))
    elif content is not None:
        path.write_text(content)

    async def script(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, KmsApp)
        assert pilot.app.session is not None
        before = pilot.app.session.meter.total
        await compare_with(pilot, path)
        assert isinstance(pilot.app.screen, Form)
        assert sentence in text(pilot, "path-error")
        assert pilot.app.session.meter.total == before

    drive(make_app(pace=QUICK), script)


def test_many_keys_are_read_when_the_cost_is_agreed_to_and_esc_stops(
    make_app: MakeApp, demo: Backend, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms_tui.ui.screens.changes_screen.ASK_ABOVE", 10)
    change_some(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        assert "The facts of 54 keys are to be read." in text(pilot, "changes-head")
        await press(pilot, "enter")
        await settled(pilot)
        assert len(rows(pilot)) == 4
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, KeysScreen)

    drive(make_app(pace=QUICK), script)


@pytest.mark.parametrize("form", ["md", "json", "csv"])
def test_the_changes_are_written_to_a_file(
    make_app: MakeApp, demo: Backend, earlier: Path, form: str
) -> None:
    change_some(demo)
    target = Path(f"changes.{form}")

    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        await press(pilot, "w")
        await write_to(pilot, target)

    drive(make_app(pace=QUICK), script)
    content = target.read_text("utf-8")
    checks: Mapping[str, Callable[[], int]] = {
        "md": lambda: (
            content.count("\n| high |") + content.count("\n| medium |") + content.count("\n| low |")
        ),
        "json": lambda: len(json.loads(content)["changes"]),
        "csv": lambda: len(list(csv.DictReader(content.splitlines()))),
    }
    assert checks[form]() == 4
    assert "\x1b" not in content


def test_reading_again_shows_what_changed_meanwhile(make_app: MakeApp, demo: Backend, earlier: Path) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await compare_with(pilot, earlier)
        assert rows(pilot) == []
        change_some(demo)
        await press(pilot, "r")
        await settled(pilot)
        assert len(rows(pilot)) == 4

    drive(make_app(pace=QUICK), script)
