"""Decides whether a principal may do an action on a key in a context, and by which statements.

Source: the IAM user guide (reference_policies_evaluation-logic, …-cross-account), the KMS developer guide
(policy-evaluation, key-policy-default).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from kms_tui.kms.arn import Arn
from kms_tui.policy import actions, operators, principals, wildcard
from kms_tui.policy.actions import lowered
from kms_tui.policy.condition_keys import ConditionKey, Presence
from kms_tui.policy.conditions import ConditionTest, Resolve, UnsetVariableError, filled, variable_names
from kms_tui.policy.document import CURRENT_VERSION, Document, Statement
from kms_tui.policy.principals import Caller, Principal, PrincipalKind
from kms_tui.policy.role_paths import holds_for_session, lacks_path
from kms_tui.policy.search import Budget

_UNLIKELY_KEYS = ("key/0badc0de-0bad-c0de-0bad-c0de0badc0de", "key/mrk-0badc0de0badc0de0badc0de0badc0de")
_UNLIKELY_REGION = "xx-unlikely-9"


def no_value(_key: str) -> str | None:
    """A ``Resolve`` for a request that has no context."""
    return None


def covers(document: Document, statement: Statement, key_arn: str, resolve: Resolve = no_value) -> bool:
    """Whether the statement applies to the key of that ARN; False without a Resource."""
    if not statement.resources:
        return False
    variables = document.version == CURRENT_VERSION
    found = any(_covers_key(text.value, key_arn, variables, resolve) for text in statement.resources)
    return found != statement.not_resource


def _covers_key(pattern: str, key_arn: str, variables: bool, resolve: Resolve) -> bool:
    if pattern == "*":
        return True
    if not variables or "${" not in pattern:
        return wildcard.matches(wildcard.squeezed(pattern), key_arn)
    try:
        tokens = filled(pattern, resolve, wildcards=True)
    except UnsetVariableError:
        return False
    return wildcard.matches_tokens(tokens, key_arn)


def covers_some_key(
    document: Document,
    statement: Statement,
    account_id: str,
    partition: str,
    resolve: Resolve,
    budget: Budget,
) -> bool | None:
    """``covers`` without the key's ARN: True for every key of the account, False for none, None for some."""
    anywhere = [
        str(Arn(partition, "kms", _UNLIKELY_REGION, account_id, resource)) for resource in _UNLIKELY_KEYS
    ]
    if all(covers(document, statement, arn, resolve) for arn in anywhere):
        return True
    if statement.not_resource:
        return None if statement.resources else False
    template = wildcard.tokenize(f"arn:{partition}:kms:?*:{account_id}:key/?*")
    possible = any(
        wildcard.common_match([template, wildcard.tokenize(text.value)], "a", budget, never=":/") is not None
        for text in statement.resources
    )
    return None if possible else False


def action_mask(statement: Statement, matching: Callable[[str], int] = actions.matching) -> int:
    """The actions of a statement as a mask of ``kms_tui.policy.actions`` bits; 0 for none."""
    named_via = 0
    for text in statement.actions:
        named_via |= matching(text.value)
    if statement.not_action:
        return actions.ALL & ~named_via if statement.actions else 0
    return named_via


ContextValue = str | Sequence[str] | None
"""A request value; several for a multivalued key; None: absent."""


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    DEPENDS = "depends"
    NO_STATEMENT = "no statement"


class Via(StrEnum):
    """How a key policy names an allowed caller: itself, everyone, or its account, which delegates to IAM."""

    CALLER = "caller"
    EVERYONE = "everyone"
    ACCOUNT = "account"


class Unknown:
    """The value of a condition key that the request leaves open."""


UNKNOWN = Unknown()


