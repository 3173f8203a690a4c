"""Parses policy text to a ``Document`` of statements, each part with its place, by IAM's grammar.

Source: the IAM user guide (reference_policies_grammar, reference_policies_elements) and, for key policies,
the KMS developer guide (key-policy-overview, conditions-kms; tag-authorization and abac for the keys that
only IAM policies take) and PutKeyPolicy in the service model. PutKeyPolicy answers
MalformedPolicyDocumentException to those keys (awsdocs/aws-kms-developer-guide#47).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kms_tui.policy import condition_keys, json_reader, operators, principals
from kms_tui.policy.actions import lowered
from kms_tui.policy.conditions import ConditionTest, Text
from kms_tui.policy.describe import quoted
from kms_tui.policy.json_reader import Lines, Span
from kms_tui.policy.principals import Principal, PrincipalKind

MAX_BYTES = 131_072
"""PolicyType's maximum in the service model."""
QUOTA_BYTES = 32_768
"""The KMS quota on a key policy document, in bytes (LimitExceededException beyond it)."""
ALLOW, DENY = "Allow", "Deny"
CURRENT_VERSION = "2012-10-17"
VERSIONS = (CURRENT_VERSION, "2008-10-17")

_ACTION = re.compile(r"(?:\*+|[A-Za-z0-9*?-]+:.*)\Z", re.DOTALL)
"""An action is a vendor, a colon and a name; or ``*`` for everything."""
_FOREIGN_CHARACTER = re.compile(r"[^\t\n\r\x20-\xff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is not a policy; ``statement`` is the 0-based index of the statement with the problem."""

    rule: str
    sentence: str
    span: Span
    statement: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement of a policy. ``index`` counts from 0; ``elements`` are the places of its elements' names.

    ``principals`` are those of Principal, or of NotPrincipal if ``not_principal``; likewise the others. An
    identity policy's statements have no principals.
    """

    index: int
    effect: str
    sid: str
    span: Span
    elements: Mapping[str, Span]
    principals: tuple[Principal, ...] = ()
    not_principal: bool = False
    actions: tuple[Text, ...] = ()
    not_action: bool = False
    resources: tuple[Text, ...] = ()
    not_resource: bool = False
    conditions: tuple[ConditionTest, ...] = ()

    @property
    def is_allow(self) -> bool:
        return self.effect == ALLOW

    @property
    def label(self) -> str:
        """The statement's Sid, or its number counted from 1."""
        return self.sid or f"statement {self.index + 1}"

    def names(self, kind: PrincipalKind) -> bool:
        """Whether it names a principal of that kind (under Principal or NotPrincipal)."""
        return any(principal.kind is kind for principal in self.principals)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A policy: its text, its statements, and the problems that make it invalid."""

    text: str
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    version: str
    lines: Lines
    end: Span
    """The last character: the place of problems about a missing part."""

    @property
    def is_valid(self) -> bool:
        return not self.problems

    def place(self, span: Span) -> tuple[int, int]:
        """1-based line and column of a span's start."""
        return self.lines.place(span.start)


def parse(
    text: str, *, partition: str | None = None, identity: bool = False, outside_kms: bool = False
) -> Document:
    """The document of a key policy, or with ``identity`` of an IAM identity policy; never raises.

    With ``partition``, a principal of another partition is a problem. ``outside_kms`` takes what KMS would
    not: any character, every condition key, and statements that name no principal. So one reads resource
    control and VPC endpoint policies, and with ``identity`` service control policies.
    """
    problems = [] if outside_kms else [*_characters(text)]
    reader = _Reader(problems, partition, identity, outside_kms)
    try:
        reader.policy(json_reader.read(text))
    except json_reader.ScanError as error:
        if not any(problem.span == error.span for problem in problems):
            problems.append(Problem(error.rule, str(error), error.span))
    return Document(
        text,
        tuple(reader.statements),
        tuple(problems),
        reader.version,
        Lines(text),
        Span(max(len(text.rstrip()) - 1, 0), len(text.rstrip())),
    )


def _characters(text: str) -> Iterator[Problem]:
    for match in _FOREIGN_CHARACTER.finditer(text):
        code = ord(match.group())
        what = "a byte order mark" if code == 0xFEFF else f"U+{code:04X}"
        sentence = f"KMS takes tab, line breaks and the characters U+0020 to U+00FF only; this is {what}."
        yield Problem("character", sentence, Span(*match.span()))
        return


_EXCLUSIVE = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))


