"""THE table of the forms of condition key values, and the values that never match.

Source: the key's entry in the guides that ``kms_tui.policy.condition_keys`` names; for the operators the IAM
user guide (reference_policies_elements_condition_operators).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import product
from typing import NamedTuple

from kms_tui.kms.arn import is_account_id
from kms_tui.kms.operations import Trait, names_with
from kms_tui.policy import operators
from kms_tui.policy.condition_keys import ConditionKey, Presence
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import listed

_A_REGION = r"[a-z]{2,5}(?:-[a-z0-9]+){1,3}-[0-9]{1,2}"
_REGION = re.compile(rf"{_A_REGION}\Z")
_VIA_SERVICE = re.compile(rf"[a-z0-9.-]+\.{_A_REGION}\.amazonaws\.com\Z")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\Z")
_PRINCIPAL = re.compile(
    r"arn:[a-z0-9-]+:(?:iam::[0-9]{12}:(?:root|(?:user|role)/[^*?]+)|sts::[0-9]{12}:federated-user/[^*?]+)\Z"
)
_IN_TAGS = " _.:/=+-@"
_GRANT_OPERATIONS = frozenset(names_with(Trait.GRANTABLE))


class ValueForm(NamedTuple):
    """``fits``: whether a request can have the text; ``words`` describe such a text, ``example`` is one."""

    fits: Callable[[str], bool]
    words: str
    example: str


def _by_prefix(prefix: str, words: str, example: str) -> ValueForm:
    return ValueForm(lambda text: text.startswith(prefix), words, example)


def _by_pattern(pattern: re.Pattern[str], words: str, example: str) -> ValueForm:
    return ValueForm(lambda text: pattern.match(text) is not None, words, example)


def _in_range(least: int, most: int) -> ValueForm:
    def fits(text: str) -> bool:
        number = operators.number(text)
        return number is not None and least <= number <= most

    return ValueForm(fits, f"a number from {least} to {most}", str(most))


FORMS: Mapping[str, ValueForm] = {
    "account": ValueForm(is_account_id, "12 digits", "111122223333"),
    "alias": _by_prefix("alias/", "an alias name, not an ARN", "alias/app"),
    "grant operation": ValueForm(
        _GRANT_OPERATIONS.__contains__, "an operation of a grant, without a prefix", "Decrypt"
    ),
    "host": _by_pattern(_HOST, "a service principal", "s3.amazonaws.com"),
    "org": _by_prefix("o-", "an organization's id or path", "o-a1b2c3d4e5"),
    "principal": _by_pattern(
        _PRINCIPAL, "the ARN of a user, a role or the root user", "arn:aws:iam::111122223333:role/app"
    ),
    "pending window": _in_range(7, 30),
    "rotation period": _in_range(90, 2560),
    "region": _by_pattern(_REGION, "a Region's name", "us-east-1"),
    "via service": _by_pattern(_VIA_SERVICE, "a service with a Region", "s3.us-east-1.amazonaws.com"),
    "tag": ValueForm(
        lambda text: all(char.isalnum() or char in _IN_TAGS for char in text),
        "letters, digits, blanks and _.:/=+-@",
        "team-red",
    ),
    "vpc": _by_prefix("vpc-", "a VPC's id", "vpc-1a2b3c4d"),
    "vpce": _by_prefix("vpce-", "a VPC endpoint's id", "vpce-1a2b3c4d"),
}

_KINDS: Mapping[str, ValueForm] = {
    "arn": ValueForm(lambda text: text.count(":") >= 5, "an ARN", "arn:aws:iam::111122223333:role/app"),
    "bool": ValueForm(lambda text: text in ("true", "false"), "true or false", "true"),
    "date": ValueForm(lambda text: operators.timestamp(text) is not None, "a date", "2030-01-31T00:00:00Z"),
    "ip": ValueForm(
        lambda text: "/" not in text and operators.network(text) is not None,
        "one address, where it is compared as text",
        "203.0.113.7",
    ),
    "numeric": ValueForm(lambda text: operators.number(text) is not None, "a number", "90"),
    "time": ValueForm(lambda text: operators.number(text) is not None, "seconds since 1970", "1767225600"),
}


def form_of(key: ConditionKey) -> ValueForm | None:
    """The form of a request's value of the key as text; None: any."""
    if key.choices and key.kind != "bool":
        return ValueForm(key.choices.__contains__, f"one of {listed(key.choices, 4, 'or')}", "")
    return FORMS.get(key.form) or _KINDS.get(key.kind)


def is_of_a_session(test: ConditionTest, value: str) -> bool:
    """Whether a value is the ARN of a role session: aws:PrincipalArn is always the role's ARN."""
    return test.key_info.form == "principal" and ":assumed-role/" in value


