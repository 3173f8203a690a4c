"""A KMS that begins with a seed, and is called by several principals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from kms_tui.kms.errors import KmsTuiError
from kms_tui.testing import LocalKms
from tests.endpoints.environment import clear_aws_environment

ACCOUNT, REGION = "444455556666", "eu-west-1"
APP, ADA = f"arn:aws:iam::{ACCOUNT}:role/app", f"arn:aws:iam::{ACCOUNT}:user/ada"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
SEED = f"""
account: "{ACCOUNT}"
region: {REGION}
keys:
  - id: {ID}
    aliases: [app]
    policy:
      Version: "2012-10-17"
      Statement:
        - {{Effect: Allow, Principal: {{AWS: "arn:aws:iam::{ACCOUNT}:root"}}, Action: "kms:*", Resource: "*"}}
        - Effect: Allow
          Principal: {{AWS: "{APP}"}}
          Action: [kms:Encrypt, kms:Decrypt]
          Resource: "*"
          Condition: {{StringEquals: {{"kms:EncryptionContext:team": "${{aws:PrincipalTag/team}}"}}}}
principals:
  - arn: {ADA}
    access_key_id: AKIAEXAMPLEADA000000
    secret_access_key: ada-secret
    policies:
      assume: {{Version: "2012-10-17", Statement: {{Effect: Allow, Action: "sts:*", Resource: "*"}}}}
  - arn: {APP}
    trust:
      Version: "2012-10-17"
      Statement:
        Effect: Allow
        Principal: {{AWS: "arn:aws:iam::{ACCOUNT}:root"}}
        Action: ["sts:AssumeRole", "sts:TagSession"]
        Condition: {{StringEquals: {{"sts:ExternalId": "secret-word"}}}}
