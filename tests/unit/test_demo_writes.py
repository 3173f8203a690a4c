"""What moves to another key write to the demo's services: later reads and scans tell it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kms_tui.backend.kms_facade import Kms
from kms_tui.demo.demo_services import DemoBackend, DemoServices
from kms_tui.demo.demo_writes import WRITES
from kms_tui.evidence.scans import ScanRun
from kms_tui.kms.errors import ServiceError, UnavailableError
from kms_tui.kms.operations import SERVICE_WRITES, may_read, may_read_secrets, may_write
from tests.demo_copies import demo_copy

_NOW = datetime(2026, 11, 20, 12, 4, tzinfo=UTC)
_SESSION = botocore.session.Session()
_KEY = "alias/parameters"
_QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/order-events-dead"
_TOPIC = "arn:aws:sns:eu-west-1:111122223333:order-placed"
_SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/orders/db-Dem0aB"


def _rules(key: str) -> dict[str, Any]:
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}]}


def _without_empty_labels(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """SSM answers versions with no label in them, against its model, which wants one label at least."""
    if "Parameters" not in value:
        return value
    kept = [
        {name: member for name, member in each.items() if (name, member) != ("Labels", [])}
        for each in value["Parameters"]
    ]
    return {**value, "Parameters": kept}


class Checked:
    """The demo's services; requests and answers are held against botocore's models."""

    def __init__(self, services: DemoServices) -> None:
        self.inner = services

    def __call__(self, service: str, operation: str, **params: Any) -> Mapping[str, Any]:
        model = _SESSION.get_service_model(service).operation_model(operation)
        name = (service, operation)
        assert may_read(*name) or may_write(*name) or may_read_secrets(*name)
        answer = self.inner.call(service, operation, params)
        for shape, value in ((model.input_shape, params), (model.output_shape, answer)):
            if shape is None:
                assert value == {}
                continue
            report = ParamValidator().validate(_without_empty_labels(value), shape)
            assert not report.has_errors(), report.generate_report()
        return answer


@pytest.fixture
def backend() -> DemoBackend:
    return demo_copy(_NOW)


@pytest.fixture
def call(backend: DemoBackend) -> Checked:
    assert isinstance(backend.services, DemoServices)
    return Checked(backend.services.writing())


def _encryption_key(answer: Mapping[str, Any]) -> Any:
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    return rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]


_WRITES: dict[str, tuple[tuple[str, str, dict[str, Any]], tuple[str, str, dict[str, Any]], Any]] = {
    "secret": (
        ("secretsmanager", "UpdateSecret", {"SecretId": _SECRET, "KmsKeyId": _KEY}),
        ("secretsmanager", "DescribeSecret", {"SecretId": "prod/orders/db"}),
        lambda answer: answer["KmsKeyId"],
    ),
    "bucket": (
        (
            "s3",
            "PutBucketEncryption",
            {"Bucket": "acme-invoices", "ServerSideEncryptionConfiguration": _rules(_KEY)},
        ),
        ("s3", "GetBucketEncryption", {"Bucket": "acme-invoices"}),
        _encryption_key,
    ),
    "queue": (
        ("sqs", "SetQueueAttributes", {"QueueUrl": _QUEUE, "Attributes": {"KmsMasterKeyId": _KEY}}),
        ("sqs", "GetQueueAttributes", {"QueueUrl": _QUEUE, "AttributeNames": ["KmsMasterKeyId"]}),
        lambda answer: answer["Attributes"]["KmsMasterKeyId"],
    ),
    "topic": (
        (
            "sns",
            "SetTopicAttributes",
            {"TopicArn": _TOPIC, "AttributeName": "KmsMasterKeyId", "AttributeValue": _KEY},
        ),
        ("sns", "GetTopicAttributes", {"TopicArn": _TOPIC}),
        lambda answer: answer["Attributes"]["KmsMasterKeyId"],
    ),
    "log group": (
        ("logs", "AssociateKmsKey", {"logGroupName": "/aws/lambda/resize-images", "kmsKeyId": _KEY}),
        ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "/aws/lambda/resize"}),
        lambda answer: next(each["kmsKeyId"] for each in answer["logGroups"]),
    ),
    "table": (
        (
            "dynamodb",
            "UpdateTable",
            {
                "TableName": "carts",
                "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": _KEY},
            },
        ),
        ("dynamodb", "DescribeTable", {"TableName": "carts"}),
        lambda answer: answer["Table"]["SSEDescription"]["KMSMasterKeyArn"],
    ),
    "function": (
        ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "order-intake", "KMSKeyArn": _KEY}),
        ("lambda", "GetFunctionConfiguration", {"FunctionName": "order-intake"}),
        lambda answer: answer["KMSKeyArn"],
    ),
    "parameter": (
        (
            "ssm",
            "PutParameter",
            {"Name": "/prod/global/flags", "Value": "on", "KeyId": _KEY, "Overwrite": True},
        ),
        ("ssm", "GetParameterHistory", {"Name": "/prod/global/flags"}),
        lambda answer: answer["Parameters"][-1]["KeyId"],
    ),
}
"""Kind -> a write of its move, a read that tells the key, and where it tells it."""
_CODES = {
    "secret": ("EncryptionFailure", "ResourceNotFoundException"),
    "bucket": ("", "NoSuchBucket"),
    "queue": ("InvalidAttributeValue", "AWS.SimpleQueueService.NonExistentQueue"),
    "topic": ("InvalidParameter", "NotFound"),
    "log group": ("InvalidParameterException", "ResourceNotFoundException"),
    "table": ("ValidationException", "ResourceNotFoundException"),
    "function": ("InvalidParameterValueException", "ResourceNotFoundException"),
    "parameter": ("InvalidKeyId", ""),
}
"""Kind -> the code for a key that cannot be used, and for a resource that is not there; "" for none."""


def _with_key(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _with_key(each, key) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_key(each, key) for each in value]
    return key if value == _KEY else value


@pytest.mark.parametrize("kind", _WRITES)
def test_a_resource_is_under_its_new_key_for_every_later_read(
    kind: str, call: Checked, backend: DemoBackend
) -> None:
    (service, operation, params), (_, read, asked), key_of = _WRITES[kind]
    other = demo_copy(_NOW).services
    assert isinstance(other, DemoServices)
    before = other.writing().call(service, read, asked)
    call(service, operation, **params)
    assert key_of(call(service, read, **asked)) == _KEY
    again = backend.in_region("us-east-1").in_region("eu-west-1").services
    assert isinstance(again, DemoServices)
    assert key_of(again.writing().call(service, read, asked)) == _KEY
    assert other.writing().call(service, read, asked) == before


@pytest.mark.parametrize("kind", _WRITES)
def test_a_key_that_cannot_be_used_is_refused_as_the_service_does(kind: str, call: Checked) -> None:
    (service, operation, params), (_, read, asked), _ = _WRITES[kind]
    before = call(service, read, **asked)
    code, _ = _CODES[kind]
    for key in ("nowhere", "chat-archive", "old-backups", "partner-inbox", "payments-signing"):
        wanted = _with_key(params, f"alias/{key}")
        if not code:
            call(service, operation, **wanted)
            continue
        with pytest.raises(ServiceError) as caught:
            call(service, operation, **wanted)
        assert (caught.value.code, caught.value.operation) == (code, operation)
    if code:
        assert call(service, read, **asked) == before


@pytest.mark.parametrize("kind", [kind for kind, (_, code) in _CODES.items() if code])
def test_a_resource_that_is_not_there_is_refused_as_the_service_does(kind: str, call: Checked) -> None:
    (service, operation, params), _, _ = _WRITES[kind]
    name = next(iter(params))
    with pytest.raises(ServiceError) as caught:
        call(service, operation, **params | {name: f"{params[name]}-not"})
    assert caught.value.code == _CODES[kind][1]


def test_a_scan_finds_what_was_moved_under_its_new_key(call: Checked, backend: DemoBackend) -> None:
    kms = Kms(backend)
    for (service, operation, params), _, _ in _WRITES.values():
        call(service, operation, **params)
    found = ScanRun(kms, backend.services, lambda: _NOW).run()
    names = {use.resource for use in found.uses(kms.describe(_KEY).key_id)}
    assert names >= {
        "prod/orders/db",
        "acme-invoices",
        "order-events-dead",
        "order-placed",
        "/aws/lambda/resize-images",
        "carts",
        "order-intake",
        "/prod/global/flags",
    }


def test_services_that_read_send_no_write_and_no_read_of_secrets(backend: DemoBackend) -> None:
    for service, operation in WRITES:
        with pytest.raises(UnavailableError, match=f"{operation} is not available here"):
            backend.services.call(service, operation, {})
    writing = backend.services
    assert isinstance(writing, DemoServices)
    for service, operation in (("s3control", "CreateJob"), ("kinesis", "StartStreamEncryption")):
        assert operation in SERVICE_WRITES[service]
        with pytest.raises(UnavailableError):
            writing.writing().call(service, operation, {})


def test_what_no_move_writes_is_not_available(call: Checked) -> None:
    for service, operation, params in (
        ("secretsmanager", "UpdateSecret", {"SecretId": "prod/orders/db", "SecretString": "x"}),
        ("sqs", "SetQueueAttributes", {"QueueUrl": _QUEUE, "Attributes": {"Policy": "{}"}}),
        ("sns", "SetTopicAttributes", {"TopicArn": _TOPIC, "AttributeName": "Policy"}),
        ("ssm", "PutParameter", {"Name": "/prod/crm/url", "Value": "x", "Type": "String"}),
    ):
        with pytest.raises(UnavailableError):
            call(service, operation, **params)


def test_a_bucket_that_may_not_be_read_may_not_be_written(call: Checked) -> None:
    rules = _rules(_KEY)
    with pytest.raises(ServiceError, match="s3:PutEncryptionConfiguration") as caught:
        call("s3", "PutBucketEncryption", Bucket="acme-legal-hold", ServerSideEncryptionConfiguration=rules)
    assert caught.value.denied


# Parameters


def _history(call: Checked, name: str, **members: Any) -> list[tuple[Any, ...]]:
    found = call("ssm", "GetParameterHistory", Name=name, **members)["Parameters"]
    return [(each["Version"], each["KeyId"], each["Value"], each["Labels"]) for each in found]


def test_a_parameter_keeps_its_versions_and_values(call: Checked) -> None:
    name = "/prod/orders/db-url"
    [(_, old_key, value, labels)] = _history(call, name, WithDecryption=True)
    assert (old_key, value, labels) == ("alias/parameters", f"the demo's {name}", ["live"])
    assert _history(call, name)[0][2] != value
    answer = call("ssm", "PutParameter", Name=name, Value="v2", KeyId="alias/orders-db", Overwrite=True)
    assert answer == {"Version": 2, "Tier": "Standard"}
    labelled = call("ssm", "LabelParameterVersion", Name=name, Labels=["live", "aws-own"])
    assert labelled == {"InvalidLabels": ["aws-own"], "ParameterVersion": 2}
    assert _history(call, name, WithDecryption=True) == [
        (1, old_key, value, []),
        (2, "alias/orders-db", "v2", ["live"]),
    ]
    described = call("ssm", "DescribeParameters")["Parameters"]
    assert [each["KeyId"] for each in described if each["Name"] == name] == ["alias/orders-db"]


def test_one_version_of_a_parameter_is_read(call: Checked) -> None:
    name = "/prod/orders/db-url"
    call("ssm", "PutParameter", Name=name, Value="v2", KeyId="alias/orders-db", Overwrite=True)

    def value(asked: str, **members: Any) -> Any:
        return call("ssm", "GetParameter", Name=asked, **members)["Parameter"]["Value"]

    assert value(name, WithDecryption=True) == "v2"
    assert value(f"{name}:1", WithDecryption=True) == f"the demo's {name}"
    assert value(f"{name}:1") not in ("v2", f"the demo's {name}")
    with pytest.raises(ServiceError, match="ParameterVersionNotFound"):
        value(f"{name}:3")


def test_a_parameter_is_made_and_is_of_its_region(call: Checked) -> None:
    call("ssm", "PutParameter", Name="/new", Value="x", Type="SecureString", Overwrite=True)
    assert _history(call, "/new", WithDecryption=True) == [(1, "alias/aws/ssm", "x", [])]
    elsewhere = Checked(call.inner.in_region("us-east-1"))
    with pytest.raises(ServiceError, match="ParameterNotFound"):
        _history(elsewhere, "/new")


def test_what_cannot_be_decrypted_is_not_read(call: Checked, backend: DemoBackend) -> None:
    backend.call("DisableKey", {"KeyId": Kms(backend).describe("alias/parameters").key_id})
    with pytest.raises(ServiceError, match="InvalidKeyId"):
        _history(call, "/prod/crm/url", WithDecryption=True)
    assert len(_history(call, "/prod/crm/url")) == 1
    with pytest.raises(ServiceError, match="InvalidKeyId"):
        call("ssm", "GetParameter", Name="/prod/crm/url", WithDecryption=True)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"ParameterVersion": 9, "Labels": ["a"]}, "ParameterVersionNotFound"),
        ({"Labels": [f"label-{number}" for number in range(11)]}, "ParameterVersionLabelLimitExceeded"),
    ],
    ids=["version", "labels"],
)
def test_a_label_that_a_version_cannot_have_is_refused(
    params: dict[str, Any], code: str, call: Checked
) -> None:
    with pytest.raises(ServiceError) as caught:
        call("ssm", "LabelParameterVersion", Name="/prod/crm/url", **params)
    assert caught.value.code == code


def test_writes_of_several_threads_follow_each_other(call: Checked) -> None:
    def put(number: int) -> int:
        params = {"Name": "/prod/crm/url", "Value": str(number), "KeyId": _KEY, "Overwrite": True}
        return int(call("ssm", "PutParameter", **params)["Version"])

    with ThreadPoolExecutor(8) as threads:
        made = sorted(threads.map(put, range(16)))
    assert made == list(range(2, 18))
