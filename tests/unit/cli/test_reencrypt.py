"""``kms-tui reencrypt`` on a local store: what is printed, exit codes, and refusals before anything moves."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import aws_encryption_sdk
import pytest
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

from kms_tui.demo import demo_backend
from kms_tui.envelope.header import describe
from kms_tui.envelope.keys import BackendKeys
from kms_tui.kms.errors import EndpointError
from kms_tui.reencryption import file_moves
from tests.unit.cli.conftest import Ended, Run
from tests.unit.reencryption.samples import Account, SopsSample, an_account


@pytest.fixture
def account(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with an_account(tmp_path_factory.mktemp("store") / "store.db") as account:
        monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda connection: account.backend)
        yield account


@pytest.fixture
def tree(run: Run, account: Account) -> Path:
    """In the empty folder of ``run``: a file of each form, and one that is none."""
    tree = Path("tree")
    (tree / "sub").mkdir(parents=True)
    (tree / "message").write_bytes(account.sealed(account.old))
    (tree / "plain").write_bytes(account.encrypted(b"x", account.old))
    (tree / "sub" / "conf.yaml").write_text(SopsSample(account, account.old).yaml())
    (tree / "README").write_text("hello\n")
    return tree


def text(ended: Ended) -> str:
    return ended.out.decode()


def test_a_tree_is_moved_and_then_there_is_nothing_to_do(run: Run, account: Account, tree: Path) -> None:
    done = run("reencrypt", "-r", "tree", "--to", account.new)
    assert (done.code, done.err) == (0, "")
    assert text(done).splitlines() == [
        f"moved  tree/message  Encryption SDK message: was under {account.old}. "
        "Sealed anew under a new data key.",
        f"moved  tree/plain  KMS ciphertext, binary: was under {account.old}.",
        f"moved  tree/sub/conf.yaml  sops, YAML: was under {account.old}. "
        "Its data key alone is wrapped anew.",
        "Files: 3 moved, 1 without a ciphertext.",
    ]
    again = run("reencrypt", "-r", "tree", "--to", account.new)
    assert again.code == 0
    assert text(again).splitlines()[-1] == "Files: 3 already there, 1 without a ciphertext."


def test_the_outcome_as_json(run: Run, account: Account, tree: Path) -> None:
    (tree / "cut").write_bytes(account.sealed(account.old)[:600])
    done = run(
        "reencrypt", "-r", "tree", "--to", account.new, "--from", account.old, "--dry-run", "--format", "json"
    )
    document = json.loads(done.out)
    assert {name: document[name] for name in ("to", "from", "dry_run", "counts", "not_looked_at")} == {
        "to": account.new,
        "from": account.old,
        "dry_run": True,
        "counts": {"would move": 4, "no ciphertext": 1},
        "not_looked_at": 0,
    }
    assert [Path(file["path"]).name for file in document["files"]] == ["cut", "message", "plain", "conf.yaml"]
    assert document["files"][3] == {
        "path": "tree/sub/conf.yaml",
        "status": "would move",
        "form": "sops, YAML",
        "keys": [account.old],
        "sentence": "Its data key alone is wrapped anew.",
        "next_step": "",
    }
    assert done.code == 0


@pytest.mark.parametrize("damage", ["cut", "missing", "both"])
def test_the_exit_code_says_what_is_not_done(run: Run, account: Account, tree: Path, damage: str) -> None:
    names = ["tree"]
    if damage in ("cut", "both"):
        (tree / "cut").write_bytes(account.sealed(account.old)[:600])
    if damage in ("missing", "both"):
        names.append("missing")
    done = run("reencrypt", "-r", *names, "--to", account.new)
    assert done.code == {"cut": 1, "missing": 2, "both": 2}[damage]
    assert "3 moved" in text(done)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tree"], "add -r"),
        (["tree", "-r", "--overwrite"], "--overwrite goes with --out-dir"),
        (["tree", "-r", "--context", "a"], "not KEY=VALUE"),
        (["tree", "-r", "--context", "a=b", "--context", "a=c"], "given twice"),
        (["tree", "-r", "--to-context", "a=b", "--to-context", "a=c"], "given twice"),
        (["tree", "-r", "--read-only"], "only --dry-run"),
        (["tree", "-r", "--demo", "--check-with-sops"], "sops asks AWS"),
    ],
)
def test_bad_usage(run: Run, account: Account, tree: Path, arguments: list[str], said: str) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    done = run("reencrypt", *arguments, "--to", account.new)
    assert (done.code, done.out) == (2, b"")
    assert said in done.err
    assert before == {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}


@pytest.mark.parametrize("table", ["profiles.default", "accounts.111122223333"])
def test_what_the_configuration_makes_read_only_is_tried_and_not_moved(
    run: Run, account: Account, tree: Path, table: str
) -> None:
    Path("config.toml").write_text(f"[{table}]\nread_only = true\n")
    before = (tree / "plain").read_bytes()
    done = run("reencrypt", "-r", "tree", "--to", account.new)
    assert (done.code, done.out) == (2, b"")
    assert "The move was not sent: 111122223333 is read-only.\nThe configuration" in done.err
    assert (tree / "plain").read_bytes() == before
    assert run("reencrypt", "-r", "tree", "--to", account.new, "--dry-run").code == 0


def test_an_account_that_is_read_only_among_others_takes_nothing(run: Run, tree: Path) -> None:
    there = demo_backend(other_accounts=True).in_account("222233334444")
    to = there.call("DescribeKey", {"KeyId": "alias/lake-raw"})["KeyMetadata"]["Arn"]
    Path("config.toml").write_text("[accounts.222233334444]\nread_only = true\n")
    done = run("reencrypt", "-r", "tree", "--to", to, "--demo", "--accounts", "organization")
    assert (done.code, done.out) == (2, b"")
    assert "The move was not sent: data-platform 222233334444 is read-only." in done.err


@pytest.mark.parametrize("key", ["gone", "disabled", "same"])
def test_a_wrong_key_is_said_before_anything_moves(run: Run, account: Account, tree: Path, key: str) -> None:
    account.backend.call("DisableKey", {"KeyId": account.other})
    to = {"gone": "alias/none", "disabled": account.other, "same": account.old}[key]
    before = (tree / "plain").read_bytes()
    done = run("reencrypt", "-r", "tree", "--to", to, "--from", account.old)
    assert (done.code, done.out) == (2, b"")
    assert {"gone": "alias/none", "disabled": "its state is Disabled", "same": "are one key"}[key] in done.err
    assert (tree / "plain").read_bytes() == before


def test_a_stop_leaves_the_rest_and_says_what_is_done(
    run: Run, account: Account, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_file = file_moves.move_file

    def stop_at_second(file: object, options: object) -> object:
        outcome = move_file(file, options)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGINT)
        return outcome

    monkeypatch.setattr(file_moves, "move_file", stop_at_second)
    done = run("reencrypt", "-r", "tree", "--to", account.new)
    assert done.code == 130
    assert "Stopped. No unfinished file was left behind." in done.err
    assert "not looked at" in text(done)
    monkeypatch.undo()


def test_where_kms_is_gone_the_rest_is_not_tried(
    run: Run, account: Account, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = account.backend.call

    def call(operation: str, params: object) -> object:
        if operation == "ReEncrypt":
            raise EndpointError("The endpoint did not answer.")
        return before(operation, params)  # type: ignore[arg-type]

    monkeypatch.setattr(account.backend, "call", call)
    done = run("reencrypt", "-r", "tree", "--to", account.new)
    assert (done.code, "did not answer" in done.err) == (2, True)
    assert text(done).splitlines()[-1] == "Files: 1 moved, 1 without a ciphertext, 2 not looked at."


def test_a_large_message_shows_how_far_it_is(run: Run, account: Account, tree: Path) -> None:
    done = run("reencrypt", "tree/message", "--to", account.new, terminal=("stderr",))
    assert done.code == 0
    assert "message" in done.err


def test_names_of_files_and_keys_are_made_visible(run: Run, account: Account, tree: Path) -> None:
    (tree / "evil\x1b[2J").write_text(
        SopsSample(account, account.old).json().replace(account.old, "\\u001b[31marn")
    )
    (tree / "long").write_text(SopsSample(account, account.old).json().replace(account.old, "x" * 99_999))
    done = run("reencrypt", "-r", "tree", "--to", account.new)
    assert done.code == 1
    assert b"\x1b" not in done.out
    assert max(map(len, text(done).splitlines())) < 1000


def test_no_secret_is_printed(run: Run, account: Account, tree: Path) -> None:
    sample = SopsSample(account, account.old)
    (tree / "conf.json").write_text(sample.json())
    done = run("reencrypt", "-r", "tree", "--to", account.new, "--format", "json")
    for secret in (sample.data_key.hex(), "hunter2", sample.wrapped[0][1].hex(), sample.value):
        assert secret not in text(done) + done.err


@pytest.mark.parametrize("exit_code", [0, 100])
def test_sops_has_a_say(
    run: Run, account: Account, tree: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int
) -> None:
    program = Path("bin/sops").absolute()
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {program}.called\ncat > {program}.input\nexit {exit_code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    before = (tree / "sub" / "conf.yaml").read_bytes()
    aws = ("--endpoint-url", "http://127.0.0.1:9")
    done = run("reencrypt", "-r", "tree", "--to", account.new, "--check-with-sops", *aws)
    after = (tree / "sub" / "conf.yaml").read_bytes()
    assert (done.code, after == before) == ((0, False) if exit_code == 0 else (1, True))
    assert account.new.encode() in Path(f"{program}.input").read_bytes()
    assert "--input-type yaml" in Path(f"{program}.called").read_text()


def test_without_sops_on_path_there_is_no_check(
    run: Run, account: Account, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tree.absolute()))
    done = run("reencrypt", "-r", "tree", "--to", account.new, "--check-with-sops")
    assert (done.code, "There is no sops on PATH." in done.err) == (2, True)


def test_a_message_without_key_commitment_must_be_allowed(run: Run, account: Account, tree: Path) -> None:
    keys = BackendKeys(backend=account.backend, on_step=lambda step: None)
    keys.add_master_key(account.old)
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
    )
    message, _ = client.encrypt(
        source=b"x", key_provider=keys, algorithm=AlgorithmSuite.AES_256_GCM_IV12_TAG16_HKDF_SHA256
    )
    (tree / "message").write_bytes(message)
    done = run("reencrypt", "tree/message", "--to", account.new)
    assert (done.code, "without key commitment" in text(done)) == (1, True)
    assert run("reencrypt", "tree/message", "--to", account.new, "--allow-uncommitted").code == 0
    assert describe((tree / "message").read_bytes()).committed
