"""``SetupPane``: the operation being set up, with its key, inputs, settings and encryption context."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kms_tui.crypto_ops.check import limit_of, takes_context
from kms_tui.crypto_ops.history import HistoryEntry
from kms_tui.crypto_ops.inputs import InputError, InputField
from kms_tui.crypto_ops.request import (
    ActiveSetting,
    ChosenKey,
    Destination,
    OperationRequest,
    active_settings,
)
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, Operation, OperationName, Role
from kms_tui.crypto_ops.sealing import opens_at_destination
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.destinations import DestinationPane, TargetLine
from kms_tui.ui.scratchpad.input_pane import InputPane
from kms_tui.ui.scratchpad.operation_settings import SettingsPane
from kms_tui.ui.scratchpad.pane_fields import KeyField, show_part
from kms_tui.ui.widgets.text_widgets import Input

_ROLES = list(Role)


class SetupPane(Vertical):
    """Builds the request that the screen runs. Panes are made when they are first needed.

    ``home`` is the session's Region, ``working_region`` the one worked in; ``last_context`` gives the
    encryption context last used with a key's ARN.
    """

    class Changed(Message):
        """The set-up has changed."""

    def __init__(self) -> None:
        super().__init__(id="setup")
        self.operation = OPERATIONS[OperationName.ENCRYPT]
        self.key: ChosenKey | None = None
        self.home = self.working_region = ""
        self.last_context: Callable[[str], Mapping[str, str]] = lambda _: {}
        self.key_field = KeyField("key", "Key")
        self.target = TargetLine()
        self.settings = SettingsPane(active_settings(self.operation, {}, None, None))
        self.context = ContextRows("context", "Context", InputField.CONTEXT)
        self._inputs = Vertical(id="inputs")
        self._panes = {role: InputPane(role) for role in self.operation.roles}
        self._destination: DestinationPane | None = None
        self._refreshing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield self.key_field
        with self._inputs:
            yield from self._panes.values()
        yield self.settings
        yield self.context

    # Panes

    async def input_pane(self, role: Role) -> InputPane:
        """The pane of a role, made when first asked for."""
        if role not in self._panes:
            self._panes[role] = InputPane(role)
            await self._inputs.mount(self._panes[role])
            self._inputs.sort_children(key=lambda pane: _ROLES.index(pane.role))  # type: ignore[attr-defined]
        return self._panes[role]

    @property
    def main(self) -> InputPane | None:
        """The main input's pane, where the operation has one."""
        return self._panes.get(self.operation.roles[0]) if self.operation.roles else None

    @property
    def second(self) -> InputPane | None:
        """The pane of the signature or MAC to verify."""
        return self._panes.get(self.operation.roles[1]) if len(self.operation.roles) > 1 else None

    @property
    def destination_key(self) -> ChosenKey | None:
        """The key to re-encrypt to; None for other operations."""
        moving = self.operation.name is OperationName.RE_ENCRYPT
        return self._destination.key if self._destination is not None and moving else None

    # The request

    def request(self) -> OperationRequest:
        """The request as it is set up; InputError names the field that cannot be used."""
        names = {ready.setting.name for ready in self._ready()}
        return OperationRequest(
            self.operation,
            self.working_region,
            self.key,
            self.main.given if self.main is not None else None,
            self.second.given if self.second is not None else None,
            {name: value for name, value in self.settings.values.items() if name in names},
            self.context.pairs if self._takes_context() else {},
            self._chosen_destination(),
            self.target.path if self._may_have_target() else None,
        )

    def _chosen_destination(self) -> Destination | None:
        if self.destination_key is None or self._destination is None:
            return None
        pairs = self._destination.context.pairs if self._destination_takes_context() else {}
        return Destination(self.destination_key, pairs)

    def _ready(self) -> list[ActiveSetting]:
        key = self.key.key if self.key else None
        destination = self.destination_key.key if self.destination_key else None
        return active_settings(self.operation, self.settings.values, key, destination)

    def _takes_context(self) -> bool:
        return takes_context(self.operation, self.settings.values.get("algorithm", ""))

    def _destination_takes_context(self) -> bool:
        return self.settings.values.get("destination_algorithm") == SYMMETRIC_DEFAULT

    def _may_have_target(self) -> bool:
        main = self.main
        return (
            main is not None
            and main.is_file
            and self.operation.name in (OperationName.ENCRYPT, OperationName.DECRYPT)
        )

    # Choosing

    async def choose_operation(self, operation: Operation) -> None:
        """Choose another operation; a key that does not offer it is dropped."""
        self.operation = operation
        if self.key is not None and self.key.key is not None and not operation.suits(self.key.key):
            self.key = None
        await self.refresh_setup()

    async def choose_key(self, key: ChosenKey | None, operation: Operation | None = None) -> None:
        self.key = key
        self.operation = operation or self.operation
        await self.refresh_setup()

    async def choose_destination(self, key: ChosenKey | None) -> None:
        if self._destination is not None:
            self._destination.key = key
        await self.refresh_setup()

    async def set_up(self, entry: HistoryEntry) -> None:
        """Set up an operation of the history again, without its content."""
        self.operation, self.key, self.working_region = entry.operation, entry.key, entry.region
        self.settings.set_values(entry.settings)
        self.context.set_pairs(entry.context)
        await self.refresh_setup()
        if entry.destination is not None and self._destination is not None:
            self._destination.key = entry.destination.key
            self._destination.context.set_pairs(entry.destination.context)
            await self.refresh_setup()
        if entry.source is not None and self.main is not None:
            self.main.set_file(str(entry.source))

    def clear(self) -> None:
        """Drop all inputs; operation, key and settings stay."""
        for pane in self._panes.values():
            pane.clear()
        self.target.path_input.value = ""
        self.context.set_pairs({})
        if self._destination is not None:
            self._destination.context.set_pairs({})

    async def start_over(self, home: str) -> None:
        """Reset for a new session in the Region ``home``: no key is chosen, the inputs stay."""
        self.home, self.working_region, self.key = home, home, None
        if self._destination is not None:
            self._destination.key = None
        await self.refresh_setup()

    def hide_secrets(self) -> None:
        for pane in self._panes.values():
            pane.area.hide()

    # Showing

    async def refresh_setup(self) -> None:
        """Show the panes that the operation needs, as it is set up now."""
        async with self._refreshing:
            operation = self.operation
            for role in operation.roles:
                await self.input_pane(role)
            for role, pane in self._panes.items():
                pane.display = role in operation.roles
            if operation.name is OperationName.RE_ENCRYPT and self._destination is None:
                self._destination = DestinationPane()
                await self.mount(self._destination)
            await self.settings.show(self._ready())
        self.key_field.display = operation.needs_key or operation.key_found
        absent = "none yet: Enter chooses one"
        if operation.key_found:
            absent = "found from the ciphertext" + (
                f", in {self.working_region}" if self.working_region != self.home else ""
            )
        self.key_field.show(self.key, home=self.home, absent=absent)
        self.context.display = self._takes_context()
        self.context.offer_last(self.last_context(self.key.arn) if self.key else {})
        if self._destination is not None:
            self._show_destination(self._destination)
        self._show_sizes()
        self.post_message(self.Changed())

    def _show_destination(self, pane: DestinationPane) -> None:
        pane.display = self.operation.name is OperationName.RE_ENCRYPT
        pane.show(home=self.home, takes_context=self._destination_takes_context())
        pane.context.offer_last(self.last_context(pane.key.arn) if pane.key else {})
        pane.key_field.note.say(self._move_note())

    def _show_sizes(self) -> None:
        main = self.main
        show_part(self.target, self._may_have_target(), self, before=[self.settings])
        if main is None:
            return
        key = self.key.key if self.key else None
        main.show_count(limit_of(self.operation, key, self.settings.values))
        if self._may_have_target():
            self.target.suggest(main.path.path, sealing=self.operation.name is OperationName.ENCRYPT)

    def _move_note(self) -> str:
        """What re-encrypting to another Region means."""
        there, here = self.destination_key, self.working_region
        if there is None or there.region == here:
            return ""
        try:
            request = self.request()
        except InputError:
            return ""
        if request.destination is not None and opens_at_destination(request, request.destination):
            return f"No move is needed: the ciphertext opens in {there.region} as it is."
        return (
            f"{here} to {there.region}: decrypted here, encrypted there. The plaintext passes through this "
            "machine's memory and is not shown."
        )

    @on(InputPane.Changed)
    @on(Input.Changed)
    def _input_changed(self) -> None:
        self._show_sizes()
        self.post_message(self.Changed())

    @on(SettingsPane.Changed)
    @on(ContextRows.Changed)
    async def _choice_changed(self) -> None:
        await self.refresh_setup()

    # Errors

    def show_error(self, field: InputField, text: str) -> bool:
        """Show a problem beside its field, and focus it; False where that field is not shown."""
        match field:
            case InputField.KEY if self.key_field.display:
                self.key_field.problem.say(text)
                self.key_field.line.focus()
            case InputField.INPUT | InputField.SECOND:
                pane = self.main if field is InputField.INPUT else self.second
                if pane is None:
                    return False
                pane.problem.say(text)
                pane.focus_input()
            case InputField.SETTINGS:
                self.settings.problem.say(text)
                self.settings.focus_first()
            case InputField.CONTEXT if self.context.display:
                self.context.problem.say(text)
            case InputField.DESTINATION if self._destination is not None:
                self._destination.key_field.problem.say(text)
                self._destination.key_field.line.focus()
            case InputField.DESTINATION_CONTEXT if self._destination is not None:
                self._destination.context.problem.say(text)
            case InputField.TARGET if self.target.display:
                self.target.problem.say(text)
                self.target.path_input.focus()
            case _:
                return False
        return True

    def clear_errors(self) -> None:
        problems = [self.key_field.problem, self.settings.problem, self.context.problem, self.target.problem]
        problems += [pane.problem for pane in self._panes.values()]
        if self._destination is not None:
            problems += [self._destination.key_field.problem, self._destination.context.problem]
        for problem in problems:
            problem.say("")