@dataclass(frozen=True)
class AccessRequest:
    """A request to judge. ``context`` maps condition keys, in any case, to values.

    With ``complete`` a key not in the context is absent from the request, but for its time and
    aws:ViaAWSService, which every request has; otherwise it is open, and the answer may depend on it. Keys
    that follow from the caller and the key are always known: aws:PrincipalArn and the like (of a session
    without the path of its role), kms:CallerAccount, aws:SecureTransport, aws:RequestedRegion,
    aws:ResourceAccount and kms:PolicyName.
    """

    caller: Caller
    action: str
    key_arn: str = ""
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    complete: bool = False

    @cached_property
    def known(self) -> dict[str, tuple[str, ...] | None]:
        """The condition keys in lower case with their values; None: absent."""
        known = {key: _values(value) for key, value in derived_context(self).items()}
        known.update((lowered(key), _values(value)) for key, value in self.context.items())
        if self.complete:
            forwarded = self.caller.kind is not PrincipalKind.SERVICE and any(map(known.get, _FORWARDED))
            known.setdefault("aws:viaawsservice", ("true" if forwarded else "false",))
        return known

    def values(self, test: ConditionTest) -> tuple[str, ...] | Unknown | None:
        if test.key in self.known:
            return self.known[test.key]
        presence = test.key_info.presence
        absent = self.complete and presence is not Presence.CLOCK
        return None if absent or presence is Presence.UNKNOWN else UNKNOWN

    def resolve(self, key: str) -> str | None:
        """The single value of a key, for a policy variable; None for no value, or several."""
        values = self.known.get(key)
        return values[0] if values and len(values) == 1 else None

    def gives(self, key: str) -> bool:
        """Whether the context itself has the key, which otherwise may follow from the caller."""
        return any(lowered(each) == key for each in self.context)

    def is_open(self, key: str) -> bool:
        return not self.complete and key not in self.known


