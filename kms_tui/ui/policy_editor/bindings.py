"""The keys of the policy editor; a text area takes every key with a character, so these have none."""

from __future__ import annotations

from textual.binding import Binding, BindingType

EDITOR_BINDINGS: list[BindingType] = [
    Binding("ctrl+s", "save", "Save…", id="policy.save", tooltip="Show what changes, then PutKeyPolicy"),
    Binding(
        "ctrl+l", "layout", "Format", id="policy.format", tooltip="Lay the JSON out, changing white space"
    ),
    Binding("ctrl+t", "snippet", "Insert…", id="policy.snippet", tooltip="Insert a statement from the menu"),
    Binding(
        "ctrl+g",
        "findings",
        "Findings",
        id="policy.findings",
        tooltip="Go to the findings, or back to the text",
    ),
    Binding(
        "f8",
        "next_finding",
        "Next finding",
        id="policy.next-finding",
        tooltip="Jump to the next finding",
        show=False,
    ),
    Binding(
        "ctrl+space,ctrl+at",
        "complete",
        "Complete",
        id="policy.complete",
        tooltip="Offer what may be written here",
        show=False,
    ),
    Binding("f3", "changes", "Changes", id="policy.changes", tooltip="What changes, before saving"),
    Binding(
        "f5",
        "history",
        "History",
        id="policy.history",
        tooltip="Earlier policies of this key",
        show=False,
    ),
    Binding(
        "f9",
        "simulate",
        "Simulate",
        id="policy.simulate",
        tooltip="Ask what this text would allow whom",
        show=False,
    ),
    Binding("ctrl+o", "load_file", "Open file…", id="policy.open", tooltip="Load a policy file", show=False),
    Binding(
        "f2",
        "write_file",
        "Write file…",
        id="policy.write",
        tooltip="Write the text to a file",
        show=False,
    ),
    Binding(
        "f4",
        "external",
        "$EDITOR",
        id="policy.external",
        tooltip="Edit the text in your own editor",
        show=False,
    ),
    Binding(
        "ctrl+r",
        "discard",
        "Discard…",
        id="policy.discard",
        tooltip="Throw the changes and their draft away",
        show=False,
    ),
    Binding("f1", "app.help", "Help", id="policy.help", tooltip="Explain this screen and its keys"),
    Binding("escape", "back", "Back", id="policy.back", tooltip="Leave; changes are kept as a draft"),
]
