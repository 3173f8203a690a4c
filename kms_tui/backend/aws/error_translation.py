"""botocore's exceptions in this program's terms: one context manager, used wherever botocore runs."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions as boto
from botocore.parsers import ResponseParserError

from kms_tui.backend.aws.credential_sources import ENDPOINT_EXAMPLE, proxy_variable
from kms_tui.backend.aws.profiles import ProfileInfo
from kms_tui.backend.aws.retries import IncompleteAnswerError
from kms_tui.kms.errors import (
    EXPIRED,
    THROTTLED,
    UNRECOGNIZED,
    ConfigurationError,
    CredentialsError,
    EndpointError,
    KmsTuiError,
    OutcomeUnknownError,
    ServiceError,
    UnknownHostError,
)

_TOLERATED_SKEW = timedelta(minutes=5)
"""How far a signature's time may be from AWS's ("Signature Version 4": five minutes)."""
_REJECTED_5XX = frozenset({"KMSInternalException", "KeyUnavailableException"})
"""Server errors by which KMS says that it rejected the request; after any other one it may have been done."""

_WITHOUT_BODY = {"400": "BadRequest", "403": "AccessDenied", "404": "NotFound"}
"""The error codes of answers to HEAD, which have a status alone."""

_CHECK_NETWORK = "Check the region's name, the network and any proxy, then try again."
_CHECK_PROFILE = "Check the profile in the AWS configuration files."


class Translator:
    """Raises ``kms_tui.kms.errors`` in place of what botocore raises, for one profile's session."""

    def __init__(self, profile: ProfileInfo, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._profile = profile
        self._now = now

    @contextmanager
    def calling(self, operation: str) -> Iterator[None]:
        """Wraps a call that may be repeated, or opening and signing (``operation`` "")."""
        try:
            yield
        except boto.ClientError as error:
            raise self._answered(error, operation) from error
        except boto.BotoCoreError as error:
            raise self._unanswered(error, operation) from error
        except (ResponseParserError, KeyError) as error:
            # botocore's XML parser, that of STS, fails in either way on a page that is not AWS's.
            sentence = f"The answer to {operation or 'a request for credentials'} is not AWS's."
            raise EndpointError(sentence, next_step=_CHECK_NETWORK) from error

    @contextmanager
    def mutating(self, operation: str) -> Iterator[None]:
        """Wraps a mutation; OutcomeUnknownError where its answer is lost and it may have been done."""
        try:
            yield
        except boto.ClientError as error:
            code, status = _code(error), _status(error)
            if status >= 500 and code not in _REJECTED_5XX | THROTTLED:
                reason = f"HTTP {status}" if not code or code.isdigit() else code
                raise OutcomeUnknownError(operation, reason) from error
            raise self._answered(error, operation) from error
        except boto.BotoCoreError as error:
            reason = _lost(error)
            if reason:
                raise OutcomeUnknownError(operation, reason) from error
            raise self._unanswered(error, operation) from error

    @contextmanager
    def configuring(self) -> Iterator[None]:
        """Wraps the opening of a session and its clients; botocore raises bare ValueErrors there."""
        try:
            with self.calling(""):
                yield
        except ValueError as error:
            if str(error).startswith("Invalid endpoint"):
                raise ConfigurationError(str(error), next_step=ENDPOINT_EXAMPLE) from error
            sentence = f"The AWS configuration cannot be used: {str(error).rstrip('.')}."
            raise ConfigurationError(sentence, next_step=_CHECK_PROFILE) from error

    def _answered(self, error: boto.ClientError, operation: str) -> KmsTuiError:
        code, status = _code(error), _status(error)
        message = str(error.response.get("Error", {}).get("Message") or "")
        if error.operation_name != operation:
            return self._sign_in(f"{error.operation_name} was refused: {code}: {message}")
        skewed = self._skewed(error) if code in EXPIRED | UNRECOGNIZED else None
        if skewed is not None:
            return skewed
        if code in EXPIRED:
            return self._sign_in(f"{code}: {message}")
        if operation.startswith("Head") and code in _WITHOUT_BODY:
            return ServiceError(_WITHOUT_BODY[code], "", operation=operation, status=status)
        if not code or code.isdigit():
            return EndpointError(
                f"The endpoint answered {operation} with HTTP {status}, which is not KMS's doing.",
                next_step="Check the endpoint's URL and any proxy, then try again.",
            )
        return ServiceError(code, message, operation=operation, status=status)

    def _skewed(self, error: boto.ClientError) -> CredentialsError | None:
        """The real cause of a refused signature, where the answer's Date shows that clocks differ."""
        try:
            theirs = parsedate_to_datetime(_metadata(error).get("HTTPHeaders", {})["date"])
            skew = self._now() - theirs
        except (KeyError, TypeError, ValueError):
            return None
        if abs(skew) <= _TOLERATED_SKEW:
            return None
        direction = "ahead of" if skew > timedelta() else "behind"
        return CredentialsError(
            f"This machine's clock is {_about(abs(skew))} {direction} the server's, so nothing is accepted.",
            next_step="Set this machine's clock right; nothing is wrong with the credentials.",
        )

    def _sign_in(self, sentence: str) -> CredentialsError:
        command = self._profile.login_command
        return CredentialsError(
            sentence,
            login_command=command,
            next_step="" if command else "Renew the credentials, then refresh.",
        )

    def _unanswered(self, error: boto.BotoCoreError, operation: str) -> KmsTuiError:
        if isinstance(error, boto.ParamValidationError):
            return ServiceError("ValidationException", str(error.kwargs["report"]), operation=operation)
        for kinds, build in _SENTENCES:
            if isinstance(error, kinds):
                return build(self, error)
        return KmsTuiError(
            f"The call could not be made: {_sentence(error)}", next_step="" if operation else _CHECK_PROFILE
        )

    def _expired(self, error: boto.BotoCoreError) -> KmsTuiError:
        command = self._profile.login_command or "aws sso login"
        return CredentialsError(
            f"The sign-in of profile {self._profile.name} has expired, or was never made.",
            login_command=command,
        )

    def _mfa(self, error: boto.BotoCoreError) -> KmsTuiError:
        return CredentialsError(
            f"The role of profile {self._profile.name} has expired, and renewing it takes an MFA code.",
            next_step="Refresh to be asked for the code.",
        )

    def _missing(self, error: boto.BotoCoreError) -> KmsTuiError:
        return no_credentials()

    def _unretrieved(self, error: boto.BotoCoreError) -> KmsTuiError:
        return self._sign_in(_sentence(error))

    def _misconfigured(self, error: boto.BotoCoreError) -> KmsTuiError:
        return ConfigurationError(_sentence(error), next_step=_CHECK_PROFILE)

    def _no_profile(self, error: boto.BotoCoreError) -> KmsTuiError:
        return ConfigurationError(
            f"The AWS configuration has no profile {self._profile.name}.",
            next_step="Give --profile one of the names that `aws configure list-profiles` shows.",
        )

    def _no_region(self, error: boto.BotoCoreError) -> KmsTuiError:
        return ConfigurationError(
            "No region is given, and the profile names none.",
            next_step="Give --region, for example --region eu-west-1, or set AWS_REGION.",
        )

    def _bad_region(self, error: boto.BotoCoreError) -> KmsTuiError:
        return ConfigurationError(_sentence(error), next_step="A region's name looks like eu-west-1.")

    def _unreachable(self, error: boto.BotoCoreError) -> KmsTuiError:
        host, cause = _host(error), error.kwargs.get("error")
        if _within(cause, socket.gaierror):
            return UnknownHostError(
                f"The name {host} cannot be resolved: the region does not exist, or there is no network.",
                next_step=_CHECK_NETWORK,
            )
        up = "Check that the endpoint is up, then try again."
        proxy = error.kwargs.get("proxy_url")
        if proxy is not None:
            variable = proxy_variable(str(proxy))
            up = f"Check {variable or 'the proxy settings'}: the proxy must be up and let requests through."
        if _within(cause, ConnectionRefusedError):
            return EndpointError(f"{host} refuses connections.", next_step=up)
        step = up if proxy is not None else _CHECK_NETWORK
        return EndpointError(f"{host} cannot be reached.", next_step=step)

    def _untrusted(self, error: boto.BotoCoreError) -> KmsTuiError:
        if "wrong version number" in str(error.kwargs.get("error")).lower():
            return EndpointError(
                f"{_host(error)} does not speak TLS: it answers on this port without encryption.",
                next_step="Give the endpoint as http://, or its port for https://.",
            )
        return EndpointError(
            f"No secure connection to {_host(error)}: {error.kwargs.get('error')}",
            next_step="Check AWS_CA_BUNDLE or the profile's ca_bundle, any proxy, and this machine's clock.",
        )

    def _lost_answer(self, error: boto.BotoCoreError) -> KmsTuiError:
        return EndpointError(f"{_host(error)}: {_lost(error)}.", next_step=_CHECK_NETWORK)


def no_credentials() -> CredentialsError:
    """The error where the whole chain found nothing."""
    return CredentialsError(
        "No AWS credentials were found.",
        next_step="Choose a profile with --profile, sign in with `aws configure sso`, or try --demo.",
    )


_Builder = Callable[[Translator, boto.BotoCoreError], KmsTuiError]

_SENTENCES: tuple[tuple[tuple[type[boto.BotoCoreError], ...], _Builder], ...] = (
    ((boto.NoCredentialsError,), Translator._missing),
    ((boto.SSOError, boto.LoginError, boto.TokenRetrievalError), Translator._expired),
    ((boto.RefreshWithMFAUnsupportedError,), Translator._mfa),
    ((boto.ProfileNotFound,), Translator._no_profile),
    ((boto.NoRegionError,), Translator._no_region),
    ((boto.InvalidRegionError,), Translator._bad_region),
    (
        (
            boto.InvalidConfigError,
            boto.PartialCredentialsError,
            boto.ConfigParseError,
            boto.ConfigNotFound,
            boto.InvalidRetryConfigurationError,
            boto.EndpointProviderError,
            boto.BaseEndpointResolverError,
            boto.InvalidEndpointConfigurationError,
        ),
        Translator._misconfigured,
    ),
    (
        (boto.CredentialRetrievalError, boto.MetadataRetrievalError, boto.UnknownCredentialError),
        Translator._unretrieved,
    ),
    ((boto.SSLError,), Translator._untrusted),
    (
        (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError),
        Translator._unreachable,
    ),
    ((boto.HTTPClientError, boto.ConnectionError), Translator._lost_answer),
)
"""Which exceptions become which sentence; the first entry that matches decides."""


def _lost(error: boto.BotoCoreError) -> str:
    """How an answer was lost after the request went out, or "" where the request never did."""
    if isinstance(error, boto.ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, IncompleteAnswerError):
        return "the answer was cut short"
    if isinstance(error, boto.SSLError):
        handshake = _within(error.kwargs.get("error"), ssl.SSLCertVerificationError)
        return "" if handshake else "the secure connection broke"
    if isinstance(error, boto.HTTPClientError):
        return "the connection was closed before the answer"
    return ""


def _within(error: object, kind: type[BaseException]) -> bool:
    """Whether an exception of the kind is the error, or within its arguments or causes, as urllib3 nests."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, kind):
            return True
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            waiting += [*current.args, current.__cause__, current.__context__]
            waiting.append(getattr(current, "reason", None))
    return False


def _about(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{round(minutes / 60)} hours" if minutes < 48 * 60 else f"{span.days} days"


def _host(error: boto.BotoCoreError) -> str:
    url = error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url") or ""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or "The endpoint"
    return f"The proxy {host}" if "proxy_url" in error.kwargs else host


def _sentence(error: boto.BotoCoreError) -> str:
    text = str(error).strip()
    return text if text.endswith(".") else f"{text}."


def _metadata(error: boto.ClientError) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    return metadata


def _code(error: boto.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code") or "")


def _status(error: boto.ClientError) -> int:
    return int(_metadata(error).get("HTTPStatusCode", 400))
