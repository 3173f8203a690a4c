"""Files of any size: sealed and opened, watched and cancelled, never overwritten without asking."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event

import pytest
from textual.widgets import Button, Select

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.results import Result
from kms_tui.crypto_ops.run import run
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.envelope.streams import Progress
from kms_tui.ui.widgets.run_progress import progress_words, size_words
from tests.ui.conftest import MakeApp
from tests.ui.console import settled
from tests.ui.scratchpad.bench import NARROW, Bench, drive


async def take_file(bench: Bench, role: Role, path: Path) -> None:
    """Choose "file" as a person does, and type the name."""
    await bench.press("escape", "f")
    await bench.paste(str(path))
    assert bench.source(role).path.value == str(path)


def test_a_file_is_sealed_and_opened_by_keyboard_with_its_steps_shown(
    make_app: MakeApp, tmp_path: Path
) -> None:
    source = tmp_path / "dump.sql"
    source.write_bytes(b"x" * 2_500_000)

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await take_file(bench, Role.PLAINTEXT, source)
        assert bench.setup.target.path == tmp_path / "dump.sql.encrypted"
        await bench.run()
        assert "bytes written to" in bench.verdict
        assert bench.output.result is not None
        assert bench.output.result.steps[-1] == "Forgot the data key."
        source.unlink()
        await bench.operation(OperationName.DECRYPT)
        await take_file(bench, Role.CIPHERTEXT, tmp_path / "dump.sql.encrypted")
        assert bench.setup.target.path == tmp_path / "dump.sql.decrypted"
        await bench.run()
        assert (tmp_path / "dump.sql.decrypted").read_bytes() == b"x" * 2_500_000
        assert (tmp_path / "dump.sql.decrypted").stat().st_mode & 0o777 == 0o600

    drive(make_app(), script, size=NARROW)


def test_an_existing_file_is_replaced_only_after_asking(make_app: MakeApp, tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "a.encrypted"
    source.write_bytes(b"x" * 5000)
    target.write_text("precious")

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await take_file(bench, Role.PLAINTEXT, source)
        await bench.run()
        assert "exists already" in bench.picture()
        await bench.press("enter")
        assert target.read_text() == "precious"
        assert "exists already; it was not touched" in bench.problems[0]
        await bench.run()
        bench.app.screen.query_one("#confirm", Button).press()
        await settled(bench.pilot)
        assert target.read_bytes() != b"precious"
        assert "bytes written" in bench.verdict

    drive(make_app(), script)


def test_a_small_file_is_shown_when_no_place_is_named(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    source = tmp_path / "note"
    source.write_bytes(b"hello")

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await take_file(bench, Role.PLAINTEXT, source)
        bench.setup.target.path_input.value = ""
        await bench.run()
        part = bench.output.part
        assert part is not None
        assert Kms(demo).decrypt(part.value.reveal()).plaintext.reveal() == b"hello"

    drive(make_app(), script)


def test_what_is_wrong_with_a_file_is_said_beside_it_and_its_name_stays(
    make_app: MakeApp, tmp_path: Path
) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await take_file(bench, Role.PLAINTEXT, tmp_path / "nowhere")
        await bench.run()
        assert bench.problems == [f"{tmp_path}/nowhere could not be read: No such file or directory."]
        await bench.press("escape")
        bench.source(Role.PLAINTEXT).set_file(str(tmp_path))
        await settled(bench.pilot)
        await bench.run()
        assert "it is a directory" in bench.problems[0]
        source = tmp_path / "vanishes"
        source.write_bytes(b"x" * 5000)
        bench.source(Role.PLAINTEXT).set_file(str(source))
        await settled(bench.pilot)
        source.unlink()
        await bench.run()
        assert "vanishes could not be read" in bench.problems[0]
        assert bench.source(Role.PLAINTEXT).path.value == str(source)

    drive(make_app(), script)


def test_a_sealed_file_that_was_cut_or_altered_gives_nothing(make_app: MakeApp, tmp_path: Path) -> None:
    source, sealed = tmp_path / "a", tmp_path / "a.encrypted"
    source.write_bytes(b"x" * 5000)

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await take_file(bench, Role.PLAINTEXT, source)
        await bench.run()
        whole = sealed.read_bytes()
        await bench.operation(OperationName.DECRYPT)
        for content, sentence in (
            (whole[:-20], "cut short or altered. Nothing of it was written."),
            (whole[:-1] + bytes([whole[-1] ^ 1]), "The file was altered since it was sealed"),
        ):
            sealed.write_bytes(content)
            await take_file(bench, Role.CIPHERTEXT, sealed)
            await bench.run()
            assert sentence in bench.problems[0]
            assert not (tmp_path / "a.decrypted").exists()

    drive(make_app(), script)


def test_a_long_operation_shows_how_far_it_is_and_can_be_cancelled(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x" * 5_000_000)
    halfway, go_on = Event(), Event()

    def slow(request: OperationRequest, kms: Kms, watch: Progress) -> Result:
        def progress(done: int, total: int | None) -> None:
            watch.progress(done, total)
            if done > 1_000_000:
                halfway.set()
                go_on.wait(10)

        return run(request, kms, Progress(progress, watch.cancelled, watch.step))

    monkeypatch.setattr("kms_tui.ui.scratchpad.scratchpad_screen.run", slow)

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("hello")
        await bench.run()
        assert bench.output.title == "Encrypt"
        await take_file(bench, Role.PLAINTEXT, source)
        await bench.pilot.press("ctrl+r")
        async with asyncio.timeout(10):
            while not (halfway.is_set() and "of 5.0 MB" in bench.picture()):
                await bench.pilot.pause(0.02)
        await bench.pilot.press("escape")
        go_on.set()
        await settled(bench.pilot)
        assert "esc cancels" not in bench.picture()
        assert "Cancelled. Nothing was written." in bench.notifications()
        assert bench.problems == ["Cancelled. Nothing was written."]
        assert bench.output.title == "", "what an earlier run gave is not this one's"
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    drive(make_app(), script)


def test_quitting_takes_a_half_written_file_away(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x" * 5_000_000)
    halfway = Event()

    def slow(request: OperationRequest, kms: Kms, watch: Progress) -> Result:
        def progress(done: int, total: int | None) -> None:
            halfway.set()
            while not watch.cancelled():
                pass

        return run(request, kms, Progress(progress, watch.cancelled, watch.step))

    monkeypatch.setattr("kms_tui.ui.scratchpad.scratchpad_screen.run", slow)

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await take_file(bench, Role.PLAINTEXT, source)
        await bench.pilot.press("ctrl+r")
        await asyncio.to_thread(halfway.wait, 10)
        assert len(list(tmp_path.iterdir())) == 2
        await bench.pilot.press("ctrl+q")

    drive(make_app(), script)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_output_is_saved_as_bytes_for_its_owner_alone(make_app: MakeApp, tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.RANDOM)
        await bench.run()
        part = bench.output.part
        assert part is not None
        await bench.press("s")
        await bench.paste(str(tmp_path / "random.bin"))
        await bench.press("enter")
        saved = tmp_path / "random.bin"
        assert saved.read_bytes() == part.value.reveal()
        assert saved.stat().st_mode & 0o777 == 0o600
        await bench.press("s")
        await bench.paste(str(saved))
        await bench.press("enter")
        assert "exists already" in bench.picture()

    drive(make_app(), script)


def test_the_kind_list_leads_to_a_file_and_back(make_app: MakeApp, tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("enter")
        await bench.paste("kept")
        pane = bench.source(Role.PLAINTEXT)
        pane.query_one(Select).value = "file"
        await settled(bench.pilot)
        assert pane.path.display
        pane.query_one(Select).value = "detect"
        await settled(bench.pilot)
        assert pane.area.text == "kept"

    drive(make_app(), script)


def test_a_file_name_is_completed_from_the_disk(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "quarterly-report.pdf").write_bytes(b"x")

    async def script(bench: Bench) -> None:
        await bench.pick("orders-db")
        await bench.press("escape", "f")
        await bench.paste(f"{tmp_path}/quart")
        await bench.press("right")
        async with asyncio.timeout(10):
            while not bench.source(Role.PLAINTEXT).path.value.endswith(".pdf"):
                await bench.press("right")
        assert "1 of 4,096 bytes" in bench.picture()

    drive(make_app(), script)


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"),
    [
        (0, None, 1.0, "working… · esc cancels"),
        (500_000_000, 1_000_000_000, 2.0, "500.0 MB of 1.0 GB · 250.0 MB/s · 2 s left · esc cancels"),
        (1_000_000, None, 2.0, "1.0 MB · 500.0 kB/s · esc cancels"),
    ],
)
def test_progress_is_told_in_words(done: int, total: int | None, seconds: float, words: str) -> None:
    assert progress_words(done, total, seconds) == words


def test_sizes_have_decimal_units() -> None:
    assert [size_words(size) for size in (17, 999, 1000, 2_500_000_000_000)] == [
        "17 bytes",
        "999 bytes",
        "1.0 kB",
        "2.5 TB",
    ]
