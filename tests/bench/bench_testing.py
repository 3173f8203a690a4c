"""A test on the plugin's KMS against the same test on moto's decorator, side by side in one run.

    python -m tests.bench.bench_testing [--rounds 5] [--calls 300] [--seconds 3]

Start-up is a pytest process with one test, from exec to exit, beside one whose test needs neither. Per call
is what a boto3 client takes for it. Per test is what begins and ends a test: moto's decorator, which resets
its backends, against the fixture, which puts the KMS back after a change. Then snapshots, in process and over
HTTP; and requests a second of ``kms-tui serve`` without and with policies to judge, every request signed.
Figures are medians.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.credentials import Credentials
from moto import mock_aws

from kms_tui.testing import LocalKms
from tests.bench.bench_serve import SERVE, Load, Server, load, once, request, running

REGION = "us-east-1"
PLUGIN = ("-p", "no:kms_tui", "-p", "kms_tui.pytest_plugin")
_USE = """
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
"""
TESTS = {
    "neither": "import boto3\n\ndef test_it():\n    boto3.client\n",
    "moto": f"import boto3\nfrom moto import mock_aws\n\n@mock_aws\ndef test_it():{_USE}",
    "plugin": f"import boto3\n\ndef test_it(local_kms):{_USE}",
}
SEED: Mapping[str, Any] = {"keys": [{"aliases": [f"key-{number}"]} for number in range(20)]}
PRINCIPALS = tuple(f"arn:aws:iam::111122223333:role/{name}" for name in ("app", "batch"))


def millis(run: Callable[[], object], times: int) -> float:
    """How long one run takes, in milliseconds, over so many."""
    started = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - started) / times * 1000


def millis_after(change: Callable[[], object], run: Callable[[], object], times: int) -> float:
    """The same, where each run follows a change that is not counted."""
    taken = 0.0
    for _ in range(times):
        change()
        taken += millis(run, 1)
    return taken / times


def start(folder: Path, name: str) -> float:
    """Milliseconds of a pytest process with one test."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment["PYTHONPATH"] = os.getcwd()
    plugin = PLUGIN if name == "plugin" else ("-p", "no:kms_tui")
    command = [sys.executable, "-m", "pytest", *plugin, "-q", "-p", "no:cacheprovider", f"test_{name}.py"]
    run = partial(subprocess.run, command, cwd=folder, env=environment, check=True, capture_output=True)
    return millis(run, 1)


def calls(kms: Any) -> dict[str, Callable[[], object]]:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    return {
        "Encrypt": lambda: kms.encrypt(KeyId=key, Plaintext=b"p" * 32),
        "GenerateDataKey": lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
        "DescribeKey": lambda: kms.describe_key(KeyId=key),
    }


def moto_test() -> None:
    with mock_aws():
        pass


def plugin_test(kms: LocalKms) -> None:
    """What the fixture does around a test."""
    kms.reset()
    with kms:
        pass


def report(what: str, moto: list[float], ours: list[float]) -> None:
    theirs, plugin = median(moto), median(ours)
    print(f"{what:<28} moto {theirs:9.2f} ms   plugin {plugin:9.2f} ms   {theirs / plugin:6.1f} x")


