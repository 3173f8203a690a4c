"""``kms-tui store seed``: filling a store, checking, exporting, and what it says."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from kms_tui.backend.local import open_default
from kms_tui.seed.seed_shape import schema_text
from tests.unit.cli.conftest import Run
from tests.unit.seed.seeds import ID, SEEDS


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a store may be; none is there."""
    monkeypatch.delenv("KMS_TUI_PASSPHRASE", raising=False)
    return str(tmp_path / "store.db")


def _seed(folder: Path, text: str, name: str = "keys.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_a_seed_makes_a_store(run: Run, store: str, tmp_path: Path) -> None:
    seed = _seed(tmp_path, f"region: eu-west-1\nkeys:\n- {{id: {ID.format(1)}, aliases: orders}}\n- {{}}\n")
    ended = run("store", "seed", seed, "--store", store)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.decode() == f"{seed} was put into {store}: 2 keys.\n"
    with open_default(Path(store), region="eu-west-1").store as opened:
        assert opened.rows("SELECT name FROM aliases") == [("alias/orders",)]
    again = run("store", "seed", seed, "--store", store)
    assert again.code == 1
    assert again.err.splitlines() == [
        *(
            f"kms-tui store: {seed}: {store} holds {taken} of account 111122223333 in eu-west-1 already."
            for taken in (f"the key {ID.format(1)}", "alias/orders")
        ),
        "Nothing was changed.",
    ]


def test_a_seed_that_is_refused_makes_no_store(run: Run, store: str, tmp_path: Path) -> None:
    for text, problem in (
        ("keys: [{created_at: 2999-01-01}]", "line 1: keys[0] has a created_at in the future."),
        ("keys: [{fixed_material: {hex: '%s'}}]" % ("00" * 32), "line 1: keys[0] has fixed key material"),
        ("keys: 1", "line 1: keys is the number 1, expected a list of keys."),
    ):
        ended = run("store", "seed", _seed(tmp_path, text), "--store", store)
        assert ended.code == 1
        assert problem in ended.err
        assert not Path(store).exists()


def test_principals_and_fixed_material_are_told(run: Run, store: str) -> None:
    sample = str(SEEDS / "accounts.yaml")
    ended = run("store", "seed", sample, "--store", store, "--allow-fixed-material")
    assert ended.code == 0
    assert "9 keys (3 with fixed key material), 1 user, 1 role, 1 policy" in ended.out.decode()
    assert "No store keeps access keys" in ended.out.decode()
    info = run("store", "info", "--store", store).out.decode()
    assert re.search("Fixed key material +in 3 of the keys: whoever has the seed has these\n", info)
    assert (
        json.loads(run("store", "info", "--store", store, "--format", "json").out)["keys_with_fixed_material"]
        == 3
    )


def test_a_check_says_everything_and_makes_nothing(run: Run, tmp_path: Path) -> None:
    ended = run("store", "seed", "--check", str(SEEDS / "local-kms.yaml"))
    assert ended.code == 0
    assert ended.out.decode().endswith("is sound: 7 keys (6 with fixed key material).\n")
    assert "CreationDate is not read." in ended.err
    bad = "".join(f"- {{spec: {number}}}\n" for number in range(30))
    ended = run("store", "seed", "--check", "-", stdin=f"keys:\n{bad}".encode())
    assert ended.code == 1
    lines = ended.err.splitlines()
    assert (
        lines[0]
        == "kms-tui store: standard input, line 2: keys[0].spec is the number 0, expected a key spec."
    )
    assert lines[-2:] == ["kms-tui store: 10 more things are wrong.", "Nothing was changed."]
    assert list(tmp_path.iterdir()) == []


def test_what_a_seed_says_cannot_reach_the_terminal(run: Run) -> None:
    ended = run("store", "seed", "--check", "-", stdin=b'keys: [{spec: "\\e[31m\\u202e"}]')
    assert ended.code == 1
    assert "\x1b" not in ended.err
    assert "\u202e" not in ended.err


def test_an_export_fills_another_store(run: Run, store: str, tmp_path: Path) -> None:
    run("store", "seed", str(SEEDS / "accounts.yaml"), "--store", store, "--allow-fixed-material")
    printed = run("store", "seed", "--export", "--store", store)
    assert (printed.code, printed.err) == (0, "")
    whole, other = str(tmp_path / "whole.json"), str(tmp_path / "other.db")
    written = run(
        "store", "seed", "--export", "--store", store, "-o", whole, "--format", "json", "--with-material"
    )
    assert written.out.decode() == f"{whole} holds 9 keys.\n"
    assert stat.S_IMODE(Path(whole).stat().st_mode) == 0o600
    assert run("store", "seed", whole, "--store", other, "--allow-fixed-material").code == 0
    assert run("store", "seed", "--export", "--store", other).out == printed.out
    assert run("store", "verify", "--store", other).code == 0
    again = run("store", "seed", "--export", "--store", store, "-o", whole)
    assert (again.code, "--overwrite" in again.err) == (1, True)
    assert run("store", "seed", "--export", "--store", store, "-o", whole, "--overwrite").code == 0


def test_the_schema_is_printed(run: Run) -> None:
    ended = run("store", "seed", "--schema")
    assert (ended.code, ended.out.decode()) == (0, schema_text())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("keys.yaml", "--export"),
        ("keys.yaml", "--schema"),
        ("--export", "--schema"),
        ("--check",),
        ("keys.yaml", "-o", "x"),
        ("keys.yaml", "--with-material"),
        ("--schema", "--overwrite"),
    ],
)
def test_flags_that_contradict_each_other(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run("store", "seed", *arguments)
    assert (ended.code, ended.out) == (2, b"")


def test_a_store_that_is_not_there_is_not_exported(run: Run, store: str) -> None:
    ended = run("store", "seed", "--export", "--store", store)
    assert (ended.code, ended.out) == (1, b"")
    assert not Path(store).exists()