def fits(key: ConditionKey, text: str) -> bool:
    """Whether a request can have that value of the key."""
    form = form_of(key)
    return form is None or form.fits(text)


_COMPARABLE: Mapping[str, frozenset[str]] = {
    "arn": frozenset({"arn"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"date", "time"}),
    "ip": frozenset({"ip"}),
    "numeric": frozenset({"numeric", "time", "account"}),
}
"""Operator family -> the kinds or forms of keys whose values it can read."""
_ANY = ("", "tag")
"""Forms that every operator can read."""

_TRUE_OR_FALSE = ValueForm(lambda text: text.lower() in ("true", "false"), "true or false", "true")
_LIMITS: Mapping[str, ValueForm] = {
    "arn": ValueForm(lambda text: text == "*" or text.count(":") >= 5, "an ARN", _KINDS["arn"].example),
    "bool": _TRUE_OR_FALSE,
    "date": _KINDS["date"],
    "ip": ValueForm(
        lambda text: operators.network(text) is not None, "an address or a block of them", "203.0.113.0/24"
    ),
    "null": _TRUE_OR_FALSE,
    "numeric": _KINDS["numeric"],
}
"""Operator family -> the form of a policy's value."""


class DeadValue(NamedTuple):
    """A value that no request has; ``words`` describe the key's values, ``example`` is one."""

    value: str
    words: str
    example: str


def dead_values(test: ConditionTest) -> list[DeadValue]:
    """The values of a condition that no request can match, independent of the rest of the policy."""
    if test.key_info.presence is Presence.UNKNOWN:
        return []
    return [dead for text in test.values if (dead := _dead(test, text.value)) is not None]


def is_mismatch(test: ConditionTest) -> bool:
    """Whether the operator cannot read the key's values, such as an ARN operator on an account id."""
    readable = _COMPARABLE.get(test.operator.base.family)
    sort = _value_type(test.key_info)
    return readable is not None and sort not in _ANY and sort not in readable


def _value_type(key: ConditionKey) -> str:
    """The key's kind, or the form of its texts; "" for free text."""
    if key.kind != "string":
        return key.kind
    return key.form or ("choice" if key.choices else "")


def _dead(test: ConditionTest, value: str) -> DeadValue | None:
    if value in test.templates:
        return None
    base = test.operator.base
    limit = _LIMITS.get(base.family)
    if limit is not None:
        if is_mismatch(test):
            form = form_of(test.key_info)
            return DeadValue(value, form.words if form else "", form.example if form else "")
        if is_of_a_session(test, value):
            return DeadValue(value, FORMS["principal"].words, FORMS["principal"].example)
        return None if limit.fits(value) else DeadValue(value, limit.words, limit.example)
    form = form_of(test.key_info)
    if base.family not in ("string", "like") or form is None:
        return None
    if base.takes_wildcards and ("*" in value or "?" in value):
        met = any(form.fits(text) for text in sampled(test.key_info, value))
        return None if met or test.key_info.kind != "ip" else DeadValue(value, form.words, form.example)
    if base.ignore_case and any(form.fits(text) for text in (value.lower(), value.upper())):
        return None
    return None if form.fits(value) else DeadValue(value, form.words, form.example)


_DIGIT, _WORD = "7", "zq7"
MAX_STARS = 3


def sampled(key: ConditionKey, pattern: str) -> list[str]:
    """Some texts that match a pattern and that a request can have as the key's value."""
    pieces = pattern.replace("?", _DIGIT).split("*")
    if len(pieces) > MAX_STARS + 1:
        return []
    fillers = _FILLERS.get(key.kind if key.kind != "string" else key.form, ())
    if key.form == "account":
        fillers = ("", _DIGIT * max(12 - sum(map(len, pieces)), 0))
    texts = (
        "".join(piece + filler for piece, filler in zip(pieces, (*chosen, ""), strict=True))
        for chosen in product(fillers, repeat=len(pieces) - 1)
    )
    return [text for text in dict.fromkeys(texts) if fits(key, text)]


_FILLERS: Mapping[str, tuple[str, ...]] = {
    "ip": ("", _DIGIT, "7.7", "7.7.7", "7.7.7.7"),
    "arn": ("", _WORD, "arn:aws:zz:us-east-1:999999999999:zz"),
    "region": ("", _DIGIT, "-east-1", "us-east-1"),
    "via service": ("", "s3", "us-east-1", "s3.us-east-1.amazonaws.com"),
    "host": ("", "zz", "zz.amazonaws.com"),
    "alias": ("", _WORD),
    "org": ("", "a1b2c3d4e5"),
    "tag": ("", _WORD),
    "vpc": ("", _DIGIT),
    "vpce": ("", _DIGIT),
}
"""Texts for ``*`` that make a value of that kind or form."""
