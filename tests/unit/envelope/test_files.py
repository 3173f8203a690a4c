from __future__ import annotations

import contextlib
import errno
import io
import os
import resource
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.atomic import AlreadyThereError, FileError, NoRoomError
from kms_tui.envelope.errors import AlteredError, CancelledByUserError, CutShortError, KeysRefusedError
from kms_tui.envelope.files import seal_file, spooled, unseal_file
from kms_tui.envelope.message import seal
from kms_tui.envelope.streams import Progress, Source, write_behind
from kms_tui.kms.errors import KmsTuiError, ServiceError
from tests.unit.envelope.fake_kms import KEY, FakeKms

PLAINTEXT = b"all the secrets\n" * 200_000


@pytest.fixture
def kms() -> FakeKms:
    return FakeKms()


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain"
    path.write_bytes(PLAINTEXT)
    return path


@pytest.fixture
def message(kms: FakeKms, plain: Path) -> Path:
    path = plain.with_name("sealed")
    seal_file(plain, path, backend=kms, keys=[KEY])
    return path


def others(directory: Path) -> list[str]:
    return sorted({entry.name for entry in directory.iterdir()} - {"plain", "sealed"})


def test_a_file_comes_back(kms: FakeKms, message: Path) -> None:
    target = message.with_name("opened")
    result = unseal_file(message, target, backend=kms)
    assert target.read_bytes() == PLAINTEXT
    assert (result.plaintext_size, result.message_size) == (len(PLAINTEXT), message.stat().st_size)
    assert others(message.parent) == ["opened"]


def test_what_was_opened_is_for_its_owner_and_what_was_sealed_for_all(kms: FakeKms, plain: Path) -> None:
    before = os.umask(0o022)
    try:
        seal_file(plain, plain.with_name("sealed"), backend=kms, keys=[KEY])
        unseal_file(plain.with_name("sealed"), plain.with_name("opened"), backend=kms)
    finally:
        os.umask(before)
    assert stat.S_IMODE(plain.with_name("sealed").stat().st_mode) == 0o644
    assert stat.S_IMODE(plain.with_name("opened").stat().st_mode) == 0o600


def test_a_file_can_be_sealed_in_place(kms: FakeKms, plain: Path) -> None:
    seal_file(plain, plain, backend=kms, keys=[KEY], overwrite=True)
    unseal_file(plain, plain, backend=kms, overwrite=True)
    assert plain.read_bytes() == PLAINTEXT


def test_a_file_that_is_there_is_kept_unless_told_otherwise(kms: FakeKms, plain: Path, message: Path) -> None:
    kept = plain.with_name("kept")
    kept.write_bytes(b"precious")
    kms.calls.clear()
    with pytest.raises(AlreadyThereError):
        seal_file(plain, kept, backend=kms, keys=[KEY])
    with pytest.raises(AlreadyThereError):
        unseal_file(message, kept, backend=kms)
    assert (kept.read_bytes(), kms.calls) == (b"precious", [])


def test_progress_knows_the_size_of_a_file(kms: FakeKms, plain: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    progress = Progress(progress=lambda done, total: seen.append((done, total)))
    seal_file(plain, plain.with_name("sealed"), backend=kms, keys=[KEY], progress=progress)
    assert {total for _, total in seen} == {len(PLAINTEXT)}
    assert seen[-1][0] == len(PLAINTEXT)


def _flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("damage", "error"), [(lambda data: data[:-1], CutShortError), (_flip_last, AlteredError)]
)
def test_nothing_of_a_damaged_file_is_released(
    kms: FakeKms, message: Path, damage: Callable[[bytes], bytes], error: type[KmsTuiError]
) -> None:
    message.write_bytes(damage(message.read_bytes()))
    with pytest.raises(error, match=r"Nothing of it was written|altered"):
        unseal_file(message, message.with_name("opened"), backend=kms)
    assert others(message.parent) == []
    assert message.exists()


def test_a_refused_key_leaves_nothing(kms: FakeKms, message: Path) -> None:
    with pytest.raises(KeysRefusedError):
        unseal_file(message, message.with_name("opened"), backend=FakeKms(keys={}))
    with pytest.raises(ServiceError):
        seal_file(message, message.with_name("again"), backend=kms, keys=["alias/absent"])
    assert others(message.parent) == []


