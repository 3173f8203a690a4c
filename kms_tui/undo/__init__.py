"""Undo, where AWS allows it: which calls do it, and what has been changed in this session."""

from kms_tui.undo.history import History, Step
from kms_tui.undo.remembering import Remembering
from kms_tui.undo.reversals import REVERSALS, ApiCall, Reversal

__all__ = ["REVERSALS", "ApiCall", "History", "Remembering", "Reversal", "Step"]
