"""The parties of a key policy: principals, accounts, everyone, and those whom its conditions let in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kms_tui.kms.arn import is_account_id
from kms_tui.policy import principals
from kms_tui.policy.actions import lowered
from kms_tui.policy.condition_keys import KEYS, OTHER_ORG, OWN_ORG, Presence, find
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import AccessRequest, ContextValue, condition_holds
from kms_tui.policy.json_reader import Span
from kms_tui.policy.principals import Caller, Principal, PrincipalKind
from kms_tui.policy.request_setting import FRESH_SERVICE
from kms_tui.policy.wildcard import has_wildcard

_MAX_PARTS = 300
"""Most parties that the conditions of statements for everyone add; of more than these none is told apart."""


@dataclass(frozen=True, slots=True)
class Party:
    """A principal, an account or everyone: ``text`` as a policy writes it, ``label`` for people.

    Everyone is a stranger first, and then an ``insider``, an identity of the key's own account; the
    conditions of statements for everyone name its ``parts``, which are parties too.
    """

    text: str
    label: str
    kind: PrincipalKind
    caller: Caller
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    insider: Caller | None = None
    parts: tuple[Party, ...] = ()
    has_too_many_parts: bool = False
    """Whether everyone has no ``parts`` since there are more than one would read."""
    is_part: bool = False
    """Whether only conditions of statements for everyone name it."""
    is_beyond: bool = False
    """Whether it includes others than the key's account, though it has no account of its own."""
    is_of_any_account: bool = False
    """Whether anybody can be it, who has an account."""

    @property
    def account(self) -> str:
        """The party's account; "" for a service, everyone, and a unique id."""
        return (
            ""
            if self.kind in (PrincipalKind.SERVICE, PrincipalKind.EVERYONE, PrincipalKind.UNIQUE_ID)
            else self.caller.account
        )

    def is_outside(self, account_id: str) -> bool:
        return self.is_beyond or self.account not in ("", account_id)


