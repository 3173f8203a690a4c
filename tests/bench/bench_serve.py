"""How much ``kms-tui serve`` answers, side by side with moto's server, each in a process of its own.

    python -m tests.bench.bench_serve [--seconds 3] [--rounds 3]

Encrypt and GenerateDataKey from eight raw connections with prebuilt requests: a connection is kept alive
where the server keeps it, and opened anew where the server closes it (moto's does). CPU time is the server
process's own. Beside ``--auth any`` stand what ``sigv4`` and a store on the disk cost on top, and the floor:
the same HTTP server with one answer to everything. Then how soon after exec the first answer is there.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import IO
from urllib.parse import urlsplit

import uvicorn
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kms_tui.serve.application import Answer
from kms_tui.serve.client_connections import ClientConnection
from kms_tui.serve.http_messages import HttpRequest, HttpResponse
from kms_tui.serve.server import listen

CONNECTIONS = 8
REGION = "us-east-1"
MOTO = [sys.executable, "-m", "moto.server", "-p", "0"]
FLOOR = [sys.executable, "-m", "tests.bench.bench_serve", "--floor"]
SERVE = [sys.executable, "-m", "kms_tui", "serve", "--port", "0"]
_PLACE = re.compile(r"(?:listening|Running) on (http://127\.0\.0\.1:\d+)\n")
_ACCESS_KEY = re.compile(r"AWS_ACCESS_KEY_ID=(\w+)\nexport AWS_SECRET_ACCESS_KEY=(\S+)\n")


@dataclass(frozen=True, slots=True)
class Server:
    """A server process, where it listens, and the credential it takes."""

    process: subprocess.Popen[bytes]
    url: str
    credentials: Credentials
    started_in: float

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def cpu_seconds(self) -> float:
        """User and system time of the process so far (proc(5): fields 14 and 15 of stat)."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: Sequence[str]) -> Iterator[Server]:
    """A server that answers; it is stopped at the end."""
    # Into a file: moto's server writes a line a request, and a full pipe would hold it up.
    with tempfile.NamedTemporaryFile() as output, open(output.name) as written:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        try:
            url = _find(_PLACE, written, process)[1]
            _until_answered(url)
            started_in = time.perf_counter() - started
            if "serve" in command:
                key = _find(_ACCESS_KEY, written, process)
                credentials = Credentials(key[1], key[2])
            else:
                credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "any")
            yield Server(process, url, credentials, started_in)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _find(pattern: re.Pattern[str], written: IO[str], process: subprocess.Popen[bytes]) -> re.Match[str]:
    """The pattern in what the process has written, as soon as it is there."""
    while True:
        written.seek(0)
        match = pattern.search(written.read())
        if match:
            return match
        if process.poll() is not None:
            raise RuntimeError("the server ended before it listened")
        time.sleep(0.002)


def _until_answered(url: str) -> None:
    place = urlsplit(url)
    while True:
        try:
            with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if connection.recv(12):
                    return
        except OSError:
            time.sleep(0.002)


