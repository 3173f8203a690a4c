"""The screens on which acts can be done: their bindings, the menu, and what stands before each act."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from kms_tui.ui.actions.action_table import ACTIONS, Action
from kms_tui.ui.actions.protection import confirm_protected
from kms_tui.ui.actions.state_actions import show_key_stores
from kms_tui.ui.base.host import KeysChanged, RefusalsChanged, shown_key
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.facts_table import facts_table


def action_bindings(shown: Collection[str]) -> list[BindingType]:
    """The keys of all acts, those of ``shown`` (ids) on the screen's last line."""
    return [
        Binding(
            act.key,
            f"act('{act.id}')",
            act.title,
            id=f"act.{act.id}",
            tooltip=act.tooltip,
            show=act.id in shown,
        )
        for act in ACTIONS.values()
    ]


class ActionScreen(ModeScreen):
    """A screen whose keys do the acts of the table to ``subjects``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "menu", "Actions", id="desk.menu", tooltip="All that can be done to this key"),
        Binding(
            "K",
            "key_stores",
            "Key stores",
            id="desk.key-stores",
            tooltip="Custom key stores: state, connect, disconnect",
            show=False,
        ),
        *action_bindings({act.id for act in ACTIONS.values() if act.show}),
    ]

    @abstractmethod
    def subjects(self) -> Sequence[Subject]:
        """The marked keys, or the one under the cursor; none where there is no key."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A read-only session offers nothing that changes anything."""
        if action == "act" and self.session is not None and self.session.read_only:
            return not ACTIONS[str(parameters[0])].mutating
        return super().check_action(action, parameters)

    @on(KeysChanged)
    def _look_at_watched(self) -> None:
        """What was done may have begun or ended a watch."""
        self.kms_app.watcher.look()

    @on(RefusalsChanged)
    def _refusals_told(self) -> None:
        for details in self.query(KeyDetails):
            details.show_refusals()

    def action_act(self, act_id: str) -> None:
        act = ACTIONS[act_id]
        self.start_action(partial(self._do, act, self.subjects()), description=act.title)

    def action_key_stores(self) -> None:
        self.start_action(partial(show_key_stores, self), description="the custom key stores")

    def action_menu(self) -> None:
        self.start_action(self._menu, description="the menu of acts")

    async def _menu(self) -> None:
        subjects = self.subjects()
        if not subjects:
            return
        acts = [act for act in ACTIONS.values() if self.check_action("act", (act.id,))]
        reasons = [_refusal(act, subjects) for act in acts]
        keys = [shown_key(self.app, f"act.{act.id}", act.key) for act in acts]
        width = max(map(len, keys))
        lines = [
            facts_table(
                [
                    (
                        Content.assemble((key.ljust(width + 2), "$accent bold"), act.title.ljust(18)),
                        safe(reason or act.tooltip).stylize("$foreground-muted"),
                    )
                ]
            )
            for act, key, reason in zip(acts, keys, reasons, strict=True)
        ]
        refused = frozenset(index for index, reason in enumerate(reasons) if reason)
        chosen = await self.ask(Choose(self.names(subjects), lines, disabled=refused))
        if chosen is not None:
            await self._do(acts[chosen], subjects)

    async def _do(self, act: Action, subjects: Sequence[Subject]) -> None:
        if not subjects:
            return
        if reason := _refusal(act, subjects):
            self.kms_app.notify(f"{reason[0].upper()}{reason[1:]}.", title=act.title, severity="warning")
        elif not act.mutating or await confirm_protected(self, act.title, subjects):
            await act.run(self, subjects)


def _refusal(act: Action, subjects: Sequence[Subject]) -> str:
    """Why an act is not possible for any of the keys; of many, those that refuse are left out later."""
    if len(subjects) > 1 and not act.many:
        return "this is done to one key at a time"
    reasons = [act.refusal(subject) for subject in subjects]
    return reasons[0] if all(reasons) else ""
