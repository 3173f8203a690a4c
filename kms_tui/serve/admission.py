"""What admits requests to the endpoint and what it tells of them; web pages are never admitted."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, Protocol

from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.http_messages import HttpRequest

_LOCAL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]*)?")


class Admitted(NamedTuple):
    """Where a request goes, and whose it is: None is the default Region, and the default caller."""

    region: str | None = None
    access_key: AccessKey | None = None


class UnsignedFrom(Enum):
    """From where requests are admitted that need no signature: AssumeRoleWithWebIdentity.

    Their tokens are not verified, so whoever is admitted can have a session of any role that trusts an
    identity provider.
    """

    NOWHERE = "nowhere"
    THIS_MACHINE = "this machine"
    ANYWHERE = "anywhere"


class Admission(Protocol):
    """Admits requests, or raises ServiceError; several threads may use it."""

    @property
    def access_keys(self) -> AccessKeys | None:
        """The access keys whose requests it tells apart; None where all requests are the default caller's."""

    def __call__(self, request: HttpRequest, service: str, /) -> Admitted:
        """Admit a request to a service by what it says of its signature."""

    def unsigned(self, request: HttpRequest) -> Admitted:
        """Admit a request that needs no signature, as AssumeRoleWithWebIdentity."""


class PageGuard:
    """Refuses web pages: otherwise a page that somebody visits could use the keys of this machine.

    Browsers mark its requests; and where its own name leads here (DNS rebinding), the Host header has that
    name, which must be one of ``hosts`` or this machine's own. Where ``hosts`` has the address of all
    interfaces, a name without a dot is one of its own network, as a container has: no page of the internet
    has such a name.
    """

    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        addresses = map(_address, hosts)
        self._any_address = any(address is not None and address.is_unspecified for address in addresses)

    def refuse_pages(self, request: HttpRequest) -> None:
        """ServiceError where a web page may have sent the request."""
        headers = request.headers
        if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
            raise refusal("Web pages may not use this endpoint.")
        if "host" in headers and not self._serves(_name(headers["host"])):
            raise refusal(
                "The Host header names another endpoint: use an address, or start it with --host NAME."
            )

    def _serves(self, name: str) -> bool:
        if name == "localhost" or name in self._hosts:
            return True
        address = _address(name)
        if address is None:
            return self._any_address and _LOCAL_NAME.fullmatch(name) is not None
        # No page has an address for its name unless that is where it came from.
        return address.is_loopback or self._any_address


def is_of_this_machine(request: HttpRequest) -> bool:
    """Whether the client is on this machine, as far as its address is known."""
    address = _address(request.client_address)
    return address is None or address.is_loopback


def refusal(message: str) -> ServiceError:
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
