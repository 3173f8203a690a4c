"""How fast files are sealed and opened, and in how much memory; all variants side by side in one run.

    python -m tests.bench.bench_envelope [--mib 1024] [--rounds 3] [--directory DIR] [--cli PATH]

Each measurement is a process of its own with its peak resident memory. ``library`` is ``seal_file`` and
``unseal_file`` on a local store, ``sdk`` aws-encryption-sdk used bare with the same frame length and
algorithm suite and a key that needs no KMS: both are timed without starting Python. ``command`` is kms-tui's
own command, ``cli`` aws-encryption-cli at its defaults against moto's server: both from exec to exit. The
latter is left out where ``--cli`` names none, as it wants a virtual environment of its own. A tmpfs as DIR
leaves the disk out of it. CPU seconds are those of the whole process, and bear a busy machine better.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kms_tui.backend.local import open_default
from tests.endpoints.moto import MotoEndpoint

MIB = 1 << 20
SMALL = 64
BARE = """
import sys, time
import aws_encryption_sdk as sdk
from aws_encryption_sdk.identifiers import Algorithm, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider

class Keys(RawMasterKeyProvider):
    provider_id = "bench"
    def _get_raw_key(self, key_id):
        algorithm = WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING
        return WrappingKey(algorithm, bytes(32), EncryptionKeyType.SYMMETRIC)

mode, source, target = sys.argv[1:]
keys, more, frame = Keys(), {}, 1 << 20
keys.add_master_key("key")
if mode == "seal":
    more = {"frame_length": frame, "algorithm": Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY}
started = time.perf_counter()
with open(source, "rb") as plain, open(target, "wb") as sealed:
    stream = sdk.EncryptionSDKClient().stream(mode={"seal": "e", "open": "d"}[mode],
        source=plain, key_provider=keys, **more)
    while chunk := stream.read(frame):
        sealed.write(chunk)
print(time.perf_counter() - started)
"""
LIBRARY = """
import sys, time
from pathlib import Path
from kms_tui.backend.local import open_default
from kms_tui.envelope.files import seal_file, unseal_file

mode, source, target, store, key = sys.argv[1:]
backend = open_default(Path(store))
started = time.perf_counter()
if mode == "seal":
    seal_file(Path(source), Path(target), backend=backend, keys=[key])
else:
    unseal_file(Path(source), Path(target), backend=backend)
print(time.perf_counter() - started)
"""
# A child's peak counts what its parent had when it started it, so the parent must be a small one.
LAUNCHER = """
import os, sys, time
started = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Run:
    seconds: float
    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True)
class Variant:
    """How one tool is started: ``{source}`` and ``{target}`` stand for the files."""

    name: str
    sealing: Sequence[str]
    opening: Sequence[str]
    environ: Mapping[str, str]


def measure(command: Sequence[str], environ: Mapping[str, str], source: Path, target: Path) -> Run:
    files = {"{source}": str(source), "{target}": str(target)}
    words = [files.get(word, word) for word in command]
    target.unlink(missing_ok=True)
    launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, *words]
    done = subprocess.run(launch, env=dict(environ), stdout=subprocess.PIPE, check=True)
    *own_time, whole_time, cpu, peak = map(float, done.stdout.split())
    return Run(own_time[0] if own_time else whole_time, cpu, peak)


@contextlib.contextmanager
def variants(directory: Path, cli: str | None) -> Iterator[list[Variant]]:
    store = directory / "store.db"
    key = open_default(store).call("CreateKey", {})["KeyMetadata"]["Arn"]
    command = [sys.executable, "-m", "kms_tui"]
    library, bare = [sys.executable, "-c", LIBRARY], [sys.executable, "-c", BARE]
    files, where = ["{source}", "{target}"], ["{source}", "-o", "{target}", "--store", str(store)]
    environ = dict(os.environ)
    found = [
        Variant(
            "library",
            [*library, "seal", *files, str(store), key],
            [*library, "open", *files, str(store), key],
            environ,
        ),
        Variant("sdk", [*bare, "seal", *files], [*bare, "open", *files], environ),
        Variant(
            "command", [*command, "encrypt", "--key", key, *where], [*command, "decrypt", *where], environ
        ),
    ]
    if cli is None:
        yield found
        return
    with MotoEndpoint() as endpoint:
        environ |= {
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        create = "import boto3; print(boto3.client('kms').create_key()['KeyMetadata']['Arn'])"
        made = subprocess.run([sys.executable, "-c", create], env=environ, capture_output=True, check=True)
        paths = ["--input", "{source}", "--output", "{target}", "--suppress-metadata"]
        keys = ["--wrapping-keys", f"key={made.stdout.decode().strip()}"]
        yield [*found, Variant("cli", [cli, "-e", *paths, *keys], [cli, "-d", *paths, *keys], environ)]


Runs = dict[tuple[str, str], list[Run]]


def rounds_of(found: Sequence[Variant], directory: Path, mib: int, rounds: int) -> Runs:
    """Every variant once a round, so that whatever else the machine does meets all of them."""
    plain, sealed, opened = directory / f"plain{mib}", directory / "sealed", directory / "opened"
    runs: Runs = {(variant.name, step): [] for variant in found for step in ("seal", "open")}
    for _ in range(rounds):
        for variant in found:
            runs[variant.name, "seal"].append(measure(variant.sealing, variant.environ, plain, sealed))
            runs[variant.name, "open"].append(measure(variant.opening, variant.environ, sealed, opened))
            if opened.stat().st_size != mib * MIB:
                raise SystemExit(f"{variant.name} opened {opened.stat().st_size} bytes of {mib * MIB}")
    return runs


def write_plaintext(path: Path, mib: int) -> None:
    block = os.urandom(MIB)
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(block)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--directory", type=Path, help="where the files go (default: the temporary directory)"
    )
    parser.add_argument("--cli", default=shutil.which("aws-encryption-cli"), help="aws-encryption-cli")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.directory) as name, variants(Path(name), args.cli) as found:
        directory = Path(name)
        for mib in (SMALL, args.mib):
            write_plaintext(directory / f"plain{mib}", mib)
        small = rounds_of(found, directory, SMALL, 1)
        rates: dict[tuple[str, str], float] = {}
        print(f"{'':14}    MB/s   CPU s  peak MiB  at {SMALL} MiB")
        for what, runs in rounds_of(found, directory, args.mib, args.rounds).items():
            rates[what] = args.mib * MIB / statistics.median(run.seconds for run in runs) / 1e6
            peak, peak_small = (max(run.peak_mib for run in each) for each in (runs, small[what]))
            cpu = statistics.median(run.cpu_seconds for run in runs)
            print(f"{what[0]:8} {what[1]:5} {rates[what]:7.0f} {cpu:7.2f} {peak:9.0f} {peak_small:10.0f}")
        for ours, other in (("library", "sdk"), ("command", "cli")):
            for step in ("seal", "open"):
                if (other, step) in rates:
                    print(f"{ours} / {other}, {step}: {rates[ours, step] / rates[other, step]:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
