"""aws:PrincipalArn of a role session: the ARN of its role, whose path the session's ARN does not tell.

The path is known only of roles that AWS IAM Identity Center makes. Names are unique in an account whatever
the path (IAM user guide, reference_identifiers), so a policy that names role/team/app means the role app.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kms_tui.policy.conditions import ConditionTest, Resolve, Text
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.wildcard import has_wildcard

PRINCIPAL_ARN = "aws:principalarn"
_ROLE = ":role/"
_SIGN_IN_NAME = "AWSReservedSSO_"
_SIGN_IN_PATH = "aws-reserved/sso.amazonaws.com/"
"""The path of Identity Center's roles; outside of us-east-1 the Region follows."""
_SIGN_IN_PATHS = re.compile(rf"{re.escape(_SIGN_IN_PATH)}(?:[a-z0-9-]+/)?\Z")
_UNLIKELY = "zz-unlikely-9/"
_MAX_PATHS = 200
_WILDCARDS = re.compile(r"[*?]+")


def lacks_path(test: ConditionTest, caller: Caller) -> bool:
    """Whether a condition compares the ARN of a role whose path the caller's ARN does not tell."""
    is_session = caller.kind is PrincipalKind.SESSION
    return is_session and test.key == PRINCIPAL_ARN and test.operator.base.family != "null"


def holds_for_session(test: ConditionTest, caller: Caller, resolve: Resolve) -> bool | None:
    """Whether a condition on aws:PrincipalArn is true for a role session; None if the role's path decides.

    A role whose bare name fits has no path, and a value without a path is compared with the bare name.
    """
    base = caller.principal_arn.removesuffix(caller.name)

    def holds(path: str) -> bool:
        return test.holds((f"{base}{path}{caller.name}",), resolve)

    matching = not test.operator.base.negated
    signs_in = caller.name.startswith(_SIGN_IN_NAME)
    given = list(_named_paths(test.values, caller.name))
    if any(holds(path) is matching for path in (given if signs_in else ["", *given])):
        return matching
    asked = set(_paths(test.values))
    if signs_in:
        known = {_SIGN_IN_PATH, _SIGN_IN_PATH + _UNLIKELY}
        paths = known | {path for path in asked if _SIGN_IN_PATHS.match(path)}
    else:
        paths = {"", *asked}
    found = {holds(path) for path in sorted(paths)[:_MAX_PATHS]}
    return found.pop() if len(found) == 1 else None


def _named_paths(values: Iterable[Text], name: str) -> Iterator[str]:
    """The paths of values that name this very role."""
    for text in values:
        role = text.value.partition(_ROLE)[2]
        if role.endswith(f"/{name}") and not has_wildcard(role):
            yield role.removesuffix(name)


def _paths(values: Iterable[Text]) -> Iterator[str]:
    """Paths that fit the values' wildcards."""
    for text in values:
        role = text.value.partition(_ROLE)[2] or text.value.rpartition(":")[2]
        filled = _WILDCARDS.sub("x", role)
        slashes = [number for number, char in enumerate(filled) if char == "/"]
        yield from (filled[: number + 1] for number in slashes)
