"""What may be typed at a place in a policy, while it is being written and need not be JSON yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kms_tui.policy import actions, keys, principals
from kms_tui.policy.document import ALLOW, DENY, VERSIONS
from kms_tui.policy.operators import IF_EXISTS, OPERATORS, QUALIFIERS

MAX_OPTIONS = 40
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[{}\[\]:,]')

DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
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
ACTION_PATTERNS = (
    "kms:*",
    "kms:Create*",
    "kms:Delete*",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:GenerateDataKey*",
    "kms:Get*",
    "kms:List*",
    "kms:Put*",
    "kms:ReEncrypt*",
    "kms:Revoke*",
    "kms:Update*",
)
SERVICES = (
    "cloudtrail.amazonaws.com",
    "cloudwatch.amazonaws.com",
    "config.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "dynamodb.amazonaws.com",
    "events.amazonaws.com",
    "lambda.amazonaws.com",
    "logs.amazonaws.com",
    "rds.amazonaws.com",
    "s3.amazonaws.com",
    "secretsmanager.amazonaws.com",
    "sns.amazonaws.com",
    "sqs.amazonaws.com",
)


@dataclass(frozen=True, slots=True)
class Completions:
    """What may stand at the cursor: ``options`` replace the text from ``start`` to ``end``, inside quotes.

    ``in_string`` says whether the cursor is inside quotes already; where it is not, an option needs them.
    """

    start: int
    end: int
    options: tuple[str, ...]
    in_string: bool


@dataclass(slots=True)
class _Frame:
    """An open bracket: of an object with the names it has so far, or of an array."""

    is_object: bool
    name: str = ""
    names: list[str] = field(default_factory=list)
    expects_value: bool = False


def complete(text: str, offset: int, *, identities: Sequence[str] = (), account_id: str = "") -> Completions:
    """The options at a cursor, best first; none where anything may stand, or nothing.

    ``identities`` are principals to offer: the ARNs seen in the account.
    """
    frames: list[_Frame] = []
    start, end, in_string = offset, offset, False
    for match in _TOKEN.finditer(text):
        if match.start() >= offset:
            break
        token = match.group()
        if token[0] == '"' and (match.end() > offset or len(token) == 1 or token[-1] != '"'):
            start, in_string = match.start() + 1, True
            end = match.end() - (len(token) > 1 and token[-1] == '"')
            break
        _step(frames, token)
    path = [frame.name for frame in frames if frame.is_object]
    if not frames:
        return Completions(start, end, (), in_string)
    frame = next((each for each in reversed(frames) if each.is_object), frames[-1])
    if frames[-1].is_object and not frames[-1].expects_value:
        candidates = [name for name in _names(path[:-1]) if name not in frame.names]
    else:
        candidates = list(_values(path, identities, account_id))
    typed = text[start:offset] if in_string else ""
    return Completions(start, max(end, start), _ranked(candidates, typed), in_string)


def _step(frames: list[_Frame], token: str) -> None:
    top = frames[-1] if frames else None
    if token in "{[":
        frames.append(_Frame(token == "{"))
    elif token in "}]":
        if frames:
            frames.pop()
        if frames and frames[-1].is_object:
            frames[-1].expects_value = False
    elif top is None or not top.is_object:
        return
    elif token == ":":
        top.expects_value = True
    elif token == ",":
        top.expects_value, top.name = False, ""
    elif not top.expects_value:
        top.name = token[1:-1]
        top.names.append(top.name)


def _names(path: Sequence[str]) -> Iterable[str]:
    """The names of elements that an object at this path may have."""
    if not path:
        return DOCUMENT_ELEMENTS
    depth = len(path) - 1 if path[0] == "Statement" else -1
    if depth == 0:
        return STATEMENT_ELEMENTS
    if depth == 1:
        if path[1] in ("Principal", "NotPrincipal"):
            return principals.TYPES
        return _operator_names() if path[1] == "Condition" else ()
    if depth == 2 and path[1] == "Condition":
        return [*keys.KEYS, *keys.FAMILIES]
    return ()


def _operator_names() -> Iterator[str]:
    yield from OPERATORS
    yield from (name + IF_EXISTS for name in OPERATORS if name != "Null")
    yield from (f"{qualifier}:{name}" for qualifier in QUALIFIERS for name in OPERATORS if name != "Null")


def _values(path: Sequence[str], identities: Sequence[str], account_id: str) -> Iterator[str]:
    """The values that the last name of the path may have."""
    if path == ["Version"]:
        yield from VERSIONS
    if len(path) < 2 or path[0] != "Statement":
        return
    if len(path) == 2:
        yield from _ELEMENT_VALUES.get(path[1], tuple)()
    elif len(path) == 3 and path[1] in ("Principal", "NotPrincipal"):
        yield from (*identities, "*") if path[2] == principals.AWS else ()
        yield from SERVICES if path[2] == principals.SERVICE else ()
    elif len(path) == 4 and path[1] == "Condition":
        yield from _condition_values(path[2], path[3], identities, account_id)


def _action_values() -> tuple[str, ...]:
    return (*ACTION_PATTERNS, *(action.name for action in actions.in_mask(actions.KEY_ACTIONS)))


_ELEMENT_VALUES: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "Effect": lambda: (ALLOW, DENY),
    "Action": _action_values,
    "NotAction": _action_values,
    "Resource": lambda: ("*",),
    "NotResource": lambda: ("*",),
    "Principal": lambda: ("*",),
}


def _condition_values(operator: str, key: str, identities: Sequence[str], account_id: str) -> Iterator[str]:
    info = keys.find(key)
    if info.kind == "bool" or operator.endswith("Null"):
        yield from ("true", "false")
    yield from info.choices if info.kind != "bool" else ()
    if key.lower() in ("kms:calleraccount", "aws:principalaccount", "aws:sourceaccount") and account_id:
        yield account_id
    if key.lower() == "aws:principalarn":
        yield from identities
    if key.lower() == "aws:principalservicename":
        yield from SERVICES


def _ranked(candidates: Iterable[str], typed: str) -> tuple[str, ...]:
    """Candidates that begin with what is typed, then those that hold it, in any case."""
    folded = typed.lower()
    unique = list(dict.fromkeys(candidates))
    begins = [each for each in unique if each.lower().startswith(folded)]
    holds = [each for each in unique if folded in each.lower() and each not in begins]
    return tuple([*begins, *holds][:MAX_OPTIONS])
