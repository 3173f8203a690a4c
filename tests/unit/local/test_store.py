"""The store: what it keeps, what it refuses to open, and what two users of one file do to each other."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kms_tui.backend.local import LocalBackend, Store, open_default, open_store
from kms_tui.backend.local.store import store_opening
from kms_tui.backend.local.store.schema import KEEP, MIGRATIONS
from kms_tui.backend.local.store.store_file import BUSY_SECONDS, failure
from kms_tui.backend.local.store.store_maintenance import change_protection
from kms_tui.backend.local.store.store_opening import open_existing
from kms_tui.kms.errors import StoreError
from tests.contract.client import KmsClient
from tests.unit.local.conftest import REGION, START, TestClock, client_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "somewhere" / "store.db"


def _fill(path: Path, **options: Any) -> tuple[str, bytes]:
    """A store with one key: its id, and something it sealed."""
    with open_store(path, **options) as store:
        kms = client_of(store)
        key_id = kms.key()
        return key_id, kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]


def _files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir()}


def _refused(path: Path, words: str, **options: Any) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreError, match=words) as caught:
        open_store(path, **options)
    assert path.name in str(caught.value)
    assert path.read_bytes() == before


def test_a_store_keeps_its_keys(path: Path) -> None:
    key_id, sealed = _fill(path)
    with open_store(path) as store:
        kms = client_of(store)
        assert kms.describe(key_id)["Enabled"]
        assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with open_store(path) as store:
            client_of(store).key()
            modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(modes, "0o600")
    assert {"store.db", "store.db.key"} <= set(modes)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_key_material_and_the_root_key_are_wrapped_on_the_disk(path: Path) -> None:
    from kms_tui.backend.local.store.key_material import generate_material

    made: list[bytes] = []

    class Spy:
        lazy = False

        def make(self, spec: str, key_id: str, material_id: str) -> bytes:
            made.append(generate_material(spec))
            return made[-1]

    with open_store(path, material=Spy()) as store:
        kms = client_of(store)
        kms.key()
        kms.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    assert len(made) == 2
    everything = b"".join(_files(path).values())
    assert not any(secret in everything for secret in made)


@pytest.mark.parametrize(
    "content", [b"hello", b"x" * 5000, b"SQLite format 3\0", b"SQLite format 3\0" + bytes(5000)]
)
def test_a_file_that_is_no_store_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    _refused(path, "not a kms-tui store")


def test_another_programs_database_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE keys (x)")
    other.close()
    _refused(path, "not a kms-tui store")
    assert set(_files(path)) == {"store.db"}


def test_a_store_of_a_newer_version_is_left_as_it_is(path: Path) -> None:
    _fill(path)
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    _refused(path, "newer kms-tui")


def test_a_store_cut_short_is_left_as_it_is_and_the_advice_loses_nothing(path: Path) -> None:
    _fill(path)
    path.write_bytes(path.read_bytes()[:6000])
    _refused(path, "malformed")
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert caught.value.next_step == KEEP


@pytest.mark.usefixtures("cheap_passphrases")
@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("DELETE FROM root_key", "0 root keys instead of one"),
        ("UPDATE root_key SET parameters = 'none'", "not a JSON object"),
        ("UPDATE root_key SET parameters = '[]'", "not a JSON object"),
        pytest.param(
            f"UPDATE root_key SET parameters = '{'[' * 100_000}'", "not a JSON object", id="nested deeply"
        ),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.salt', 'x')", "salt is not hexadecimal"),
        ("UPDATE root_key SET parameters = json_remove(parameters, '$.salt')", "salt is not hexadecimal"),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.kdf', 'other')", "not recorded in a way"),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.n', 'x')", "not recorded in a way"),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.n', 0)", "out of all bounds"),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.n', 12345)", "out of all bounds"),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.n', 1 << 40)", "out of all bounds"),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.r', 1 << 40)", "out of all bounds"),
        ("UPDATE root_key SET parameters = json_set(parameters, '$.p', -1)", "out of all bounds"),
        ("UPDATE root_key SET protection = 'a prayer'", "unknown to this kms-tui"),
        ("UPDATE root_key SET protection = 'memory'", "unknown to this kms-tui"),
        ("UPDATE root_key SET sealed = x'00'", "not whole"),
        ("UPDATE root_key SET sealed = zeroblob(60)", "Wrong passphrase"),
        ("DROP TABLE root_key", "no such table: root_key"),
        ("DROP TABLE keys", "no such table: keys"),
    ],
)
def test_a_damaged_root_key_is_told_in_a_sentence(path: Path, tampering: str, words: str) -> None:
    def unlock(new: bool) -> str:
        return "correct horse"

    _fill(path, unlock=unlock)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA foreign_keys = OFF")
        other.execute(tampering)
    other.close()
    _refused(path, words, unlock=unlock)


@pytest.mark.usefixtures("cheap_passphrases")
@pytest.mark.parametrize("passphrase", ["naïve", "\udcff"])
def test_any_text_is_a_passphrase(path: Path, passphrase: str) -> None:
    """Bytes of a terminal or a variable that are no UTF-8 become lone surrogates."""
    _, sealed = _fill(path, unlock=lambda new: passphrase)
    with open_store(path, unlock=lambda new: passphrase) as store:
        assert client_of(store)("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"
    _refused(path, "Wrong passphrase", unlock=lambda new: passphrase[1:] + "?")


def test_a_damaged_root_key_under_a_key_file_is_told_too(path: Path) -> None:
    _fill(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("UPDATE root_key SET parameters = 'none'")
    other.close()
    _refused(path, "not a JSON object")


def test_an_empty_passphrase_for_a_new_store_is_none(path: Path) -> None:
    _fill(path, unlock=lambda new: "")
    with open_store(path) as store:
        assert store.protection == "key file"


@pytest.mark.usefixtures("cheap_passphrases")
def test_a_guard_that_changes_while_its_passphrase_is_asked_for_is_asked_for_again(path: Path) -> None:
    asked: list[bool] = []

    def unlock(new: bool) -> str:
        asked.append(new)
        if len(asked) == 1:
            with open_store(path, unlock=lambda new: "first") as theirs:
                change_protection(theirs, "second")
            return "first"
        return "second"

    _fill(path, unlock=lambda new: "first")
    with open_store(path, unlock=unlock) as store:
        assert store.protection == "passphrase"
    assert asked == [False, False]


def test_a_home_folder_that_nobody_has_is_a_place_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="There is no store at ~nobody-has-it"):
        open_existing(Path("~nobody-has-it/store.db"), lambda new: None)


def test_a_change_is_synced_at_its_commit_and_the_record_of_a_reading_is_not(path: Path) -> None:
    full, normal = (2,), (1,)  # SQLite's words: a commit in its log is synced by FULL, and not by NORMAL
    with open_store(path) as store:
        kms = client_of(store)
        for work, synchronous in ((kms.key, full), (lambda: kms("ListKeys"), normal), (kms.key, full)):
            work()
            assert store.one("PRAGMA synchronous") == synchronous


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_BUSY, "Another program holds it"),
        (sqlite3.SQLITE_FULL, "Make room"),
        (sqlite3.SQLITE_IOERR | 1 << 8, "Look at the disk"),
        (sqlite3.SQLITE_CORRUPT, "safe place"),
        (sqlite3.SQLITE_ERROR, "store verify"),
    ],
)
def test_each_failure_names_its_next_step(path: Path, code: int, words: str) -> None:
    error = sqlite3.OperationalError("failed")
    error.sqlite_errorcode = code
    assert words in failure(path, error).next_step


def test_a_store_with_broken_tables_is_left_as_it_is(path: Path) -> None:
    _fill(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + os.urandom(4096 - 100) + whole[4096:])
    _refused(path, "store")


def test_names_that_are_no_text_are_damage(path: Path) -> None:
    """SQLite's message quotes them, and Python cannot read it."""
    _fill(path)
    whole = path.read_bytes()
    broken = whole.replace(b"tablelast_uses", b"table\xff\xfest_uses").replace(
        b"TABLE last_uses", b"TABLE (ast_uses"
    )
    path.write_bytes(broken)
    _refused(path, "names in it are no text")


