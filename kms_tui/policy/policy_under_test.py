"""A key policy under test: its key's account, its effective statements, and the requests to try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kms_tui.policy import actions, evaluation, linked_keys, wildcard
from kms_tui.policy.actions import Action
from kms_tui.policy.condition_keys import OWN_ACCOUNT, Presence
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import key_context
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.request_setting import FRESH_ROLE, FRESH_USER, Origin, RequestSetting
from kms_tui.policy.request_space import RequestSpace
from kms_tui.policy.sample_values import identities, linked_identities
from kms_tui.policy.search import Budget, Clause, Literal, merged, solve


@dataclass(frozen=True, slots=True)
class EffectiveStatement:
    """A statement that applies to the key, with its actions; ``sure`` is False if that depends on the key's
    ARN, which is not known.
    """

    statement: Statement
    mask: int
    sure: bool


@dataclass(frozen=True)
class PolicyUnderTest:
    """``key_arn`` is "" if not known; ``now`` is in seconds since 1970."""

    document: Document
    account_id: str
    partition: str
    key_arn: str
    now: float
    budget: Budget

    @cached_property
    def answers(self) -> dict[tuple[object, ...], bool]:
        """Results of conditions with policy variables, shared by all request spaces."""
        return {}

    @cached_property
    def pieces(self) -> dict[ConditionTest, Sequence[ConditionTest]]:
        """The parts of conditions with policy variables."""
        return {}

    @cached_property
    def effective(self) -> list[EffectiveStatement]:
        found: list[EffectiveStatement] = []
        for statement in self.document.statements:
            covered = self.covers(statement)
            if covered is not False and statement.actions:
                found.append(
                    EffectiveStatement(
                        statement, evaluation.action_mask(statement, self.matching), covered is True
                    )
                )
        return found

    @property
    def region(self) -> str:
        """The key's region; "" if the key is not known."""
        return self._resolve("aws:requestedregion") or ""

    def matching(self, pattern: str) -> int:
        """``actions.matching``, computed once for each pattern."""
        if pattern not in self._matching:
            self.budget.spend(500 if wildcard.has_wildcard(pattern) else 20)
            self._matching[pattern] = actions.matching(pattern)
        return self._matching[pattern]

    @cached_property
    def _matching(self) -> dict[str, int]:
        return {}

    def covers(self, statement: Statement) -> bool | None:
        """Whether the statement applies to the key; None: the key is not known, and some match."""
        if self.key_arn:
            return evaluation.covers(self.document, statement, self.key_arn, self._resolve)
        return evaluation.covers_some_key(
            self.document, statement, self.account_id, self.partition, self._resolve, self.budget
        )

    def _resolve(self, key: str) -> str | None:
        """The values that every request of the account has, for policy variables in Resource."""
        if key in OWN_ACCOUNT:
            return self.account_id
        value = key_context(self.key_arn).get(key)
        return value if isinstance(value, str) else None

    def allows(self, mask: int) -> list[EffectiveStatement]:
        return [each for each in self.effective if each.statement.is_allow and each.mask & mask]

    def denies(self, mask: int) -> list[EffectiveStatement]:
        if mask not in self._denies:
            self._denies[mask] = [
                each for each in self.effective if not each.statement.is_allow and each.mask & mask
            ]
        return self._denies[mask]

    @cached_property
    def _denies(self) -> dict[int, list[EffectiveStatement]]:
        return {}

    @cached_property
    def unmentioned_account(self) -> str:
        """An account id that the policy does not mention."""
        text = self.document.text
        return next(
            account
            for account in (f"{number:012d}" for number in range(999_999_999_999, 0, -1))
            if account not in text and account != self.account_id
        )

    def is_account_level(self, statement: Statement) -> bool:
        """Whether it names the key's account, or everyone."""
        return any(
            principal.kind is PrincipalKind.EVERYONE
            or (principal.kind is PrincipalKind.ACCOUNT and principal.account == self.account_id)
            for principal in statement.principals
        )

    def analysis(self, about: Sequence[EffectiveStatement]) -> StatementAnalysis:
        """The analysis of these statements alone."""
        key = tuple(map(id, about))
        if key not in self._analyses:
            self._analyses[key] = StatementAnalysis(self, about)
        return self._analyses[key]

    @cached_property
    def _analyses(self) -> dict[tuple[int, ...], StatementAnalysis]:
        return {}


