"""What bad input gets: a sentence that names the cause, beside the field, and the input still there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.formats import Format
from kms_tui.kms.errors import EndpointError
from kms_tui.kms.model import Secret
from kms_tui.ui.scratchpad.key_picker import KeyPicker
from kms_tui.ui.scratchpad.pane_fields import KeyField
from kms_tui.ui.widgets.text_widgets import Static
from tests.ui.conftest import MakeApp
from tests.ui.scratchpad.bench import NARROW, Bench, drive


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("text", "form", "sentence"),
    [
        ("abc", Format.HEX, "Hex has two digits a byte; there is one missing or too many at character 3."),
        ("abxd", Format.HEX, "Character 3 is not a hex digit."),
        ("QUJDR", Format.BASE64, "Base64 comes in groups of 4 characters; here are 5: some are missing."),
        ("QU*D", Format.BASE64, "Character 3 is not in the base64 alphabet."),
        ("no ciphertext!", None, "This is not a ciphertext in base64 or hex. As base64: Character 14 "),
    ],
)
def test_text_that_cannot_be_read_is_told_with_its_place(
    make_app: MakeApp, text: str, form: Format | None, sentence: str
) -> None:
    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.DECRYPT)
        pane = bench.source(Role.CIPHERTEXT)
        pane.set_text(text, form)
        await bench.settle()
        assert pane.problem.has_class("-soft")
        await bench.run()
        assert bench.problems[0].startswith(sentence)
        assert not pane.problem.has_class("-soft")
        assert pane.area.text == text
        assert bench.app.focused is pane.area

    drive(make_app(), script, size=NARROW)


def test_a_ciphertext_that_does_not_open_says_why(make_app: MakeApp, demo: Backend) -> None:
    kms = Kms(demo)
    whole = kms.encrypt("alias/orders-db", Secret(b"hello"), context={"tenant": "42"}).ciphertext
    there = kms.in_region("us-east-1")
    foreign = there.encrypt(
        there.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").arn, Secret(b"hello")
    ).ciphertext
    altered = whole[:-1] + bytes([whole[-1] ^ 1])

    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.DECRYPT)
        pane = bench.source(Role.CIPHERTEXT)
        cases: list[tuple[bytes, dict[str, str], str]] = [
            (altered, {"tenant": "42"}, "altered or cut, or its encryption context differs"),
            (whole[:-5], {"tenant": "42"}, "altered or cut"),
            (whole, {}, "None is given here."),
            (whole, {"Tenant": "42"}, "Its names and values must match exactly."),
            (foreign, {}, "The key of this ciphertext is not in eu-west-1"),
            (b"\x00" * 7000, {}, "not an Encryption SDK message; 7,000 bytes are too long for KMS."),
        ]
        for data, context, sentence in cases:
            pane.set_text(b64(data))
            bench.setup.context.set_pairs(context)
            await bench.settle()
            await bench.run()
            assert sentence in bench.problems[0]
            assert pane.area.text == b64(data)
        await bench.pick("invoices")
        pane.set_text(b64(whole))
        bench.setup.context.set_pairs({"tenant": "42"})
        await bench.settle()
        await bench.run()
        assert bench.problems == [
            "The ciphertext was not made under invoices. Remove the key: KMS finds it from the ciphertext."
        ]
        await bench.press("k", "enter")
        await bench.run()
        assert bench.facts["Key"] == "orders-db (found from the ciphertext)"

    drive(make_app(), script)


def test_enter_on_a_choice_without_a_key_says_what_to_do(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        def said() -> str:
            return str(bench.app.screen.query_one("#dialog-error", Static).content)

        await bench.pick("nothing-so")
        picker = bench.app.screen
        assert isinstance(picker, KeyPicker)
        assert said() == (
            "No key in eu-west-1 matches: type another part of an alias, a key id or a spec, "
            "or another Region above."
        )
        await bench.press("backspace")
        assert said() == ""
        await bench.press("ctrl+u", *"invoices", "enter")
        assert bench.app.screen is bench.screen

    drive(make_app(), script)


def test_what_is_too_long_for_the_key_is_told_before_anything_is_sent(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("partner-inbox")
        await bench.press("enter")
        await bench.paste("x" * 191)
        calls = bench.app.session.meter.total if bench.app.session else 0
        await bench.run()
        assert bench.problems == [
            "The plaintext under RSAES_OAEP_SHA_256 has at most 190 bytes; here are 191. "
            "Envelope encryption, for any size, needs a symmetric key."
        ]
        await bench.pick("mobile-api-mac")
        await bench.press("enter")
        await bench.paste("x" * 4097)
        await bench.run()
        assert "at most 4,096 bytes; here are 4,097" in bench.problems[0]
        assert bench.app.session is not None
        assert bench.app.session.meter.calls["Encrypt"] == 0
        assert bench.app.session.meter.calls["GenerateMac"] == 0
        assert calls

    drive(make_app(), script)


def test_a_keys_state_is_told_beside_the_key(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("chat-archive")
        assert "disabled" in bench.picture()
        await bench.press("enter")
        await bench.paste("x")
        await bench.run()
        key = bench.screen.query_one("#key", KeyField)
        assert "is disabled. Enable the key first." in str(key.problem.content)
        assert bench.app.focused is key.line

    drive(make_app(), script)


class Faulty(Wrapper):
    """A backend that answers but for one operation."""

    def __init__(self, inner: Backend, operation: str) -> None:
        super().__init__(inner)
        self.operation = operation

    def around(self, inner: Backend) -> Faulty:
        return Faulty(inner, self.operation)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == self.operation:
            raise EndpointError("The endpoint did not answer.", next_step="Try again.")
        return self.inner.call(operation, params)


def test_what_is_no_fields_fault_stands_where_the_result_would(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("x")
        await bench.run()
        assert bench.problems == ["The endpoint did not answer. Try again."]
        assert bench.output.problem.display
        assert bench.source(Role.PLAINTEXT).area.text == "x"
        assert bench.screen.history.entries[0].outcome == "The endpoint did not answer."

    drive(make_app(Faulty(demo, "Encrypt")), script)


def test_a_read_only_session_still_encrypts(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("x")
        await bench.run()
        assert bench.output.part is not None

    drive(make_app(read_only=True), script)
