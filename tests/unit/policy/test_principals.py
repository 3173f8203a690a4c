"""AWS's own roles: grants and callers have them, policies do not."""

from __future__ import annotations

import pytest

from kms_tui.kms.model import Grant
from kms_tui.policy import Caller
from kms_tui.policy.grant_statements import grant_statements
from kms_tui.policy.json_reader import Span
from kms_tui.policy.principals import AWS, PrincipalKind, parse

_SESSION = "arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/i-5d476fab"
_ROLE = "arn:aws:iam::111122223333:role/aws:ec2-infrastructure"


def test_a_session_of_awss_own_role_is_a_caller_with_a_grant() -> None:
    caller = Caller.parse(_SESSION)
    assert (caller.kind, caller.account, caller.name, caller.session) == (
        PrincipalKind.SESSION,
        "111122223333",
        "aws:ec2-infrastructure",
        "i-5d476fab",
    )
    assert caller.principal_arn == _ROLE
    assert Caller.parse(_ROLE).kind is PrincipalKind.ROLE
    ((_, statement),) = grant_statements((Grant("g1", "key", _SESSION, ("Decrypt",)),), "kms:Decrypt")
    assert [principal.text for principal in statement.principals] == [_SESSION]


@pytest.mark.parametrize("text", [_SESSION, _ROLE])
def test_a_policy_cannot_name_awss_own_role(text: str) -> None:
    assert isinstance(parse(AWS, text, Span(0, 0)), str)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:sts::111122223333:assumed-role/aws:/i-1",
        "arn:aws:sts::111122223333:assumed-role/other:thing/i-12",
        "arn:aws:iam::111122223333:user/aws:ec2-infrastructure",
        f"{_SESSION}/more",
        f"{_ROLE}\n",
    ],
)
def test_other_names_with_colons_are_no_callers(text: str) -> None:
    with pytest.raises(ValueError, match="not a principal"):
        Caller.parse(text)
