"""Runs the server: in the foreground until a signal, or on a thread beside a program."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from kms_tui.backend.base import Backend
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.backend.local.store.sources import to_millis, utc_now
from kms_tui.kms.errors import EndpointError
from kms_tui.serve.admission import Admission, PageGuard, UnsignedFrom
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.application import Application
from kms_tui.serve.client_connections import ClientConnection
from kms_tui.serve.endpoint import Endpoint
from kms_tui.serve.sigv4 import Credential, SigV4

if TYPE_CHECKING:
    from kms_tui.control.kms_control import KmsControl
    from kms_tui.serve.tls import ServerTls

_BACKLOG = 1024
_KEEP_ALIVE_SECONDS = 120
_GRACE_SECONDS = 5
_START_SECONDS = 30
_TICKS_A_SECOND = 10
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket, and the URL under which this machine reaches it."""

    socket: socket.socket
    url: str
    is_loopback: bool
    hosts: tuple[str, str]
    """The name that was asked for, and the address that it is."""
    tls: ssl.SSLContext | None = None

    def over(self, tls: ServerTls) -> Listener:
        """The same socket, for clients that speak TLS."""
        return replace(self, url=self.url.replace("http:", "https:", 1), tls=tls.context)


def listen(host: str, port: int) -> Listener:
    """Bind a TCP socket; port 0 is any free one. Raises EndpointError where that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no name of a host"
        raise EndpointError(
            f"Cannot listen on {host}: {reason}.",
            next_step="Name an address of this machine with --host, such as 127.0.0.1.",
        ) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise EndpointError(
            f"Cannot listen on {host}, port {port}: {error.strerror}.",
            next_step="Choose another --port; 0 is any free one.",
        ) from error
    address = bound.getsockname()
    name = _ANY_ADDRESS.get(address[0], address[0])
    shown = f"[{name}]" if ":" in name else name
    loopback = ipaddress.ip_address(address[0].partition("%")[0]).is_loopback
    return Listener(bound, f"http://{shown}:{address[1]}", loopback, (host, address[0]))


class _Server(uvicorn.Server):
    """Reports when it listens, sweeps its connections, and ends on a signal without raising it again."""

    def __init__(
        self, config: uvicorn.Config, on_start: Callable[[], None], let_go: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._let_go = let_go
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._let_go()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_A_SECOND == 0:
            now = time.monotonic()
            for connection in list(self.server_state.connections):
                if isinstance(connection, ClientConnection):
                    connection.sweep(now)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a signal that has stopped the server is not raised once more afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(
    backend: Backend,
    admit: Admission,
    listener: Listener,
    on_start: Callable[[], None],
    control: KmsControl | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way get a few seconds to end.

    ``on_start`` is called once connections are answered. A ``control`` is offered under ``control_path``.
    """
    application = _application(backend, admit, listener, control)
    try:
        _server(application, on_start, listener.tls).run([listener.socket])
    finally:
        application.close()
        listener.socket.close()


def admission(
    credential: Credential | None,
    listener: Listener,
    now: Callable[[], datetime] = utc_now,
    access_keys: AccessKeys | None = None,
    *,
    unsigned: UnsignedFrom = UnsignedFrom.NOWHERE,
) -> Admission:
    """The admission: requests signed with the credential, or, without one, all that name this listener.

    Those signed with one of ``access_keys`` are of its principal. What needs no signature
    is admitted as ``unsigned`` says.
    """
    if credential is None:
        return AnyAdmission(listener.hosts, access_keys)
    return SigV4(credential, now, access_keys, hosts=listener.hosts, unsigned=unsigned)


def access_keys_for(backend: Backend, keys: Iterable[AccessKey] = ()) -> AccessKeys:
    """The table of access keys for a backend: those of an offline one expire by its store's clock."""
    now = backend.store.now if isinstance(backend, LocalBackend) else lambda: to_millis(utc_now())
    return AccessKeys(now, keys)


def unsigned_for(backend: Backend) -> UnsignedFrom:
    """From where web identity tokens are taken, unless somebody says otherwise: not for keys that last."""
    in_memory = isinstance(backend, LocalBackend) and backend.store.path is None
    return UnsignedFrom.THIS_MACHINE if in_memory else UnsignedFrom.NOWHERE


@contextlib.contextmanager
def running(
    backend: Backend,
    *,
    credential: Credential | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    now: Callable[[], datetime] = utc_now,
    access_keys: AccessKeys | None = None,
    control: KmsControl | None = None,
    tls: ServerTls | None = None,
) -> Iterator[str]:
    """Serve a backend on a thread of this process; gives the URL, e.g. "http://127.0.0.1:49152".

    With a credential every request must be signed with it or with one of ``access_keys``, at about ``now``;
    without one, anyone is admitted. STS adds temporary keys to ``access_keys``. A ``control`` is offered
    under ``control_path``; its access keys are then those.
    """
    listener = listen(host, port)
    if tls is not None:
        listener = listener.over(tls)
    keys = control.access_keys if control else access_keys or access_keys_for(backend)
    admit = admission(credential, listener, now, keys, unsigned=unsigned_for(backend))
    application = _application(backend, admit, listener, control)
    started = threading.Event()
    server = _server(application, started.set, listener.tls)
    thread = threading.Thread(target=server.run, args=([listener.socket],), name="kms-tui serve", daemon=True)
    thread.start()
    try:
        if not started.wait(_START_SECONDS):
            raise EndpointError(f"The server did not start at {listener.url}.")
        yield listener.url
    finally:
        server.should_exit = True
        thread.join()
        application.close()
        listener.socket.close()


def _application(
    backend: Backend, admit: Admission, listener: Listener, control: KmsControl | None
) -> Application:
    if control is None:
        return Application(Endpoint(backend, admit))
    from kms_tui.serve.control_path import ControlPath

    return Application(Endpoint(backend, admit), ControlPath(control, PageGuard(listener.hosts)))


def _server(
    application: Application, on_start: Callable[[], None], tls: ssl.SSLContext | None = None
) -> _Server:
    config = uvicorn.Config(
        application,
        http=ClientConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",  # uvicorn's word for an application that it does not wrap
        backlog=_BACKLOG,
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    if tls is not None:
        config.load()  # which else would forget the context: uvicorn makes its own, from files
        config.ssl = tls
    server = _Server(config, on_start, application.let_go)
    # At its end it waits for them, also where the client went away.
    server.server_state.tasks = application.running
    return server
