"""THE table of moves: a row for each kind that a scan looks at, or several by purpose."""

from __future__ import annotations

from kms_tui.evidence.scan_task import Use
from kms_tui.key_moves.analytics_moves import ANALYTICS_MOVES
from kms_tui.key_moves.application_moves import APPLICATION_MOVES
from kms_tui.key_moves.database_moves import DATABASE_MOVES
from kms_tui.key_moves.move import How, Move
from kms_tui.key_moves.storage_moves import STORAGE_MOVES

MOVES = (*STORAGE_MOVES, *DATABASE_MOVES, *APPLICATION_MOVES, *ANALYTICS_MOVES)
_BY_PURPOSE = {(move.kind, purpose): move for move in MOVES for purpose in move.purposes}
_BY_KIND = {move.kind: move for move in MOVES if not move.purposes}
_UNKNOWN = "How this kind is moved is not known here."


def move_of(use: Use) -> Move:
    """How the resource of a use is moved."""
    unknown = Move(use.kind, How.NOT_PLANNED, _UNKNOWN, (), old_key_needed=True)
    return _BY_PURPOSE.get((use.kind, use.purpose)) or _BY_KIND.get(use.kind, unknown)
