"""What a kill leaves of a store, for every step at which it can come, and what becomes of that."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.local import Store, open_store
from kms_tui.backend.local.store.root_key import key_file_of
from kms_tui.backend.local.store.store_verification import find_problems
from kms_tui.kms.errors import StoreError
from tests.unit.local.conftest import client_of

_PAGE = 4096
_FRAME_HEADER = 24
_LOG_HEADER = 32
_EMPTYING_JOURNAL = bytes.fromhex("d9d505f920a163d7") + bytes(4) + b"seed" + bytes(4) + b"\0\0\2\0\0\0\x10\0"
"""The header of a rollback journal that says: the database was empty (0 pages) before."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def _usable(path: Path, keys: set[str]) -> None:
    with open_store(path) as store:
        kms = client_of(store)
        for key_id in keys:
            sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"
        assert list(find_problems(store)) == []


def _pages_of_log(log: bytes) -> dict[int, bytes]:
    """Page number -> what a checkpoint will write there, from a log of which all was committed."""
    size = _FRAME_HEADER + _PAGE
    frames = range(_LOG_HEADER, len(log), size)
    return {
        int.from_bytes(log[at : at + 4], "big"): log[at + _FRAME_HEADER : at + size]
        for at in frames
        if log[at + 8 : at + 16] == log[16:24]  # the salts: it is of this log
    }


def test_a_kill_within_a_checkpoint_takes_nothing(path: Path, tmp_path: Path) -> None:
    with open_store(path) as store:
        kms = client_of(store)
        keys = {kms.key(Description="x" * 8000) for _ in range(4)}
        content, log = path.read_bytes(), path.with_name("store.db-wal").read_bytes()
    pages = sorted(_pages_of_log(log).items())
    assert pages[0][0] == 1
    assert pages[-1][0] * _PAGE > len(content)
    copy = tmp_path / "copy" / "store.db"
    copy.parent.mkdir()
    shutil.copy(key_file_of(path), key_file_of(copy))
    for written in range(len(pages) + 1):
        copy.write_bytes(content)
        copy.with_name("store.db-wal").write_bytes(log)
        with copy.open("r+b") as file:
            for number, page in pages[:written]:
                file.seek((number - 1) * _PAGE)
                file.write(page)
        _usable(copy, keys)


