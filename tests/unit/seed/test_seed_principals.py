"""The principals and account policies of a seed: access keys, rows of IAM, and what does not go together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.local.account_policies.account_rows import RowKind
from kms_tui.backend.local.store.sources import to_millis
from kms_tui.seed.seed_reading import read_seed
from tests.account_samples import iam
from tests.unit.seed.seeds import NOW, SEEDS, problems

_ROOT = "arn:aws:iam::111122223333:{}"
_ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
_KEY = {"access_key_id": "AKIA", "secret_access_key": "hush"}


def test_the_access_keys_of_a_seed() -> None:
    alice, bucket, admin = read_seed(SEEDS / "accounts.yaml").access_keys
    assert (alice.access_key_id, alice.caller_arn) == ("AKIAALICEALICEALICE0", _ROOT.format("user/alice"))
    assert bucket.session_token == "a-token"
    assert bucket.context == {
        "kms:viaservice": "s3",
        "aws:sourcearn": "arn:aws:s3:::invoices",
        "aws:sourceaccount": "111122223333",
        "aws:principalorgid": "o-a1b2c3d4e5",
        "aws:principaltag/tenant": "blue",
        "aws:sourcevpc": "vpc-0123456789abcdef0",
    }
    assert (admin.account, admin.caller_arn, admin.context) == ("111122223333", None, {})
    assert "hush" not in repr(read_seed({"principals": [_KEY]}))


def test_the_rows_of_a_seed() -> None:
    rows = {row[:3]: row.content for row in read_seed(SEEDS / "accounts.yaml").account_rows}
    app = rows[RowKind.ROLE, "111122223333", "app"]
    assert [each["PolicyName"] for each in app["RolePolicyList"]] == ["use-orders"]
    alice = rows[RowKind.USER, "111122223333", "alice"]
    boundary = alice["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert boundary == _ROOT.format("policy/alice-boundary")
    document = rows[RowKind.POLICY, "111122223333", boundary]["PolicyVersionList"][0]["Document"]
    assert document["Statement"][0]["Action"] == "kms:Decrypt"
    assert rows[RowKind.TARGET, "", "r-ab12"]["ServiceControlPolicies"][1]["Name"] == "NoDeletion"


def test_account_policies_of_a_file_serve_the_principals(tmp_path: Path) -> None:
    (tmp_path / "iam.json").write_text(json.dumps(iam()))
    managed = next(iter(iam()["Policies"]))["Arn"]
    user = {"arn": _ROOT.format("user/bob"), "attached_policies": [managed], **_KEY}
    seed = read_seed(
        {"principals": [user], "account_policies": [{"file": "iam.json"}]}, name="s.yaml", folder=tmp_path
    )
    assert {row.name for row in seed.account_rows if row.kind is RowKind.USER} >= {"bob"}
    alone = problems(lambda: read_seed({"principals": [user]}))
    assert alone == [f"UserDetailList[0] (bob): the attached policy {managed} is not in Policies"]
    (tmp_path / "iam.json").write_text("[]")
    wrong = problems(
        lambda: read_seed({"account_policies": [{"file": "iam.json"}, {"Foo": 1}]}, folder=tmp_path)
    )
    assert wrong == [
        "account_policies[0].file names a file that is none of account policies: iam.json is no JSON object"
    ]
    assert problems(lambda: read_seed({"account_policies": [{"Foo": 1}]}))[0].startswith(
        "account_policies[0] has a member 'Foo' that is not known"
    )


def test_a_session_has_policies_and_an_end() -> None:
    session = {
        "arn": "arn:aws:sts::111122223333:federated-user/carol",
        "expires_at": "2026-07-01T09:30:00Z",
        "session_policies": {"only-read": _ALLOW},
        "org_paths": ["o-a1b2c3d4e5/r-ab12/"],
        **_KEY,
    }
    (key,) = read_seed({"principals": [session]}).access_keys
    assert key.expires_at == to_millis(NOW)
    assert [policy.name for policy in key.session_policies] == ["only-read"]
    assert key.context == {"aws:principalorgpaths": ("o-a1b2c3d4e5/r-ab12/",)}


@pytest.mark.parametrize(
    "arn", [_ROOT.format("root"), "s3.amazonaws.com", "arn:aws:sts::111122223333:assumed-role/a/bc"]
)
def test_whoever_has_an_access_key_may_be_anybody(arn: str) -> None:
    (key,) = read_seed({"account": "111122223333", "principals": [{"arn": arn, **_KEY}]}).access_keys
    assert (key.caller_arn, key.account) == (arn, "111122223333")


@pytest.mark.parametrize(
    ("principal", "problem"),
    [
        ({"arn": "alice"}, 'arn is "alice", which is no user, role, session, federated user, root user or service principal'),
        ({"arn": "111122223333", **_KEY}, 'arn is "111122223333", which is no user'),
        ({"arn": "*"}, 'arn is "*", which is no user'),
        ({"arn": _ROOT.format("user/a"), "account": "999988887777"}, "account is 999988887777, and the ARN is of 111122223333"),
        ({"arn": _ROOT.format("user/a"), "trust": _ALLOW}, "trust is of a role, and this is a user"),
        ({"arn": _ROOT.format("root"), "tags": {"a": "b"}, **_KEY}, "tags is of a user or a role or a role session or a federated user, and this is a root user of an account"),
        ({"policies": {"p": _ALLOW}, **_KEY}, "policies is of a user or a role, and this is the administrator of an account"),
        ({"access_key_id": "AKIA"}, "lacks the member secret_access_key"),
        ({"arn": _ROOT.format("user/a"), "via": "s3"}, "via comes with an access key: write its access_key_id"),
        ({"arn": "arn:aws:sts::111122223333:assumed-role/a/bc"}, "lacks the member access_key_id: without it nobody can be this principal"),
        ({"arn": _ROOT.format("role/a"), "trust": "{}"}, "trust is no policy: expected an object with a Statement"),
        ({"arn": _ROOT.format("role/a"), "policies": {"p": {"Statement": 1}}}, "policies.p.Statement[0] is no sound policy: "),
        ({"arn": _ROOT.format("role/a"), "boundary": "{"}, "boundary is no sound policy: line 1, column "),
        ({"arn": _ROOT.format("role/a"), "policies": {"no name": _ALLOW}}, "RoleDetailList[0] (a): RolePolicyList[0]: PolicyName is none"),
    ],
)  # fmt: skip
def test_a_principal_whose_members_do_not_go_together(principal: dict[str, Any], problem: str) -> None:
    found = problems(lambda: read_seed({"principals": [principal]}))
    assert found[0].removeprefix("principals[0]").lstrip(". ").startswith(problem)


def test_two_principals_with_one_access_key() -> None:
    assert problems(lambda: read_seed({"principals": [_KEY, _KEY]})) == [
        "principals[1].access_key_id is that of another principal"
    ]
