"""Looking after a store: another guard, a copy, its older versions, and an end to its growth."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.atomic import AlreadyThereError, FileError
from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.store import call_records, store_opening
from kms_tui.backend.local.store.root_key import (
    Protection,
    RootKey,
    key_file_content,
    key_file_of,
    new_root_key,
)
from kms_tui.backend.local.store.schema import MIGRATIONS
from kms_tui.backend.local.store.store_maintenance import back_up, change_protection, store_info
from kms_tui.backend.local.store.store_opening import open_existing
from kms_tui.backend.local.store.store_verification import find_problems
from kms_tui.kms.errors import StoreError
from tests.unit.local.conftest import ACCOUNT, REGION, START, TestClock, client_of

pytestmark = pytest.mark.usefixtures("cheap_passphrases")

_PASSPHRASE = "correct horse"


def _unlock(passphrase: str | None) -> Callable[[bool], str | None]:
    return lambda _new: passphrase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def sealed(path: Path) -> bytes:
    """A ciphertext of the store at ``path``, which has a key file."""
    with open_store(path) as store:
        kms = client_of(store)
        ciphertext: bytes = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
        return ciphertext


def _opens(path: Path, sealed: bytes, passphrase: str | None = None) -> None:
    with open_existing(path, _unlock(passphrase)) as store:
        assert client_of(store)("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"
        assert list(find_problems(store)) == []


def test_a_passphrase_takes_the_place_of_the_key_file(path: Path, sealed: bytes) -> None:
    with open_existing(path, _unlock(None)) as store:
        change_protection(store, _PASSPHRASE)
        assert store.protection is Protection.PASSPHRASE
    assert not key_file_of(path).exists()
    _opens(path, sealed, _PASSPHRASE)
    for wrong in (None, "wrong"):
        with pytest.raises(StoreError):
            open_existing(path, _unlock(wrong))


def test_a_passphrase_takes_the_place_of_another(path: Path, sealed: bytes) -> None:
    for before, after in ((None, "first"), ("first", "second")):
        with open_existing(path, _unlock(before)) as store:
            change_protection(store, after)
    _opens(path, sealed, "second")
    with pytest.raises(StoreError, match="Wrong passphrase"):
        open_existing(path, _unlock("first"))


def test_a_new_key_file_takes_the_place_of_a_passphrase(path: Path, sealed: bytes) -> None:
    first = key_file_of(path).read_bytes()
    with open_existing(path, _unlock(None)) as store:
        change_protection(store, _PASSPHRASE)
    key_file_of(path).write_bytes(first)
    with open_existing(path, _unlock(_PASSPHRASE)) as store:
        change_protection(store, None)
    assert key_file_of(path).read_bytes() != first
    assert key_file_of(path).stat().st_mode & 0o777 == 0o600
    _opens(path, sealed)


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, _PASSPHRASE), (_PASSPHRASE, None), (_PASSPHRASE, "another, and a longer one")],
)
def test_what_opened_the_store_before_is_nowhere_in_its_files(
    path: Path, before: str | None, after: str | None
) -> None:
    with open_store(path, unlock=_unlock(before)) as store:
        store.empty_log()
        ((parameters, root_key),) = store.rows("SELECT parameters, sealed FROM root_key")
        former = [bytes(root_key)[:16], json.loads(parameters).get("salt", "none").encode()]
        store.rows("PRAGMA secure_delete = OFF")  # which some SQLite has on by itself
        change_protection(store, after)
        key_file_content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert not any(trace in key_file_content for trace in former)


def test_who_has_the_store_open_goes_on_when_its_guard_changes(path: Path, sealed: bytes) -> None:
    with open_existing(path, _unlock(None)) as mine, open_existing(path, _unlock(None)) as theirs:
        change_protection(mine, _PASSPHRASE)
        key_id = client_of(theirs).key()
    with open_existing(path, _unlock(_PASSPHRASE)) as store:
        client_of(store)("Encrypt", KeyId=key_id, Plaintext=b"x")


def test_a_store_without_a_passphrase_has_none_to_take_away(path: Path, sealed: bytes) -> None:
    with open_existing(path, _unlock(None)) as store, pytest.raises(StoreError, match="has no passphrase"):
        change_protection(store, None)
    _opens(path, sealed)


@pytest.mark.parametrize(
    ("before", "first", "second"),
    [
        (None, "first", "second"),
        ("before", "first", "second"),
        ("before", None, None),
        ("before", None, "second"),
        ("before", "first", None),
    ],
)
def test_of_two_changes_of_the_guard_the_later_one_is_refused(
    path: Path, before: str | None, first: str | None, second: str | None
) -> None:
    with open_store(path, unlock=_unlock(before)) as store:
        kms = client_of(store)
        sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
    with open_existing(path, _unlock(before)) as one, open_existing(path, _unlock(before)) as two:
        change_protection(one, first)
        with pytest.raises(StoreError, match="changed by another program meanwhile"):
            change_protection(two, second)
    _opens(path, sealed, first)
    for wrong in {"before", "first", "second"} - {first}:
        if first is not None:
            with pytest.raises(StoreError, match="Wrong passphrase"):
                open_existing(path, _unlock(wrong))
    assert key_file_of(path).exists() == (first is None)


def test_an_empty_passphrase_protects_nothing(path: Path, sealed: bytes) -> None:
    with open_existing(path, _unlock(None)) as store, pytest.raises(StoreError, match="empty passphrase"):
        change_protection(store, "")
    _opens(path, sealed)


@pytest.fixture
def remaining(path: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch) -> Path | None:
    """The former key file that a change to a passphrase names, because it could not remove it."""

    def refuse(_path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch, open_existing(path, _unlock(None)) as store:
        patch.setattr(Path, "unlink", refuse)
        return change_protection(store, _PASSPHRASE)


def test_a_former_key_file_that_cannot_be_removed_is_told_and_goes_later(
    path: Path, sealed: bytes, remaining: Path | None
) -> None:
    assert remaining == key_file_of(path)
    assert key_file_of(path).exists()
    _opens(path, sealed, _PASSPHRASE)
    assert not key_file_of(path).exists()


@pytest.mark.usefixtures("remaining")
def test_a_key_file_that_is_not_the_former_one_stays(path: Path, sealed: bytes) -> None:
    key_file_of(path).write_text("that of another store, put here by hand")
    for _ in range(2):
        _opens(path, sealed, _PASSPHRASE)
    assert key_file_of(path).read_text() == "that of another store, put here by hand"


@pytest.mark.parametrize(("before", "after"), [(None, _PASSPHRASE), (_PASSPHRASE, None)])
def test_what_a_killed_change_left_of_a_key_file_goes_with_the_next_one(
    path: Path, before: str | None, after: str | None
) -> None:
    left = path.with_name(f".{key_file_of(path).name}.0123456789ab.part")
    with open_store(path, unlock=_unlock(before)) as store:
        left.touch()
        change_protection(store, after)
    assert not left.exists()


def test_a_disk_that_fails_after_the_change_does_not_hide_it(
    path: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_store: Store) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "empty_log", fail)
    with open_existing(path, _unlock(None)) as store:
        assert change_protection(store, _PASSPHRASE) is None
    _opens(path, sealed, _PASSPHRASE)


def test_a_guard_that_cannot_be_written_changes_nothing(
    path: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_existing(path, _unlock(None)) as store:

        def fail(*_: object) -> None:
            raise StoreError("the disk is full")

        monkeypatch.setattr(store, "protect", fail)
        with pytest.raises(StoreError, match="full"):
            change_protection(store, _PASSPHRASE)
    _opens(path, sealed)


@pytest.mark.parametrize("passphrase", [None, _PASSPHRASE])
def test_a_backup_is_the_store_for_its_owner_alone(
    path: Path, sealed: bytes, tmp_path: Path, passphrase: str | None
) -> None:
    target = tmp_path / "backups" / "copy.db"
    target.parent.mkdir()
    with open_existing(path, _unlock(None)) as store:
        if passphrase:
            change_protection(store, passphrase)
        back_up(store, target)
    names = {"copy.db"} | (set() if passphrase else {"copy.db.key"})
    assert {file.name for file in target.parent.iterdir()} == names
    assert {file.stat().st_mode & 0o777 for file in target.parent.iterdir()} == {0o600}
    _opens(target, sealed, passphrase)


def test_a_backup_holds_what_was_there_and_nothing_that_came_later(path: Path, tmp_path: Path) -> None:
    with open_store(path) as store:
        kms = client_of(store)
        before = kms.key()
        back_up(store, tmp_path / "copy.db")
        kms.key()
    with open_existing(tmp_path / "copy.db", _unlock(None)) as copy:
        assert [entry["KeyId"] for entry in client_of(copy)("ListKeys")["Keys"]] == [before]


def test_a_store_is_backed_up_while_others_write(path: Path, tmp_path: Path) -> None:
    with open_store(path) as store, open_store(path) as theirs:
        other, stop = client_of(theirs), threading.Event()
        made: list[str] = [other.key()]

        def write() -> None:
            while not stop.is_set():
                made.append(other.key())

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                back_up(store, tmp_path / f"{number}.db")
        finally:
            stop.set()
            writer.join()
    for number in range(5):
        with open_existing(tmp_path / f"{number}.db", _unlock(None)) as copy:
            assert list(find_problems(copy)) == []
            kept = {entry["KeyId"] for entry in client_of(copy).all("ListKeys", "Keys")}
            assert kept
            assert kept <= set(made)


@pytest.mark.parametrize("before", [None, "before"])
def test_a_backup_opens_though_the_guard_changes_meanwhile(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    after = None if before else "after"
    with open_store(path, unlock=_unlock(before)) as store:
        kms = client_of(store)
        sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
        copied: list[Store] = []
        copy_into = Store.copy_into

        def copy_then_change(source: Store, target: sqlite3.Connection) -> None:
            if not copied and after is None:
                change(after)
            copy_into(source, target)
            copied.append(source)
            if len(copied) == 1 and after is not None:
                change(after)

        def change(passphrase: str | None) -> None:
            with open_existing(path, _unlock(before)) as theirs:
                change_protection(theirs, passphrase)

        monkeypatch.setattr(Store, "copy_into", copy_then_change)
        protection = back_up(store, tmp_path / "copy.db")
    assert protection == ("passphrase" if after else "key file")
    assert key_file_of(tmp_path / "copy.db").exists() == (after is None)
    _opens(tmp_path / "copy.db", sealed, after)


def test_a_copy_whose_key_file_is_missing_is_none(path: Path, sealed: bytes, tmp_path: Path) -> None:
    with open_existing(path, _unlock(None)) as store:
        key_file_of(path).unlink()
        with pytest.raises(StoreError, match=r"key file .* is missing"):
            back_up(store, tmp_path / "copy.db")
        key_file_of(path).write_bytes(key_file_content(bytes(32)))
        with pytest.raises(StoreError, match="does not belong"):
            back_up(store, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))


def test_a_damaged_copy_is_no_backup(path: Path, sealed: bytes, tmp_path: Path) -> None:
    with open_existing(path, _unlock(None)) as store:
        row = store.one("SELECT rootpage FROM sqlite_schema WHERE name = 'keys_due'")
    assert row is not None
    with path.open("r+b") as file:
        file.seek((row[0] - 1) * 4096)
        file.write(b"\xff" * 8)
    with (
        open_existing(path, _unlock(None)) as store,
        pytest.raises(StoreError, match="copy of the store is damaged"),
    ):
        back_up(store, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_with_an_index_that_lacks_a_row_is_no_backup(
    path: Path, sealed: bytes, tmp_path: Path
) -> None:
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA writable_schema = ON")
        index = other.execute("SELECT * FROM sqlite_schema WHERE name = 'aliases_of_key'").fetchone()
        other.execute("DELETE FROM sqlite_schema WHERE name = 'aliases_of_key'")
        other.execute("PRAGMA writable_schema = RESET")
        other.execute("INSERT INTO aliases SELECT account, region, 'alias/a', row, 0, 0 FROM keys")
        other.execute("PRAGMA writable_schema = ON")
        other.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", index)
    other.close()
    with open_existing(path, _unlock(None)) as store, pytest.raises(StoreError, match="missing from index"):
        back_up(store, tmp_path / "copy.db")


def test_a_copy_that_finds_no_room_leaves_no_key_file(
    path: Path, sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", fail)
    with open_existing(path, _unlock(None)) as store, pytest.raises(FileError, match="No space"):
        back_up(store, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))


def test_a_key_file_that_opens_another_root_key_is_none(path: Path) -> None:
    key, other = bytes(32), RootKey(new_root_key())
    with pytest.raises(StoreError, match="opens another root key"):
        RootKey(new_root_key()).require_opens(key, other.under_key(key), path)
    other.require_opens(key, other.under_key(key), path)


@pytest.mark.parametrize("taken", ["copy.db", "copy.db.key", "copy.db-wal"])
def test_a_backup_overwrites_nothing(path: Path, sealed: bytes, tmp_path: Path, taken: str) -> None:
    directory = tmp_path / "backups"
    directory.mkdir()
    (directory / taken).write_bytes(b"mine")
    with open_existing(path, _unlock(None)) as store, pytest.raises(AlreadyThereError):
        back_up(store, directory / "copy.db")
    assert [(file.name, file.read_bytes()) for file in directory.iterdir()] == [(taken, b"mine")]


def test_a_backup_that_fails_leaves_nothing_behind(
    path: Path, sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "backups"
    with open_existing(path, _unlock(None)) as store:
        with pytest.raises(FileError):
            back_up(store, directory / "copy.db")
        directory.mkdir()

        def fail(_target: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(store, "copy_into", fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            back_up(store, directory / "copy.db")
    assert list(directory.iterdir()) == []


def test_a_store_is_told_in_figures(path: Path, clock: TestClock) -> None:
    with open_store(path, clock=clock) as store:
        kms = client_of(store)
        kms("DisableKey", KeyId=kms.key())
        kms.key()
        kms.in_region("us-east-1").key()
        found = store_info(store)
    assert (found.path, found.protection) == (path, Protection.KEY_FILE)
    assert found.version == len(MIGRATIONS)
    assert found.places == {(ACCOUNT, REGION): 2, (ACCOUNT, "us-east-1"): 1}
    assert found.states == {"Disabled": 1, "Enabled": 2}
    assert (found.events, found.oldest_event) == (4, START)
    assert found.size >= path.stat().st_size


def test_a_store_that_is_not_there_is_not_made(path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store"):
        open_existing(path, _unlock(None))
    assert not path.exists()


def test_the_oldest_calls_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_records, "MAX_EVENTS", 20)
    monkeypatch.setattr(call_records, "_EVERY", 10)
    kms = client_of(store)
    key_id = kms.key()
    kms("Encrypt", KeyId=key_id, Plaintext=b"x")
    for number in range(60):
        kms.describe(key_id)
        row = store.one("SELECT count(*), max(row) FROM events")
        assert row is not None
        assert row[0] < 30
        assert row[1] == number + 3
    assert kms("GetKeyLastUsage", KeyId=key_id)["KeyLastUsage"]["Operation"] == "Encrypt"


_TAKING_BACK = {
    6: ("ALTER TABLE materials DROP COLUMN fixed",),
    5: ("DROP TABLE account_policies",),
    2: ("DROP TABLE grants",),
    3: ("DROP TABLE custom_key_stores",),
    4: (
        "DROP INDEX events_of_key",
        "DROP INDEX events_of_source_key",
        *(
            f"ALTER TABLE events DROP COLUMN {column}"
            for column in ("key_account", "source_key", "message", "address", "agent")
        ),
    ),
}
"""Version -> what makes a store of it one of the version before."""


def test_a_store_that_a_newer_program_upgrades_meanwhile_is_left_to_it(
    path: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter([1, 1, 99])
    monkeypatch.setattr(store_opening, "_version", lambda connection: next(seen))
    with pytest.raises(StoreError, match="newer kms-tui"):
        open_store(path)
    monkeypatch.undo()
    _opens(path, sealed)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_store_of_an_older_version_is_brought_up_to_date(path: Path, version: int, sealed: bytes) -> None:
    with sqlite3.connect(path, isolation_level=None) as older:
        for newer in range(len(MIGRATIONS), version, -1):
            for statement in _TAKING_BACK[newer]:
                older.execute(statement)
        older.execute("DELETE FROM migrations WHERE version > ?", (version,))
        older.execute(f"PRAGMA user_version = {version}")
    _opens(path, sealed)
    with open_store(path) as store:
        kms = client_of(store)
        key_id = kms("ListKeys")["Keys"][0]["KeyId"]
        kms("CreateGrant", KeyId=key_id, GranteePrincipal=ACCOUNT, Operations=["Encrypt"])
        assert kms("DescribeCustomKeyStores")["CustomKeyStores"] == []
        assert store_info(store).version == len(MIGRATIONS)
        told = {
            event["EventName"]: event
            for event in LocalBackend(store, account_id=ACCOUNT, region=REGION).services.call(
                "cloudtrail", "LookupEvents", {}
            )["Events"]
        }
        assert told["Encrypt"]["Resources"][0]["ResourceName"].endswith(key_id)
