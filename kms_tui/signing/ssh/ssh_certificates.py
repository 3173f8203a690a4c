"""OpenSSH certificates for users and hosts, signed by a KMS key as the certificate authority.

OpenSSH's PROTOCOL.certkeys has the fields; ``ssh-keygen -s`` and ``-O`` have the defaults and the names of
the options. ``sshd`` trusts the authority with TrustedUserCAKeys, ``ssh`` with a @cert-authority line.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType

from kms_tui.signing.kms_private_keys import private_key
from kms_tui.signing.signing_key import SigningError, SigningKey
from kms_tui.signing.ssh.ssh_keys import SshError, read_public_line, require_ssh_kind
from kms_tui.signing.times import LONGEST, parse_length, parse_moment, utc_text

FOREVER = 2**64 - 1
MOST_PRINCIPALS = 256
"""OpenSSH's limit (SSHKEY_CERT_MAX_PRINCIPALS)."""
_USER_EXTENSIONS = (
    "permit-X11-forwarding",
    "permit-agent-forwarding",
    "permit-port-forwarding",
    "permit-pty",
    "permit-user-rc",
)
_OTHER_EXTENSIONS = ("no-touch-required",)
_SKEW = timedelta(minutes=1)
"""A certificate begins so much earlier, since clocks differ; ssh-keygen does the same."""


_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


class Holder(StrEnum):
    """Who a certificate is for."""

    USER = "user"
    HOST = "host"


class SshField(StrEnum):
    """A field in which a person describes an SSH certificate."""

    PUBLIC_KEY = "public-key"
    PRINCIPALS = "principals"
    IDENTITY = "identity"
    VALID_FROM = "valid-from"
    VALID_FOR = "valid-for"
    OPTIONS = "options"
    SERIAL = "serial"


