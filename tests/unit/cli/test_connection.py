"""Opening what the flags choose: what a person is asked for a local store."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.cli.connection import add_connection_flags, connection_from, notice_of, open_backend
from kms_tui.cli.standard_streams import Parser
from kms_tui.denials.layer_files import LayerFiles
from kms_tui.kms.errors import StoreError
from kms_tui.session import BackendKind, Connection, Prompt


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.delenv("KMS_TUI_PASSPHRASE", raising=False)
    return Connection(BackendKind.LOCAL, store=tmp_path / "store.db")


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


def _chosen(*flags: str) -> Connection:
    parser = Parser()
    add_connection_flags(parser)
    return connection_from(parser, parser.parse_args(flags))


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ((), None),
        (("--region", "eu-west-1"), BackendKind.AWS),
        (("--profile", "prod"), BackendKind.AWS),
        (("--endpoint-url", "http://127.0.0.1:1"), BackendKind.AWS),
        (("--demo",), BackendKind.DEMO),
        (("--demo", "--region", "eu-west-1", "--as", "arn"), BackendKind.DEMO),
        (("--local",), BackendKind.LOCAL),
        (("--store", "x", "--region", "eu-west-1", "--as", "arn", "--iam-policy", "p"), BackendKind.LOCAL),
    ],
)
def test_the_flags_choose_the_kms(flags: tuple[str, ...], kind: BackendKind | None) -> None:
    assert _chosen(*flags).kind is kind


@pytest.mark.parametrize(
    "flags",
    [
        ("--demo", "--local"),
        ("--demo", "--store", "x"),
        ("--profile", "p", "--demo"),
        ("--endpoint-url", "u", "--local"),
        ("--as", "arn"),
        ("--iam-policy", "p", "--demo"),
        ("--scp", "p", "--demo"),
        ("--as", "arn", "--session-policy", "p"),
    ],
)
def test_flags_that_contradict_each_other_are_bad_usage(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _chosen(*flags)
    assert ended.value.code == 2
    assert "error: --" in capsys.readouterr().err


def test_the_flags_say_how_the_kms_is_opened() -> None:
    flags = ("--store", "x", "--region", "eu-west-1", "--as", "arn", "--iam-policy", "p", "--read-only")
    assert _chosen(*flags) == Connection(
        BackendKind.LOCAL,
        region="eu-west-1",
        store=Path("x"),
        caller_arn="arn",
        layer_files=LayerFiles(identity=(Path("p"),)),
        read_only=True,
    )


def test_a_session_is_told_that_a_store_lies_open(connection: Connection) -> None:
    for answers, notice in ((("",), "UNPROTECTED STORE"), (("sesame", "sesame"), "")):
        backend = open_backend(connection, _answering([], *answers))
        assert isinstance(backend, LocalBackend)
        assert notice_of(backend) == notice
        backend.store.close()
        assert connection.store is not None
        connection.store.unlink()
