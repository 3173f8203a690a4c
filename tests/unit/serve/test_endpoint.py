"""From a request to its answer, without a server."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn
from uuid import UUID
from xml.etree import ElementTree

import pytest

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.kms.errors import ReadOnlyError, ServiceError, StoreError
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.endpoint import Endpoint, Task
from kms_tui.serve.http_messages import HttpRequest, HttpResponse
from kms_tui.serve.sigv4 import SigV4
from tests.unit.serve.fakes import (
    CALLER,
    CREDENTIAL,
    REGION,
    FakeBackend,
    kms_request,
    presigned,
    signed,
    time_of,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"


def answer(endpoint: Endpoint, request: HttpRequest) -> HttpResponse:
    accepted = endpoint.accept(request)
    return endpoint.run(accepted) if isinstance(accepted, Task) else accepted


def open_endpoint(backend: FakeBackend | None = None) -> Endpoint:
    return Endpoint(backend or FakeBackend(), AnyAdmission(()))


def raising(error: Exception) -> FakeBackend:
    def answer(_operation: str, _params: Mapping[str, Any]) -> NoReturn:
        raise error

    return FakeBackend(answer)


def error_of(response: HttpResponse) -> tuple[int, str, str]:
    body = json.loads(response.body)
    return response.status, body["__type"], body.get("message", body.get("Message", ""))


def test_a_call_reaches_the_backend_in_its_shapes_and_its_result_comes_back() -> None:
    backend = FakeBackend(lambda _operation, _params: {"CiphertextBlob": b"\x01\x02", "KeyId": "k"})
    response = answer(open_endpoint(backend), kms_request("Encrypt", b'{"KeyId":"k","Plaintext":"YWI="}'))
    assert backend.calls == [(REGION, "Encrypt", {"KeyId": "k", "Plaintext": b"ab"})]
    assert (response.status, json.loads(response.body)) == (200, {"CiphertextBlob": "AQI=", "KeyId": "k"})
    assert response.content_type == "application/x-amz-json-1.1"


def test_every_request_has_a_uuid_of_its_own() -> None:
    ids = [UUID(kms_request("ListKeys").id) for _ in range(20)]
    assert len(set(ids)) == 20
    assert {each.version for each in ids} == {4}


def test_the_signatures_region_chooses_the_backends() -> None:
    backend = FakeBackend()
    request = signed(headers={"X-Amz-Target": "TrentService.ListKeys"}, region="sa-east-1")
    answer(Endpoint(backend, SigV4(CREDENTIAL, lambda: time_of(request))), request)
    assert backend.calls == [("sa-east-1", "ListKeys", {})]


def test_ever_new_regions_are_served_without_being_kept_for_ever() -> None:
    backend = FakeBackend()
    endpoint = open_endpoint(backend)
    for number in range(1200):
        answer(endpoint, kms_request("ListKeys", authorization=f"Credential=a/b/xx-north-{number}/kms/x"))
    assert {region for region, _, _ in backend.calls} == {f"xx-north-{number}" for number in range(1200)}
    assert len(endpoint.clients) <= 512


def tasks(endpoint: Endpoint, *operations: str) -> list[Task]:
    """What the requests for calls without parameters ask for."""
    accepted = [endpoint.accept(kms_request(operation)) for operation in operations]
    return [task for task in accepted if isinstance(task, Task)]


def test_calls_run_together_are_answered_each_by_itself() -> None:
    with open_store() as store:
        endpoint = Endpoint(LocalBackend(store, account_id="111122223333", region=REGION), AnyAdmission(()))
        answers = endpoint.run_together(tasks(endpoint, "ListKeys", "DescribeKey", "ListAliases"))
        assert [response.status for response in answers] == [200, 400, 200]
        names = [name for (name,) in store.rows("SELECT operation FROM events ORDER BY row")]
        assert names == ["ListKeys", "DescribeKey", "ListAliases"]


def test_a_backend_that_records_nothing_runs_calls_together_too() -> None:
    endpoint = open_endpoint()
    answers = endpoint.run_together(tasks(endpoint, "ListKeys", "ListAliases"))
    assert [response.status for response in answers] == [200, 200]


def test_where_calls_cannot_be_recorded_none_is_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> NoReturn:
        raise StoreError("The disk is full.")

    with open_store() as store:
        monkeypatch.setattr(store, "_write_records", full)
        endpoint = Endpoint(LocalBackend(store, account_id="111122223333", region=REGION), AnyAdmission(()))
        answers = endpoint.run_together(tasks(endpoint, "ListKeys", "ListAliases"))
    assert [error_of(response)[:2] for response in answers] == [(500, "KMSInternalException")] * 2
    assert [record.message.count("The disk is full.") for record in caplog.records] == [1, 1]


@pytest.mark.parametrize(
    "target", ["", "ListKeys", "TrentService.", "TrentService.Nothing", "Other.ListKeys"]
)
def test_a_target_that_is_no_operation_is_unknown(target: str) -> None:
    response = answer(open_endpoint(), HttpRequest("POST", "/", "", {"x-amz-target": target}, b"{}"))
    assert error_of(response)[:2] == (400, "UnknownOperationException")


def test_a_request_without_a_target_is_unknown() -> None:
    response = answer(open_endpoint(), HttpRequest("POST", "/", "", {}, b"{}"))
    assert error_of(response)[:2] == (400, "UnknownOperationException")


def test_nothing_of_an_unsigned_body_is_looked_at() -> None:
    endpoint = Endpoint(FakeBackend(), SigV4(CREDENTIAL, lambda: time_of(signed())))
    response = answer(endpoint, kms_request("ListKeys", b"{broken"))
    assert error_of(response) == (
        400,
        "MissingAuthenticationTokenException",
        "Request is missing Authentication Token",
    )


def test_a_broken_body_is_a_serialization_exception() -> None:
    assert error_of(answer(open_endpoint(), kms_request("ListKeys", b"{")))[:2] == (
        400,
        "SerializationException",
    )


def test_a_refusal_keeps_its_code_and_message() -> None:
    backend = raising(ServiceError("NotFoundException", "Alias x is not found."))
    response = answer(open_endpoint(backend), kms_request("DescribeKey"))
    assert error_of(response) == (400, "NotFoundException", "Alias x is not found.")
    assert response.headers == (("x-amzn-errortype", "NotFoundException"),)


@pytest.mark.parametrize(
    "code", ["KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException"]
)
def test_a_fault_of_the_service_is_http_500(code: str) -> None:
    response = answer(open_endpoint(raising(ServiceError(code, "x"))), kms_request("DescribeKey"))
    assert error_of(response)[:2] == (500, code)


def test_a_read_only_backends_refusal_is_access_denied() -> None:
    response = answer(open_endpoint(raising(ReadOnlyError("CreateKey"))), kms_request("CreateKey"))
    assert error_of(response)[:2] == (400, "AccessDeniedException")
    assert b'"Message"' in response.body


def test_what_should_not_happen_is_an_internal_exception_whose_log_has_no_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    backend = raising(ValueError("the plaintext is hunter2"))
    with caplog.at_level(logging.ERROR):
        response = answer(open_endpoint(backend), kms_request("Encrypt", b'{"Plaintext":"aHVudGVyMg=="}'))
    assert error_of(response)[:2] == (500, "KMSInternalException")
    assert "Encrypt failed" in caplog.text
    assert "ValueError" in caplog.text
    assert "hunter2" not in caplog.text + response.body.decode()
    assert "aHVudGVyMg" not in caplog.text


def test_a_failing_store_is_an_internal_exception_and_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        response = answer(open_endpoint(raising(StoreError("The disk is full."))), kms_request("CreateKey"))
    assert error_of(response)[:2] == (500, "KMSInternalException")
    assert "The disk is full." in caplog.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_look_from_a_browser_or_a_health_check_is_told_that_all_is_well(method: str) -> None:
    response = answer(open_endpoint(), HttpRequest(method, "/", "", {}, b""))
    assert (response.status, response.content_type) == (200, "text/plain")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused_with_the_one_that_works(method: str) -> None:
    response = answer(open_endpoint(), HttpRequest(method, "/", "", {}, b""))
    assert (response.status, response.headers) == (405, (("allow", "POST"),))


def test_another_path_is_not_found() -> None:
    assert answer(open_endpoint(), HttpRequest("POST", "/x", "", {}, b"{}")).status == 404


def sts_fields(response: HttpResponse) -> dict[str, str]:
    tree = ElementTree.fromstring(response.body)
    return {element.tag.removeprefix(NAMESPACE): element.text or "" for element in tree.iter()}


def test_sts_says_who_is_calling_in_a_form_and_in_a_presigned_query() -> None:
    form = signed(IDENTITY, headers=FORM, service="sts")
    query = presigned("http://127.0.0.1:8000/?" + IDENTITY.decode())
    for request in (form, query):
        response = answer(Endpoint(FakeBackend(), SigV4(CREDENTIAL, lambda: time_of(form))), request)
        fields = sts_fields(response)
        assert (response.status, response.content_type) == (200, "text/xml")
        assert (fields["Account"], fields["Arn"], fields["UserId"]) == (
            CALLER.account,
            CALLER.arn,
            CALLER.user_id,
        )
        assert fields["RequestId"] == request.id


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"", "MissingAction", 400),
        (b"Action=GetSessionToken&Version=2011-06-15", "InvalidAction", 400),
        (b"Action=GetCallerIdentity&Version=1", "InvalidAction", 400),
        (b"Action=%01%3Cx%3E%EF%BF%BE", "InvalidAction", 400),
        (b"Action=\xff", "MalformedQueryString", 404),
        (b"a=1&" * 200, "MalformedQueryString", 404),
    ],
)
def test_sts_refuses_in_xml(body: bytes, code: str, status: int) -> None:
    request = HttpRequest("POST", "/", "", {"content-type": FORM["Content-Type"]}, body)
    response = answer(open_endpoint(), request)
    assert (sts_fields(response)["Code"], response.status) == (code, status)


def test_sts_checks_signatures_with_its_own_error_codes() -> None:
    endpoint = Endpoint(FakeBackend(), SigV4(CREDENTIAL, lambda: time_of(signed())))
    unsigned = HttpRequest("POST", "/", "", {"content-type": FORM["Content-Type"]}, IDENTITY)
    for request, code in (
        (unsigned, "MissingAuthenticationToken"),
        (signed(IDENTITY, headers=FORM, service="kms"), "SignatureDoesNotMatch"),
    ):
        response = answer(endpoint, request)
        assert (sts_fields(response)["Code"], response.status) == (code, 403)


def test_neither_requests_nor_responses_nor_tasks_show_what_they_carry() -> None:
    backend = FakeBackend(lambda _operation, _params: {"Plaintext": b"hunter2"})
    request = kms_request("Encrypt", b'{"Plaintext":"aHVudGVyMg=="}', authorization="Signature=abc")
    task = open_endpoint(backend).accept(request)
    assert isinstance(task, Task)
    shown = repr(request) + repr(task) + repr(open_endpoint(backend).run(task)) + repr(CREDENTIAL)
    for secret in ("hunter2", "aHVudGVyMg", "Signature", CREDENTIAL.secret_access_key):
        assert secret not in shown


def test_the_backend_is_told_where_a_call_comes_from() -> None:
    with open_store() as store:
        backend = LocalBackend(store, account_id=CALLER.account, region=REGION)
        request = replace(
            kms_request("ListKeys", b"{}", **{"user-agent": "aws-cli/2.31"}), address="10.0.3.7"
        )
        answer(Endpoint(backend, AnyAdmission(())), request)
        (event,) = backend.services.call("cloudtrail", "LookupEvents", {})["Events"]
    told = json.loads(event["CloudTrailEvent"])
    assert (told["sourceIPAddress"], told["userAgent"]) == ("10.0.3.7", "aws-cli/2.31")


def test_what_should_not_happen_in_sts_is_told_in_its_protocol(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeBackend):
        def caller(self) -> NoReturn:
            raise StoreError("The disk is gone.")

    request = HttpRequest("POST", "/", "", {"content-type": FORM["Content-Type"]}, IDENTITY)
    response = answer(open_endpoint(Broken()), request)
    assert (sts_fields(response)["Code"], response.status) == ("InternalFailure", 500)
    assert "The disk is gone." in caplog.text
