"""Earlier policies of a key: when, by whom, and what going back would change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui import policy
from kms_tui.data_files import PolicyFiles
from kms_tui.kms.model import PolicyVersion
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.policy_editor.policy_edit import EditTarget, is_same
from kms_tui.ui.policy_editor.policy_review import ScrollingDialog, paragraphs, review
from kms_tui.ui.widgets.text_widgets import Button, Option, Static

_REST_SECONDS = 0.1
MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version, with the facts that its line shows."""

    version: PolicyVersion
    statements: int
    is_current: bool


def read_versions(target: EditTarget, files: PolicyFiles, current: str) -> list[ListedVersion]:
    """The latest policies that the key has had, newest first: the backend's, or else those kept on disk.

    Raises FileError, and the errors of GetKeyPolicy.
    """
    kept = target.kms.policy_versions(target.key_id)
    versions = kept if kept is not None else files.versions(target.arn).entries
    return [
        ListedVersion(version, len(policy.parse(version.text).statements), is_same(version.text, current))
        for version in versions[:MAX_LISTED]
    ]


class HistoryDialog(ScrollingDialog[PolicyVersion]):
    """Answers with the version to go back to. ``current`` is the key's policy as it was last read."""

    DEFAULT_CSS = """
    HistoryDialog {
        #versions {
            height: auto; max-height: 8; border: none; padding: 0; margin: 0 0 1 0; background: $panel;
        }
    }
    """
    initial_focus = "#versions"

    def __init__(
        self, target: EditTarget, name: str, versions: Sequence[ListedVersion], current: str
    ) -> None:
        super().__init__(f"Earlier policies of {name}", confirm="Edit this version")
        self.target = target
        self.versions = versions
        self.current = current

    def compose_body(self) -> Iterable[Widget]:
        if not self.versions:
            yield Static(
                Content("None yet. Each policy that is replaced from here is kept on this machine."),
                classes="dialog-line",
            )
            return
        yield OptionList(
            *(Option(_line(listed)) for listed in self.versions), id="versions", compact=True, markup=False
        )
        yield Static(Content(), id="version-head", classes="section dialog-line")
        yield Static(Content(), id="version-change", classes="dialog-line")

    def compose_buttons(self) -> Iterable[Widget]:
        if self.versions:
            yield from super().compose_buttons()
        else:
            yield Button(Content("Close"), id="cancel")

    def arm(self) -> None:
        if not self.versions:
            self.initial_focus = "#cancel"
        super().arm()

    @property
    def chosen(self) -> ListedVersion:
        return self.versions[self.query_one("#versions", OptionList).highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        start(self, partial(self._show, self.chosen), group="version", description="compare the policies")

    async def _show(self, listed: ListedVersion) -> None:
        await asyncio.sleep(_REST_SECONDS)
        change = await off_loop(partial(review, self.target, self.current, listed.version.text))
        same = listed.is_current
        head = "It says the same as the key's policy now." if same else "Going back to it would change"
        self.query_one("#version-head", Static).update(Content(head))
        body = Content() if same else Content("\n\n").join(list(paragraphs(change)))
        self.query_one("#version-change", Static).update(body)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.query_one("#confirm").focus()

    def confirm(self) -> None:
        self.dismiss(self.chosen.version)


def _line(listed: ListedVersion) -> Content:
    version = listed.version
    line = Content(f"{version.time.astimezone():%Y-%m-%d %H:%M}  ")
    line += Content.styled("now  " if listed.is_current else "     ", "$accent")
    plural = "s" if listed.statements != 1 else " "
    line += Content.styled(f"{listed.statements:>3} statement{plural}  ", "$foreground-muted")
    return line + safe(version.author.split(":", 5)[-1])
