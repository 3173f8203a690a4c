"""Completions in a policy: elements, actions, operators, condition keys and principals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kms_tui.policy import operators
from kms_tui.policy.actions import ACTIONS
from kms_tui.policy.condition_keys import FAMILIES, KEYS, find
from kms_tui.policy.document import ALLOW, CURRENT_VERSION, DENY
from kms_tui.policy.principals import TYPES
from kms_tui.policy.snippets import USE
from kms_tui.ui.policy_editor.outline import Outline, TextPosition

MAX_OFFERED = 50
MAX_TEXT = 131_072

_STATEMENT = (
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "Resource",
    "Condition",
    "NotPrincipal",
    "NotAction",
    "NotResource",
)
_SERVICES = (
    "backup",
    "cloudtrail",
    "cloudwatch",
    "delivery.logs",
    "dynamodb",
    "ec2",
    "events",
    "lambda",
    "rds",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
)
_COMMON = ("kms:*", *USE, "kms:CreateGrant", "kms:Describe*", "kms:Get*", "kms:List*")
"""The actions of most statements, offered before the others."""


@dataclass(frozen=True, slots=True)
class PolicyContext:
    """The key and account of a policy; ``principals`` are ARNs and services seen in this account."""

    account_id: str
    region: str
    partition: str = "aws"
    key_arn: str = ""
    principals: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:root"

    @property
    def suffix(self) -> str:
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


@dataclass(frozen=True, slots=True)
class Completion:
    """The offered texts, best first, and the part of the policy that the chosen one replaces."""

    position: TextPosition
    offered: tuple[str, ...]

    def inserted(self, chosen: str, text: str) -> str:
        """What replaces ``text[position.start : position.end]``: the choice, its quotes and colon added."""
        literal = json.dumps(chosen)
        if self.position.in_string:
            literal = literal[1:] if not self.position.is_closed else literal[1:-1]
        behind = text[self.position.end :].lstrip()
        closed_already = self.position.in_string and self.position.is_closed
        return literal if closed_already or not self.position.is_key or behind[:1] == ":" else literal + ": "


def complete(text: str, offset: int, context: PolicyContext) -> Completion | None:
    """The completions at an offset, narrowed by what is typed there; None where there are none."""
    if len(text) > MAX_TEXT:
        return None
    position = Outline(text).position(offset)
    candidates = _at_key(position) if position.is_key else _at_value(position, context)
    offered = narrowed(candidates, position.typed)
    if not offered or offered == (text[position.start : position.end],):
        return None
    return Completion(position, offered)


def narrowed(candidates: Iterable[str], typed: str) -> tuple[str, ...]:
    """The candidates that contain the typed text, in any case; those that begin with it come first."""
    wanted = typed.lower()
    ranked: list[tuple[int, str]] = []
    for candidate in dict.fromkeys(candidates):
        place = candidate.lower().find(wanted)
        if place >= 0:
            behind_colon = place > 0 and candidate[place - 1] in ":/"
            ranked.append((0 if place == 0 else 1 if behind_colon else 2, candidate))
    ranked.sort(key=lambda entry: entry[0])
    return tuple(candidate for _, candidate in ranked[:MAX_OFFERED])


# Names of members


def _at_key(position: TextPosition) -> Iterable[str]:
    known = _known_keys(position.names)
    own = position.typed if not position.in_string else None
    written = {name for name in position.siblings if name != own}
    return [name for name in known if name not in written]


def _known_keys(names: tuple[str, ...]) -> Sequence[str]:
    if names == ("Statement", "Condition"):
        return _OPERATORS
    if len(names) == 3 and names[:2] == ("Statement", "Condition"):
        return _suiting(names[2])
    return _KEYS.get(names, ())


_KEYS: Mapping[tuple[str, ...], Sequence[str]] = {
    (): ("Version", "Id", "Statement"),
    ("Statement",): _STATEMENT,
    ("Statement", "Principal"): TYPES,
    ("Statement", "NotPrincipal"): TYPES,
}
_OPERATORS = (
    *operators.OPERATORS,
    *(name + operators.IF_EXISTS for name in operators.OPERATORS if name != "Null"),
    *(
        f"{qualifier}:{name}"
        for qualifier in reversed(operators.QUALIFIERS)
        for name in operators.OPERATORS
        if name != "Null"
    ),
)
_OTHER_REGISTER = re.compile(r"kms:RecipientAttestation:(?:NitroTPM)?PCR[1-9]")
"""All registers but the first of each kind: 54 names that would hide the others."""
_CONDITION_KEYS = tuple(
    sorted(
        (
            name
            for name, key in {**KEYS, **FAMILIES}.items()
            if not key.iam_only and not _OTHER_REGISTER.match(name)
        ),
        key=lambda name: (not name.startswith("kms:"), name.lower()),
    )
)


def _suiting(operator: str) -> Sequence[str]:
    """The condition keys, those first whose values are of the operator's kind."""
    spelled = operators.parse(operator)
    family = spelled.base.family if spelled is not None else ""
    kinds = (family, "time") if family in ("date", "numeric") else (family,)
    return sorted(_CONDITION_KEYS, key=lambda name: find(name).kind not in kinds)


