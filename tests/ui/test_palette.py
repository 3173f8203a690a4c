"""The palette finds actions, screens, keys, profiles, Regions and themes; the latest chosen come first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import current_thread
from typing import Any

import pytest
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot

from kms_tui.session import Connection
from kms_tui.ui.app_shell.palette import score_of
from kms_tui.ui.base.host import Host
from kms_tui.ui.signing.signing_form import SigningForm
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled


def found(pilot: Pilot[Any]) -> list[str]:
    """The lines of the palette."""
    options = pilot.app.screen.query_one(CommandList)
    return [str(options.get_option_at_index(index).prompt) for index in range(options.option_count)]


async def look_for(pilot: Pilot[Any], text: str, first: str) -> str:
    """Type into the palette and wait until its first line begins with ``first``."""
    await press(pilot, "colon")
    assert isinstance(pilot.app.screen, CommandPalette)
    pilot.app.screen.query_one("CommandInput").value = text  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        while not (found(pilot) and found(pilot)[0].startswith(first)):
            await pilot.pause(0.02)
    return found(pilot)[0]


def test_a_key_is_found_by_alias_id_and_arn_and_gone_to(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_list = pilot.app.screen.query_one(KeyList)
        row = next(row for row in key_list.rows if "invoices" in row.aliases)
        for text in ("invoic", row.key_id, row.arn, "alias/invoices"):
            assert row.arn in await look_for(pilot, text, "invoices ")
            await press(pilot, "escape")
        await press(pilot, "5")
        await look_for(pilot, "invoices", "invoices ")
        await press(pilot, "down", "enter")
        current = pilot.app.screen.query_one(KeyList).current
        assert current is not None
        assert current.arn == row.arn

    drive(make_app(), script)


def test_actions_have_their_shortcut_and_the_latest_comes_first(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        line = await look_for(pilot, "calendar", "Calendar ")
        assert line.split()[1] == "6"
        await press(pilot, "down", "enter")
        assert pilot.app.current_mode == "calendar"
        await press(pilot, "1")
        await look_for(pilot, "", "Calendar ")

    drive(make_app(), script)


def test_profiles_and_regions_are_opened_from_it(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "aws"
    config.write_text("[profile staging]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    opened: list[Connection] = []

    async def script(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, Host)
        monkeypatch.setattr(pilot.app, "open", opened.append)
        await look_for(pilot, "staging", "Open staging ")
        await press(pilot, "down", "enter")
        assert opened[-1].profile == "staging"

    drive(make_app(), script)


def test_a_region_of_the_partition_is_offered(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Connection] = []

    async def script(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, Host)
        monkeypatch.setattr(pilot.app, "open", opened.append)
        await look_for(pilot, "eu-central-1", "Region eu-central-1 ")
        await press(pilot, "down", "enter")
        assert opened[-1].regions == ("eu-central-1",)

    drive(make_app(), script)


def test_themes_are_chosen_by_name(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await look_for(pilot, "high-contrast", "High-contrast theme ")
        await press(pilot, "down", "enter")
        assert pilot.app.theme == "kms-high-contrast"

    drive(make_app(), script)


@pytest.mark.parametrize(
    ("query", "title", "note", "least", "most"),
    [
        ("disable", "Disable", "", 1, 1),
        ("dis", "Disable", "", 0.9, 0.9),
        ("key rot", "Rotate the key", "", 0.8, 0.8),
        ("able", "Disable", "", 0.6, 0.6),
        ("disablekey", "Disable", "Refuse use (DisableKey)", 0.3, 0.3),
        ("dsb", "Disable", "", 0.1, 0.1),
        ("xyz", "Disable", "", 0, 0),
        ("disable xyz", "Disable", "", 0, 0),
        ("", "Disable", "", 0, 0),
    ],
)
def test_the_title_counts_before_the_note_and_every_word_must_be_there(
    query: str, title: str, note: str, least: float, most: float
) -> None:
    assert least <= score_of(query.split(), title, note) <= most


async def choose_first(pilot: Pilot[Any]) -> None:
    pilot.app.screen.query_one(CommandList).highlighted = 0
    await press(pilot, "down", "up", "enter")


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("csr", "Certificate request (CSR)"),
        ("self-signed", "Self-signed certificate"),
        ("issue", "Issue a certificate"),
        ("crl", "Revocation list (CRL)"),
        ("sign jwt", "Sign a token (JWT)"),
        ("verify token", "Verify a token (JWT)"),
        ("cosign", "Sign a file"),
        ("ssh cert", "SSH certificate"),
        ("public key jwk", "Public key"),
    ],
)
def test_what_a_key_signs_is_found_by_its_name(make_app: MakeApp, words: str, title: str) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "login-tokens")
        await look_for(pilot, words, title)
        await choose_first(pilot)
        form = pilot.app.screen
        assert isinstance(form, SigningForm)
        assert form.dialog_title == f"{title}: login-tokens"

    drive(make_app(), script)


def test_the_palette_says_why_a_key_does_not_sign(make_app: MakeApp) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await look_for(pilot, "csr", "Certificate request")
        await choose_first(pilot)
        assert not isinstance(pilot.app.screen, SigningForm)
        assert "Certificate request (CSR) Its usage is ENCRYPT_DECRYPT" in notifications(app)

    drive(app, script)


def test_what_is_typed_before_all_is_read_is_looked_for(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def slow(_: Host) -> list[tuple[str, str, Connection]]:
        entered.set()
        await released.wait()
        return []

    monkeypatch.setattr("kms_tui.ui.app_shell.connecting.connections", slow)

    async def script(pilot: Pilot[Any]) -> None:
        pilot.app.action_command_palette()
        async with asyncio.timeout(20):
            await entered.wait()
            for typed in ("c", "ca", "calendar"):
                pilot.app.screen.query_one("CommandInput").value = typed  # type: ignore[attr-defined]
                await asyncio.sleep(0.05)
            released.set()
            while not any(line.startswith("Calendar ") for line in found(pilot)):
                await asyncio.sleep(0.02)

    drive(make_app(), script)


def test_what_keys_open_is_imported_once_before_they_ask(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[str] = []
    monkeypatch.setattr("kms_tui.ui.app.import_screens", lambda: imported.append(current_thread().name))
    monkeypatch.setattr("kms_tui.ui.app.gc.freeze", lambda: imported.append("frozen"))
    monkeypatch.setattr("kms_tui.ui.app._STARTED_SECONDS", 0.001)
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        while len(imported) < 2:
            await settled(pilot)
        app.open(app.connection)
        await settled(pilot)
        assert imported == ["kms-tui call", "frozen"]

    drive(app, script)


def test_actions_are_listed_while_profiles_and_regions_are_read(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, listed = asyncio.Event(), asyncio.Event()

    async def no_profiles(_app: Host) -> list[tuple[str, str, Connection]]:
        await read.wait()
        return []

    monkeypatch.setattr("kms_tui.ui.app_shell.connecting.connections", no_profiles)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "colon")
        async with asyncio.timeout(10):
            while not any(line.startswith("Refresh") for line in found(pilot)):
                await pilot.pause(0.02)
        listed.set()
        read.set()

    drive(make_app(), script)
    assert listed.is_set()
