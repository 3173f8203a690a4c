"""Admission without signatures: everybody but web pages."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import unquote

from kms_tui.kms.errors import ServiceError
from kms_tui.serve.http_messages import HttpRequest
from kms_tui.serve.sigv4 import is_region

_SCOPE_REGION = re.compile(r"Credential=[^/,&]*/[^/,&]*/([^/,&]*)/")
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]*)?")


class AnyAdmission:
    """Admits every request, signed or not, to the region that its credential names, if it names one.

    Only web pages are refused: otherwise a page that somebody visits could use the keys of this machine.
    Browsers mark its requests; and where its own name leads here (DNS rebinding), the Host header has that
    name, which must be one of ``hosts`` or this machine's own.
    """

    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        addresses = map(_address, hosts)
        self._any_address = any(address is not None and address.is_unspecified for address in addresses)

    def __call__(self, request: HttpRequest, _service: str) -> str | None:
        """The region, None for the default one; raises ServiceError."""
        headers = request.headers
        if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
            raise _refusal("Web pages may not use this endpoint.")
        if "host" in headers and not self._serves(_name(headers["host"])):
            raise _refusal(
                "The Host header names another endpoint: use an address, or start it with --host NAME."
            )
        match = _SCOPE_REGION.search(headers.get("authorization", "") or unquote(request.query))
        return match[1] if match and is_region(match[1]) else None

    def _serves(self, name: str) -> bool:
        if name == "localhost" or name in self._hosts:
            return True
        address = _address(name)
        # No page has an address for its name unless that is where it came from.
        return address is not None and (address.is_loopback or self._any_address)


def _refusal(message: str) -> ServiceError:
    return ServiceError("AccessDeniedException", message, status=403)


@lru_cache(maxsize=256)
def _name(host: str) -> str:
    """The name or address in a Host header, without its port; "" where it is none."""
    match = _HOST.fullmatch(host.strip().lower())
    return match[1].strip("[]") if match else ""


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
