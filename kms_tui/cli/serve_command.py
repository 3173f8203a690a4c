"""Serve the offline KMS to any AWS client: KMS over AWS JSON 1.1, and STS for sessions of roles.

The first line that it prints is its URL, once it answers there; the export lines that a shell needs follow.
Ctrl+C or SIGTERM stops it, with exit code 0.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from kms_tui.atomic import SHARED, FileError, atomic_file, file_errors
from kms_tui.cli.access_key_flags import FILE_HELP, access_keys_from, add_access_key_flags, credential_from
from kms_tui.cli.connection import AS_HELP, NEEDS_CALLER, add_caller_flags, caller_files, limits_of
from kms_tui.cli.region_flags import region_name
from kms_tui.cli.standard_streams import ReaderGoneError, written_out
from kms_tui.cli.store_seed import add_fixed_flag, read_seed_file
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kms_tui.backend.local import LocalBackend
    from kms_tui.backend.local.attestation.attestations import AttestationTrust
    from kms_tui.backend.local.principals.access_keys import AccessKey
    from kms_tui.control.clock import ControlledClock
    from kms_tui.serve.server import Listener
    from kms_tui.serve.sigv4 import Credential

_ACCOUNT_DIGITS = 12
_EPILOG = """\
examples:
  kms-tui serve --ephemeral --port 4599                 prints its URL, and the exports that a shell needs
  kms-tui serve --seed keys.yaml                        the keys of a file, in memory
  kms-tui serve --seed keys.yaml --control              the same for tests: reset, clock, faults …
  kms-tui serve --local --as arn:aws:iam::111122223333:role/app --iam-policy app.json

{file_help}

--control takes orders in JSON (docs/testing.md has all of them):

  curl -X POST $AWS_ENDPOINT_URL_KMS/_kms-tui/reset
  curl -X POST $AWS_ENDPOINT_URL_KMS/_kms-tui/clock -d '{{"advance": "90d"}}'
  curl -X POST $AWS_ENDPOINT_URL_KMS/_kms-tui/faults -d '{{"operation": "Encrypt", "plan": ["throttle"]}}'
  curl $AWS_ENDPOINT_URL_KMS/_kms-tui/calls

