"""What people look at, as pictures; each was looked at before it was accepted (make snapshots)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.metering import Meter
from kms_tui.campaigns.campaign_run import CampaignProgress, CampaignRun
from kms_tui.config import Config
from kms_tui.kms.errors import CredentialsError
from kms_tui.session import Connection, Prompt, Session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.screens.move_screen import MoveScreen
from tests.ui.conftest import MakeApp
from tests.ui.console import go_to, press, settled
from tests.ui.test_calendar import CALENDAR
from tests.ui.test_campaign import Faults, Faulty, until
from tests.ui.test_changes import QUICK, change_some, compare_with, write_facts
from tests.ui.test_explain import denial, paste
from tests.ui.test_move import plan, screen, text

SnapCompare = Callable[..., bool]
NARROW, WIDE = (80, 24), (160, 48)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])

# Picture -> the alias under the cursor, and the keys pressed then.
PICTURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "keys": ("chat-archive", ()),
    "aws-managed": ("chat-archive", ("W",)),
    "filter": ("orders-db", ("slash", *"state:disabled")),
    "menu": ("orders-db", ("m",)),
    "schedule-deletion": ("orders-db", ("D",)),
    "move-off": ("s3-logs", ("Q",)),
    "move-plan": ("s3-logs", ("Q", *"sandbox", "minus", *"old", "enter", "down")),
    "used-by": ("orders-db", ("b",)),
    "names": ("orders-db", ("enter", "right_square_bracket", "right_square_bracket")),
    "rotation": ("orders-db", ("o",)),
    "new-key": ("orders-db", ("n",)),
    "new-key-spec": ("orders-db", ("n", *["down"] * 3, "enter")),
    "copy": ("orders-db", ("c",)),
    "sign": ("login-tokens", ("C",)),
    "sign-certificate": ("login-tokens", ("C", "down", "enter", *"CN=Tokens")),
    "sign-token": ("login-tokens", ("C", *["down"] * 5, "enter")),
    "verify-token": (
        "login-tokens",
        ("C", *["down"] * 6, "enter", *"eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjF9.AAAA", "ctrl+s"),
    ),
    "activity": ("customer-pii", ("enter", "left_square_bracket", "tab", *["down"] * 4)),
    "watch": ("chat-archive", ("V",)),
    "aliases": ("orders-db", ("2",)),
    "help": ("orders-db", ("question_mark",)),
    "export": ("orders-db", ("w",)),
    "cost": ("orders-db", ("space", "dollar_sign")),
    "calendar": ("orders-db", (CALENDAR,)),
    "key-stores": ("orders-db", ("K",)),
    "new-cloud-hsm-store": ("orders-db", ("K", "n", "enter")),
    "new-external-store": ("orders-db", ("K", "n", "down", "enter")),
    "edit-key-store": ("orders-db", ("K", "e")),
    "grants": ("orders-db", ("B",)),
    "health": ("orders-db", ("5",)),
    "health-checks": ("orders-db", ("5", "v")),
}


@pytest.fixture(autouse=True)
def _a_fixed_count_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many reads a resting cursor has begun by the time of the picture is a matter of milliseconds."""
    calls: Counter[str] = Counter({"DescribeKey": 84})
    monkeypatch.setattr(Meter, "total", property(lambda _meter: 84))
    monkeypatch.setattr(Meter, "so_far", lambda _meter: (calls, Counter()))


@SIZES
@pytest.mark.parametrize("picture", PICTURES)
def test_picture(snap_compare: SnapCompare, make_app: MakeApp, picture: str, size: tuple[int, int]) -> None:
    alias, keys = PICTURES[picture]

    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await go_to(pilot, alias)
        await press(pilot, *keys)

    assert snap_compare(make_app(), run_before=before, terminal_size=size)


@SIZES
def test_an_explained_denial(
    snap_compare: SnapCompare, make_app: MakeApp, demo: Backend, size: tuple[int, int]
) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await paste(pilot, denial(demo))
        await press(pilot, "escape")

    assert snap_compare(make_app(), run_before=before, terminal_size=size)


@SIZES
@pytest.mark.parametrize("name", ["before.json", "health.json"])
def test_changed_since(
    snap_compare: SnapCompare,
    make_app: MakeApp,
    demo: Backend,
    size: tuple[int, int],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What has changed since a snapshot, and what a file gets that is none."""
    monkeypatch.chdir(tmp_path)
    write_facts(demo)
    Path("health.json").write_text('{"findings": []}')
    change_some(demo)

    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await compare_with(pilot, name)
        if name == "before.json":
            await press(pilot, "down")

    assert snap_compare(make_app(pace=QUICK), run_before=before, terminal_size=size)


@SIZES
@pytest.mark.parametrize("moment", ["asked", "moving", "moved"])
def test_a_campaign(
    snap_compare: SnapCompare,
    make_app: MakeApp,
    demo: Backend,
    size: tuple[int, int],
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is about to be written, how far it is, and what has become of it."""
    faults, let_go = Faults(), threading.Event()

    def hold(operation: str, params: Mapping[str, Any]) -> None:
        if moment == "moving" and operation == "UpdateSecret":
            assert let_go.wait(20)

    faults.before = hold
    app = make_app(Faulty(demo, faults), allow_service_writes=True)

    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await plan(pilot, "orders-db", "customer-p")
        await press(pilot, "ctrl+o")
        if moment != "asked":
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, MoveScreen))
        if moment == "moving":
            await until(pilot, lambda: "Moving 2 of 6" in text(pilot, "stages"))
            progress = CampaignProgress(2, 6, "Secrets Manager secrets: prod/orders/db", 95.0)
            monkeypatch.setattr(CampaignRun, "progress", lambda _run: progress)
            screen(pilot)._show_run()
            await pilot.pause()
        elif moment == "moved":
            await settled(pilot)
            app.clear_notifications()
            await press(pilot, "down", "down", "down")

    try:
        assert snap_compare(app, run_before=before, terminal_size=size)
    finally:
        let_go.set()


def test_details_on_a_narrow_terminal(snap_compare: SnapCompare, make_app: MakeApp) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await go_to(pilot, "ledger")
        await press(pilot, "enter", "right_square_bracket", "right_square_bracket", "right_square_bracket")

    assert snap_compare(make_app(), run_before=before, terminal_size=NARROW)


def test_light(snap_compare: SnapCompare, make_app: MakeApp) -> None:
    app = make_app(config=Config(theme="kms-light"))
    assert snap_compare(app, run_before=settled, terminal_size=WIDE)


def test_log(snap_compare: SnapCompare, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await go_to(pilot, "old-backups")
        await press(pilot, "U")
        pilot.app.clear_notifications()
        assert isinstance(pilot.app, KmsApp)
        assert pilot.app.session is not None
        pilot.app.session.meter.calls.clear()
        pilot.app.session.meter.calls.update(DescribeKey=99)
        monkeypatch.setattr(pilot.app.session.meter, "count", lambda *_, **__: None)
        await press(pilot, "exclamation_mark")

    assert snap_compare(make_app(), run_before=before, terminal_size=WIDE)


@SIZES
def test_start_page(
    snap_compare: SnapCompare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile prod]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 111122223333\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def opener(_connection: Connection, _prompt: Prompt) -> Session:
        raise CredentialsError(
            "The SSO session of the profile prod has expired.", login_command="aws sso login --profile prod"
        )

    app = KmsApp(opener, Connection(None, profile="prod"))
    assert snap_compare(app, run_before=settled, terminal_size=size)