_FORWARDED = ("kms:viaservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
"""The keys of a request that a service forwards for its caller."""


def _values(value: ContextValue) -> tuple[str, ...] | None:
    """The values of a key; None for a key without any, which counts as absent."""
    return (value,) if isinstance(value, str) else tuple(value or ()) or None


def derived_context(request: AccessRequest) -> dict[str, ContextValue]:
    """The condition keys (in lower case) that follow from a request's caller, action and key."""
    context = caller_context(request.caller)
    context["aws:securetransport"] = "true"
    if lowered(request.action) in ("kms:putkeypolicy", "kms:getkeypolicy"):
        context["kms:policyname"] = "default"
    return context | key_context(request.key_arn)


def caller_context(caller: Caller) -> dict[str, ContextValue]:
    """The condition keys (in lower case) that follow from a caller."""
    if caller.kind is PrincipalKind.SERVICE:
        return {
            "aws:principalisawsservice": "true",
            "aws:principalservicename": caller.name,
            "aws:username": None,
        }
    context: dict[str, ContextValue] = {
        "aws:principalisawsservice": "false",
        "aws:principalarn": caller.principal_arn,
        "aws:principalaccount": caller.account,
        "aws:principaltype": caller.principal_type,
        "kms:calleraccount": caller.account,
        "aws:username": caller.name if caller.kind is PrincipalKind.USER else None,
    }
    return context | ({"aws:userid": caller.account} if caller.is_root else {})


def key_context(key_arn: str) -> dict[str, ContextValue]:
    """The condition keys that follow from a key's ARN."""
    try:
        arn = Arn.parse(key_arn)
    except ValueError:
        return {}
    return {
        "aws:requestedregion": arn.region,
        "aws:resourceaccount": arn.account,
        "kms:multiregion": "true" if arn.resource.startswith("key/mrk-") else "false",
    }


@dataclass(frozen=True, slots=True)
class OpenCondition:
    """A condition that decides the answer: it must be true for access (``wanted``), or false."""

    statement: Statement
    test: ConditionTest
    wanted: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. ``statements`` decide it, in policy order; it depends on ``conditions``.

    ``via`` says for ALLOW and DEPENDS how the allowing statements name the caller (the most direct way).
    """

    effect: Effect
    statements: tuple[Statement, ...] = ()
    conditions: tuple[OpenCondition, ...] = ()
    via: Via | None = None

    @property
    def is_allowed(self) -> bool:
        return self.effect is Effect.ALLOW

    @property
    def may_be_allowed(self) -> bool:
        return self.effect in (Effect.ALLOW, Effect.DEPENDS)


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that is about a request; ``open_tests`` are the conditions not known to hold."""

    statement: Statement
    via: Via
    open_tests: tuple[ConditionTest, ...]


def evaluate(document: Document, request: AccessRequest, *, by_name: bool = False) -> Decision:
    """One policy's answer to a request: a key policy's, or an IAM identity policy's (which names no
    principals).

    With ``by_name`` an Allow counts only if it names the caller itself or everyone, not only its account.

    For a key policy an ALLOW whose ``via`` is ACCOUNT still needs an IAM policy that allows the request
    (``kms_tui.policy.authorization``). In an invalid document no statement counts.
    """
    if not document.is_valid:
        return Decision(Effect.NO_STATEMENT)
    found = list(matches(document, request))
    denies = [match for match in found if not match.statement.is_allow]
    certain = [match.statement for match in denies if not match.open_tests]
    if certain:
        return Decision(Effect.DENY, tuple(certain))
    allows = [
        match for match in found if match.statement.is_allow and not (by_name and match.via is Via.ACCOUNT)
    ]
    if not allows:
        return Decision(Effect.NO_STATEMENT)
    sure = [match for match in allows if not match.open_tests]
    via = _most_direct(sure or allows)
    if sure and not denies:
        return Decision(Effect.ALLOW, tuple(match.statement for match in sure), via=via)
    deciding = sorted([*(sure or allows), *denies], key=lambda match: match.statement.index)
    conditions = tuple(
        OpenCondition(match.statement, test, match.statement.is_allow)
        for match in deciding
        for test in match.open_tests
    )
    return Decision(Effect.DEPENDS, tuple(match.statement for match in deciding), conditions, via)


def _most_direct(found: Sequence[Match]) -> Via:
    vias = {match.via for match in found}
    return next(via for via in Via if via in vias)


def matches(document: Document, request: AccessRequest) -> Iterator[Match]:
    """The statements that apply to the request, or would under open conditions."""
    action = actions.find(request.action)
    if action is None:
        return
    for statement in document.statements:
        if not action_mask(statement) & action.bit:
            continue
        open_test = None
        if not covers(document, statement, request.key_arn, request.resolve):
            open_test = _open_resource(document, statement, request)
            if open_test is None:
                continue
        match = matched(statement, request)
        if match is not None:
            yield replace(match, open_tests=(*match.open_tests, open_test)) if open_test else match


def _open_resource(document: Document, statement: Statement, request: AccessRequest) -> ConditionTest | None:
    """The statement's resources as a condition, where open policy variables decide if it covers the key."""
    if document.version != CURRENT_VERSION or not statement.resources or request.complete:
        return None
    names = {name for text in statement.resources for name in variable_names(text.value)}
    operator = operators.parse("StringNotLike" if statement.not_resource else "StringLike")
    if operator is None or not any(request.is_open(name) for name in names):
        return None
    info = ConditionKey("Resource", Presence.CONSTANT)
    return ConditionTest(operator, "resource", "Resource", info, statement.resources, True, statement.span)


def matched(statement: Statement, request: AccessRequest) -> Match | None:
    """The match of a statement whose action and resource fit; None if it does not name the caller, or a
    condition does not hold.
    """
    via = named_via(statement, request.caller, request.resolve("aws:userid"))
    if via is None:
        return None
    results = [(test, condition_holds(test, request)) for test in statement.conditions]
    if any(result is False for _, result in results):
        return None
    return Match(statement, via, tuple(test for test, result in results if result is None))


def condition_holds(test: ConditionTest, request: AccessRequest) -> bool | None:
    """Whether a condition is true; None if the request leaves it open."""
    values = request.values(test)
    if isinstance(values, Unknown) or any(request.is_open(key) for key in test.references):
        return None
    if lacks_path(test, request.caller) and not request.gives(test.key):
        return holds_for_session(test, request.caller, request.resolve)
    return test.holds(values, request.resolve)


def named_via(statement: Statement, caller: Caller, userid: str | None = None) -> Via | None:
    """How a statement names a caller; None if it does not. NotPrincipal names all but the listed.

    NotPrincipal excludes a user or role only if its account is listed, too, as IAM requires; a session of a
    listed role counts as the role.
    """
    if not statement.principals and "Principal" not in statement.elements:
        return Via.CALLER
    vias = [via for via in (_via_of(principal, caller, userid) for principal in statement.principals) if via]
    if not statement.not_principal:
        return next((via for via in Via if via in vias), None)
    account_listed = caller.kind is PrincipalKind.SERVICE or any(
        principal.kind is PrincipalKind.ACCOUNT and principal.account == caller.account
        for principal in statement.principals
    )
    spared = Via.EVERYONE in vias or (Via.CALLER in vias and account_listed)
    return None if spared else Via.EVERYONE


def _via_of(principal: Principal, caller: Caller, userid: str | None) -> Via | None:
    if principal.kind is PrincipalKind.EVERYONE:
        return Via.EVERYONE
    if principals.is_caller(principal, caller):
        return Via.CALLER
    if principal.kind is PrincipalKind.UNIQUE_ID:
        return Via.CALLER if userid and userid.split(":")[0] == principal.text else None
    if principal.kind is PrincipalKind.ACCOUNT and principal.account == caller.account:
        return Via.ACCOUNT
    return None
