"""AWS Signature Version 4, the verifying side: in the Authorization header, or presigned in the query.

After "Create a signed AWS API request" of the IAM user guide. The refusals have AWS's codes (those of the
JSON protocol) and words. The credential is the store's own, or one of this run; a security token that comes
with it is of no account. Other access keys have the secret and the token that they were made with.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode, b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote

from kms_tui.backend.local.authorization.callers import unrecognized
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.admission import Admitted, PageGuard, UnsignedFrom, is_of_this_machine, refusal
from kms_tui.serve.http_messages import HttpRequest, session_token_of

_ID_BYTES, _SECRET_BYTES = 10, 30
_PURPOSE = "credential of serve"


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key in the form of AWS's: 20 characters, and a secret of 40 that stays out of the repr."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def random_credential() -> Credential:
    """A credential for this one run."""
    return _credential(secrets.token_bytes(_ID_BYTES + _SECRET_BYTES))


def credential_of(store: Store) -> Credential:
    """The store's own credential: it follows from the root key, so it stays the same and is not written."""
    return _credential(store.root_key.derive(_PURPOSE, _ID_BYTES + _SECRET_BYTES))


def _credential(seed: bytes) -> Credential:
    return Credential(
        "AKIA" + b32encode(seed[:_ID_BYTES]).decode("ascii"), b64encode(seed[_ID_BYTES:]).decode("ascii")
    )


ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
MAX_SKEW = timedelta(minutes=5)
_MAX_EXPIRES = 7 * 24 * 60 * 60
_MAX_SIGNING_KEYS = 1024

_REGION = re.compile(r"[a-z][a-z0-9-]{0,30}")
_TIMESTAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_QUERY_FIELDS = ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date")
_MUST_BE_SIGNED = ("host", "x-amz-date", "x-amz-target")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says about its signature, before any of it is believed.

    ``scope`` is the credential's: access key id, date, region, service, terminator. ``expires`` is None in
    the header form.
    """

    scope: tuple[str, str, str, str, str]
    signed_headers: str
    signature: str
    timestamp: str
    expires: str | None = None

    @property
    def region(self) -> str:
        return self.scope[2]


class SigV4:
    """Admits requests signed with a known access key, within five minutes of ``now``.

    The ``credential`` is the default caller's; ``access_keys`` are those of other principals. What needs no
    signature is admitted as ``unsigned`` says, and never from web pages. Safe to use from several threads.
    """

    def __init__(
        self,
        credential: Credential,
        now: Callable[[], datetime],
        access_keys: AccessKeys | None = None,
        *,
        hosts: Collection[str] = (),
        unsigned: UnsignedFrom = UnsignedFrom.NOWHERE,
    ) -> None:
        self._credential = credential
        self._now = now
        self.access_keys = access_keys
        self._pages = PageGuard(hosts)
        self._unsigned = unsigned
        self._signing_keys: dict[tuple[str, str, str, str], bytes] = {}

    def __call__(self, request: HttpRequest, service: str) -> Admitted:
        """The Region that the request was signed for, and its access key; raises ServiceError."""
        claim = claim_of(request)
        self._check_scope(claim, service)
        self._check_age(claim)
        key, secret = self._key_of(claim, request)
        expected = self._signature(request, claim, secret)
        if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
            raise _invalid(
                "The request signature we calculated does not match the signature you provided. Check your "
                "AWS Secret Access Key and signing method. Consult the service documentation for details."
            )
        return Admitted(claim.region, key)

    def unsigned(self, request: HttpRequest) -> Admitted:
        """Admit a request without a signature; raises ServiceError."""
        self._pages.refuse_pages(request)
        here = self._unsigned is UnsignedFrom.THIS_MACHINE and is_of_this_machine(request)
        if not here and self._unsigned is not UnsignedFrom.ANYWHERE:
            raise refusal(
                "Web identity tokens are not verified here, so they are taken for a store in memory and from "
                "this machine only: start the endpoint with --trust-web-identity to take all."
            )
        return Admitted()

    def _key_of(self, claim: Claim, request: HttpRequest) -> tuple[AccessKey | None, str]:
        """The access key that a request names (None: that of the default caller), and its secret."""
        access_key_id = claim.scope[0]
        if access_key_id == self._credential.access_key_id:
            return None, self._credential.secret_access_key
        key = self.access_keys.find(access_key_id) if self.access_keys else None
        if key is None or self.access_keys is None:
            raise unrecognized()
        self.access_keys.require_usable(key, session_token_of(request))
        return key, key.secret_access_key

    def _check_scope(self, claim: Claim, service: str) -> None:
        _, date, region, claimed_service, terminator = claim.scope
        problems = []
        if not is_region(region):
            problems.append("Credential should be scoped to a valid region.")
        if claimed_service != service:
            problems.append(f"Credential should be scoped to correct service: '{service}'.")
        if terminator != TERMINATOR:
            problems.append(
                f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'."
            )
        if date != claim.timestamp[:8]:
            problems.append(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{date}' != '{claim.timestamp[:8]}', from '{claim.timestamp}'."
            )
        if problems:
            raise _invalid(" ".join(problems))

    def _check_age(self, claim: Claim) -> None:
        signed, now = _moment(claim.timestamp), self._now()
        lifetime = MAX_SKEW if claim.expires is None else _lifetime(claim.expires)
        if now - signed > lifetime:
            raise _invalid(
                f"Signature expired: {claim.timestamp} is now earlier than {_basic(now - lifetime)} "
                f"({_basic(now)} - {_span(lifetime)})"
            )
        if signed - now > MAX_SKEW:
            raise _invalid(
                f"Signature not yet current: {claim.timestamp} is still later than {_basic(now + MAX_SKEW)} "
                f"({_basic(now)} + {_span(MAX_SKEW)})"
            )

    def _signature(self, request: HttpRequest, claim: Claim, secret: str) -> str:
        canonical = canonical_request(request, claim)
        _, date, region, service, _ = claim.scope
        to_sign = (
            f"{ALGORITHM}\n{claim.timestamp}\n{date}/{region}/{service}/{TERMINATOR}\n"
            f"{hashlib.sha256(canonical.encode()).hexdigest()}"
        )
        key = self._signing_key(secret, date, region, service)
        return hmac.digest(key, to_sign.encode(), "sha256").hex()

    def _signing_key(self, secret: str, date: str, region: str, service: str) -> bytes:
        """Derived once for each access key, day, Region and service."""
        name = (secret, date, region, service)
        key = self._signing_keys.get(name)
        if key is None:
            key = f"AWS4{secret}".encode()
            for part in (date, region, service, TERMINATOR):
                key = hmac.digest(key, part.encode(), "sha256")
            if len(self._signing_keys) >= _MAX_SIGNING_KEYS:
                self._signing_keys.clear()
            self._signing_keys[name] = key
        return key


def is_region(name: str) -> bool:
    """Whether the text can be a region's name."""
    return _REGION.fullmatch(name) is not None


