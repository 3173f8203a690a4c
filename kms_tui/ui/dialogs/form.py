"""``Form``: fields and one call; an error stands beside its field, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Self

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.ui.base.background import start
from kms_tui.ui.base.host import FormDraft, host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.widgets.text_widgets import Input, SecretInput, Static

Values = Mapping[str, str]
"""Field name -> value; a flag's is "yes" or ""."""


def no_check(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class FormField:
    """One line of text; ``check`` returns what is wrong with it as a sentence, or ""."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    check: Callable[[str], str] = no_check

    def starting_with(self, draft: FormDraft) -> Self:
        """The field with its value in a draft, if that is a value for it.

        Where the field now begins with another value than it did then, the draft is out of date: saving it
        would undo what was changed meanwhile.
        """
        value = draft.entered.get(self.name, self.value)
        is_of_now = draft.before.get(self.name) == self.value
        return replace(self, value=value) if is_of_now and self.may_be(value) else self

    def may_be(self, value: str) -> bool:
        """Whether a value of a draft can be shown."""
        return True

    def kept(self, value: str) -> str:
        """What a draft keeps of a value."""
        return value

    def widget(self) -> Widget:
        return Input(self.value, placeholder=self.hint, id=self.name)

    def entered(self, widget: Widget) -> str:
        assert isinstance(widget, Input)
        return widget.value


@dataclass(frozen=True, slots=True)
class SecretField(FormField):
    """One line that is never shown, and never kept in a draft."""

    def kept(self, value: str) -> str:
        return ""

    def widget(self) -> Widget:
        return SecretInput(placeholder=self.hint, id=self.name)


@dataclass(frozen=True, slots=True)
class TextField(FormField):
    """Several lines of text; the key ``right`` completes what begins one of ``known``, or its name."""

    known: Sequence[str] = ()

    def widget(self) -> Widget:
        from kms_tui.ui.widgets.form_widgets import CompletingArea

        return CompletingArea(
            self.value,
            self.known,
            id=self.name,
            placeholder=Content(self.hint),
            compact=True,
            tab_behavior="focus",
        )

    def entered(self, widget: Widget) -> str:
        from kms_tui.ui.widgets.form_widgets import TextArea

        assert isinstance(widget, TextArea)
        return widget.text


@dataclass(frozen=True, slots=True)
class ChoiceField(FormField):
    """One of ``choices``: (label, value). With a ``prompt`` none is chosen at first."""

    choices: Sequence[tuple[str, str]] = ()
    prompt: str = ""

    def may_be(self, value: str) -> bool:
        return value in {each for _, each in self.choices} or (not value and bool(self.prompt))

    def widget(self) -> Widget:
        from kms_tui.ui.widgets.form_widgets import Select

        options = [(safe(shown), value) for shown, value in self.choices]
        return Select(options, value=self.value or None, prompt=self.prompt, id=self.name)

    def entered(self, widget: Widget) -> str:
        from kms_tui.ui.widgets.form_widgets import Select

        assert isinstance(widget, Select)
        return "" if widget.is_blank() else str(widget.value)


@dataclass(frozen=True, slots=True)
class FlagField(FormField):
    """Yes or no; a ``is_consent`` is given anew each time, and never kept in a draft."""

    is_consent: bool = False

    def may_be(self, value: str) -> bool:
        return not self.is_consent

    def widget(self) -> Widget:
        from kms_tui.ui.widgets.form_widgets import Checkbox

        return Checkbox(Content(self.hint), bool(self.value), id=self.name)

    def entered(self, widget: Widget) -> str:
        from kms_tui.ui.widgets.form_widgets import Checkbox

        assert isinstance(widget, Checkbox)
        return "yes" if widget.value else ""


@dataclass(frozen=True, slots=True)
class ManyField(FormField):
    """Any number of ``choices``, which have no spaces; the value is the chosen ones joined by spaces."""

    choices: Sequence[str] = ()

    def widget(self) -> Widget:
        from kms_tui.ui.widgets.form_widgets import Selection, SelectionList

        chosen = set(self.value.split())
        entries = [Selection(safe(choice), choice, choice in chosen) for choice in self.choices]
        return SelectionList[str](*entries, id=self.name)

    def entered(self, widget: Widget) -> str:
        from kms_tui.ui.widgets.form_widgets import SelectionList

        assert isinstance(widget, SelectionList)
        selected = set(widget.selected)
        return " ".join(choice for choice in self.choices if choice in selected)


class Form(Dialog[Values]):
    """Asks for ``fields`` and makes ``submit``'s call off the event loop; it closes when that succeeded.

    What was typed stays when the form is cancelled, and is there again when a form of this title opens that
    is ``about`` the same (the ARN of a key, say; aliases are the same in many Regions). ``blame`` maps an
    error, by its KMS code or the name of its class ("FileError"), to the field it is about; other errors are
    shown above the buttons.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+r", "clear_draft", "Start anew", id="form.anew", tooltip="Forget what was typed here before"
        )
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[FormField],
        submit: Callable[[Values], object],
        *,
        confirm: str,
        lead: Sequence[Content] = (),
        blame: Mapping[str, str] | None = None,
        danger: bool = False,
        about: str = "",
    ) -> None:
        super().__init__(title, confirm=confirm, danger=danger)
        self._draft_key = (title, about)
        self.fields = fields
        self.submit = submit
        self.lead = lead
        self.blame = blame or {}
        self.initial_focus = f"#{fields[0].name}"
        self._is_draft = False

    def compose_body(self) -> Iterable[Widget]:
        for sentence in self.lead:
            yield Static(sentence, classes="dialog-line")
        draft = host_of(self).form_drafts.get(self._draft_key, FormDraft({}, {}))
        fields = [field.starting_with(draft) for field in self.fields]
        self._is_draft = any(
            ours.value != given.value for ours, given in zip(fields, self.fields, strict=True)
        )
        for field in fields:
            yield Vertical(
                Static(Content(field.label), classes="field-label"),
                field.widget(),
                Static(id=f"{field.name}-error", classes="field-error"),
                classes="field",
            )

    def keys_line(self) -> Content:
        line = super().keys_line()
        if not self._is_draft:
            return line
        anew = host_of(self).shown_key("form.anew", "ctrl+r")
        return line + Content("   ") + Content.styled(anew, "$accent") + Content(" Start anew")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._is_draft if action == "clear_draft" else super().check_action(action, parameters)

    async def action_clear_draft(self) -> None:
        """Show the fields as they are without a draft."""
        if self.armed and not self.is_calling:
            host_of(self).form_drafts.pop(self._draft_key, None)
            await self.recompose()
            self.arm()

    def cancel(self) -> None:
        if not self.is_calling:
            before, entered = {field.name: field.value for field in self.fields}, self.values()
            values = {field.name: field.kept(entered[field.name]) for field in self.fields}
            if values != before:
                host_of(self).form_drafts[self._draft_key] = FormDraft(before, values)
            else:
                host_of(self).form_drafts.pop(self._draft_key, None)
        super().cancel()

    def values(self) -> dict[str, str]:
        return {field.name: field.entered(self.query_one(f"#{field.name}")) for field in self.fields}

    def show_field_error(self, name: str, sentence: str) -> None:
        line = self.query_one(f"#{name}-error", Static)
        line.update(safe(sentence))
        line.set_class(bool(sentence), "-shown")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        if self.is_calling:
            return
        values = self.values()
        self.show_error("")
        errors = {field.name: field.check(values[field.name]) for field in self.fields}
        for name, sentence in errors.items():
            self.show_field_error(name, sentence)
        wrong = [name for name, sentence in errors.items() if sentence]
        if wrong:
            self.query_one(f"#{wrong[0]}").focus()
            return
        start(self, partial(self._submit, values), group="submit", description="submit the form")

    async def _submit(self, values: Values) -> None:
        try:
            await self.call(lambda: self.submit(values))
        except KmsTuiError as error:
            self._blame(error)
        else:
            host_of(self).form_drafts.pop(self._draft_key, None)
            self.dismiss(values)

    def _blame(self, error: KmsTuiError) -> None:
        sentence = error.with_next_step
        code = error.code if isinstance(error, ServiceError) else ""
        kinds = (code, *(kind.__name__ for kind in type(error).__mro__))
        name = next((self.blame[kind] for kind in kinds if kind in self.blame), None)
        if name is None:
            self.show_error(sentence)
        else:
            self.show_field_error(name, sentence)
            self.query_one(f"#{name}").focus()
