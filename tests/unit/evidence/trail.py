"""A CloudTrail of a list of events, which counts what it is asked and can be made to fail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator

from kms_tui.kms.errors import KmsTuiError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/99999999-12ab-34cd-56ef-1234567890ab"


def identity(role: str, session: str = "s1") -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}},
    }


def entry(
    event_id: str,
    operation: str = "Decrypt",
    *,
    who: str = "app",
    minutes_ago: float = 0,
    error: str = "",
    message: str = "",
    keys: Sequence[str] = (KEY,),
    context: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An entry of LookupEvents' Events, as AWS tells it."""
    time = NOW - timedelta(minutes=minutes_ago)
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity(who),
        "eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "kms.amazonaws.com",
        "eventName": operation,
        "awsRegion": REGION,
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "Boto3/1.40",
        "requestParameters": {"encryptionContext": dict(context)} if context else None,
        "eventID": event_id,
        "resources": [{"ARN": key, "accountId": ACCOUNT, "type": "AWS::KMS::Key"} for key in keys],
    }
    if error:
        record |= {"errorCode": error, "errorMessage": message}
    return {
        "EventId": event_id,
        "EventName": operation,
        "EventTime": time,
        "EventSource": "kms.amazonaws.com",
        "Username": "s1",
        "Resources": [{"ResourceType": "AWS::KMS::Key", "ResourceName": key} for key in keys],
        "CloudTrailEvent": json.dumps(record),
    }


@cache
def lookup_events() -> OperationModel:
    """botocore's model of LookupEvents."""
    model = ServiceModel(Loader().load_service_model("cloudtrail", "service-2"), "cloudtrail")
    return model.operation_model("LookupEvents")


class FakeTrail:
    """Implements ``Services`` for LookupEvents by ResourceName and EventSource, newest first.

    Requests that botocore would not send fail the test.
    """

    region = REGION

    def __init__(self, entries: Sequence[Mapping[str, Any]] = (), *, offered: bool = True) -> None:
        self.entries = list(entries)
        self.offered = offered
        self.calls: list[Mapping[str, Any]] = []
        self.error: KmsTuiError | None = None

    def offers(self, service: str) -> bool:
        return self.offered and service == "cloudtrail"

    def in_region(self, region: str) -> FakeTrail:
        other = FakeTrail(self.entries)
        other.region, other.calls = region, self.calls
        return other

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert (service, operation) == ("cloudtrail", "LookupEvents")
        shape = lookup_events().input_shape
        assert shape is not None
        report = ParamValidator().validate(params, shape)
        assert not report.has_errors(), report.generate_report()
        self.calls.append(params)
        if self.error is not None:
            raise self.error
        (attribute,) = params["LookupAttributes"]
        found = [
            each
            for each in self.entries
            if each["EventTime"] >= params["StartTime"]
            and (attribute["AttributeKey"] == "EventSource" or _has(each, attribute["AttributeValue"]))
        ]
        start = int(params.get("NextToken", 0))
        end = start + params["MaxResults"]
        return {"Events": found[start:end]} | ({"NextToken": str(end)} if end < len(found) else {})

    def asked(self, attribute: str) -> list[Mapping[str, Any]]:
        return [call for call in self.calls if call["LookupAttributes"][0]["AttributeKey"] == attribute]


def _has(each: Mapping[str, Any], name: str) -> bool:
    return any(resource["ResourceName"] == name for resource in each["Resources"])


class Time:
    """A monotonic clock that moves by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
