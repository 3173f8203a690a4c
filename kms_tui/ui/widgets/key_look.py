"""How a list of keys looks: its parts, each a component class, and their colours from the theme.

``KeyList`` draws a part on a background: the row's own, or that of the cursor, of a mark or of the mouse.
Colour only repeats what a word or a glyph says already.
"""

from __future__ import annotations

BACKGROUNDS = ("row", "hover", "marked", "cursor", "cursor-blurred")
PARTS = (
    "header",
    "header-sorted",
    "accent",
    "name",
    "name-cursor",
    "found",
    "gone",
    "note",
    # The looks of kms_tui.inventory.cells.
    "plain",
    "quiet",
    "loading",
    "unasked",
    "denied",
    "failed",
    "not-applicable",
    "warning",
    "danger",
)
COMPONENT_CLASSES = {f"key-list--{name}" for name in (*BACKGROUNDS, *PARTS)}

CSS = """
KeyList {
    overflow-x: hidden;
    scrollbar-size-vertical: 1;
    scrollbar-gutter: stable;
    background: $background;
    color: $foreground;
    & > .key-list--row { background: $background; }
    & > .key-list--hover { background: $surface; }
    & > .key-list--marked { background: $accent 8%; }
    & > .key-list--cursor { background: $block-cursor-background; }
    & > .key-list--cursor-blurred { background: $block-cursor-blurred-background; }
    & > .key-list--header { color: $text-muted; }
    & > .key-list--header-sorted { color: $accent; }
    & > .key-list--accent { color: $accent; }
    & > .key-list--name { color: $foreground; }
    & > .key-list--name-cursor { color: $block-cursor-foreground; text-style: bold; }
    & > .key-list--found { color: $accent; text-style: bold underline; }
    & > .key-list--gone { color: $text-muted; text-style: strike; }
    & > .key-list--note { color: $text-muted; }
    & > .key-list--plain { color: $foreground 80%; }
    & > .key-list--quiet { color: $text-muted; }
    & > .key-list--loading { color: $text-muted; text-style: dim; }
    & > .key-list--unasked { color: $text-disabled; }
    & > .key-list--denied { color: $warning; text-style: italic; }
    & > .key-list--failed { color: $error; text-style: italic; }
    & > .key-list--not-applicable { color: $text-disabled; }
    & > .key-list--warning { color: $warning; }
    & > .key-list--danger { color: $error; }
}
"""
