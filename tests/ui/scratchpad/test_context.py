"""The encryption context as rows."""

from __future__ import annotations

import base64

from textual.widgets import Button, Input

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.inputs import CONTEXT_WARNING
from kms_tui.crypto_ops.scratchpad_operations import OperationName
from kms_tui.ui.scratchpad.context_rows import ContextRow
from tests.ui.conftest import MakeApp
from tests.ui.scratchpad.bench import NARROW, Bench, drive


def button(bench: Bench, label: str) -> Button:
    buttons = bench.setup.context.query(Button).results(Button)
    return next(button for button in buttons if str(button.label) == label and button.display)


def test_rows_are_added_filled_and_removed_by_keyboard(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("hello")
        await bench.press("escape", "x")
        await bench.write("tenant")
        await bench.press("tab")
        await bench.write("42")
        await bench.press("escape", "x")
        await bench.write("gone")
        await bench.press("tab", "tab", "enter")
        assert bench.setup.context.pairs == {"tenant": "42"}
        assert CONTEXT_WARNING.split(":")[0] in bench.picture()
        await bench.run()
        ciphertext = base64.b64decode(bench.shown.replace("\n", ""))
        assert Kms(demo).decrypt(ciphertext, context={"tenant": "42"}).plaintext.reveal() == b"hello"

    drive(make_app(), script, size=NARROW)


def test_a_pasted_json_object_fills_the_rows(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("escape", "x")
        await bench.paste('{"tenant": "42", "table": "orders"}')
        assert bench.setup.context.pairs == {"tenant": "42", "table": "orders"}
        await bench.paste('{"tenant": 42}')
        assert bench.problems == [
            'The value of tenant is not a string; KMS takes strings only. Put it in quotes: {"tenant": "42"}.'
        ]
        await bench.paste('{"only": "one"}')
        assert bench.setup.context.pairs == {"only": "one"}
        button(bench, "JSON").press()
        await bench.settle()
        await bench.paste('{"tenant": "43"')
        bench.app.screen.query_one("#confirm", Button).press()
        await bench.settle()
        assert "This is not JSON: line 1" in bench.picture()
        await bench.paste("}")
        bench.app.screen.query_one("#confirm", Button).press()
        await bench.settle()
        assert bench.setup.context.pairs == {"tenant": "43"}

    drive(make_app(), script)


def test_the_context_last_used_with_the_key_is_offered(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("hello")
        bench.setup.context.set_pairs({"tenant": "42"})
        await bench.run()
        await bench.press("z")
        assert bench.setup.context.pairs == {}
        await bench.pick("invoices")
        assert not bench.setup.context._last.display
        await bench.pick("orders-db")
        button(bench, "Last used").press()
        await bench.settle()
        assert bench.setup.context.pairs == {"tenant": "42"}

    drive(make_app(), script)


def test_only_symmetric_keys_take_a_context(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        assert "Context" in bench.picture()
        bench.setup.context.set_pairs({"tenant": "42"})
        await bench.pick("partner-inbox")
        assert "Context" not in bench.picture()
        assert bench.setup.request().context == {}

    drive(make_app(), script)


def test_wrong_rows_are_told_where_they_are(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("hello")
        await bench.press("escape", "x", "tab")
        await bench.write("42")
        await bench.run()
        assert bench.problems == ["Row 1 of the context has a value but no name."]
        for _ in range(2):
            await bench.press("escape", "x")
            await bench.write("same")
        bench.setup.context.query(ContextRow).first().query(Input).first().value = "other"
        await bench.run()
        assert bench.problems == ["The context has the name same twice; use each name once."]
        assert bench.setup.operation.name is OperationName.ENCRYPT

    drive(make_app(), script)
