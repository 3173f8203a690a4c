"""The scratchpad in pictures; each was looked at before it was accepted (make snapshots)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui.backend.local.engine import ciphertext_blob
from kms_tui.config import Config
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.ui.scratchpad.pane_fields import KeyField
from kms_tui.ui.widgets.screen_bars import TopBar
from tests.ui.conftest import MakeApp
from tests.ui.scratchpad.bench import NARROW, WIDE, Bench, Script, opened

SnapCompare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])


@pytest.fixture(autouse=True)
def _ciphertexts_are_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ciphertext_blob, "os", SimpleNamespace(urandom=lambda count: b"\x07" * count))


def before(script: Script) -> Callable[[Pilot[Any]], Any]:
    """Run a script, and leave nothing on the screen that depends on the time."""

    async def run(pilot: Pilot[Any]) -> None:
        bench = await opened(pilot)
        await script(bench)
        await forget_calls(bench)

    return run


async def forget_calls(bench: Bench) -> None:
    """Show no count of calls: how many keys have been read by now is a matter of luck.

    A screen below a dialog is not always painted again at once, so it is done before a dialog opens as well.
    """
    assert bench.app.session is not None
    bench.app.session.inventory.close()
    await bench.settle()
    bench.app.session.meter.calls.clear()
    bench.screen.query_one(TopBar).refresh_session()
    await bench.settle()


async def at_first(bench: Bench) -> None:
    assert bench.setup.key is None


async def encrypted(bench: Bench) -> None:
    await bench.pick("orders-db")
    await bench.press("enter")
    await bench.paste("a very secret plan")
    bench.setup.context.set_pairs({"tenant": "42"})
    await bench.settle()
    await bench.run()


async def decrypted(bench: Bench) -> None:
    await encrypted(bench)
    await bench.press("n", "ctrl+r")


async def revealed(bench: Bench) -> None:
    await decrypted(bench)
    await bench.press("v")


async def handed_on(bench: Bench) -> None:
    await decrypted(bench)
    await bench.press("n")


async def not_good(bench: Bench) -> None:
    await bench.pick("payments-webhooks")
    await bench.press("enter")
    await bench.paste("POST /orders")
    await bench.run()
    await bench.press("n")
    await bench.operation(OperationName.VERIFY_MAC)
    await bench.paste("?")
    await bench.run()


async def wrong_input(bench: Bench) -> None:
    await bench.operation(OperationName.DECRYPT)
    await bench.paste("QUJDRA=x")
    await bench.run()


async def wrong_context(bench: Bench) -> None:
    await decrypted(bench)
    bench.setup.context.set_pairs({"Tenant": "42"})
    await bench.settle()
    await bench.run()


async def public_key(bench: Bench) -> None:
    await bench.pick("login-tokens")
    await bench.operation(OperationName.PUBLIC_KEY)
    await bench.run()


async def picking(bench: Bench) -> None:
    await bench.press("k")
    await bench.write("sign")


async def moving(bench: Bench) -> None:
    await encrypted(bench)
    await bench.press("n")
    await bench.operation(OperationName.RE_ENCRYPT)
    bench.screen.query_one("#destination-key", KeyField).line.focus()
    await bench.press("enter")
    await bench.write("invoices")
    await bench.press("enter")
    await bench.run()


async def copying(bench: Bench) -> None:
    await decrypted(bench)
    await forget_calls(bench)
    await bench.press("c")


async def past(bench: Bench) -> None:
    await decrypted(bench)
    await forget_calls(bench)
    await bench.press("h")


PICTURES: dict[str, Script] = {
    script.__name__: script
    for script in (
        at_first,
        encrypted,
        decrypted,
        revealed,
        handed_on,
        not_good,
        wrong_input,
        wrong_context,
        public_key,
        picking,
        moving,
        copying,
        past,
    )
}


@SIZES
@pytest.mark.parametrize("picture", PICTURES)
def test_scratchpad(
    snap_compare: SnapCompare, make_app: MakeApp, picture: str, size: tuple[int, int]
) -> None:
    assert snap_compare(make_app(), run_before=before(PICTURES[picture]), terminal_size=size)


def test_scratchpad_sealed_file(
    snap_compare: SnapCompare, make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dump.sql").write_bytes(b"x" * 2_500_000)

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        bench.source(Role.PLAINTEXT).set_file("dump.sql")
        await bench.settle()
        await bench.run()

    assert snap_compare(make_app(), run_before=before(script), terminal_size=WIDE)


def test_scratchpad_light(snap_compare: SnapCompare, make_app: MakeApp) -> None:
    app = make_app(config=Config(theme="kms-light"))
    assert snap_compare(app, run_before=before(not_good), terminal_size=WIDE)


def test_scratchpad_without_colour(
    snap_compare: SnapCompare, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(make_app(), run_before=before(not_good), terminal_size=NARROW)
