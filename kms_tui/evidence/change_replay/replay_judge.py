"""Judges recorded requests before and after a change.

A request that was answered proves that every layer let it pass. What the record leaves open (a condition key,
the caller's IAM policies, its permissions boundary) is tried both ways: only the ways in which the request is
answered before count, and if it is allowed in all of them afterwards, it stays; in none, it is refused; else
it depends on what makes the difference. The conditions are judged once for each request, the layers once for
each caller, action and set of statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

from kms_tui.evidence.change_replay.applying_statements import (
    Applying,
    KeyStatements,
    OpenFact,
    named_identities,
    named_services,
)
from kms_tui.evidence.change_replay.key_changes import AliasRepointing, KeyAccess, KeyChange, StateChange
from kms_tui.evidence.change_replay.replay_reasons import Reasons
from kms_tui.evidence.change_replay.replay_result import AffectedRequest, ReplayResult, merged
from kms_tui.evidence.request_history.history_source import Coverage, RequestHistory
from kms_tui.evidence.request_history.recorded_request import RecordedRequest, RefusedBy, RequestGroup
from kms_tui.kms.arn import Arn
from kms_tui.kms.model import Grant, KeyState
from kms_tui.kms.operations import REFUSED_BY_STATE, state_error
from kms_tui.policy.authorization import authorize_request
from kms_tui.policy.describe import listed
from kms_tui.policy.document import Document, Statement, parse
from kms_tui.policy.evaluation import AccessRequest, Effect, evaluate
from kms_tui.policy.layers import Layers, NamedPolicy
from kms_tui.policy.principals import Caller

MAX_FACTS = 6
"""Open facts of one request that are tried both ways; with more, it depends on them."""
_EVERYTHING = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    identity=True,
)
_NOTHING = replace(_EVERYTHING, statements=())
_IDENTITY, _LIMITS = "the IAM policies", "a permissions boundary or session policy"
_OLDER = "it was answered under older policies or by a grant that is gone: today's refuse it already"
_NO_CALLER = "the record does not tell who called"
_STATE_WORDS: Mapping[KeyState, str] = {
    KeyState.DISABLED: "the key is disabled",
    KeyState.PENDING_DELETION: "the key is pending deletion",
}
_OF_OLD_KEY: Mapping[str, str] = {
    "Decrypt": "what the old key encrypted does not open with the new one (IncorrectKeyException)",
    "ReEncryptFrom": "what the old key encrypted does not open with the new one (IncorrectKeyException)",
    "Verify": "what the old key signed does not verify with the new one (KMSInvalidSignatureException)",
    "VerifyMac": "MACs of the old key do not verify with the new one (KMSInvalidMacException)",
    "Decapsulate": "what was encapsulated for the old key does not open with the new one",
}
"""Operation -> why it fails for what the key did before its alias was repointed."""


class ReplayVerdict(Enum):
    """What a change does to a request."""

    REFUSED = "refused"
    ALLOWED = "allowed"
    UNDECIDED = "undecided"
    UNCHANGED = "unchanged"


class _Judgement(NamedTuple):
    verdict: ReplayVerdict
    reason: str = ""
    needs_identity: bool = False


_UNCHANGED = _Judgement(ReplayVerdict.UNCHANGED)
_NEVER_LET_IN = _Judgement(ReplayVerdict.UNCHANGED)
"""Of an answered request that nothing lets in, before or after: compared by identity."""
_Question = tuple[AccessRequest, Applying]
"""A request as one key's policy judges it, and what of the key applies to it."""


class _Outcome(NamedTuple):
    """A verdict, and what is missing for another than UNDECIDED."""

    verdict: ReplayVerdict
    missing: tuple[str, ...] = ()


