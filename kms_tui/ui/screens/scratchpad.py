"""The scratchpad as a mode."""

from kms_tui.ui.scratchpad.scratchpad_screen import ScratchpadScreen

__all__ = ["ScratchpadScreen"]
