"""Which grants services hold, and for which of their resources."""

from __future__ import annotations

from typing import Any

import pytest

from kms_tui.evidence.references import ServiceGrant, service_grants
from kms_tui.kms.model import Grant

_ACCOUNT = "arn:aws:iam::111122223333"


def grant(grantee: str, **constraints: Any) -> Grant:
    return Grant("g", "k", grantee, ("Decrypt",), constraints=constraints)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (
            grant("rds.eu-west-1.amazonaws.com", SourceArn="arn:aws:rds:eu-west-1:111122223333:db:orders"),
            ServiceGrant("rds.eu-west-1.amazonaws.com", "arn:aws:rds:eu-west-1:111122223333:db:orders"),
        ),
        (
            grant(
                "arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/i-0cb5f8b7f3e5b0a38",
                EncryptionContextSubset={"aws:ebs:id": "vol-0cca59ab1b1a8ccc0"},
            ),
            ServiceGrant("aws:ec2-infrastructure/i-0cb5f8b7f3e5b0a38", "vol-0cca59ab1b1a8ccc0"),
        ),
        (
            grant(f"{_ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
            ServiceGrant("aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling", ""),
        ),
        (
            grant("dynamodb.cn-north-1.amazonaws.com.cn"),
            ServiceGrant("dynamodb.cn-north-1.amazonaws.com.cn", ""),
        ),
    ],
)
def test_a_service_and_its_roles_hold_grants(held: Grant, expected: ServiceGrant) -> None:
    assert list(service_grants([held])) == [expected]


@pytest.mark.parametrize(
    "grantee",
    [
        f"{_ACCOUNT}:role/app",
        f"{_ACCOUNT}:user/ada",
        "arn:aws:sts::111122223333:assumed-role/app/session",
        "",
    ],
)
def test_people_and_their_programs_are_not_services(grantee: str) -> None:
    assert list(service_grants([grant(grantee, EncryptionContextSubset={"aws:ebs:id": "v"})])) == []
