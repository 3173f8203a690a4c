"""moto's server: a KMS (and STS) that others wrote, in this process."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer


class MotoEndpoint:
    """Running while the ``with`` block is; ``reset`` empties every account."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    @property
    def url(self) -> str:
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    def reset(self) -> None:
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST"), timeout=30):
            pass

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop()
