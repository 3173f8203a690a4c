"""Principals and what they may do with a key, from its policy and its grants together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kms_tui.kms.model import Grant
from kms_tui.kms.operations import Access
from kms_tui.policy import guard, parties
from kms_tui.policy.actions import ACTIONS, PREFIX, PUT_KEY_POLICY, Action
from kms_tui.policy.describe import listed, printable
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import Decision, OpenCondition
from kms_tui.policy.findings import Severity
from kms_tui.policy.parties import Party, Standing
from kms_tui.policy.principals import PrincipalKind

COLUMNS = tuple(Access)


@dataclass(frozen=True, slots=True)
class AccessCell:
    """What one principal may do of one kind; action names with their prefix.

    ``conditional`` are allowed under ``conditions`` (or a grant's constraints) only; ``of`` is how many
    there are of the kind, recent ones apart.
    """

    allowed: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    grants: tuple[Grant, ...] = ()
    conditions: tuple[OpenCondition, ...] = ()
    of: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.allowed or self.conditional or self.denied)

    @property
    def is_full(self) -> bool:
        return sum(not ACTIONS[name].recent for name in self.allowed) == self.of

    @property
    def is_conditional(self) -> bool:
        return bool(self.conditional) and not self.allowed


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One principal. ``outside`` marks another account's, ``public`` everyone, ``delegates`` an account: its
    IAM policies decide who in it gets this.
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
    def is_conditional(self) -> bool:
        """Whether nothing of it comes without conditions."""
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
    """A row for the account and for everyone whom the policy or a grant names.

    What a principal gets through IAM policies, by way of its account, stands in the account's row alone.
    """
    rows = {party.text: party for party in parties.parties([document], account_id, partition)}
    given: dict[str, list[Grant]] = {}
    for grant in grants:
        grantee = parties.named_by_text(grant.grantee, account_id, partition)
        if grantee is not None:
            rows.setdefault(grantee.text, grantee)
            given.setdefault(grantee.text, []).append(grant)
    groups = parties.alike([document], parties.key_actions())
    return tuple(
        _row(document, party, groups, given.get(text, []), account_id, key_arn)
        for text, party in rows.items()
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
        decisions.update(dict.fromkeys(group, parties.decide(document, party, group[0], key_arn)))
    return AccessRow(
        party,
        {access: _cell(access, decisions, grants) for access in COLUMNS},
        outside=party.is_outside(account_id),
        public=party.kind is PrincipalKind.EVERYONE,
        delegates=party.kind is PrincipalKind.ACCOUNT,
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
    behind: list[Grant] = []
    for grant in grants:
        names = {PREFIX + operation for operation in grant.operations} & {
            action.name for action in asked
        } - denied
        if names:
            behind.append(grant)
            (conditional if grant.constraints else allowed).update(names)
    return AccessCell(
        tuple(sorted(allowed)),
        tuple(sorted(conditional - allowed)),
        tuple(sorted(denied)),
        tuple(sorted(statements, key=lambda statement: statement.index)),
        tuple(behind),
        tuple(conditions),
        sum(1 for action in asked if not action.recent),
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
        return "The policy cannot be read, so nobody can tell who could change it."
    result = guard.check(document.text, account_id=account_id, partition=partition, key_arn=key_arn or None)
    found = {finding.rule for finding in result.findings if finding.severity is not Severity.INFO}
    others = _named_changers(document, account_id, partition, key_arn)
    if found & _NO_CONTROL:
        return f"Only {listed(others)}, no longer the account itself." if others else "Nobody in the account."
    rule = next((rule for rule in _LIMITED_CONTROL if rule in found), None)
    who = _LIMITED_CONTROL[rule] if rule else "The account (its root user and IAM administrators)"
    return f"{who}{', and ' + listed(others) if others else ''}."


def _named_changers(document: Document, account_id: str, partition: str, key_arn: str) -> list[str]:
    """The labels of those who are given kms:PutKeyPolicy by name."""
    put = ACTIONS[PUT_KEY_POLICY]
    labels: list[str] = []
    for party in parties.parties([document], account_id, partition)[1:]:
        found, _ = parties.decide(document, party, put, key_arn)
        if party.kind is not PrincipalKind.EVERYONE and not party.is_outside(account_id):
            if found is Standing.ALLOWED:
                labels.append(printable(party.label))
            elif found is Standing.CONDITIONAL:
                labels.append(f"{printable(party.label)} under conditions")
    return labels


def users_of(rows: Iterable[AccessRow]) -> int:
    """How many principals other than the account may use the key, by name or by grant."""
    return sum(
        1
        for row in rows
        if not row.delegates and (row.cells[Access.USE].allowed or row.cells[Access.USE].conditional)
    )
