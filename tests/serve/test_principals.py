"""Several principals on one server, and STS's temporary credentials, by boto3."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.account_policies.account_file import NamedFile, read_account
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.sts_calls import credentials
from kms_tui.backend.local.store.stored_account import replace_account
from kms_tui.serve.server import access_keys_for, running
from kms_tui.serve.sigv4 import Credential, credential_of
from tests.account_samples import Json, allow, deny, policy
from tests.serve.conftest import REGION

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

ACCOUNT, PARTNER = "111122223333", "444455556666"
ADA, GRACE = f"arn:aws:iam::{ACCOUNT}:user/ada", f"arn:aws:iam::{ACCOUNT}:user/grace"
APP, AUDIT = f"arn:aws:iam::{ACCOUNT}:role/app", f"arn:aws:iam::{ACCOUNT}:role/audit"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/ci/deploy"
IMPORTER = f"arn:aws:iam::{PARTNER}:role/importer"
_PROVIDER = "token.ci.example"
_OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{_PROVIDER}"
_ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def _trust(principal: Json, *actions: str, **elements: Any) -> Json:
    names = actions or ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    return {"Effect": "Allow", "Principal": principal, "Action": list(names), **elements}


def _role(arn: str, trust: Json, *statements: Json, **members: Any) -> Json:
    name = arn.rpartition("/")[2]
    return {
        "RoleName": name,
        "Arn": arn,
        "RoleId": f"AROAEXAMPLE{name.upper():0>9}",
        "AssumeRolePolicyDocument": policy(trust),
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": policy(*statements)}],
        **members,
    }


def _user(arn: str, *statements: Json, **members: Any) -> Json:
    own = [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else []
    return {"UserName": arn.rpartition("/")[2], "Arn": arn, "UserPolicyList": own, **members}


_READ_ONLY = f"arn:aws:iam::{ACCOUNT}:policy/look"
_IAM = {
    "UserDetailList": [
        _user(ADA, allow("kms:*"), allow("sts:*", Resource=[APP, DEPLOY, IMPORTER])),
        _user(GRACE, allow("kms:DescribeKey"), deny("sts:AssumeRole", Resource=AUDIT)),
    ],
    "RoleDetailList": [
        _role(
            APP,
            _trust({"AWS": _ROOT}),
            allow("kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:ListKeys"),
            allow("sts:AssumeRole", "sts:TagSession", Resource="*"),
            Tags=[{"Key": "team", "Value": "red"}, {"Key": "stage", "Value": "test"}],
            MaxSessionDuration=7200,
        ),
        _role(
            AUDIT,
            _trust({"AWS": [APP, GRACE]}, Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}),
            allow("kms:ListKeys"),
        ),
        _role(
            DEPLOY,
            _trust(
                {"Federated": _OIDC},
                "sts:AssumeRoleWithWebIdentity",
                Condition={"StringLike": {f"{_PROVIDER}:sub": "repo:our/*"}},
            ),
            allow("kms:ListKeys"),
        ),
        _role(
            IMPORTER,
            _trust(
                {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                Condition={"StringEquals": {"sts:ExternalId": "ours"}},
            ),
            allow("kms:*"),
        ),
    ],
    "Policies": [
        {
            "PolicyName": "look",
            "Arn": _READ_ONLY,
            "DefaultVersionId": "v1",
            "PolicyVersionList": [{"VersionId": "v1", "Document": policy(allow("kms:DescribeKey"))}],
        }
    ],
}


class _Clock:
    """The store's clock, which the test moves; signatures are judged by the real one."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Served:
    """A server with an access key for each of its principals, and boto3's clients of it."""

    def __init__(self, store: Store, url: str, clock: _Clock, made: dict[str, AccessKey]) -> None:
        self.store = store
        self.url = url
        self.clock = clock
        self._made = made

    def client(self, service: str, who: AccessKey | dict[str, Any] | None, **config: Any) -> Any:
        """A client of a principal by its key, or by the Credentials that STS answered; None: unsigned."""
        if isinstance(who, AccessKey):
            who = credentials(who) | {"SessionToken": who.session_token or None}
        found = who or {}
        more = {} if who else {"signature_version": UNSIGNED}
        make: Any = boto3.client
        return make(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=found.get("AccessKeyId"),
            aws_secret_access_key=found.get("SecretAccessKey"),
            aws_session_token=found.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, **more, **config),
        )

    def kms(self, who: str | dict[str, Any], **config: Any) -> KMSClient:
        client: KMSClient = self.client("kms", self._made[who] if isinstance(who, str) else who, **config)
        return client

    def sts(self, who: str | dict[str, Any] | None) -> Any:
        return self.client("sts", self._made[who] if isinstance(who, str) else who)

    def by_hand(self, who: str) -> Any:
        """A client that sends parameters as they are given."""
        return self.client("sts", self._made[who], parameter_validation=False)

    def key(self, **params: Any) -> str:
        return str(self.kms("admin").create_key(**params)["KeyMetadata"]["KeyId"])

    def session(self, who: str | dict[str, Any], role: str, **params: Any) -> dict[str, Any]:
        answer = self.sts(who).assume_role(RoleArn=role, RoleSessionName="s-1", **params)
        return dict(answer["Credentials"])