def replay(
    history: RequestHistory,
    access: KeyAccess,
    change: KeyChange,
    identity: Mapping[str, Sequence[Document]] = MappingProxyType({}),
) -> ReplayResult:
    """The requests of a key's history that a change refuses, newly allows, or that the record leaves open.

    ``identity`` has the IAM policies of callers by ``RecordedRequest.principal``, as far as they are known.
    Those of ``ReplayResult.unread_callers`` would decide more.
    """
    judge = _judge_of(access, change, identity)
    found: dict[ReplayVerdict, list[tuple[RequestGroup, str]]] = {verdict: [] for verdict in ReplayVerdict}
    unread: dict[str, None] = {}
    failed = judged = 0
    for group in history.groups:
        request = group.request
        if request.key_arn != access.key_arn:
            continue
        if not request.is_answered and not request.is_denied:
            failed += group.count
            continue
        judged += 1
        verdict, reason, needs_identity = judge.judge(request)
        found[verdict].append((group, reason))
        if needs_identity and request.principal not in identity:
            unread[request.principal] = None
    parts: dict[ReplayVerdict, tuple[AffectedRequest, ...]] = {
        verdict: merged(found[verdict]) for verdict in ReplayVerdict if verdict is not ReplayVerdict.UNCHANGED
    }
    return ReplayResult(
        parts[ReplayVerdict.REFUSED],
        parts[ReplayVerdict.ALLOWED],
        parts[ReplayVerdict.UNDECIDED],
        sum(group.count for group, _ in found[ReplayVerdict.UNCHANGED]),
        failed,
        judged,
        _coverage_of(history, change, judged),
        tuple(unread),
    )


def _coverage_of(history: RequestHistory, change: KeyChange, judged: int) -> Coverage:
    """The coverage; it says so where requests name the key, but none by the alias that moves."""
    coverage = history.coverage
    if not isinstance(change, AliasRepointing) or not judged:
        return coverage
    if any(group.request.alias == change.alias for group in history.groups):
        return coverage
    unnamed = f"No request that was seen names the key by {change.alias}."
    return replace(coverage, notes=(*coverage.notes, unnamed))


class _StateJudge:
    """Judges by the key's new state alone."""

    def __init__(self, state: KeyState) -> None:
        self._state = state

    def judge(self, request: RecordedRequest) -> _Judgement:
        operation = "ReEncrypt" if request.operation.startswith("ReEncrypt") else request.operation
        if not request.is_answered or self._state not in REFUSED_BY_STATE.get(operation, ()):
            return _UNCHANGED
        reason = f"{_STATE_WORDS[self._state]} ({state_error(self._state)})"
        return _Judgement(ReplayVerdict.REFUSED, reason)