@dataclass(frozen=True)
class StatementAnalysis:
    """Some statements of a policy, and the request spaces in which they may differ."""

    subject: PolicyUnderTest
    about: Sequence[EffectiveStatement]

    @cached_property
    def tests(self) -> Mapping[str, Sequence[ConditionTest]]:
        """The statements' conditions by key in lower case."""
        found: dict[str, list[ConditionTest]] = {}
        for each in self.about:
            for test in each.statement.conditions:
                found.setdefault(test.key, []).append(test)
        return found

    @cached_property
    def _endpoints(self) -> tuple[bool, ...]:
        """Whether requests come through a VPC endpoint: both ways if a condition is about the network."""
        network = (Presence.INTERNET, Presence.ENDPOINT)
        asked = any(tests[0].key_info.presence in network for tests in self.tests.values())
        return (False, True) if asked else (False,)

    def request_spaces(
        self,
        callers: Sequence[Caller],
        origin: Origin,
        action: Action,
        *,
        plain_callers: int = 1,
        any_id: bool = False,
    ) -> Iterator[RequestSpace]:
        """The requests that these callers can make; the first space is the plainer one."""
        subject = self.subject
        for endpoint in self._endpoints:
            setting = RequestSetting(
                tuple(callers),
                origin,
                action,
                subject.account_id,
                subject.key_arn,
                subject.now,
                plain_callers,
                endpoint=endpoint,
                any_id=any_id,
            )
            yield RequestSpace(setting, self.tests, subject.budget, subject.answers, subject.pieces)

    def space(self, callers: Sequence[Caller], origin: Origin, action: Action) -> RequestSpace:
        return next(self.request_spaces(callers, origin, action))

    @cached_property
    def own_callers(self) -> list[list[Caller]]:
        """Callers that the account can create, by kind: root user, users, roles, mentioned federated users.

        The first of each list is an unremarkable one, which no policy names.
        """
        arn = f"arn:{self.subject.partition}:iam::{self.subject.account_id}:"
        account = self.subject.account_id
        return [
            [Caller.parse(f"{arn}root")],
            [
                Caller.parse(arn + FRESH_USER),
                *self.identities(PrincipalKind.USER, account),
                *self._excluded(PrincipalKind.USER),
            ],
            [
                Caller.parse(arn + FRESH_ROLE),
                *self.identities(PrincipalKind.ROLE, account),
                *self._excluded(PrincipalKind.ROLE),
            ],
            *([federated] if (federated := self._federated) else []),
        ]

    def identities(self, kind: PrincipalKind, account: str) -> list[Caller]:
        """Users or roles of an account that the conditions mention and that can be created again."""
        tests = [*self.tests.get("aws:principalarn", ()), *self.tests.get("aws:username", ())]
        subject = self.subject
        found = identities(tests, kind, account, subject.partition, subject.budget)
        return [
            *dict.fromkeys((*found, *linked_identities(self._linked_texts, kind, account, subject.partition)))
        ]

    @cached_property
    def _linked_texts(self) -> list[str]:
        """Names and ARNs of callers in policy variables."""
        tests = [test for tests in self.tests.values() for test in tests]
        texts = linked_keys.caller_texts(tests, self.subject.account_id, self.subject.budget)
        self.subject.budget.spend(100 * len(texts))
        return texts

    def _excluded(self, kind: PrincipalKind) -> Iterator[Caller]:
        """Identities of the account that a NotPrincipal lists."""
        for each in self.about:
            if each.statement.not_principal:
                for principal in each.statement.principals:
                    if principal.kind is kind and principal.account == self.subject.account_id:
                        caller = Caller.parse(principal.text)
                        if not caller.is_service_linked:
                            yield caller

    @property
    def _federated(self) -> list[Caller]:
        """Federated users, if the policy mentions any."""
        mentioned = self.identities(PrincipalKind.FEDERATED_USER, self.subject.account_id)
        types = self.tests.get("aws:principaltype", ())
        if mentioned or any(text.value == "FederatedUser" for test in types for text in test.values):
            subject = self.subject
            arn = f"arn:{subject.partition}:sts::{subject.account_id}:federated-user/zz-anyone"
            return [Caller.parse(arn), *mentioned]
        return []


def applying(
    space: RequestSpace, statements: Iterable[EffectiveStatement], *, any_principal: bool = False
) -> list[list[Literal]]:
    """The literals that must be true for each statement to apply; without statements that never do."""
    found = (space.statement(each.statement, any_principal=any_principal) for each in statements)
    return [literals for literals in found if literals is not None]


def escaping(
    space: RequestSpace, statements: Iterable[EffectiveStatement], *, any_principal: bool = False
) -> list[Clause]:
    """A clause for each statement that may apply: one of its conditions is false."""
    return [
        merged(space.negated(literal) for literal in literals)
        for literals in applying(space, statements, any_principal=any_principal)
    ]


def is_possible(space: RequestSpace, allow: Sequence[Literal], escapes: Sequence[Clause]) -> bool:
    """Whether a request meets an Allow's literals and escapes every Deny."""
    clauses: list[Clause] = [[literal] for literal in allow]
    return solve(space.domains(), [*clauses, *escapes], space.budget) is not None
