"""``--as`` and ``--iam-policy``: who they make the caller, and what they refuse to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend, Store, open_default, open_ephemeral
from kms_tui.demo import demo_backend
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import CallerIdentity

_ADA = "arn:aws:iam::111122223333:user/ada"
_ALLOW = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}'


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.json"
    path.write_text(_ALLOW)
    return path


@pytest.mark.parametrize(
    ("arn", "identity"),
    [
        (
            None,
            CallerIdentity(
                "111122223333", "arn:aws:iam::111122223333:user/administrator", "AIDA00000111122223333"
            ),
        ),
        (_ADA, CallerIdentity("111122223333", _ADA, "AIDA00000111122223333")),
        (
            "arn:aws:sts::444455556666:assumed-role/app/i-1",
            CallerIdentity(
                "444455556666", "arn:aws:sts::444455556666:assumed-role/app/i-1", "AROA00000444455556666:i-1"
            ),
        ),
        (
            "arn:aws:iam::111122223333:root",
            CallerIdentity("111122223333", "arn:aws:iam::111122223333:root", "111122223333"),
        ),
    ],
)
def test_the_caller_is_whom_it_was_told(store: Store, arn: str | None, identity: CallerIdentity) -> None:
    backend = LocalBackend(store, account_id="111122223333", region="eu-west-1", caller_arn=arn)
    assert backend.caller() == identity
    assert backend.account_id == identity.account
    assert backend.in_region("us-east-1").caller() == identity


@pytest.mark.parametrize(
    "arn",
    [
        "ada",
        "arn:aws:iam::111122223333:group/admins",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws-cn:iam::111122223333:user/ada",
        "*",
    ],
)
def test_what_cannot_call_is_refused_before_a_store_is_made(tmp_path: Path, arn: str) -> None:
    path = tmp_path / "store.db"
    with pytest.raises(KmsTuiError, match=r"is no principal|of the partition"):
        open_default(path, caller_arn=arn)
    assert not path.exists()


def test_the_file_is_the_callers_iam_policy(tmp_path: Path, policy: Path) -> None:
    path = tmp_path / "store.db"
    key_id = open_default(path).call("CreateKey", {})["KeyMetadata"]["KeyId"]
    with pytest.raises(ServiceError, match="no identity-based policy allows the kms:DescribeKey action"):
        open_default(path, caller_arn=_ADA).call("DescribeKey", {"KeyId": key_id})
    open_default(path, caller_arn=_ADA, iam_policy=policy).call("DescribeKey", {"KeyId": key_id})


def test_the_ephemeral_account_and_the_demo_know_callers_too(policy: Path) -> None:
    for backend in (open_ephemeral(caller_arn=_ADA), demo_backend(caller_arn=_ADA)):
        with pytest.raises(ServiceError, match="kms:ListKeys"):
            backend.call("ListKeys", {})
    for backend in (
        open_ephemeral(caller_arn=_ADA, iam_policy=policy),
        demo_backend(caller_arn=_ADA, iam_policy=policy),
    ):
        backend.call("ListKeys", {})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1, column"),
        (b'{"Statement":\n[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}', "line 2, column"),
        (b'{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}', "principal"),
        (b"\xff\xfe", "UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_iam_policy_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(content)
    with pytest.raises(KmsTuiError, match=words) as caught:
        open_ephemeral(caller_arn=_ADA, iam_policy=path)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(KmsTuiError, match="cannot be read"):
            open_ephemeral(caller_arn=_ADA, iam_policy=path)
