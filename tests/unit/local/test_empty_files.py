"""An empty file where a store is looked for: never a store, and never made one where a store was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kms_tui.atomic import NoRoomError
from kms_tui.backend.local import open_store
from kms_tui.backend.local.store import root_key, store_opening
from kms_tui.backend.local.store.root_key import key_file_of
from kms_tui.backend.local.store.store_opening import open_existing
from kms_tui.kms.errors import StoreError
from tests.unit.local.conftest import client_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def _files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir()}


def test_an_empty_file_is_no_store_to_look_at(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match=r"There is no store at .*: the file is empty\."):
        open_existing(path, lambda new: None)
    assert _files(path) == {"store.db": b""}


@pytest.mark.parametrize("left", ["store.db.key", "store.db-wal"])
def test_no_store_is_made_where_one_was(path: Path, tmp_path: Path, left: str) -> None:
    open_store(path).close()
    path.write_bytes(b"")
    if left != "store.db.key":
        key_file_of(path).unlink()
        path.with_name(left).touch()
    before = _files(path)
    for make in (True, False):
        with pytest.raises(StoreError, match=f"the file is empty, yet .*{left} beside it tells") as caught:
            open_store(path, make=make)
        assert "Move these files to a safe place" in (caught.value.next_step or "")
        assert _files(path) == before


def test_once_the_files_are_moved_away_a_store_can_be_made(path: Path, tmp_path: Path) -> None:
    open_store(path).close()
    path.write_bytes(b"")
    (tmp_path / "aside").mkdir()
    for file in (path, key_file_of(path)):
        shutil.move(file, tmp_path / "aside")
    with open_store(path) as store:
        client_of(store).key()


def _no_room(*_: object) -> bytes:
    raise NoRoomError("no room")


def _half_a_key_file(path: Path) -> bytes:
    root_key.make_key_file(path)
    return _no_room()


@pytest.fixture(params=["key file", "after the key file", "tables"])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at some step of the making."""
    if request.param == "key file":
        monkeypatch.setattr(store_opening, "read_or_make_key_file", _no_room)
    elif request.param == "after the key file":
        monkeypatch.setattr(store_opening, "read_or_make_key_file", _half_a_key_file)
    else:
        monkeypatch.setattr(store_opening, "_create_tables", _no_room)


@pytest.mark.usefixtures("failing")
def test_a_making_that_fails_leaves_nothing(path: Path) -> None:
    with pytest.raises(NoRoomError):
        open_store(path)
    assert _files(path) == {}


@pytest.mark.usefixtures("failing")
def test_a_making_that_fails_leaves_what_was_there(path: Path) -> None:
    path.touch()
    with pytest.raises(NoRoomError):
        open_store(path)
    assert _files(path) == {"store.db": b""}


def test_a_kill_after_the_key_file_is_known_by_the_journal(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"

    def kill(store: Path) -> bytes:
        key = root_key.make_key_file(store)
        shutil.copytree(store.parent, killed)
        return key

    (tmp_path / "live").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(store_opening, "read_or_make_key_file", kill)
        open_store(tmp_path / "live" / path.name).close()
    copy = killed / path.name
    assert {file.name for file in killed.iterdir()} == {copy.name, f"{copy.name}.key", f"{copy.name}-journal"}
    open_store(copy).close()
    assert copy.stat().st_size > 0