def test_cancelling_leaves_nothing(kms: FakeKms, message: Path) -> None:
    asked = iter([False, False, True])
    with pytest.raises(CancelledByUserError):
        unseal_file(
            message,
            message.with_name("opened"),
            backend=kms,
            progress=Progress(cancelled=lambda: next(asked)),
        )
    assert others(message.parent) == []


def test_an_interrupt_leaves_nothing(kms: FakeKms, plain: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seal_file(
            plain, plain.with_name("sealed"), backend=kms, keys=[KEY], progress=Progress(progress=interrupt)
        )
    assert sorted(entry.name for entry in plain.parent.iterdir()) == ["plain"]


def test_an_existing_file_is_never_overwritten_unasked(kms: FakeKms, message: Path) -> None:
    calls = len(kms.calls)
    with pytest.raises(AlreadyThereError):
        unseal_file(message, message.with_name("plain"), backend=kms)
    assert message.with_name("plain").read_bytes() == PLAINTEXT
    assert len(kms.calls) == calls


def test_a_missing_input_is_named(kms: FakeKms, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="absent could not be read: No such file"):
        seal_file(tmp_path / "absent", tmp_path / "out", backend=kms, keys=[KEY])
    assert kms.calls == []


def test_a_directory_is_no_input(kms: FakeKms, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="could not be read"):
        seal_file(tmp_path, tmp_path / "out", backend=kms, keys=[KEY])


def test_an_input_that_vanishes_while_it_is_read_is_named(kms: FakeKms) -> None:
    class Vanished:
        def read(self, size: int, /) -> bytes:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    source = Source(Vanished(), "the input")
    with pytest.raises(FileError, match="the input could not be read: Stale"):
        seal(source, io.BytesIO(), backend=kms, keys=[KEY])


def test_a_disk_without_room_is_told_and_nothing_stays(kms: FakeKms, plain: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(NoRoomError, match="sealed could not be written: File too large"):
            seal_file(plain, plain.with_name("sealed"), backend=kms, keys=[KEY])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [entry.name for entry in plain.parent.iterdir()] == ["plain"]


def test_a_spool_lets_nothing_out_of_a_block_that_fails() -> None:
    pipe = io.BytesIO()

    def fail() -> None:
        with spooled(pipe) as spool:
            spool.write(b"unverified")
            raise AlteredError("it does not verify")

    with pytest.raises(AlteredError):
        fail()
    assert pipe.getvalue() == b""


def test_a_spool_lets_everything_out_of_a_block_that_ends_well() -> None:
    found: list[os.stat_result] = []

    class Pipe(io.BytesIO):
        def flush(self) -> None:
            found.extend(os.fstat(int(name)) for name in os.listdir("/dev/fd") if is_spool(int(name)))

    def is_spool(descriptor: int) -> bool:
        with contextlib.suppress(OSError):
            status = os.fstat(descriptor)
            return stat.S_ISREG(status.st_mode) and status.st_size == len(b"verified")
        return False

    pipe = Pipe()
    with spooled(pipe) as spool:
        spool.write(b"verified")
        assert pipe.getvalue() == b""
    assert pipe.getvalue() == b"verified"
    assert [(each.st_nlink, stat.S_IMODE(each.st_mode)) for each in found] == [(0, 0o600)]


def test_writing_behind_keeps_the_order_and_is_done_at_the_end() -> None:
    target = io.BytesIO()
    with write_behind(target) as writer:
        for number in range(256):
            writer.write(bytes([number]))
    assert target.getvalue() == bytes(range(256))


@pytest.mark.parametrize("writes", [1, 9])
def test_a_write_that_fails_behind_is_raised_at_the_latest_at_the_end(writes: int) -> None:
    class Full:
        def write(self, data: bytes, /) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write_all() -> None:
        with write_behind(Full()) as writer:
            for _ in range(writes):
                writer.write(b"x")

    with pytest.raises(OSError, match="No space left"):
        write_all()


def test_a_block_that_is_given_up_raises_its_own_error_and_ends_the_thread() -> None:
    def give_up() -> None:
        with write_behind(io.BytesIO()) as writer:
            writer.write(b"x")
            raise CancelledByUserError

    with pytest.raises(CancelledByUserError):
        give_up()
    assert "kms-tui writer" not in {thread.name for thread in threading.enumerate()}
