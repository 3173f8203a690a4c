"""What keys and calls cost: the sums against the backend's own history, and what is not known said so."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, Static

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.config import Config
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.app import KmsApp
from kms_tui.ui.screens.cost_screen import CostScreen
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press
from tests.ui.test_many_keys import Refusing


def fact(pilot: Pilot[Any], name: str) -> str:
    assert isinstance(pilot.app.screen, CostScreen)
    return str(pilot.app.screen.query_one(f"#cost-{name}", Static).render())


def overview(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#overview-facts", Static).render())


def rotations_read(pilot: Pilot[Any]) -> int:
    app = pilot.app
    assert isinstance(app, KmsApp)
    assert app.session is not None
    return app.session.meter.calls["ListKeyRotations"]


def true_cost(backend: Backend) -> tuple[int, int]:
    """(dollars a month, keys that may have rotated), counted key by key."""
    kms, dollars, rotating = Kms(backend), 0, 0
    for page in kms.key_pages():
        for entry in page:
            key = kms.describe(entry.key_id)
            if key.is_aws_managed or key.state == "PendingDeletion":
                continue
            dollars += 1
            if key.spec == "SYMMETRIC_DEFAULT" and key.origin in ("AWS_KMS", "EXTERNAL"):
                rotating += 1
                dollars += min(2, len(kms.rotations(entry.key_id)))
    return dollars, rotating


def test_rotations_are_read_when_asked_for_and_the_sum_is_then_exact(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    dollars, rotating = true_cost(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        before = rotations_read(pilot)
        await press(pilot, "dollar_sign")
        assert rotations_read(pilot) == before
        assert fact(pilot, "account") == "at least $41.00 a month for 41 keys"
        assert f"{rotating} calls" in fact(pilot, "unknown")
        assert "1 whose deletion is scheduled" in fact(pilot, "pending")
        await press(pilot, "r")
        assert rotations_read(pilot) == before + rotating
        assert fact(pilot, "account") == f"${dollars}.00 a month for 41 keys and {dollars - 41} rotations"
        assert fact(pilot, "unknown") == ""
        await press(pilot, "w")
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / "cost.csv")
        await press(pilot, "ctrl+s")

    drive(make_app(), script)
    rows = list(csv.DictReader((tmp_path / "cost.csv").read_text("utf-8").splitlines()))
    assert sum(float(row["dollars_a_month"]) for row in rows) == dollars
    assert {row["at_least"] for row in rows} == {""}


def test_the_marked_keys_say_what_deleting_them_saves(make_app: MakeApp, demo: Backend) -> None:
    def before(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "ListKeyRotations" and params["KeyId"] == refused:
            raise ServiceError("AccessDeniedException", "no", operation=operation)

    refused = str(demo.call("DescribeKey", {"KeyId": "alias/ledger"})["KeyMetadata"]["KeyId"])

    async def script(pilot: Pilot[Any]) -> None:
        for name in ("ledger", "payments-cards", "login-tokens", "old-backups", "global-config"):
            await go_to(pilot, name)
            await press(pilot, "space")
        await press(pilot, "dollar_sign", "r")
        # ledger 1 and more, payments-cards 3, login-tokens 1, old-backups nothing, global-config 2.
        assert "deleting the 5 keys marked would save at least $7.00 a month" in fact(pilot, "marked")
        assert "1 of them free already; 1 replica not marked" in fact(pilot, "marked")
        assert fact(pilot, "unknown") == "how often 1 key rotated: reading that was refused or failed"
        cells = {row.cells[1][0]: row.cells[2][0] for row in pilot.app.screen.query_one(LineTable).rows}
        assert cells["ledger"] == "at least $1.00"
        assert cells["payments-cards"] == "$3.00"

    drive(make_app(Refusing(demo, before)), script)


def test_a_price_table_of_ones_own_holds_everywhere(make_app: MakeApp) -> None:
    config = Config(prices={"key_month": 2.5, "requests": 1000.0, "date": "2027-01-01"})

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "login-tokens")
        assert "$2.50 a month: 1 key" in overview(pilot)
        await go_to(pilot, "old-backups")
        assert "free while its deletion is scheduled;" in overview(pilot)
        assert "at least $2.50 a month if that is cancelled" in overview(pilot)
        await go_to(pilot, "global-config")
        assert "its replica is charged by itself" in overview(pilot)
        await press(pilot, "dollar_sign")
        assert "at least $102.50 a month" in fact(pilot, "account")
        assert "of 2027-01-01" in fact(pilot, "prices")
        limits = str(pilot.app.screen.query_one("#limits", Static).render())
        assert f"≈ ${int(limits.split()[0]) / 10:,.2f}" in limits

    drive(make_app(config=config), script)


def test_enter_goes_to_the_key_even_where_the_filter_hides_it(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "slash", *"payments", "enter", "dollar_sign")
        table = pilot.app.screen.query_one(LineTable)
        row = next(row for row in table.rows if row.cells[1][0] == "warehouse")
        table.go_to(row.key)
        await press(pilot, "enter")
        current = pilot.app.screen.query_one(KeyList).current
        assert current is not None
        assert current.aliases == ("warehouse",)

    drive(make_app(), script)