def test_a_time_that_no_calendar_has_is_damage(store: Store, kms: KmsClient) -> None:
    key_id = kms.key()
    with store.write() as db:
        db.execute("UPDATE keys SET created_at = 1 << 62")
    with pytest.raises(StoreError, match="is no time"):
        kms.describe(key_id)


def test_damage_found_later_is_a_store_error(path: Path) -> None:
    _fill(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    with pytest.raises(StoreError), open_store(path) as store:
        client_of(store)("ListKeys")


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_store(tmp_path)


def test_a_place_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be"):
        open_store(tmp_path / "file" / "store.db")


def test_a_store_without_its_key_file_stays_shut(path: Path) -> None:
    _fill(path)
    key_file = path.with_name("store.db.key")
    content = key_file.read_bytes()
    key_file.unlink()
    _refused(path, "key file .* is missing")
    key_file.write_bytes(content.replace(content[-9:-1], b"00000000"))
    _refused(path, "does not belong")
    key_file.write_bytes(b"rubbish")
    _refused(path, "not a kms-tui key file")
    key_file.write_bytes(content)
    with open_store(path) as store:
        assert store.protection == "key file"


def test_a_passphrase_opens_what_it_made_and_no_other_does(path: Path) -> None:
    asked: list[bool] = []

    def unlock(new: bool) -> str:
        asked.append(new)
        return "correct horse"

    _, sealed = _fill(path, unlock=unlock)
    assert set(_files(path)) == {"store.db"}
    _refused(path, "Wrong passphrase", unlock=lambda new: "battery staple")
    _refused(path, "protected by a passphrase", unlock=lambda new: None)
    _refused(path, "protected by a passphrase")
    with open_store(path, unlock=unlock) as store:
        assert store.protection == "passphrase"
        assert client_of(store)("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"
        (parameters,) = store.one("SELECT parameters FROM root_key") or ("{}",)
    assert asked == [True, False]
    owasp_floor = {"kdf": "scrypt", "n": 2**15, "r": 8, "p": 1}
    assert owasp_floor.items() <= json.loads(parameters).items()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE materials SET wrapped = zeroblob(60)",
        "UPDATE materials SET wrapped = x''",
        "UPDATE materials SET wrapped = (SELECT wrapped FROM materials ORDER BY row DESC LIMIT 1)",
    ],
)
def test_tampered_material_is_noticed(path: Path, tampering: str) -> None:
    with open_store(path) as store:
        kms = client_of(store)
        key_id, _ = kms.key(), kms.key()
        with store.write() as db:
            db.execute(tampering)
        with pytest.raises(StoreError, match="tampered"):
            kms("Encrypt", KeyId=key_id, Plaintext=b"x")