def test_a_store_whose_making_was_cut_off_is_made_anew(path: Path) -> None:
    open_store(path).close()
    whole = path.read_bytes()
    key_file = key_file_of(path).read_bytes()
    whole = whole[:18] + b"\1\1" + whole[20:]  # before its first log, as while it is made
    for pages in range(len(whole) // _PAGE + 1):
        path.write_bytes(whole[: pages * _PAGE])
        path.with_name("store.db-journal").write_bytes(_EMPTYING_JOURNAL.ljust(512, b"\0"))
        with open_store(path) as store:
            key_id = client_of(store).key()
        _usable(path, {key_id})
        assert key_file_of(path).read_bytes() == key_file
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


_STEPPED = """
import json, os, shutil, sqlite3, sys
from pathlib import Path
from kms_tui.backend.local import open_store
from kms_tui.backend.local.store import root_key
from kms_tui.backend.local.store.store_opening import open_existing
from kms_tui.backend.local.store.store_maintenance import change_protection

root_key._SCRYPT = {"n": 2, "r": 1, "p": 1}
folder = Path(sys.argv[1])
steps, last = 0, None
told = []

def step(what):
    global steps
    told.append(what)
    if steps == last:
        os._exit(9)
    steps += 1

def stepped(function):
    def call(*args, **kwargs):
        step(function.__name__)
        return function(*args, **kwargs)
    return call

def connect(*args, connect=sqlite3.connect, **kwargs):
    connection = connect(*args, **kwargs)
    connection.set_trace_callback(step)
    return connection

def unlock(passphrase):
    return lambda new: passphrase

def opens(path, passphrase):
    try:
        with open_existing(path, unlock(passphrase)) as store:
            return store.one("SELECT count(*) FROM keys") == (0,)
    except Exception as error:
        return False

def forked(work):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        for name in ("fsync", "replace", "unlink"):
            setattr(os, name, stepped(getattr(os, name)))
        sqlite3.connect = connect
        work()
        os.write(writer, json.dumps(told).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said

def change(path, before, after):
    def work():
        global steps
        with open_existing(path, unlock(before)) as store:
            told.clear()
            steps = 0
            change_protection(store, after)
    return work

for before, after in ((None, "new"), ("old", None), ("old", "new")):
    template = folder / f"{before}-{after}"
    template.mkdir()
    open_store(template / "store.db", unlock=unlock(before)).close()
    last, ended = 0, 9
    while ended == 9:
        place = folder / "place"
        shutil.copytree(template, place)
        path = place / "store.db"
        ended, said = forked(change(path, before, after))
        by_key_file = opens(path, None)
        ways = ["key file"] if by_key_file else [word for word in ("old", "new") if opens(path, word)]
        left = sorted(file.name for file in place.iterdir())
        print(json.dumps([before, after, last, ended, ways, left, said]))
        shutil.rmtree(place)
        last += 1
"""


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """Each change of what guards a store, killed before each of its steps, and the last one not killed."""
    done = subprocess.run(
        [sys.executable, "-c", _STEPPED, str(tmp_path_factory.mktemp("steps"))],
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "KMS_TUI_PASSPHRASE"},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_kill_while_the_guard_changes_leaves_one_way_in(changes: list[list[Any]]) -> None:
    assert len(changes) > 30
    for before, after, last, ended, ways, left, _ in changes:
        old, new = before or "key file", after or "key file"
        assert ways in ([old], [new]), (before, after, last)
        if ended == 0:
            assert ways == [new]
        if ways != ["key file"] and before is None:
            assert left == ["store.db"], "the next opening removes the key file of before"


def _order(changes: list[list[Any]], before: str | None, after: str | None) -> list[str]:
    (said,) = (each[6] for each in changes if each[:2] == [before, after] and each[3] == 0)
    wanted = ("BEGIN", "COMMIT", "UPDATE", "fsync", "replace", "unlink")
    steps: list[str] = json.loads(said)
    return [step.split()[0] for step in steps if step.split()[0] in wanted]


def test_a_new_key_file_is_on_the_disk_before_the_store_needs_it(changes: list[list[Any]]) -> None:
    order = _order(changes, "old", None)
    made = order[order.index("BEGIN") : order.index("COMMIT")]
    assert made == ["BEGIN", "fsync", "replace", "fsync", "unlink", "UPDATE"]


def test_an_old_key_file_goes_once_nothing_needs_it(changes: list[list[Any]]) -> None:
    order = _order(changes, None, "new")
    assert order[:5] == ["BEGIN", "UPDATE", "COMMIT", "BEGIN", "unlink"]
    assert order[5] == "fsync"


def _other_process(path: Path) -> None:
    """Another program opens the store, and closes it as the last one does."""
    program = "import sys; from kms_tui.backend.local import open_store; open_store(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


def test_opening_a_store_twice_keeps_its_log_from_being_taken_away(path: Path) -> None:
    with open_store(path) as store, open_store(path):
        _other_process(path)
        assert path.with_name("store.db-wal").exists()
        key_id = client_of(store).key()
    _usable(path, {key_id})


@pytest.fixture(params=["store.db", "store.db-wal"])
def in_use(request: pytest.FixtureRequest, path: Path) -> Iterator[tuple[Store, Path]]:
    """A store in use, and one of its files."""
    with open_store(path) as store:
        client_of(store).key()
        yield store, path.with_name(request.param)


def test_what_is_deleted_under_an_open_program_takes_no_more_writes(in_use: tuple[Store, Path]) -> None:
    store, file = in_use
    aside = file.with_name("aside")
    file.rename(aside)
    _refuses_to_write(store, file)
    shutil.copy(aside, file)
    _refuses_to_write(store, file)
    assert store.one("SELECT count(*) FROM keys") == (1,)
    aside.rename(file)
    client_of(store).key()


def _refuses_to_write(store: Store, file: Path) -> None:
    with pytest.raises(StoreError, match=f"{file.name} was deleted, moved or replaced"):
        client_of(store).key()


def test_what_is_deleted_during_a_write_was_not_written(in_use: tuple[Store, Path]) -> None:
    store, file = in_use

    def write() -> None:
        with store.write() as db:
            db.execute("DELETE FROM events")
            file.unlink()

    with pytest.raises(StoreError, match="deleted, moved or replaced"):
        write()


def test_the_log_of_a_store_that_is_missing_stays(path: Path) -> None:
    log = path.with_name("store.db-wal")
    log.write_bytes(b"keys")
    for _ in range(2):
        with pytest.raises(StoreError, match="may hold keys"):
            open_store(path)
        path.write_bytes(b"")
    assert log.read_bytes() == b"keys"


def test_an_empty_file_becomes_a_store_for_its_owner_alone(path: Path) -> None:
    path.touch(0o644)
    path.chmod(0o644)
    with open_store(path) as store:
        client_of(store).key()
        assert {oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()} == {"0o600"}


def test_an_empty_file_that_cannot_be_kept_from_others_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.touch()
    path.chmod(0o644)

    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StoreError, match="cannot be made: Operation not permitted"):
        open_store(path)
    assert path.read_bytes() == b""


def test_a_pipe_is_no_store(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(StoreError, match="not a kms-tui store"):
        open_store(path)


def test_a_new_store_takes_the_key_file_that_is_there(path: Path) -> None:
    """A copy of a store that was deleted by mistake still needs it."""
    open_store(path).close()
    shutil.move(path, path.with_name("copy.db"))
    before = key_file_of(path).read_bytes()
    open_store(path).close()
    assert key_file_of(path).read_bytes() == before
