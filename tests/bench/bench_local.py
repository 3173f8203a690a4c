"""What a call of the offline KMS costs, and what a large store costs to open.

    python tests/bench/bench_local.py [--calls 5000] [--keys 100000]

Encrypt: ``LocalBackend.call`` in process, on a store in memory and on one on the disk, against the bare
AES-GCM with one SQLite read by primary key; and what the rest is spent on, step by step. Opening: a store
with many keys, and its first page of ListKeys, against the same with 100 keys.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.engine.ciphertext_blob import seal
from kms_tui.backend.local.engine.request_validation import check_request
from kms_tui.backend.local.store.call_records import CallRecord
from kms_tui.backend.local.store.key_rows import key_by_id, next_due
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_material import current_material

ACCOUNT, REGION = "111122223333", "eu-west-1"


def micros(work: Callable[[], object], calls: int) -> float:
    """CPU microseconds a call, the best of five rounds: this machine is not ours alone."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(calls // 5):
            work()
        rounds.append((time.process_time() - started) / (calls // 5) * 1e6)
    return min(rounds)


def backend_on(store: Store) -> LocalBackend:
    return LocalBackend(store, account_id=ACCOUNT, region=REGION)


def encrypting(store: Store) -> tuple[LocalBackend, dict[str, object]]:
    backend = backend_on(store)
    key_id = backend.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    return backend, {"KeyId": key_id, "Plaintext": b"x" * 64, "EncryptionContext": {"tenant": "a"}}


def bench_encrypt(calls: int, directory: Path) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE bare (row INTEGER PRIMARY KEY, value BLOB)")
    connection.execute("INSERT INTO bare VALUES (1, zeroblob(60))")
    cipher, nonce = AESGCM(bytes(32)), bytes(12)

    def bare() -> None:
        connection.execute("SELECT value FROM bare WHERE row = ?", (1,)).fetchone()
        cipher.encrypt(nonce, b"x" * 64, b"")

    floor = micros(bare, calls)
    print(f"bare AES-GCM and one SQLite read     {floor:7.1f} us CPU")
    for place, store in (("memory", open_store()), ("disk", open_store(directory / "encrypt.db"))):
        with store:
            backend, params = encrypting(store)
            cost = micros(lambda backend=backend, params=params: backend.call("Encrypt", params), calls)  # type: ignore[misc]
            print(
                f"LocalBackend.call Encrypt, {place:6}    {cost:7.1f} us CPU  "
                f"{1e6 / cost:7.0f} calls/s  {cost / floor:5.1f} x bare"
            )
            if place == "disk":
                steps(backend, params, calls)


def steps(backend: LocalBackend, params: dict[str, object], calls: int) -> None:
    store, key_id = backend.store, str(params["KeyId"])
    key = key_by_id(store, ACCOUNT, REGION, key_id)
    assert key is not None
    cipher, now = AESGCM(bytes(32)), store.now()
    where = ("", now, ACCOUNT, REGION, "Encrypt", key_id)
    record = CallRecord(*where, "a" * 50, "", "{}" * 60, ACCOUNT, None, "", "", "", ())

    def eight_events() -> None:
        with store.together():
            for _ in range(8):
                store.record(record)

    for name, work in (
        ("check the request", lambda: check_request("Encrypt", params)),
        ("has another process written?", store.notice_changes),
        ("is anything due?", lambda: next_due(store)),
        ("read the key", lambda: key_by_id(store, ACCOUNT, REGION, key_id)),
        ("read its material", lambda: current_material(store, key)),
        ("seal", lambda: seal(cipher, ACCOUNT, key_id, "00" * 32, b"x" * 64, {"tenant": "a"})),
        ("commit an event", lambda: store.record(record)),
        ("commit eight of a group", eight_events),
    ):
        print(f"  {name:28} {micros(work, calls):7.1f} us CPU")


def fill(path: Path, keys: int) -> None:
    """A store with many keys: one as it is made, and its likes."""
    with open_store(path) as store:
        backend_on(store).call("CreateKey", {})
        names = [row[1] for row in store.rows("PRAGMA table_info(keys)")]
        copied = ", ".join(
            {"row": "value + 1", "key_id": "lower(hex(randomblob(18)))"}.get(name, name) for name in names
        )
        with store.write() as db:
            db.execute(
                "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers "
                f"WHERE value < {keys - 1}) INSERT INTO keys SELECT {copied} FROM numbers, keys WHERE row = 1"
            )


def bench_open(path: Path, keys: int) -> float:
    """Milliseconds to open a store and list its first page, the median of 15."""
    fill(path, keys)
    rounds = []
    for _ in range(15):
        started = time.perf_counter()
        with open_store(path) as store:
            page = backend_on(store).call("ListKeys", {})
        rounds.append((time.perf_counter() - started) * 1e3)
        assert len(page["Keys"]) == 100
    print(f"open and list with {keys:6} keys        {statistics.median(rounds):7.2f} ms")
    return statistics.median(rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--keys", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bench_encrypt(arguments.calls, Path(name))
        few = bench_open(Path(name) / "few.db", 100)
        many = bench_open(Path(name) / "many.db", arguments.keys)
        print(f"  ratio                  {many / few:7.2f}")


if __name__ == "__main__":
    main()
