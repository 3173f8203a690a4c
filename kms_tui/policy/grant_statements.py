"""Grants as the statements that they amount to, so that one evaluation judges policies and grants.

Source: the KMS developer guide (grants, grant-manage, grant-delete, create-grant-overview) and
GrantConstraints, CreateGrant and RetireGrant in the service model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from kms_tui.kms.arn import key_account
from kms_tui.kms.model import Grant
from kms_tui.kms.operations import Trait, has
from kms_tui.policy import condition_keys, operators, principals
from kms_tui.policy.actions import PREFIX, canonical, lowered
from kms_tui.policy.conditions import ConditionTest, Text
from kms_tui.policy.document import ALLOW, Statement
from kms_tui.policy.json_reader import Span
from kms_tui.policy.principals import Caller, Principal, PrincipalKind

EQUALS, SUBSET, SOURCE_ARN = "EncryptionContextEquals", "EncryptionContextSubset", "SourceArn"
"""The members of GrantConstraints."""
RETIRE = "RetireGrant"
MAX_LOOKED_AT = 200
"""Grants that are looked at for near misses."""
_NOWHERE = Span(0, 0)


class GrantStatement(NamedTuple):
    """What a grant allows of one action."""

    grant: Grant
    statement: Statement


def grant_statements(grants: tuple[Grant, ...], action: str) -> tuple[GrantStatement, ...]:
    """What the grants allow of an action; a grant to a principal that no longer exists allows nothing.

    A grant that is in force needs no token, so tokens make no difference here.
    """
    operation = canonical(action).removeprefix(PREFIX)
    found: list[GrantStatement] = []
    for grant in grants:
        for principal in _principals(grant, operation):
            found.append(GrantStatement(grant, _statement(grant, len(found), principal, operation)))
    return tuple(found)


class GrantIndex:
    """A key's grants by whom they name: of 50,000, the most that a key has, few concern a caller."""

    def __init__(self, grants: tuple[Grant, ...]) -> None:
        self._grants = grants
        self._by_name: dict[str, dict[int, Grant]] = {}
        for number, grant in enumerate(grants):
            issuer = _other_issuer(grant.key_id, grant.issuing_account)
            for name in filter(None, (grant.grantee, grant.retiring, issuer)):
                principal = grant_principal(name)
                if principal is not None:
                    self._by_name.setdefault(_name_of(principal), {})[number] = grant
        self._known: dict[tuple[str, ...], tuple[GrantStatement, ...]] = {}

    def statements(self, action: str, caller: Caller, userid: str | None) -> tuple[GrantStatement, ...]:
        """What the grants that name the caller, its role or its account allow of an action."""
        names = _names_of(caller, userid)
        known = (action, *names)
        if known not in self._known:
            found = {number: grant for name in names for number, grant in self._by_name.get(name, {}).items()}
            self._known[known] = grant_statements(tuple(found[number] for number in sorted(found)), action)
        return self._known[known]

    def first(self, action: str) -> tuple[GrantStatement, ...]:
        """What the first grants allow of an action, whomever they name."""
        if (action,) not in self._known:
            self._known[(action,)] = grant_statements(self._grants[:MAX_LOOKED_AT], action)
        return self._known[(action,)]


def _name_of(principal: Principal) -> str:
    """A principal as the index has it: a role's ARN may have a path, which its sessions' lack."""
    match principal.kind:
        case PrincipalKind.ACCOUNT:
            return principal.account
        case PrincipalKind.ROLE:
            return f"{principal.account} {principal.name}"
        case PrincipalKind.SERVICE:
            return lowered(principal.name)
        case _:
            return principal.text


def _names_of(caller: Caller, userid: str | None) -> tuple[str, ...]:
    """The names in the index that mean a caller."""
    if caller.kind is PrincipalKind.SERVICE:
        return (lowered(caller.name),)
    role = (f"{caller.account} {caller.name}",) if caller.kind in _OF_ROLES else ()
    unique = (userid.split(":")[0],) if userid else ()
    return (caller.arn, caller.account, *role, *unique)


_OF_ROLES = (PrincipalKind.ROLE, PrincipalKind.SESSION)


def _principals(grant: Grant, operation: str) -> Iterator[Principal]:
    """Whom a grant lets do the operation: its grantee; to retire it, the retiring principal, too, and the
    account that made it.
    """
    names = [grant.grantee] if operation in grant.operations else []
    if operation == RETIRE:
        names += [grant.retiring, _other_issuer(grant.key_id, grant.issuing_account)]
    for name in dict.fromkeys(filter(None, names)):
        principal = grant_principal(name)
        if principal is not None:
            yield principal


@lru_cache(maxsize=256)
def _other_issuer(key: str, issuer: str) -> str:
    """The account that made a grant, where that is not the key's, which may retire each of its grants."""
    return "" if key_account(key) in (issuer, *issuer.split(":")[4:5]) else issuer


@lru_cache(maxsize=4096)
def grant_principal(name: str) -> Principal | None:
    """The principal that a grant names: an ARN, a unique id or a service; None for what is none."""
    found = principals.parse(principals.AWS, name, _NOWHERE)
    if isinstance(found, str):
        found = principals.own_role(name, _NOWHERE) or principals.parse(principals.SERVICE, name, _NOWHERE)
    return None if isinstance(found, str) or found.kind is PrincipalKind.EVERYONE else found


def _statement(grant: Grant, index: int, principal: Principal, operation: str) -> Statement:
    return Statement(
        index=index,
        effect=ALLOW,
        sid=grant.name or grant.grant_id,
        span=_NOWHERE,
        elements={},
        principals=(principal,),
        actions=(Text(PREFIX + operation, _NOWHERE),),
        resources=(Text("*", _NOWHERE),),
        conditions=tuple(_conditions(grant, operation)),
    )


def _conditions(grant: Grant, operation: str) -> Iterator[ConditionTest]:
    """The constraints of a grant. RetireGrant has none; only some operations have an encryption context."""
    if operation == RETIRE:
        return
    source = grant.constraints.get(SOURCE_ARN)
    if source:
        yield _test("ArnLike", "aws:SourceArn", source)
    if operation == "CreateGrant":
        yield from _narrower(grant)
    elif has(operation, Trait.ENCRYPTION_CONTEXT):
        yield from _context(grant)


def _narrower(grant: Grant) -> Iterator[ConditionTest]:
    """A grant that lets make grants: none may allow more operations, or be constrained less."""
    yield _test("ForAllValues:StringEquals", "kms:GrantOperations", *grant.operations)
    if EQUALS in grant.constraints:
        yield _test("ForAnyValue:StringEquals", "kms:GrantConstraintType", EQUALS)
    yield from _context(grant)


def _context(grant: Grant) -> Iterator[ConditionTest]:
    """Names of encryption context pairs ignore case in a grant's constraints; so do condition keys."""
    equals: Mapping[str, str] | None = grant.constraints.get(EQUALS)
    subset: Mapping[str, str] = grant.constraints.get(SUBSET, {})
    for name, value in (*subset.items(), *(equals or {}).items()):
        yield _test("StringEquals", f"kms:EncryptionContext:{name}", value)
    if equals is not None:
        yield _test("ForAllValues:StringEqualsIgnoreCase", "kms:EncryptionContextKeys", *equals)


def _test(operator: str, key: str, *values: str) -> ConditionTest:
    spelled = operators.parse(operator)
    if spelled is None:
        raise ValueError(f"no condition operator: {operator}")
    texts = tuple(Text(value, _NOWHERE) for value in values)
    return ConditionTest(spelled, lowered(key), key, condition_keys.find(key), texts, False, _NOWHERE)
