"""The principals that a key policy and its grants name, and what each may do with the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Grant
from kms_tui.kms.operations import Access
from kms_tui.policy import actions, evaluation, guard, principals
from kms_tui.policy.actions import ACTIONS, PREFIX, PUT_KEY_POLICY, Action
from kms_tui.policy.describe import listed, printable
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import AccessRequest, Decision, Effect, OpenCondition, evaluate
from kms_tui.policy.findings import Severity
from kms_tui.policy.grant_statements import grant_statements
from kms_tui.policy.json_reader import Span
from kms_tui.policy.principals import Caller, Principal, PrincipalKind

_STRANGER_ACCOUNT = "999999999999"
_GIVES = (Effect.ALLOW, Effect.DEPENDS)


@dataclass(frozen=True, slots=True)
class Party:
    """A principal, an account or everyone: ``text`` as a policy writes it, ``label`` for people.

    Everyone is a stranger first, and then an ``insider``, an identity of the key's own account.
    """

    text: str
    label: str
    kind: PrincipalKind
    caller: Caller
    context: Mapping[str, str] = field(default_factory=dict)
    insider: Caller | None = None

    @property
    def account(self) -> str:
        """The party's account; "" for a service, everyone, and a unique id."""
        return (
            ""
            if self.kind in (PrincipalKind.SERVICE, PrincipalKind.EVERYONE, PrincipalKind.UNIQUE_ID)
            else self.caller.account
        )

    def is_outside(self, account_id: str) -> bool:
        return self.account not in ("", account_id)


class Standing(Enum):
    """What a policy itself gives to a party; rights from IAM policies through the account do not count."""

    NOTHING = "nothing"
    ALLOWED = "allowed"
    CONDITIONAL = "allowed under conditions"
    DENIED = "denied"
    DENIED_SOMETIMES = "denied under conditions"


_RANK = (
    PrincipalKind.ACCOUNT,
    PrincipalKind.EVERYONE,
    PrincipalKind.ROLE,
    PrincipalKind.USER,
    PrincipalKind.SESSION,
    PrincipalKind.FEDERATED_USER,
    PrincipalKind.UNIQUE_ID,
)


def parties_in(documents: Iterable[Document], account_id: str, partition: str = "aws") -> list[Party]:
    """All parties that the policies name: the key's account first (named or not), then by kind and name."""
    found: dict[str, Party] = {}
    own = account(account_id, partition, account_id)
    for document in documents:
        for statement in document.statements:
            for principal in statement.principals:
                party = _party(principal, account_id, partition)
                if party is not None and party.text != own.text:
                    found.setdefault(party.text, party)
    return [own, *sorted(found.values(), key=lambda party: _order(party, account_id))]


def _order(party: Party, account_id: str) -> tuple[bool, int, str]:
    rank = _RANK.index(party.kind) if party.kind in _RANK else len(_RANK)
    return party.is_outside(account_id), rank, party.label


def account(number: str, partition: str, account_id: str) -> Party:
    """An account: its root user, and the identities that its IAM policies allow."""
    arn = f"arn:{partition}:iam::{number}:root"
    label = "root" if number == account_id else f"account {number}"
    return Party(arn, label, PrincipalKind.ACCOUNT, Caller.parse(arn))


def party_from_text(text: str, account_id: str, partition: str = "aws") -> Party | None:
    """The party of an ARN, an account id, a service principal or "*", as grants and people write them."""
    found = principals.parse(principals.AWS, text, Span(0, 0))
    if isinstance(found, str):
        found = principals.parse(principals.SERVICE, text, Span(0, 0))
    return None if isinstance(found, str) else _party(found, account_id, partition)


def _party(principal: Principal, account_id: str, partition: str) -> Party | None:
    if principal.kind is PrincipalKind.ACCOUNT:
        return account(principal.account, principal.partition or partition, account_id)
    label = principal.label
    stranger = Caller.parse(f"arn:{partition}:iam::{_STRANGER_ACCOUNT}:role/anyone")
    if principal.kind is PrincipalKind.EVERYONE:
        insider = Caller.parse(f"arn:{partition}:iam::{account_id}:role/anyone")
        return Party("*", label, principal.kind, stranger, insider=insider)
    if principal.kind is PrincipalKind.UNIQUE_ID:
        context = {"aws:userid": principal.text}
        return Party(principal.text, label, principal.kind, stranger, context)
    if principal.kind is PrincipalKind.PROVIDER:
        return None
    caller = Caller.parse(principal.text)
    if principal.is_identity and principal.account != account_id:
        label = f"{label} of {principal.account}"
    return Party(principal.text, label, principal.kind, caller)


def decide(document: Document, party: Party, action: Action, key_arn: str) -> tuple[Standing, Decision]:
    """The party's standing by the policy itself, with every other request value left open, and why."""
    request = AccessRequest(party.caller, action.name, key_arn, party.context)
    decision = evaluate(document, request, by_name=True)
    if party.insider is not None and decision.effect not in _GIVES:
        inside = evaluate(document, replace(request, caller=party.insider), by_name=True)
        if inside.effect in _GIVES:  # Everyone, if of the key's account.
            return Standing.CONDITIONAL, inside
    if decision.effect is not Effect.NO_STATEMENT:
        return _STANDINGS[decision.effect], decision
    through_account = evaluate(document, request)
    denies = tuple(statement for statement in through_account.statements if not statement.is_allow)
    if denies:
        conditions = tuple(each for each in through_account.conditions if not each.wanted)
        return Standing.DENIED_SOMETIMES, Decision(Effect.DEPENDS, denies, conditions)
    return Standing.NOTHING, decision


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
    """One principal. ``outside``: of another account; ``public``: everyone, of any account; ``delegates``: an
    account, whose IAM policies decide which identities get the actions.
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
    """A row for the account and for each principal that the policy or a grant names.

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
        decisions.update(dict.fromkeys(group, decide(document, party, group[0], key_arn)))
    return AccessRow(
        party,
        {access: _cell(access, decisions, grants) for access in COLUMNS},
        outside=party.is_outside(account_id),
        public=party.kind is PrincipalKind.EVERYONE and _reaches_strangers(document, party, groups, key_arn),
        delegates=party.kind is PrincipalKind.ACCOUNT,
    )


def _reaches_strangers(
    document: Document, party: Party, groups: Sequence[Sequence[Action]], key_arn: str
) -> bool:
    """Whether everyone includes anybody outside the key's account."""
    stranger = replace(party, insider=None)
    standings = {decide(document, stranger, group[0], key_arn)[0] for group in groups}
    return not standings.isdisjoint((Standing.ALLOWED, Standing.CONDITIONAL))


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
    """The number of principals, without the key's account, that may use the key by name or by grant."""
    return sum(
        1
        for row in rows
        if (row.outside or not row.delegates)
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
