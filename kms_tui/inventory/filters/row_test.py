"""What a filter field says of a row: of its kind where that decides, else of the row itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from kms_tui.inventory.row import Row
from kms_tui.inventory.row_class import Reading, RowClass


class Depends(Enum):
    """The verdict that rows of one kind may differ."""

    ON_ROW = "on the row"


ON_ROW = Depends.ON_ROW
Verdict = bool | Depends | None
"""True, False, None where a fact that decides is not known, or ON_ROW."""


def _never_asked(row: Row) -> bool | None:
    raise AssertionError(f"the kind of {row.arn} decides")


@dataclass(frozen=True, slots=True)
class RowTest:
    """``of_row`` is asked only of rows of whose kind ``of_kind`` says ON_ROW."""

    of_kind: Callable[[RowClass], Verdict]
    of_row: Callable[[Row], bool | None] = _never_asked

    def holds(self, row: Row) -> bool | None:
        verdict = self.of_kind(row.kind)
        return self.of_row(row) if isinstance(verdict, Depends) else verdict

    def judge(self, rows: Sequence[Row]) -> list[bool | None]:
        """What holds of each row."""
        of_kind, of_row = self.of_kind, self.of_row
        verdicts = {kind: of_kind(kind) for kind in {row.kind for row in rows}}
        return [
            of_row(row) if isinstance(verdict := verdicts[row.kind], Depends) else verdict for row in rows
        ]

    def negated(self) -> RowTest:
        def of_kind(kind: RowClass) -> Verdict:
            verdict = self.of_kind(kind)
            return not verdict if isinstance(verdict, bool) else verdict

        def of_row(row: Row) -> bool | None:
            verdict = self.of_row(row)
            return None if verdict is None else not verdict

        return RowTest(of_kind, of_row)


def known_of(reading: Callable[[RowClass], Reading]) -> Callable[[RowClass], Verdict]:
    """For tests of a fact's value: ON_ROW where it is known, False where the key has no such thing."""

    def of_kind(kind: RowClass) -> Verdict:
        match reading(kind):
            case Reading.KNOWN:
                return ON_ROW
            case Reading.NOT_APPLICABLE:
                return False
            case _:
                return None

    return of_kind


def any_row(_kind: RowClass) -> Verdict:
    """For tests of what every row has."""
    return ON_ROW