def _code(call: Callable[[], object]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    found = caught.value.response
    return (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Message"])


def _served(iam: Json | None) -> Iterator[Served]:
    clock = _Clock()
    with open_store(clock=clock) as store:
        if iam is not None:
            replace_account(store, read_account([NamedFile("x", iam)]))
        backend = LocalBackend(store, account_id=ACCOUNT, region=REGION)
        own = credential_of(store)
        made = {
            "admin": AccessKey(own.access_key_id, own.secret_access_key, ACCOUNT),
            "ada": AccessKey("AKIAEXAMPLEADA000000", "ada's secret", ACCOUNT, ADA),
            "grace": AccessKey(
                "AKIAEXAMPLEGRACE0000", "grace's", ACCOUNT, GRACE, context={"aws:PrincipalTag/team": "red"}
            ),
            "partner": AccessKey("AKIAEXAMPLEPARTNER00", "partner's", PARTNER),
            "root": AccessKey("AKIAEXAMPLEROOT00000", "root's", ACCOUNT, _ROOT),
            "s3": AccessKey(
                "AKIAEXAMPLES3000000",
                "s3's",
                ACCOUNT,
                ADA,
                context={"kms:ViaService": "s3", "aws:SourceAccount": ACCOUNT},
            ),
        }
        others = [key for name, key in made.items() if name != "admin"]
        with running(
            backend,
            credential=Credential(own.access_key_id, own.secret_access_key),
            access_keys=access_keys_for(backend, others),
        ) as url:
            yield Served(store, url, clock, made)


@pytest.fixture(scope="module")
def _one_served() -> Iterator[Served]:
    yield from _served(_IAM)


@pytest.fixture
def served(_one_served: Served) -> Served:
    """A server for all tests of this module, whose clock each finds right."""
    _one_served.clock.ahead = timedelta()
    return _one_served


@pytest.fixture
def bare() -> Iterator[Served]:
    """A server whose store holds no account policies."""
    yield from _served(None)


def test_of_two_principals_of_one_server_one_is_allowed_and_one_denied(served: Served) -> None:
    key_id = served.key()
    assert served.kms("ada").encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    code, status, message = _code(lambda: served.kms("grace").encrypt(KeyId=key_id, Plaintext=b"x"))
    assert (code, status) == ("AccessDeniedException", 400)
    assert message.startswith(
        f"User: {GRACE} is not authorized to perform: kms:Encrypt on resource: arn:aws:kms"
    )
    assert served.kms("grace").describe_key(KeyId=key_id)["KeyMetadata"]["KeyId"] == key_id


@pytest.mark.parametrize(
    ("who", "arn", "account"),
    [
        ("admin", f"arn:aws:iam::{ACCOUNT}:user/administrator", ACCOUNT),
        ("ada", ADA, ACCOUNT),
        ("partner", f"arn:aws:iam::{PARTNER}:user/administrator", PARTNER),
        ("root", _ROOT, ACCOUNT),
    ],
)
def test_sts_tells_each_who_it_is(served: Served, who: str, arn: str, account: str) -> None:
    answer = served.sts(who).get_caller_identity()
    assert (answer["Arn"], answer["Account"]) == (arn, account)


def test_keys_of_another_account_are_its_own(served: Served) -> None:
    theirs = served.kms("partner").create_key()["KeyMetadata"]
    assert theirs["AWSAccountId"] == PARTNER
    assert theirs["KeyId"] not in str(served.kms("admin").list_keys()["Keys"])
    code, _, _ = _code(lambda: served.kms("admin").describe_key(KeyId=theirs["Arn"]))
    assert code == "AccessDeniedException"


def test_a_role_is_assumed_and_its_session_has_its_policies_and_its_name(served: Served) -> None:
    answer = served.sts("ada").assume_role(RoleArn=APP, RoleSessionName="i-0123")
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0123"
    assert answer["AssumedRoleUser"] == {"Arn": arn, "AssumedRoleId": "AROAEXAMPLE000000APP:i-0123"}
    assert "PackedPolicySize" not in answer
    session = dict(answer["Credentials"])
    assert session["AccessKeyId"].startswith("ASIA")
    assert len(session["AccessKeyId"]) == 20
    left = answer["Credentials"]["Expiration"] - datetime.now(UTC)
    assert timedelta(minutes=58) < left <= timedelta(hours=1)
    identity = served.sts(session).get_caller_identity()
    assert (identity["Arn"], identity["UserId"]) == (arn, "AROAEXAMPLE000000APP:i-0123")
    key_id = served.key()
    app = served.kms(session)
    blob = app.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert app.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    code, _, message = _code(lambda: app.disable_key(KeyId=key_id))
    assert code == "AccessDeniedException"
    assert message.startswith(f"User: {arn} is not authorized to perform: kms:DisableKey")


def test_credentials_expire_by_the_clock_of_the_store(served: Served) -> None:
    session = served.session("ada", APP, DurationSeconds=900)
    assert served.kms(session).list_keys()["ResponseMetadata"]
    served.clock.ahead = timedelta(minutes=14)
    assert served.kms(session).list_keys()["ResponseMetadata"]
    served.clock.ahead = timedelta(minutes=15)
    words = "The security token included in the request is expired"
    assert _code(served.kms(session).list_keys) == ("ExpiredTokenException", 400, words)
    assert _code(served.sts(session).get_caller_identity) == ("ExpiredToken", 403, words)


@pytest.mark.parametrize("change", [{"SessionToken": "x"}, {"SessionToken": None}, {"AccessKeyId": "ASIAX"}])
def test_a_wrong_token_is_told_in_the_words_of_each_service(served: Served, change: Json) -> None:
    wrong = served.session("ada", APP) | change
    words = "The security token included in the request is invalid."
    assert _code(served.kms(wrong).list_keys) == ("UnrecognizedClientException", 400, words)
    assert _code(served.sts(wrong).get_caller_identity) == ("InvalidClientTokenId", 403, words)


def test_a_session_policy_narrows_the_session(served: Served) -> None:
    key_id = served.key()
    only = json.dumps(policy(allow("kms:Encrypt", "kms:DisableKey")))
    app = served.kms(served.session("ada", APP, Policy=only))
    assert app.encrypt(KeyId=key_id, Plaintext=b"x")
    _, _, message = _code(lambda: app.describe_key(KeyId=key_id))
    assert message.endswith("because no session policy allows the kms:DescribeKey action")
    _, _, message = _code(lambda: app.disable_key(KeyId=key_id))
    assert message.endswith("because no identity-based policy allows the kms:DisableKey action")
    looking = served.kms(served.session("ada", APP, PolicyArns=[{"arn": _READ_ONLY}]))
    assert looking.describe_key(KeyId=key_id)
    assert _code(lambda: looking.encrypt(KeyId=key_id, Plaintext=b"x"))[0] == "AccessDeniedException"


def _if_tagged(value: str) -> str:
    tagged = allow(
        "kms:Encrypt", Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalTag/project": value}}
    )
    administered = allow("kms:*", Principal={"AWS": f"{_ROOT.replace(':root', ':user/administrator')}"})
    return json.dumps(policy(administered, tagged))


def test_session_tags_are_condition_keys_and_transitive_ones_are_inherited(served: Served) -> None:
    key_id = served.key(Policy=_if_tagged("k"), BypassPolicyLockoutSafetyCheck=True)
    tags = [{"Key": "Project", "Value": "k"}, {"Key": "team", "Value": "red"}]
    plain = served.session("ada", APP)
    tagged = served.session("ada", APP, Tags=tags, TransitiveTagKeys=["Project"])
    assert (
        _code(lambda: served.kms(plain).encrypt(KeyId=key_id, Plaintext=b"x"))[0] == "AccessDeniedException"
    )
    assert served.kms(tagged).encrypt(KeyId=key_id, Plaintext=b"x")
    once_more = served.session(tagged, AUDIT)
    assert served.kms(once_more).encrypt(KeyId=key_id, Plaintext=b"x")
    code, _, message = _code(
        lambda: served.session(tagged, AUDIT, Tags=[{"Key": "project", "Value": "other"}])
    )
    assert code == "InvalidParameterValue"
    assert message.startswith("One of the specified transitive tag keys can't be set")


def test_a_role_is_assumed_by_a_role_for_an_hour_at_most(served: Served) -> None:
    app = served.session("ada", APP)
    audit = served.session(app, AUDIT)
    assert served.sts(audit).get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/audit/s-1"
    code, status, message = _code(lambda: served.session(app, AUDIT, DurationSeconds=3601))
    assert (code, status) == ("ValidationError", 400)
    assert "1 hour session limit for roles assumed by role chaining" in message


def test_a_role_has_the_longest_session_that_it_says(served: Served) -> None:
    assert served.session("ada", APP, DurationSeconds=7200)
    code, _, message = _code(lambda: served.session("ada", APP, DurationSeconds=7201))
    assert (code, message) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )


@pytest.mark.parametrize(
    ("who", "role", "params"),
    [
        ("grace", APP, {}),  # the role trusts the account, and nothing allows her
        ("grace", AUDIT, {}),  # the role trusts her, and her own policy denies it
        ("ada", AUDIT, {}),  # her policy names other roles, and the role does not trust her
        ("ada", DEPLOY, {}),  # only the identity provider is trusted
        ("ada", IMPORTER, {}),  # without the external id
        ("ada", IMPORTER, {"ExternalId": "theirs"}),
        ("ada", f"arn:aws:iam::{ACCOUNT}:role/nobody", {}),
        ("ada", f"arn:aws:iam::{ACCOUNT}:role/path/app", {}),
        ("partner", APP, {}),
    ],
)
def test_who_may_not_assume_a_role_is_told_so(served: Served, who: str, role: str, params: Json) -> None:
    arn = served.sts(who).get_caller_identity()["Arn"]
    assert _code(lambda: served.session(who, role, **params)) == (
        "AccessDenied",
        403,
        f"User: {arn} is not authorized to perform: sts:AssumeRole on resource: {role}",
    )


def test_a_role_of_another_account_is_assumed_with_its_external_id(served: Served) -> None:
    session = served.session("ada", IMPORTER, ExternalId="ours")
    assert served.sts(session).get_caller_identity()["Account"] == PARTNER
    assert served.kms(session).create_key()["KeyMetadata"]["AWSAccountId"] == PARTNER


def test_a_root_user_assumes_no_role(served: Served) -> None:
    assert _code(lambda: served.session("root", APP))[2] == "Roles may not be assumed by root accounts."


def test_a_source_identity_stays(served: Served) -> None:
    answer = served.sts("ada").assume_role(RoleArn=APP, RoleSessionName="s-1", SourceIdentity="ada")
    assert answer["SourceIdentity"] == "ada"
    app = served.sts(dict(answer["Credentials"]))
    inherited = app.assume_role(RoleArn=AUDIT, RoleSessionName="s-1")
    assert inherited["SourceIdentity"] == "ada"
    code, _, message = _code(
        lambda: app.assume_role(RoleArn=AUDIT, RoleSessionName="s-1", SourceIdentity="grace")
    )
    assert code == "AccessDenied"
    assert message.endswith(f"is not authorized to perform: sts:SetSourceIdentity on resource: {AUDIT}")


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({"RoleSessionName": "x"}, "ValidationError", "length greater than or equal to 2"),
        ({"RoleSessionName": "a b"}, "ValidationError", "regular expression pattern"),
        ({"DurationSeconds": 899}, "ValidationError", "value greater than or equal to 900"),
        ({"DurationSeconds": 43201}, "ValidationError", "value less than or equal to 43200"),
        ({"RoleArn": "arn:aws:iam::111122223333:user/ada"}, "ValidationError", "is invalid"),
        ({"RoleArn": "arn:aws:iam::111122223333:role"}, "ValidationError", "is invalid"),
        ({"Policy": "{"}, "MalformedPolicyDocument", "Syntax errors in policy: line 1"),
        ({"Policy": json.dumps(policy({"Effect": "Allow"}))}, "", ""),
        ({"Policy": " " * 2049}, "ValidationError", "less than or equal to 2048"),
        ({"PolicyArns": [{"arn": f"arn:aws:iam::{ACCOUNT}:policy/no"}]}, "ValidationError", "does not exist"),
        ({"PolicyArns": [{"arn": _READ_ONLY}] * 11}, "ValidationError", "less than or equal to 10"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "ValidationError", "Duplicate"),
        ({"Tags": [{"Key": "aws:a", "Value": "1"}]}, "ValidationError", "reserved"),
        ({"Tags": [{"Key": "a*", "Value": "1"}]}, "ValidationError", "tags.1.member.key"),
        ({"TransitiveTagKeys": ["a"]}, "ValidationError", "must be included in the requested tags"),
        ({"ExternalId": "a b"}, "ValidationError", "externalId"),
        (
            {
                "Tags": [
                    {"Key": f"k{number}", "Value": sha256(bytes([number])).hexdigest() * 3}
                    for number in range(50)
                ]
            },
            "PackedPolicyTooLarge",
            "of allotted space",
        ),
    ],
)
def test_wrong_parameters_are_named(served: Served, params: Json, code: str, words: str) -> None:
    call = {"RoleArn": APP, "RoleSessionName": "s-1", **params}
    sts = served.by_hand("ada")
    if not code:
        assert sts.assume_role(**call)["PackedPolicySize"] > 0
        return
    found = _code(lambda: sts.assume_role(**call))
    assert (found[0], found[1]) == (code, 400)
    assert words in found[2]