class _Reader:
    """Walks the JSON once and notes every problem."""

    def __init__(
        self, problems: list[Problem], partition: str | None, identity: bool, outside_kms: bool
    ) -> None:
        self.statements: list[Statement] = []
        self.version = ""
        self._problems = problems
        self._partition = partition
        self._identity = identity
        self._outside_kms = outside_kms
        self._index: int | None = None

    def _problem(self, sentence: str, span: Span, rule: str = "malformed") -> None:
        self._problems.append(Problem(rule, sentence, span, self._index))

    def policy(self, root: json_reader.Value) -> None:
        if not isinstance(root, json_reader.Object):
            self._problem("A policy is a JSON object with Version and Statement.", root.span)
            return
        members = {member.key.value: member.value for member in root.members}
        for member in root.members:
            if member.key.value not in ("Version", "Id", "Statement"):
                self._problem(f"A policy has no element {quoted(member.key.value)}.", member.key.span)
        self._version(members.get("Version"))
        if "Id" in members:
            self._string(members["Id"], "Id")
        self._statement_list(members.get("Statement"), root.span)

    def _version(self, value: json_reader.Value | None) -> None:
        if value is None:
            return
        if isinstance(value, json_reader.String) and value.value in VERSIONS:
            self.version = value.value
        else:
            self._problem('Version must be "2012-10-17" (or the old "2008-10-17").', value.span, "version")

    def _statement_list(self, value: json_reader.Value | None, whole: Span) -> None:
        items = value.items if isinstance(value, json_reader.Array) else (value,)
        if value is None or not items:
            self._problem("The policy has no statements.", value.span if value else whole)
            return
        for index, item in enumerate(items):
            self._index = index
            if isinstance(item, json_reader.Object):
                self.statements.append(self._statement(index, item))
            elif item is not None:
                self._problem(
                    "A statement is a JSON object with Effect, Principal, Action and Resource.", item.span
                )
        self._index = None

    def _statement(self, index: int, node: json_reader.Object) -> Statement:
        members = {member.key.value: member for member in node.members}
        elements = {name: member.key.span for name, member in members.items()}
        for name, member in members.items():
            if name not in _ELEMENTS:
                self._problem(f"A statement has no element {quoted(name)}.", member.key.span)
        for one, other in _EXCLUSIVE:
            if one in members and other in members:
                self._problem(f"{one} and {other} cannot be in one statement.", elements[other])

        def value(name: str) -> json_reader.Value | None:
            member = members.get(name)
            return member.value if member else None

        effect = self._effect(value("Effect"), node.span)
        return Statement(
            index=index,
            effect=effect,
            sid=self._string(members["Sid"].value, "Sid") if "Sid" in members else "",
            span=node.span,
            elements=elements,
            principals=self._who(value("Principal"), value("NotPrincipal"), effect, node.span, elements),
            not_principal="NotPrincipal" in members,
            actions=self._actions(value("Action") or value("NotAction")),
            not_action="NotAction" in members,
            resources=self._texts(value("Resource") or value("NotResource"), "Resource"),
            not_resource="NotResource" in members,
            conditions=self._conditions(value("Condition")),
        )

    def _effect(self, value: json_reader.Value | None, whole: Span) -> str:
        if isinstance(value, json_reader.String) and value.value in (ALLOW, DENY):
            return value.value
        self._problem('Effect must be exactly "Allow" or "Deny".', value.span if value else whole, "effect")
        return DENY

    def _string(self, value: json_reader.Value, name: str) -> str:
        if isinstance(value, json_reader.String):
            self._check_surrogates(value)
            return value.value
        self._problem(f"{name} must be a string.", value.span)
        return ""

    def _check_surrogates(self, value: json_reader.String) -> None:
        if not value.value.isascii() and any("\ud800" <= char <= "\udfff" for char in value.value):
            self._problem("Half of a surrogate pair stands alone in this string.", value.span, "character")

    def _texts(self, value: json_reader.Value | None, name: str) -> tuple[Text, ...]:
        """A string or a list of strings, as in Action and Resource."""
        if value is None:
            return ()
        items = value.items if isinstance(value, json_reader.Array) else (value,)
        return tuple(Text(self._string(item, name), item.span) for item in items)

    def _actions(self, value: json_reader.Value | None) -> tuple[Text, ...]:
        actions = self._texts(value, "Action")
        for text in actions:
            if not _ACTION.match(text.value):
                sentence = (
                    f"{quoted(text.value)} is not an action: it needs a service and a colon, as kms:Decrypt."
                )
                self._problem(sentence, text.span, "action")
        return actions

    def _who(
        self,
        principal: json_reader.Value | None,
        excluded: json_reader.Value | None,
        effect: str,
        whole: Span,
        elements: Mapping[str, Span],
    ) -> tuple[Principal, ...]:
        value = principal or excluded
        if self._identity:
            if value is not None:
                self._problem("An identity policy names no principal.", value.span, "principal")
            return ()
        if value is None:
            if not self._outside_kms:
                self._problem("The statement names no principal.", whole, "principal")
            return ()
        if excluded is not None and effect == ALLOW:
            sentence = "NotPrincipal with Allow would admit everyone else; it is not supported."
            self._problem(sentence, elements["NotPrincipal"], "principal")
        found = tuple(self._principals(value))
        if not found and not any(problem.statement == self._index for problem in self._problems):
            self._problem("The statement names no principal.", value.span, "principal")
        return found

    def _principals(self, value: json_reader.Value) -> Iterator[Principal]:
        if isinstance(value, json_reader.String) and value.value == "*":
            yield Principal(PrincipalKind.EVERYONE, "*", value.span)
        elif not isinstance(value, json_reader.Object):
            self._problem('Principal must be "*" or an object such as {"AWS": "…"}.', value.span, "principal")
        else:
            for key, listed in value.members:
                if key.value in principals.TYPES:
                    yield from self._principal_list(key.value, listed)
                else:
                    sentence = (
                        f"{quoted(key.value)} is not a type of principal; use AWS, Service or Federated."
                    )
                    self._problem(sentence, key.span, "principal")

    def _principal_list(self, principal_type: str, value: json_reader.Value) -> Iterator[Principal]:
        items = value.items if isinstance(value, json_reader.Array) else (value,)
        if not items:
            self._problem("The list of principals is empty.", value.span, "principal")
        for item in items:
            text = self._string(item, "A principal") if isinstance(item, json_reader.String) else None
            found = (
                principals.parse(principal_type, text, item.span)
                if text is not None
                else "it must be a string"
            )
            if isinstance(found, str):
                what = quoted(text) if text is not None else "This"
                self._problem(f"{what} cannot be a principal: {found}.", item.span, "principal")
            elif self._partition and found.partition not in ("", self._partition):
                sentence = (
                    f"{quoted(found.text)} is of partition {found.partition}, the key of {self._partition}."
                )
                self._problem(sentence, item.span, "principal")
            else:
                yield found

    def _conditions(self, value: json_reader.Value | None) -> tuple[ConditionTest, ...]:
        if value is None:
            return ()
        if not isinstance(value, json_reader.Object):
            self._problem("Condition must be an object of operators.", value.span, "condition")
            return ()
        return tuple(test for key, keyed in value.members for test in self._operator(key, keyed))

    def _operator(self, name: json_reader.String, value: json_reader.Value) -> Iterator[ConditionTest]:
        spelled = operators.parse(name.value)
        if spelled is None:
            self._problem(f"There is no condition operator {quoted(name.value)}.", name.span, "operator")
            return
        if not isinstance(value, json_reader.Object):
            self._problem("A condition operator holds an object of condition keys.", value.span, "condition")
            return
        seen: set[str] = set()
        for key, listed in value.members:
            folded = lowered(key.value)
            if folded in seen:
                sentence = f"{quoted(key.value)} is given twice: names of condition keys ignore case."
                self._problem(sentence, key.span, "duplicate-key")
            seen.add(folded)
            info = condition_keys.find(key.value)
            self._permitted(spelled, info, key)
            yield ConditionTest(
                operator=spelled,
                key=folded,
                key_text=key.value,
                key_info=info,
                values=self._condition_values(listed),
                variables=self.version == CURRENT_VERSION,
                span=Span(key.span.start, listed.span.end),
            )

    def _permitted(
        self, operator: operators.Spelled, info: condition_keys.ConditionKey, key: json_reader.String
    ) -> None:
        """Note conditions that IAM's grammar has and that KMS refuses in a key policy."""
        if self._identity or self._outside_kms:
            return
        if info.iam_only:
            sentence = (
                f"KMS takes {quoted(key.value)} only in IAM policies, and refuses a key policy with it."
            )
            self._problem(sentence, key.span, "not-in-key-policies")
        elif operator.qualifier == operators.FOR_ALL and info.name in _NEVER_FOR_ALL:
            sentence = f"KMS refuses ForAllValues with {quoted(key.value)}, a key of one value: leave it out."
            self._problem(sentence, key.span, "overly-permissive")

    def _condition_values(self, value: json_reader.Value) -> tuple[Text, ...]:
        items = value.items if isinstance(value, json_reader.Array) else (value,)
        return tuple(text for item in items for text in self._condition_value(item))

    def _condition_value(self, item: json_reader.Value) -> Iterator[Text]:
        if isinstance(item, json_reader.String):
            self._check_surrogates(item)
            yield Text(item.value, item.span)
        elif isinstance(item, json_reader.Number):
            yield Text(item.text, item.span)
        elif isinstance(item, json_reader.Constant) and item.value is not None:
            yield Text("true" if item.value else "false", item.span)
        else:
            self._problem("A condition value is a string, a number or a boolean.", item.span, "condition")


_NEVER_FOR_ALL = ("kms:EncryptionContext:", "aws:RequestTag/")
"""Keys for which PutKeyPolicy answers OverlyPermissiveCondition to ForAllValues (conditions-kms)."""
_ELEMENTS = frozenset(
    (
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    )
)
