"""A run that is killed at any moment leaves each file as it was, or moved; another run ends the work."""

from __future__ import annotations

import base64
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from kms_tui.cli import main
from kms_tui.envelope import sops_file
from kms_tui.envelope.header import describe, looks_like_message
from kms_tui.kms.errors import ServiceError
from tests.unit.reencryption.samples import PLAINTEXT, Account, SopsSample, an_account

FILES = 200
KILLS = 4
PLAIN = b"plain"


@pytest.mark.slow
def test_no_file_is_lost_when_the_run_is_killed(tmp_path: Path) -> None:
    store, tree = tmp_path / "store.db", tmp_path / "tree"
    tree.mkdir()
    moments = random.Random(7)
    with an_account(store) as account:
        secret = SopsSample(account, account.old)
        for number in range(FILES):
            content = (
                account.sealed(account.old),
                base64.encodebytes(account.encrypted(PLAIN, account.old)),
                secret.yaml().encode(),
            )[number % 3]
            (tree / f"{number:03}").write_bytes(content)
        arguments = ["reencrypt", "-r", str(tree), "--store", str(store), "--region", "eu-west-1"]
        arguments += ["--from", account.old, "--to", account.new]
        for _ in range(KILLS):
            process = subprocess.Popen(
                [sys.executable, "-m", "kms_tui", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            before = inodes(tree)
            while inodes(tree) == before and process.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.random() / 10)
            process.kill()
            process.wait()
            keys = Counter(key_of(account, secret, path) for path in files(tree))
            assert keys.total() == FILES
            assert set(keys) <= {account.old, account.new}
        assert keys[account.new] > 0
        assert main(arguments) == 0
        assert {key_of(account, secret, path) for path in files(tree)} == {account.new}
        assert len(os.listdir(tree)) == FILES, "unfinished files are removed"


def files(tree: Path) -> list[Path]:
    return sorted(tree.glob("[0-9]*"))


def inodes(tree: Path) -> set[int]:
    """Those of the files: one that is moved to the new key is put in the place of the former."""
    with os.scandir(tree) as entries:
        return {entry.inode() for entry in entries if entry.name.isdigit()}


def key_of(account: Account, secret: SopsSample, path: Path) -> str:
    """The key under which a file opens to what it held."""
    content = path.read_bytes()
    if looks_like_message(content[:4]):
        (key,) = describe(content).keys
        assert account.unsealed(content, key.name) == PLAINTEXT
        return key.name
    if content.startswith(b"#"):
        file = sops_file.read(content.decode())
        assert file is not None
        (wrapped,) = file.keys
        assert account.decrypted(wrapped.blob(), wrapped.arn.value) == secret.data_key
        return wrapped.arn.value
    for name in (account.old, account.new):
        try:
            assert account.decrypted(base64.b64decode(content), name) == PLAIN
        except ServiceError:
            continue
        return name
    raise AssertionError(f"{path} does not open")