class SshFieldError(SigningError):
    """A field of an SSH certificate is wrong; nothing is signed."""

    def __init__(self, field: SshField, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.field = field


class SshOptions(NamedTuple):
    """Critical options and extensions, by name; a flag's value is empty."""

    critical: Mapping[str, str]
    extensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SshCertificateFields:
    """What a certificate will say."""

    public_key: str
    """The holder's line of a ``.pub`` file."""
    holder: Holder
    identity: str
    """What the server's log calls the certificate."""
    principals: tuple[str, ...]
    """User names, or host names; empty with ``any_principal``."""
    valid_after: datetime
    valid_before: datetime | None
    """None: for ever."""
    any_principal: bool = False
    options: tuple[str, ...] = ()
    """As ``ssh-keygen -O`` names them: "no-pty", "force-command=/bin/true", "clear" …"""
    serial: int = 0


def options_of(fields: SshCertificateFields) -> SshOptions:
    """The options in effect: users get all of ssh-keygen's extensions, hosts none. Raises SshFieldError."""
    extensions = dict.fromkeys(_USER_EXTENSIONS, "") if fields.holder is Holder.USER else {}
    critical: dict[str, str] = {}
    for option in fields.options:
        name, _, value = option.partition("=")
        if fields.holder is Holder.HOST:
            raise SshFieldError(SshField.OPTIONS, f"A host's certificate has no option {name}.")
        if name == "clear":
            extensions.clear()
        elif name in (*_USER_EXTENSIONS, *_OTHER_EXTENSIONS):
            extensions[name] = ""
        elif name.startswith("no-") and _permission(name) in _USER_EXTENSIONS:
            extensions.pop(_permission(name), None)
        elif option == "verify-required":
            critical[name] = ""
        elif name == "force-command" and value.isprintable() and value:
            critical[name] = value
        elif name == "source-address" and value:
            critical[name] = _networks(value)
        else:
            raise SshFieldError(
                SshField.OPTIONS,
                f"ssh-keygen has no option {option}.",
                next_step="It has force-command=…, source-address=…, verify-required, clear, "
                f"{', '.join(_USER_EXTENSIONS)}, and no-… for each of these.",
            )
    return SshOptions(critical, extensions)


def _permission(name: str) -> str:
    """ "no-x11-forwarding" -> "permit-X11-forwarding": ssh-keygen writes it in lower case."""
    wanted = f"permit-{name.removeprefix('no-')}"
    return next((each for each in _USER_EXTENSIONS if each.lower() == wanted.lower()), wanted)


def _networks(value: str) -> str:
    for each in value.split(","):
        try:
            ip_network(each)
        except ValueError as error:
            raise SshFieldError(
                SshField.OPTIONS, f"source-address: {each} is no network such as 10.0.0.0/8: {error}."
            ) from error
    return value


def read_valid_for(text: str) -> timedelta | None:
    """ "30m", "8h", "1d12h", "52w"; None for "forever". Raises SshFieldError."""
    text = text.strip()
    if text == "forever":
        return None
    length = parse_length(text)
    if length is None:
        raise SshFieldError(
            SshField.VALID_FOR, f"{text or 'Nothing'} is no span of time such as 8h, 1d12h or forever."
        )
    if not timedelta(0) < length <= LONGEST:
        raise SshFieldError(
            SshField.VALID_FOR, f"{text} is not between a second and 100 years; forever is longer."
        )
    return length


def read_validity(valid_from: str, valid_for: str, now: datetime) -> tuple[datetime, datetime | None]:
    """First and last moment. Without ``valid_from`` it begins a minute ago, since clocks differ.

    Raises SshFieldError.
    """
    length = read_valid_for(valid_for)
    if not valid_from.strip():
        return now - _SKEW, None if length is None else now + length
    start = parse_moment(valid_from)
    if start is None:
        raise SshFieldError(SshField.VALID_FROM, f"{valid_from.strip()} is no time such as 2026-11-30T09:00.")
    try:
        return start, None if length is None else start + length
    except OverflowError as error:
        raise SshFieldError(SshField.VALID_FOR, "The validity ends after the year 9999.") from error


def read_serial(text: str) -> int:
    """A number, or a random one for "". Raises SshFieldError."""
    text = text.strip()
    if not text:
        return secrets.randbits(63)
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise SshFieldError(SshField.SERIAL, f"{text} is no number of at most 64 bits.")
    return int(text)


def check_fields(fields: SshCertificateFields, now: datetime) -> None:
    """Raise SshFieldError for the first field that is wrong."""
    try:
        read_public_line(fields.public_key)
    except SshError as error:
        raise SshFieldError(SshField.PUBLIC_KEY, str(error), next_step=error.next_step) from error
    if not fields.principals and not fields.any_principal:
        raise SshFieldError(
            SshField.PRINCIPALS,
            "No principal is named, so the certificate would be good for every name.",
            next_step="Name users or hosts (--principal), or ask for any principal (--any-principal).",
        )
    if fields.principals and fields.any_principal:
        raise SshFieldError(SshField.PRINCIPALS, "Any principal is asked for, and some are named.")
    if len(fields.principals) > MOST_PRINCIPALS:
        raise SshFieldError(
            SshField.PRINCIPALS,
            f"OpenSSH takes {MOST_PRINCIPALS} principals; here are {len(fields.principals):,}.",
        )
    for each in fields.principals:
        if not each or not each.isprintable() or "," in each or " " in each:
            raise SshFieldError(SshField.PRINCIPALS, f"{each!r} is no user or host name.")
    if not fields.identity or not fields.identity.isprintable():
        raise SshFieldError(SshField.IDENTITY, "The identity is empty, or is not printable.")
    if fields.valid_after < _FIRST:
        raise SshFieldError(
            SshField.VALID_FROM, "The validity begins before 1970, from which OpenSSH counts."
        )
    if fields.valid_before is not None and fields.valid_before <= fields.valid_after:
        raise SshFieldError(SshField.VALID_FOR, "The validity ends before it begins.")
    if fields.valid_before is not None and fields.valid_before <= now:
        raise SshFieldError(SshField.VALID_FOR, "The validity has ended already.")
    if not 0 <= fields.serial < 2**64:
        raise SshFieldError(SshField.SERIAL, "The serial is a number of at most 64 bits.")
    options_of(fields)


def preview(key: SigningKey, fields: SshCertificateFields) -> Sequence[tuple[str, str]]:
    """Name and value of what will be signed, in the order of ``ssh-keygen -L``."""
    options = options_of(fields)
    _, comment = read_public_line(fields.public_key)
    until = utc_text(fields.valid_before) if fields.valid_before else "for ever"
    return (
        ("Type", f"{fields.holder} certificate"),
        ("Public key", f"{fields.public_key.split()[0]} {comment}".rstrip()),
        ("Signing CA", f"{require_ssh_kind(key).signature} {key.asked_as}"),
        ("Key ID", fields.identity),
        ("Serial", str(fields.serial)),
        ("Valid", f"from {utc_text(fields.valid_after)} to {until}"),
        ("Principals", ", ".join(fields.principals) or "any"),
        ("Critical options", ", ".join(_shown(options.critical)) or "none"),
        ("Extensions", ", ".join(_shown(options.extensions)) or "none"),
    )


def _shown(options: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" if value else name for name, value in options.items()]


def sign_certificate(key: SigningKey, fields: SshCertificateFields, now: datetime) -> str:
    """The line of a ``-cert.pub`` file. One call of Sign. Raises SshFieldError and SigningError before it."""
    check_fields(fields, now)
    require_ssh_kind(key)
    holder, comment = read_public_line(fields.public_key)
    if not isinstance(holder, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise SshFieldError(
            SshField.PUBLIC_KEY, "Certificates are made for RSA, ECDSA and Ed25519 keys only."
        )
    options = options_of(fields)
    kind = SSHCertificateType.USER if fields.holder is Holder.USER else SSHCertificateType.HOST
    builder = (
        SSHCertificateBuilder()
        .public_key(holder)
        .type(kind)
        .key_id(fields.identity.encode())
        .serial(fields.serial)
        .valid_after(int(fields.valid_after.astimezone(UTC).timestamp()))
        .valid_before(
            int(fields.valid_before.astimezone(UTC).timestamp()) if fields.valid_before else FOREVER
        )
    )
    builder = (
        builder.valid_for_all_principals()  # type: ignore[no-untyped-call]
        if fields.any_principal
        else builder.valid_principals([each.encode() for each in fields.principals])
    )
    for name, value in options.critical.items():
        builder = builder.add_critical_option(name.encode(), value.encode())
    for name, value in options.extensions.items():
        builder = builder.add_extension(name.encode(), value.encode())
    made = private_key(key)
    assert isinstance(made, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
    return f"{builder.sign(made).public_bytes().decode()} {comment}".rstrip()