def request(server: Server, operation: str, params: Mapping[str, object]) -> bytes:
    """One signed request as bytes on the wire."""
    body = json.dumps(params).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"TrentService.{operation}",
        "User-Agent": "bench",
    }
    prepared = AWSRequest("POST", f"{server.url}/", data=body, headers=headers)
    SigV4Auth(server.credentials, "kms", REGION).add_auth(prepared)
    lines = [f"{name}: {value}" for name, value in prepared.headers.items()]
    head = "\r\n".join(
        ["POST / HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *lines, f"Content-Length: {len(body)}"]
    )
    return head.encode() + b"\r\n\r\n" + body


@dataclass(slots=True)
class Client:
    """One connection with one request under way."""

    port: int
    socket: socket.socket = field(init=False)
    received: bytes = b""

    def __post_init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(self) -> tuple[bytes, bytes] | None:
        """Read; the answer's head and body once it is there whole."""
        self.received += self.socket.recv(65536)
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if length is None or len(body) < int(length[1]):
            return None
        self.received = b""
        return head, body


def once(server: Server, operation: str, params: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """One call's answer."""
    client = Client(server.port)
    client.socket.sendall(request(server, operation, params))
    answer = None
    while answer is None:
        answer = client.answer()
    client.socket.close()
    result: dict[str, dict[str, str]] = json.loads(answer[1])
    return result


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load."""

    requests_per_second: float
    cpu_millis: float


def load(server: Server, payloads: Sequence[bytes], seconds: float) -> Load:
    """Keep eight connections busy for a while, each with one of the requests; all are answered HTTP 200."""
    with selectors.DefaultSelector() as selector:
        for payload in islice(cycle(payloads), CONNECTIONS):
            client = Client(server.port)
            selector.register(client.socket, selectors.EVENT_READ, (client, payload))
            client.socket.sendall(payload)
        answered, cpu, started = 0, server.cpu_seconds(), time.perf_counter()
        while (elapsed := time.perf_counter() - started) < seconds:
            for key, _ in selector.select(timeout=10):
                client, payload = key.data
                answer = client.answer()
                if answer is None:
                    continue
                if not answer[0].startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"refused: {answer[0]!r} {answer[1]!r}")
                answered += 1
                if b"connection: close" in answer[0].lower():
                    selector.unregister(client.socket)
                    client.socket.close()
                    client.connect()
                    selector.register(client.socket, selectors.EVENT_READ, key.data)
                client.socket.sendall(payload)
        cpu = server.cpu_seconds() - cpu
        for key in list(selector.get_map().values()):
            key.data[0].socket.close()
    return Load(answered / elapsed, cpu / answered * 1000)


def payloads(server: Server) -> dict[str, bytes]:
    """The requests to repeat, on a new key; of the floor, which makes none, on any."""
    key_id = once(server, "CreateKey", {})["KeyMetadata"]["KeyId"]
    plaintext = b64encode(b"p" * 32).decode()
    return {
        "Encrypt": request(server, "Encrypt", {"KeyId": key_id, "Plaintext": plaintext}),
        "GenerateDataKey": request(server, "GenerateDataKey", {"KeyId": key_id, "KeySpec": "AES_256"}),
    }


ANSWER = json.dumps({"KeyMetadata": {"KeyId": "0" * 36}, "CiphertextBlob": "A" * 300}).encode()


def answer_the_same(_request: HttpRequest, answer: Answer) -> None:
    answer(HttpResponse(200, ANSWER))


def serve_constant() -> None:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        answer_the_same, http=ClientConnection, lifespan="off", interface="asgi3", proxy_headers=False
    )
    print(f"listening on {listener.url}", flush=True)
    uvicorn.Server(config).run([listener.socket])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of load for each figure (default 3)")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts (default 3)")
    parser.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.floor:
        serve_constant()
        return
    print(f"{datetime.date.today()}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        commands = {
            "moto": MOTO,
            "ours, any": [*SERVE, "--ephemeral", "--auth", "any"],
            "ours, sigv4": [*SERVE, "--ephemeral"],
            "any, on disk": [*SERVE, "--store", f"{directory}/store.db", "--auth", "any"],
            "floor": FLOOR,
        }
        servers = {name: stack.enter_context(running(command)) for name, command in commands.items()}
        wires = {name: payloads(server) for name, server in servers.items()}
        for operation in ("Encrypt", "GenerateDataKey"):
            runs: dict[str, list[Load]] = {name: [] for name in servers}
            for _ in range(args.rounds):
                for name, server in servers.items():
                    runs[name].append(load(server, [wires[name][operation]], args.seconds))
            report(operation, runs)
    starts = []
    for _ in range(args.rounds + 2):
        with running([*SERVE, "--ephemeral"]) as server:
            starts.append(server.started_in)
    print(f"serve --ephemeral, exec to first answer: {statistics.median(starts) * 1000:.0f} ms")


def report(operation: str, runs: Mapping[str, Sequence[Load]]) -> None:
    medians = {
        name: Load(
            statistics.median(load.requests_per_second for load in loads),
            statistics.median(load.cpu_millis for load in loads),
        )
        for name, loads in runs.items()
    }
    base = medians["moto"].requests_per_second
    for name, result in medians.items():
        print(
            f"{operation:<16} {name:<12} {result.requests_per_second:8.0f} requests/s  "
            f"{result.requests_per_second / base:5.1f} x moto  {result.cpu_millis:.3f} CPU ms/request"
        )


if __name__ == "__main__":
    main()
