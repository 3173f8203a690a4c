"""The layers of policies as they are read from AWS: whole, denied, failing, of another account."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import botocore.session
import pytest

from kms_tui.backend.aws import connect
from kms_tui.backend.kms_facade import Kms
from kms_tui.denials.asked_request import AskedRequest
from kms_tui.denials.judging import Inquiry, LayerSource, judge
from kms_tui.denials.layer_files import LayerFiles
from kms_tui.denials.layer_reading import read_layers
from kms_tui.kms.errors import EndpointError, KmsTuiError, ServiceError, UnavailableError
from kms_tui.kms.operations import may_read
from kms_tui.policy.authorization import LayerEffect, Outcome, authorize_request
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.layers import Layer, Layers, UnreadLayer
from kms_tui.policy.principals import Caller
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.moto import MotoEndpoint

REGION = "eu-west-1"
ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROOT_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DECRYPT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}],
}
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0abc"
USER = f"arn:aws:iam::{ACCOUNT}:user/team/jane"

Answer = Mapping[str, Any] | KmsTuiError


def role_answers() -> dict[str, Answer]:
    """Operation -> its answer, in the shapes of botocore."""
    return {
        "GetRole": {"Role": {"RoleName": "app", "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:B"}}},
        "ListAttachedRolePolicies": {"AttachedPolicies": [{"PolicyArn": "arn:P"}], "IsTruncated": False},
        "ListRolePolicies": {"PolicyNames": ["inline"], "IsTruncated": False},
        "GetRolePolicy": {"PolicyDocument": DECRYPT},
        "GetPolicy": {"Policy": {"DefaultVersionId": "v3"}},
        "GetPolicyVersion": {"PolicyVersion": {"Document": ALLOW}},
        "DescribeOrganization": {"Organization": {"MasterAccountId": "999988887777"}},
        "ListRoots": {
            "Roots": [
                {
                    "PolicyTypes": [
                        {"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"},
                        {"Type": "RESOURCE_CONTROL_POLICY", "Status": "ENABLED"},
                    ]
                }
            ]
        },
        "ListParents": {"Parents": [{"Id": "r-abcd"}]},
        "ListPoliciesForTarget": {"Policies": [{"Id": "p-1"}]},
        "DescribePolicy": {"Policy": {"PolicySummary": {"Arn": "arn:p-1"}, "Content": json.dumps(ALLOW)}},
        "DescribeVpcEndpoints": {"VpcEndpoints": [{"PolicyDocument": json.dumps(ALLOW)}]},
    }


@dataclass
class AnsweringServices:
    """Services that answer from a table; what the table of reads does not allow fails the test."""

    answers: dict[str, Answer]
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    region: str = REGION
    offered: frozenset[str] = frozenset({"iam", "organizations", "ec2"})

    def offers(self, service: str) -> bool:
        return service in self.offered

    def in_region(self, region: str) -> AnsweringServices:
        return self

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert may_read(service, operation), f"{service} {operation} is in no table"
        self.calls.append((service, operation, dict(params)))
        answer = self.answers.get(operation, UnavailableError(service, operation))
        if isinstance(answer, KmsTuiError):
            raise answer
        return answer


class KeyBackend:
    """A KMS that answers from a table about one key."""

    account_id, region, partition = ACCOUNT, REGION, "aws"

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers: dict[str, Answer] = {
            "GetKeyPolicy": {"Policy": json.dumps(ROOT_POLICY)},
            "ListGrants": {"Grants": [], "Truncated": False},
            "DescribeKey": ServiceError("AccessDeniedException", "no"),
            **(answers or {}),
        }

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.answers[operation]
        if isinstance(answer, KmsTuiError):
            raise answer
        return answer

    def caller(self) -> Any:
        raise AssertionError("only an offline KMS is asked who calls")

    def in_region(self, region: str) -> KeyBackend:
        return self


def asked(caller: str = SESSION, **context: Any) -> AccessRequest:
    given = {name.replace("_", ":"): value for name, value in context.items()}
    return AccessRequest(Caller.parse(caller), "kms:Decrypt", KEY, given, complete=True)


def layers_of(
    services: AnsweringServices | None,
    request: AccessRequest | None = None,
    *,
    backend: KeyBackend | None = None,
    keep_going: Callable[[], bool] = lambda: True,
) -> Layers:
    kms = Kms(backend or KeyBackend())
    return read_layers(kms, services, request or asked(), keep_going).layers


def role_arn_of(services: AnsweringServices, caller: str = SESSION) -> str | None:
    return read_layers(Kms(KeyBackend()), services, asked(caller)).role_arn


def reason(layer: object) -> str:
    assert isinstance(layer, UnreadLayer), layer
    return layer.reason


def test_the_path_of_a_sessions_role_is_read_and_decides_a_condition_on_it() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/app"
    on_path = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team/*"}}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": on_path}
    guarded = {"Version": "2012-10-17", "Statement": [statement]}
    answers = role_answers() | {"GetPolicyVersion": {"PolicyVersion": {"Document": guarded}}}
    inquiry = Inquiry(
        asked=AskedRequest(principal=SESSION, action="kms:Decrypt", key=KEY, complete=True),
        files=LayerFiles(no_session_policy=True),
    )
    role = {"RoleName": "app", "Arn": arn}
    answers |= {"ListRolePolicies": {"PolicyNames": [], "IsTruncated": False}}
    for answered, outcome in (
        ({"Role": role}, Outcome.ALLOW),
        ({"Role": {**role, "Arn": arn.replace("team", "crew")}}, Outcome.DENY),
        ({"Role": {"RoleName": "app"}}, Outcome.UNKNOWN),
    ):
        services = AnsweringServices(answers | {"GetRole": answered})
        found = judge(inquiry, LayerSource(Kms(KeyBackend()), services))
        assert found.judged is not None
        assert found.judged.outcome is outcome


def test_a_fix_names_the_role_with_its_path() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/app"
    nothing: dict[str, Answer] = {
        "GetRole": {"Role": {"RoleName": "app", "Arn": arn}},
        "ListAttachedRolePolicies": {"AttachedPolicies": [], "IsTruncated": False},
        "ListRolePolicies": {"PolicyNames": [], "IsTruncated": False},
    }
    inquiry = Inquiry(
        asked=AskedRequest(principal=SESSION, action="kms:Decrypt", key=KEY, pairs={}),
        files=LayerFiles(no_session_policy=True),
    )
    source = LayerSource(Kms(KeyBackend()), AnsweringServices(role_answers() | nothing))
    by_policy, by_grant, _ = judge(inquiry, source).fixes
    assert json.loads(by_policy.fix.parts[0].text)["Principal"] == {"AWS": arn}
    assert by_grant.fix.parts[0].grant["GranteePrincipal"] == arn
    assert by_policy.proof is not None
    assert "answered after" in by_policy.proof.words


@pytest.mark.parametrize(
    ("caller", "role"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/app", {"Arn": "arn:aws:iam::111122223333:role/x/app"}),
        ("arn:aws:sts::999988887777:assumed-role/app/s-1", {"Arn": "arn:aws:iam::999988887777:role/x/app"}),
        (SESSION, {"Arn": "arn:aws:iam::111122223333:role/other"}),
        (SESSION, {"Arn": None}),
    ],
    ids=["a role", "of another account", "of another role", "misshapen"],
)
def test_no_other_role_arn_is_taken(caller: str, role: dict[str, Any]) -> None:
    assert role_arn_of(AnsweringServices(role_answers() | {"GetRole": {"Role": role}}), caller) is None


def test_every_layer_of_a_role_is_read() -> None:
    services = AnsweringServices(role_answers())
    request = asked(aws_SourceVpce="vpce-1")
    layers = layers_of(services, request)
    assert [policy.name for policy in layers.policies(Layer.IDENTITY)] == ["arn:P", "inline (inline of app)"]
    assert [policy.name for policy in layers.policies(Layer.BOUNDARY)] == ["arn:B"]
    assert [len(level) for level in layers.scps] == [1, 1]  # type: ignore[union-attr]
    assert [policy.name for policy in layers.policies(Layer.RCP)] == ["arn:p-1", "arn:p-1"]
    assert [policy.name for policy in layers.policies(Layer.ENDPOINT)] == ["vpce-1"]
    assert layers.session == ()
    assert authorize_request(request, layers).outcome is Outcome.ALLOW
    repeated = [call for call in services.calls if services.calls.count(call) > 1]
    assert not repeated, "what several layers need is asked once"


def test_a_user_has_the_policies_of_its_groups() -> None:
    services = AnsweringServices(
        {
            "GetUser": {"User": {"UserName": "jane"}},
            "ListAttachedUserPolicies": {"AttachedPolicies": []},
            "ListUserPolicies": {"PolicyNames": []},
            "ListGroupsForUser": {"Groups": [{"GroupName": "devs"}]},
            "ListAttachedGroupPolicies": {"AttachedPolicies": []},
            "ListGroupPolicies": {"PolicyNames": ["g"]},
            "GetGroupPolicy": {"PolicyDocument": quote(json.dumps(DECRYPT))},
        }
    )
    layers = layers_of(services, asked(USER))
    assert [policy.name for policy in layers.policies(Layer.IDENTITY)] == ["g (inline of devs)"]
    assert layers.boundary is None
    assert ("iam", "GetUser", {"UserName": "jane"}) in services.calls


def test_pages_are_read_to_the_end() -> None:
    class Paging(AnsweringServices):
        def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            if operation == "ListRolePolicies" and "Marker" not in params:
                return {"PolicyNames": ["first"], "IsTruncated": True, "Marker": "m"}
            return super().call(service, operation, params)

    names = [policy.name for policy in layers_of(Paging(role_answers())).policies(Layer.IDENTITY)]
    assert names == ["arn:P", "first (inline of app)", "inline (inline of app)"]


DENIED = ServiceError("AccessDenied", "not you", operation="x")
BROKEN = {
    "ListAttachedRolePolicies": (Layer.IDENTITY, "iam ListAttachedRolePolicies"),
    "ListRolePolicies": (Layer.IDENTITY, "iam ListRolePolicies"),
    "GetRolePolicy": (Layer.IDENTITY, "iam GetRolePolicy"),
    "GetRole": (Layer.BOUNDARY, "iam GetRole"),
    "DescribeOrganization": (Layer.SCP, "organizations DescribeOrganization"),
    "ListParents": (Layer.SCP, "organizations ListParents"),
    "ListPoliciesForTarget": (Layer.RCP, "organizations ListPoliciesForTarget"),
    "DescribePolicy": (Layer.RCP, "organizations DescribePolicy"),
    "DescribeVpcEndpoints": (Layer.ENDPOINT, "ec2 DescribeVpcEndpoints"),
}


@pytest.mark.parametrize("operation", BROKEN)
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DENIED, " was denied"),
        (ServiceError("ServiceFailure", "on fire"), " failed: ServiceFailure: on fire"),
        (EndpointError("No route."), " failed: No route"),
    ],
    ids=["denied", "failing", "unreachable"],
)
def test_a_call_without_an_answer_leaves_its_layer_unread(
    operation: str, error: KmsTuiError, said: str
) -> None:
    layers = layers_of(AnsweringServices({**role_answers(), operation: error}), asked(aws_SourceVpce="v"))
    layer, name = BROKEN[operation]
    assert reason(layers.levels(layer)) == name + said


@pytest.mark.parametrize("operation", BROKEN)
@pytest.mark.parametrize("answer", [{}, {"Role": {}}, {"PolicyNames": None}, {"Policy": {}}], ids=repr)
def test_an_answer_in_another_form_raises_nothing(operation: str, answer: Mapping[str, Any]) -> None:
    layers_of(AnsweringServices({**role_answers(), operation: answer}), asked(aws_SourceVpce="v"))


def test_a_policy_that_does_not_parse_leaves_its_layer_unread() -> None:
    broken = {**role_answers(), "GetRolePolicy": {"PolicyDocument": '{"Statement": [{"Effect": "Maybe"}]}'}}
    assert "the policy inline (inline of app) cannot be read" in reason(
        layers_of(AnsweringServices(broken)).identity
    )


def test_a_principal_that_does_not_exist_is_told() -> None:
    gone = {**role_answers(), "GetRole": ServiceError("NoSuchEntity", "no role")}
    layers = layers_of(AnsweringServices(gone))
    assert reason(layers.identity) == f"account {ACCOUNT} has no role app"
    assert reason(layers.boundary) == f"account {ACCOUNT} has no role app"


def test_a_caller_of_another_account_is_not_asked_for() -> None:
    services = AnsweringServices(role_answers())
    layers = layers_of(services, asked("arn:aws:sts::444455556666:assumed-role/partner/s-1"))
    assert "is of account 444455556666" in reason(layers.identity)
    assert "is of account 444455556666" in reason(layers.boundary)
    assert not [call for call in services.calls if call[0] == "iam"]


def test_a_key_of_another_account_is_not_asked_for() -> None:
    request = AccessRequest(Caller.parse(SESSION), "kms:Decrypt", KEY.replace(ACCOUNT, "444455556666"))
    layers = layers_of(AnsweringServices(role_answers()), request)
    assert "the key is of account 444455556666" in reason(layers.key_policy)
    assert "kms ListGrants answers only that account" in reason(layers.grants)


def test_a_denied_key_policy_is_unread() -> None:
    backend = KeyBackend({"GetKeyPolicy": ServiceError("AccessDeniedException", "no")})
    layers = layers_of(AnsweringServices(role_answers()), backend=backend)
    assert reason(layers.key_policy) == "kms GetKeyPolicy was denied"
    judged = authorize_request(asked(), layers)
    assert (judged.outcome, judged.step(Layer.KEY_POLICY).effect) == (Outcome.UNKNOWN, LayerEffect.UNREAD)


@pytest.mark.parametrize(
    ("caller", "known"),
    [
        (USER, True),
        (f"arn:aws:iam::{ACCOUNT}:role/app", True),
        (SESSION, True),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jane", True),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/app/job-17", False),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", False),
        (f"arn:aws:iam::{ACCOUNT}:root", True),
        ("cloudtrail.amazonaws.com", True),
    ],
)
def test_session_policies_are_known_only_where_there_can_be_none(caller: str, known: bool) -> None:
    layers = layers_of(AnsweringServices(role_answers()), asked(caller))
    assert (layers.session == ()) is known


def test_an_endpoint_is_asked_for_in_the_region_of_the_key() -> None:
    class Regional(AnsweringServices):
        def in_region(self, region: str) -> AnsweringServices:
            return AnsweringServices(
                {**self.answers, "DescribeVpcEndpoints": {"VpcEndpoints": []}}, region=region
            )

    key = KEY.replace(REGION, "us-east-1")
    request = AccessRequest(Caller.parse(SESSION), "kms:Decrypt", key, {"aws:SourceVpce": "vpce-1"})
    backend = KeyBackend()
    backend.in_region = lambda region: _in(region)  # type: ignore[method-assign]
    layers = layers_of(Regional(role_answers()), request, backend=backend)
    assert isinstance(layers.endpoint, UnreadLayer)
    assert not isinstance(layers.identity, UnreadLayer)


def _in(region: str) -> KeyBackend:
    other = KeyBackend()
    other.region = region
    return other


def test_the_root_user_and_services_have_no_iam_policies() -> None:
    for caller in (f"arn:aws:iam::{ACCOUNT}:root", "cloudtrail.amazonaws.com"):
        services = AnsweringServices(role_answers())
        layers = layers_of(services, asked(caller))
        assert (layers.identity, layers.boundary) == ((), None)
        assert not [call for call in services.calls if call[0] == "iam"]


def test_the_management_account_and_an_account_without_organization_have_no_scps() -> None:
    for answer in (
        {"Organization": {"MasterAccountId": ACCOUNT}},
        ServiceError("AWSOrganizationsNotInUseException", "none"),
    ):
        layers = layers_of(AnsweringServices({**role_answers(), "DescribeOrganization": answer}))
        assert (layers.scps, layers.rcps) == ((), ())


def test_a_kind_of_policy_that_is_not_enabled_limits_nobody() -> None:
    roots = {"Roots": [{"PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]}
    layers = layers_of(AnsweringServices({**role_answers(), "ListRoots": roots}))
    assert layers.rcps == ()
    assert layers.scps != ()


def test_a_circle_of_parents_ends() -> None:
    circle = {**role_answers(), "ListParents": {"Parents": [{"Id": "ou-1"}]}}
    assert "organizations ListParents" in reason(layers_of(AnsweringServices(circle)).scps)


def test_without_services_everything_but_the_key_is_unread() -> None:
    layers = layers_of(None)
    assert reason(layers.identity) == "this connection has no iam to ask"
    assert reason(layers.scps) == "this connection has no organizations to ask"
    assert not isinstance(layers.key_policy, UnreadLayer)


def test_a_reading_can_be_stopped_between_two_calls() -> None:
    services = AnsweringServices(role_answers())
    layers = layers_of(services, keep_going=lambda: len(services.calls) < 2)
    assert len(services.calls) == 2
    assert reason(layers.key_policy) == reason(layers.identity) == "the reading was stopped"


def test_a_reading_has_a_budget_of_calls() -> None:
    many = {**role_answers(), "ListRolePolicies": {"PolicyNames": [f"p{n}" for n in range(400)]}}
    services = AnsweringServices(many)
    assert "more than 300 calls" in reason(layers_of(services).identity)
    assert len(services.calls) == 300


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoEndpoint]:
    with MotoEndpoint() as endpoint:
        yield endpoint


def moto_client(service: str, moto: MotoEndpoint) -> Any:
    return botocore.session.Session().create_client(service, region_name=REGION, endpoint_url=moto.url)


def test_layers_are_read_from_services_that_others_wrote(
    moto: MotoEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_static_credentials(monkeypatch)
    backend = connect(region=REGION, endpoint_url=moto.url)
    iam, organizations = moto_client("iam", moto), moto_client("organizations", moto)
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(ROOT_POLICY))
    managed = iam.create_policy(PolicyName="decrypt", PolicyDocument=json.dumps(DECRYPT))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="app", PolicyArn=managed)
    iam.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=json.dumps(ALLOW))
    iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary=managed)
    kms = Kms(backend)
    key = kms.call("CreateKey")["KeyMetadata"]
    request = AccessRequest(
        Caller.parse(f"arn:aws:sts::{key['AWSAccountId']}:assumed-role/app/i-1"),
        "kms:Decrypt",
        key["Arn"],
        complete=True,
    )
    alone = read_layers(kms, backend.services, request)
    assert alone.key is not None
    assert alone.key.arn == key["Arn"]
    assert [policy.name for policy in alone.layers.policies(Layer.IDENTITY)] == [
        managed,
        "own (inline of app)",
    ]
    assert [policy.name for policy in alone.layers.policies(Layer.BOUNDARY)] == [managed]
    assert alone.layers.scps == ()
    assert authorize_request(request, alone.layers).outcome is Outcome.ALLOW
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    member = organizations.create_account(Email="a@example.com", AccountName="m")["CreateAccountStatus"]
    other = AccessRequest(
        Caller.parse(f"arn:aws:iam::{member['AccountId']}:role/app"), "kms:Decrypt", key["Arn"]
    )
    levels = read_layers(kms, backend.services, other).layers.scps
    assert not isinstance(levels, UnreadLayer), levels
    names = [[policy.name.rpartition("/")[2] for policy in level] for level in levels]
    assert names == [["p-FullAWSAccess"], ["p-FullAWSAccess"]]
