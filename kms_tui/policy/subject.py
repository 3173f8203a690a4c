"""A key policy under examination: whose key it guards, and which of its statements count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kms_tui.policy import resources
from kms_tui.policy.actions import Action
from kms_tui.policy.circumstances import Circumstances, Origin, Setting
from kms_tui.policy.conditions import Test
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import key_context
from kms_tui.policy.instances import identities
from kms_tui.policy.keys import Presence
from kms_tui.policy.principals import Caller, Kind
from kms_tui.policy.search import Budget, Clause, Literal, solve

FRESH_USER, FRESH_ROLE = "user/zz-anyone", "role/zz-anyone"


@dataclass(frozen=True, slots=True)
class Effective:
    """A statement that applies to the key, and the actions it is about; ``sure`` is False where that turns on
    the key's ARN, which is not known.
    """

    statement: Statement
    mask: int
    sure: bool


@dataclass(frozen=True)
class Subject:
    """``key_arn`` is "" where it is not known; ``now`` is in seconds since 1970."""

    document: Document
    account_id: str
    partition: str
    key_arn: str
    now: float
    budget: Budget

    @cached_property
    def effective(self) -> list[Effective]:
        found: list[Effective] = []
        for statement in self.document.statements:
            covered = self.covers(statement)
            if covered is not False and statement.actions:
                found.append(Effective(statement, resources.action_mask(statement), covered is True))
        return found

    def covers(self, statement: Statement) -> bool | None:
        """Whether the statement applies to the key; None: the key is not known, and it is for some."""
        if self.key_arn:
            return resources.covers(self.document, statement, self.key_arn, self._resolve)
        return resources.covers_some_key(
            self.document, statement, self.account_id, self.partition, self._resolve
        )

    def _resolve(self, key: str) -> str | None:
        """What every request of the account has, for policy variables in Resource."""
        if key in ("aws:principalaccount", "kms:calleraccount"):
            return self.account_id
        value = key_context(self.key_arn).get(key)
        return value if isinstance(value, str) else None

    @cached_property
    def tests(self) -> Mapping[str, Sequence[Test]]:
        """The conditions of the statements that count, by key in lower case."""
        found: dict[str, list[Test]] = {}
        for each in self.effective:
            for test in each.statement.conditions:
                found.setdefault(test.key, []).append(test)
        return found

    def allows(self, mask: int) -> list[Effective]:
        return [each for each in self.effective if each.statement.is_allow and each.mask & mask]

    def denies(self, mask: int) -> list[Effective]:
        return [each for each in self.effective if not each.statement.is_allow and each.mask & mask]

    def is_account_level(self, statement: Statement) -> bool:
        """Whether it names the key's account, or everyone."""
        return any(
            principal.kind is Kind.EVERYONE
            or (principal.kind is Kind.ACCOUNT and principal.account == self.account_id)
            for principal in statement.principals
        )

    @cached_property
    def has_network_conditions(self) -> bool:
        network = (Presence.INTERNET, Presence.ENDPOINT)
        return any(tests[0].key_info.presence in network for tests in self.tests.values())

    def settings(
        self,
        callers: Sequence[Caller],
        origin: Origin,
        action: Action,
        *,
        plain_callers: int = 1,
        any_id: bool = False,
    ) -> list[Setting]:
        """The setting over the Internet, and through a VPC endpoint if a condition asks about the network."""
        ways = (False, True) if self.has_network_conditions else (False,)
        return [
            Setting(
                tuple(callers),
                origin,
                action,
                self.key_arn,
                self.now,
                plain_callers,
                endpoint=way,
                any_id=any_id,
            )
            for way in ways
        ]

    def world(self, setting: Setting) -> Circumstances:
        return Circumstances(setting, self.tests, self.budget)

    @cached_property
    def own_callers(self) -> list[list[Caller]]:
        """Per kind (root user, users, roles, federated users that are mentioned): whom the account can bring forth.

        The first of each list is the unremarkable one, that no policy names.
        """
        arn = f"arn:{self.partition}:iam::{self.account_id}:"
        tests = [*self.tests.get("aws:principalarn", ()), *self.tests.get("aws:username", ())]
        return [
            [Caller.parse(f"{arn}root")],
            [Caller.parse(arn + FRESH_USER), *self._mentioned(tests, Kind.USER)],
            [Caller.parse(arn + FRESH_ROLE), *self._mentioned(tests, Kind.ROLE)],
            *([federated] if (federated := self._federated(tests)) else []),
        ]

    def _mentioned(self, tests: Sequence[Test], kind: Kind) -> list[Caller]:
        self.budget.spend(20 * sum(len(test.values) for test in tests))
        found = {caller.arn: caller for caller in identities(tests, kind, self.account_id, self.partition)}
        for each in self.effective:
            if each.statement.not_principal:
                for principal in each.statement.principals:
                    if principal.kind is kind and principal.account == self.account_id:
                        caller = Caller.parse(principal.text)
                        if not caller.is_service_linked:
                            found[caller.arn] = caller
        return list(found.values())

    def _federated(self, tests: Sequence[Test]) -> list[Caller]:
        """Federated users take part only where the policy speaks of them."""
        mentioned = identities(tests, Kind.FEDERATED_USER, self.account_id, self.partition)
        types = self.tests.get("aws:principaltype", ())
        if mentioned or any(text.value == "FederatedUser" for test in types for text in test.values):
            arn = f"arn:{self.partition}:sts::{self.account_id}:federated-user/zz-anyone"
            return [Caller.parse(arn), *mentioned]
        return []


def applying(
    world: Circumstances, statements: Iterable[Effective], *, any_principal: bool = False
) -> list[list[Literal]]:
    """What must be true for each of the statements to apply; those that never do are left out."""
    found = (world.statement(each.statement, any_principal=any_principal) for each in statements)
    return [literals for literals in found if literals is not None]


def escaping(world: Circumstances, denies: Iterable[Effective]) -> list[Clause]:
    """For each Deny a clause: one of its conditions is false."""
    return [[world.negated(literal) for literal in literals] for literals in applying(world, denies)]


def is_possible(world: Circumstances, allow: Sequence[Literal], escapes: Sequence[Clause]) -> bool:
    """Whether some request meets what an Allow asks and escapes every Deny."""
    clauses: list[Clause] = [[literal] for literal in allow]
    return solve(world.domains(), [*clauses, *escapes], world.budget) is not None
