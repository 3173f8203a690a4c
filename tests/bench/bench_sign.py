"""How fast a file is signed and verified, against openssl in the same run.

    python -m tests.bench.bench_sign [--mib 1024] [--rounds 3] [--directory DIR]

Both read the file, digest it with SHA-256 and sign the digest with a P-256 key; kms-tui's key is in an
offline store, openssl's in a file. Both are timed from exec to exit, kms-tui with an empty file too, which is
the start of Python and of the store. CPU seconds are those of the whole process, and bear a busy machine
better.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import open_default

MIB = 1 << 20
KMS_TUI = (sys.executable, "-m", "kms_tui")


class Taken(NamedTuple):
    """Wall and CPU seconds."""

    wall: float
    cpu: float


def timed(command: Sequence[str]) -> Taken:
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Taken(time.perf_counter() - started, cpu)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.directory) as name:
        measure(Path(name), args.mib, args.rounds)


def measure(folder: Path, mib: int, rounds: int) -> None:
    source, empty, store = folder / "source", folder / "empty", folder / "store.db"
    with source.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))
    empty.touch()
    kms = Kms(open_default(store, region="eu-west-1", unlock=lambda new: None))
    arn = kms.call("CreateKey", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    private, public = str(folder / "private"), str(folder / "public")
    ecparam = ("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private)
    subprocess.run(ecparam, check=True)
    subprocess.run(
        ("openssl", "ec", "-in", private, "-pubout", "-out", public), check=True, capture_output=True
    )
    ours, theirs = str(folder / "ours"), str(folder / "theirs")
    key = ("--store", str(store), "--key", arn)
    sign = (*KMS_TUI, "sign", "--overwrite", "-o", ours, *key)
    dgst = ("openssl", "dgst", "-sha256")
    commands = {
        "start": (*sign, str(empty)),
        "sign": (*sign, str(source)),
        "openssl sign": (*dgst, "-sign", private, "-out", theirs, str(source)),
        "verify": (*KMS_TUI, "verify", "--signature", ours, *key, str(source)),
        "openssl verify": (*dgst, "-verify", public, "-signature", theirs, str(source)),
    }
    runs: dict[str, list[Taken]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(timed(command))
    found = {
        name: Taken(*(median(each) for each in zip(*taken, strict=True))) for name, taken in runs.items()
    }
    for name, taken in found.items():
        print(f"{name:<16}{taken.wall:7.2f} s wall {taken.cpu:7.2f} s CPU")
    for name in ("sign", "verify"):
        whole = found[name].wall / found[f"openssl {name}"].wall
        bare = (found[name].wall - found["start"].wall) / found[f"openssl {name}"].wall
        print(f"{name}: {whole:.2f} x openssl, {bare:.2f} x without the start")


if __name__ == "__main__":
    main()
