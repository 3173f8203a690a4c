"""The principals that a key policy and its grants name, and what each may do with the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from kms_tui.kms.arn import is_account_id
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Grant
from kms_tui.kms.operations import Access
from kms_tui.policy import actions, evaluation, guard
from kms_tui.policy.actions import ACTIONS, PREFIX, PUT_KEY_POLICY, Action
from kms_tui.policy.condition_keys import OWN_ACCOUNT
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import listed, printable
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import (
    AccessRequest,
    ContextValue,
    Decision,
    Effect,
    OpenCondition,
    evaluate,
    matched,
)
from kms_tui.policy.findings import Severity
from kms_tui.policy.grant_statements import grant_statements
from kms_tui.policy.parties import NO_NETWORK, Party, parties_in, party_from_text, unnamed_contexts
from kms_tui.policy.principals import PrincipalKind

NOTHING_MORE: Mapping[str, ContextValue] = {}
_GIVES = (Effect.ALLOW, Effect.DEPENDS)


class Standing(Enum):
    """What a policy itself gives to a party; rights from IAM policies through the account do not count."""

    NOTHING = "nothing"
    ALLOWED = "allowed"
    CONDITIONAL = "allowed under conditions"
    DENIED = "denied"
    DENIED_SOMETIMES = "denied under conditions"


def decide(document: Document, party: Party, action: Action, key_arn: str) -> tuple[Standing, Decision]:
    """The party's standing by the policy itself, with every other request value left open, and why.

    Everyone does not get what conditions give only to parts of everyone, who are parties of their own.
    """
    request = AccessRequest(party.caller, action.name, key_arn, party.context)
    decision = _unnamed(document, party, request)
    if party.insider is not None and decision.effect not in _GIVES:
        inside = _unnamed(document, party, replace(request, caller=party.insider))
        if inside.effect in _GIVES:  # Everyone, if of the key's account.
            return Standing.CONDITIONAL, inside
        spares = evaluate(document, request, by_name=True).effect is not Effect.DENY
        if decision.effect is Effect.DENY and (spares or inside.effect is not Effect.DENY):
            return Standing.DENIED_SOMETIMES, _under_conditions(decision.statements, wanted=False)
    if decision.effect is Effect.NO_STATEMENT:
        described = _described(document, party, request)
        if described:
            return Standing.CONDITIONAL, _under_conditions(described, wanted=True)
    if decision.effect is not Effect.NO_STATEMENT:
        return _STANDINGS[decision.effect], decision
    through_account = evaluate(document, request)
    denies = tuple(statement for statement in through_account.statements if not statement.is_allow)
    if denies:
        conditions = tuple(each for each in through_account.conditions if not each.wanted)
        return Standing.DENIED_SOMETIMES, Decision(Effect.DEPENDS, denies, conditions)
    return Standing.NOTHING, decision


def _unnamed(
    document: Document, party: Party, request: AccessRequest, more: Mapping[str, ContextValue] = NOTHING_MORE
) -> Decision:
    """The answer to a party; to everyone, as somebody whom no condition names, with ``more`` context."""
    decision = evaluate(document, request, by_name=True)
    if party.insider is None or decision.effect is not Effect.DEPENDS:
        return decision
    tried = [
        evaluate(document, replace(request, context={**context, **more}), by_name=True)
        for context in unnamed_contexts(party)
    ]
    return decision if any(each.effect in _GIVES for each in tried) else tried[0]


def _described(
    document: Document,
    everyone: Party,
    request: AccessRequest,
    more: Mapping[str, ContextValue] = NOTHING_MORE,
) -> list[Statement]:
    """Statements that allow everyone who meets conditions on who they are, which no part shows."""
    if everyone.insider is None or not document.is_valid:
        return []
    requests = [replace(request, context={**context, **more}) for context in unnamed_contexts(everyone)]
    return [
        statement
        for statement in document.statements
        if statement.is_allow
        and statement.names(PrincipalKind.EVERYONE)
        and not statement.not_principal
        and evaluation.action_mask(statement) & ACTIONS[request.action].bit
        and evaluation.covers(document, statement, request.key_arn, request.resolve)
        and any(
            all(
                evaluation.condition_holds(test, each) is not False or _is_open_to_some(test)
                for test in statement.conditions
            )
            for each in requests
        )
        and not any(
            matched(statement, AccessRequest(part.caller, request.action, request.key_arn, part.context))
            for part in everyone.parts
        )
    ]


def _is_open_to_some(test: ConditionTest) -> bool:
    """Whether a condition on who the caller is may be met by somebody who is no party."""
    if test.key == "aws:principalarn":
        return bool(test.references) or any(text.value.count(":") < 5 for text in test.values)
    if test.key in OWN_ACCOUNT:
        return bool(test.references or test.patterns) or any(
            is_account_id(each.value) for each in test.values
        )
    return test.key in ("aws:principaltype", "aws:username", "aws:userid")


def _under_conditions(statements: Sequence[Statement], *, wanted: bool) -> Decision:
    conditions = tuple(
        OpenCondition(statement, test, wanted) for statement in statements for test in statement.conditions
    )
    return Decision(Effect.DEPENDS, tuple(statements), conditions)


_STANDINGS = {
    Effect.DENY: Standing.DENIED,
    Effect.ALLOW: Standing.ALLOWED,
    Effect.DEPENDS: Standing.CONDITIONAL,
}


def equivalent_actions(documents: Sequence[Document], candidates: Iterable[Action]) -> list[list[Action]]:
    """Groups of actions that every statement of the policies treats alike."""
    masks = [
        (statement, evaluation.action_mask(statement))
        for document in documents
        for statement in document.statements
    ]
    groups: dict[tuple[Statement, ...], list[Action]] = {}
    for action in candidates:
        about = tuple(statement for statement, mask in masks if mask & action.bit)
        groups.setdefault(about, []).append(action)
    return list(groups.values())


def key_actions() -> tuple[Action, ...]:
    """The actions that a key policy can allow."""
    return actions.in_mask(actions.KEY_ACTIONS)


def action_words(names: Sequence[Action]) -> str:
    """A short list of actions: ``kms:*`` for all of them."""
    mask = actions.mask_of(names)
    if mask & actions.FULL_CONTROL == actions.FULL_CONTROL:
        return "kms:*"
    return listed([action.name for action in names], 4)


COLUMNS = tuple(Access)


@dataclass(frozen=True, slots=True)
class AccessCell:
    """One principal's actions of one kind of access; names with their prefix.

    ``conditional`` ones are allowed only under ``conditions`` (or a grant's constraints), and
    ``denied_sometimes`` ones, which nothing here allows, are denied under some; ``of`` is the number of
    actions of this kind, without recent ones.
    """

    allowed: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    denied_sometimes: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    grants: tuple[Grant, ...] = ()
    conditions: tuple[OpenCondition, ...] = ()
    of: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.allowed or self.conditional or self.denied or self.denied_sometimes)

    @property
    def is_full(self) -> bool:
        return not self.denied and sum(not ACTIONS[name].recent for name in self.allowed) == self.of

    @property
    def is_denied(self) -> bool:
        """Whether every action of the kind is denied."""
        return bool(self.denied) and sum(not ACTIONS[name].recent for name in self.denied) == self.of

    @property
    def is_conditional(self) -> bool:
        return bool(self.conditional) and not self.allowed


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One principal. ``outside``: of another account; ``public``: everyone, of any account and from any
    network; ``delegates``: an account, whose IAM policies decide which identities get the actions.
    """

    party: Party
    cells: Mapping[Access, AccessCell]
    outside: bool
    public: bool
    delegates: bool

    @property
    def label(self) -> str:
        return self.party.label

    @property
    def gives(self) -> bool:
        """Whether anything is allowed, if only under conditions."""
        return any(cell.allowed or cell.conditional for cell in self.cells.values())

    @property
    def is_empty(self) -> bool:
        return all(cell.is_empty for cell in self.cells.values())

    @property
    def is_conditional(self) -> bool:
        """Whether every allowed action has conditions."""
        cells = [cell for cell in self.cells.values() if cell.allowed or cell.conditional]
        return bool(cells) and all(cell.is_conditional for cell in cells)


def matrix(
    document: Document,
    grants: Iterable[Grant] = (),
    *,
    account_id: str,
    partition: str = "aws",
    key_arn: str = "",
) -> tuple[AccessRow, ...]:
    """A row for the account and for each principal that the policy or a grant names, or a condition of a
    statement for everyone, if it gets something; everyone has none if all is given to such parts.

    Rights from IAM policies, through the account, appear only in the account's row.
    """
    rows = {party.text: party for party in parties_in([document], account_id, partition)}
    given: dict[str, list[Grant]] = {}
    for grant in grants:
        grantee = party_from_text(grant.grantee, account_id, partition)
        if grantee is not None:
            rows.setdefault(grantee.text, grantee)
            given.setdefault(grantee.text, []).append(grant)
    groups = equivalent_actions([document], key_actions())
    found = (
        _row(document, party, groups, given.get(text, []), account_id, key_arn)
        for text, party in rows.items()
    )
    shown = [row for row in found if not row.party.is_part or row.gives]
    giving = {row.party.text for row in shown if row.gives}
    return tuple(
        row for row in shown if not (row.is_empty and any(part.text in giving for part in row.party.parts))
    )


def _row(
    document: Document,
    party: Party,
    groups: Sequence[Sequence[Action]],
    grants: Sequence[Grant],
    account_id: str,
    key_arn: str,
) -> AccessRow:
    decisions: dict[Action, tuple[Standing, Decision]] = {}
    for group in groups:
        decisions.update(dict.fromkeys(group, decide(document, party, group[0], key_arn)))
    strangers = _reaches_strangers(document, party, groups, key_arn)
    standings = {standing for standing, _ in decisions.values()}
    public = strangers and _reaches_strangers(document, party, groups, key_arn, NO_NETWORK)
    if party.is_of_any_account or party.has_too_many_parts:
        public = Standing.ALLOWED in standings
    return AccessRow(
        party,
        {access: _cell(access, decisions, grants) for access in COLUMNS},
        outside=party.is_outside(account_id) or (strangers and not public),
        public=public,
        delegates=party.kind is PrincipalKind.ACCOUNT,
    )


def _reaches_strangers(
    document: Document,
    party: Party,
    groups: Sequence[Sequence[Action]],
    key_arn: str,
    more: Mapping[str, ContextValue] = NOTHING_MORE,
) -> bool:
    """Whether everyone includes anybody outside the key's account, with ``more`` in the request's context."""
    if party.insider is None:
        return False
    account_id = party.insider.account
    for group in groups:
        request = AccessRequest(party.caller, group[0].name, key_arn, party.context)
        found = _unnamed(document, party, request, more)
        if found.effect in _GIVES:
            return True
        if found.effect is Effect.NO_STATEMENT and any(
            _may_be_strangers(statement, account_id)
            for statement in _described(document, party, request, more)
        ):
            return True
    return False


def _may_be_strangers(statement: Statement, account_id: str) -> bool:
    """Whether no condition of a statement for everyone is on the key's account alone."""
    own = (account_id, "${aws:ResourceAccount}")
    return not any(
        test.key in OWN_ACCOUNT and all(text.value in own for text in test.values)
        for test in statement.conditions
    )


def _cell(
    access: Access, decisions: Mapping[Action, tuple[Standing, Decision]], grants: Sequence[Grant]
) -> AccessCell:
    asked = [action for action in decisions if action.access is access]
    by_standing: dict[Standing, list[str]] = {}
    statements: dict[Statement, None] = {}
    conditions: dict[OpenCondition, None] = {}
    for action in asked:
        found, decision = decisions[action]
        by_standing.setdefault(found, []).append(action.name)
        if found is not Standing.NOTHING:
            statements.update(dict.fromkeys(decision.statements))
            conditions.update(dict.fromkeys(decision.conditions))
    allowed = set(by_standing.get(Standing.ALLOWED, ()))
    conditional = set(by_standing.get(Standing.CONDITIONAL, ()))
    denied = set(by_standing.get(Standing.DENIED, ()))
    denied_sometimes = set(by_standing.get(Standing.DENIED_SOMETIMES, ()))
    behind: list[Grant] = []
    for grant in grants:
        names = {PREFIX + operation for operation in grant.operations} & {
            action.name for action in asked
        } - denied
        if names:
            behind.append(grant)
        for name in names:
            limited = name in denied_sometimes or _is_constrained(grant, name)
            (conditional if limited else allowed).add(name)
    return AccessCell(
        tuple(sorted(allowed)),
        tuple(sorted(conditional - allowed)),
        tuple(sorted(denied)),
        tuple(sorted(denied_sometimes - allowed - conditional)),
        tuple(sorted(statements, key=lambda statement: statement.index)),
        tuple(behind),
        tuple(conditions),
        sum(1 for action in asked if not action.recent),
    )


def _is_constrained(grant: Grant, action: str) -> bool:
    """Whether a grant's constraints limit an action: an encryption context limits only what has one."""
    return bool(grant.constraints) and any(
        each.statement.conditions for each in grant_statements((grant,), action)
    )


_NO_CONTROL = frozenset(
    {"no-account-control", "denied-control", "unmeetable-control", "too-complex", "no-account"}
)
_LIMITED_CONTROL = {
    "root-only": "The root user alone",
    "root-denied": "Administrators of the account, under conditions, but not its root user",
    "conditional-control": "The account, under conditions",
    "until-date": "The account, for some time",
    "resource-unknown": "The account, if the statement is about this key",
}


def who_can_change(document: Document, *, account_id: str, partition: str = "aws", key_arn: str = "") -> str:
    """One sentence on who could still change the policy."""
    if not document.is_valid:
        return "The policy cannot be read, so it is not known who could change it."
    result = guard.check(document.text, account_id=account_id, partition=partition, key_arn=key_arn or None)
    found = {finding.rule for finding in result.findings if finding.severity is not Severity.INFO}
    others = _named_changers(document, account_id, partition, key_arn)
    if found & _NO_CONTROL:
        return f"Only {listed(others)}, no longer the account itself." if others else "Nobody in the account."
    rule = next((rule for rule in _LIMITED_CONTROL if rule in found), None)
    who = _LIMITED_CONTROL[rule] if rule else "The account (its root user and IAM administrators)"
    return f"{who}{', and ' + listed(others) if others else ''}."


def _named_changers(document: Document, account_id: str, partition: str, key_arn: str) -> list[str]:
    """The labels of the parties that are given kms:PutKeyPolicy by name."""
    put = ACTIONS[PUT_KEY_POLICY]
    labels: list[str] = []
    for party in parties_in([document], account_id, partition)[1:]:
        found, _ = decide(document, party, put, key_arn)
        if party.kind is not PrincipalKind.EVERYONE and not party.is_outside(account_id):
            if found is Standing.ALLOWED:
                labels.append(printable(party.label))
            elif found is Standing.CONDITIONAL:
                labels.append(f"{printable(party.label)} under conditions")
    return labels


def users_of(rows: Iterable[AccessRow]) -> int:
    """The number of principals, without the key's account and all kinds of everyone, that may use the key by
    name or by grant.
    """
    return sum(
        1
        for row in rows
        if (row.outside or not row.delegates)
        and row.party.kind is not PrincipalKind.EVERYONE
        and (row.cells[Access.USE].allowed or row.cells[Access.USE].conditional)
    )


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """Who may do what by a policy; ``grants`` says whether the grants are in it."""

    document: Document
    rows: tuple[AccessRow, ...]
    who_can_change: str
    grants: Fact[list[Grant]]


NO_GRANTS: Known[list[Grant]] = Known([])


def access_facts(
    document: Document,
    *,
    account_id: str,
    partition: str,
    key_arn: str,
    grants: Fact[list[Grant]] = NO_GRANTS,
) -> AccessFacts:
    """The matrix by a policy, and by grants as far as they are known."""
    held = grants.value if isinstance(grants, Known) else ()
    rows = matrix(document, held, account_id=account_id, partition=partition, key_arn=key_arn)
    changers = who_can_change(document, account_id=account_id, partition=partition, key_arn=key_arn)
    return AccessFacts(document, rows, changers, grants)
