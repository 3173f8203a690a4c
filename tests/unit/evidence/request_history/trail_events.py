"""CloudTrail records of KMS as AWS writes them, and a generator of many."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNT, OTHER_ACCOUNT, REGION = "111122223333", "444455556666", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/99999999-12ab-34cd-56ef-1234567890ab"
_ROOT = f"arn:aws:iam::{ACCOUNT}"


def role(name: str, session: str = "s1", path: str = "") -> dict[str, Any]:
    """The identity of a role's session."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE{name.upper()}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": f"{_ROOT}:role/{path}{name}", "userName": name},
            "attributes": {"mfaAuthenticated": "false", "creationDate": "2026-11-20T08:00:00Z"},
        },
    }


def user(name: str) -> dict[str, Any]:
    """The identity of an IAM user."""
    return {
        "type": "IAMUser",
        "principalId": f"AIDAEXAMPLE{name.upper()}",
        "arn": f"{_ROOT}:user/{name}",
        "accountId": ACCOUNT,
        "userName": name,
    }


SERVICE: Mapping[str, Any] = {"type": "AWSService", "invokedBy": "logs.amazonaws.com"}
PARTNER: Mapping[str, Any] = {
    "type": "AWSAccount",
    "principalId": "AROAEXAMPLEPARTNER:x",
    "accountId": OTHER_ACCOUNT,
}


def event(
    operation: str = "Decrypt",
    identity: Mapping[str, Any] | None = None,
    *,
    keys: Sequence[str] = (KEY,),
    context: Mapping[str, str] | None = None,
    service: str = "",
    error: str = "",
    message: str = "",
    age: timedelta = timedelta(hours=1),
    parameters: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A record; ``parameters`` stand for all of requestParameters, else it has the context."""
    who = dict(identity if identity is not None else role("app"))
    if service:
        who["invokedBy"] = service
    if parameters is None:
        parameters = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
        if context:
            parameters = {**parameters, "encryptionContext": dict(context)}
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventTime": f"{NOW - age:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "kms.amazonaws.com",
        "eventName": operation,
        "awsRegion": REGION,
        "sourceIPAddress": service or who.get("invokedBy") or "10.0.0.1",
        "userAgent": "Boto3/1.40",
    }
    if error:
        record |= {"errorCode": error, "errorMessage": message}
    record |= {
        "requestParameters": None if error == "AccessDenied" else dict(parameters),
        "responseElements": None,
        "requestID": "0f1e2d3c-0000-4000-8000-000000000000",
        "eventID": "0f1e2d3c-0000-4000-8000-000000000001",
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key} for key in keys],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "keyExchange": "x25519",
        },
    }
    return record | more


def denied(why: str, **more: Any) -> dict[str, Any]:
    """A record of a refusal whose message ends in ``why``."""
    message = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/app/s1 is not authorized to perform: kms:Decrypt {why}"
    )
    return event(error="AccessDenied", message=message, **more)


def many(number: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Records of all kinds in random order, a few of them distinct."""
    chance = random.Random(seed)
    identities = [
        role("app", "a"),
        role("app", "b"),
        role("batch", path="jobs/"),
        user("ada"),
        SERVICE,
        PARTNER,
    ]
    contexts = [None, {"table": "orders"}, {"table": "invoices", "tier": "go'ld"}]
    kinds = [
        lambda who, age: event("Decrypt", who, context=chance.choice(contexts), age=age),
        lambda who, age: event("GenerateDataKey", who, context=chance.choice(contexts), age=age),
        lambda who, age: event(
            "GenerateDataKey",
            who,
            context={"aws:s3:arn": f"arn:aws:s3:::lake/{chance.random()}"},
            service="s3.amazonaws.com",
            age=age,
        ),
        lambda who, age: event("DescribeKey", who, parameters={"keyId": "alias/orders"}, age=age),
        lambda who, age: event("Decrypt", who, keys=(OTHER_KEY,), age=age),
        lambda who, age: denied(
            "because no identity-based policy allows the kms:Decrypt action", identity=who, age=age
        ),
        lambda who, age: denied(f"on resource: {KEY} because no", identity=who, keys=(), age=age),
        lambda who, age: event("Decrypt", who, age=age, vpcEndpointId="vpce-1a2b3c4d"),
        lambda who, age: event(
            "ReEncrypt",
            who,
            keys=(KEY, OTHER_KEY),
            parameters={
                "sourceEncryptionContext": {"table": "orders"},
                "destinationEncryptionContext": {"table": "invoices"},
                "destinationKeyId": OTHER_KEY,
            },
            age=age,
        ),
    ]
    for _ in range(number):
        age = timedelta(minutes=chance.randrange(1, 60 * 24 * 12))
        yield chance.choice(kinds)(chance.choice(identities), age)