# Values


def _at_value(position: TextPosition, context: PolicyContext) -> Iterable[str]:
    if len(position.names) == 4 and position.names[:2] == ("Statement", "Condition"):
        return _condition_values(position.names[2], position.names[3], context)
    if position.names in _VALUES:
        return _VALUES[position.names](context)
    return ()


def _actions(_: PolicyContext) -> Iterable[str]:
    named = [name for name, action in ACTIONS.items() if not action.iam_only]
    return (*_COMMON, *named)


def _resources(context: PolicyContext) -> Iterable[str]:
    return ("*", context.key_arn) if context.key_arn else ("*",)


def _aws_principals(context: PolicyContext) -> Iterable[str]:
    seen = [each for each in context.principals if each.startswith("arn:") or each.isdigit()]
    return dict.fromkeys((context.root, *seen, "*"))


def _services(context: PolicyContext) -> Iterable[str]:
    seen = [each for each in context.principals if "amazonaws.com" in each and not each.startswith("arn:")]
    known = [f"{name}.{context.suffix}" for name in _SERVICES]
    return dict.fromkeys((*seen, f"logs.{context.region}.{context.suffix}", *known))


def _everyone(_: PolicyContext) -> Iterable[str]:
    return ("*",)


_VALUES: Mapping[tuple[str, ...], Callable[[PolicyContext], Iterable[str]]] = {
    ("Version",): lambda _: (CURRENT_VERSION,),
    ("Statement", "Effect"): lambda _: (ALLOW, DENY),
    ("Statement", "Action"): _actions,
    ("Statement", "NotAction"): _actions,
    ("Statement", "Resource"): _resources,
    ("Statement", "NotResource"): _resources,
    ("Statement", "Principal"): _everyone,
    ("Statement", "NotPrincipal"): _everyone,
    ("Statement", "Principal", "AWS"): _aws_principals,
    ("Statement", "NotPrincipal", "AWS"): _aws_principals,
    ("Statement", "Principal", "Service"): _services,
    ("Statement", "NotPrincipal", "Service"): _services,
}
_ACCOUNT_KEYS = frozenset(
    {
        "kms:calleraccount",
        "aws:sourceaccount",
        "aws:principalaccount",
        "aws:resourceaccount",
        "aws:vpceaccount",
    }
)


def _condition_values(operator: str, key: str, context: PolicyContext) -> Iterable[str]:
    folded, info = key.lower(), find(key)
    spelled = operators.parse(operator)
    if info.kind == "bool" or (spelled is not None and spelled.base.family in ("bool", "null")):
        return ("true", "false")
    if info.choices:
        return info.choices
    if folded in _ACCOUNT_KEYS:
        return (context.account_id,)
    if folded == "kms:viaservice":
        # The suffix is the same in every partition (developer guide, conditions-kms).
        return [f"{name}.{context.region}.amazonaws.com" for name in _SERVICES if "." not in name]
    if folded in ("aws:principalarn", "kms:granteeprincipal", "kms:retiringprincipal"):
        return [each for each in context.principals if each.startswith("arn:")]
    if folded == "kms:grantoperations":
        return [name.partition(":")[2] for name, action in ACTIONS.items() if action.cross_account]
    if folded == "aws:requestedregion":
        return (context.region,)
    return ()
