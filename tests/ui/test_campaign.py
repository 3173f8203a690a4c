"""A plan to move everything off a key, carried out from its screen: previewed, refused, stopped, resumed."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, OptionList, Static

from kms_tui.backend.base import Backend, KnowsServices, OffersWrites, Services, Wrapper
from kms_tui.campaigns.campaign import Campaign, CampaignHead, CampaignItem, ItemState
from kms_tui.campaigns.campaign_formats import WRITERS
from kms_tui.campaigns.journal import CampaignFiles
from kms_tui.config import ProfileSettings
from kms_tui.demo.demo_account import ACCOUNT_ID, REGION
from kms_tui.evidence.scan_task import Use
from kms_tui.kms.errors import CredentialsError, ServiceError
from kms_tui.kms.operations import may_write
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.actions.undo_actions import ConfirmUndo
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.screens import move_screen
from kms_tui.ui.screens.campaign_begin import Preparation, prepare
from kms_tui.ui.screens.campaign_dialogs import CarryOutDialog, LaterUsesDialog
from kms_tui.ui.screens.keys_screen import KeysScreen
from kms_tui.ui.screens.move_screen import MoveScreen
from kms_tui.ui.widgets.line_table import LineTable
from tests.demo_copies import demo_copy
from tests.ui.conftest import NOW, MakeApp, fixed_now
from tests.ui.console import drive, go_to, notifications, press, settled, state_of
from tests.ui.test_accounts import console
from tests.ui.test_exporting import write_to
from tests.ui.test_hostile_text import screen_text
from tests.ui.test_many_keys import key_id
from tests.ui.test_move import plan, rows, screen, text
from tests.unit.evidence.world import arn_of

IN_PLACE = {
    "acme-orders-snapshots": "aws s3api put-bucket-encryption",
    "prod/orders/db": "aws secretsmanager update-secret",
    "order-intake": "aws lambda update-function-configuration",
    "order-events-dead": "aws sqs set-queue-attributes",
    "order-placed": "aws sns set-topic-attributes",
}
"""What of the demo names orders-db and is moved in place, in its order, and the command that does it."""

Hook = Callable[[str, Mapping[str, Any]], None]


def _nothing(operation: str, params: Mapping[str, Any]) -> None:
    """The hook where no fault is on order."""


@dataclass
class Faults:
    """What is sent to the services, and what a test orders of them before a write is done."""

    writes: list[str] = field(default_factory=list)
    before: Hook = _nothing


class FaultyServices:
    """Services that note their writes."""

    def __init__(self, inner: Services, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    @property
    def region(self) -> str:
        return self._inner.region

    def offers(self, service: str) -> bool:
        return self._inner.offers(service)

    def in_region(self, region: str) -> FaultyServices:
        return FaultyServices(self._inner.in_region(region), self._faults)

    def writing(self) -> FaultyServices:
        assert isinstance(self._inner, OffersWrites)
        return FaultyServices(self._inner.writing(), self._faults)

    def event_groups(self, *args: Any) -> Any:
        return self._inner.event_groups(*args)  # type: ignore[attr-defined]

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if may_write(service, operation):
            self._faults.before(operation, params)
            self._faults.writes.append(operation)
        return self._inner.call(service, operation, params)


class Faulty(Wrapper):
    """The demo with services that note their writes."""

    def __init__(self, inner: Backend, faults: Faults) -> None:
        super().__init__(inner)
        self._faults = faults
        assert isinstance(inner, KnowsServices)
        self.services = FaultyServices(inner.services, faults)

    def around(self, inner: Backend) -> Faulty:
        return Faulty(inner, self._faults)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.inner.call(operation, params)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def files(tmp_path: Path) -> CampaignFiles:
    """The journals of the demo, where the console of a test keeps them."""
    return CampaignFiles(tmp_path / "passing" / "campaigns")


@pytest.fixture
def app(make_app: MakeApp, demo: Backend, faults: Faults, files: CampaignFiles) -> KmsApp:
    return make_app(Faulty(demo, faults), allow_service_writes=True)


def newest(files: CampaignFiles, demo: Backend, alias: str = "orders-db") -> Campaign:
    campaign = files.newest(arn_of(key_id(demo, alias)))
    assert campaign is not None
    return campaign


def states(campaign: Campaign) -> list[str]:
    return [str(record.state) for record in campaign.records]


def stages(pilot: Pilot[Any]) -> list[str]:
    return text(pilot, "stages").splitlines()


def shown_states(pilot: Pilot[Any]) -> dict[str, str]:
    """Resource -> its STATE."""
    return {row[1]: row[2] for row in rows(pilot) if len(row) > 1}


def dialog(pilot: Pilot[Any]) -> CarryOutDialog:
    assert isinstance(pilot.app.screen, CarryOutDialog)
    return pilot.app.screen


async def carry_out(pilot: Pilot[Any]) -> None:
    """Agree to what the screen is asked to carry out, and wait for the end."""
    await press(pilot, "ctrl+o")
    assert dialog(pilot).query_one("#cancel", Button).has_focus
    await press(pilot, "ctrl+s")


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await pilot.pause(0.01)


def begin(files: CampaignFiles, demo: Backend, *, to: str = "customer-pii") -> Campaign:
    """A campaign of which one queue and one topic are still to be moved."""
    old, new = (arn_of(key_id(demo, alias)) for alias in ("orders-db", to))
    head = CampaignHead("c1", NOW, old, new, frozenset({old, "alias/orders-db"}), ("RDS: 3, by copy.",))
    uses = [Use("SQS queues", "order-events-dead", "alias/orders-db"), Use("SNS topics", "order-placed", old)]
    with files.begin(head, [CampaignItem(ACCOUNT_ID, REGION, use) for use in uses]) as journal:
        return journal.campaign


async def resume(pilot: Pilot[Any]) -> None:
    """Open the unfinished campaign of orders-db."""
    await go_to(pilot, "orders-db")
    await press(pilot, "Q")
    assert isinstance(pilot.app.screen, Choose)
    await press(pilot, "enter")
    assert isinstance(pilot.app.screen, MoveScreen)


def test_the_plan_is_previewed_carried_out_and_told(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles, tmp_path: Path
) -> None:
    new = arn_of(key_id(demo, "customer-pii"))

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        assert "▸ ^o Carry out" in stages(pilot)[0]
        assert "STATE" not in [each.title for each in screen(pilot).query_one(LineTable).columns]
        await press(pilot, "ctrl+o")
        asked = dialog(pilot)
        assert "6 items: KMS grants 1 · S3 buckets 1" in str(asked.query_one("#counts", Static).render())
        assert "RDS instances: 2, by copy" in str(asked.query_one("#left", Static).render())
        table = asked.query_one("#writes", LineTable)
        listed = [tuple(str(cell[0]) for cell in row.cells) for row in table.rows]
        assert [name for name, _ in listed] == ["orders-report", *IN_PLACE]
        assert all(line.startswith(IN_PLACE.get(name, "aws kms create-grant")) for name, line in listed)
        assert all(new in line for _, line in listed)
        asked.query_one("#aliases", Checkbox).value = True
        await settled(pilot)
        assert len(table.rows) == 8
        table.focus()
        await press(pilot, "end", "enter")
        assert isinstance(pilot.app.screen, TextScreen)
        await press(pilot, "escape")
        assert files.newest(arn_of(key_id(demo, "orders-db"))) is None, "nothing happens before the agreement"
        await press(pilot, "ctrl+s")
        assert faults.writes == [
            *("PutBucketEncryption", "UpdateSecret", "UpdateFunctionConfiguration"),
            *("SetQueueAttributes", "SetTopicAttributes"),
        ]
        told = shown_states(pilot)
        assert {name: told[name] for name in IN_PLACE} == dict.fromkeys(IN_PLACE, "✓ moved")
        assert told["alias/orders-db"] == "✓ moved"
        assert told["orders-writer"] == "by the script"
        assert "✓ Carry out 8/8" in stages(pilot)[0]
        assert "8 moved." in notifications(app)
        assert isinstance(demo, KnowsServices)
        secret = demo.services.call("secretsmanager", "DescribeSecret", {"SecretId": "prod/orders/db"})
        assert secret["KmsKeyId"] == new
        assert key_id(demo, "orders-db") == key_id(demo, "customer-pii"), "the alias is repointed"
        await press(pilot, "w", "down", "enter")
        await write_to(pilot, tmp_path / "evidence.json")
        await press(pilot, "w", "down", "enter")
        await write_to(pilot, tmp_path / "evidence.md")

    old = arn_of(key_id(demo, "orders-db"))
    drive(app, script)
    campaign = files.newest(old)
    assert campaign is not None
    assert states(campaign) == ["moved"] * 8
    assert json.loads((tmp_path / "evidence.json").read_text())["counts"] == {"moved": 8}
    assert (tmp_path / "evidence.md").read_text() == WRITERS["md"](campaign)


def test_without_the_permission_nothing_is_asked(
    make_app: MakeApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    app = make_app(Faulty(demo, faults))

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        await press(pilot, "ctrl+o")
        assert isinstance(pilot.app.screen, MoveScreen)
        said = notifications(app)
        assert "Writes to other services than KMS are not allowed in 111122223333." in said
        assert "--allow-service-writes" in said

    drive(app, script)
    assert faults.writes == []
    assert files.newest(arn_of(key_id(demo, "orders-db"))) is None


def test_a_read_only_session_writes_nothing_whatever_key_is_pressed(
    make_app: MakeApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    begin(files, demo)
    app = make_app(Faulty(demo, faults), allow_service_writes=True, read_only=True)

    async def script(pilot: Pilot[Any]) -> None:
        await resume(pilot)
        assert stages(pilot)[0].startswith("✓ Plan  · Carry out 0/2  · r Rescan")
        assert "▸" not in stages(pilot)[0]
        for key, title in (
            ("ctrl+o", "Carry out"),
            ("X", "Disable"),
            ("x", "Enable"),
            ("D", "Schedule deletion"),
            ("U", "Cancel deletion"),
        ):
            await press(pilot, key)
            assert isinstance(pilot.app.screen, MoveScreen), key
            assert f"{title} is refused: this session is read-only." in notifications(app)
        assert "This session is read-only: it plans and looks, and moves nothing." in stages(pilot)[1]
        await screen(pilot)._carry_out()
        await settled(pilot)
        assert "The move was not sent: this session is read-only." in notifications(app)

    drive(app, script)
    assert faults.writes == []
    assert states(newest(files, demo)) == ["waiting", "waiting"]
    assert state_of(demo, key_id(demo, "orders-db")) == "Enabled"


def test_a_read_only_account_among_others_is_not_written_to(files: CampaignFiles) -> None:
    backend = demo_copy(NOW, other_accounts=True)
    settings = {"payments": ProfileSettings(read_only=True)}
    app = console(backend, settings=settings)

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "ledger")
        await press(pilot, "ctrl+o")
        assert isinstance(pilot.app.screen, MoveScreen)
        assert "was not sent: payments 111122223333 is read-only." in notifications(app)

    drive(app, script)


def test_a_key_that_has_only_grants_is_not_made_anew_without_the_permission(
    make_app: MakeApp, demo: Backend, files: CampaignFiles
) -> None:
    old = str(demo.call("CreateKey", {})["KeyMetadata"]["Arn"])
    demo.call("CreateAlias", {"AliasName": "alias/only-grants", "TargetKeyId": old})
    grantee = f"arn:aws:iam::{ACCOUNT_ID}:role/only-grants"
    demo.call("CreateGrant", {"KeyId": old, "GranteePrincipal": grantee, "Operations": ["Decrypt"]})
    app = make_app()
    held = demo.call("ListKeys", {"Limit": 1000})["Keys"]

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "only-grants", "a new key")
        await press(pilot, "ctrl+o")
        assert isinstance(pilot.app.screen, MoveScreen)
        assert "Writes to other services than KMS are not allowed in 111122223333." in notifications(app)

    drive(app, script)
    assert demo.call("ListKeys", {"Limit": 1000})["Keys"] == held
    assert files.newest(old) is None


def test_what_is_in_the_way_must_be_said_to_be_gone(app: KmsApp, demo: Backend, faults: Faults) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "s3-logs", "sandbox-old")
        await press(pilot, "ctrl+o")
        assert isinstance(pilot.app.screen, MoveScreen), "the destination is disabled"
        assert "The new key is Disabled: nothing can be moved to it. Enable it first." in notifications(app)
        demo.call("EnableKey", {"KeyId": key_id(demo, "sandbox-old")})
        await press(pilot, "r", "ctrl+o")
        assert "✗ In the way: " in screen_text(app)
        await press(pilot, "ctrl+s")
        error = dialog(pilot).query_one("#dialog-error", Static)
        assert "Say first that it was removed" in str(error.render())
        assert faults.writes == []
        dialog(pilot).query_one("#despite", Checkbox).value = True
        await press(pilot, "ctrl+s")
        assert faults.writes != []

    drive(app, script)


def test_a_protected_key_asks_for_its_name(demo: Backend, faults: Faults, files: CampaignFiles) -> None:
    settings = ProfileSettings(protected=("customer-*",))

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        return open_session(connection, Faulty(demo, faults), settings, now=fixed_now)

    app = KmsApp(opener, Connection(BackendKind.DEMO, allow_service_writes=True))

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        await press(pilot, "ctrl+o")
        assert isinstance(pilot.app.screen, Confirm)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, MoveScreen)
        assert faults.writes == []

    drive(app, script)


def test_a_scan_that_is_begun_while_the_campaign_is_prepared_comes_first(
    app: KmsApp, demo: Backend, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def slow(*args: Any) -> Preparation:
        assert let_go.wait(20)
        return prepare(*args)

    monkeypatch.setattr(move_screen, "prepare", slow)

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        await pilot.press("ctrl+o", "r")
        let_go.set()
        await settled(pilot)
        assert isinstance(pilot.app.screen, MoveScreen)
        assert "Another scan was begun meanwhile" in notifications(app)
        assert "▸ ^o Carry out" in stages(pilot)[0]

    drive(app, script)
    assert faults.writes == []


@contextmanager
def held(faults: Faults, resource: str) -> Iterator[threading.Event]:
    """Hold the write of a resource until the event is set."""
    let_go = threading.Event()

    def hold(operation: str, params: Mapping[str, Any]) -> None:
        if resource in params.values():
            assert let_go.wait(20)

    faults.before = hold
    try:
        yield let_go
    finally:
        let_go.set()
        faults.before = _nothing


def test_it_stops_between_two_items_and_goes_on(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        await press(pilot, "ctrl+o")
        with held(faults, "prod/orders/db") as let_go:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, MoveScreen))
            await until(
                pilot,
                lambda: "Moving 2 of 6 · Secrets Manager secrets: prod/orders/db" in text(pilot, "stages"),
            )
            assert "… Carry out 2/6" in stages(pilot)[0]
            assert "esc stops after the item in hand" in stages(pilot)[2]
            told = shown_states(pilot)
            assert told["acme-orders-snapshots"] == "✓ moved"
            assert told["prod/orders/db"] == "▸ begun"
            assert told["order-intake"] == "waiting"
            await until(pilot, lambda: "✓ moved" in text(pilot, "facts"))
            await pilot.press("r")
            assert "The campaign is being carried out" in notifications(app)
            await pilot.press("escape")
            assert "Stopping after the item in hand" in stages(pilot)[1]
            let_go.set()
            await settled(pilot)
        assert "Stopped between two items: 3 moved, 3 waiting." in notifications(app).replace(
            "3 waiting, 3 moved", "3 moved, 3 waiting"
        )
        assert "Next: ^o goes on with the 3 items that wait." in stages(pilot)[1]
        await carry_out(pilot)
        assert "✓ Carry out 6/6" in stages(pilot)[0]

    drive(app, script)
    assert states(newest(files, demo)) == ["moved"] * 6
    assert len(faults.writes) == 5


def test_the_screen_is_left_while_it_goes_on_and_found_again(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        await press(pilot, "ctrl+o")
        with held(faults, "prod/orders/db") as let_go:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, MoveScreen))
            await pilot.press("q")
            assert isinstance(app.screen, KeysScreen)
            await until(pilot, lambda: "moving 2/6" in str(app.screen.query_one("#limits", Static).render()))
            await pilot.press("Q")
            await until(
                pilot, lambda: isinstance(app.screen, MoveScreen) and "Moving 2 of 6" in text(pilot, "stages")
            )
            let_go.set()
            await settled(pilot)
        assert "✓ Carry out 6/6" in stages(pilot)[0]
        assert "6 moved." in notifications(app)

    drive(app, script)
    assert states(newest(files, demo)) == ["moved"] * 6


def test_who_quits_leaves_the_rest_to_the_journal(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    begun = threading.Event()

    def hold(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "UpdateSecret":
            begun.set()
            while next(iter(app.background.values())).status != "stopping":
                time.sleep(0.01)

    faults.before = hold

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        await press(pilot, "ctrl+o")
        await pilot.press("ctrl+s")
        await until(pilot, begun.is_set)
        app.exit()

    drive(app, script)
    campaign = newest(files, demo)
    assert states(campaign)[:3] == ["moved", "moved", "moved"]
    assert states(campaign)[3:] == ["waiting"] * 3
    files.resume(campaign.head.old).close()


def test_an_unfinished_campaign_is_offered_and_needs_no_scan(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    begin(files, demo)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "Q")
        lines = [str(option.prompt) for option in pilot.app.screen.query_one(OptionList).options]
        assert lines[0] == "Go on with it: to customer-pii, 2 waiting"
        assert lines[1].startswith("Plan again")
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, KeysScreen)
        await resume(pilot)
        assert text(pilot, "head").splitlines()[1].startswith("A campaign, begun 2026-11-20")
        assert rows(pilot)[1][:3] == ("SQS queues", "order-events-dead", "waiting")
        assert ("· RDS: 3, by copy.",) in rows(pilot)
        await carry_out(pilot)
        assert faults.writes == ["SetQueueAttributes", "SetTopicAttributes"]
        assert "✓ Carry out 2/2" in stages(pilot)[0]
        await press(pilot, "c")
        assert pilot.app.clipboard.startswith("aws sqs set-queue-attributes")

    drive(app, script)
    assert states(newest(files, demo)) == ["moved"] * 2


def test_planning_again_adds_to_an_unfinished_campaign(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    begin(files, demo)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "Q", "down", "enter")
        told = shown_states(pilot)
        assert told["order-events-dead"] == "waiting"
        assert told["prod/orders/db"] == "to do"
        await carry_out(pilot)
        assert "✓ Carry out 6/6" in stages(pilot)[0]
        await press(pilot, "ctrl+o")
        dialog(pilot).query_one("#aliases", Checkbox).value = True
        await press(pilot, "ctrl+s")
        assert "✓ Carry out 8/8" in stages(pilot)[0]
        await press(pilot, "ctrl+o")
        assert "Nothing is left to carry out." in notifications(app)

    drive(app, script)


def test_what_fails_is_shown_first_and_tried_again(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "UpdateSecret":
            raise ServiceError("AccessDeniedException", "no \x1b]52;c;x", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        faults.before = refuse
        await carry_out(pilot)
        assert rows(pilot)[:2] == [
            ("Failed  1",),
            (
                "Secrets Manager secrets",
                "prod/orders/db",
                "✗ failed",
                "in place",
                "needs old key",
                "as alias/orders-db",
            ),
        ]
        assert "1 failed" in notifications(app)
        assert "AccessDeniedException" in text(pilot, "facts") or "no ␛" in text(pilot, "facts")
        assert "\x1b" not in screen_text(app)
        assert "tries again what failed (1)" in stages(pilot)[1]
        faults.before = _nothing
        await carry_out(pilot)
        assert shown_states(pilot)["prod/orders/db"] == "✓ moved"
        assert "Failed" not in str(rows(pilot)[0])

    drive(app, script)
    assert states(newest(files, demo)) == ["moved"] * 6


def test_what_would_fail_for_all_stops_the_run_and_says_why(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    def expire(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "UpdateSecret":
            raise CredentialsError("The session has expired.", login_command="aws sso login")

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        faults.before = expire
        await carry_out(pilot)
        assert "Stopped: The session has expired." in notifications(app)
        assert "▸ ^o Carry out 2/6" in stages(pilot)[0]

    drive(app, script)
    assert states(newest(files, demo)) == [*["moved"] * 2, "failed", *["waiting"] * 3]


def test_a_broken_journal_keeps_nobody_from_planning(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    begin(files, demo)
    path = files.newest_path(arn_of(key_id(demo, "orders-db")))
    assert path is not None
    path.write_text("{}\n")

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        assert "is no line of a journal" in notifications(app)
        await press(pilot, "ctrl+o")
        assert isinstance(pilot.app.screen, MoveScreen)
        assert "move it away to begin anew" in notifications(app)

    drive(app, script)
    assert faults.writes == []


def test_a_campaign_that_another_process_carries_out_is_let_be(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    begin(files, demo)

    async def script(pilot: Pilot[Any]) -> None:
        await resume(pilot)
        with files.resume(arn_of(key_id(demo, "orders-db"))):
            await press(pilot, "ctrl+o")
            assert isinstance(pilot.app.screen, MoveScreen)
            said = notifications(app)
            assert "Another kms-tui is carrying out a campaign of this key." in said
            assert "Wait until it ends, or stop it there." in said
        await press(pilot, "ctrl+o")
        dialog(pilot)
        await press(pilot, "escape")
        files.resume(arn_of(key_id(demo, "orders-db"))).close()  # the question held it, and gave it back

    drive(app, script)
    assert faults.writes == []


def test_the_stages_go_on_to_the_deletion_and_back(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles
) -> None:
    old = key_id(demo, "s3-logs")

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "s3-logs", "orders-db")
        await press(pilot, "ctrl+o")
        for box in dialog(pilot).query("#despite").results(Checkbox):
            box.value = True
        await press(pilot, "ctrl+s")
        assert "▸ r Rescan" in stages(pilot)[0]
        await press(pilot, "r")
        found = newest(files, demo, "s3-logs").notes[-1].words
        assert found.startswith("Rescan: ")
        await press(pilot, "u")
        assert isinstance(pilot.app.screen, LaterUsesDialog)
        await press(pilot, "escape")
        assert newest(files, demo, "s3-logs").notes[-1].words.startswith("Uses by CloudTrail: ")
        await press(pilot, "X", "y")
        assert state_of(demo, old) == "Disabled"
        assert "Disabled: 0 refused" in stages(pilot)[0]
        with pytest.raises(ServiceError, match="is disabled"):
            demo.call("Encrypt", {"KeyId": old, "Plaintext": b"x"})
        app.poll_refused_uses()
        await settled(pilot)
        assert "✗ Disabled: 1 refused" in stages(pilot)[0]
        assert "1 use refused" in stages(pilot)[1]
        assert "was refused its use" in notifications(app)
        await press(pilot, "x", "y")
        assert state_of(demo, old) == "Enabled"
        assert [note.words for note in newest(files, demo, "s3-logs").notes[-2:]] == [
            "Disable: the old key is Disabled now.",
            "Enable: the old key is Enabled now.",
        ]
        await press(pilot, "D")
        await press(pilot, *"s3-logs", "enter")
        assert state_of(demo, old) == "PendingDeletion"
        assert "✗ Schedule deletion" in stages(pilot)[0], "its alias is not repointed"
        assert "is scheduled, and 1 alias still names the old key. Way back: U" in stages(pilot)[1]
        await press(pilot, "U", "y")
        assert state_of(demo, old) == "Disabled"

    drive(app, script)


def test_a_campaign_is_given_up(app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles) -> None:
    begin(files, demo)

    async def script(pilot: Pilot[Any]) -> None:
        await resume(pilot)
        await press(pilot, "Z")
        assert "2 items are left, and stay" in screen_text(app)
        await press(pilot, "escape")
        assert not newest(files, demo).given_up
        await press(pilot, "Z", "y")
        assert newest(files, demo).given_up
        assert isinstance(pilot.app.screen, KeysScreen)
        await press(pilot, "Q")
        assert not isinstance(pilot.app.screen, Choose), "there is nothing to go on with"

    drive(app, script)
    assert faults.writes == []


def test_a_new_key_is_made_first(app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "a new key")
        await press(pilot, "ctrl+o")
        table = dialog(pilot).query_one("#writes", LineTable)
        made, rotated, *moved = [str(row.cells[1][0]) for row in table.rows]
        assert made.startswith("aws kms create-key ")
        assert rotated.startswith("aws kms enable-key-rotation ")
        assert all(":key/NEW_KEY" in line for line in (rotated, *moved))
        await press(pilot, "ctrl+s")
        made = newest(files, demo).head.new
        assert made.endswith(text(pilot, "head").splitlines()[0].split()[-1])
        assert state_of(demo, made) == "Enabled"
        assert shown_states(pilot)["prod/orders/db"] == "✓ moved"

    drive(app, script)
    assert ItemState.FAILED not in newest(files, demo).counts


def test_a_new_key_whose_making_fails_half_way_is_gone_on_with(
    app: KmsApp, demo: Backend, faults: Faults, files: CampaignFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = demo.call

    def fails(operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "EnableKeyRotation":
            raise CredentialsError("The token has expired.")
        return call(operation, params)

    monkeypatch.setattr(demo, "call", fails)

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "a new key")
        await press(pilot, "ctrl+o", "ctrl+s")
        said = str(dialog(pilot).query_one("#dialog-error", Static).render())
        assert "was made, and EnableKeyRotation failed" in said
        assert "then go on with the campaign" in " ".join(said.split())
        await press(pilot, "escape")
        assert "Next: ^o goes on with the 6 items that wait." in stages(pilot)[1]
        assert newest(files, demo).head.new.rpartition("/")[2] in text(pilot, "head")
        await carry_out(pilot)
        assert "✓ Carry out 6/6" in stages(pilot)[0]

    drive(app, script)


def test_a_plan_to_another_key_than_an_unfinished_campaigns_says_so(
    app: KmsApp, demo: Backend, files: CampaignFiles
) -> None:
    begin(files, demo)

    async def script(pilot: Pilot[Any]) -> None:
        old, other = (arn_of(key_id(demo, alias)) for alias in ("orders-db", "sandbox"))
        app.open_screen("move", old, other)
        await settled(pilot)
        assert "An unfinished campaign moves it to customer-pii: r plans for that." in notifications(app)
        await press(pilot, "r")
        assert "customer-pii" in text(pilot, "head").splitlines()[0]

    drive(app, script)


def test_it_fits_a_small_terminal(app: KmsApp, demo: Backend, files: CampaignFiles) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "customer-p")
        await carry_out(pilot)
        pilot.app.clear_notifications()
        on_screen = screen_text(app)
        assert all(each in on_screen for each in ("STATE", "✓ moved", "✓ Move 6/6", "D Delete: not yet"))
        assert len(stages(pilot)[0]) <= 76

    drive(app, script, size=(80, 24))


def sentences(pilot: Pilot[Any]) -> str:
    """What the dialog says, in one line."""
    return " ".join(str(line.render()) for line in pilot.app.screen.query(".dialog-line").results(Static))


async def question(pilot: Pilot[Any], key: str) -> str:
    """What is asked when a key is pressed, in one line; nothing is agreed to."""
    await press(pilot, key)
    assert isinstance(pilot.app.screen, Dialog)
    asked = sentences(pilot)
    await press(pilot, "escape")
    return asked


def test_the_keys_of_an_unfinished_campaign_are_not_disabled_or_deleted_unwarned(
    app: KmsApp, demo: Backend, files: CampaignFiles
) -> None:
    begun = begin(files, demo)
    said = "everything off orders-db to customer-pii is not finished: 2 items are left."

    async def script(pilot: Pilot[Any]) -> None:
        for alias in ("orders-db", "customer-pii"):
            await go_to(pilot, alias)
            for key in ("X", "D"):
                assert said in await question(pilot, key), (alias, key)
        await go_to(pilot, "secrets")
        assert "campaign" not in await question(pilot, "D")
        for alias in ("orders-db", "secrets"):
            await go_to(pilot, alias)
            await press(pilot, "space")
        for key in ("X", "D"):
            assert said in await question(pilot, key), key
        with files.resume(begun.head.old) as journal:
            journal.give_up(NOW)
        assert "campaign" not in await question(pilot, "X")
        journal.path.write_text("{}\n")
        assert "Whether a campaign is unfinished is not known: " in await question(pilot, "X")

    drive(app, script)
    assert state_of(demo, begun.head.old) == state_of(demo, begun.head.new) == "Enabled"


def test_a_campaign_of_marked_keys_that_are_left_out_is_not_warned_of(
    app: KmsApp, demo: Backend, files: CampaignFiles
) -> None:
    begin(files, demo)
    demo.call("DisableKey", {"KeyId": key_id(demo, "orders-db")})
    demo.call("ScheduleKeyDeletion", {"KeyId": key_id(demo, "customer-pii")})

    async def script(pilot: Pilot[Any]) -> None:
        for alias in ("customer-pii", "secrets", "sandbox"):
            await go_to(pilot, alias)
            await press(pilot, "space")
        for key in ("X", "D"):
            assert "campaign" not in await question(pilot, key), key
        await go_to(pilot, "orders-db")
        await press(pilot, "space")
        assert "campaign" not in await question(pilot, "X")
        assert "is not finished: 2 items are left." in await question(pilot, "D")

    drive(app, script)


def test_the_warning_leaves_room_for_what_is_typed_and_for_the_buttons(
    app: KmsApp, demo: Backend, files: CampaignFiles
) -> None:
    begin(files, demo)

    async def script(pilot: Pilot[Any]) -> None:
        for alias in ("chat-archive", "customer-pii", "orders-db"):
            await go_to(pilot, alias)
            await press(pilot, "space")
        await press(pilot, "D", *"wrong", "enter")
        dialog = pilot.app.screen
        assert "is not finished: 2 items are left." in sentences(pilot)
        for name in ("#typed-phrase", "#dialog-error", "#confirm", "#dialog-keys"):
            region = dialog.query_one(name).region
            assert 0 < region.height <= region.bottom <= pilot.app.size.height, name
        assert dialog.query_one("#dialog").max_scroll_y == 0

    drive(app, script, size=(80, 24))


def test_undo_leaves_what_a_campaign_did(app: KmsApp, demo: Backend, files: CampaignFiles) -> None:
    old, sandbox = arn_of(key_id(demo, "orders-db")), key_id(demo, "sandbox")

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "X", "y")
        await plan(pilot, "orders-db", "a new key")
        await press(pilot, "ctrl+o")
        dialog(pilot).query_one("#aliases", Checkbox).value = True
        await press(pilot, "ctrl+s", "ctrl+z")
        assert isinstance(pilot.app.screen, ConfirmUndo)
        assert "aws kms enable-key " in sentences(pilot)
        assert "Stays as it is: UpdateAlias of alias/orders-db (a campaign did it, as" in sentences(pilot)
        await press(pilot, "y", "ctrl+z")
        said = notifications(app)
        assert "Nothing to undo" in said
        assert "a campaign did it" in said

    drive(app, script)
    campaign = files.newest(old)
    assert campaign is not None
    made = campaign.head.new
    assert state_of(demo, sandbox) == state_of(demo, made) == "Enabled"
    assert key_id(demo, "orders-db") == made.rpartition("/")[2]
