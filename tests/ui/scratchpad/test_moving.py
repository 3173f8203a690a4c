"""Moving ciphertext to another key, context or region."""

from __future__ import annotations

import base64

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.kms.model import Secret
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.pane_fields import KeyField
from tests.ui.conftest import MakeApp
from tests.ui.scratchpad.bench import Bench, drive, plain


async def choose_destination(bench: Bench, words: str, *, region: str = "") -> None:
    bench.screen.query_one("#destination-key", KeyField).line.focus()
    await bench.press("enter")
    if region:
        await bench.press("shift+tab")
        await bench.paste(region)
        await bench.press("enter")
    await bench.write(words)
    await bench.press("enter")


def note(bench: Bench) -> str:
    """What is said about the destination before anything runs."""
    line = bench.screen.query_one("#destination-key", KeyField).note
    assert line.display
    return plain(line)


def ciphertext(bench: Bench) -> bytes:
    part = bench.output.part
    assert part is not None
    assert part.name == "Ciphertext"
    return part.value.reveal()


def test_a_ciphertext_moves_to_another_key_and_context(make_app: MakeApp, demo: Backend) -> None:
    kms = Kms(demo)
    sealed = kms.encrypt("alias/orders-db", Secret(b"hello")).ciphertext

    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.RE_ENCRYPT)
        await bench.paste(base64.b64encode(sealed).decode())
        await bench.run()
        assert bench.problems == ["Choose the key to move the ciphertext to."]
        await choose_destination(bench, "invoi")
        bench.screen.query_one("#destination-context", ContextRows).set_pairs({"tenant": "43"})
        await bench.settle()
        await bench.run()
        assert kms.decrypt(ciphertext(bench), context={"tenant": "43"}).plaintext.reveal() == b"hello"
        assert "hello" not in bench.picture()
        await bench.press("n")
        assert bench.setup.key is not None
        assert bench.setup.key.name == "invoices"

    drive(make_app(), script)


def test_a_move_to_another_region_is_one_step_that_explains_itself(make_app: MakeApp, demo: Backend) -> None:
    kms = Kms(demo)
    there = kms.in_region("us-east-1")
    there.create_alias(
        "alias/orders-us", there.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").arn
    )
    sealed = kms.encrypt("alias/orders-db", Secret(b"hello")).ciphertext

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.operation(OperationName.RE_ENCRYPT)
        await bench.paste(base64.b64encode(sealed).decode())
        await choose_destination(bench, "orders", region="us-east-1")
        assert note(bench).startswith("eu-west-1 to us-east-1: decrypted here, encrypted there.")
        await bench.run()
        assert there.decrypt(ciphertext(bench)).plaintext.reveal() == b"hello"
        assert bench.verdict == "Moved from eu-west-1 to us-east-1."
        assert "hello" not in bench.picture()
        await bench.press("n", "ctrl+r", "v")
        assert bench.shown == "hello"

    drive(make_app(), script)


def test_a_multi_region_key_needs_no_move_and_says_so_at_once(make_app: MakeApp, demo: Backend) -> None:
    kms = Kms(demo)
    arn = kms.describe("alias/global-config").arn
    kms.call("ReplicateKey", KeyId=arn, ReplicaRegion="us-west-2")
    kms.in_region("us-west-2").create_alias("alias/global-config", arn.rpartition("/")[2])
    sealed = kms.encrypt(arn, Secret(b"hello")).ciphertext

    async def script(bench: Bench) -> None:
        await bench.pick("global-config")
        await bench.operation(OperationName.RE_ENCRYPT)
        await bench.paste(base64.b64encode(sealed).decode())
        await choose_destination(bench, "global", region="us-west-2")
        assert note(bench) == "No move is needed: the ciphertext opens in us-west-2 as it is."
        await bench.run()
        assert bench.verdict.startswith("No move is needed: global-config is a multi-Region key")
        assert bench.source(Role.CIPHERTEXT).given is not None

    drive(make_app(), script)


def test_a_region_without_keys_or_that_cannot_be_listed_is_told_in_the_list(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.RE_ENCRYPT)
        await choose_destination(bench, "x", region="ap-south-1")
        assert "There are no keys in ap-south-1." in bench.picture()
        await bench.press("escape")
        assert bench.setup.destination_key is None

    drive(make_app(), script)
