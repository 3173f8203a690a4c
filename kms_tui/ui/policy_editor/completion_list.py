"""The list of completions at the cursor; the text area keeps the focus."""

from __future__ import annotations

from textual.geometry import Offset
from textual.widgets import OptionList

from kms_tui.ui.base.safe_text import fit, safe
from kms_tui.ui.policy_editor.policy_area import PolicyArea
from kms_tui.ui.policy_editor.policy_completion import Completion, PolicyContext, complete
from kms_tui.ui.widgets.text_widgets import Option

_WIDEST = 64
_TALLEST = 9


class CompletionList(OptionList, can_focus=False):
    """Shown while there are completions for what is typed at the cursor of ``area``."""

    DEFAULT_CSS = """
    CompletionList {
        display: none;
        overlay: screen;
        constrain: inside inside;
        width: auto;
        height: auto;
        max-width: 68;
        max-height: 9;
        border: none;
        padding: 0;
        background: $panel;
        scrollbar-size-vertical: 1;
        &.-shown { display: block; }
        & > .option-list--option { padding: 0 1; }
        & > .option-list--option-highlighted { background: $block-cursor-background; color: $foreground; }
    }
    """

    def __init__(self, area: PolicyArea) -> None:
        super().__init__(id="completions", markup=False)
        self.area = area
        self.completion: Completion | None = None

    def ask(self, context: PolicyContext) -> None:
        """Offer all that may be written at the cursor."""
        self._offer(self._at_cursor(context))

    def typed(self, context: PolicyContext) -> None:
        """The text changed: narrow the list, or open it where a person types."""
        if self.area.was_typed or self.completion is not None:
            completion = self._at_cursor(context)
            self._offer(completion if completion is not None and completion.position.typed else None)

    def follow(self, context: PolicyContext) -> None:
        """The cursor moved: close the list where it left the position that the list is for."""
        if self.completion is None:
            return
        completion = self._at_cursor(context)
        if completion is None or completion.position.start != self.completion.position.start:
            self._offer(None)

    def take_key(self, key: str) -> None:
        """Move in the list, write the chosen text, or close."""
        if key == "up":
            self.action_cursor_up()
        elif key == "down":
            self.action_cursor_down()
        elif key == "escape":
            self._offer(None)
        else:
            self._accept()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._accept()

    def _at_cursor(self, context: PolicyContext) -> Completion | None:
        area = self.area
        return complete(area.policy_text, area.offset_of(area.cursor_location), context)

    def _accept(self) -> None:
        completion, area = self.completion, self.area
        if completion is None:
            return
        chosen = completion.offered[self.highlighted or 0]
        insert = completion.inserted(chosen, area.policy_text)
        places = area.location_of(completion.position.start), area.location_of(completion.position.end)
        self._offer(None)
        area.was_typed = False
        area.replace(insert, *places, maintain_selection_offset=False)

    def _beside(self, cursor: Offset, entries: int) -> Offset:
        """Below the cursor, or above it where there is more room: never over what is being typed."""
        height = min(entries, _TALLEST)
        has_room = cursor.y + 1 + height <= self.screen.size.height
        return cursor + Offset(0, 1 if has_room else -height)

    def _offer(self, completion: Completion | None) -> None:
        self.completion = completion
        self.area.popup_is_open = completion is not None
        self.set_class(completion is not None, "-shown")
        if completion is None:
            return
        self.set_options([Option(safe(fit(text, _WIDEST))) for text in completion.offered])
        self.highlighted = 0
        self.absolute_offset = self._beside(self.area.cursor_screen_offset, len(completion.offered))
        self.refresh(layout=True)
