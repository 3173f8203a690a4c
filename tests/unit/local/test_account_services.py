"""IAM, Organizations and VPC endpoints of an offline account: AWS's shapes, AWS's errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import botocore.session
import pytest

from kms_tui.backend.account_reading.account_reader import AccountReader
from kms_tui.backend.local.account_policies.account_file import NamedFile, read_account
from kms_tui.backend.local.account_policies.account_rows import Content, RowKind
from kms_tui.backend.local.account_policies.account_services import ANSWERS, AccountServices
from kms_tui.kms.errors import ServiceError, UnavailableError
from kms_tui.kms.operations import may_read
from kms_tui.policy.layers import UnreadLayer
from kms_tui.policy.principals import Caller
from tests.account_samples import (
    ACCOUNT,
    DECRYPT,
    ENDPOINT,
    LIMITS,
    OTHER_ACCOUNT,
    POWER_USER,
    SESSION,
    USER,
    Json,
    iam,
    whole,
)


class HeldRows:
    """Rows in memory."""

    def __init__(self, *files: Json) -> None:
        self._rows = read_account([NamedFile("x", each) for each in files])

    def find(self, kind: RowKind, account: str, name: str) -> Content | None:
        return next((row.content for row in self._rows if row[:3] == (kind, account, name)), None)

    def every(self, kind: RowKind) -> Sequence[Content]:
        return [row.content for row in self._rows if row.kind is kind]


@pytest.fixture
def services() -> AccountServices:
    return AccountServices(HeldRows(whole()), ACCOUNT, "eu-west-1")


_FULL_SCP = "p-FullAWSAccess"
REQUESTS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("iam", "GetRole"): {"RoleName": "app"},
    ("iam", "GetUser"): {"UserName": "jane"},
    ("iam", "ListGroupsForUser"): {"UserName": "jane"},
    ("iam", "ListAttachedRolePolicies"): {"RoleName": "app"},
    ("iam", "ListAttachedUserPolicies"): {"UserName": "jane"},
    ("iam", "ListAttachedGroupPolicies"): {"GroupName": "developers"},
    ("iam", "ListRolePolicies"): {"RoleName": "app"},
    ("iam", "ListUserPolicies"): {"UserName": "jane"},
    ("iam", "ListGroupPolicies"): {"GroupName": "developers"},
    ("iam", "GetRolePolicy"): {"RoleName": "app", "PolicyName": "own"},
    ("iam", "GetUserPolicy"): {"UserName": "jane", "PolicyName": "own"},
    ("iam", "GetGroupPolicy"): {"GroupName": "developers", "PolicyName": "use"},
    ("iam", "GetPolicy"): {"PolicyArn": POWER_USER},
    ("iam", "GetPolicyVersion"): {"PolicyArn": DECRYPT, "VersionId": "v2"},
    ("organizations", "DescribeOrganization"): {},
    ("organizations", "ListParents"): {"ChildId": ACCOUNT},
    ("organizations", "ListRoots"): {},
    ("organizations", "ListPoliciesForTarget"): {
        "TargetId": "ou-ab12-workload",
        "Filter": "SERVICE_CONTROL_POLICY",
    },
    ("organizations", "DescribePolicy"): {"PolicyId": _FULL_SCP},
    ("ec2", "DescribeVpcEndpoints"): {"VpcEndpointIds": [ENDPOINT]},
}
"""A request of each call that is answered."""


def _misshapen(shape: Any, value: Any, place: str) -> list[str]:
    """Where a value has members that a shape has not."""
    if shape.type_name == "structure":
        if not isinstance(value, Mapping):
            return [place]
        unknown = [f"{place}.{name}" for name in value if name not in shape.members]
        known = [(name, each) for name, each in value.items() if name in shape.members]
        return unknown + [
            wrong
            for name, each in known
            for wrong in _misshapen(shape.members[name], each, f"{place}.{name}")
        ]
    if shape.type_name == "list":
        if not isinstance(value, list):
            return [place]
        return [wrong for each in value for wrong in _misshapen(shape.member, each, f"{place}[]")]
    # botocore decodes the policies of IAM.
    decoded = dict if shape.name == "policyDocumentType" else str
    return [place] if shape.type_name == "string" and not isinstance(value, decoded) else []


def test_every_answer_has_the_members_of_its_service() -> None:
    assert set(REQUESTS) == set(ANSWERS)
    file = whole()
    own = {
        "PolicyName": "own",
        "PolicyDocument": file["GroupDetailList"][0]["GroupPolicyList"][0]["PolicyDocument"],
    }
    file["RoleDetailList"][0]["RolePolicyList"] = file["UserDetailList"][0]["UserPolicyList"] = [own]
    services = AccountServices(HeldRows(file), ACCOUNT, "eu-west-1")
    session = botocore.session.get_session()
    for (service, operation), params in REQUESTS.items():
        assert may_read(service, operation)
        model = session.get_service_model(service).operation_model(operation)
        assert set(params) <= set(getattr(model.input_shape, "members", {}))
        answer = services.call(service, operation, params)
        assert answer
        assert _misshapen(model.output_shape, answer, operation) == []


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("iam", "GetRole", {"RoleName": "nobody"}, "NoSuchEntity"),
        ("iam", "GetRole", {"RoleName": "jane"}, "NoSuchEntity"),
        ("iam", "ListAttachedUserPolicies", {"UserName": "app"}, "NoSuchEntity"),
        ("iam", "GetGroupPolicy", {"GroupName": "developers", "PolicyName": "x"}, "NoSuchEntity"),
        ("iam", "GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/Gone"}, "NoSuchEntity"),
        ("iam", "GetPolicyVersion", {"PolicyArn": DECRYPT, "VersionId": "v1"}, "NoSuchEntity"),
        ("organizations", "ListParents", {"ChildId": OTHER_ACCOUNT}, "ChildNotFoundException"),
        (
            "organizations",
            "ListPoliciesForTarget",
            {"TargetId": OTHER_ACCOUNT, "Filter": "x"},
            "TargetNotFoundException",
        ),
        ("organizations", "DescribePolicy", {"PolicyId": "p-x"}, "PolicyNotFoundException"),
        ("ec2", "DescribeVpcEndpoints", {"VpcEndpointIds": ["vpce-0"]}, "InvalidVpcEndpointId.NotFound"),
    ],
)
def test_what_is_not_there_ends_as_in_aws(
    services: AccountServices, service: str, operation: str, params: Json, code: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        services.call(service, operation, params)
    assert (refused.value.code, refused.value.operation) == (code, operation)


def test_an_account_without_an_organization_says_so() -> None:
    alone = AccountServices(HeldRows(iam()), ACCOUNT, "eu-west-1")
    for operation in ("DescribeOrganization", "ListRoots"):
        with pytest.raises(ServiceError, match="not a member of an organization"):
            alone.call("organizations", operation, {})
    assert AccountReader(alone, ACCOUNT, lambda: True).scps(Caller.parse(SESSION)) == ()


def test_what_no_layer_is_read_from_is_not_answered(services: AccountServices) -> None:
    for service, operation in (("iam", "ListRoles"), ("ec2", "DescribeVolumes"), ("s3", "ListBuckets")):
        with pytest.raises(UnavailableError):
            services.call(service, operation, {})


def test_another_account_has_none_of_it() -> None:
    elsewhere = AccountServices(HeldRows(whole()), OTHER_ACCOUNT, "eu-west-1")
    with pytest.raises(ServiceError, match="role with name app cannot be found"):
        elsewhere.call("iam", "GetRole", {"RoleName": "app"})
    with pytest.raises(ServiceError, match="decrypt was not found"):
        elsewhere.call("iam", "GetPolicy", {"PolicyArn": DECRYPT})


def test_layers_are_read_from_it_as_from_aws(services: AccountServices) -> None:
    reader = AccountReader(services.in_region("us-east-1"), ACCOUNT, lambda: True)
    session, user = Caller.parse(SESSION), Caller.parse(USER)

    def names(policies: Any) -> list[str]:
        assert not isinstance(policies, UnreadLayer), policies
        return [each.name for each in policies]

    assert names(reader.identity(session)) == [POWER_USER, DECRYPT]
    assert names(reader.identity(user)) == ["use (inline of developers)"]
    assert reader.boundary(session) is None
    assert names([reader.boundary(user)]) == [LIMITS]
    assert reader.role_arn(session) == f"arn:aws:iam::{ACCOUNT}:role/service/app"
    assert names([reader.endpoint([ENDPOINT])]) == [ENDPOINT]
    scps, rcps = reader.scps(user), reader.rcps(ACCOUNT)
    assert not isinstance(scps, UnreadLayer)
    assert not isinstance(rcps, UnreadLayer)
    of_aws = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
    own = "arn:aws:organizations::999988887777:policy/o-a1b2c3d4e5/service_control_policy/p-"
    assert [len(level) for level in scps] == [1, 2, 1]
    assert scps[0][0].name == scps[1][0].name == of_aws
    assert scps[1][1].name.startswith(own)
    assert [len(level) for level in rcps] == [1, 2, 1]
    assert reader.scps(Caller.parse("arn:aws:iam::999988887777:role/x")) == ()
