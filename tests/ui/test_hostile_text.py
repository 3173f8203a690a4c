"""Text that others wrote reaches the terminal as text: no markup, no action, no control codes."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.ui.app import KmsApp
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press, settled

pytestmark = pytest.mark.painted

HOSTILE = "[/b][@click=app.quit]x[/] \x1b]52;c;aGk=\x07\x1b[31m \x9b31m \u202eevil [$error]"


@pytest.fixture
def hostile(demo: Backend) -> Backend:
    """The demo, with a hostile description, tags and a policy on the key ``sandbox``."""
    key_id = demo.call("DescribeKey", {"KeyId": "alias/sandbox"})["KeyMetadata"]["KeyId"]
    demo.call("UpdateKeyDescription", {"KeyId": key_id, "Description": HOSTILE})
    demo.call(
        "TagResource", {"KeyId": key_id, "Tags": [{"TagKey": "x", "TagValue": "[/b][@click=app.quit]"}]}
    )
    return demo


def screen_text(app: KmsApp) -> str:
    """Every character that the compositor would write, whatever its style."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


def assert_harmless(app: KmsApp) -> None:
    text = screen_text(app)
    assert not [character for character in text if character != "\n" and not character.isprintable()]
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            meta = segment.style.meta if segment.style else {}
            assert "app.quit" not in str(meta.get("@click", "")), segment


def test_list_and_details_show_a_hostile_description_as_text(make_app: MakeApp, hostile: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        text = screen_text(pilot.app)  # type: ignore[arg-type]
        assert "[/b][@click=app.quit]x[/]" in text.replace("\n", "")
        assert "␛]52" in text
        assert "\\x9b31m" in text
        assert_harmless(pilot.app)  # type: ignore[arg-type]

    drive(make_app(hostile), script)


@pytest.mark.parametrize("tab", ["Policy", "Names", "Rotation", "Grants and uses"])
def test_every_tab_is_harmless(make_app: MakeApp, hostile: Backend, tab: str) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        pilot.app.screen.query_one(KeyDetails).open_tab(tab)
        await settled(pilot)
        assert_harmless(pilot.app)  # type: ignore[arg-type]

    drive(make_app(hostile), script)


@pytest.mark.parametrize("key", ["i", "t", "c", "y", "m", "question_mark", "colon"])
def test_dialogs_and_the_palette_are_harmless(make_app: MakeApp, hostile: Backend, key: str) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, key)
        assert len(pilot.app.screen_stack) > 1
        assert_harmless(pilot.app)  # type: ignore[arg-type]

    drive(make_app(hostile), script)


def test_a_notification_shows_markup_and_control_codes_as_text(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        pilot.app.notify(HOSTILE, title=HOSTILE)
        await settled(pilot)
        assert "[/b][@click=app.quit]x[/]" in screen_text(pilot.app)  # type: ignore[arg-type]
        assert_harmless(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_a_hostile_description_survives_being_edited(make_app: MakeApp, hostile: Backend) -> None:
    """What is shown in the field is the description made visible; Cancel leaves the real one alone."""

    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "i")
        assert isinstance(pilot.app.screen, Dialog)
        await press(pilot, "escape")
        key = hostile.call("DescribeKey", {"KeyId": key_id})["KeyMetadata"]
        assert key["Description"] == HOSTILE
        assert pilot.app.screen.query_one(KeyList)

    drive(make_app(hostile), script)
