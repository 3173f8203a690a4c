"""The review of a change: what it changes in effect and by statement, and the dialogs that show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from kms_tui import policy
from kms_tui.policy import CheckResult, Document, Severity, Verdict, access
from kms_tui.policy.document import Statement
from kms_tui.policy.policy_diff import (
    EffectChange,
    StatementChange,
    StatementChangeKind,
    effect_changes,
    statement_changes,
    uncompared_parties,
    unified,
)
from kms_tui.ui.base.policy_words import COLOURS, GLYPHS, formatted_statement
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.dialogs.dialog import Dialog, Result
from kms_tui.ui.policy_editor.policy_edit import EditTarget, is_same
from kms_tui.ui.policy_editor.second_opinion import SecondOpinion
from kms_tui.ui.widgets.text_widgets import Button, Static

_MARKS = {
    StatementChangeKind.ADDED: ("+", "$success", "new"),
    StatementChangeKind.REMOVED: ("-", "$error", "gone"),
    StatementChangeKind.CHANGED: ("~", "$accent", "changed"),
    StatementChangeKind.MOVED: ("»", "$accent", "moved"),
}
_LINE_COLOURS = {"+": "$success", "-": "$error"}


@dataclass(frozen=True, slots=True)
class Review:
    """The change from one policy to another; ``effects`` in sentences, ``statements`` those that differ."""

    old: Document
    new: Document
    effects: tuple[EffectChange, ...]
    statements: tuple[StatementChange, ...]
    who_can_change: str
    result: CheckResult | None = None
    uncompared: int = 0
    """Parties beyond the most that are compared: their effects are not among ``effects``."""

    @property
    def is_white_space(self) -> bool:
        """Whether nothing but white space or the order of elements changes."""
        return is_same(self.old.text, self.new.text)

    def summary(self) -> str:
        """The change in one line, for a notification."""
        told = [change.sentence for change in self.effects if not _is_kept(change)]
        if told:
            return "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "")
        if self.is_white_space:
            return "only white space changed"
        return "not all changes in effect were compared" if self.uncompared else "nothing changed in effect"


def _is_kept(change: EffectChange) -> bool:
    return change.before is change.after and "keeps" in change.sentence


def review(target: EditTarget, old: str, new: str, result: CheckResult | None = None) -> Review:
    """Compare two policies; this takes milliseconds at the usual size, so call it off the event loop."""
    kms = target.kms
    before, after = policy.parse(old, partition=kms.partition), policy.parse(new, partition=kms.partition)
    effects = effect_changes(
        before, after, account_id=kms.account_id, partition=kms.partition, key_arn=target.arn
    )
    changes = tuple(
        change for change in statement_changes(before, after) if change.kind is not StatementChangeKind.SAME
    )
    who = access.who_can_change(after, account_id=kms.account_id, partition=kms.partition, key_arn=target.arn)
    uncompared = uncompared_parties(before, after, account_id=kms.account_id, partition=kms.partition)
    return Review(before, after, effects, changes, who, result, uncompared)


def paragraphs(change: Review) -> Iterator[Content]:
    """The review as text: effects, warnings, then each statement that differs.

    A text that cannot be read as a policy has no effects: it cannot be saved, so nobody loses anything.
    """
    if change.new.problems and not change.new.statements:
        yield Content.styled("The text is no policy yet, so nothing can be compared.", "$warning")
        return
    if change.is_white_space:
        yield Content("Only white space or the order of elements changes; nothing changes in effect.")
    else:
        yield _block("In effect", _effect_lines(change))
    yield Content.styled("Could still change the policy: ", "$foreground-muted") + safe(change.who_can_change)
    if change.result is not None:
        warnings = [each for each in change.result.findings if each.severity is Severity.WARN]
        if warnings:
            look = f"{COLOURS[Severity.WARN]} bold"
            lines = [
                Content.styled(f"{GLYPHS[Severity.WARN]} ", look) + safe(finding.sentence)
                for finding in warnings
            ]
            yield _block("Warnings", lines)
    yield from _statement_blocks(change)


def _block(title: str, lines: Sequence[Content]) -> Content:
    return Content("\n").join([Content.styled(title, "$accent bold"), *lines])


def _effect_lines(change: Review) -> list[Content]:
    lines = []
    for effect in change.effects:
        mark, colour = ("=", "$foreground-muted") if _is_kept(effect) else _direction(effect)
        lines.append(Content.styled(f"{mark} ", f"{colour} bold") + safe(effect.sentence))
    if change.uncompared:
        words = f"{change.uncompared:,} more parties are not compared: see the statements that differ."
        return [*lines, Content.styled(words, "$warning")]
    return lines or [Content("Nobody gains or loses anything.")]


def _direction(effect: EffectChange) -> tuple[str, str]:
    return ("+", "$success") if effect.widens else ("-", "$error")


def _statement_blocks(change: Review) -> Iterator[Content]:
    for each in change.statements:
        mark, colour, word = _MARKS[each.kind]
        note = f" {word}" + (f": {', '.join(each.elements)}" if each.elements else "")
        head = Content.styled(f"{mark} ", f"{colour} bold") + safe(each.label).stylize("bold")
        body = diff_lines(_statement(change.old, each.old), _statement(change.new, each.new))
        yield Content("\n").join([head + Content.styled(note, "$foreground-muted"), *body])
    if not change.statements and not change.is_white_space:
        yield Content("\n").join(diff_lines(change.old.text, change.new.text))


def _statement(document: Document, statement: Statement | None) -> str:
    return formatted_statement(document, statement) if statement is not None else ""


def diff_lines(old: str, new: str) -> list[Content]:
    """A unified diff with its lines in colour, and their sign in front for those who see none."""
    if not old or not new:
        sign = "+" if new else "-"
        lines = [f"{sign} {line}" for line in (new or old).split("\n")]
    else:
        lines = [
            f"{line[0]} {line[1:]}" for line in unified(old, new, context=2) if not line.startswith("@@")
        ]
    return [_diff_line(line) for line in lines]


def _diff_line(line: str) -> Content:
    return safe(line).stylize(_LINE_COLOURS.get(line[:1], "$foreground-muted"))


class ScrollingDialog(Dialog[Result]):
    """A dialog whose text may not fit; its keys scroll while a button has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(-1)", "Up", id="review.up", tooltip="Scroll up", show=False),
        Binding("down", "scroll(1)", "Down", id="review.down", tooltip="Scroll down", show=False),
        Binding("space", "scroll(10)", "On", id="review.on", tooltip="A page down", show=False),
    ]

    def body_changed(self) -> None:
        """Be as tall as the screen allows where the text does not fit."""
        if self.query_one("#dialog-body", VerticalScroll).max_scroll_y > 0:
            self.add_class("-long")
        super().body_changed()