class _AccessJudge:
    """Judges by key policy and grants, before and after."""

    def __init__(
        self, before: KeyAccess, after: KeyAccess, identity: Mapping[str, Sequence[Document]]
    ) -> None:
        self._before, self._after = KeyStatements(before), KeyStatements(after)
        self._identity = identity
        self._is_same_key = before.key_arn == after.key_arn
        self._reasons = Reasons(before, after)
        self._decided: dict[tuple[object, ...], bool] = {}
        self._outcomes: dict[tuple[object, ...], _Outcome | None] = {}

    def judge(self, request: RecordedRequest) -> _Judgement:
        if not request.is_answered and request.refused_by == RefusedBy.OTHER:
            return _UNCHANGED
        callers = self._callers(request)
        found = [self._for_caller(request, caller) for caller in callers]
        # Where the key lets one of them in, another that nothing lets in did not get an answer.
        likely = [each for each in found if each is not _NEVER_LET_IN] or found
        possible = [each for each in likely if each is not None]
        if not callers:
            return _Judgement(ReplayVerdict.UNDECIDED, _NO_CALLER)
        if not possible:
            return _Judgement(ReplayVerdict.UNDECIDED, _OLDER) if request.is_answered else _UNCHANGED
        verdicts = {each.verdict for each in possible}
        if len(verdicts) == 1:
            return possible[0]
        reason = next(each.reason for each in possible if each.reason)
        which = (
            f"which principal of account {request.account} called"
            if request.principal_type == "AWSAccount"
            else "whether the service calls with the Region in its name"
        )
        return _Judgement(ReplayVerdict.UNDECIDED, f"{reason}; depends on {which}")

    def _callers(self, request: RecordedRequest) -> list[Caller]:
        """Whom the record may mean: of another account it tells the account alone."""
        before, after = self._before.access, self._after.access
        policies, arn = (before.policy, after.policy), Arn.parse(before.key_arn)
        if request.principal_type == "AWSAccount":
            named = named_identities(policies, (*before.grants, *after.grants), request.account)
            told = f"arn:{arn.partition}:iam::{request.account}:role/not-named-by-any-policy"
        else:
            told = request.principal
            is_service = request.principal_type == "AWSService"
            named = named_services(policies, told, arn.region) if is_service else iter(())
        found = (_caller(name) for name in dict.fromkeys((told, *named)))
        return [caller for caller in found if caller is not None]

    def _for_caller(self, request: RecordedRequest, caller: Caller) -> _Judgement | None:
        """The judgement if this caller made the request; None if it cannot have ended as it did."""
        was, now = self._before.request(request, caller), self._after.request(request, caller)
        before = self._before.applying(was, request.context)
        after = self._after.applying(now, request.context)
        if self._is_same_key and self._reasons.are_alike(before, after):
            return _UNCHANGED if before.lets_in or not request.is_answered else _NEVER_LET_IN
        open_facts = before.facts | after.facts
        if len(open_facts) > MAX_FACTS:
            names = sorted({key for _, key, _ in open_facts})
            return _Judgement(ReplayVerdict.UNDECIDED, f"depends on {listed(names)}")
        given = self._identity_of(request, caller, self._before)
        later = () if self._is_same_key else self._identity_of(request, caller, self._after)
        ways = _Ways(open_facts, given, later, request.refused_by)
        place = (caller, was.action, before.identity, after.identity, ways.identity, request.is_answered)
        if place not in self._outcomes:
            self._outcomes[place] = self._outcome(ways, (was, before), (now, after), request.is_answered)
        outcome = self._outcomes[place]
        if outcome is None or outcome.verdict is ReplayVerdict.UNCHANGED:
            return None if outcome is None else _UNCHANGED
        reason = self._reasons.reason(request, caller, now, before, after)
        if not outcome.missing:
            return _Judgement(outcome.verdict, reason)
        depends = f"depends on {listed([_named(what, request) for what in outcome.missing])}"
        reason = f"{reason}; {depends}" if reason else depends
        return _Judgement(outcome.verdict, reason, _IDENTITY in outcome.missing)

    def _outcome(self, ways: _Ways, was: _Question, now: _Question, answered: bool) -> _Outcome | None:
        """The verdict over all ways in which the request ends as it did before; None if there is none."""
        found: list[tuple[_Way, bool]] = []
        for way in ways:
            if self._is_allowed(self._before, *was, way, way.given) == answered:
                found.append((way, self._is_allowed(self._after, *now, way, way.later)))
        if not found:
            return None
        results = {allowed for _, allowed in found}
        if results == {answered}:
            return _Outcome(ReplayVerdict.UNCHANGED)
        if len(results) == 1:
            return _Outcome(ReplayVerdict.REFUSED if answered else ReplayVerdict.ALLOWED)
        return _Outcome(ReplayVerdict.UNDECIDED, tuple(ways.deciding(found)))

    def _identity_of(self, request: RecordedRequest, caller: Caller, key: KeyStatements) -> tuple[bool, ...]:
        """What the caller's IAM policies may say: True for an allow. A Deny is newer than an answer."""
        documents = self._identity.get(request.principal)
        if documents is None:
            return True, False
        judged = key.request(request, caller, documents)
        effects = {evaluate(document, judged).effect for document in documents}
        if effects & {Effect.DEPENDS, Effect.DENY}:
            return True, False
        return (Effect.ALLOW in effects,)

    def _is_allowed(
        self, key: KeyStatements, judged: AccessRequest, applying: Applying, way: _Way, identity: bool
    ) -> bool:
        """Whether all layers allow the request in one way of filling in what is open."""
        statements = tuple(each for each, facts in applying.statements if facts <= way.facts)
        grants = tuple(each for each, facts in applying.grants if facts <= way.facts)
        question = (id(key), judged.caller, judged.action, statements, _ids(grants), identity, way.limits)
        if question not in self._decided:
            limits = NamedPolicy(_LIMITS, _EVERYTHING if way.limits else _NOTHING)
            layers = Layers(
                key_policy=NamedPolicy("the key policy", _bare(key.access.policy, statements)),
                grants=tuple(replace(grant, constraints={}) for grant in grants),
                identity=(NamedPolicy(_IDENTITY, _EVERYTHING),) if identity else (),
                boundary=limits,
                session=(limits,),
                scps=(),
                rcps=(),
                endpoint=None,
            )
            request = AccessRequest(judged.caller, judged.action, judged.key_arn, complete=True)
            self._decided[question] = authorize_request(request, layers).is_allowed
        return self._decided[question]


