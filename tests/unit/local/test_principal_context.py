"""The condition keys that a principal brings: tags, unique id, organization, service, those of its key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_tui.backend.local import LocalBackend, Store
from kms_tui.backend.local.account_policies.account_file import NamedFile, read_account
from kms_tui.backend.local.authorization.condition_context import policy_request
from kms_tui.backend.local.authorization.principal_context import service_context
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.store.stored_account import replace_account
from kms_tui.kms.errors import ServiceError
from kms_tui.policy.layers import Layer, read_policy
from tests.account_samples import ACCOUNT, OTHER_ACCOUNT, ROLE, SESSION, USER, Json, allow, policy, whole
from tests.contract.client import KmsClient
from tests.unit.local.conftest import REGION, TestClock

_ORGANIZATION = "o-a1b2c3d4e5"


@pytest.fixture
def held(store: Store) -> Store:
    file = whole()
    file["RoleDetailList"][0]["Tags"] = [{"Key": "Team", "Value": "red"}, {"Key": "stage", "Value": "test"}]
    file["UserDetailList"][0]["Tags"] = [{"Key": "team", "Value": "blue"}]
    replace_account(store, read_account([NamedFile("x", file)]))
    return store


def backend_of(store: Store, caller_arn: str | None = None, **options: Any) -> LocalBackend:
    return LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=caller_arn, **options)


def values(backend: LocalBackend, *names: str) -> list[Any]:
    """The values of condition keys of a call, as policies see them."""
    known = policy_request(backend.begin("DescribeKey"), None, "kms:DescribeKey").known
    found = [known.get(name.lower()) for name in names]
    return [each[0] if each and len(each) == 1 else each for each in found]


@pytest.mark.parametrize("caller", [ROLE, SESSION])
def test_the_tags_of_a_role_are_those_of_its_principal(held: Store, caller: str) -> None:
    found = values(backend_of(held, caller), "aws:PrincipalTag/team", "aws:PrincipalTag/STAGE")
    assert found == ["red", "test"]


def test_the_tags_of_a_user_are_its_own_and_nobody_has_anothers(held: Store) -> None:
    assert values(backend_of(held, USER), "aws:PrincipalTag/Team", "aws:PrincipalTag/stage") == ["blue", None]
    root = backend_of(held, f"arn:aws:iam::{ACCOUNT}:root")
    assert values(root, "aws:PrincipalTag/Team") == [None]
    assert values(backend_of(held), "aws:PrincipalTag/Team") == [None]


def test_a_policy_that_asks_for_the_tag_of_a_role_lets_it_in(held: Store, kms: KmsClient) -> None:
    """The gap of an earlier release: tags of roles were no condition keys."""
    tagged = policy(
        allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        allow(
            "kms:Decrypt",
            "kms:GenerateRandom",
            Principal="*",
            Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}},
        ),
    )
    tagged["Statement"][0]["Action"] = ["kms:PutKeyPolicy", "kms:Encrypt"]
    key_id = kms.key(Policy=json.dumps(tagged))
    blob = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert backend_of(held, SESSION).call("Decrypt", {"CiphertextBlob": blob})["Plaintext"] == b"x"
    with pytest.raises(ServiceError, match="not authorized to perform: kms:Decrypt"):
        backend_of(held, USER).call("Decrypt", {"CiphertextBlob": blob})


def test_a_principal_has_the_unique_id_that_the_account_policies_tell(held: Store) -> None:
    app = backend_of(held, SESSION)
    assert values(app, "aws:userid") == ["AROACKCEVSQ6C2EXAMPLE:i-0abc"]
    assert app.caller().user_id == "AROACKCEVSQ6C2EXAMPLE:i-0abc"
    assert backend_of(held, USER).caller().user_id == "AIDACKCEVSQ6C2EXAMPLE"


def test_caller_and_key_are_of_the_organization_that_the_store_tells(held: Store) -> None:
    mine = ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:ResourceOrgID", "aws:ResourceOrgPaths")
    path = f"{_ORGANIZATION}/r-ab12/ou-ab12-workload/"
    for caller in (None, ROLE, USER):
        assert values(backend_of(held, caller), *mine) == [_ORGANIZATION, path, _ORGANIZATION, path]
    stranger = backend_of(held, f"arn:aws:iam::{OTHER_ACCOUNT}:user/ada")
    assert values(stranger, *mine[:2]) == [None, None]
    manager = backend_of(held, "arn:aws:iam::999988887777:user/ada")
    assert values(manager, *mine[:2]) == [_ORGANIZATION, None]


def test_a_store_without_account_policies_tells_none_of_it(store: Store) -> None:
    assert values(backend_of(store, ROLE), "aws:PrincipalOrgID", "aws:PrincipalTag/team") == [None, None]


@pytest.mark.parametrize(
    ("service", "region", "partition", "via", "principal"),
    [
        ("s3", "eu-west-1", "aws", "s3.eu-west-1.amazonaws.com", "s3.amazonaws.com"),
        ("s3", "cn-north-1", "aws-cn", "s3.cn-north-1.amazonaws.com.cn", "s3.amazonaws.com"),
        (
            "ebs.us-east-1.amazonaws.com",
            "eu-west-1",
            "aws",
            "ebs.us-east-1.amazonaws.com",
            "ebs.amazonaws.com",
        ),
    ],
)
def test_a_short_name_of_a_service_means_it_in_the_region_of_the_request(
    service: str, region: str, partition: str, via: str, principal: str
) -> None:
    found = service_context({"kms:viaservice": service}, region, partition)
    assert found["kms:viaservice"] == via
    assert (found["aws:viaawsservice"], found["aws:calledvia"]) == ("true", [principal])
    assert found["aws:calledviafirst"] == found["aws:calledvialast"] == principal


def _key(caller_arn: str | None = None, **fields: Any) -> AccessKey:
    return AccessKey("AKIAEXAMPLE", "secret", ACCOUNT, caller_arn, **fields)


def test_the_service_of_an_access_key_follows_the_region(store: Store) -> None:
    context = {"kms:ViaService": "s3", "aws:SourceAccount": ACCOUNT, "aws:PrincipalTag/team": "red"}
    app = backend_of(store).called_by(_key(ROLE, context=context)).called_from("10.0.0.1", "x")
    names = ("kms:ViaService", "kms:CallerAccount", "aws:SourceAccount", "aws:SourceIp", "aws:ViaAWSService")
    assert values(app, *names) == ["s3.eu-west-1.amazonaws.com", ACCOUNT, ACCOUNT, None, "true"]
    elsewhere = app.in_region("us-east-1")
    assert values(elsewhere, "kms:ViaService", "aws:PrincipalTag/Team") == [
        "s3.us-east-1.amazonaws.com",
        "red",
    ]


def test_what_comes_with_an_access_key_is_stronger_than_what_the_store_tells(held: Store) -> None:
    app = backend_of(held).called_by(_key(SESSION, context={"aws:PrincipalTag/TEAM": "green"}))
    assert values(app, "aws:PrincipalTag/team", "aws:PrincipalTag/stage") == ["green", "test"]


def test_a_service_principal_calls_as_a_service(store: Store, kms: KmsClient) -> None:
    trusted = policy(
        allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        allow(
            "kms:GenerateDataKey",
            Principal={"Service": "s3.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ),
    )
    key_id = kms.key(Policy=json.dumps(trusted))
    service = backend_of(store).called_by(_key("s3.amazonaws.com", context={"aws:sourceaccount": ACCOUNT}))
    names = ("aws:PrincipalIsAWSService", "aws:PrincipalServiceName", "aws:PrincipalArn")
    assert values(service, *names) == ["true", "s3.amazonaws.com", None]
    request = {"KeyId": key_id, "KeySpec": "AES_256"}
    assert service.call("GenerateDataKey", request)["KeyId"].endswith(key_id)
    other = backend_of(store).called_by(
        _key("s3.amazonaws.com", context={"aws:sourceaccount": OTHER_ACCOUNT})
    )
    with pytest.raises(ServiceError, match="is not authorized to perform: kms:GenerateDataKey"):
        other.call("GenerateDataKey", request)


def test_a_client_has_the_address_and_the_name_that_it_comes_with(store: Store) -> None:
    names = ("aws:SourceIp", "aws:UserAgent", "aws:VpcSourceIp")
    backend = backend_of(store, ROLE)
    assert values(backend, *names) == [None, "kms-tui", None]
    assert values(backend.called_from("10.1.2.3", "Boto3/1"), *names) == ["10.1.2.3", "Boto3/1", None]
    assert values(backend.called_from("fe80::1%eth0", ""), *names) == ["fe80::1", None, None]
    through = backend_of(store, ROLE, endpoint="vpce-0abc1234def567890").called_from("10.1.2.3", "x")
    assert values(through, *names) == [None, "x", "10.1.2.3"]


def test_the_age_of_mfa_grows_from_the_issue_of_the_token(store: Store, clock: TestClock) -> None:
    issued = clock.now.isoformat()
    context = {"aws:MultiFactorAuthPresent": "true", "aws:TokenIssueTime": issued}
    ada = backend_of(store).called_by(_key(USER, context=context))
    assert values(ada, "aws:MultiFactorAuthAge") == ["0"]
    clock.advance(minutes=5)
    assert values(ada, "aws:MultiFactorAuthAge") == ["300"]


def _session(*actions: str) -> Json:
    return {"session_policies": (read_policy(Layer.SESSION, "x", json.dumps(policy(allow(*actions)))),)}


def test_an_access_key_calls_for_its_own_account_and_within_its_session(store: Store, kms: KmsClient) -> None:
    key_id = kms.key()
    partner = backend_of(store).called_by(AccessKey("AKIAX", "s", OTHER_ACCOUNT))
    assert partner.account_id == OTHER_ACCOUNT
    assert partner.call("ListKeys", {})["Keys"] == []
    limited = backend_of(store).called_by(_key(**_session("kms:DescribeKey")))
    assert limited.call("DescribeKey", {"KeyId": key_id})["KeyMetadata"]["KeyId"] == key_id
    with pytest.raises(ServiceError, match="because no session policy allows the kms:DisableKey action"):
        limited.call("DisableKey", {"KeyId": key_id})


def test_the_callers_own_key_keeps_the_layers_that_were_given(store: Store, kms: KmsClient) -> None:
    key_id = kms.key()
    identity = read_policy(Layer.IDENTITY, "x", json.dumps(policy(allow("kms:DescribeKey")))).document
    app = backend_of(store, ROLE, iam_policies=(identity,))
    same, other = app.called_by(_key(ROLE)), app.called_by(_key(USER))
    assert same.call("DescribeKey", {"KeyId": key_id})
    with pytest.raises(ServiceError, match="no identity-based policy allows"):
        other.call("DescribeKey", {"KeyId": key_id})


def test_a_principal_that_the_partition_does_not_know_is_told_as_a_wrong_token(store: Store) -> None:
    with pytest.raises(ServiceError) as caught:
        backend_of(store).called_by(_key("arn:aws-cn:iam::111122223333:user/ada"))
    assert caught.value.code == "UnrecognizedClientException"
    assert backend_of(store).called_by(_key(USER), "us-east-2").region == "us-east-2"


def test_events_name_the_service_that_calls_in_the_place_of_an_address(store: Store, kms: KmsClient) -> None:
    key_id = kms.key()
    backend = backend_of(store)
    forwarded = backend.called_by(_key(context={"kms:viaservice": "s3"})).called_from("10.1.2.3", "Boto3/1")
    forwarded.call("DescribeKey", {"KeyId": key_id})
    backend.called_from("10.1.2.3", "Boto3/1").call("DescribeKey", {"KeyId": key_id})
    service = backend.called_by(_key("ec2.amazonaws.com")).called_from("10.1.2.3", "Boto3/1")
    with pytest.raises(ServiceError):
        service.call("DescribeKey", {"KeyId": key_id})
    answer = backend.services.call("cloudtrail", "LookupEvents", {"MaxResults": 3})
    events = [json.loads(each["CloudTrailEvent"]) for each in answer["Events"]]
    assert [(each["sourceIPAddress"], each["userAgent"]) for each in events] == [
        ("ec2.amazonaws.com", "ec2.amazonaws.com"),
        ("10.1.2.3", "Boto3/1"),
        ("s3.amazonaws.com", "s3.amazonaws.com"),
    ]