_RANK = (
    PrincipalKind.ACCOUNT,
    PrincipalKind.EVERYONE,
    PrincipalKind.ROLE,
    PrincipalKind.USER,
    PrincipalKind.SESSION,
    PrincipalKind.FEDERATED_USER,
    PrincipalKind.UNIQUE_ID,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a party is told apart by: the key's account, its partition, an account that nothing names, and
    the account that the statement's own conditions name, or "".
    """

    account_id: str
    partition: str
    stranger: str
    named: str = ""

    def role(self, account_id: str) -> Caller:
        return Caller.parse(f"arn:{self.partition}:iam::{account_id}:role/anyone")


def parties_in(documents: Iterable[Document], account_id: str, partition: str = "aws") -> list[Party]:
    """All parties that the policies name: the key's account first (named or not), then by kind and name.

    Where everyone is limited by conditions to accounts, organizations, identities or services, these are
    parties too.
    """
    documents = list(documents)
    around = Surroundings(account_id, partition, _unmentioned_account(documents, account_id))
    found: dict[str, Party] = {}
    parts: dict[str, Party] = {}
    own = account(account_id, partition, account_id)
    for document in documents:
        for statement in document.statements:
            for principal in statement.principals:
                party = _party(principal, around)
                if party is not None and party.text != own.text:
                    found.setdefault(party.text, party)
            if statement.names(PrincipalKind.EVERYONE) and not statement.not_principal:
                parts.update((part.text, part) for part in _parts(statement, around))
    if everyone := found.get("*"):
        too_many = len(parts) > _MAX_PARTS
        known = () if too_many else tuple(parts.values())
        found["*"] = replace(everyone, parts=known, has_too_many_parts=too_many)
        for part in known:
            if part.text != own.text:
                found.setdefault(part.text, part)
    return [own, *sorted(found.values(), key=lambda party: _order(party, account_id))]


def _unmentioned_account(documents: Sequence[Document], account_id: str) -> str:
    numbers = (f"{number:012d}" for number in range(999_999_999_999, 0, -1))
    return next(
        number
        for number in numbers
        if number != account_id and all(number not in document.text for document in documents)
    )


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
    around = Surroundings(account_id, partition, _unmentioned_account((), account_id))
    return None if isinstance(found, str) else _party(found, around)


def _party(principal: Principal, around: Surroundings) -> Party | None:
    if principal.kind is PrincipalKind.ACCOUNT:
        return account(principal.account, principal.partition or around.partition, around.account_id)
    label = principal.label
    stranger = around.role(around.stranger)
    if principal.kind is PrincipalKind.EVERYONE:
        return Party("*", label, principal.kind, stranger, insider=around.role(around.account_id))
    if principal.kind is PrincipalKind.UNIQUE_ID:
        context = {"aws:userid": principal.text}
        return Party(principal.text, label, principal.kind, stranger, context)
    if principal.kind is PrincipalKind.PROVIDER:
        return None
    caller = Caller.parse(principal.text)
    if principal.is_identity and principal.account != around.account_id:
        label = f"{label} of {principal.account}"
    return Party(principal.text, label, principal.kind, caller)


# Parts of everyone, by the conditions of a statement. Source: the IAM user guide
# (reference_policies_condition-keys), the KMS developer guide (conditions-aws).


def _parts(statement: Statement, around: Surroundings) -> Iterator[Party]:
    """Those whom an Allow is limited to, or whom a Deny spares, by its conditions."""
    named = [
        text.value
        for test in statement.conditions
        if test.key in ("aws:principalaccount", "kms:calleraccount")
        and test.operator.base.negated is not statement.is_allow
        for text in test.values
        if is_account_id(text.value)
    ]
    around = replace(around, named=named[0] if named else "")
    keys = {test.key for test in statement.conditions}
    for test in statement.conditions:
        make = _LIMITS.get(test.key)
        base = test.operator.base
        if make is None or base.family == "null" or base.negated is statement.is_allow:
            continue
        if test.key == "aws:sourcearn" and "aws:sourceaccount" in keys:
            continue  # The account says it, and the ARN is its condition.
        for text in test.values:
            party = make(text.value, around)
            if party is not None and _holds_for(party, test) is statement.is_allow:
                yield replace(party, is_part=True)


def _holds_for(party: Party, test: ConditionTest) -> bool | None:
    return condition_holds(test, AccessRequest(party.caller, "", context=party.context))


def _of_account(value: str, around: Surroundings) -> Party | None:
    if not is_account_id(value) or value == around.account_id:
        return None  # Everyone has an insider.
    return account(value, around.partition, around.account_id)


def _of_arn(value: str, around: Surroundings) -> Party | None:
    """An identity, or those of a pattern, by a condition on aws:PrincipalArn."""
    if not has_wildcard(value):
        found = principals.parse(principals.AWS, value, Span(0, 0))
        if not isinstance(found, str) and found.kind is not PrincipalKind.ACCOUNT:
            return _party(found, around)
    elements = value.split(":", 5)
    if len(elements) < 6:
        return None
    partition, number, resource = elements[1], elements[4], elements[5]
    owner = (around.named or around.stranger) if has_wildcard(number) else number
    is_any = owner == around.stranger
    sample = "role/anyone" if resource == "*" else _filled(resource)
    arn = f"arn:{around.partition if has_wildcard(partition) else partition}:iam::{owner}:{sample}"
    try:
        caller = Caller.parse(arn)
    except ValueError:
        return None
    who = {"*": "anyone", "root": "root user"}.get(resource, resource)
    if owner == around.account_id:
        label = f"{who} of the account" if who in ("anyone", "root user") else who
    else:
        label = f"{who} of {'any account' if is_any else owner}"
    if caller.is_root:
        return Party(label, label, PrincipalKind.USER, caller, is_of_any_account=is_any)
    return Party(value, label, caller.kind, caller, is_of_any_account=is_any)


def _filled(pattern: str) -> str:
    """A text that a pattern matches."""
    return pattern.replace("*", "x").replace("?", "x")


def _of_userid(value: str, around: Surroundings) -> Party | None:
    unique_id = value.split(":")[0]
    found = principals.parse(principals.AWS, unique_id, Span(0, 0))
    if isinstance(found, str) or found.kind is not PrincipalKind.UNIQUE_ID:
        return None
    context = {"aws:userid": _filled(value)}
    return Party(unique_id, found.label, found.kind, around.role(around.stranger), context)


def _in_organization(value: str, around: Surroundings) -> Party | None:
    if has_wildcard(value):
        return None
    label, context = f"organization {value}", {"aws:PrincipalOrgID": value}
    if "${" in value:
        label = "the key's organization"
        context = {"aws:PrincipalOrgID": OWN_ORG, "aws:ResourceOrgID": OWN_ORG}
    return _everyone(label, context, around)


def _in_keys_organization(value: str, around: Surroundings) -> Party | None:
    return _in_organization(value, around) if "${" in value else None


def _in_path(value: str, around: Surroundings) -> Party | None:
    if lowered(value).startswith("${aws:resourceorgid}/"):
        path = f"{OWN_ORG}/{value.partition('/')[2]}"
        own: dict[str, ContextValue] = {"aws:ResourceOrgID": OWN_ORG}
        label = "the key's organization"
    else:
        path, own, label = value, {}, value.rstrip("*").rstrip("/")
    organization = path.split("/")[0]
    if has_wildcard(organization) or "${" in path:
        return None
    return _everyone(
        label, {"aws:PrincipalOrgID": organization, "aws:PrincipalOrgPaths": (_filled(path),), **own}, around
    )


def _everyone(label: str, context: Mapping[str, ContextValue], around: Surroundings) -> Party:
    caller = around.role(around.stranger)
    return Party(f"everyone in {label}", label, PrincipalKind.EVERYONE, caller, context, is_beyond=True)


def _services(label: str, context: Mapping[str, ContextValue], *, is_beyond: bool) -> Party:
    return Party(label, label, PrincipalKind.SERVICE, FRESH_SERVICE, context, is_beyond=is_beyond)


def _source_account(value: str, around: Surroundings) -> Party | None:
    if not is_account_id(value):
        return None
    own = value == around.account_id
    label = f"services for {'this account' if own else value}"
    return _services(label, {"aws:SourceAccount": value}, is_beyond=not own)


def _source_organization(value: str, around: Surroundings) -> Party | None:
    if has_wildcard(value) or "${" in value:
        return None
    return _services(f"services for {value}", {"aws:SourceOrgID": value}, is_beyond=True)


def _source_path(value: str, around: Surroundings) -> Party | None:
    if "${" in value:
        return None
    label = f"services for {value.rstrip('*').rstrip('/')}"
    return _services(label, {"aws:SourceOrgPaths": (_filled(value),)}, is_beyond=True)


def _source_arn(value: str, around: Surroundings) -> Party | None:
    if "${" in value:
        return None
    elements = value.split(":", 5)
    number = elements[4] if len(elements) == 6 else ""
    is_beyond = number not in ("", around.account_id)
    return _services(f"services for {value}", {"aws:SourceArn": _filled(value)}, is_beyond=is_beyond)


def _service(value: str, around: Surroundings) -> Party | None:
    return None if has_wildcard(value) else party_from_text(value, around.account_id, around.partition)


def _named_service(value: str, around: Surroundings) -> Party | None:
    party = _service(value, around)
    return party and replace(party, context={"aws:PrincipalServiceNamesList": (value,)})


def _any_service(value: str, around: Surroundings) -> Party | None:
    return _services("every AWS service", {}, is_beyond=False) if value.lower() == "true" else None


_LIMITS: Mapping[str, Callable[[str, Surroundings], Party | None]] = {
    "aws:principalaccount": _of_account,
    "kms:calleraccount": _of_account,
    "aws:principalarn": _of_arn,
    "aws:userid": _of_userid,
    "aws:principalorgid": _in_organization,
    "aws:resourceorgid": _in_keys_organization,
    "aws:principalorgpaths": _in_path,
    "aws:sourceaccount": _source_account,
    "aws:sourceorgid": _source_organization,
    "aws:sourceorgpaths": _source_path,
    "aws:sourcearn": _source_arn,
    "aws:principalservicename": _service,
    "aws:principalservicenameslist": _named_service,
    "aws:principalisawsservice": _any_service,
}
"""Condition key in lower case -> the party that a value of it lets in; None: not one that can be named."""

_NO_SERVICE: Mapping[str, ContextValue] = {
    key: None for key in _LIMITS if key.startswith(("aws:source", "aws:principalservice"))
}
_ANYONE: Mapping[str, ContextValue] = {**_NO_SERVICE, "aws:userid": "AROAZZANYONEZZANYONEZ:anyone"}
_ORGANIZATIONS: Sequence[Mapping[str, ContextValue]] = (
    {"aws:PrincipalOrgID": OTHER_ORG, "aws:PrincipalOrgPaths": (find("aws:PrincipalOrgPaths").other,)},
    {"aws:PrincipalOrgID": None, "aws:PrincipalOrgPaths": None},
)


def unnamed_contexts(everyone: Party) -> list[dict[str, ContextValue]]:
    """The request contexts of somebody whom no part names: in another organization, and in none."""
    keys_own: dict[str, ContextValue] = {}
    if everyone.insider is not None:
        keys_own["aws:ResourceAccount"] = everyone.insider.account
    if any("aws:ResourceOrgID" in part.context for part in everyone.parts):
        keys_own["aws:ResourceOrgID"] = OWN_ORG
    if everyone.has_too_many_parts:
        return [keys_own]
    return [{**_ANYONE, **organization, **keys_own} for organization in _ORGANIZATIONS]


NO_NETWORK: Mapping[str, ContextValue] = {
    "aws:SourceIp": "223.255.255.251",
    **{
        key.name: None
        for key in KEYS.values()
        if key.presence is Presence.ENDPOINT or key.name == "aws:Ec2InstanceSourceVpc"
    },
}
"""A request from an address that no policy is likely to name, and through no VPC endpoint."""
