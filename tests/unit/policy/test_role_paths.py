"""aws:PrincipalArn of a session, whose ARN lacks the path of its role."""

from __future__ import annotations

from typing import Any

import pytest

from kms_tui.policy import AccessRequest, Caller
from kms_tui.policy.evaluation import condition_holds
from tests.unit.policy.build import KEY, only_condition
from tests.unit.policy.layer_build import ROLE, SESSION, USER

SIGNED_IN = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@example.com"
SIGN_IN = "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com"
LIKE, NOT_LIKE = "ArnLike", "ArnNotLike"


def _holds(operator: str, wanted: Any, caller: str, **context: Any) -> bool | None:
    test = only_condition({operator: {"aws:PrincipalArn": wanted}})
    given = {key.replace("__", ":"): value for key, value in context.items()}
    return condition_holds(test, AccessRequest(Caller.parse(caller), "kms:Decrypt", KEY, given, True))


@pytest.mark.parametrize(
    ("caller", "wanted", "found"),
    [
        (SESSION, ROLE, True),
        (SESSION, "arn:aws:iam::*:role/app", True),
        (SESSION, "arn:aws:iam::*:role/team/app", True),
        (SESSION, ["arn:aws:iam::*:role/other", "arn:aws:iam::111122223333:role/team/app"], True),
        (SESSION, "arn:aws:iam::*:role/*", True),
        (SESSION, "*", True),
        (SESSION, "arn:aws:iam::*:role/team/*", None),
        (SESSION, "arn:aws:iam::*:role/*/app", None),
        (SESSION, "arn:aws:iam::*:role/team/other", False),
        (SESSION, "arn:aws:iam::*:role/adm*", False),
        (SESSION, "arn:aws:iam::444455556666:role/team/*", False),
        (SESSION, "arn:aws:iam::*:user/*", False),
        (SIGNED_IN, f"{SIGN_IN}/*", True),
        (SIGNED_IN, f"{SIGN_IN}*/AWSReservedSSO_Admin_*", True),
        (SIGNED_IN, f"{SIGN_IN}/*/AWSReservedSSO_Admin_*", None),
        (SIGNED_IN, f"{SIGN_IN}/eu-west-1/*", None),
        (SIGNED_IN, f"{SIGN_IN}/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef", True),
        (SIGNED_IN, f"{SIGN_IN}/*AWSReservedSSO_Dev_*", False),
        (SIGNED_IN, "arn:aws:iam::*:role/AWSReservedSSO_Admin_*", False),
        (SIGNED_IN, "arn:aws:iam::*:role/team/*", False),
        (USER, "arn:aws:iam::*:user/team/*", False),
        (ROLE, "arn:aws:iam::*:role/team/*", False),
    ],
)
def test_a_path_that_is_not_told_leaves_open_what_depends_on_it(
    caller: str, wanted: Any, found: bool | None
) -> None:
    assert _holds(LIKE, wanted, caller) is found
    assert _holds(NOT_LIKE, wanted, caller) is (None if found is None else not found)


def test_a_role_that_the_request_gives_is_compared_as_it_is() -> None:
    pattern = "arn:aws:iam::*:role/team/*"
    assert _holds(LIKE, pattern, SESSION, aws__PrincipalArn="arn:aws:iam::111122223333:role/team/app") is True
    assert _holds(LIKE, pattern, SESSION, aws__principalarn=ROLE) is False
    assert _holds("Null", "true", SESSION) is False