def _ids(grants: Sequence[Grant]) -> tuple[str, ...]:
    return tuple(grant.grant_id for grant in grants)


def _judge_of(
    access: KeyAccess, change: KeyChange, identity: Mapping[str, Sequence[Document]]
) -> _StateJudge | _AccessJudge | _AliasJudge:
    if isinstance(change, StateChange):
        return _StateJudge(change.state)
    judge = _AccessJudge(access, change.after(access), identity)
    return _AliasJudge(judge, access, change) if isinstance(change, AliasRepointing) else judge


class _AliasJudge:
    """Judges the requests that name the key by an alias: they go to another key."""

    def __init__(self, judge: _AccessJudge, access: KeyAccess, change: AliasRepointing) -> None:
        self._alias = change.alias
        self._access = judge
        self._moves = access.key_arn != change.target.key_arn

    def judge(self, request: RecordedRequest) -> _Judgement:
        if request.alias != self._alias or not self._moves:
            return _UNCHANGED
        if request.is_answered and request.operation in _OF_OLD_KEY:
            return _Judgement(ReplayVerdict.REFUSED, _OF_OLD_KEY[request.operation])
        return self._access.judge(request)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of filling in what the record leaves open: the facts that hold, and what layers give.

    ``given`` is what IAM policies give of the key before the change, ``later`` of that after it.
    """

    facts: frozenset[OpenFact]
    given: bool
    limits: bool
    later: bool


class _Ways:
    """All ways of filling in what a request leaves open.

    ``identity`` is what IAM policies may say of the key before, ``later`` of another key after: () for the
    same key.
    """

    def __init__(
        self, facts: frozenset[OpenFact], identity: tuple[bool, ...], later: tuple[bool, ...], refused_by: str
    ) -> None:
        self._facts = sorted(facts)
        self._later = later
        # A message that names the IAM policies says that they allow nothing.
        self._identity = (False,) if refused_by == RefusedBy.IDENTITY else identity
        # A message that names key policy or IAM policies says nothing of limits; they are taken to pass.
        self._limits = (True,) if refused_by else (True, False)

    @property
    def identity(self) -> tuple[object, ...]:
        """A value that is the same for the same ways, given the facts."""
        return self._identity, self._later, self._limits

    def __iter__(self) -> Iterator[_Way]:
        for chosen in product((True, False), repeat=len(self._facts)):
            facts = frozenset(fact for fact, holds in zip(self._facts, chosen, strict=True) if holds)
            for identity, limits in product(self._identity, self._limits):
                for later in self._later or (identity,):
                    yield _Way(facts, identity, limits, later)

    def deciding(self, outcomes: Sequence[tuple[_Way, bool]]) -> list[str]:
        """What makes the difference between the ways."""
        by_way = dict(outcomes)
        found: dict[str, None] = {}
        for way, result in outcomes:
            for fact in self._facts:
                other = replace(way, facts=way.facts ^ {fact})
                if by_way.get(other, result) != result:
                    found[fact[1]] = None
            flipped = replace(way, later=not way.later)
            if not self._later:
                flipped = replace(flipped, given=not way.given)
            if by_way.get(flipped, result) != result:
                found[_IDENTITY] = None
            if by_way.get(replace(way, limits=not way.limits), result) != result:
                found[_LIMITS] = None
        return list(found) or [fact[1] for fact in self._facts] or [_IDENTITY]


def _named(what: str, request: RecordedRequest) -> str:
    return f"{what} of {request.principal_label}" if what == _IDENTITY else what


@lru_cache(maxsize=4096)
def _caller(principal: str) -> Caller | None:
    try:
        return Caller.parse(principal)
    except ValueError:
        return None


def _bare(document: Document, statements: Sequence[Statement]) -> Document:
    """A policy of statements whose conditions hold."""
    return replace(document, statements=tuple(replace(each, conditions=()) for each in statements))