class ReviewDialog(ScrollingDialog[bool]):
    """Shows a change; answers True where it is to be saved."""

    def __init__(
        self,
        title: str,
        change: Review,
        *,
        save: bool,
        affected: Sequence[Widget] = (),
        second_opinion: SecondOpinion | None = None,
    ) -> None:
        warned = change.result is not None and change.result.verdict is Verdict.WARN
        super().__init__(title, confirm="Save policy", danger=save and warned)
        self.change = change
        self.saves = save
        self.affected = affected
        self.second_opinion = second_opinion

    def compose_body(self) -> Iterable[Widget]:
        told = paragraphs(self.change)
        for paragraph in islice(told, 1):
            yield Static(paragraph, classes="dialog-line")
        yield from self.affected
        if self.second_opinion is not None:
            yield self.second_opinion
        for paragraph in told:
            yield Static(paragraph, classes="dialog-line")

    def compose_buttons(self) -> Iterable[Widget]:
        if self.second_opinion is not None:
            yield Button(Content("Ask Access Analyzer"), id="ask-analyzer")
        if self.saves:
            yield from super().compose_buttons()
        else:
            yield Button(Content("Close"), id="cancel")

    @on(Button.Pressed, "#ask-analyzer")
    def _ask_analyzer(self, event: Button.Pressed) -> None:
        if self.second_opinion is not None:
            self.second_opinion.ask()
        event.button.disabled = True
        self.query_one("#cancel").focus()

    def confirm(self) -> None:
        self.dismiss(True)


class ConflictChoice(Enum):
    """Which policy to go on with after somebody else changed it."""

    MINE = "mine"
    THEIRS = "theirs"


class ConflictDialog(ScrollingDialog[ConflictChoice]):
    """Shows both changes; overwriting is not offered, only to go on from the newer policy."""

    def __init__(self, name: str, on_key: Review, mine: Review) -> None:
        super().__init__(f"The policy of {name} was changed meanwhile", danger=True)
        self.on_key = on_key
        self.mine = mine

    def compose_body(self) -> Iterable[Widget]:
        yield Static(Content("Nothing was saved, and nothing is lost."), classes="dialog-line")
        yield Static(Content.styled("What was changed on the key", "bold underline"), classes="dialog-line")
        for paragraph in paragraphs(self.on_key):
            yield Static(paragraph, classes="dialog-line")
        yield Static(
            Content.styled("What your text would now change", "bold underline"), classes="dialog-line"
        )
        for paragraph in paragraphs(self.mine):
            yield Static(paragraph, classes="dialog-line")

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")
        yield Button(Content("Take the newer policy"), id="theirs")
        yield Button(Content("Go on with mine"), id="mine")

    @on(Button.Pressed, "#mine")
    def _mine(self) -> None:
        self.dismiss(ConflictChoice.MINE)

    @on(Button.Pressed, "#theirs")
    def _theirs(self) -> None:
        self.dismiss(ConflictChoice.THEIRS)
