"""Files of account policies: what AWS prints, what people write, and what is wrong with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.iam.aws_managed_policies import aws_managed_policies_data

from kms_tui.backend.local.account_policies.account_file import AccountFileError, NamedFile, read_account
from kms_tui.backend.local.account_policies.account_items import _KNOWN
from kms_tui.backend.local.account_policies.account_json import json_of
from kms_tui.backend.local.account_policies.account_rows import MEMBERS, AccountRow, RowKind, file_of
from tests.account_samples import (
    ACCOUNT,
    DECRYPT,
    Json,
    allow,
    deny,
    endpoints,
    iam,
    organization,
    policy,
    whole,
)


def rows_of(*files: Json) -> tuple[AccountRow, ...]:
    return read_account([NamedFile(f"{number}.json", each) for number, each in enumerate(files, 1)])


def row(rows: tuple[AccountRow, ...], kind: RowKind, name: str) -> Any:
    (found,) = [each.content for each in rows if each.kind is kind and each.name == name]
    return found


def test_files_are_read_together_or_apart() -> None:
    together = rows_of(whole())
    assert sorted(together) == sorted(rows_of(organization(), endpoints(), iam()))
    assert [each[:3] for each in together] == [
        ("user", ACCOUNT, "jane"),
        ("group", ACCOUNT, "developers"),
        ("role", ACCOUNT, "app"),
        ("policy", "aws", "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"),
        ("policy", ACCOUNT, DECRYPT),
        ("policy", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:policy/limits"),
        ("organization", "", ""),
        ("target", "", "r-ab12"),
        ("target", "", "ou-ab12-workload"),
        ("target", "", ACCOUNT),
        ("endpoint", "", "vpce-0abc1234def567890"),
    ]


def test_what_is_read_is_a_file_again() -> None:
    rows = rows_of(whole())
    assert rows_of(file_of(rows)) == rows
    assert rows_of(json.loads(json.dumps(file_of(rows)))) == rows


def test_of_a_role_and_a_user_the_trust_the_tags_and_the_unique_id_are_kept() -> None:
    file = iam()
    trust = policy(
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    tags = [{"Key": "Team", "Value": "red"}, {"Key": "empty", "Value": ""}]
    role, user = file["RoleDetailList"][0], file["UserDetailList"][0]
    role |= {"AssumeRolePolicyDocument": quote(json.dumps(trust)), "Tags": tags, "MaxSessionDuration": 7200}
    user["Tags"] = tags
    kept = row(rows_of(file), RowKind.ROLE, "app")
    assert (kept["AssumeRolePolicyDocument"], kept["Tags"]) == (trust, tags)
    assert (kept["MaxSessionDuration"], kept["RoleId"]) == (7200, "AROACKCEVSQ6C2EXAMPLE")
    kept = row(rows_of(file), RowKind.USER, "jane")
    assert (kept["Tags"], kept["UserId"]) == (tags, "AIDACKCEVSQ6C2EXAMPLE")


def _statement(**elements: Any) -> Json:
    return {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", **elements}


@pytest.mark.parametrize(
    "statement",
    [
        _statement(Principal={"Service": ["pods.eks.amazonaws.com"]}),
        _statement(Principal={"AWS": [ACCOUNT, "AROACKCEVSQ6C2EXAMPLE"]}),
        _statement(Principal={"Federated": "cognito-identity.amazonaws.com"}),
        _statement(
            Principal={
                "Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"
            },
            Condition={
                "StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:*"}
            },
        ),
        _statement(
            Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/Okta"},
            Condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        ),
    ],
)
def test_whoever_a_role_of_aws_trusts_is_read(statement: Json) -> None:
    file = iam()
    file["RoleDetailList"][0]["AssumeRolePolicyDocument"] = policy(statement)
    assert row(rows_of(file), RowKind.ROLE, "app")["AssumeRolePolicyDocument"] == policy(statement)


def test_only_the_version_that_applies_is_kept() -> None:
    (version,) = row(rows_of(whole()), RowKind.POLICY, DECRYPT)["PolicyVersionList"]
    assert version["VersionId"] == "v2"
    assert version["Document"] == policy(allow("kms:Encrypt", "kms:Decrypt"))


@pytest.mark.parametrize("form", [lambda it: it, json.dumps, lambda it: quote(json.dumps(it))])
def test_a_policy_is_an_object_or_its_text(form: Callable[[Json], Any]) -> None:
    file = iam()
    document = policy(allow("kms:Decrypt", Condition={"StringEquals": {"aws:PrincipalTag/x": "50%"}}))
    file["GroupDetailList"][0]["GroupPolicyList"][0]["PolicyDocument"] = form(document)
    (inline,) = row(rows_of(file), RowKind.GROUP, "developers")["GroupPolicyList"]
    assert inline == {"PolicyName": "use", "PolicyDocument": document}


def test_levels_that_only_deny_have_full_access_and_kinds_without_policies_are_off() -> None:
    rows = rows_of(organization())
    names = {
        each.name: [policy["Name"] for policy in each.content["ServiceControlPolicies"]]
        for each in rows
        if each.kind is RowKind.TARGET
    }
    assert names == {
        "r-ab12": ["FullAWSAccess"],
        "ou-ab12-workload": ["FullAWSAccess", "NoDeletion"],
        ACCOUNT: ["FullAWSAccess"],
    }
    file = organization()
    del file["Targets"][1]["ResourceControlPolicies"]
    assert "ResourceControlPolicies" not in row(rows_of(file), RowKind.TARGET, ACCOUNT)
    file["Targets"][1]["ServiceControlPolicies"] = [{"Name": "OnlyKms", "Content": policy(allow("kms:*"))}]
    unit = row(rows_of(file), RowKind.TARGET, "ou-ab12-workload")
    assert [each["Name"] for each in unit["ServiceControlPolicies"]] == ["OnlyKms"]


def test_policies_of_an_organization_have_ids_that_tell_their_names() -> None:
    file = organization()
    same = {"Name": "NoDeletion", "Content": policy(deny("kms:*", Principal="*"))}
    file["Targets"][1]["ResourceControlPolicies"].append(same)
    unit = row(rows_of(file), RowKind.TARGET, "ou-ab12-workload")
    ids = [each["Id"] for each in (*unit["ServiceControlPolicies"], *unit["ResourceControlPolicies"])]
    assert ids == ["p-FullAWSAccess", "p-NoDeletion", "p-RCPFullAWSAccess", "p-RCPOnlyUs", "p-RCPNoDeletion"]
    file["Targets"][2]["ServiceControlPolicies"] = [{"Name": "NoDeletion", "Content": policy(deny("kms:*"))}]
    with pytest.raises(AccountFileError, match="NoDeletion differs from another policy of its name"):
        rows_of(file)


def test_an_endpoint_without_a_policy_lets_everything_through() -> None:
    file = endpoints()
    del file["VpcEndpoints"][0]["PolicyDocument"]
    (statement,) = row(rows_of(file), RowKind.ENDPOINT, "vpce-0abc1234def567890")["PolicyDocument"][
        "Statement"
    ]
    assert statement == {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


_SHAPES = {
    RowKind.USER: ("iam", "UserDetail"),
    RowKind.GROUP: ("iam", "GroupDetail"),
    RowKind.ROLE: ("iam", "RoleDetail"),
    RowKind.POLICY: ("iam", "ManagedPolicyDetail"),
    RowKind.ORGANIZATION: ("organizations", "Organization"),
    RowKind.ENDPOINT: ("ec2", "VpcEndpoint"),
}


@pytest.mark.parametrize("kind", _SHAPES)
def test_no_member_that_aws_prints_is_taken_for_a_mistake(kind: RowKind) -> None:
    service, name = _SHAPES[kind]
    shape = botocore.session.get_session().get_service_model(service).shape_for(name)
    assert set(shape.members) <= _KNOWN[kind]  # type: ignore[attr-defined]


Change = Callable[[Json], Any]


def _item(member: str, **changes: Any) -> Change:
    """A change of the first item of a list."""
    return lambda file: file[member][0].update(changes)


def _document(value: Any) -> Change:
    return lambda file: file["GroupDetailList"][0]["GroupPolicyList"][0].update(PolicyDocument=value)


_BROKEN_TEXT = '{"Statement":\n [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]}'
_ANY, _NONE, _OF_ALL = policy(allow("*")), policy(deny("*")), policy(deny("*", Principal="*"))
_GONE = "arn:aws:iam::aws:policy/Gone"
WRONG: tuple[tuple[Change, str], ...] = (
    (
        lambda file: file.update(RoleDetails=[]),
        "a member 'RoleDetails' that is not known; did you mean RoleDetailList",
    ),
    (lambda file: file.update(IsTruncated=True, Marker="x"), "one page of several: IsTruncated"),
    (lambda file: file.update(NextToken="x"), "one page of several: NextToken"),
    (lambda file: file.update(RoleDetailList={}), "RoleDetailList is no list"),
    (lambda file: file.update(RoleDetailList=[7]), "RoleDetailList[0] is no object"),
    (lambda file: file.clear(), "has none of the members UserDetailList"),
    (
        lambda file: file["RoleDetailList"].append(file["RoleDetailList"][0]),
        "RoleDetailList[1] (app): there is such a role already",
    ),
    (
        _item("RoleDetailList", AttachedPolicies=[]),
        "(app): the member 'AttachedPolicies' is not known; did you mean AttachedManagedPolicies",
    ),
    (_item("RoleDetailList", Arn="arn:aws:iam::111122223333:user/app"), "(app): Arn is none of a role"),
    (_item("RoleDetailList", Arn="app"), "(app): Arn is none of a role"),
    (_item("RoleDetailList", Arn=None), "(app): Arn is missing"),
    (_item("RoleDetailList", Arn="arn:aws:iam::1111:role/app"), "(app): Arn is none of a role"),
    (_item("RoleDetailList", Arn="arn:aws:iam::111122223333:role/\x1b[2J/app"), "Arn has characters"),
    (_item("RoleDetailList", RoleName="other"), "(other): its Arn is of another role"),
    (_item("RoleDetailList", RoleName="\ud800"), "RoleName is none"),
    (_item("RoleDetailList", RoleName=["app"]), 'RoleName is none: ["app"]'),
    (_item("RoleDetailList", RolePolicyList={}), "RolePolicyList is no list"),
    (
        _item("RoleDetailList", RolePolicyList=[{"PolicyName": "x"}]),
        "RolePolicyList[0] (x): the policy is missing",
    ),
    (
        _item("RoleDetailList", RolePolicyList=[{"PolicyName": "x", "PolicyDocument": _ANY}] * 2),
        "two policies of one name",
    ),
    (
        _item("RoleDetailList", AttachedManagedPolicies=[{"PolicyArn": _GONE}]),
        f"the attached policy {_GONE} is not in Policies",
    ),
    (
        _item("RoleDetailList", AttachedManagedPolicies=[{"PolicyArn": 7}]),
        "AttachedManagedPolicies[0]: PolicyArn is none",
    ),
    (
        _item("RoleDetailList", PermissionsBoundary={"PermissionsBoundaryArn": "arn:x"}),
        "the permissions boundary arn:x is not in Policies",
    ),
    (_item("RoleDetailList", PermissionsBoundary="x"), "PermissionsBoundary is no object"),
    (_item("UserDetailList", GroupList=["admins"]), "(jane): the group admins is not in GroupDetailList"),
    (_item("UserDetailList", GroupList="admins"), "GroupList is no list of names"),
    (_document(policy({"Effect": "Maybe"})), "(developers): GroupPolicyList[0] (use): statement 1: "),
    (_document(_BROKEN_TEXT), "GroupPolicyList[0] (use): line 2, column 14 of its text: "),
    (_document(policy(allow("*", Principal="*"))), "GroupPolicyList[0] (use): statement 1: "),
    (_document([]), "GroupPolicyList[0] (use): the policy is missing"),
    (_item("RoleDetailList", AssumeRolePolicyDocument=[]), "AssumeRolePolicyDocument: the policy is missing"),
    (
        _item("RoleDetailList", AssumeRolePolicyDocument=policy(allow("sts:AssumeRole", Principal="ec2"))),
        "AssumeRolePolicyDocument: statement 1: ",
    ),
    (_item("RoleDetailList", MaxSessionDuration=900), "it is from 3600 to 43200 seconds"),
    (_item("RoleDetailList", MaxSessionDuration="3600"), "MaxSessionDuration is none"),
    (_item("RoleDetailList", RoleId="AROA 1"), "RoleId is none"),
    (_item("UserDetailList", Tags={"team": "red"}), "Tags is no list"),
    (_item("UserDetailList", Tags=[{"Value": "red"}]), "Tags[0]: Key is missing"),
    (_item("UserDetailList", Tags=[{"Key": "a", "Value": 1}]), "Tags[0]: Value is no text"),
    (_item("UserDetailList", Tags=[{"Key": "a"}, {"Key": "A"}]), "two tags of one name"),
    (_item("Policies", PolicyVersionList=[]), "PolicyVersionList lacks the version that applies"),
    (_item("Policies", PolicyVersionList=[{"Document": _ANY, "VersionId": 2}]), "VersionId is none"),
    (lambda file: file.pop("Organization"), "there are Targets and no Organization"),
    (lambda file: file.update(Organization=[]), "Organization is no object"),
    (lambda file: file.update(Organization={}), "Organization: MasterAccountId is missing"),
    (lambda file: file.pop("Targets"), "there is an Organization and no Targets"),
    (_item("Targets", Id="root"), 'Id is none: "root"'),
    (_item("Targets", ParentId="r-ab12"), "(r-ab12): a root has no ParentId"),
    (lambda file: file["Targets"].pop(0), "(ou-ab12-workload): the parent r-ab12 is not in Targets"),
    (
        lambda file: file["Targets"][1].update(ParentId="ou-ab12-workload"),
        "its parents do not lead to a root",
    ),
    (lambda file: file["Targets"][1].update(ParentId=ACCOUNT), "is an account, which has no children"),
    (
        lambda file: file["Targets"].append({"Id": "r-cd34"}),
        "an organization has one root, and r-ab12 is one",
    ),
    (lambda file: file["Targets"][2].pop("ParentId"), f"({ACCOUNT}): ParentId is missing"),
    (
        _item("Targets", ServiceControlPolicies=[{"Content": _NONE}]),
        "ServiceControlPolicies[0]: Name is missing",
    ),
    (
        _item("Targets", ServiceControlPolicies=[{"Name": "x", "Content": _OF_ALL}]),
        "ServiceControlPolicies[0] (x): statement 1",
    ),
    (
        _item(
            "Targets",
            ServiceControlPolicies=[
                {"Id": "p-FullAWSAccess", "Name": "x", "Content": policy(allow("kms:*"))}
            ],
        ),
        "differs from another policy of its name or id",
    ),
    (_item("VpcEndpoints", VpcEndpointId="x"), "VpcEndpointId is none"),
    (_item("VpcEndpoints", PolicyDocument="{"), "(vpce-0abc1234def567890): PolicyDocument: line 1"),
    (_item("VpcEndpoints", EndpointPolicyDocument="{}"), "did you mean PolicyDocument"),
)


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said[:50] for _, said in WRONG])
def test_what_is_wrong_is_named_with_its_place(change: Change, said: str) -> None:
    file = whole()
    change(file)
    with pytest.raises(AccountFileError) as refused:
        rows_of(file)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_that_is_wrong_is_counted() -> None:
    file = whole()
    for member in ("UserDetailList", "GroupDetailList"):
        file[member][0].pop("Arn")
    with pytest.raises(
        AccountFileError, match=r"(?s)1\.json: UserDetailList\[0\] \(jane\).*1 more thing is wrong"
    ):
        rows_of(file)


def test_the_same_role_in_two_files_is_refused() -> None:
    with pytest.raises(
        AccountFileError, match=r"^2\.json: UserDetailList\[0\] \(jane\): there is such a user"
    ):
        rows_of(iam(), iam())


def test_text_of_other_encodings_is_read() -> None:
    text = json.dumps(whole())
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-16-le")):
        assert json_of("x", content).content == whole()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x is no JSON: line 1, column 1"),
        (b'{"RoleDetailList": [\n  {"Arn": ]}', "x is no JSON: line 2, column 11"),
        (b'{"RoleDetailList": []', "x is no JSON: line 1, column 22"),
        (b"[]", "x is no JSON object"),
        (b'{"a": 1, "a": 2}', 'the member "a" is given twice'),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "x cannot be read"),
        (b'{"a": ' + b"[" * 100_000, "x is nested too deeply"),
        (b'{"a": "\xff\xfe"}', "x is no text: byte 8"),
    ],
)
def test_bytes_that_are_no_such_file(content: bytes, said: str) -> None:
    with pytest.raises(AccountFileError) as refused:
        json_of("x", content)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "depth", [40, 300, *range(sys.getrecursionlimit() - 120, sys.getrecursionlimit(), 3)]
)
def test_what_is_nested_too_deeply_is_refused(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for text in (
        '{"RoleDetailList": [{"RoleName": "x", "Arn": DEEP}]}',
        '{"VpcEndpoints": [{"VpcEndpointId": "vpce-0abc1234", "PolicyDocument": {"Statement": DEEP}}]}',
    ):
        with pytest.raises(AccountFileError):
            read_account([json_of("x", text.replace("DEEP", deep).encode())])


def test_the_policies_that_aws_manages_are_read() -> None:
    """Some of them: every tenth of those that moto has of AWS."""
    found = json.loads(aws_managed_policies_data)
    policies = [
        {
            "Arn": f"arn:aws:iam::aws:policy{each['Path']}{name}",
            "DefaultVersionId": each["DefaultVersionId"],
            "PolicyVersionList": [{"Document": each["Document"], "VersionId": each["DefaultVersionId"]}],
        }
        for name, each in list(found.items())[::10]
    ]
    assert len(rows_of({"Policies": policies})) == len(policies) > 100


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(
        st.sampled_from(
            ["Arn", "RoleName", "Id", "ParentId", "PolicyName", "PolicyDocument", "PolicyVersionList",
             "ServiceControlPolicies", "AttachedManagedPolicies", "GroupList", "Statement", "Content", "Name"]
        ), each, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*MEMBERS.values(), "Other"]), _JSON, max_size=4))
def test_any_other_json_is_refused_or_read(content: dict[str, Any]) -> None:
    try:
        rows = rows_of(content)
    except AccountFileError:
        return
    assert not rows or rows_of(file_of(rows)) == rows
