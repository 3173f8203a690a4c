"""Scheduling the deletion of many keys: what is said of them before, what must be typed, and what follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.facts import LOADING, Denied, Fact, Known
from kms_tui.kms.model import Grant, Key, KeyLastUsage, MultiRegion
from kms_tui.ui.actions.deletion_dialogs import ScheduleDeletions
from kms_tui.ui.actions.deletion_facts import KeyUse, use_counts
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, notifications, press, state_of
from tests.ui.test_many_keys import body, mark, table

MARKED = ("sandbox", "partner-exchange", "global-config", "old-backups")


def test_many_are_deleted_after_their_number_was_typed_and_all_come_back_at_once(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        sandbox, partner, config, old = await mark(pilot, *MARKED)
        await press(pilot, "D")
        dialog = pilot.app.screen
        assert isinstance(dialog, ScheduleDeletions)
        assert "4 keys are marked, 1 left out" in body(pilot)
        assert "3 used in the last 90 days · 1 with grants · 1 with replicas" in body(pilot)
        said = table(pilot)
        assert said["partner-exchange"] == "used 21 h ago, 1 grant"
        assert said["global-config"].endswith("replicas in us-east-1")
        assert said["old-backups"] == "left out: its deletion is scheduled already"
        dialog.query_one("#window", Input).value = "7"
        typed = dialog.query_one("#typed-phrase", Input)
        typed.focus()
        typed.value = "delete 4 keys"
        await press(pilot, "enter")
        assert pilot.app.screen is dialog
        assert {state_of(demo, key) for key in (sandbox, partner, config)} == {"Enabled"}
        typed.value = "delete 3 keys"
        await press(pilot, "enter")
        assert set(table(pilot).values()) == {"done"}
        assert state_of(demo, sandbox) == state_of(demo, partner) == "PendingDeletion"
        assert state_of(demo, config) == "PendingReplicaDeletion"
        date = demo.call("DescribeKey", {"KeyId": sandbox})["KeyMetadata"]["DeletionDate"]
        assert date == NOW + timedelta(days=7)
        await press(pilot, "escape")
        assert "3 of 3 done" in notifications(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "ctrl+z", "tab", "enter")
        assert {state_of(demo, key) for key in (sandbox, partner, config)} == {"Enabled"}
        assert state_of(demo, old) == "PendingDeletion"

    drive(make_app(), script)


def test_disabling_and_watching_them_is_offered_instead(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        keys = await mark(pilot, "sandbox", "search-index", "sandbox-old")
        await press(pilot, "D")
        pilot.app.screen.query_one("#disable", Button).press()
        await press(pilot, "escape")
        assert {state_of(demo, key) for key in keys} == {"Disabled"}

    drive(make_app(), script)


def uses(
    usage: Fact[KeyLastUsage] = LOADING,
    grants: Fact[list[Grant]] = Known([]),  # noqa: B008
    regions: tuple[str, ...] = (),
) -> KeyUse:
    multi = MultiRegion(True, "arn", tuple(f"arn:aws:kms:{each}:1:key/mrk" for each in regions))
    key = Key("k", "arn", "1", "CUSTOMER", "Enabled", "", "", "", multi_region=multi if regions else None)
    return KeyUse(usage, grants, Known(key))


DENIED = Denied(ServiceError("AccessDeniedException"))
USED = Known(KeyLastUsage("Decrypt", NOW - timedelta(days=3)))
LONG_AGO = Known(KeyLastUsage("Decrypt", NOW - timedelta(days=400)))
SILENT = Known(KeyLastUsage(tracking_start=NOW - timedelta(days=100)))
GRANTS = Known([Grant("g", "k", "role", ())])


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (uses(USED), "used 3 d ago"),
        (uses(SILENT), "no use seen since 2026-08-12"),
        (uses(Known(KeyLastUsage())), "last use unknown"),
        (uses(DENIED, DENIED), "last use denied, grants denied"),
        (uses(USED, GRANTS, ("us-east-1",)), "used 3 d ago, 1 grant, replicas in us-east-1"),
    ],
)
def test_each_key_says_who_may_miss_it_and_never_that_it_is_unused(one: KeyUse, words: str) -> None:
    assert one.words(NOW) == words


def test_the_numbers_count_only_what_is_known() -> None:
    known = [uses(USED, GRANTS), uses(LONG_AGO), uses(DENIED, Known([]), ("us-east-1",))]
    assert use_counts(known, 5, NOW) == (
        "1 used in the last 90 days · 1 with grants · 1 with replicas · 1 not known whole · reading 3 of 5…"
    )
