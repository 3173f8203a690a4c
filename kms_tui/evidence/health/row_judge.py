"""Judges the rows of the key list by the health checks, as far as the facts on hand allow.

The table of checks, and with it the policy package, is imported when the first row is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.row_health import HEALTHY, UNDESCRIBED, RowFinding, RowHealth
from kms_tui.kms.facts import UNASKED, Denied, Fact, Failed, Known

if TYPE_CHECKING:
    from kms_tui.evidence.health.checks import Check
    from kms_tui.evidence.health.examined import Examined, Settings, Verdict
    from kms_tui.kms.model import Key

_READS = (FactName.DESCRIBED, FactName.ROTATION, FactName.POLICY)


class RowJudge:
    """``kms_tui.inventory.row.Judge`` of the checks that the settings ask for.

    A fact that only an examination reads (since when a key is disabled, the policy of a replica's primary)
    counts once it is there, and is not missed before. What a policy says is judged once for each text.
    """

    def __init__(self, required_tags: tuple[str, ...] = ()) -> None:
        self._required_tags = required_tags
        self.reads: tuple[FactName, ...] = (*_READS, FactName.TAGS) if required_tags else _READS
        self._policies: dict[str, tuple[str, Mapping[str, Verdict]]] = {}

    def health(self, row: Row, now: datetime) -> RowHealth:
        key = row.key
        if row.gone or row.managed_by_aws(key):
            return HEALTHY
        if key is None:
            is_refused = isinstance(row.described, Denied | Failed)
            return RowHealth(refused=frozenset({FactName.DESCRIBED})) if is_refused else UNDESCRIBED
        return self._judged(row, self._examined(row, key), now)

    def prepare(self, row: Row, policy: str, now: datetime) -> None:
        key = row.key
        if key is not None:
            self._policy_verdicts(self._examined(row, key, Known(policy)), policy, now)

    @cached_property
    def _settings(self) -> Settings:
        from kms_tui.evidence.health.examined import Settings

        return Settings(required_tags=self._required_tags)

    @cached_property
    def _checks(self) -> tuple[Check, ...]:
        from kms_tui.evidence.health.checks import chosen_checks

        return chosen_checks(self._settings)

    @cached_property
    def _plan(self) -> tuple[tuple[Check, tuple[tuple[str, str], ...]], ...]:
        """Each check with its needs: an attribute of ``Examined``, and the fact that the list reads or ""."""
        return tuple(
            (
                check,
                tuple(
                    (need.value, need.column.value if need.column and need.column in self.reads else "")
                    for need in check.needs
                ),
            )
            for check in self._checks
        )

    def _examined(self, row: Row, key: Key, policy: Fact[str] | None = None) -> Examined:
        from kms_tui.evidence.health.examined import Examined

        return Examined(
            key,
            Known(row.aliases) if row.aliases or row.aliases_known else UNASKED,
            row.rotation,
            policy or row.policy,
            row.tags,
            row.last_usage,
            row.primary_policy,
            row.disabled_since,
        )

    def _judged(self, row: Row, examined: Examined, now: datetime) -> RowHealth:
        findings: list[RowFinding] = []
        unread: set[str] = set()
        refused: set[str] = set()
        unsure: list[str] = []
        of_policy: Mapping[str, Verdict] = {}
        if isinstance(row.policy, Known):
            of_policy = self._policy_verdicts(examined, row.policy.value, now)
        key = examined.key
        for check, needs in self._plan:  # for each change of a row: no look-ups that can be made once
            if not check.applies(key):
                continue
            is_lacking = False
            for attribute, name in needs:
                fact = getattr(examined, attribute)
                if not isinstance(fact, Known):
                    is_lacking = True
                    if name:
                        (refused if isinstance(fact, Denied | Failed) else unread).add(name)
            if is_lacking:
                continue
            if check.id in of_policy:
                verdict = of_policy[check.id]
            else:
                # A malformed fact raises: then it counts as failed (``kms_tui.inventory.fact_reader``).
                verdict = check.judge(examined, self._settings, now)
            if isinstance(verdict, str):
                findings.append(RowFinding(check.id, check.severity))
            elif verdict is not None:
                unsure.append(check.id)
        return RowHealth(tuple(findings), frozenset(unread), frozenset(refused), tuple(unsure))

    def _policy_verdicts(self, examined: Examined, policy: str, now: datetime) -> Mapping[str, Verdict]:
        """Check id -> what it says of a key's policy alone."""
        from kms_tui.evidence.health.examined import Need

        arn = examined.key.arn
        known = self._policies.get(arn)
        if known is not None and known[0] == policy:
            return known[1]
        verdicts = {
            check.id: check.verdict(examined, self._settings, now)
            for check in self._checks
            if check.needs == (Need.POLICY,) and check.applies(examined.key)
        }
        self._policies[arn] = policy, verdicts
        return verdicts
