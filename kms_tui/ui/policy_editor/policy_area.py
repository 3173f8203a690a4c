"""The text area of the policy editor: JSON in colour, findings in the gutter, no control characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual._text_area_theme import TextAreaTheme
from textual.binding import Binding, BindingType
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme

from kms_tui.policy import Finding, Severity
from kms_tui.ui.base.policy_words import GLYPHS
from kms_tui.ui.base.safe_text import visible
from kms_tui.ui.policy_editor.outline import Outline
from kms_tui.ui.widgets.form_widgets import TextArea

_POOL = chain(range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE), range(0xE000, 0xF900))
POOL = tuple(map(chr, _POOL))
_IN_POOL = frozenset(POOL)
_KEPT = frozenset("\t\n")
UNSHOWABLE = "\ufffd"
"""Drawn for a character that has no picture of its own."""


class PlaceholderMap:
    """Replaces characters that must not reach the terminal by placeholders, and back again unchanged.

    A text area passes controls through to the terminal, splits lines at more than line feeds, and cannot
    encode a lone surrogate. So it is given another text of the same length, in which each such character, and
    each private-use one of the original, has a private-use character of its own. A character keeps its
    placeholder for as long as the text area lives.
    """

    def __init__(self) -> None:
        self._free = iter(POOL)
        self._placeholder: dict[int, str] = {}
        self._original: dict[int, str] = {}
        self._glyphs: dict[int, str] = {}

    def encode(self, text: str) -> str:
        """The text with placeholders, as long as the original."""
        if text.isascii() and text.isprintable():
            return text
        for char in set(text) - _KEPT:
            if ord(char) not in self._placeholder and (char in _IN_POOL or visible(char) != char):
                self._learn(char)
        return text.translate(self._placeholder)

    def _learn(self, char: str) -> None:
        placeholder, picture = next(self._free), visible(char)
        self._placeholder[ord(char)] = placeholder
        self._original[ord(placeholder)] = char
        self._glyphs[ord(placeholder)] = picture if len(picture) == 1 and char not in _IN_POOL else UNSHOWABLE

    def decode(self, text: str) -> str:
        """The original of a text with placeholders."""
        return text.translate(self._original) if self._original else text

    def drawn(self, line: str) -> str:
        """A line with placeholders as the terminal may see it, as long as before."""
        return line.translate(self._glyphs)


_RANK = (Severity.INFO, Severity.WARN, Severity.REFUSE)
_LANGUAGE = "key-policy"
_HIGHLIGHTS = """
(pair key: (string) @key)
(pair value: (string) @string)
(array (string) @string)
(escape_sequence) @escape
[(number) (true) (false) (null)] @constant
["," ":" "[" "]" "{" "}"] @punctuation
"""
_MAX_COLOURED = 131_072
_MAX_BRACKETS = 4_000
_MAX_QUOTES = 20_000
"""Beyond these a text is no policy, and parsing it at each key would take seconds."""
_POPUP_KEYS = frozenset({"up", "down", "tab", "enter", "escape"})
_BREAK = re.compile(r"\r\n|\n|\r")
_INDENT = re.compile(r"[ \t]*")


class PolicyArea(TextArea):
    """Edits one policy; ``policy_text`` is the text that would be sent, ``text`` has placeholders in it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "policy-area--refuse",
        "policy-area--warn",
        "policy-area--info",
        "policy-area--hidden",
    }
    DEFAULT_CSS = """
    PolicyArea {
        border: none;
        padding: 0;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        &:focus { border: none; }
        & > .policy-area--refuse { color: $error; text-style: bold; }
        & > .policy-area--warn { color: $warning; text-style: bold; }
        & > .policy-area--info { color: $accent; }
        & > .policy-area--hidden { color: $warning; text-style: reverse; }
        & .text-area--gutter { color: $text-muted; background: $background; }
        & .text-area--cursor-gutter { color: $foreground; background: $surface; }
        & .text-area--cursor-line { background: $surface; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+down,alt+down",
            "statement(1)",
            "Next statement",
            id="policy.next-statement",
            tooltip="Jump to the next statement",
            show=False,
        ),
        Binding(
            "ctrl+up,alt+up",
            "statement(-1)",
            "Previous statement",
            id="policy.previous-statement",
            tooltip="Jump to the statement before",
            show=False,
        ),
        Binding("ctrl+z", "undo", "Undo", id="policy.undo", tooltip="Take the last change back", show=False),
        Binding("ctrl+y", "redo", "Redo", id="policy.redo", tooltip="Make it again", show=False),
    ]

    class PopupKey(Message):
        """A key that the open list of completions takes."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(soft_wrap=False, show_line_numbers=True, tab_behavior="indent", id=id)
        self.indent_width = 2
        self.placeholders = PlaceholderMap()
        self.popup_is_open = False
        self.was_typed = False
        """Whether the last change came from a key with a character."""
        self._marks: dict[int, Severity] = {}
        self._register()

    def _register(self) -> None:
        import tree_sitter_json
        from tree_sitter import Language

        self.register_language(_LANGUAGE, Language(tree_sitter_json.language()), _HIGHLIGHTS)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._take_colours)
        self._take_colours(self.app.current_theme)

    def on_unmount(self) -> None:
        self.app.theme_changed_signal.unsubscribe(self)

    def on_resize(self) -> None:
        self.call_after_refresh(self.scroll_cursor_visible)

    def _take_colours(self, theme: Theme) -> None:
        """Take the syntax colours from the application's theme."""
        self.register_theme(syntax_theme(theme))
        self.theme = theme.name

    # The text

    @property
    def policy_text(self) -> str:
        """The text as it would be sent or written to a file."""
        return self.placeholders.decode(self.text)

    def load_policy(self, text: str) -> None:
        """Show another text, without undo to the one before."""
        shown = self.placeholders.encode(text)
        self.language = self._language_for(shown)
        self.load_text(shown)

    def replace_policy(self, text: str) -> None:
        """Show another text as one change that can be undone; the cursor stays at its line."""
        row, _ = self.cursor_location
        self.replace(self.placeholders.encode(text), (0, 0), self.document.end)
        self.move_cursor((min(row, self.document.line_count - 1), 0))

    @staticmethod
    def _language_for(text: str) -> str | None:
        is_policy_like = (
            len(text) <= _MAX_COLOURED
            and text.count("[") + text.count("{") <= _MAX_BRACKETS
            and text.count('"') <= _MAX_QUOTES
        )
        return _LANGUAGE if is_policy_like else None

    def edit(self, edit: Edit) -> EditResult:
        if len(edit.text) > 1 and self.language and self._language_for(edit.text + self.text) is None:
            self.language = None
        return super().edit(edit)

    def _replace_via_keyboard(
        self, insert: str, start: tuple[int, int], end: tuple[int, int]
    ) -> EditResult | None:
        """Take typed or pasted text; a terminal pastes line ends as carriage returns."""
        return super()._replace_via_keyboard(self.placeholders.encode(_BREAK.sub("\n", insert)), start, end)

    def get_line(self, line_index: int) -> Text:
        line = self.document.get_line(line_index)
        if line.isascii():
            return Text(line, end="", no_wrap=True)
        drawn = self.placeholders.drawn(line)
        text = Text(drawn, end="", no_wrap=True)
        style = self.get_component_rich_style("policy-area--hidden")
        for column, (char, picture) in enumerate(zip(line, drawn, strict=True)):
            if char != picture:
                text.stylize(style, column, column + 1)
        return text

    def action_copy(self) -> None:
        if self.selected_text:
            self.app.copy_to_clipboard(self.placeholders.decode(self.selected_text))

    def action_cut(self) -> None:
        super().action_cut()
        self.app.copy_to_clipboard(self.placeholders.decode(self.app.clipboard))

    # Positions

    def offset_of(self, location: tuple[int, int]) -> int:
        """A location as an offset into the area's own text."""
        row, column = location
        return sum(len(line) + 1 for line in self.document.lines[:row]) + column

    def location_of(self, offset: int) -> tuple[int, int]:
        before = self.text[:offset]
        row = before.count("\n")
        return row, offset - (before.rfind("\n") + 1)

    def place_of(self, line: int, column: int) -> tuple[int, int]:
        """The location of a finding's line and column, which count in the text as it would be sent."""
        text = self.policy_text
        if "\r" not in text:
            return line - 1, column - 1
        starts = [0, *(match.end() for match in _BREAK.finditer(text))]
        offset = min(starts[min(line, len(starts)) - 1] + column - 1, len(text))
        return text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)

    def go_to(self, line: int, column: int) -> None:
        """Put the cursor at a finding."""
        self.move_cursor(self.place_of(line, column), center=True)

    def action_statement(self, by: int) -> None:
        """Jump to the next statement after the cursor, or before it."""
        starts = [start for start, _ in sorted(Outline(self.text).statements)]
        here = self.offset_of(self.cursor_location)
        ahead = (
            [start for start in starts if start > here] if by > 0 else [s for s in starts if s < here][::-1]
        )
        if ahead:
            self.move_cursor(self.location_of(ahead[0]), center=True)

    # The gutter

    def mark(self, findings: Sequence[Finding]) -> None:
        """Put a glyph beside each line with findings, of the most severe of them."""
        marks: dict[int, Severity] = {}
        for finding in findings:
            row, _ = self.place_of(finding.line, finding.column)
            marks[row] = max(marks.get(row, Severity.INFO), finding.severity, key=_RANK.index)
        if marks != self._marks:
            self._marks = marks
            self.refresh()

    @property
    def gutter_width(self) -> int:
        return super().gutter_width + 1

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        row = y + self.scroll_offset.y
        severity = self._marks.get(row) if row < self.wrapped_document.height else None
        if severity is None:
            return strip
        style = self.get_component_rich_style(f"policy-area--{severity.value}", partial=True)
        first = next(iter(strip), None)
        if first is not None and first.style is not None:
            style += Style(bgcolor=first.style.bgcolor)
        return Strip.join([Strip([Segment(GLYPHS[severity], style)], 1), strip.crop(1)])

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        self.was_typed = event.is_printable
        if self.popup_is_open and event.key in _POPUP_KEYS:
            event.stop()
            event.prevent_default()
            self.post_message(self.PopupKey(event.key))
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self._break_line()
        elif event.key == "escape":
            event.prevent_default()  # the base class would move the focus; the screen's Back is meant

    def _break_line(self) -> None:
        """Start a line, indented as the one before, and further after an opening bracket."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        indent = _INDENT.match(before)
        deeper = "  " if before.rstrip().endswith(("{", "[")) else ""
        self._replace_via_keyboard(f"\n{indent[0] if indent else ''}{deeper}", *self.selection)


def syntax_theme(theme: Theme) -> TextAreaTheme:
    """The colours of JSON within an application theme; everything else comes from the style sheet."""
    muted = theme.secondary or theme.foreground
    return TextAreaTheme(
        name=theme.name,
        syntax_styles={
            "key": Style(color=theme.primary),
            "string": Style(color=theme.foreground),
            "escape": Style(color=theme.warning),
            "constant": Style(color=theme.warning),
            "punctuation": Style(color=muted),
        },
    )