def test_material_is_not_served_from_memory_once_another_process_changed_it(path: Path) -> None:
    with open_store(path) as one, open_store(path) as two:
        kms, other = client_of(one), client_of(two)
        key_id = kms.key()
        sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        other("DisableKey", KeyId=key_id)
        kms.refused("Decrypt", "DisabledException", CiphertextBlob=sealed)
        with two.write() as db:
            db.execute("UPDATE materials SET wrapped = zeroblob(60)")
        other("EnableKey", KeyId=key_id)
        with pytest.raises(StoreError, match="tampered"):
            kms("Decrypt", CiphertextBlob=sealed)


def test_what_another_process_changes_is_seen_by_the_next_call(path: Path) -> None:
    with open_store(path) as one, open_store(path) as two:
        kms, other = client_of(one), client_of(two)
        first, second = kms.key(), kms.key()
        kms.refused("DescribeKey", "NotFoundException", KeyId="alias/a")
        other("CreateAlias", AliasName="alias/a", TargetKeyId=first)
        assert kms.describe("alias/a")["KeyId"] == first
        other("UpdateAlias", AliasName="alias/a", TargetKeyId=second)
        assert kms.describe("alias/a")["KeyId"] == second
        other("DisableKey", KeyId=second)
        kms.refused("Encrypt", "DisabledException", KeyId="alias/a", Plaintext=b"x")


def test_a_change_is_made_to_what_is_there_when_it_is_made(path: Path) -> None:
    """Within its transaction a call reads the store itself: what the other did before it is kept."""
    with open_store(path) as one, open_store(path) as two:
        kms, other = client_of(one), client_of(two)
        key_id = kms.key()
        described = partial(one.remembered, itemgetter(0), "SELECT description FROM keys")
        one.notice_changes()
        assert described() == ""
        other("UpdateKeyDescription", KeyId=key_id, Description="theirs")
        assert described() == ""
        with one.write():
            assert described() == "theirs"
        assert described() == "theirs"


def test_a_row_is_read_once_until_something_changes(path: Path) -> None:
    with open_store(path) as store:
        kms = client_of(store)
        key_id = kms.key()
        kms("Encrypt", KeyId=key_id, Plaintext=b"x")
        asked = _statements(store)
        kms("Encrypt", KeyId=key_id, Plaintext=b"x")
        assert [sql.split()[0] for sql in asked] == ["PRAGMA", "BEGIN", "INSERT", "INSERT", "COMMIT"]
        kms("TagResource", KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "b"}])
        asked.clear()
        kms("Encrypt", KeyId=key_id, Plaintext=b"x")
        assert [sql.split()[0] for sql in asked].count("SELECT") == 3


def _statements(store: Store) -> list[str]:
    """What SQLite is asked from now on."""
    asked: list[str] = []
    store._file.connection.set_trace_callback(asked.append)
    return asked