def starts(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for test, text in TESTS.items():
            (folder / f"test_{test}.py").write_text(text)
        for test in TESTS:
            start(folder, test)
        taken: dict[str, list[float]] = {test: [] for test in TESTS}
        for _ in range(rounds):
            for test, figures in taken.items():
                figures.append(start(folder, test))
    base = median(taken["neither"])
    report("start-up, one test", taken["moto"], taken["plugin"])
    report(
        f"  beyond pytest ({base:.0f} ms)",
        [figure - base for figure in taken["moto"]],
        [figure - base for figure in taken["plugin"]],
    )


def per_call(rounds: int, times: int) -> None:
    kms = LocalKms(region=REGION)
    taken: dict[str, tuple[list[float], list[float]]] = {}
    for _ in range(rounds):
        with mock_aws():
            theirs = {name: millis(call, times) for name, call in calls(boto3.client("kms", REGION)).items()}
        with kms:
            for name, call in calls(boto3.client("kms", REGION)).items():
                moto, ours = taken.setdefault(name, ([], []))
                moto.append(theirs[name])
                ours.append(millis(call, times))
    kms.close()
    for name, (moto, ours) in taken.items():
        report(name, moto, ours)


def per_test(rounds: int, times: int) -> None:
    moto, empty, full = [], [], []
    bare, seeded = LocalKms(region=REGION), LocalKms(SEED, region=REGION)
    create = partial(seeded.backend.call, "CreateKey", {})
    for _ in range(rounds):
        moto.append(millis(moto_test, times))
        empty.append(
            millis_after(partial(bare.backend.call, "CreateKey", {}), partial(plugin_test, bare), times)
        )
        full.append(millis_after(create, partial(plugin_test, seeded), times))
    report("per test, an empty account", moto, empty)
    report("per test, twenty keys", moto, full)
    restore = partial(seeded.restore, seeded.snapshot())
    states("in process", rounds, times, create, seeded.snapshot, restore)
    with served_by(seeded) as ask:
        take, put_back = partial(ask, "/snapshots", {"name": "one"}), partial(ask, "/snapshots/one/restore")
        take()
        states("over HTTP", rounds, times, create, take, put_back)
    bare.close()
    seeded.close()


def states(
    where: str,
    rounds: int,
    times: int,
    change: Callable[[], object],
    take: Callable[[], object],
    put_back: Callable[[], object],
) -> None:
    """Report what a snapshot takes, and a way back to it from a change."""
    taken = median(millis(take, times) for _ in range(rounds))
    restored = median(millis_after(change, put_back, times) for _ in range(rounds))
    print(f"{where + ', twenty keys':<28} snapshot {taken:.2f} ms   restore {restored:.2f} ms")


@contextmanager
def served_by(kms: LocalKms) -> Iterator[Callable[..., None]]:
    """What orders something over one connection to the KMS as it is served."""
    with kms.served() as url:
        connection = HTTPConnection(urlsplit(url).netloc)

        def ask(path: str, body: object = None) -> None:
            connection.request("POST", f"/_kms-tui{path}", json.dumps(body or {}))
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(answer.read())
            answer.read()

        yield ask
        connection.close()


def allowing(*, principal: Mapping[str, str] | None = None, **members: object) -> dict[str, object]:
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", **members}
    if principal:
        statement["Principal"] = principal
    return {"Version": "2012-10-17", "Statement": statement}


def judged_seed(folder: Path) -> Path:
    """A key that lets IAM policies decide, and two roles whose policies have a condition to judge."""
    condition = {"StringEquals": {"kms:EncryptionContext:table": "orders"}}
    seed = {
        "account": "111122223333",
        "region": REGION,
        "keys": [
            {
                "id": "1234abcd-12ab-34cd-56ef-1234567890ab",
                "policy": allowing(principal={"AWS": "arn:aws:iam::111122223333:root"}),
            }
        ],
        "principals": [
            {
                "arn": arn,
                "access_key_id": f"AKIAEXAMPLE{number:09}",
                "secret_access_key": "any-secret",
                "policies": {"use": allowing(Condition=condition)},
            }
            for number, arn in enumerate(PRINCIPALS)
        ],
    }
    path = folder / "seed.json"
    path.write_text(json.dumps(seed))
    return path


def payload(server: Server, number: int | None) -> bytes:
    """A signed Encrypt of the administrator, or of a principal."""
    if number is not None:
        credentials = Credentials(f"AKIAEXAMPLE{number:09}", "any-secret")
        server = Server(server.process, server.url, credentials, server.started_in)
    params = {
        "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
        "Plaintext": "cGxhaW50ZXh0",
        "EncryptionContext": {"table": "orders"},
    }
    once(server, "Encrypt", params)
    return request(server, "Encrypt", params)


def requests_per_second(rounds: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        seeded = [*SERVE, "--seed", str(judged_seed(Path(name)))]
        servers = {
            "": stack.enter_context(running(seeded)),
            ", --control": stack.enter_context(running([*seeded, "--control"])),
        }
        wires = {
            f"{who}{control}": (server, [payload(server, number) for number in numbers])
            for control, server in servers.items()
            for who, numbers in (("administrator", (None,)), ("two principals, policies", (0, 1)))
        }
        runs: dict[str, list[Load]] = {who: [] for who in wires}
        for _ in range(rounds):
            for who, (server, payloads) in wires.items():
                runs[who].append(load(server, payloads, seconds))
    base = median(each.requests_per_second for each in runs["administrator"])
    for who, loads in runs.items():
        rate, cpu = (
            median(each.requests_per_second for each in loads),
            median(each.cpu_millis for each in loads),
        )
        print(
            f"served, sigv4: {who:<36} {rate:8.0f} requests/s  {rate / base:.2f} x  {cpu:.3f} CPU ms/request"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    print(f"{datetime.date.today()}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    starts(args.rounds)
    per_call(args.rounds, args.calls)
    per_test(args.rounds, args.calls)
    requests_per_second(args.rounds, args.seconds)


if __name__ == "__main__":
    main()
