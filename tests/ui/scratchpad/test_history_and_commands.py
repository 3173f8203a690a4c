"""What was done, set up again; and the same as a command for somebody else."""

from __future__ import annotations

from pathlib import Path

from textual.binding import Binding

from kms_tui.backend.base import Backend
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.ui.dialogs.filtered_choice import ChoiceFilter
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.input_pane import HeldLine
from kms_tui.ui.scratchpad.output_pane import OutputView
from kms_tui.ui.scratchpad.pane_fields import KeyLine
from kms_tui.ui.scratchpad.scratchpad_screen import ScratchpadScreen
from tests.ui.conftest import MakeApp
from tests.ui.scratchpad.bench import Bench, choices, drive
from tests.ui.scratchpad.conftest import Clipboard


def test_an_operation_is_set_up_again_without_its_content(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("h")
        assert "Nothing has been done here" in bench.notifications()
        await bench.pick("payments-signing")
        bench.setup.settings.set_values({"algorithm": "RSASSA_PKCS1_V1_5_SHA_512"})
        await bench.setup.refresh_setup()
        await bench.press("enter")
        await bench.paste("a message")
        await bench.run()
        await bench.pick("orders-db")
        bench.setup.context.set_pairs({"tenant": "42"})
        await bench.press("enter")
        await bench.paste("hello")
        await bench.run()
        await bench.press("z", "h")
        lines = choices(bench)
        assert [line.split() for line in lines] == [
            ["12:00:00", "Encrypt", "orders-db", "102", "bytes"],
            ["12:00:00", "Sign", "payments-signing", "384", "bytes"],
        ]
        await bench.press("down", "enter")
        request = bench.setup.request()
        assert request.operation.name is OperationName.SIGN
        assert request.key is not None
        assert request.key.name == "payments-signing"
        assert request.settings["algorithm"] == "RSASSA_PKCS1_V1_5_SHA_512"
        assert request.given is None
        await bench.press("h", "enter")
        assert bench.setup.request().context == {"tenant": "42"}
        assert bench.setup.request().operation.name is OperationName.ENCRYPT

    drive(make_app(), script)


def test_a_file_and_a_destination_are_set_up_again_too(make_app: MakeApp, tmp_path: Path) -> None:
    source = tmp_path / "note.bin"

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("hello")
        await bench.run()
        part = bench.output.part
        assert part is not None
        source.write_bytes(part.value.reveal())
        await bench.operation(OperationName.RE_ENCRYPT)
        bench.source(Role.CIPHERTEXT).set_file(str(source))
        await bench.settle()
        await bench.setup.choose_destination(bench.setup.key)
        bench.screen.query_one("#destination-context", ContextRows).set_pairs({"tenant": "43"})
        await bench.run()
        before = bench.setup.request()
        assert before.destination is not None
        await bench.press("z", "h", "enter")
        after = bench.setup.request()
        assert (after.destination, after.given) == (before.destination, before.given)

    drive(make_app(), script)


def test_an_operation_is_copied_as_a_command_without_its_input(
    make_app: MakeApp, clipboard: Clipboard
) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("swordfish")
        bench.setup.context.set_pairs({"tenant": "42"})
        await bench.press("escape", "c")
        assert [choice.split("  ")[0] for choice in choices(bench)] == [
            "As an aws kms command",
            "As Python with boto3",
        ]
        await bench.press("enter")
        assert clipboard.text.startswith("aws kms encrypt --key-id arn:aws:kms:eu-west-1:")
        assert "--plaintext fileb://INPUT" in clipboard.text
        assert '{"tenant": "42"}' in clipboard.text
        assert "file named INPUT" in bench.notifications()
        await bench.press("c", "down", "enter")
        assert "Plaintext=Path('INPUT').read_bytes()" in clipboard.text
        assert "swordfish" not in "".join(clipboard.copied)

    drive(make_app(), script)


def test_a_command_for_a_long_message_says_what_its_input_is(make_app: MakeApp, clipboard: Clipboard) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("c", "enter")
        assert bench.problems == ["Encrypt needs a key. Choose one."]
        await bench.pick("login-tokens")
        await bench.press("enter")
        await bench.paste("x" * 5000)
        await bench.press("escape", "c", "enter")
        assert "--message-type DIGEST" in clipboard.text
        assert "INPUT is the message's SHA-256, in binary." in bench.notifications()

    drive(make_app(), script)


def test_a_command_that_would_not_run_is_not_copied(make_app: MakeApp, clipboard: Clipboard) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.operation(OperationName.RE_ENCRYPT)
        await bench.press("escape", "c", "enter")
        assert bench.problems == ["Choose the key to move the ciphertext to."]
        await bench.pick("login-tokens")
        await bench.operation(OperationName.VERIFY)
        await bench.press("escape", "c", "enter")
        assert bench.problems == ["The signature is empty. Paste it in base64 or hex."]
        assert clipboard.copied == []

    drive(make_app(), script)


def test_a_key_is_found_by_any_of_its_aliases(make_app: MakeApp, demo: Backend) -> None:
    key = demo.call("DescribeKey", {"KeyId": "alias/orders-db"})["KeyMetadata"]["KeyId"]
    demo.call("CreateAlias", {"AliasName": "alias/zz-latest", "TargetKeyId": key})

    async def script(bench: Bench) -> None:
        await bench.press("escape", "k")
        await bench.write("zz-lat")
        assert [choice.split()[0] for choice in choices(bench)] == ["zz-latest"]
        await bench.press("enter")
        chosen = bench.setup.key
        assert chosen is not None
        assert chosen.key_id == key

    drive(make_app(), script)


def test_every_binding_of_the_scratchpad_has_an_id_a_title_and_a_tooltip() -> None:
    bindings = [
        binding
        for widget in (ScratchpadScreen, OutputView, HeldLine, KeyLine, ChoiceFilter)
        for binding in widget.BINDINGS
        if isinstance(binding, Binding)
    ]
    assert len(bindings) > 10
    wanting = [each for each in bindings if not (each.id and each.description and each.tooltip)]
    assert wanting == []
    assert len({binding.id for binding in bindings}) == len(bindings)


def test_the_help_explains_the_screen_and_its_keys(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("question_mark")
        picture = bench.picture()
        assert "Every cryptographic operation by hand." in picture
        assert "Make the output the next input" in picture

    drive(make_app(), script)
