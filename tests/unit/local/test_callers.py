"""``--as``: who it makes the caller, and what cannot call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend, Store, open_default, open_ephemeral
from kms_tui.demo import demo_backend
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy.layers import UNLIMITED, Layer, read_policy

_ADA = "arn:aws:iam::111122223333:user/ada"
_TEXT = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}'
_ALLOWED = replace(UNLIMITED, identity=(read_policy(Layer.IDENTITY, "iam", _TEXT),))


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


def test_the_caller_has_the_identity_policies_of_its_limits(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    key_id = open_default(path).call("CreateKey", {})["KeyMetadata"]["KeyId"]
    with pytest.raises(ServiceError, match="no identity-based policy allows the kms:DescribeKey action"):
        open_default(path, caller_arn=_ADA).call("DescribeKey", {"KeyId": key_id})
    open_default(path, caller_arn=_ADA, limits=_ALLOWED).call("DescribeKey", {"KeyId": key_id})


def test_the_ephemeral_account_and_the_demo_know_callers_too() -> None:
    for backend in (open_ephemeral(caller_arn=_ADA), demo_backend(caller_arn=_ADA)):
        with pytest.raises(ServiceError, match="kms:ListKeys"):
            backend.call("ListKeys", {})
    for backend in (
        open_ephemeral(caller_arn=_ADA, limits=_ALLOWED),
        demo_backend(caller_arn=_ADA, limits=_ALLOWED),
    ):
        backend.call("ListKeys", {})
