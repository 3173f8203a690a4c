"""Access keys from a file in the format of ~/.aws/credentials, and a credential from the environment."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.cli.access_key_flags import access_keys_from, add_access_key_flags, credential_from
from kms_tui.kms.errors import KmsTuiError
from kms_tui.serve.sigv4 import Credential

_ACCOUNT, _PARTNER = "111122223333", "444455556666"
_ADA = f"arn:aws:iam::{_ACCOUNT}:user/ada"
_DEFAULT = Credential("AKIADEFAULT", "s")
_KEY = "aws_access_key_id = AKIAX\naws_secret_access_key = s3cret\n"


def _args(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_access_key_flags(parser)
    return parser.parse_args(flags)


def _read(path: Path, content: str | bytes) -> tuple[AccessKey, ...]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return access_keys_from(_args("--credentials", str(path)), _ACCOUNT, "aws", _DEFAULT)


def test_each_profile_is_an_access_key_with_its_principal(tmp_path: Path) -> None:
    content = f"""\
# comment
[ada]
aws_access_key_id = AKIAEXAMPLEADA000000
aws_secret_access_key = s3cret/+=#x
principal = {_ADA}
region = eu-west-1
[partner]
AWS_Access_Key_ID = test
aws_secret_access_key=test
aws_account_id = {_PARTNER}
[importer]
aws_access_key_id = ASIAX
aws_secret_access_key = test
aws_session_token = tok/en==
principal = arn:aws:sts::{_PARTNER}:assumed-role/importer/job-1
[s3]
aws_access_key_id = AKIAS3
aws_secret_access_key = test
principal = {_ADA}
via = s3
[service]
aws_access_key_id = AKIASERVICE
aws_secret_access_key = test
principal = s3.amazonaws.com
[app]
role_arn = arn:aws:iam::{_ACCOUNT}:role/app
source_profile = ada
"""
    keys = _read(tmp_path / "keys.ini", "\ufeff" + content.replace("\n", "\r\n"))
    assert keys == (
        AccessKey("AKIAEXAMPLEADA000000", "s3cret/+=#x", _ACCOUNT, _ADA),
        AccessKey("test", "test", _PARTNER),
        AccessKey(
            "ASIAX",
            "test",
            _PARTNER,
            f"arn:aws:sts::{_PARTNER}:assumed-role/importer/job-1",
            session_token="tok/en==",
        ),
        AccessKey("AKIAS3", "test", _ACCOUNT, _ADA, context={"kms:viaservice": "s3"}),
        AccessKey("AKIASERVICE", "test", _ACCOUNT, "s3.amazonaws.com"),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it has no profile with aws_access_key_id"),
        ("x = 1", "line 1: a profile, such as [app], comes first"),
        ("[a]\nnothing", "line 2 is no NAME = VALUE"),
        ("[a]", "[a] lacks aws_access_key_id"),
        ("[a]\naws_access_key_id = AKIAX", "[a] lacks aws_secret_access_key"),
        ("[a]\naws_access_key_id = A/X\naws_secret_access_key = s", "[a] has a wrong aws_access_key_id"),
        (
            "[a]\naws_access_key_id = AKIAX\naws_secret_access_key = s\x00",
            "has a wrong aws_secret_access_key",
        ),
        (f"[a]\n{_KEY}aws_session_token = t t", "[a] has a wrong aws_session_token"),
        (f"[a]\n{_KEY}[a]\n{_KEY}", "line 4: [a] is there twice"),
        (f"[a]\n{_KEY}{_KEY}", "line 4: aws_access_key_id is there twice"),
        (f"[a]\n{_KEY}[b]\n{_KEY}", "[b] has the aws_access_key_id of another profile"),
        ("[a]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s", "of the default caller"),
        (f"[a]\n{_KEY}princpal = x", "has princpal, which is not known (did you mean principal?)"),
        (f"[a]\n{_KEY}principal = arn:aws:iam::1:user/x", "is no principal that can call KMS"),
        (f"[a]\n{_KEY}principal = arn:aws-cn:iam::{_ACCOUNT}:user/x", "is of the partition aws-cn"),
        (f"[a]\n{_KEY}aws_account_id = 1", "aws_account_id = 1: an account id has 12 digits"),
        (f"[a]\n{_KEY}via = S 3", "via = S 3: a service is s3"),
        (b"[a]\n\xff", "byte 5 is no UTF-8"),
        (b"\x00" * (1024 * 1024 + 1), "it is longer than 1 MB"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(KmsTuiError) as caught:
        _read(tmp_path / "keys.ini", content)
    assert said in str(caught.value)
    assert "s3cret" not in caught.value.with_next_step


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(KmsTuiError, match="could not be read: No such file"):
        access_keys_from(_args("--credentials", str(tmp_path / "none")), _ACCOUNT, "aws", _DEFAULT)
    assert access_keys_from(_args(), _ACCOUNT, "aws", _DEFAULT) == ()


def test_the_environment_has_the_credential_of_the_default_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = _args("--credential-from-env")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(KmsTuiError, match="AWS_ACCESS_KEY_ID is not set"):
        credential_from(flag)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    assert credential_from(flag) == Credential("test", "test")
    assert credential_from(_args()) is None
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "te st")
    with pytest.raises(KmsTuiError, match="AWS_SECRET_ACCESS_KEY has characters"):
        credential_from(flag)
