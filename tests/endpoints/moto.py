"""moto's server: a KMS (and STS) that others wrote, in this process."""

from __future__ import annotations

import logging
from functools import cache
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch
from urllib.request import Request, urlopen

from moto.kms import models, utils
from moto.server import ThreadedMotoServer

_ASYMMETRIC = ("RSA", "ECC")
_shared_private_key = cache(utils.generate_private_key)


def _private_key(spec: str) -> Any:
    """moto makes an RSA key for each symmetric key also, which nothing uses; one for all is faster."""
    make = utils.generate_private_key if spec.startswith(_ASYMMETRIC) else _shared_private_key
    return make(spec)


class MotoEndpoint:
    """Running while the ``with`` block is, empty at its start; ``reset`` empties every account.

    moto keeps one set of accounts in a process, whatever server asks for them.
    """

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._patch = patch.object(models, "generate_private_key", _private_key)

    @property
    def url(self) -> str:
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    def reset(self) -> None:
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST"), timeout=30):
            pass

    def __enter__(self) -> Self:
        self._patch.start()
        self._server.start()
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()
        self._patch.stop()
