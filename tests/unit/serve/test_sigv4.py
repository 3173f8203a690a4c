"""The verifying side of Signature Version 4, against requests that botocore signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.kms.errors import ServiceError
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.http_messages import HttpRequest
from kms_tui.serve.sigv4 import Credential, SigV4
from tests.unit.serve.fakes import CREDENTIAL, REGION, presigned, signed, time_of

TARGET = {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}
STS_URL = "http://127.0.0.1:8000/?Action=GetCallerIdentity&Version=2011-06-15"


def admitted(request: HttpRequest, *, late: timedelta = timedelta(0), service: str = "kms") -> str:
    """The region; ``late`` is how much after the signing the request arrives."""
    region = SigV4(CREDENTIAL, lambda: time_of(request) + late)(request, service).region
    assert region is not None
    return region


def refused(request: HttpRequest, code: str, *, late: timedelta = timedelta(0), service: str = "kms") -> str:
    """Expect the error code; its message."""
    with pytest.raises(ServiceError) as caught:
        SigV4(CREDENTIAL, lambda: time_of(signed()) + late)(request, service)
    assert caught.value.code == code, caught.value
    return caught.value.message


def with_authorization(request: HttpRequest, change: Callable[[str], str]) -> HttpRequest:
    header = change(request.headers["authorization"])
    return replace(request, headers={**request.headers, "authorization": header})


def test_a_request_signed_with_the_credential_is_admitted_to_the_region_of_its_scope() -> None:
    assert admitted(signed(b'{"Limit":1}', headers=TARGET)) == REGION
    assert admitted(signed(headers=TARGET, region="us-gov-west-1")) == "us-gov-west-1"


@settings(deadline=None, max_examples=60)
@given(
    body=st.binary(max_size=64),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    query=st.dictionaries(st.text("ab~ %+/é", min_size=1, max_size=4), st.text("ab=&~ +é", max_size=4)),
    path=st.sampled_from(["/", "/a/b", "/a//b/", "/a/../b", "/%C3%A9 x".replace(" ", "%20")]),
)
def test_whatever_botocore_signs_is_admitted_and_a_changed_body_is_not(
    body: bytes, value: str, query: dict[str, str], path: str
) -> None:
    from urllib.parse import quote

    encoded = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in query.items())
    url = f"http://127.0.0.1:8000{path}" + (f"?{encoded}" if encoded else "")
    request = signed(body, headers={**TARGET, "X-Amz-Meta": value.strip()}, url=url)
    assert admitted(request) == REGION
    refused(replace(request, body=body + b" "), "InvalidSignatureException")


def test_headers_of_many_spaces_are_the_same_signed() -> None:
    request = signed(headers={**TARGET, "X-Amz-Meta": "a    b"})
    assert admitted(request) == REGION


def test_a_presigned_query_is_admitted_until_it_expires() -> None:
    request = presigned(STS_URL, expires=60)
    assert admitted(request, service="sts", late=timedelta(seconds=60)) == REGION
    message = refused(request, "InvalidSignatureException", service="sts", late=timedelta(seconds=70))
    assert message.startswith("Signature expired: ")


def test_a_presigned_query_does_not_serve_another_operation() -> None:
    request = presigned("http://127.0.0.1:8000/", service="kms")
    added = replace(request, headers={**request.headers, "x-amz-target": "TrentService.CreateKey"})
    assert "'x-amz-target' must be a 'SignedHeader'" in refused(added, "InvalidSignatureException")


@pytest.mark.parametrize("expires", ["0", "604801", "-1", "x", "9" * 30, "²"])
def test_a_presigned_query_needs_a_sensible_expiry(expires: str) -> None:
    request = presigned(STS_URL)
    request = replace(request, query=request.query.replace("X-Amz-Expires=60", f"X-Amz-Expires={expires}"))
    refused(request, "IncompleteSignatureException", service="sts")


def test_a_presigned_query_that_was_changed_is_refused() -> None:
    request = presigned(STS_URL)
    refused(replace(request, query=request.query + "&Extra=1"), "InvalidSignatureException", service="sts")


def test_a_presigned_query_lacking_a_part_says_which() -> None:
    request = presigned(STS_URL)
    message = refused(
        replace(request, query=request.query.replace("X-Amz-Date", "X-Date")),
        "IncompleteSignatureException",
        service="sts",
    )
    assert message.startswith("AWS query-string parameters must include 'X-Amz-Date'.")


@pytest.mark.parametrize(("minutes", "fresh"), [(5, True), (6, False), (-5, True), (-6, False)])
def test_a_signature_is_good_for_five_minutes_either_way(minutes: int, fresh: bool) -> None:
    request, late = signed(headers=TARGET), timedelta(minutes=minutes)
    if fresh:
        assert admitted(request, late=late) == REGION
    else:
        message = refused(request, "InvalidSignatureException", late=late)
        words = "is now earlier than" if minutes > 0 else "is still later than"
        assert words in message
        assert message.endswith(f"{'-' if minutes > 0 else '+'} 5 min.)")


def test_another_secret_is_refused_as_a_signature_that_does_not_match() -> None:
    request = signed(headers=TARGET, credential=Credential(CREDENTIAL.access_key_id, "another"))
    assert refused(request, "InvalidSignatureException").startswith("The request signature we calculated")


def test_another_access_key_is_refused_as_a_token_that_is_not_recognised() -> None:
    request = signed(headers=TARGET, credential=Credential("AKIAANOTHER", CREDENTIAL.secret_access_key))
    message = refused(request, "UnrecognizedClientException")
    assert message == "The security token included in the request is invalid."


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Bearer abc"])
def test_no_signature_at_all_is_a_missing_token(authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    request = HttpRequest("POST", "/", "", headers, b"{}")
    assert (
        refused(request, "MissingAuthenticationTokenException") == "Request is missing Authentication Token"
    )


@pytest.mark.parametrize("part", ["Credential", "SignedHeaders", "Signature"])
def test_a_header_lacking_a_part_says_which(part: str) -> None:
    request = with_authorization(signed(headers=TARGET), lambda header: header.replace(f"{part}=", "X="))
    message = refused(request, "IncompleteSignatureException")
    assert message == f"Authorization header requires '{part}' parameter."


def test_a_header_without_any_date_says_so() -> None:
    request = signed(headers=TARGET)
    headers = {name: value for name, value in request.headers.items() if name != "x-amz-date"}
    message = refused(replace(request, headers=headers), "IncompleteSignatureException")
    assert message.endswith("existence of either a 'X-Amz-Date' or a 'Date' header.")


@pytest.mark.parametrize("date", ["yesterday", "20261399T000000Z", "20260101T250000Z", "²0260101T000000Z"])
def test_a_date_that_is_none_is_an_incomplete_signature(date: str) -> None:
    request = signed(headers=TARGET)
    request = with_authorization(
        request, lambda header: header.replace(request.headers["x-amz-date"][:8], date[:8])
    )
    request = replace(request, headers={**request.headers, "x-amz-date": date})
    refused(request, "IncompleteSignatureException")


def test_another_algorithm_is_unsupported() -> None:
    request = with_authorization(signed(headers=TARGET), lambda header: header.replace("SHA256", "SHA512"))
    assert "AWS4-HMAC-SHA512" in refused(request, "IncompleteSignatureException")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("/kms/", "/s3/", "Credential should be scoped to correct service: 'kms'."),
        (REGION, "eu west", "Credential should be scoped to a valid region."),
        ("aws4_request,", "aws5_request,", "not 'aws5_request'"),
    ],
)
def test_a_scope_that_does_not_fit_says_how(old: str, new: str, words: str) -> None:
    request = with_authorization(signed(headers=TARGET), lambda header: header.replace(old, new))
    assert words in refused(request, "InvalidSignatureException")


def test_a_scope_of_another_day_is_refused() -> None:
    request = signed(headers=TARGET)
    day = request.headers["x-amz-date"][:8]
    request = with_authorization(request, lambda header: header.replace(day, "20200101"))
    assert "Date in Credential scope" in refused(request, "InvalidSignatureException")


def test_a_scope_in_too_few_parts_is_incomplete() -> None:
    request = with_authorization(signed(headers=TARGET), lambda header: header.replace("/aws4_request", ""))
    assert "5 slash-delimited elements" in refused(request, "IncompleteSignatureException")


@pytest.mark.parametrize("name", ["host", "x-amz-date", "x-amz-target"])
def test_what_decides_must_be_signed(name: str) -> None:
    request = signed(headers=TARGET)
    header = request.headers["authorization"]
    signed_headers = header.partition("SignedHeaders=")[2].partition(",")[0]
    fewer = ";".join(part for part in signed_headers.split(";") if part != name)
    request = with_authorization(request, lambda header: header.replace(signed_headers, fewer))
    assert f"'{name}' must be a 'SignedHeader'" in refused(request, "InvalidSignatureException")


def test_header_and_query_at_once_are_refused() -> None:
    request = replace(signed(headers=TARGET), query="X-Amz-Algorithm=AWS4-HMAC-SHA256")
    assert "Found both" in refused(request, "InvalidSignatureException")


def test_a_signature_beyond_ascii_is_a_wrong_one() -> None:
    request = with_authorization(signed(headers=TARGET), lambda header: header[:-1] + "é")
    refused(request, "InvalidSignatureException")


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_no_authorization_header_does_more_than_being_refused(text: str, date: str, query: str) -> None:
    for authorization in (
        text,
        f"AWS4-HMAC-SHA256 {text}",
        f"AWS4-HMAC-SHA256 Credential={text}, Signature=a, SignedHeaders={date}",
    ):
        request = HttpRequest("POST", "/", query, {"authorization": authorization, "x-amz-date": date}, b"")
        with pytest.raises(ServiceError):
            SigV4(CREDENTIAL, lambda: time_of(signed()))(request, "kms")
        AnyAdmission(())(request, "kms")