def claim_of(request: HttpRequest) -> Claim:
    """The request's signature, from its header or its query; raises ServiceError where it is not whole."""
    header = request.headers.get("authorization")
    presigned = "X-Amz-Algorithm=" in request.query
    if header is None:
        if presigned:
            return _claim_of_query(request.query_parameters(), request.headers)
        raise ServiceError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    if presigned:
        raise _invalid(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        )
    return _claim_of_header(header, request.headers)


def _claim_of_header(header: str, headers: Mapping[str, str]) -> Claim:
    algorithm, _, rest = header.strip().partition(" ")
    if not algorithm.startswith("AWS"):
        raise ServiceError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    fields = {}
    for part in rest.split(","):
        name, equals, value = part.partition("=")
        if equals:
            fields[name.strip()] = value.strip()
    date = headers.get("x-amz-date") or headers.get("date")
    problems = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not fields.get(name)
    ]
    if not date:
        problems.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if not date or problems:
        raise _incomplete(" ".join(problems))
    claim = Claim(
        _scope(fields["Credential"]), fields["SignedHeaders"], fields["Signature"], _timestamp(date)
    )
    _check_signed_headers(claim, headers)
    return claim


def _claim_of_query(parameters: Mapping[str, str], headers: Mapping[str, str]) -> Claim:
    missing = [name for name in _QUERY_FIELDS if not parameters.get(f"X-Amz-{name}")]
    if missing:
        raise _incomplete(
            " ".join(f"AWS query-string parameters must include 'X-Amz-{name}'." for name in missing)
            + " Re-examine the query-string parameters."
        )
    if parameters["X-Amz-Algorithm"] != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{parameters['X-Amz-Algorithm']}'.")
    claim = Claim(
        _scope(parameters["X-Amz-Credential"]),
        parameters["X-Amz-SignedHeaders"],
        parameters["X-Amz-Signature"],
        _timestamp(parameters["X-Amz-Date"]),
        parameters.get("X-Amz-Expires"),
    )
    _check_signed_headers(claim, headers)
    return claim


def _check_signed_headers(claim: Claim, headers: Mapping[str, str]) -> None:
    signed = claim.signed_headers.split(";")
    for name in _MUST_BE_SIGNED:
        if name in headers and name not in signed:
            raise _invalid(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def _scope(credential: str) -> tuple[str, str, str, str, str]:
    parts = credential.split("/")
    if len(parts) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{credential}'"
        )
    return parts[0], parts[1], parts[2], parts[3], parts[4]


def _timestamp(date: str) -> str:
    """The date in ISO 8601's basic form, which a Date header may have in RFC 9110's."""
    if _TIMESTAMP.fullmatch(date):
        return date
    try:
        return _basic(parsedate_to_datetime(date).astimezone(UTC))
    except (ValueError, TypeError, OverflowError) as error:
        raise _incomplete(
            f"Date must be in ISO-8601 'basic format'. Got '{date}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ) from error


def _moment(timestamp: str) -> datetime:
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError as error:
        raise _incomplete(
            f"Date must be in ISO-8601 'basic format'. Got '{timestamp}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ) from error


def _lifetime(expires: str) -> timedelta:
    seconds = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 9 else 0
    if not 0 < seconds <= _MAX_EXPIRES:
        raise _incomplete(f"X-Amz-Expires must be between 1 and {_MAX_EXPIRES} seconds. Got '{expires}'.")
    return timedelta(seconds=seconds)


def _basic(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    return f"{seconds // 60} min." if seconds % 60 == 0 else f"{seconds} s."


def canonical_request(request: HttpRequest, claim: Claim) -> str:
    """The text that is signed: the request without what may change on its way."""
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n"
        for name in claim.signed_headers.split(";")
    )
    return (
        f"{request.method}\n{_canonical_path(request.path)}\n{_canonical_query(request.query)}\n"
        f"{headers}\n{claim.signed_headers}\n{hashlib.sha256(request.body).hexdigest()}"
    )


def _canonical_path(path: str) -> str:
    if path == "/":
        return path
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    normal = "/" + "/".join(segments) + ("/" if segments and path.endswith("/") else "")
    return quote(normal, safe="/~")


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = [(quote(unquote(name), safe="~"), quote(unquote(value), safe="~")) for name, _, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded) if name != "X-Amz-Signature")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidSignatureException", message)


def _incomplete(message: str) -> ServiceError:
    return ServiceError("IncompleteSignatureException", message)
