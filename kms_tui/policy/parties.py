"""Whom a key policy (and its grants) name, and what each of them may do by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from kms_tui.policy import actions, evaluation, principals
from kms_tui.policy.actions import Action
from kms_tui.policy.describe import listed
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import AccessRequest, Decision, Effect, evaluate
from kms_tui.policy.json_reader import Span
from kms_tui.policy.principals import Caller, Principal, PrincipalKind

_STRANGER_ACCOUNT = "999999999999"


@dataclass(frozen=True, slots=True)
class Party:
    """Someone who can be asked about: ``text`` as a policy writes it, ``label`` for people."""

    text: str
    label: str
    kind: PrincipalKind
    caller: Caller
    context: Mapping[str, str] = field(default_factory=dict)

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
    """What a policy says to a party by name; what IAM policies add through the account is not counted."""

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


def parties(documents: Iterable[Document], account_id: str, partition: str = "aws") -> list[Party]:
    """Everyone the policies name: the key's account first (named or not), then others by kind and name."""
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
    """An account, which stands for its root user and whoever its IAM policies admit."""
    arn = f"arn:{partition}:iam::{number}:root"
    label = "root" if number == account_id else f"account {number}"
    return Party(arn, label, PrincipalKind.ACCOUNT, Caller.parse(arn))


def named_by_text(text: str, account_id: str, partition: str = "aws") -> Party | None:
    """The party of an ARN, an account id, a service's host or "*", as grants and people write them."""
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
        return Party("*", label, principal.kind, stranger)
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
    """What the policy says to the party by name, with every other circumstance left open, and why."""
    request = AccessRequest(party.caller, action.name, key_arn, party.context)
    decision = evaluate(document, request, by_name=True)
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


def alike(documents: Sequence[Document], candidates: Iterable[Action]) -> list[list[Action]]:
    """Actions in groups that no statement of the policies tells apart."""
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


def spoken(names: Sequence[Action]) -> str:
    """A list of actions in short: ``kms:*`` for all of them."""
    mask = actions.mask_of(names)
    if mask & actions.FULL_CONTROL == actions.FULL_CONTROL:
        return "kms:*"
    return listed([action.name for action in names], 4)
