"""Who may assume a role: its trust policy, and the caller's own policies, within what limits them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_tui.backend.local import LocalBackend, Store
from kms_tui.backend.local.account_policies.account_file import NamedFile, read_account
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.backend.local.principals.sts_calls import StsCall
from kms_tui.backend.local.principals.sts_operations import OPERATIONS
from kms_tui.backend.local.store.stored_account import replace_account
from kms_tui.kms.errors import ServiceError
from kms_tui.policy.layers import Layer, read_policy
from tests.account_samples import ACCOUNT, OTHER_ACCOUNT, Json, allow, deny, organization, policy
from tests.unit.local.conftest import REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/target"
ADA = f"arn:aws:iam::{ACCOUNT}:user/ada"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-01"
STRANGER = f"arn:aws:iam::{OTHER_ACCOUNT}:user/ada"
_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
_ASSUME = allow("sts:AssumeRole")


def trusting(principal: Json | str, **elements: Any) -> Json:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **elements}


def _own(*statements: Json) -> list[Json]:
    return [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else []


class Account:
    """Rows of an account with one role to assume, and callers with policies of their own."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def hold(
        self,
        *trust: Json,
        own: tuple[Json, ...] = (),
        boundary: tuple[Json, ...] = (),
        files: tuple[Json, ...] = (),
        **role: Any,
    ) -> None:
        """Hold the role with its trust policy, and ``own`` policies of whoever calls."""
        limits = f"arn:aws:iam::{ACCOUNT}:policy/limits"
        bound = {"PermissionsBoundary": {"PermissionsBoundaryArn": limits}} if boundary else {}
        versions = [{"VersionId": "v1", "Document": policy(*boundary)}]
        target = {"RoleName": "target", "Arn": ROLE, **role}
        if trust:
            target["AssumeRolePolicyDocument"] = policy(*trust)
        users = [
            {"UserName": "ada", "Arn": arn, "UserPolicyList": _own(*own), **more}
            for arn, more in ((ADA, bound), (STRANGER, {}))
        ]
        app = {"RoleName": "app", "Arn": APP, "RolePolicyList": _own(*own), **bound}
        policies = (
            [{"PolicyName": "limits", "Arn": limits, "PolicyVersionList": versions}] if boundary else []
        )
        file = {"UserDetailList": users, "RoleDetailList": [target, app], "Policies": policies}
        replace_account(self.store, read_account([NamedFile("x", each) for each in (file, *files)]))

    def refusal(self, caller: str, *, session: tuple[Json, ...] = (), **params: Any) -> str:
        """Why the caller may not assume the role; "" where it may."""
        policies = tuple(read_policy(Layer.SESSION, "s", json.dumps(policy(each))) for each in session)
        key = AccessKey("AKIAX", "s", ACCOUNT, caller, session_policies=policies)
        backend = LocalBackend(self.store, account_id=ACCOUNT, region=REGION)
        call = backend.called_by(key).called_from("10.1.2.3", "agent/1").begin("AssumeRole")
        request = {"RoleArn": ROLE, "RoleSessionName": "s-1", **params}
        try:
            OPERATIONS["AssumeRole"](StsCall(call, request, key, AccessKeys(self.store.now)))
        except ServiceError as error:
            return error.message if error.code == "AccessDenied" else f"not refused but {error.code}"
        return ""

    def lets(self, caller: str, **params: Any) -> bool:
        refusal = self.refusal(caller, **params)
        assert refusal in (
            "",
            f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {ROLE}",
        )
        return not refusal


@pytest.fixture
def account(store: Store) -> Account:
    return Account(store)


@pytest.mark.parametrize("caller", [ADA, SESSION])
def test_trust_in_the_account_needs_the_callers_own_policies(account: Account, caller: str) -> None:
    for principal in ({"AWS": _ROOT}, {"AWS": ACCOUNT}):
        account.hold(trusting(principal))
        assert not account.lets(caller)
        account.hold(trusting(principal), own=(_ASSUME,))
        assert account.lets(caller)
        account.hold(trusting(principal), own=(allow("sts:AssumeRole", Resource=f"{ROLE}x"),))
        assert not account.lets(caller)
        account.hold(trusting(principal), own=(_ASSUME, deny("sts:*", Resource=ROLE)))
        assert not account.lets(caller)


@pytest.mark.parametrize(
    ("caller", "principal"), [(ADA, ADA), (SESSION, APP), (SESSION, SESSION), (APP, APP), (ADA, "*")]
)
def test_trust_in_the_caller_itself_suffices_within_its_account(
    account: Account, caller: str, principal: str
) -> None:
    account.hold(trusting({"AWS": principal}))
    assert account.lets(caller)
    account.hold(trusting({"AWS": principal}), deny("sts:AssumeRole", Principal={"AWS": caller}, Resource=[]))
    assert not account.lets(caller)
    account.hold(trusting({"AWS": principal}), own=(deny("sts:AssumeRole"),))
    assert not account.lets(caller)


def test_another_account_needs_both(account: Account) -> None:
    for principal in (STRANGER, f"arn:aws:iam::{OTHER_ACCOUNT}:root", "*"):
        account.hold(trusting({"AWS": principal}))
        assert not account.lets(STRANGER)
        account.hold(trusting({"AWS": principal}), own=(_ASSUME,))
        assert account.lets(STRANGER)
    account.hold(trusting({"AWS": _ROOT}), own=(_ASSUME,))
    assert not account.lets(STRANGER)


def test_a_role_that_tells_no_trust_trusts_its_account(account: Account) -> None:
    account.hold(own=(_ASSUME,))
    assert account.lets(ADA)
    assert not account.lets(STRANGER)
    account.hold()
    assert not account.lets(ADA)


