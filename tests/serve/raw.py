"""A raw connection, for what no well-behaved client sends."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


def post(operation: str, body: bytes = b"{}", *headers: str) -> bytes:
    """An unsigned request to KMS as bytes."""
    lines = [
        "POST / HTTP/1.1",
        "Host: localhost",
        f"X-Amz-Target: TrentService.{operation}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: str
    body: bytes

    @property
    def error(self) -> str:
        code: str = json.loads(self.body)["__type"]
        return code


class Raw:
    """One connection to the server at a URL."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=20)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_nothing_more(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def skip_head(self) -> None:
        """Drop an answer that is a head alone."""
        while b"\r\n\r\n" not in self._received:
            self._more()
        self._received = self._received.partition(b"\r\n\r\n")[2]

    def answer(self) -> Answer:
        """The next whole answer; ConnectionError where the server closes first."""
        while True:
            head, separator, rest = self._received.partition(b"\r\n\r\n")
            if separator:
                length = _LENGTH.search(head + b"\r\n")
                size = int(length[1]) if length else 0
                if len(rest) >= size:
                    self._received = rest[size:]
                    return Answer(int(head.split()[1]), head.decode("latin-1"), rest[:size])
            self._more()

    def ask(self, data: bytes) -> Answer:
        self.send(data)
        return self.answer()

    def is_closed_by_server(self) -> bool:
        """Wait until the server closes; what it sends before that is dropped."""
        try:
            while self._socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        self._received += data


def call(url: str, operation: str, **params: Any) -> Answer:
    """One unsigned call on a connection of its own."""
    with Raw(url) as connection:
        return connection.ask(post(operation, json.dumps(params).encode()))