exit codes: 0 stopped by a signal; 1 the store or the port cannot be used; 2 bad usage"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG.format(file_help=FILE_HELP)
    which = parser.add_argument_group("what is served").add_mutually_exclusive_group()
    which.add_argument("--local", action="store_true", help="the local store at its default path (default)")
    which.add_argument("--store", metavar="PATH", type=Path, help="a local store at another path")
    which.add_argument("--demo", action="store_true", help="the demo account, in memory")
    which.add_argument("--ephemeral", action="store_true", help="an empty account in memory, gone at the end")
    parser.add_argument(
        "--seed",
        metavar="FILE",
        type=Path,
        help="fill the store from a file (`store seed --help`); without --local and --store one in memory",
    )
    add_fixed_flag(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port (default: 0, any free one)")
    parser.add_argument("--account-id", metavar="ID", type=_account, help="12 digits (default: the store's)")
    parser.add_argument(
        "--region", type=region_name, metavar="R", help="region of unsigned requests and of the export lines"
    )
    parser.add_argument(
        "--as", dest="caller_arn", metavar="ARN", type=_principal, help=f"all clients {AS_HELP}"
    )
    add_caller_flags(parser)
    add_access_key_flags(parser)
    parser.add_argument(
        "--auth",
        choices=("sigv4", "any"),
        default="sigv4",
        help="sigv4 checks every signature and its age; any checks neither (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-network",
        action="store_true",
        help="with --auth any or --control: listen beyond this machine all the same, so that whoever reaches "
        "the port may use every key, or order everything",
    )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="speak TLS, with a certificate made on the spot; AWS_CA_BUNDLE is then exported, too",
    )
    parser.add_argument(
        "--tls-name",
        metavar="NAME",
        action="append",
        default=[],
        help="a further name or address by which clients reach this host; more than once for several",
    )
    parser.add_argument(
        "--tls-ca",
        metavar="FILE",
        type=Path,
        help="where to write the certificate that clients are to trust (default: a temporary file)",
    )
    attested = parser.add_mutually_exclusive_group()
    attested.add_argument(
        "--nitro-root",
        metavar="FILE",
        type=Path,
        help="believe attestation documents of Recipient whose certificates lead to those in this PEM file",
    )
    attested.add_argument(
        "--nitro-unsigned",
        action="store_true",
        help="believe every attestation document, whoever signed it, and when",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="offer reset, snapshots, the clock, faults and the calls made so far under /_kms-tui/, to this "
        "machine and without a signature; for a store in memory",
    )
    parser.add_argument("--verbose", action="store_true", help="one line a request, on standard error")
    parser.set_defaults(refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; exit code 1 if the store or port cannot be used, 2 for contradicting flags."""
    if (caller_files(args) or args.caller_vpce) and not args.caller_arn:
        args.refuse(NEEDS_CALLER)
    if args.demo and args.account_id:
        args.refuse("--demo is an account of its own: leave out --account-id")
    if args.demo and args.seed:
        args.refuse("--demo is an account of its own: leave out --seed")
    if (args.tls_name or args.tls_ca) and not args.tls:
        args.refuse("--tls-name and --tls-ca go with --tls")
    if args.control and not (args.demo or _is_in_memory(args)):
        args.refuse("--control is for a store in memory: --ephemeral, --seed or --demo")
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.ERROR, format="%(message)s", stream=sys.stderr
    )
    with _opened(args) as served:
        _serve(args, served)
    return 0


class _Served(NamedTuple):
    """What is served; ``clock`` is set where it is controlled."""

    backend: LocalBackend
    credential: Credential
    access_keys: tuple[AccessKey, ...] = ()
    clock: ControlledClock | None = None


def _is_in_memory(args: argparse.Namespace) -> bool:
    return bool(args.ephemeral or (args.seed and not (args.local or args.store)))


def _serve(args: argparse.Namespace, served: _Served) -> None:
    from kms_tui.serve.admission import UnsignedFrom
    from kms_tui.serve.server import access_keys_for, admission, listen, serve, unsigned_for

    backend = served.backend
    credential = credential_from(args) or served.credential
    fixed = access_keys_from(args, backend.account_id, backend.partition, credential)
    access_keys = access_keys_for(backend, [*served.access_keys, *fixed])
    unsigned = UnsignedFrom.ANYWHERE if args.trust_web_identity else unsigned_for(backend)
    listener = listen(args.host, args.port)
    checked = args.auth == "sigv4"
    if not (checked or listener.is_loopback or args.allow_network):
        listener.socket.close()
        raise KmsTuiError(
            f"With --auth any, whoever reaches {args.host} could use every key.",
            next_step="Leave out --auth any, listen on 127.0.0.1, or say --allow-network.",
        )
    admit = admission(credential if checked else None, listener, access_keys=access_keys, unsigned=unsigned)
    control = None
    if served.clock is not None:
        from kms_tui.control.kms_control import KmsControl

        control = KmsControl(backend.store, served.clock, access_keys, from_anywhere=args.allow_network)
    with _secured(args, listener) as (listener, trust):
        exports = {
            "AWS_ENDPOINT_URL_KMS": listener.url,
            "AWS_ENDPOINT_URL_STS": listener.url,
            "AWS_ACCESS_KEY_ID": credential.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credential.secret_access_key,
            "AWS_REGION": backend.region,
            "AWS_DEFAULT_REGION": backend.region,
            **trust,
        }
        announce = partial(_announce, listener.url, exports, checked, control is not None)
        serve(backend, admit, listener, announce, control)


@contextmanager
def _secured(args: argparse.Namespace, listener: Listener) -> Iterator[tuple[Listener, dict[str, str]]]:
    """The listener, over TLS if that is asked for, and the variables by which clients trust it then."""
    if not args.tls:
        yield listener, {}
        return
    from kms_tui.serve.tls import tls_for

    with TemporaryDirectory(prefix="kms-tui-") as folder:
        path = args.tls_ca or Path(folder) / "ca.pem"
        try:
            tls = tls_for((*listener.hosts, *args.tls_name))
            _write_authority(path, tls.authority)
        except KmsTuiError:
            listener.socket.close()
            raise
        yield listener.over(tls), {"AWS_CA_BUNDLE": str(path.absolute())}


def _write_authority(path: Path, authority: bytes) -> None:
    """Write the certificate that clients are to trust, in place of another certificate only. FileError."""
    begin = authority.partition(b"\n")[0]
    with file_errors(path, "read"):
        if path.exists():
            with path.open("rb") as file:
                is_certificate = file.read(len(begin)) == begin
            if not is_certificate:
                raise FileError(f"{path} is no certificate, and is not replaced by one.")
    with atomic_file(path, overwrite=True, mode=SHARED) as file:
        file.write(authority)


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[_Served]:
    """The backend to serve and the credential to sign with; a store is closed at the end."""
    from kms_tui.backend.local.store.sources import utc_now
    from kms_tui.control.clock import ControlledClock
    from kms_tui.serve.sigv4 import credential_of, random_credential

    clock = ControlledClock() if args.control else None

    caller: dict[str, Any] = {
        "caller_arn": args.caller_arn,
        "limits": limits_of(caller_files(args)),
        "endpoint": args.caller_vpce,
        "attestation_trust": _attestation_trust(args),
    }
    if args.demo:
        from kms_tui.demo import demo_backend

        demo = demo_backend(region=args.region, now=clock or utc_now, **caller)
        yield _Served(demo, random_credential(), clock=clock)
        return
    from kms_tui.backend.local import open_default, open_ephemeral

    seed = read_seed_file(args.seed, args.account_id or "", args.region or "") if args.seed else None
    opener = partial(open_default, args.store)
    if _is_in_memory(args):
        opener = partial(open_ephemeral, clock=clock or utc_now)
    place = {"region": args.region, "account_id": args.account_id}
    if seed:
        place = {"region": args.region or seed.region, "account_id": args.account_id or seed.account}
    backend = opener(**place, **caller)
    with backend.store:
        if seed:
            from kms_tui.seed.seed_application import apply_seed

            apply_seed(seed, backend.store, allow_fixed=args.allow_fixed_material)
        yield _Served(backend, credential_of(backend.store), seed.access_keys if seed else (), clock)


def _attestation_trust(args: argparse.Namespace) -> AttestationTrust:
    """Which attestation documents are believed. KmsTuiError for a file without certificates."""
    from kms_tui.backend.local.attestation.attestations import AttestationTrust

    if args.nitro_root is None:
        return AttestationTrust(unsigned=args.nitro_unsigned)
    from kms_tui.signing.certificates.certificate_files import certificates_in, read_x509_file

    return AttestationTrust(certificates_in(read_x509_file(args.nitro_root), str(args.nitro_root)))


def _announce(url: str, exports: dict[str, str], checked: bool, controlled: bool) -> None:
    """Print the URL, then how to use it. A reader may close the pipe after the first line: the server goes
    on.

    FileError if the first line cannot be written, since no one would know the port.
    """
    with written_out():
        print(f"listening on {url}")
    with suppress(ReaderGoneError), written_out(whole=False):
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in exports.items()))
    if controlled:
        print(f"--control: {url}/_kms-tui/ takes orders without a signature.", file=sys.stderr, flush=True)
    if not checked:
        print("--auth any: neither signatures nor their age are checked.", file=sys.stderr, flush=True)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"no port: {text!r}")
    return int(text)


def _account(text: str) -> str:
    if not (len(text) == _ACCOUNT_DIGITS and text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"an account id has {_ACCOUNT_DIGITS} digits")
    return text


def _principal(text: str) -> str:
    try:
        return str(Arn.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