def test_a_token_of_a_user_tells_of_mfa(served: Served) -> None:
    with_mfa = json.dumps(
        policy(
            allow("kms:*", Principal={"AWS": _ROOT.replace(":root", ":user/administrator")}),
            allow(
                "kms:Encrypt",
                Principal={"AWS": ADA},
                Condition={
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                    "NumericLessThan": {"aws:MultiFactorAuthAge": "600"},
                },
            ),
        )
    )
    key_id = served.key(Policy=with_mfa, BypassPolicyLockoutSafetyCheck=True)
    sts = served.sts("ada")
    plain = dict(sts.get_session_token()["Credentials"])
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/ada"
    signed_in = dict(sts.get_session_token(SerialNumber=serial, TokenCode="123456")["Credentials"])
    for who in ("ada", plain):
        encrypt = partial(served.kms(who).encrypt, KeyId=key_id, Plaintext=b"x")
        assert _code(encrypt)[0] == "AccessDeniedException"
    assert served.kms(signed_in).encrypt(KeyId=key_id, Plaintext=b"x")
    served.clock.ahead = timedelta(minutes=11)
    assert _code(lambda: served.kms(signed_in).encrypt(KeyId=key_id, Plaintext=b"x"))[0] == (
        "AccessDeniedException"
    )
    assert served.sts(signed_in).get_caller_identity()["Arn"] == ADA
    assert _code(served.sts(signed_in).get_session_token) == (
        "AccessDenied",
        403,
        "Cannot call GetSessionToken with session credentials",
    )
    assert served.session(signed_in, APP)