def test_a_boundary_limits_what_does_not_name_the_user(account: Account) -> None:
    only_kms, with_sts = (allow("kms:*"),), (allow("kms:*", "sts:*"),)
    account.hold(trusting({"AWS": _ROOT}), own=(_ASSUME,), boundary=only_kms)
    assert not account.lets(ADA)
    account.hold(trusting({"AWS": _ROOT}), own=(_ASSUME,), boundary=with_sts)
    assert account.lets(ADA)
    account.hold(trusting({"AWS": ADA}), boundary=only_kms)
    assert account.lets(ADA)
    account.hold(trusting({"AWS": APP}), boundary=only_kms)
    assert not account.lets(SESSION)
    account.hold(trusting({"AWS": SESSION}), boundary=only_kms)
    assert account.lets(SESSION)


def test_a_session_policy_limits_as_a_boundary_does(account: Account) -> None:
    account.hold(trusting({"AWS": [_ROOT, APP]}), own=(_ASSUME,))
    assert account.lets(SESSION)
    assert not account.lets(SESSION, session=(allow("kms:*"),))
    assert account.lets(SESSION, session=(allow("kms:*"), _ASSUME))


def test_the_organization_limits_the_caller_and_the_role(account: Account) -> None:
    everything = trusting({"AWS": _ROOT})
    account.hold(everything, own=(_ASSUME,), files=(organization(),))
    assert account.lets(ADA)
    scp = organization()
    scp["Targets"][1].setdefault("ServiceControlPolicies", []).append(
        {"Name": "NoRoles", "Content": policy(deny("sts:AssumeRole"))}
    )
    account.hold(everything, own=(_ASSUME,), files=(scp,))
    assert not account.lets(ADA)
    rcp = organization()
    rcp["Targets"][1].setdefault("ResourceControlPolicies", []).append(
        {"Name": "NoRoles", "Content": policy(deny("sts:*", Principal="*"))}
    )
    account.hold(everything, own=(_ASSUME,), files=(rcp,))
    assert not account.lets(ADA)


@pytest.mark.parametrize(
    ("condition", "params", "allowed"),
    [
        ({"StringEquals": {"sts:ExternalId": "x"}}, {}, False),
        ({"StringEquals": {"sts:ExternalId": "x"}}, {"ExternalId": "x"}, True),
        ({"StringLike": {"sts:RoleSessionName": "${aws:username}"}}, {}, False),
        ({"StringLike": {"sts:RoleSessionName": "${aws:username}"}}, {"RoleSessionName": "ada"}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, {}, True),
        ({"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}, {}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-other00000"}}, {}, False),
        ({"ArnEquals": {"aws:PrincipalArn": ADA}}, {}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, {}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {}, True),
        ({"IpAddress": {"aws:SourceIp": "192.168.0.0/16"}}, {}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {}, False),
        (
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            {"SerialNumber": "arn:aws:iam::111122223333:mfa/ada", "TokenCode": "123456"},
            True,
        ),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-03-01T00:00:00Z"}}, {}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-03-01T00:00:00Z"}}, {}, False),
        ({"StringEquals": {"aws:RequestedRegion": REGION}}, {}, True),
        ({"StringEquals": {"aws:ResourceTag/team": "red"}}, {}, True),
        ({"StringEquals": {"sts:NoSuchKey": "x"}}, {}, False),
    ],
)
def test_conditions_of_a_trust_policy_are_judged(
    account: Account, condition: Json, params: Json, allowed: bool
) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    account.hold(trusting({"AWS": ADA}, Condition=condition), files=(organization(),), Tags=tags)
    assert account.lets(ADA, **params) is allowed


def test_tags_and_a_source_identity_are_actions_of_their_own(account: Account) -> None:
    tags: Json = {"Tags": [{"Key": "project", "Value": "k"}]}
    account.hold(trusting({"AWS": ADA}))
    assert "sts:TagSession" in account.refusal(ADA, **tags)
    assert "sts:SetSourceIdentity" in account.refusal(ADA, SourceIdentity="ada")
    of_project = {
        "StringEquals": {"aws:RequestTag/project": "k"},
        "ForAllValues:StringEquals": {"aws:TagKeys": "project"},
    }
    more = {
        "Effect": "Allow",
        "Principal": {"AWS": ADA},
        "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
    }
    account.hold(trusting({"AWS": ADA}), {**more, "Condition": of_project})
    assert account.refusal(ADA, **tags) == ""
    assert account.refusal(ADA, SourceIdentity="ada", **tags) == ""
    assert "sts:TagSession" in account.refusal(ADA, Tags=[{"Key": "project", "Value": "other"}])


def test_a_service_is_trusted_by_its_name(account: Account) -> None:
    account.hold(trusting({"Service": "ec2.amazonaws.com"}))
    assert account.lets("ec2.amazonaws.com")
    assert not account.lets("lambda.amazonaws.com")
    assert not account.lets(ADA)


def test_wildcards_and_notaction_name_the_action(account: Account) -> None:
    for element, allowed in (
        ({"Action": "sts:Assume*"}, True),
        ({"Action": "STS:ASSUMEROLE"}, True),
        ({"Action": "*"}, True),
        ({"Action": "sts:AssumeRoleWith*"}, False),
    ):
        account.hold({"Effect": "Allow", "Principal": {"AWS": ADA}, **element})
        assert account.lets(ADA) is allowed, element
    account.hold({"Effect": "Allow", "Principal": {"AWS": ADA}, "NotAction": "sts:TagSession"})
    assert account.lets(ADA)
    account.hold({"Effect": "Allow", "Principal": {"AWS": ADA}, "NotAction": "sts:*"})
    assert not account.lets(ADA)
