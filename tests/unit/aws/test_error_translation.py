"""Every botocore exception becomes one of ours, with a sentence and a next step."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions as boto
import pytest

from kms_tui.backend.aws.error_translation import Translator
from kms_tui.backend.aws.profiles import ProfileInfo
from kms_tui.backend.aws.retries import IncompleteAnswerError, is_whole, refused_mutations
from kms_tui.kms.errors import (
    ConfigurationError,
    CredentialsError,
    EndpointError,
    KmsTuiError,
    OutcomeUnknownError,
    ServiceError,
    UnknownHostError,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://kms.eu-west-1.amazonaws.com/"
HOST = "kms.eu-west-1.amazonaws.com"
DEV = ProfileInfo("dev")
SSO = ProfileInfo("dev", login_command="aws sso login --profile dev")


def translated(error: Exception, *, mutation: bool = False, profile: ProfileInfo = DEV) -> KmsTuiError:
    translator = Translator(profile, now=lambda: NOW)
    operation = "CreateKey" if mutation else "ListKeys"
    with (
        pytest.raises(KmsTuiError) as caught,
        translator.mutating(operation) if mutation else translator.calling(operation),
    ):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def client_error(
    code: str, message: str = "why", *, status: int = 400, date: str = "", operation: str = "ListKeys"
) -> boto.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {"date": date} if date else {}},
    }
    return boto.ClientError(response, operation)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (boto.NoCredentialsError(), CredentialsError, "No AWS credentials were found"),
        (boto.UnauthorizedSSOTokenError(), CredentialsError, "profile dev has expired"),
        (boto.SSOTokenLoadError(error_msg="x"), CredentialsError, "profile dev has expired"),
        (
            boto.TokenRetrievalError(provider="sso", error_msg="x"),
            CredentialsError,
            "profile dev has expired",
        ),
        (boto.LoginRefreshRequired(), CredentialsError, "profile dev has expired"),
        (boto.RefreshWithMFAUnsupportedError(), CredentialsError, "MFA code"),
        (boto.CredentialRetrievalError(provider="custom", error_msg="exit 1"), CredentialsError, "exit 1"),
        (boto.MetadataRetrievalError(error_msg="timed out"), CredentialsError, "timed out"),
        (boto.PartialCredentialsError(provider="env", cred_var="key"), ConfigurationError, "missing: key"),
        (boto.ProfileNotFound(profile="dev"), ConfigurationError, "has no profile dev"),
        (boto.NoRegionError(), ConfigurationError, "No region"),
        (boto.InvalidRegionError(region_name="a b"), ConfigurationError, "a b"),
        (boto.InvalidConfigError(error_msg="both given"), ConfigurationError, "both given"),
        (boto.InfiniteLoopConfigError(source_profile="a", visited_profiles=["a"]), ConfigurationError, "a"),
        (boto.ConfigParseError(path="/etc/x"), ConfigurationError, "/etc/x"),
        (boto.EndpointResolutionError(msg="no FIPS"), ConfigurationError, "no FIPS"),
        (boto.ParamValidationError(report="Missing KeyId"), ServiceError, "Missing KeyId"),
        (
            boto.EndpointConnectionError(endpoint_url=URL, error=socket.gaierror(-2, "unknown")),
            UnknownHostError,
            f"{HOST} cannot be resolved",
        ),
        (
            boto.EndpointConnectionError(endpoint_url=URL, error=OSError(ConnectionRefusedError(111))),
            EndpointError,
            f"{HOST} refuses connections",
        ),
        (boto.EndpointConnectionError(endpoint_url=URL), EndpointError, f"{HOST} cannot be reached"),
        (boto.ConnectTimeoutError(endpoint_url=URL), EndpointError, f"{HOST} cannot be reached"),
        (boto.ReadTimeoutError(endpoint_url=URL), EndpointError, f"{HOST}: no answer in time"),
        (boto.ConnectionClosedError(endpoint_url=URL), EndpointError, "closed before the answer"),
        (IncompleteAnswerError(endpoint_url=URL), EndpointError, "cut short"),
        (
            boto.ProxyConnectionError(proxy_url="http://ada:pw@proxy:3128", error="x"),
            EndpointError,
            "The proxy proxy:3128 cannot be reached",
        ),
        (boto.SSLError(endpoint_url=URL, error=ssl.SSLError("self-signed")), EndpointError, "self-signed"),
        (boto.MissingDependencyException(msg="crt"), KmsTuiError, "crt"),
        (client_error("DisabledException"), ServiceError, "DisabledException: why"),
        (client_error("ExpiredTokenException"), CredentialsError, "ExpiredTokenException"),
        (client_error("UnrecognizedClientException"), ServiceError, "UnrecognizedClientException"),
        (client_error("502", status=502), EndpointError, "HTTP 502"),
        (
            client_error("AccessDenied", "bad code", operation="AssumeRole"),
            CredentialsError,
            "AssumeRole was refused: AccessDenied: bad code",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_exception_becomes_ours(error: Exception, kind: type[KmsTuiError], words: str) -> None:
    raised = translated(error)
    assert type(raised) is kind
    assert words in str(raised)
    assert "pw" not in str(raised)


@pytest.mark.parametrize(
    "error",
    [
        boto.NoCredentialsError(),
        boto.UnauthorizedSSOTokenError(),
        boto.RefreshWithMFAUnsupportedError(),
        boto.ProfileNotFound(profile="x"),
        boto.NoRegionError(),
        boto.EndpointConnectionError(endpoint_url=URL),
        boto.ReadTimeoutError(endpoint_url=URL),
        boto.SSLError(endpoint_url=URL, error=ssl.SSLError("x")),
        client_error("ExpiredTokenException"),
        client_error("AccessDeniedException"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_there_is_always_a_next_step(error: Exception) -> None:
    assert translated(error).next_step.endswith((".", "dev", "aws sso login"))


@pytest.mark.parametrize(
    "error",
    [boto.UnauthorizedSSOTokenError(), client_error("ExpiredTokenException")],
    ids=["token", "service"],
)
def test_an_expired_sign_in_names_the_command_that_renews_it(error: Exception) -> None:
    raised = translated(error, profile=SSO)
    assert isinstance(raised, CredentialsError)
    assert raised.login_command == "aws sso login --profile dev"
    assert raised.next_step == "Run: aws sso login --profile dev"


def test_a_region_that_is_not_enabled_asks_for_no_sign_in() -> None:
    """AWS answers so to good credentials in a region that the account has not enabled."""
    raised = translated(client_error("UnrecognizedClientException"), profile=SSO)
    assert isinstance(raised, ServiceError)
    assert "region enabled" in raised.next_step


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("Mon, 23 Nov 2026 11:30:00 GMT", "30 minutes ahead of"),
        ("Mon, 23 Nov 2026 12:06:00 GMT", "6 minutes behind"),
        ("Mon, 23 Nov 2026 19:00:00 GMT", "7 hours behind"),
        ("Mon, 16 Nov 2026 12:00:00 GMT", "7 days ahead of"),
    ],
)
def test_a_signature_refused_for_the_clock_says_how_wrong_the_clock_is(date: str, words: str) -> None:
    raised = translated(client_error("InvalidSignatureException", date=date))
    assert isinstance(raised, CredentialsError)
    assert f"clock is {words} the server's" in str(raised)


@pytest.mark.parametrize("date", ["Mon, 23 Nov 2026 12:04:00 GMT", "Mon, 23 Nov 2026 12:04:00", "soon", ""])
def test_a_signature_refused_otherwise_does_not_blame_the_clock(date: str) -> None:
    raised = translated(client_error("InvalidSignatureException", date=date))
    assert isinstance(raised, ServiceError)
    assert str(raised) == "InvalidSignatureException: why"


@pytest.mark.parametrize(
    "error",
    [
        boto.ReadTimeoutError(endpoint_url=URL),
        boto.ConnectionClosedError(endpoint_url=URL),
        IncompleteAnswerError(endpoint_url=URL),
        boto.HTTPClientError(error="odd"),
        boto.SSLError(endpoint_url=URL, error=ssl.SSLError("bad record mac")),
        client_error("504", status=504),
        client_error("DependencyTimeoutException", status=500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_mutation_that_may_have_been_done_has_an_unknown_outcome(error: Exception) -> None:
    assert isinstance(translated(error, mutation=True), OutcomeUnknownError)


@pytest.mark.parametrize(
    "error",
    [
        boto.NoCredentialsError(),
        boto.ParamValidationError(report="x"),
        boto.EndpointConnectionError(endpoint_url=URL),
        boto.ConnectTimeoutError(endpoint_url=URL),
        boto.ProxyConnectionError(proxy_url="http://p", error="x"),
        boto.SSLError(endpoint_url=URL, error=Exception(ssl.SSLCertVerificationError("self-signed"))),
        client_error("AccessDeniedException"),
        client_error("KMSInternalException", status=500),
        client_error("404", status=404),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_mutation_that_was_surely_not_done_has_no_unknown_outcome(error: Exception) -> None:
    assert not isinstance(translated(error, mutation=True), OutcomeUnknownError)


def test_our_own_errors_pass_unchanged() -> None:
    mine = CredentialsError("the prompt was closed")
    with pytest.raises(CredentialsError) as caught, Translator(SSO).calling("ListKeys"):
        raise mine
    assert caught.value is mine


@pytest.mark.parametrize(
    ("caught", "resent"),
    [
        (boto.EndpointConnectionError(endpoint_url=URL), True),
        (boto.ConnectTimeoutError(endpoint_url=URL), True),
        (boto.ProxyConnectionError(proxy_url="http://p", error="x"), True),
        (boto.ReadTimeoutError(endpoint_url=URL), False),
        (boto.ConnectionClosedError(endpoint_url=URL), False),
        (boto.SSLError(endpoint_url=URL, error=ssl.SSLError("x")), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_mutation_is_sent_again_only_where_it_never_went_out(caught: Exception, resent: bool) -> None:
    handler = refused_mutations(fraction=lambda: 0.5)
    delay = handler(response=None, attempts=2, caught_exception=caught, operation=None)
    assert delay == (1.0 if resent else None)


@pytest.mark.parametrize(
    ("content", "headers", "expects_body", "whole"),
    [
        (b'{"Keys":[]}', {"Content-Length": "11"}, True, True),
        (b'{"Keys":[]}', {}, True, True),
        (b'{"Keys":[]', {"Content-Length": "11"}, True, False),
        (b'{"Keys":[]', {}, True, False),
        (b'{"a":1}', {"Content-Length": "20"}, True, False),
        (b"", {"Content-Length": "0"}, False, True),
        (b"", {}, True, False),
        (b"null", {}, False, True),
        (b"null", {}, True, False),
        (b"<html>", {}, False, False),
        (b"[]", {}, True, False),
        (b"\xff", {}, True, False),
    ],
)
def test_a_whole_answer_is_told_from_a_broken_one(
    content: bytes, headers: dict[str, str], expects_body: bool, whole: bool
) -> None:
    assert is_whole(content, headers, expects_body) is whole


@pytest.mark.parametrize(
    ("status", "code", "is_denied"),
    [(403, "AccessDenied", True), (404, "NotFound", False), (400, "BadRequest", False)],
)
def test_an_answer_to_head_has_its_status_alone(status: int, code: str, is_denied: bool) -> None:
    translator = Translator(DEV, now=lambda: NOW)
    with pytest.raises(ServiceError) as caught, translator.calling("HeadObject"):
        raise client_error(str(status), "", status=status, operation="HeadObject")
    assert (caught.value.code, caught.value.status, caught.value.denied) == (code, status, is_denied)
    assert isinstance(translated(client_error("404", status=404)), EndpointError)