"""


@pytest.fixture(autouse=True)
def _no_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_aws_environment(monkeypatch)


@pytest.fixture
def kms() -> Iterator[LocalKms]:
    with LocalKms(SEED) as made:
        yield made
    made.close()


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def _assumed(kms: LocalKms, **members: Any) -> Any:
    """A client with the role's temporary credentials."""
    sts = kms.client(ADA, service="sts")
    given = sts.assume_role(RoleArn=APP, RoleSessionName="run", ExternalId="secret-word", **members)[
        "Credentials"
    ]
    return boto3.client(
        "kms",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_a_seed_is_a_text_a_file_or_a_mapping_and_names_account_and_region(
    kms: LocalKms, tmp_path: Path
) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(SEED)
    mapping = {"account": ACCOUNT, "region": REGION, "keys": [{"id": ID}]}
    for source in (SEED, file, str(file), mapping):
        with LocalKms(source) as made:
            assert made.client().describe_key(KeyId=ID)["KeyMetadata"]["AWSAccountId"] == ACCOUNT
            assert made.backend.region == REGION
        made.close()


def test_what_is_wrong_with_a_seed_is_told_all_at_once_and_nothing_is_made(kms: LocalKms) -> None:
    with pytest.raises(KmsTuiError) as caught:
        kms.add({"keys": [{"speck": "RSA_2048"}, {"spec": "RSA_2049"}]})
    assert "speck" in str(caught.value)
    assert "RSA_2049" in str(caught.value)
    with pytest.raises(KmsTuiError, match=ID):
        kms.add({"account": ACCOUNT, "region": REGION, "keys": [{}, {"id": ID}]})
    assert len(kms.client().list_keys()["Keys"]) == 1


def test_fixed_material_gives_the_same_bytes_in_each_run() -> None:
    seed = {"keys": [{"aliases": ["mac"], "spec": "HMAC_256", "fixed_material": {"hex": "00" * 32}}]}
    macs = set()
    for _ in range(2):
        with LocalKms(seed) as kms:
            answer = kms.client().generate_mac(
                KeyId="alias/mac", MacAlgorithm="HMAC_SHA_256", Message=b"message"
            )
            macs.add(answer["Mac"])
        kms.close()
    assert len(macs) == 1


def test_principals_call_side_by_side_and_policies_tell_them_apart(kms: LocalKms) -> None:
    context = {"team": "payments"}
    assert (
        _code(lambda: kms.client(ADA).encrypt(KeyId="alias/app", Plaintext=b"x")) == "AccessDeniedException"
    )
    app = _assumed(kms, Tags=[{"Key": "team", "Value": "payments"}])
    assert app.encrypt(KeyId="alias/app", Plaintext=b"x", EncryptionContext=context)
    others = {"team": "sales"}
    assert (
        _code(lambda: app.encrypt(KeyId="alias/app", Plaintext=b"x", EncryptionContext=others))
        == "AccessDeniedException"
    )
    told = [(call.principal.rpartition("/")[2], call.error) for call in kms.calls.calls("Encrypt")]
    assert told == [("ada", "AccessDeniedException"), ("run", ""), ("run", "AccessDeniedException")]


def test_a_role_is_assumed_by_those_that_it_trusts(kms: LocalKms) -> None:
    sts = kms.client(ADA, service="sts")
    refused = _code(lambda: sts.assume_role(RoleArn=APP, RoleSessionName="run", ExternalId="guess"))
    assert refused == "AccessDenied"


def test_temporary_credentials_expire_by_the_clock_and_are_gone_after_a_reset(kms: LocalKms) -> None:
    tags = [{"Key": "team", "Value": "t"}]
    app = _assumed(kms, Tags=tags, DurationSeconds=900)
    use = {"KeyId": "alias/app", "Plaintext": b"x", "EncryptionContext": {"team": "t"}}
    kms.clock.advance(minutes=14)
    app.encrypt(**use)
    kms.clock.advance(minutes=2)
    assert _code(lambda: app.encrypt(**use)) == "ExpiredTokenException"
    app = _assumed(kms, Tags=tags)
    kms.reset()
    assert _code(lambda: app.encrypt(**use)) == "UnrecognizedClientException"
    assert kms.client(ADA, service="sts").get_caller_identity()["Arn"] == ADA


def test_a_principal_that_the_seed_does_not_name_gets_an_access_key(kms: LocalKms) -> None:
    bob = f"arn:aws:iam::{ACCOUNT}:user/bob"
    allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
    key = kms.access_key(bob, policies={"all": allow})
    assert kms.access_key(bob) is key
    assert kms.client(key).encrypt(KeyId="alias/app", Plaintext=b"x")
    assert kms.client(bob, service="sts").get_caller_identity()["Arn"] == bob


def test_no_access_key_is_another_principals_after_a_reset(kms: LocalKms) -> None:
    names = [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("bob", "eve")]
    bob = kms.client(names[0], service="sts")
    kms.reset()
    eve = kms.client(names[1], service="sts")
    assert _code(bob.get_caller_identity) == "InvalidClientTokenId"
    assert eve.get_caller_identity()["Arn"] == names[1]


def test_principals_asked_for_in_several_threads_are_told_apart(kms: LocalKms) -> None:
    names = [f"arn:aws:iam::{ACCOUNT}:user/{number % 20}" for number in range(80)]
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(kms.access_key, names))
    assert [key.caller_arn for key in keys] == names
    assert len({key.access_key_id for key in keys}) == 20


def test_a_service_calls_for_a_principal(kms: LocalKms) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "kms:GenerateDataKey",
            "Resource": "*",
            "Condition": {
                "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com", "kms:CallerAccount": ACCOUNT}
            },
        },
    }
    kms.add({"account": ACCOUNT, "region": REGION, "keys": [{"aliases": ["files"], "policy": policy}]})
    bob = f"arn:aws:iam::{ACCOUNT}:user/bob"
    ask = {"KeyId": "alias/files", "KeySpec": "AES_256"}
    assert _code(lambda: kms.client(bob).generate_data_key(**ask)) == "AccessDeniedException"
    through = kms.access_key(bob, via="s3")
    assert len(kms.client(through).generate_data_key(**ask)["Plaintext"]) == 32
    assert _code(lambda: kms.client(through, region="eu-west-2").generate_data_key(**ask)) != ""


def test_after_a_restore_callers_have_the_policies_of_that_state(kms: LocalKms) -> None:
    """Rows of account policies are counted anew: the same number tells another content."""
    bob = f"arn:aws:iam::{ACCOUNT}:user/bob"
    before = kms.snapshot()
    allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
    for action, may in (("kms:*", True), ("kms:ListKeys", False), ("kms:*", True)):
        allow["Statement"] = {"Effect": "Allow", "Action": action, "Resource": "*"}
        client = kms.client(kms.access_key(bob, policies={"own": allow}))
        if may:
            assert client.encrypt(KeyId="alias/app", Plaintext=b"x")
        else:
            assert _code(lambda: client.encrypt(KeyId="alias/app", Plaintext=b"x")) == "AccessDeniedException"  # noqa: B023
        kms.restore(before)
