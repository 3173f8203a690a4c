"""Whatever was encrypted, pasted or named: it is shown, and nothing obeys it."""

from __future__ import annotations

import base64

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.kms.model import Secret
from tests.ui.conftest import MakeApp
from tests.ui.scratchpad.bench import NARROW, Bench, drive

MARKUP = "[/b][@click=app.quit]x[/]"
CONTROLS = "a\x1b]52;c;eHg=\x07\x9b31mb"
BIDI = "user\u202etxt.exe"


def has_controls(text: str) -> bool:
    return any((ord(letter) < 32 and letter != "\n") or 0x7F <= ord(letter) < 0xA0 for letter in text)


@pytest.mark.parametrize(
    ("plaintext", "shown"),
    [
        (MARKUP.encode(), MARKUP),
        (BIDI.encode(), "user\\u202etxt.exe"),
        (CONTROLS.encode(), "00000000  61 1b 5d 35 32 3b 63 3b"),
        (b"\xff\xfe\x00", "00000000  ff fe 00"),
    ],
)
def test_a_decrypted_text_is_shown_and_not_obeyed(
    make_app: MakeApp, demo: Backend, plaintext: bytes, shown: str
) -> None:
    sealed = base64.b64encode(Kms(demo).encrypt("alias/orders-db", Secret(plaintext)).ciphertext).decode()

    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.DECRYPT)
        await bench.paste(sealed)
        await bench.run()
        await bench.press("v")
        picture = bench.picture()
        assert shown in picture
        assert not has_controls(picture)
        assert "\u202e" not in picture

    drive(make_app(), script, size=NARROW)


def test_a_paste_with_control_characters_arrives_as_hex_and_whole(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.write("say ")
        await bench.paste(CONTROLS)
        pane = bench.source(Role.PLAINTEXT)
        assert pane.area.text == f"say {CONTROLS}".encode().hex()
        assert pane.kind == "hex"
        assert not has_controls(bench.picture())
        await bench.run()
        opened = Kms(demo).decrypt(base64.b64decode(bench.shown.replace("\n", "")))
        assert opened.plaintext.reveal() == f"say {CONTROLS}".encode()

    drive(make_app(), script)


def test_what_is_typed_is_drawn_harmless_and_kept_as_it_is(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste(f"{BIDI} {MARKUP}")
        area = bench.source(Role.PLAINTEXT).area
        area.load_text(area.text + CONTROLS)
        await bench.press("end")
        picture = bench.picture()
        assert MARKUP in picture
        assert not has_controls(picture)
        assert "\u202e" not in picture
        assert area.text == f"{BIDI} {MARKUP}{CONTROLS}"

    drive(make_app(), script)


def test_context_file_names_and_errors_are_drawn_harmless(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        bench.setup.context.set_pairs({f"{MARKUP}{BIDI}": CONTROLS})
        bench.source(Role.PLAINTEXT).set_file(f"/nowhere/{MARKUP}{BIDI}{CONTROLS}")
        await bench.run()
        (problem,) = bench.problems
        assert "could not be read" in problem
        picture = bench.picture()
        assert not has_controls(picture)
        assert "\u202e" not in picture
        await bench.press("z", "escape")

    drive(make_app(), script)
