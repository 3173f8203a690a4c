"""The write-ahead log of a store: one that is not its own is never taken in, nor its own ever thrown away."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.local import Store, open_store
from kms_tui.backend.local.store.root_key import key_file_of
from kms_tui.backend.local.store.store_file import log_of
from kms_tui.backend.local.store.store_maintenance import back_up
from kms_tui.backend.local.store.store_opening import open_existing
from kms_tui.kms.errors import StoreError
from tests.unit.local.conftest import client_of


def _keys(path: Path, **options: Any) -> int:
    with open_store(path, **options) as store:
        return int((store.one("SELECT count(*) FROM keys") or (0,))[0])


def _files(path: Path) -> dict[str, bytes]:
    """The store and its log, by name."""
    return {file.name: file.read_bytes() for file in (path, log_of(path)) if file.exists()}


def _refused(path: Path, words: str = "is not that of the store", **options: Any) -> None:
    """Neither the store nor its log is changed, however it is opened."""
    before = _files(path)
    for opening in (open_store, open_existing):
        with pytest.raises(StoreError, match=words):
            opening(path, **{"unlock": lambda new: None, **options})
        assert _files(path) == before


def _crashed(path: Path, folder: Path, keys: int = 3) -> Path:
    """What a kill leaves of the store at ``path`` after a few more keys: a copy in ``folder``."""
    copy = folder / path.name
    folder.mkdir(exist_ok=True)
    with open_store(path) as store:
        kms = client_of(store)
        for _ in range(keys):
            kms.key(Description="x" * 3000)
        for file in (path, log_of(path), key_file_of(path)):
            shutil.copy(file, folder)
    return copy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with one key, and nothing in its log."""
    folder = tmp_path / "first"
    folder.mkdir()
    path = folder / "store.db"
    with open_store(path) as store:
        client_of(store).key()
    return path


def test_a_backup_put_over_the_store_does_not_take_its_log(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with open_store(path) as store:
        back_up(store, backup)
    crashed = _crashed(path, tmp_path / "crashed")
    whole = crashed.read_bytes()
    shutil.copy(backup, crashed)
    _refused(crashed)
    crashed.write_bytes(whole)  # what the advice says: the store that the log was written for
    assert _keys(crashed) == 4


def test_what_the_advice_says_opens_the_copy(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with open_store(path) as store:
        back_up(store, backup)
    crashed = _crashed(path, tmp_path / "crashed")
    shutil.copy(backup, crashed)
    log_of(crashed).rename(tmp_path / "aside")
    assert _keys(crashed) == 1


def test_an_older_copy_of_the_file_does_not_take_a_newer_log(path: Path, tmp_path: Path) -> None:
    older = path.read_bytes()
    with open_store(path) as store:
        for _ in range(10):
            client_of(store).key(Description="x" * 3000)
    crashed = _crashed(path, tmp_path / "crashed")
    crashed.write_bytes(older)
    _refused(crashed)


def test_a_log_of_another_store_is_not_taken(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "store.db"
    other.parent.mkdir()
    open_store(other).close()
    crashed = _crashed(path, tmp_path / "crashed")
    shutil.copy(log_of(_crashed(other, tmp_path / "more", keys=1)), log_of(crashed))
    _refused(crashed)


def test_a_store_in_use_is_opened_by_others_too(path: Path) -> None:
    with open_store(path) as store:
        client_of(store).key()
        assert log_of(path).stat().st_size > 0
        program = (
            "import sys; from kms_tui.backend.local import open_store\n"
            "print(open_store(sys.argv[1]).one('SELECT count(*) FROM keys')[0])"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
        )
        assert ended.stdout == "2\n"
        assert _keys(path) == 2


def test_an_opening_that_fails_leaves_the_log(path: Path, tmp_path: Path) -> None:
    crashed = _crashed(path, tmp_path / "crashed")
    key_file_of(crashed).unlink()
    _refused(crashed, "key file .* is missing")
    shutil.copy(key_file_of(path), key_file_of(crashed))
    assert _keys(crashed) == 4


def _cut(path: Path, _other: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(len(path.read_bytes()) // 2)


def _empty(path: Path, _other: Path) -> None:
    path.write_bytes(b"")


def _overwrite(path: Path, _other: Path) -> None:
    path.write_bytes(b"\xa5" * len(path.read_bytes()))


def _restore(path: Path, other: Path) -> None:
    path.write_bytes(other.read_bytes())


@pytest.fixture(params=[_cut, _empty, _overwrite, _restore])
def harmed(request: pytest.FixtureRequest, path: Path, tmp_path: Path) -> Iterator[tuple[Store, bytes]]:
    """A store in use whose file was cut short or overwritten in place, and its log."""
    backup = tmp_path / "backup.db"
    with open_store(path) as store:
        back_up(store, backup)
        client_of(store).key()
        request.param(path, backup)
        yield store, log_of(path).read_bytes()


def test_a_file_that_lost_its_content_takes_no_more_writes(harmed: tuple[Store, bytes]) -> None:
    store, log = harmed
    kms = client_of(store)
    for _ in range(2):
        with pytest.raises(StoreError, match="was cut short or overwritten: nothing more is written"):
            kms.key()
    with pytest.raises(StoreError, match="was cut short or overwritten"):
        store.empty_log()
    assert store.path is not None
    content = store.path.read_bytes()
    store.close()
    assert _files(store.path) == {"store.db": content, "store.db-wal": log}


def test_the_log_of_a_file_that_was_deleted_stays(path: Path) -> None:
    with open_store(path) as store:
        client_of(store).key()
        log = log_of(path).read_bytes()
        path.rename(path.with_name("aside"))
    assert _files(path.with_name("aside")) == {"aside": path.with_name("aside").read_bytes()}
    assert log_of(path).read_bytes() == log
    path.with_name("aside").rename(path)
    assert _keys(path) == 2


def test_a_store_that_is_closed_in_good_order_has_no_log(path: Path) -> None:
    with open_store(path) as store, open_store(path) as second:
        client_of(store).key()
        client_of(second).key()
    assert not log_of(path).exists()
    assert _keys(path) == 3
