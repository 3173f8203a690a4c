"""Signing from the console: the menu of a key, a form with its preview, and what was made."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList, Select, Static, TextArea

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.files.file_verification import read_signature_file, verify_file
from kms_tui.signing.signing_key import open_signing_key
from kms_tui.ui.dialogs.output_screen import OutputScreen
from kms_tui.ui.signing.signing_form import SigningForm
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.test_many_keys import Refusing
from tests.ui.test_under_way import Slow
from tests.unit.signing.judges import NEEDS_OPENSSL, judged


async def open_task(pilot: Pilot[Any], key: str, title: str) -> SigningForm:
    """The form of the task whose title begins so."""
    await go_to(pilot, key)
    await press(pilot, "C")
    options = pilot.app.screen.query_one(OptionList)
    titles = [str(option.prompt) for option in options.options]
    options.highlighted = next(index for index, each in enumerate(titles) if each.startswith(title))
    await press(pilot, "enter")
    assert isinstance(pilot.app.screen, SigningForm)
    return pilot.app.screen


def fill(form: SigningForm, **values: str) -> None:
    for name, value in values.items():
        form.query_one(f"#{name.replace('_', '-')}", Input).value = value


def screen_of(pilot: Pilot[Any]) -> Screen[Any]:
    return pilot.app.screen


def text_of(pilot: Pilot[Any], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector).render())


def test_a_file_is_signed_and_the_signature_written(make_app: MakeApp, demo: Backend, tmp_path: Path) -> None:
    app = tmp_path / "app.tar"
    app.write_bytes(b"release" * 10_000)

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "ci-release-signing", "Sign a file")
        fill(form, file=str(app))
        await settled(pilot)
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, OutputScreen)
        await press(pilot, "w", "ctrl+s")

    drive(make_app(), script)
    key = open_signing_key(Kms(demo), "alias/ci-release-signing")
    given = read_signature_file((tmp_path / "app.tar.sig").read_bytes())
    assert verify_file(io.BytesIO(app.read_bytes()), given, key.public_key).good


@pytest.mark.parametrize("changed", [False, True])
def test_a_signature_is_verified(make_app: MakeApp, demo: Backend, tmp_path: Path, changed: bool) -> None:
    key = open_signing_key(Kms(demo), "alias/ci-release-signing")
    (tmp_path / "app").write_bytes(b"release")
    (tmp_path / "app.sig").write_bytes(
        key.sign_message(b"other" if changed else b"release", key.algorithms[0])
    )

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "ci-release-signing", "Verify a file")
        fill(form, file=str(tmp_path / "app"))
        await settled(pilot)
        assert "app.sig, 13" in str(form.query_one("#preview", Static).render())
        await press(pilot, "ctrl+s")
        assert ("✗ NOT GOOD" if changed else "✓ GOOD") in text_of(pilot, "#dialog-title")

    drive(make_app(), script)


def test_what_is_wrong_stands_beside_the_field_and_nothing_is_signed(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "SSH certificate")
        fill(form, public_key="ssh-ed25519 nonsense ann", principals="ann")
        await press(pilot, "ctrl+s")
        assert "no OpenSSH public key" in text_of(pilot, "#public-key-error")
        fill(form, valid_for="soon")
        await press(pilot, "ctrl+s")
        assert "no span of time" in text_of(pilot, "#valid-for-error")
        assert form.query_one("#principals", Input).value == "ann"
        assert pilot.app.screen is form

    drive(make_app(), script)


def test_a_key_of_another_usage_says_why(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "C")
        assert not isinstance(pilot.app.screen, SigningForm)

    drive(make_app(), script)


@NEEDS_OPENSSL
def test_a_small_ca_from_the_console(make_app: MakeApp, demo: Backend, tmp_path: Path) -> None:
    """A root of the key, a request of another key, a certificate for it and a list of revoked ones."""

    async def save_as(pilot: Pilot[Any], name: str) -> None:
        assert isinstance(pilot.app.screen, OutputScreen)
        output = pilot.app.screen
        await press(pilot, "w")
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / name)
        await press(pilot, "ctrl+s")
        assert str(tmp_path / name) in str(output.query_one("#checks", Static).render())
        await press(pilot, "escape")

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "ci-release-signing", "Self-signed")
        form.query_one("#purpose", Select).value = "ca"
        fill(form, subject="CN=Example CA,O=Example", days="3650")
        await press(pilot, "ctrl+s")
        await save_as(pilot, "ca.pem")
        form = await open_task(pilot, "login-tokens", "Certificate request")
        fill(form, subject="CN=www.example.com", dns="www.example.com")
        await press(pilot, "ctrl+s")
        await save_as(pilot, "web.csr")
        form = await open_task(pilot, "ci-release-signing", "Issue")
        fill(form, request=str(tmp_path / "web.csr"), authority=str(tmp_path / "web.csr"))
        await press(pilot, "ctrl+s")
        assert "certificate" in text_of(pilot, "#authority-error")
        fill(form, authority=str(tmp_path / "ca.pem"), days="99999")
        await press(pilot, "ctrl+s")
        assert "2036" in text_of(pilot, "#days-error")
        fill(form, days="30")
        await settled(pilot)
        assert "its signature verifies" in text_of(pilot, "#preview")
        await press(pilot, "ctrl+s")
        await save_as(pilot, "web.pem")
        form = await open_task(pilot, "ci-release-signing", "Revocation list")
        form.query_one("#revoke", TextArea).text = f"{tmp_path}/web.pem,keyCompromise"
        fill(form, authority=str(tmp_path / "ca.pem"), number="1")
        await press(pilot, "ctrl+s")
        await save_as(pilot, "ca.crl")

    drive(make_app(), script)
    verify = ["openssl", "verify", "-no_check_time", "-CAfile", "ca.pem"]
    assert judged(tmp_path, *verify, "web.pem") == (0, "web.pem: OK\n")
    code, said = judged(tmp_path, *verify, "-crl_check", "-CRLfile", "ca.crl", "web.pem")
    assert "certificate revoked" in said
    assert code != 0


def test_a_token_is_signed_and_taken_apart(make_app: MakeApp, demo: Backend, tmp_path: Path) -> None:
    tokens: list[str] = []

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Sign a token")
        form.query_one("#claims", TextArea).text = '{"sub": "ann"'
        await press(pilot, "ctrl+s")
        assert text_of(pilot, "#claims-error")
        form.query_one("#claims", TextArea).text = '{"sub": "ann"}'
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, OutputScreen)
        tokens.append(str(pilot.app.screen.output.text))
        await press(pilot, "escape")
        altered = f"{tokens[0].strip()[:-10]}AAAAAAAAAA"
        for token, title in ((tokens[0], "✓ The token is valid"), (altered, "✗ The token is not valid")):
            form = await open_task(pilot, "login-tokens", "Verify a token")
            form.query_one("#token", TextArea).text = token
            await press(pilot, "ctrl+s")
            assert text_of(pilot, "#dialog-title") == title
            await press(pilot, "escape")

    drive(make_app(), script)


def test_signing_a_large_file_shows_progress_and_stops_before_anything_is_sent(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(8 << 30)  # of holes, more than is digested in the time that the test takes
    sent: list[str] = []

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "ci-release-signing", "Sign a file")
        fill(form, file=str(large))
        await settled(pilot)
        sent.clear()
        await pilot.press("ctrl+s")
        while not form.query_one("#progress").display:
            await pilot.pause(0.05)
        assert re.match(
            r"\d+ % · [\d.]+ [MG]B of 8\.6 GB · .* · esc cancels", text_of(pilot, "#progress-words")
        )
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen is form
        assert text_of(pilot, "#dialog-error") == "Stopped before anything was sent."
        assert not form.query_one("#progress").display
        assert form.query_one("#file", Input).value == str(large)
        assert sent == []
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, SigningForm)

    drive(make_app(Refusing(demo, lambda operation, _: sent.append(operation))), script)


def test_bytes_are_shown_and_copied_in_base64_and_written_as_they_are(
    make_app: MakeApp, demo: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_TTY", "tty")  # so that the terminal's clipboard is used
    source = tmp_path / "app.tar"
    source.write_bytes(b"release")
    copied: list[str] = []

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "ci-release-signing", "Sign a file")
        fill(form, file=str(source))
        await press(pilot, "ctrl+s", "c")
        copied.append(pilot.app.clipboard)
        body = str(pilot.app.screen.query_one("#dialog-body Static", Static).render())
        assert "bytes, here in base64" in body
        assert copied[0] in body.replace("\n", "")
        await press(pilot, "w", "ctrl+s")
        assert str(tmp_path / "app.tar.sig") in notifications(app)

    app = make_app()
    drive(app, script)
    assert base64.b64decode(copied[0]) == (tmp_path / "app.tar.sig").read_bytes()


def test_what_was_made_comes_first_and_more_is_told_where_it_does_not_fit(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Self-signed")
        fill(form, subject="CN=x")
        await press(pilot, "ctrl+s")
        body = pilot.app.screen.query_one("#dialog-body", VerticalScroll)
        assert "-----BEGIN CERTIFICATE-----" in str(body.query(Static).first().render())
        assert "more" in text_of(pilot, "#dialog-keys")
        await press(pilot, *["pagedown"] * 9)
        assert body.scroll_offset.y == body.max_scroll_y > 0

    drive(make_app(), script, size=(80, 24))


@pytest.mark.painted
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48)])
def test_the_preview_stays_in_sight_while_the_fields_scroll(
    make_app: MakeApp, demo: Backend, size: tuple[int, int]
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Self-signed")
        screen = form.region
        preview = form.query_one("#signing-preview")
        for field in form.fields:
            widget = form.query_one(f"#{field.name}")
            assert form.focused is widget
            assert screen.contains_region(preview.region)
            assert preview.region.height >= 5
            assert form.query_one("#dialog-body").region.contains_region(widget.region), field.name
            assert not preview.region.overlaps(widget.region), field.name
            await press(pilot, "tab")

    drive(make_app(), script, size=size)


def test_a_random_serial_is_shown_as_random(make_app: MakeApp, demo: Backend) -> None:
    """Each preview would show another, and the certificate yet another."""

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "SSH certificate")
        line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop ann"
        fill(form, public_key=line, principals="ann")
        await settled(pilot)
        assert re.search(r"Serial +random", str(form.query_one("#preview", Static).render()))
        fill(form, serial="17")
        await settled(pilot)
        assert re.search(r"Serial +17", str(form.query_one("#preview", Static).render()))

    drive(make_app(), script)


def test_a_pasted_text_in_the_wrong_field_is_not_repeated_whole(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "SSH certificate")
        fill(form, valid_for="x" * 100_000)
        await press(pilot, "ctrl+s")
        said = text_of(pilot, "#valid-for-error")
        assert "no span of time" in said
        assert len(said) < 1000

    drive(make_app(), script)


def test_a_key_disabled_meanwhile_signs_nothing_and_nothing_typed_is_lost(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Certificate request")
        key = form.subject.key_id
        fill(form, subject="CN=x")
        demo.call("DisableKey", {"KeyId": key})
        await press(pilot, "ctrl+s")
        assert screen_of(pilot) is form
        assert "is disabled" in text_of(pilot, "#dialog-error")
        demo.call("EnableKey", {"KeyId": key})
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, OutputScreen)

    drive(make_app(), script)


def test_a_form_that_waits_for_kms_neither_closes_nor_signs_twice(make_app: MakeApp, demo: Backend) -> None:
    slow = Slow(demo, "Sign")

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Certificate request")
        fill(form, subject="CN=x")
        await pilot.press("ctrl+s")
        await slow.is_entered(pilot)
        await pilot.press("ctrl+s", "escape")
        await pilot.pause()
        assert screen_of(pilot) is form
        assert "wait for its answer" in text_of(pilot, "#dialog-error")
        assert not form.query_one("#progress").display
        await slow.end(pilot)
        assert isinstance(pilot.app.screen, OutputScreen)
        assert slow.calls == 1

    drive(make_app(slow.backend), script)


def test_quitting_while_a_file_is_read_signs_nothing(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(8 << 30)
    sent: list[str] = []

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "ci-release-signing", "Sign a file")
        fill(form, file=str(tmp_path / "large"))
        await pilot.press("ctrl+s")
        while not form.query_one("#progress").display:
            await pilot.pause(0.05)
        pilot.app.exit()
        await asyncio.wait_for(stopped(form), 10)
        assert "Sign" not in sent

    async def stopped(form: SigningForm) -> None:
        while not form._progress.stop.is_set():
            await asyncio.sleep(0.01)

    drive(make_app(Refusing(demo, lambda operation, _: sent.append(operation))), script)


def test_the_draft_of_a_form_is_kept_and_all_of_it_is_done_by_mouse(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Certificate request")
        fill(form, subject="CN=[red]x[/]")
        await pilot.click("#cancel")
        await settled(pilot)
        assert pilot.app.screen is not form
        form = await open_task(pilot, "login-tokens", "Certificate request")
        assert form.query_one("#subject", Input).value == "CN=[red]x[/]"
        await pilot.click("#purpose")
        await settled(pilot)
        overlay = form.query_one("#purpose SelectOverlay")
        await pilot.click(overlay, offset=(3, 2))
        await settled(pilot)
        assert form.query_one("#purpose", Select).value == "client"
        await pilot.click("#confirm")
        await settled(pilot)
        assert isinstance(pilot.app.screen, OutputScreen)
        assert "CN=[red]x[/]" in str(pilot.app.screen.query("#dialog-body Static")[1].render())

    drive(make_app(), script)


@pytest.mark.parametrize("keys", [("f1",), ("ctrl+s", "question_mark")])
def test_help_says_what_the_keys_of_the_form_and_the_output_do(
    make_app: MakeApp, demo: Backend, keys: tuple[str, ...]
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Certificate request")
        fill(form, subject="CN=x")
        await press(pilot, *keys)
        said = " ".join(str(each.render()) for each in pilot.app.screen.query(Static))
        assert ("f4" if keys == ("f1",) else "Write it to a file") in said
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, SigningForm if keys == ("f1",) else OutputScreen)

    drive(make_app(), script)


def test_the_command_line_is_copied_from_the_form_and_from_the_output(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_TTY", "tty")  # so that the terminal's clipboard is used
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        form = await open_task(pilot, "login-tokens", "Certificate request")
        fill(form, subject="CN=x\0y")
        await press(pilot, "f4")
        assert "NUL" in notifications(app)
        fill(form, subject="CN=O'Hara")
        await press(pilot, "f4")
        line = app.clipboard
        assert shlex.split(line)[:4] == ["kms-tui", "cert", "csr", "--key"]
        assert shlex.split(line)[-1] == "--demo"
        await press(pilot, "ctrl+s", "x")
        assert app.clipboard == line
        await press(pilot, "c")
        assert app.clipboard.startswith("-----BEGIN CERTIFICATE REQUEST-----")

    drive(app, script)
