"""The scratchpad as a mode."""

from kms_tui.ui.scratchpad.screen import ScratchpadScreen

__all__ = ["ScratchpadScreen"]
