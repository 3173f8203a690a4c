"""``kms-tui store``: what it says, what it asks for, and how it ends."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from kms_tui.backend.local import open_default
from kms_tui.backend.local.store.root_key import Protection, key_file_of
from kms_tui.cli import main
from tests.unit.cli.conftest import Run


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two keys, guarded by a key file."""
    for name in ("KMS_TUI_PASSPHRASE", "KMS_TUI_NEW_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "store.db"
    backend = open_default(path)
    backend.call("CreateKey", {})
    key_id = backend.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    backend.call("DisableKey", {"KeyId": key_id})
    backend.store.close()
    return path


def _typing(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """A person at the terminal who gives these answers; what was asked."""
    asked: list[str] = []
    given = iter(answers)

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return next(given)

    monkeypatch.setattr("kms_tui.cli.store_command.getpass.getpass", getpass)
    monkeypatch.setattr("kms_tui.cli.store_command.at_terminal", lambda: True)
    return asked


def test_info_tells_the_store_in_figures(run: Run, path: Path) -> None:
    ended = run("store", "info", "--store", str(path))
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.decode().splitlines()
    assert lines[0].split() == ["Store", str(path)]
    assert "Guarded by" in lines[3]
    assert lines[3].endswith("a key file")
    assert [line.split() for line in lines[4:8]] == [
        ["Keys", "2"],
        ["Disabled", "1"],
        ["Enabled", "1"],
        ["111122223333", "us-east-1", "2"],
    ]
    assert lines[8].split(maxsplit=2) == ["Account", "policies", "no account policies"]
    assert "3 (the newest 100,000 are kept)" in lines[9]


def test_info_as_json(run: Run, path: Path) -> None:
    ended = run("store", "info", "--store", str(path), "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert found.pop("bytes") > 0
    assert datetime.fromisoformat(found.pop("oldest_event")).tzinfo is not None
    assert isinstance(found.pop("schema"), int)
    assert found == {
        "path": str(path),
        "guarded_by": "key file",
        "keys": 2,
        "keys_by_state": {"Disabled": 1, "Enabled": 1},
        "keys_by_place": [{"account": "111122223333", "region": "us-east-1", "keys": 2}],
        "keys_with_fixed_material": 0,
        "account_policies": {},
        "events": 3,
    }


def test_verify_as_json(run: Run, path: Path) -> None:
    command = ("store", "verify", "--store", str(path), "--format", "json")
    ended = run(*command)
    assert ended.code == 0
    sound = {"path": str(path), "sound": True, "keys": 2, "materials": 2, "problems": []}
    assert json.loads(ended.out) == sound
    with sqlite3.connect(path) as db:
        db.execute("UPDATE materials SET wrapped = zeroblob(60)")
    db.close()
    ended = run(*command)
    found = json.loads(ended.out)
    assert (ended.code, found["sound"], len(found["problems"])) == (1, False, 2)
    assert all("does not unwrap" in problem["problem"] for problem in found["problems"])


def test_the_default_store_is_meant_where_none_is_named(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms_tui.backend.local.default_store.default_path", lambda: path)
    for arguments in ([], ["--local"]):
        assert str(path) in run("store", "info", *arguments).out.decode()


def test_verify_says_that_a_store_is_sound(run: Run, path: Path) -> None:
    ended = run("store", "verify", "--store", str(path))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.decode() == f"{path} is sound: 2 keys and 2 key materials.\n"


def test_verify_tells_every_problem_and_fails(run: Run, path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE materials SET wrapped = zeroblob(60)")
        db.execute("UPDATE keys SET origin = 'A' || char(27) || ']0;x'  WHERE row = 1")
    db.close()
    ended = run("store", "verify", "--store", str(path))
    assert ended.code == 1
    out = ended.out.decode()
    assert out.count("does not unwrap") == 2
    assert "\x1b" not in out
    assert "things are wrong with" in ended.err
    assert "to a safe place before anything else" in ended.err


def test_backup_copies_the_store_and_says_what_it_needs(run: Run, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    ended = run("store", "backup", str(target), "--store", str(path))
    assert ended.code == 0
    assert str(key_file_of(target)) in ended.out.decode()
    assert run("store", "verify", "--store", str(target)).code == 0
    again = run("store", "backup", str(target), "--store", str(path))
    assert again.code == 1
    assert "exists already" in again.err


def test_a_new_passphrase_comes_from_the_environment(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KMS_TUI_NEW_PASSPHRASE", "correct horse")
    ended = run("store", "passwd", "--store", str(path))
    assert (ended.code, ended.out.decode()) == (0, f"{path} is guarded by a passphrase now.\n")
    assert "correct horse" not in ended.out.decode() + ended.err
    refused = run("store", "verify", "--store", str(path))
    assert refused.code == 1
    assert "protected by a passphrase" in refused.err
    monkeypatch.setenv("KMS_TUI_PASSPHRASE", "wrong")
    assert "Wrong passphrase" in run("store", "verify", "--store", str(path)).err
    monkeypatch.setenv("KMS_TUI_PASSPHRASE", "correct horse")
    assert run("store", "verify", "--store", str(path)).code == 0
    ended = run("store", "passwd", "--key-file", "--store", str(path))
    assert "Whoever can read both files can use its keys." in ended.out.decode()
    monkeypatch.delenv("KMS_TUI_PASSPHRASE")
    assert run("store", "verify", "--store", str(path)).code == 0


def test_a_former_key_file_that_stays_is_named(run: Run, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMS_TUI_NEW_PASSPHRASE", "correct horse")
    monkeypatch.setattr(
        "kms_tui.backend.local.store.store_maintenance.change_protection", lambda *_: key_file_of(path)
    )
    ended = run("store", "passwd", "--store", str(path))
    assert ended.code == 0
    assert f"Its former key file {key_file_of(path)} could not be removed" in ended.out.decode()


def test_backup_says_what_protects_the_copy(
    run: Run, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "kms_tui.backend.local.store.store_maintenance.back_up", lambda *_: Protection.PASSPHRASE
    )
    ended = run("store", "backup", str(tmp_path / "copy.db"), "--store", str(path))
    assert "key file" not in ended.out.decode()


def test_passphrases_are_asked_for_at_a_terminal(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _typing(monkeypatch, "first", "first", "first", "second", "second", "second")
    assert run("store", "passwd", "--store", str(path)).code == 0
    assert run("store", "passwd", "--store", str(path)).code == 0
    assert run("store", "verify", "--store", str(path)).code == 0
    new = ["New passphrase: ", "Once more: "]
    assert asked == [*new, "Passphrase of the store: ", *new, "Passphrase of the store: "]


def test_passphrases_that_differ_change_nothing(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typing(monkeypatch, "first", "second")
    ended = run("store", "passwd", "--store", str(path))
    assert ended.code == 1
    assert "differ; nothing was changed" in ended.err
    assert run("store", "verify", "--store", str(path)).code == 0


def test_no_passphrase_is_none(run: Run, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run("store", "passwd", "--store", str(path))
    assert ended.code == 1
    assert "KMS_TUI_NEW_PASSPHRASE" in ended.err
    _typing(monkeypatch, "")
    assert run("store", "passwd", "--store", str(path)).code == 1
    assert run("store", "verify", "--store", str(path)).code == 0


def test_a_store_without_a_passphrase_keeps_its_key_file(run: Run, path: Path) -> None:
    ended = run("store", "passwd", "--key-file", "--store", str(path))
    assert ended.code == 1
    assert "has no passphrase" in ended.err


@pytest.mark.parametrize("command", [["info"], ["verify"], ["passwd"], ["backup", "copy.db"]])
def test_a_store_that_is_not_there_is_not_made(run: Run, tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "none.db"
    ended = run("store", *command, "--store", str(path))
    assert ended.code == 1
    assert "There is no store" in ended.err
    assert not path.exists()


@pytest.mark.parametrize(
    "arguments", [[], ["mend"], ["backup"], ["info", "--local", "--store", "x"], ["info", "x"]]
)
def test_bad_usage_ends_with_2(run: Run, arguments: list[str]) -> None:
    assert run("store", *arguments).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("store", "info"),
        ("store", "verify"),
        ("store", "passwd"),
        ("store", "backup", "copy.db"),
        ("report",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_empty", [True, False])
def test_no_command_that_looks_makes_a_store(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    is_empty: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "none.db"
    if is_empty:
        path.touch()
    assert main([*arguments, "--store", str(path)]) == (2 if arguments == ("report",) else 1)
    assert f"There is no store at {path}{': the file is empty' * is_empty}." in capsys.readouterr().err
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b""] * is_empty