def test_the_administrator_gets_a_token_as_well(bare: Served) -> None:
    token = dict(bare.sts("admin").get_session_token(DurationSeconds=900)["Credentials"])
    assert bare.kms(token).create_key()["KeyMetadata"]["AWSAccountId"] == ACCOUNT


def _jwt(**claims: Any) -> str:
    parts = ({"alg": "RS256"}, {"iss": f"https://{_PROVIDER}", "aud": "sts.amazonaws.com", **claims})
    texts = [urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts]
    return ".".join((*texts, "c2lnbmF0dXJl"))


def test_a_web_identity_assumes_a_role_that_trusts_its_provider(served: Served) -> None:
    sts = served.sts(None)
    call = {"RoleArn": DEPLOY, "RoleSessionName": "build-1"}
    answer = sts.assume_role_with_web_identity(**call, WebIdentityToken=_jwt(sub="repo:our/app"))
    assert (answer["Provider"], answer["Audience"]) == (_OIDC, "sts.amazonaws.com")
    assert answer["SubjectFromWebIdentityToken"] == "repo:our/app"
    session = dict(answer["Credentials"])
    assert served.sts(session).get_caller_identity()["Arn"].endswith(":assumed-role/deploy/build-1")
    assert served.kms(session).list_keys()["ResponseMetadata"]
    denied = ("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    for role, token in (
        (DEPLOY, _jwt(sub="repo:theirs/app")),
        (DEPLOY, _jwt(sub="repo:our/app", iss="https://elsewhere.example")),
        (APP, _jwt(sub="repo:our/app")),
        (f"arn:aws:iam::{ACCOUNT}:role/nobody", _jwt(sub="repo:our/app")),
    ):
        found = _code(
            partial(
                sts.assume_role_with_web_identity,
                RoleArn=role,
                RoleSessionName="build-1",
                WebIdentityToken=token,
            )
        )
        assert found == denied