def test_calls_made_together_are_recorded_in_one_transaction_in_their_order(path: Path) -> None:
    with open_store(path) as store:
        kms = client_of(store)
        one, two = kms.key(), kms.key()
        asked = _statements(store)
        with store.together():
            for key_id in (one, two, one):
                kms("Encrypt", KeyId=key_id, Plaintext=b"x")
            kms.refused("Encrypt", "NotFoundException", KeyId="nobody", Plaintext=b"x")
            assert "COMMIT" not in asked
        assert asked.count("COMMIT") == 1
        assert store.rows("SELECT key_id, error FROM events ORDER BY row")[2:] == [
            (one, ""),
            (two, ""),
            (one, ""),
            (None, "NotFoundException"),
        ]
        assert kms("GetKeyLastUsage", KeyId=two)["KeyLastUsage"]["Operation"] == "Encrypt"


def test_a_change_among_calls_made_together_is_on_the_disk_at_once(path: Path) -> None:
    with open_store(path) as store, open_store(path) as other:
        kms = client_of(store)
        with store.together():
            kms("GenerateRandom", NumberOfBytes=1)
            key_id = kms.key()
            assert client_of(other).describe(key_id)["KeyState"] == "Enabled"
        names = [name for (name,) in store.rows("SELECT operation FROM events ORDER BY row")]
        assert names == ["CreateKey", "DescribeKey", "GenerateRandom"]


def test_other_threads_are_not_among_calls_made_together(path: Path) -> None:
    """What they do is recorded when their call returns; so they wait."""
    with open_store(path) as store:
        kms, recorded = client_of(store), []

        def call() -> None:
            kms("ListKeys")
            recorded.append(store.one("SELECT count(*) FROM events WHERE operation = 'ListKeys'"))

        thread = threading.Thread(target=call)
        with store.together():
            thread.start()
            kms("GenerateRandom", NumberOfBytes=1)
        thread.join()
        assert recorded == [(1,)]


def test_the_use_of_a_key_that_was_deleted_meanwhile_is_still_an_event(path: Path) -> None:
    with open_store(path) as store, open_store(path) as other:
        kms = client_of(store)
        key_id = kms.key()
        with store.together():
            kms("Encrypt", KeyId=key_id, Plaintext=b"x")
            with other.write() as db:
                db.execute("DELETE FROM keys")
        assert store.one("SELECT operation FROM events ORDER BY row DESC") == ("Encrypt",)
        assert store.one("SELECT count(*) FROM last_uses") == (0,)


def test_every_call_leaves_an_event_without_secrets(store: Store, kms: KmsClient) -> None:
    key_id = kms.key()
    kms("Encrypt", KeyId=key_id, Plaintext=b"top secret", EncryptionContext={"a": "b"})
    kms.refused("EnableKey", "NotFoundException", KeyId="nothing")
    kms.refused("EnableKey", "ValidationException", KeyId="x" * 10_000)
    rows = store.rows("SELECT operation, key_id, error, request, caller, region FROM events ORDER BY row")
    caller = "arn:aws:iam::111122223333:user/administrator"
    assert rows == [
        ("CreateKey", key_id, "", "{}", caller, REGION),
        ("Encrypt", key_id, "", f'{{"KeyId":"{key_id}","EncryptionContext":{{"a":"b"}}}}', caller, REGION),
        ("EnableKey", None, "NotFoundException", '{"KeyId":"nothing"}', caller, REGION),
        ("EnableKey", None, "ValidationException", "{}", caller, REGION),
    ]


def test_a_refused_change_leaves_nothing_but_its_event(store: Store, kms: KmsClient) -> None:
    key_id = kms.key(Tags=[{"TagKey": str(number), "TagValue": ""} for number in range(50)])
    kms.refused("TagResource", "TagException", KeyId=key_id, Tags=[{"TagKey": "x", "TagValue": ""}])
    assert store.one("SELECT count(*) FROM tags") == (50,)
    assert store.one("SELECT error FROM events ORDER BY row DESC") == ("TagException",)


def test_what_belongs_to_a_key_goes_with_it(path: Path) -> None:
    with open_store(path) as store:
        client_of(store).key()
        with store.write() as db:
            db.execute("DELETE FROM keys")
        assert store.one("SELECT (SELECT count(*) FROM materials), (SELECT count(*) FROM policies)") == (0, 0)


