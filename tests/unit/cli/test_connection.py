"""Opening what the flags choose: what a person is asked for a local store."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.cli.connection import open_backend
from kms_tui.kms.errors import StoreError
from kms_tui.session import Connection, Kind, Prompt


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.delenv("KMS_TUI_PASSPHRASE", raising=False)
    return Connection(Kind.LOCAL, store=tmp_path / "store.db")


def _answering(asked: list[str], *answers: str | None) -> Prompt:
    given = iter(answers)

    def prompt(question: str) -> str | None:
        asked.append(question)
        return next(given)

    return prompt


def _open(connection: Connection, prompt: Prompt) -> None:
    backend = open_backend(connection, prompt)
    assert isinstance(backend, LocalBackend)
    backend.store.close()


def _protection(connection: Connection, passphrase: str | None) -> str:
    assert connection.store is not None
    with open_store(connection.store, unlock=lambda new: passphrase) as store:
        return store.protection


def test_the_passphrase_of_a_new_store_is_asked_for_twice(connection: Connection) -> None:
    asked: list[str] = []
    _open(connection, _answering(asked, "sesame", "sesame"))
    assert [question.split(".")[0] for question in asked] == [
        "Passphrase for the new store",
        "The same passphrase once more",
    ]
    assert _protection(connection, "sesame") == "passphrase"


def test_passphrases_that_differ_make_no_store(connection: Connection) -> None:
    with pytest.raises(StoreError, match="differ, so no store was made"):
        _open(connection, _answering([], "sesame", "sesam"))
    assert connection.store is not None
    assert not connection.store.exists()


def test_no_passphrase_is_asked_for_once(connection: Connection) -> None:
    asked: list[str] = []
    _open(connection, _answering(asked, ""))
    assert len(asked) == 1
    assert _protection(connection, None) == "key file"


def test_the_passphrase_of_a_store_that_is_there_is_asked_for_once(connection: Connection) -> None:
    _open(connection, _answering([], "sesame", "sesame"))
    asked: list[str] = []
    _open(connection, _answering(asked, "sesame"))
    assert asked == ["Passphrase of the store."]


@pytest.mark.parametrize("answers", [(None,), ("sesame", None)])
def test_who_declines_opens_nothing(connection: Connection, answers: tuple[str | None, ...]) -> None:
    with pytest.raises(StoreError, match="was not opened"):
        _open(connection, _answering([], *answers))
    assert connection.store is not None
    assert not connection.store.exists()


def test_the_environment_answers_for_a_person(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KMS_TUI_PASSPHRASE", "sesame")
    _open(connection, _answering([]))
    assert _protection(connection, "sesame") == "passphrase"