def test_a_program_signs_in_by_the_token_in_a_file(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a pod of EKS: the SDK finds the role and the file in its environment."""
    token = tmp_path / "token"
    token.write_text(_jwt(sub="repo:our/app"))
    monkeypatch.setenv("AWS_ROLE_ARN", DEPLOY)
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "pod-1")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
    session = boto3.session.Session(region_name=REGION)
    assert session.client("kms").list_keys()["ResponseMetadata"]["HTTPStatusCode"] == 200
    identity = session.client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/pod-1"


@pytest.mark.parametrize("token", ["no token", "a.b.c", "....", _jwt(), _jwt(sub=""), _jwt(sub=7), "é.é.é"])
def test_what_is_no_token_is_told_so(served: Served, token: str) -> None:
    code, status, _ = _code(
        lambda: served.sts(None).assume_role_with_web_identity(
            RoleArn=DEPLOY, RoleSessionName="build-1", WebIdentityToken=token
        )
    )
    assert (code, status) == ("InvalidIdentityToken", 400)


def test_a_store_that_knows_no_roles_lets_any_be_assumed(bare: Served) -> None:
    session = bare.session("ada", f"arn:aws:iam::{ACCOUNT}:role/some/where/any", DurationSeconds=43200)
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/any/s-1"
    assert bare.sts(session).get_caller_identity()["Arn"] == arn
    by_token = bare.sts(None).assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/any", RoleSessionName="s-1", WebIdentityToken=_jwt(sub="me-too")
    )
    assert by_token["AssumedRoleUser"]["Arn"] == arn


def test_a_service_calls_for_its_caller(served: Served) -> None:
    only_s3 = policy(
        allow("kms:*", Principal={"AWS": _ROOT.replace(":root", ":user/administrator")}),
        allow(
            "kms:GenerateDataKey",
            Principal={"AWS": "*"},
            Condition={
                "StringEquals": {
                    "kms:ViaService": f"s3.{REGION}.amazonaws.com",
                    "kms:CallerAccount": ACCOUNT,
                    "aws:SourceAccount": ACCOUNT,
                }
            },
        ),
    )
    key_id = served.key(Policy=json.dumps(only_s3), BypassPolicyLockoutSafetyCheck=True)
    assert served.kms("s3").generate_data_key(KeyId=key_id, KeySpec="AES_256")
    assert _code(lambda: served.kms("ada").generate_data_key(KeyId=key_id, KeySpec="AES_256"))[0] == (
        "AccessDeniedException"
    )


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"StringLike": {"aws:UserAgent": "*md/team-red*"}}, True),
        ({"StringLike": {"aws:UserAgent": "*md/team-blue*"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ],
)
def test_the_address_and_the_agent_are_those_of_the_request(
    served: Served, condition: Json, allowed: bool
) -> None:
    text = policy(
        allow("kms:*", Principal={"AWS": _ROOT.replace(":root", ":user/administrator")}),
        allow("kms:Encrypt", Principal={"AWS": "*"}, Condition=condition),
    )
    key_id = served.key(Policy=json.dumps(text), BypassPolicyLockoutSafetyCheck=True)
    kms = served.kms("ada", user_agent_extra="md/team-red")
    if allowed:
        assert kms.encrypt(KeyId=key_id, Plaintext=b"x")
    else:
        assert _code(lambda: kms.encrypt(KeyId=key_id, Plaintext=b"x"))[0] == "AccessDeniedException"


def test_the_account_of_an_access_key_is_told(served: Served) -> None:
    sts = served.sts("ada")
    assert sts.get_access_key_info(AccessKeyId="AKIAEXAMPLEPARTNER00")["Account"] == PARTNER
    assert sts.get_access_key_info(AccessKeyId="AKIAUNKNOWNUNKNOWN00")["Account"] == ACCOUNT


def test_an_action_that_is_not_offered_is_told_so(served: Served) -> None:
    found = _code(lambda: served.sts("ada").get_federation_token(Name="bob"))
    assert found == ("InvalidAction", 400, "GetFederationToken is not offered by this STS.")
