"""The guard at the waist: no refused key policy passes, whoever sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.wrappers.policy_guard import PolicyGuard, PolicyRefusedError, judge
from kms_tui.demo import demo_backend
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy import default_policy
from kms_tui.session import BackendKind, Connection, open_session

ACCOUNT = "111122223333"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
SOUND = default_policy(ACCOUNT)
NO_ACCOUNT = SOUND.replace(":root", ":role/app")
STAR = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
    }
)


class Recorder:
    """A KMS that takes everything."""

    account_id, region, partition = ACCOUNT, "eu-west-1", "aws"

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append((operation, params))
        return {}

    def caller(self) -> CallerIdentity:
        return CallerIdentity(ACCOUNT)

    def in_region(self, region: str) -> Recorder:
        return self


@pytest.mark.parametrize("operation", ["PutKeyPolicy", "CreateKey", "ReplicateKey"])
@pytest.mark.parametrize("text", [NO_ACCOUNT, STAR, "", "{", "[" * 100_000, "\ud800"])
def test_a_refused_policy_is_not_sent(operation: str, text: str) -> None:
    backend = Recorder()
    with pytest.raises(PolicyRefusedError) as raised:
        PolicyGuard(backend).call(operation, {"KeyId": KEY_ID, "Policy": text})
    assert backend.calls == []
    assert str(raised.value) == raised.value.finding.sentence


def test_not_even_with_the_lockout_check_bypassed() -> None:
    backend = Recorder()
    with pytest.raises(PolicyRefusedError):
        PolicyGuard(backend).call(
            "PutKeyPolicy", {"KeyId": KEY_ID, "Policy": STAR, "BypassPolicyLockoutSafetyCheck": True}
        )
    assert backend.calls == []


def test_a_sound_policy_and_calls_without_one_pass_in_every_region() -> None:
    backend = Recorder()
    guarded = PolicyGuard(backend).in_region("us-east-1")
    guarded.call("PutKeyPolicy", {"KeyId": KEY_ID, "Policy": SOUND})
    guarded.call("DescribeKey", {"KeyId": KEY_ID})
    assert [operation for operation, _ in backend.calls] == ["PutKeyPolicy", "DescribeKey"]


def test_the_key_is_known_by_its_id_as_by_its_arn() -> None:
    arn = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{KEY_ID}"
    about_it = SOUND.replace('"Resource" : "*"', f'"Resource" : "{arn}"')
    about_another = about_it.replace("1234abcd", "9999abcd")
    for key in (KEY_ID, arn):
        backend = Recorder()
        PolicyGuard(backend).call("PutKeyPolicy", {"KeyId": key, "Policy": about_it})
        with pytest.raises(PolicyRefusedError):
            PolicyGuard(backend).call("PutKeyPolicy", {"KeyId": key, "Policy": about_another})
        assert len(backend.calls) == 1


def test_star_alone_is_refused_here_although_it_keeps_control() -> None:
    result = judge(STAR, account_id=ACCOUNT, partition="aws")
    assert result.verdict == "refuse"
    assert [finding.rule for finding in result.findings if finding.severity == "refuse"] == [
        "no-root-statement"
    ]


@given(text=st.text(alphabet=st.sampled_from('{}[]":,*kms root\\\n0'), max_size=80))
@settings(deadline=None, max_examples=100)
def test_no_text_gets_through_but_one_that_is_judged_sound(text: str) -> None:
    backend = Recorder()
    with pytest.raises(PolicyRefusedError):
        PolicyGuard(backend).call("PutKeyPolicy", {"KeyId": KEY_ID, "Policy": text})
    assert backend.calls == []


def test_a_session_s_backend_is_guarded_in_its_other_regions_too() -> None:
    backend = demo_backend()
    session = open_session(Connection(BackendKind.DEMO), backend)
    key_id = str(backend.call("ListKeys", {})["Keys"][0]["KeyId"])
    before = session.kms.key_policy(key_id)
    for kms in (session.kms, session.kms.in_region("us-east-1")):
        with pytest.raises(PolicyRefusedError):
            kms.put_key_policy(key_id, NO_ACCOUNT, bypass_lockout_check=True)
    assert session.kms.key_policy(key_id) == before
    session.inventory.close()
