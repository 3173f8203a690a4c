"""A store in memory goes back to an earlier state."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend, open_default, open_ephemeral, open_store
from kms_tui.backend.local.account_policies.account_rows import AccountRow, RowKind
from kms_tui.backend.local.store.snapshots import StoreSnapshot
from kms_tui.backend.local.store.stored_account import StoredAccount, replace_account
from kms_tui.kms.errors import ServiceError


def _key(backend: LocalBackend) -> str:
    return str(backend.call("CreateKey", {})["KeyMetadata"]["KeyId"])


def test_all_that_was_done_since_is_undone_and_what_was_there_works() -> None:
    backend = open_ephemeral()
    kept = _key(backend)
    sealed = backend.call("Encrypt", {"KeyId": kept, "Plaintext": b"text"})["CiphertextBlob"]
    snapshot = StoreSnapshot(backend.store)
    lost = _key(backend)
    backend.call("ScheduleKeyDeletion", {"KeyId": kept})
    snapshot.put_into(backend.store)
    assert backend.call("Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"text"
    with pytest.raises(ServiceError, match="does not exist"):
        backend.call("DescribeKey", {"KeyId": lost})
    assert _key(backend) != lost


def test_a_state_can_be_gone_back_to_again_and_again() -> None:
    backend = open_ephemeral()
    empty = StoreSnapshot(backend.store)
    for _ in range(3):
        _key(backend)
        assert len(backend.call("ListKeys", {})["Keys"]) == 1
        empty.put_into(backend.store)
    assert backend.call("ListKeys", {})["Keys"] == []


def test_a_second_store_begins_in_the_state_and_leaves_the_first_alone() -> None:
    backend = open_ephemeral()
    key = _key(backend)
    snapshot = StoreSnapshot(backend.store)
    backend.call("DisableKey", {"KeyId": key})
    with snapshot.opened(backend.store) as store:
        earlier = backend.on_store(store)
        assert earlier.call("DescribeKey", {"KeyId": key})["KeyMetadata"]["KeyState"] == "Enabled"
        assert earlier.call("Encrypt", {"KeyId": key, "Plaintext": b"x"})["CiphertextBlob"]
        earlier.call("UpdateKeyDescription", {"KeyId": key, "Description": "elsewhere"})
    described = backend.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
    assert (described["KeyState"], described["Description"]) == ("Disabled", "")


def test_account_policies_of_another_state_do_not_pass_for_those_of_this_one() -> None:
    """Rows are counted anew after going back: the same number is another state."""
    store = open_ephemeral().store
    stored, empty = StoredAccount(store), StoreSnapshot(store)
    states = set()
    for name in ("ada", "bob"):
        replace_account(store, [AccountRow(RowKind.USER, "111122223333", name, {"UserName": name})])
        states.add(stored.state())
        assert stored.state() == stored.state_now()
        empty.put_into(store)
    assert stored.state() is None
    assert len(states) == 2


def test_a_store_on_the_disk_has_no_states_to_go_back_to(tmp_path: Path) -> None:
    backend = open_default(tmp_path / "store.db")
    with backend.store, pytest.raises(ValueError, match="in memory"):
        StoreSnapshot(backend.store)


def test_a_state_of_another_store_is_refused() -> None:
    with open_store() as one, open_store() as other, pytest.raises(ValueError, match="of another KMS"):
        StoreSnapshot(one).put_into(other)


def test_a_store_in_memory_that_nobody_has_any_more_is_closed() -> None:
    backend = open_ephemeral()
    _key(backend)
    connection = backend.store._connection
    del backend
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
