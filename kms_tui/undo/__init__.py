"""Undo, where AWS allows it: the calls that undo a change, and the changes of this session."""

from kms_tui.undo.recorder import UndoHistory, UndoRecorder, UndoStep, already_read, not_undone
from kms_tui.undo.reversals import REVERSALS, ApiCall, Reversal

__all__ = [
    "REVERSALS",
    "ApiCall",
    "Reversal",
    "UndoHistory",
    "UndoRecorder",
    "UndoStep",
    "already_read",
    "not_undone",
]
