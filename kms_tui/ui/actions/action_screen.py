"""``ActionScreen``: a screen on which the actions of the table can be done, by key and from a menu."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Key

from kms_tui.ui.actions.action_table import ACTIONS, KeyAction
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.host import KeysChanged, RefusalsChanged
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject, names
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.virtual_list import VirtualList

Chosen = Callable[[], Sequence[Subject]]
"""Makes the subjects of the keys that were chosen by a keypress; on a thread, since it may be all keys."""


def action_bindings(shown: Collection[str]) -> list[BindingType]:
    """The keys of all actions, those of ``shown`` (ids) on the screen's last line."""
    return [
        Binding(
            action.key,
            f"do('{action.id}')",
            action.title,
            id=f"action.{action.id}",
            tooltip=action.tooltip,
            show=action.id in shown,
        )
        for action in ACTIONS.values()
    ]


class ActionScreen(ModeScreen):
    """A screen whose keys do the actions of the table to ``subjects``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "menu", "Actions", id="action.menu", tooltip="All that can be done to this key"),
        Binding(
            "K",
            "key_stores",
            "Key stores",
            id="action.key-stores",
            tooltip="Custom key stores: connect, disconnect, create, edit, delete",
            show=False,
        ),
        *action_bindings({action.id for action in ACTIONS.values() if action.show}),
    ]

    @abstractmethod
    def chosen(self) -> Chosen:
        """The keys that actions apply to now: the marked ones, or the one under the cursor."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A read-only session offers nothing that changes anything."""
        if action == "do" and self.session is not None and self.session.read_only:
            return not ACTIONS[str(parameters[0])].mutating
        return super().check_action(action, parameters)

    def on_key(self, event: Key) -> None:
        self.host.explain_refused_key(
            event.key,
            ((f"action.{each.id}", each.key, each.title) for each in ACTIONS.values() if each.mutating),
        )

    @on(KeysChanged)
    def _poll_refused_uses(self) -> None:
        """The change may begin or end refused uses."""
        self.host.poll_refused_uses()

    @on(RefusalsChanged)
    def _refusals_changed(self) -> None:
        for details in self.query(KeyDetails):
            details.show_refusals()

    def action_do(self, action_id: str) -> None:
        action = ACTIONS[action_id]
        self.start_action(partial(self._do, action, self.chosen()), description=action.title)

    def action_sign(self, task_id: str) -> None:
        """One entry of the menu "Sign…", which the palette finds by its name."""
        self.start_action(partial(self._sign, task_id, self.chosen()), description="sign")

    async def _sign(self, task_id: str, chosen: Chosen) -> None:
        from kms_tui.ui.signing.signing_menu import TASKS, open_task

        subjects = await off_loop(chosen)
        if len(subjects) > 1:
            self._refuse_marked("Sign…", len(subjects))
        elif subjects:
            self.acting_on = subjects
            await open_task(self, subjects, next(task for task in TASKS if task.id == task_id))

    def action_hints(self, hints: Sequence[tuple[str, str]], subject: Subject) -> Content:
        """The keys that are offered for this key; below them, why others are not."""
        actions = [(ACTIONS[action_id], words) for action_id, words in hints if self._is_allowed(action_id)]
        reasons = {action.id: action.refusal(subject) for action, _ in actions}
        offered = [
            Content.styled(self._shown_key(action), "$accent bold") + Content(f" {words}")
            for action, words in actions
            if not reasons[action.id]
        ]
        lines = [Content(" · ").join(offered)] if offered else []
        lines += [safe(f"{why[:1].upper()}{why[1:]}.") for why in dict.fromkeys(reasons.values()) if why]
        return Content("\n").join(lines)

    def _is_allowed(self, action_id: str) -> bool:
        return bool(self.check_action("do", (action_id,)))

    def _shown_key(self, action: KeyAction) -> str:
        return self.host.shown_key(f"action.{action.id}", action.key)

    def action_key_stores(self) -> None:
        from kms_tui.ui.actions.key_store_actions import show_key_stores

        self.start_action(partial(show_key_stores, self), description="the custom key stores")

    @on(VirtualList.MenuAsked)
    def _menu_asked(self) -> None:
        self.action_menu()

    def action_menu(self) -> None:
        self.start_action(partial(self._menu, self.chosen()), description="the menu of actions")

    async def _menu(self, chosen: Chosen) -> None:
        from kms_tui.ui.actions.action_menu import ActionMenu, MenuEntry

        subjects = await off_loop(chosen)
        if not subjects:
            return
        actions = [action for action in ACTIONS.values() if self._is_allowed(action.id)]
        reasons = await off_loop(lambda: [_refusal(action, subjects) for action in actions])
        entries = [
            MenuEntry(action, self._shown_key(action), reason)
            for action, reason in zip(actions, reasons, strict=True)
        ]
        answer = await self.ask(ActionMenu(names(subjects), entries), about=subjects)
        if answer is not None:
            await self._do(answer, lambda: subjects)

    async def _do(self, action: KeyAction, chosen: Chosen) -> None:
        subjects = await off_loop(chosen)
        if not subjects:
            return
        if len(subjects) > 1 and not action.many:
            self._refuse_marked(action.title, len(subjects))
        else:
            await perform(self, action, subjects)

    def _refuse_marked(self, title: str, count: int) -> None:
        key = self.host.shown_key("keys.unmark", "u")
        words = f"This is done to one key at a time, and {count} are marked. {key} takes all marks away."
        self.host.notify(words, title=title, severity="warning")


async def perform(screen: ModeScreen, action: KeyAction, subjects: Sequence[Subject]) -> None:
    """Do an action, or say why it is possible for none of the keys; protected ones are confirmed first."""
    if reason := await off_loop(partial(_refusal, action, subjects)):
        screen.host.notify(f"{reason[0].upper()}{reason[1:]}.", title=action.title, severity="warning")
    elif not action.mutating or await screen.confirm_protected(action.title, subjects):
        screen.acting_on = subjects
        try:
            await action.run(screen, subjects)
        finally:
            screen.acting_on = ()


def _refusal(action: KeyAction, subjects: Sequence[Subject]) -> str:
    """Why an action is possible for none of the keys, or ""; otherwise the batch leaves some of them out."""
    if len(subjects) > 1 and not action.many:
        return "this is done to one key at a time"
    first = action.refusal(subjects[0])
    return first if all(map(action.refusal, subjects)) else ""
