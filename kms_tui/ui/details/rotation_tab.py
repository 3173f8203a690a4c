"""Rotation: automatic and on demand, and the history of key material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, Fact, Known, read_fact
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyOrigin, KeyRotation, KeyRotationStatus
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import date_words, fact_content, span_words, when_words
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.details.overview_tab import can_report_rotation, rotation_content
from kms_tui.ui.widgets.charts import Moment, dated_line
from kms_tui.ui.widgets.facts_table import FactRow, FactsTable, plain_table
from kms_tui.ui.widgets.text_widgets import Static

T = TypeVar("T")
D = TypeVar("D")
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
        yield Static(Content("Key material"), classes="section")
        yield Static(id="rotation-history")

    def read(self, kms: Kms, subject: Subject) -> RotationFacts:
        key = subject.key
        rotates = key is None or can_report_rotation(key)
        return RotationFacts(
            read_fact(lambda: kms.rotation_status(subject.key_id)) if rotates else NOT_APPLICABLE,
            read_fact(lambda: kms.rotations(subject.key_id, all_material=True)),
        )

    def present(self, subject: Subject, fact: Fact[RotationFacts]) -> None:
        facts = fact.value if isinstance(fact, Known) else RotationFacts(LOADING, LOADING)
        self.query_one("#rotation-facts", Static).update(FactsTable(self._rows(facts)))
        self.query_one("#rotation-history", Static).update(fact_content(facts.history, self._history))

    def _rows(self, facts: RotationFacts) -> list[FactRow]:
        rows: list[FactRow] = [("Automatic", fact_content(facts.status, self._status))]
        key = self.subject.key if self.subject is not None else None
        if isinstance(facts.history, Known) and (key is None or _rotates_on_demand(key)):
            used = sum(rotation.kind == "ON_DEMAND" for rotation in facts.history.value)
            left = f"  {used} of {ON_DEMAND_LIMIT} used, {max(ON_DEMAND_LIMIT - used, 0)} left"
            rows.append(("On demand", gauge(used, ON_DEMAND_LIMIT) + Content(left)))
        if isinstance(facts.history, Known) and (line := self._life(facts)) is not None:
            rows.append(("Material", line))
        return rows

    def _life(self, facts: RotationFacts) -> Content | None:
        """The rotations so far and the next one on a time line; None where none has a date."""
        assert self.session is not None
        key = self.subject.key if self.subject is not None else None
        now = self.session.now()
        dates = [rotation.date for rotation in _known(facts.history, []) if rotation.date is not None]
        first = [key.created] if key is not None and key.created is not None else []
        moments = [Moment(date, "●") for date in (*first, *dates) if date <= now]
        status = _known(facts.status, None)
        if status is not None and status.next_date is not None:
            moments.append(Moment(status.next_date, "○"))
        return dated_line(moments, now) if len(moments) > 1 else None

    def _status(self, status: KeyRotationStatus) -> Content:
        assert self.session is not None
        return rotation_content(status, self.session.now())

    def _history(self, rotations: list[KeyRotation]) -> Content:
        if not rotations:
            return Content.styled("This key has not been rotated.", "$foreground-muted")
        assert self.session is not None
        now = self.session.now()
        head = ["DATE", "IN USE FOR", "KIND", "STATE", "MATERIAL ID"]
        ages = _ages(rotations, self.subject.key if self.subject is not None else None, now)
        rows = [
            [
                _date(rotation),
                age,
                rotation.kind.replace("_", " ").lower() or "–",
                rotation.material_state.replace("_", " ").lower(),
                rotation.key_material_id[:12],
            ]
            for rotation, age in zip(reversed(rotations), reversed(ages), strict=True)
        ]
        if any(rotation.import_state for rotation in rotations):
            head += ["IMPORT"]
            for row, rotation in zip(rows, reversed(rotations), strict=True):
                row.append(_import(rotation, now))
        if any(rotation.material_description for rotation in rotations):
            head += ["DESCRIPTION"]
            for row, rotation in zip(rows, reversed(rotations), strict=True):
                row.append(rotation.material_description or "–")
        return plain_table(head, rows)


def _known(fact: Fact[T], otherwise: D) -> T | D:
    return fact.value if isinstance(fact, Known) else otherwise


def _ages(rotations: Sequence[KeyRotation], key: Key | None, now: datetime) -> list[str]:
    """How long each key material encrypts, or did: until the next one came; "" where that is not known."""
    created = key.created if key is not None else None
    begins = [
        rotation.date or (created if not rotation.material_state.startswith("PENDING") else None)
        for rotation in rotations
    ]
    ends = [*begins[1:], now]
    return [
        span_words(min(end or now, now) - begin) if begin is not None and begin < now else ""
        for begin, end in zip(begins, ends, strict=True)
    ]


def gauge(used: int, limit: int) -> Content:
    """A cell for each of the limit, the used ones filled."""
    used = min(used, limit)
    return Content.styled("■" * used, "$accent") + Content.styled("□" * (limit - used), "$foreground-muted")


def _rotates_on_demand(key: Key) -> bool:
    """RotateKeyOnDemand takes symmetric customer keys whose material KMS made or that is imported."""
    origins = (KeyOrigin.AWS_KMS, KeyOrigin.EXTERNAL)
    return key.spec == SYMMETRIC_DEFAULT and key.origin in origins and not key.is_aws_managed


def _date(rotation: KeyRotation) -> str:
    if rotation.date is not None:
        return date_words(rotation.date)
    return "not yet" if rotation.material_state.startswith("PENDING") else "first"


def _import(rotation: KeyRotation, now: datetime) -> str:
    """Whether imported material is there, and until when ("imported, expires 2026-12-05, in 8 d")."""
    state = rotation.import_state.replace("_", " ").lower()
    if rotation.valid_to is None:
        return state
    return f"{state}, expires {when_words(rotation.valid_to, now)}"