def test_threads_share_a_store(path: Path) -> None:
    with open_store(path) as store:
        kms = client_of(store)
        key_id = kms.key()
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for step in range(20):
                    plaintext = f"{number}/{step}".encode()
                    sealed = kms("Encrypt", KeyId=key_id, Plaintext=plaintext)["CiphertextBlob"]
                    assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == plaintext
                    kms.key()
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert store.one("SELECT count(*) FROM keys") == (121,)
        assert store.one("SELECT count(*) FROM events") == (1 + 6 * 60,)


_WRITER = """
import sys
from kms_tui.backend.local import LocalBackend, open_store
backend = LocalBackend(open_store(sys.argv[1]), account_id="111122223333", region="eu-west-1")
for _ in range(int(sys.argv[2])):
    print(backend.call("CreateKey", {})["KeyMetadata"]["KeyId"], flush=True)
"""


def _writer(path: Path, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), str(count)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_make_and_fill_one_store_lose_nothing(path: Path) -> None:
    writers = [_writer(path, 25) for _ in range(3)]
    made = [line for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert len(made) == 75
    with open_store(path) as store:
        assert {key_id for (key_id,) in store.rows("SELECT key_id FROM keys")} == set(made)


class _Hindered:
    """A connection whose switch to a log fails with ``code`` the first ``times`` times."""

    def __init__(self, code: int, times: int) -> None:
        self._code, self.left, self._mode = code, times, "delete"

    def execute(self, sql: str) -> Any:
        if "=" in sql:
            if self.left:
                self.left -= 1
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = self._code
                raise error
            self._mode = "wal"
        return SimpleNamespace(fetchone=lambda: (self._mode,))


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moments that were slept, by which alone time passes."""
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    monkeypatch.setattr(store_opening, "time", clock)
    return slept


def test_who_opens_a_store_while_others_do_waits_for_them(passing: list[float]) -> None:
    connection: Any = _Hindered(sqlite3.SQLITE_BUSY, 3)
    store_opening._use_log(connection)
    assert (connection.execute("PRAGMA journal_mode").fetchone(), len(passing)) == (("wal",), 3)


@pytest.mark.parametrize(("code", "waits"), [(sqlite3.SQLITE_BUSY, True), (sqlite3.SQLITE_IOERR, False)])
def test_nobody_is_waited_for_without_end_or_without_reason(
    passing: list[float], code: int, waits: bool
) -> None:
    connection: Any = _Hindered(code, 100_000)
    with pytest.raises(sqlite3.OperationalError):
        store_opening._use_log(connection)
    assert (sum(passing) > BUSY_SECONDS) is waits


def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    writer = _writer(path, 100_000)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(30)]
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    with open_store(path) as store:
        kms = client_of(store)
        for key_id in acknowledged:
            sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"
        assert store.one("PRAGMA integrity_check") == ("ok",)


def test_a_store_that_was_never_finished_is_begun_again(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    _fill(path)


def test_opening_and_listing_cost_no_more_with_many_keys(path: Path, clock: TestClock) -> None:
    _fill(path, clock=clock)
    with open_store(path, clock=clock) as store:
        for sql in (
            "SELECT key_id FROM keys WHERE account = ? AND region = ? AND key_id > ? ORDER BY key_id LIMIT ?",
            "SELECT row FROM keys WHERE due_at <= ? ORDER BY due_at LIMIT 1",
        ):
            plan = store.rows(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?"))
            assert all("SEARCH" in row[3] and "INDEX" in row[3] for row in plan), plan


def test_the_default_store_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: TestClock
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("KMS_TUI_PASSPHRASE", raising=False)
    backend = open_default()
    backend.call("CreateKey", {})
    assert backend.store.path == tmp_path / "kms-tui" / "store.db"
    backend.store.close()
    monkeypatch.setenv("KMS_TUI_PASSPHRASE", "sesame")
    other = open_default(tmp_path / "other.db", region="eu-west-1")
    assert (other.region, other.store.protection) == ("eu-west-1", "passphrase")
    other.store.close()


def test_a_store_opens_in_the_account_that_its_keys_are_of(path: Path) -> None:
    with open_store(path) as store:
        LocalBackend(store, account_id="444455556666", region=REGION).call("CreateKey", {})
    backend = open_default(path)
    assert backend.account_id == "444455556666"
    backend.store.close()


def test_the_clock_and_the_ids_are_those_it_was_given(path: Path, clock: TestClock) -> None:
    from kms_tui.backend.local.store.sources import SeededIds

    described = []
    for _ in range(2):
        with open_store(clock=clock, ids=SeededIds("same")) as store:
            described.append(client_of(store)("CreateKey")["KeyMetadata"])
    assert described[0] == described[1]
    assert described[0]["CreationDate"] == START
