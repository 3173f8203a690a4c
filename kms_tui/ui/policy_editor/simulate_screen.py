"""``SimulateScreen``: type or choose a request, and see whether the policy allows it, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.suggester import SuggestFromList
from textual.widget import Widget

from kms_tui import policy
from kms_tui.policy.actions import ACTIONS
from kms_tui.policy.document import Document
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.policy_words import statement_text
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.policy_editor.policy_completion import PolicyContext
from kms_tui.ui.policy_editor.simulation import (
    SimulationAnswer,
    SimulationInput,
    SimulationInputError,
    context_of,
    simulate,
)
from kms_tui.ui.widgets.form_widgets import Checkbox, TextArea
from kms_tui.ui.widgets.text_widgets import Input, Static

_REST_SECONDS = 0.1
_LOOKS = {
    "allow": ("✓ allowed", "$success"),
    "deny": ("✗ denied", "$error"),
    "depends": ("? depends", "$warning"),
}
_ACTION_NAMES = [name for name, action in ACTIONS.items() if not action.iam_only]


class SimulateScreen(ModeScreen):
    """Asks one policy text about one request at a time, as it is typed."""

    HELP = (
        "Whether the key policy allows a request. The answer may depend on condition keys that you leave "
        "open. IAM policies and grants are not read here: where the policy leaves the decision to IAM, it "
        "says so. All layers reads them, or takes them from files, and judges them together with this text."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "choose", "Choose…", id="simulate.choose", tooltip="Choose the value from a list"),
        Binding(
            "f6",
            "all_layers",
            "All layers",
            id="simulate.all-layers",
            tooltip="Judge it with IAM policies, grants, SCPs, RCPs …, read from AWS or files",
        ),
        Binding("f1", "app.help", "Help", id="simulate.help", tooltip="Explain this screen and its keys"),
        Binding("escape,q", "app.pop_screen", "Back", id="simulate.back", tooltip="Back to the screen before"),
    ]
    DEFAULT_CSS = """
    SimulateScreen {
        #simulate { height: 1fr; padding: 1 1 0 2; }
        #simulate-form { width: 52; height: 1fr; }
        #simulate-form Input { background: $surface; }
        #simulate-form TextArea { height: 5; background: $surface; }
        .question { height: auto; margin: 0 0 1 0; }
        #simulate-answer { width: 1fr; height: 1fr; padding: 0 0 0 3; scrollbar-size-vertical: 1; }
        #answer-text { height: auto; }
        &.-narrow {
            #simulate { layout: vertical; padding: 0 1 0 2; }
            #simulate-form { width: 1fr; height: auto; }
            #simulate-form TextArea { height: 3; }
            #simulate-answer { padding: 1 0 0 0; }
            .question { margin: 0; }
        }
    }
    """

    def __init__(self, subject: Subject, text: str, context: PolicyContext) -> None:
        super().__init__()
        self.subject = subject
        self.text = text
        self.context = context
        self.document: Document | None = None

    def compose_body(self) -> Iterable[Widget]:
        principals = self._principals()
        with Horizontal(id="simulate"):
            with Vertical(id="simulate-form"):
                yield from self._field(
                    "principal",
                    "Principal (ARN, account id or service)",
                    Input(
                        principals[0],
                        suggester=SuggestFromList(principals, case_sensitive=False),
                        id="principal",
                    ),
                )
                yield from self._field(
                    "action",
                    "Action",
                    Input(
                        "kms:Decrypt",
                        suggester=SuggestFromList(_ACTION_NAMES, case_sensitive=False),
                        id="action",
                    ),
                )
                yield from self._field(
                    "context",
                    "Condition keys: key=value on each line, a key alone is absent",
                    TextArea(id="context", compact=True, tab_behavior="focus"),
                )
                yield Checkbox(Content("every other key is absent"), id="complete")
            with VerticalScroll(id="simulate-answer", can_focus=True):
                yield Static(id="answer-text")

    @staticmethod
    def _field(name: str, label: str, widget: Widget) -> Iterable[Widget]:
        yield Vertical(
            Static(Content(label), classes="field-label"),
            widget,
            Static(id=f"{name}-error", classes="field-error"),
            classes="question",
        )

    def _principals(self) -> list[str]:
        return list(dict.fromkeys((*self.context.principals, self.context.root)))

    def on_mount(self) -> None:
        super().on_mount()
        self.show_status(safe(f"policy of {self.subject.name}"))
        self.query_one("#principal").focus()
        self._ask_soon()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Checkbox.Changed)
    def _ask_soon(self) -> None:
        question = self._question()
        start(self, partial(self._ask, question), group="ask", description="simulate a request")

    def _question(self) -> SimulationInput:
        return SimulationInput(
            self.query_one("#principal", Input).value,
            self.query_one("#action", Input).value,
            self.query_one("#context", TextArea).text,
            self.query_one("#complete", Checkbox).value,
        )

    async def _ask(self, question: SimulationInput) -> None:
        await asyncio.sleep(_REST_SECONDS)
        context = self.context
        if self.document is None:
            self.document = await off_loop(lambda: policy.parse(self.text, partition=context.partition))
        document = self.document
        asking = partial(simulate, document, question, account_id=context.account_id, key_arn=context.key_arn)
        wrong: SimulationInputError | None = None
        shown = Content()
        try:
            shown = answer_text(document, await off_loop(asking))
        except SimulationInputError as error:
            wrong = error
        if not document.is_valid:
            shown = Content.styled("The policy cannot be read, so it allows nothing.", "$error")
        if not self.query("#answer-text"):  # the screen was left meanwhile
            return
        self.query_one("#answer-text", Static).update(shown)
        for name in ("principal", "action", "context"):
            line = self.query_one(f"#{name}-error", Static)
            line.update(safe(str(wrong)) if wrong is not None and wrong.field == name else None)
            line.set_class(wrong is not None and wrong.field == name, "-shown")

    def action_choose(self) -> None:
        start(self, self._choose, group="choose", description="choose a value")

    def action_all_layers(self) -> None:
        """Ask the same question of all layers, with this text as the key policy."""
        from kms_tui.denials.asked_request import AskedRequest
        from kms_tui.denials.judging import Inquiry

        question = self._question()
        try:
            context = context_of(question.context)
        except SimulationInputError as error:
            self.host.notify(str(error), severity="warning")
            return
        asked = AskedRequest(
            question.principal,
            question.action,
            self.context.key_arn,
            context=context,
            complete=question.complete,
        )
        self.host.open_screen("explain", "", Inquiry(asked=asked, key_policy=self.text))

    async def _choose(self) -> None:
        focused = self.focused.id if self.focused is not None else None
        name = "action" if focused == "action" else "principal"
        values = _ACTION_NAMES if name == "action" else self._principals()
        title = "Action" if name == "action" else "Principal"
        chosen = await self.ask(Choose(title, [safe(value) for value in values]))
        if chosen is not None:
            self.query_one(f"#{name}", Input).value = values[chosen]


def answer_text(document: Document, answer: SimulationAnswer) -> Content:
    """The answer as one word, then its reasons, and the statements that decide it."""
    word, colour = _LOOKS[answer.word]
    lines = [Content.styled(word, f"{colour} bold")]
    lines += [safe(sentence) for sentence in answer.sentences]
    for statement in answer.decision.statements:
        lines.append(Content())
        lines.append(statement_text(document, statement))
    return Content("\n").join(lines)
