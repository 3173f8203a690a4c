"""Which statements of a key policy, and which grants, apply to a recorded request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kms_tui.evidence.change_replay.key_changes import KeyAccess
from kms_tui.evidence.change_replay.request_conditions import access_request, holds
from kms_tui.evidence.request_history.recorded_request import Context, RecordedRequest
from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.actions import lowered
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import AccessRequest, action_mask, covers, named_via
from kms_tui.policy.grant_statements import GrantStatement, grant_statements
from kms_tui.policy.principals import Caller, PrincipalKind

OpenFact = tuple[str, str, tuple[str, ...]]
"""A condition that a record leaves open: its operator, key and values. Alike ones are one fact."""


@dataclass(frozen=True, slots=True)
class Applying:
    """The statements and grants that apply, each with the facts that must hold for it."""

    statements: tuple[tuple[Statement, frozenset[OpenFact]], ...]
    grants: tuple[tuple[Grant, frozenset[OpenFact]], ...]

    @property
    def lets_in(self) -> bool:
        """Whether anything may allow the request."""
        return bool(self.grants) or any(statement.is_allow for statement, _ in self.statements)

    @property
    def identity(self) -> tuple[object, ...]:
        """A value that is the same for what judges alike."""
        return self.statements, tuple((grant.grant_id, facts) for grant, facts in self.grants)

    @property
    def facts(self) -> frozenset[OpenFact]:
        """All facts on which something depends."""
        return frozenset().union(*(facts for _, facts in (*self.statements, *self.grants)))


class KeyStatements:
    """The statements and grants of one key; what is the same for many requests is found once."""

    def __init__(self, access: KeyAccess) -> None:
        self.access = access
        self._relevant: dict[tuple[Caller, str], tuple[Statement, ...]] = {}
        self._by_action: dict[str, tuple[GrantStatement, ...]] = {}
        self._granted: dict[tuple[Caller, str], tuple[GrantStatement, ...]] = {}

    @cached_property
    def keys(self) -> frozenset[str]:
        """The condition keys, in lower case, that its policy and grants ask for."""
        found = {key for test in self.access.tests for key in (test.key, *test.references)}
        for operation in {name for grant in self.access.grants for name in grant.operations}:
            for _, statement in self._grants(f"{actions.PREFIX}{operation}"):
                found.update(test.key for test in statement.conditions)
        return frozenset(found)

    def _grants(self, action: str) -> tuple[GrantStatement, ...]:
        """What the grants allow of an action."""
        if action not in self._by_action:
            self._by_action[action] = grant_statements(self.access.grants, action)
        return self._by_action[action]

    def request(
        self, recorded: RecordedRequest, caller: Caller, further: Sequence[Document] = ()
    ) -> AccessRequest:
        """The recorded request as this key's policy judges it, and further policies."""
        moved = replace(recorded, key_arn=self.access.key_arn)
        tests = (test for document in further for each in document.statements for test in each.conditions)
        asked = {key for test in tests for key in (test.key, *test.references)}
        return access_request(moved, caller, self.keys | asked, self.access.facts)

    def applying(self, judged: AccessRequest, context: Context | None) -> Applying:
        """What applies to a request, or would under open facts."""
        place = (judged.caller, judged.action)
        if place not in self._relevant:
            self._relevant[place] = tuple(_relevant(self.access.policy, judged))
            self._granted[place] = tuple(
                each
                for each in self._grants(judged.action)
                if named_via(each.statement, judged.caller) is not None
            )
        statements = ((each, _facts(each, judged, context)) for each in self._relevant[place])
        grants = ((each, _facts(each.statement, judged, context)) for each in self._granted[place])
        return Applying(
            tuple((each, facts) for each, facts in statements if facts is not None),
            tuple((each.grant, facts) for each, facts in grants if facts is not None),
        )


def _relevant(document: Document, judged: AccessRequest) -> Iterator[Statement]:
    """The statements with the action, the key and the caller of a request."""
    action = actions.find(judged.action)
    if action is None or not document.is_valid:
        return
    for statement in document.statements:
        if (
            action_mask(statement) & action.bit
            and covers(document, statement, judged.key_arn, judged.resolve)
            and named_via(statement, judged.caller) is not None
        ):
            yield statement


def _facts(
    statement: Statement, judged: AccessRequest, context: Context | None
) -> frozenset[OpenFact] | None:
    """The open facts of a statement's conditions; None if one does not hold."""
    found: list[OpenFact] = []
    for test in statement.conditions:
        result = holds(test, judged, context)
        if result is False:
            return None
        if result is None:
            found.append(fact_of(test))
    return frozenset(found)


def fact_of(test: ConditionTest) -> OpenFact:
    """What a condition asks, whatever statement it stands in."""
    operator = f"{test.operator.qualifier}:{test.operator.base.name}:{test.operator.if_exists}"
    return operator, test.key_text, tuple(sorted(text.value for text in test.values))


def first_failing(
    statement: Statement, judged: AccessRequest, context: Context | None
) -> ConditionTest | None:
    """The first condition that does not hold, or may not."""
    return next((test for test in statement.conditions if holds(test, judged, context) is not True), None)


def named_identities(documents: Sequence[Document], grants: Sequence[Grant], account: str) -> Iterator[str]:
    """The ARNs of an account's users and roles that policies and grants name."""
    for document in documents:
        for statement in document.statements:
            for principal in statement.principals:
                if principal.is_identity and principal.account == account:
                    yield principal.text
    for grant in grants:
        if f":{account}:" in grant.grantee:
            yield grant.grantee


def named_services(documents: Sequence[Document], service: str, region: str) -> Iterator[str]:
    """The service principals in policies that may be a service: with or without the Region in its name.

    A key policy for CloudWatch Logs names ``logs.eu-west-1.amazonaws.com``, a record may name the service
    without the Region. Source: the CloudWatch Logs user guide (encrypt-log-data-kms).
    """
    anywhere = _without_region(service, region)
    for document in documents:
        for statement in document.statements:
            for principal in statement.principals:
                if (
                    principal.kind is PrincipalKind.SERVICE
                    and _without_region(principal.name, region) == anywhere
                ):
                    yield principal.text


def _without_region(service: str, region: str) -> str:
    return lowered(service).replace(f".{region}.", ".")
