"""Rotation: whether and when, and every key material this key has had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from kms_tui.backend.api import Kms
from kms_tui.kms.facts import LOADING, Fact, Known
from kms_tui.kms.model import KeyOrigin, KeyRotation, KeyRotationStatus
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import DetailTab, read_fact
from kms_tui.ui.details.table import Row, facts_table, plain_table
from kms_tui.ui.words import fact_content, when_words

ON_DEMAND_LIMIT = 25
"""On-demand rotations that a key may have in its life (developer guide, rotating-keys-on-demand)."""


@dataclass(frozen=True, slots=True)
class RotationFacts:
    status: Fact[KeyRotationStatus]
    history: Fact[list[KeyRotation]]


class RotationTab(DetailTab[RotationFacts]):
    TITLE = "Rotation"
    HINTS = (
        ("enable-rotation", "on, or its period"),
        ("disable-rotation", "off"),
        ("rotate-now", "rotates now"),
    )

    def hints(self, subject: Subject) -> Sequence[tuple[str, str]]:
        imported = subject.key is not None and subject.key.origin == KeyOrigin.EXTERNAL
        return (("import-material", "imports material"), *self.HINTS) if imported else self.HINTS

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="rotation-facts")
        yield Static("Key material", classes="section")
        yield Static(id="rotation-history")

    def read(self, kms: Kms, subject: Subject) -> RotationFacts:
        return RotationFacts(
            read_fact(lambda: kms.rotation_status(subject.key_id)),
            read_fact(lambda: kms.rotations(subject.key_id, all_material=True)),
        )

    def present(self, subject: Subject, fact: Fact[RotationFacts]) -> None:
        facts = fact.value if isinstance(fact, Known) else RotationFacts(LOADING, LOADING)
        self.query_one("#rotation-facts", Static).update(facts_table(self._rows(facts)))
        self.query_one("#rotation-history", Static).update(fact_content(facts.history, self._history))

    def _rows(self, facts: RotationFacts) -> list[Row]:
        rows = [("Automatic", fact_content(facts.status, self._status))]
        if isinstance(facts.history, Known):
            used = sum(rotation.kind == "ON_DEMAND" for rotation in facts.history.value)
            left = f"{used} of {ON_DEMAND_LIMIT} used, {max(ON_DEMAND_LIMIT - used, 0)} left"
            rows.append(("On demand", Content(left)))
        return rows

    def _status(self, status: KeyRotationStatus) -> Content:
        if not status.enabled:
            return Content.styled("off", "$warning")
        assert self.session is not None
        every = f"every {status.period_days} days" if status.period_days else "on"
        if status.next_date is None:
            return Content(every)
        return Content(f"{every}; next {when_words(status.next_date, self.session.now())}")

    def _history(self, rotations: list[KeyRotation]) -> Content:
        if not rotations:
            return Content.styled("This key has not been rotated.", "$foreground-muted")
        assert self.session is not None
        now = self.session.now()
        rows = [
            (
                when_words(rotation.date, now) if rotation.date else "first",
                rotation.kind.replace("_", " ").lower() or "–",
                rotation.material_state.replace("_", " ").lower(),
                rotation.key_material_id[:12],
            )
            for rotation in reversed(rotations)
        ]
        return plain_table(("DATE", "KIND", "STATE", "MATERIAL ID"), rows)
