"""Secrets stay secret: on the screen, on the clipboard, and in everything that is written about them."""

from __future__ import annotations

import asyncio
import base64
import logging

import pytest
from textual.widgets import Static

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.kms.model import Secret
from kms_tui.ui.scratchpad.output_pane import OutputPane
from kms_tui.ui.scratchpad.secret_area import SecretArea
from tests.ui.conftest import MakeApp
from tests.ui.console import settled
from tests.ui.scratchpad.bench import Bench, choices, drive
from tests.ui.scratchpad.conftest import Clipboard

SECRET = "swordfish-4711"


def sealed(demo: Backend, plaintext: bytes = SECRET.encode()) -> str:
    return base64.b64encode(Kms(demo).encrypt("alias/orders-db", Secret(plaintext)).ciphertext).decode()


async def decrypt(bench: Bench, ciphertext: str) -> None:
    await bench.operation(OperationName.DECRYPT)
    await bench.paste(ciphertext)
    await bench.run()


def test_plaintext_is_dots_until_it_is_asked_for_and_when_the_focus_leaves(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        assert SECRET not in bench.picture()
        await bench.press("v")
        assert SECRET in bench.picture()
        await bench.press("v")
        assert SECRET not in bench.picture()
        await bench.press("v", "tab")
        assert SECRET not in bench.picture()
        await bench.press("v")
        assert SECRET in bench.picture()
        await bench.press("1")
        await bench.press("3")
        assert SECRET not in bench.picture()

    drive(make_app(), script)


def test_a_revealed_secret_is_masked_again_after_a_time(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutputPane, "HIDE_SECONDS", 0.2)

    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        await bench.press("v")
        async with asyncio.timeout(10):
            while not bench.output.is_masked:
                await bench.pilot.pause(0.02)
        await settled(bench.pilot)
        assert SECRET not in bench.picture()

    drive(make_app(), script)


def test_the_palette_and_what_it_can_photograph_show_the_mask(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        await bench.press("v")
        await bench.press("ctrl+p")
        assert SECRET not in bench.app.export_screenshot()
        await bench.press("escape")
        assert SECRET not in bench.app.export_screenshot()

    drive(make_app(), script)


def test_typed_plaintext_is_dots_while_nobody_works_in_it(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SecretArea, "HIDE_SECONDS", 0.3)

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste(SECRET)
        assert SECRET in bench.picture()
        async with asyncio.timeout(10):
            while not bench.source(Role.PLAINTEXT).area.masked:
                await bench.pilot.pause(0.02)
        await settled(bench.pilot)
        assert SECRET not in bench.picture()
        await bench.press("x")
        assert SECRET in bench.picture()
        await bench.press("tab")
        assert SECRET not in bench.picture()
        await bench.press("shift+tab")
        assert SECRET in bench.picture()
        await bench.press("ctrl+p")
        assert SECRET not in bench.app.export_screenshot()

    drive(make_app(), script)


def test_a_secret_output_becomes_an_input_without_being_shown(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        await bench.press("n")
        assert bench.setup.operation.name is OperationName.ENCRYPT
        assert SECRET not in bench.picture()
        assert "hidden, from Decrypt" in bench.picture()
        assert bench.source(Role.PLAINTEXT).area.text == ""
        await bench.pick("invoices")
        await bench.run()
        assert Kms(demo).decrypt(base64.b64decode(bench.shown.replace("\n", ""))).plaintext.reveal() == (
            SECRET.encode()
        )
        await bench.press("escape", "enter", "delete")
        await bench.run()
        assert bench.problems == ["The plaintext is empty. Type or paste it, or name a file."]

    drive(make_app(), script)


def test_a_secret_is_dropped_when_it_is_replaced_or_cleared(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        await bench.press("z")
        assert bench.output.result is None
        assert bench.source(Role.CIPHERTEXT).given is None
        await decrypt(bench, sealed(demo))
        await decrypt(bench, "AAAA")
        assert bench.problems
        assert SECRET not in repr(bench.output.result)

    drive(make_app(), script)


def test_copying_a_secret_clears_the_clipboard_if_it_still_holds_it(
    make_app: MakeApp, demo: Backend, clipboard: Clipboard
) -> None:
    app = make_app()

    async def script(bench: Bench) -> None:
        object.__setattr__(bench.app.config, "clipboard_seconds", 0.2)
        await decrypt(bench, sealed(demo))
        await bench.press("c")
        assert choices(bench)[0].startswith("Plaintext as text")
        await bench.press("enter")
        assert clipboard.copied[0] == SECRET
        assert "cleared" in bench.notifications()
        assert SECRET not in bench.notifications()
        async with asyncio.timeout(10):
            while clipboard.text:
                await bench.pilot.pause(0.02)
        await bench.press("c", "enter")
        clipboard.text = "something else by now"
        await bench.pilot.pause(0.5)
        assert clipboard.text == "something else by now"

    drive(app, script)


def test_copying_through_the_terminal_says_that_it_cannot_be_read_back(
    make_app: MakeApp, demo: Backend, clipboard: Clipboard
) -> None:
    clipboard.works = False

    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        await bench.press("c", "enter")
        assert "cannot be read back" in bench.notifications()

    drive(make_app(), script)


def test_copying_typed_plaintext_clears_the_clipboard_too(make_app: MakeApp, clipboard: Clipboard) -> None:
    async def script(bench: Bench) -> None:
        object.__setattr__(bench.app.config, "clipboard_seconds", 0.2)
        await bench.pick("orders-db")
        await bench.press("enter")
        for key in ("ctrl+c", "ctrl+x"):
            await bench.paste(SECRET)
            bench.source(Role.PLAINTEXT).area.select_all()
            await bench.press(key)
            async with asyncio.timeout(10):
                while not clipboard.copied or clipboard.copied[-1]:
                    await bench.pilot.pause(0.02)
        assert bench.source(Role.PLAINTEXT).area.text == ""
        assert clipboard.copied == [SECRET, "", SECRET, ""]
        clipboard.text = "from the clipboard"
        await bench.press("ctrl+v")
        assert bench.source(Role.PLAINTEXT).area.text == "from the clipboard"

    drive(make_app(), script)


def test_nothing_that_is_written_down_holds_a_secret(
    make_app: MakeApp, demo: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def script(bench: Bench) -> None:
        workers: set[str] = set()
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste(SECRET)
        await bench.pilot.press("ctrl+r")
        workers |= {f"{worker!r} {worker.description}" for worker in bench.app.workers}
        await settled(bench.pilot)
        await bench.press("n", "ctrl+r", "v", "c", "escape", "h")
        written = [
            repr(bench.screen.history),
            " ".join(choices(bench)),
            " ".join(workers),
            bench.notifications(),
            caplog.text,
            repr(bench.app.session),
            repr(bench.output.result),
        ]
        assert not any(SECRET in text for text in written)
        assert [entry.outcome for entry in bench.screen.history.entries] == ["14 bytes", "111 bytes"]

    drive(make_app(), script)


def test_a_crash_prints_no_plaintext(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("a bug")

    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        monkeypatch.setattr("kms_tui.ui.scratchpad.output_pane._verdict", crash)
        await bench.pilot.press("v", "ctrl+r")
        await settled(bench.pilot)

    with pytest.raises(Exception, match="a bug"):
        drive(make_app(), script)
    written = capsys.readouterr()
    assert SECRET not in written.out + written.err


def test_the_output_cannot_be_selected_past_the_clipboards_care(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await decrypt(bench, sealed(demo))
        await bench.press("v")
        assert not any(widget.allow_select for widget in bench.output.view.query(Static))

    drive(make_app(), script)
