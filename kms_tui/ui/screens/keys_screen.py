"""Keys: the key list with the details of the key under the cursor, and one key on a screen of its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from kms_tui.inventory import FactName
from kms_tui.inventory.fact_reader import missing_of
from kms_tui.inventory.filters import FilterError, without_faults
from kms_tui.inventory.view import Scope, View
from kms_tui.session import Session
from kms_tui.ui.actions.action_screen import ActionScreen, Chosen
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject, subject_of
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.screens import key_counts
from kms_tui.ui.widgets.filter_line import FilterInput, FilterLine
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.text_widgets import Static


class KeyDetailsScreen(ActionScreen):
    """The details of one key, for narrow terminals, with the same actions as on the list."""

    HELP = "Everything about one key. Each tab reads what it shows when you open it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", id="key.back", tooltip="Back to the list"),
        Binding("r", "refresh", "Refresh", id="key.refresh", tooltip="Read this key again", show=False),
    ]

    def __init__(self, subject: Subject, tab: str = "Overview", section: str = "") -> None:
        super().__init__()
        self._subject = subject
        self._opens_at = tab, section

    def compose_body(self) -> Iterable[Widget]:
        yield KeyDetails(*self._opens_at)

    def session_opened(self, session: Session) -> None:
        details = self.query_one(KeyDetails)
        details.show(session, self._subject)
        details.focus_tabs()

    def chosen(self) -> Chosen:
        """The key, as the inventory knows it now."""
        assert self.session is not None
        row = self.session.inventory.row(self._subject.arn)
        return lambda: [subject_of(row) if row is not None else self._subject]

    def action_refresh(self) -> None:
        self.post_message(KeysChanged(self._subject.key_id))

    @on(KeysChanged)
    def _keys_changed(self, message: KeysChanged) -> None:
        if self.session is not None:
            self.session.reread(*message.key_ids)
            self.query_one(KeyDetails).show(self.session, self._subject)


_WELCOME_AFTER = 0.3
"""Seconds after the session has opened until the first steps are shown."""
_READ_MISSING_AFTER = 0.4
"""Seconds after the last keystroke until the facts that a filter needs are read."""
_FINDINGS = "attention:any"
"""The filter for the keys that need attention."""


class KeysScreen(ActionScreen):
    """The key list, with the details beside it in a wide terminal."""

    HELP = (
        "The keys of the account and region, or of all that are listed together. ATTENTION says the worst "
        "that the health checks find: ▲ high, ◆ medium, ▽ low, +2 for two more; it is empty for a key that "
        "passes all of them. What is not read, or may not be, says so, and is never shown as off. Actions "
        "apply to the marked keys, or to the one under the cursor."
    )
    AUTO_FOCUS = "KeyList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="keys.filter", tooltip="Filter the list as you type"),
        Binding("enter,d", "details", "Details", id="keys.details", tooltip="Everything about the key"),
        Binding(
            "right_square_bracket",
            "next_tab",
            "Next tab",
            id="keys.next-tab",
            tooltip="The next tab of the details, from the list",
            show=False,
        ),
        Binding(
            "left_square_bracket",
            "previous_tab",
            "Tab before",
            id="keys.previous-tab",
            tooltip="The tab before, from the list",
            show=False,
        ),
        Binding("n", "create", "New key", id="keys.create", tooltip="Create a key (CreateKey)"),
        Binding(
            "w",
            "export",
            "Export",
            id="keys.export",
            tooltip="Write the list as it is filtered and sorted: CSV, JSON, Markdown",
            show=False,
        ),
        Binding(
            "dollar_sign",
            "cost",
            "Cost",
            id="keys.cost",
            tooltip="What the keys cost, and what deleting the marked ones saves",
            show=False,
        ),
        Binding(
            "B",
            "grants",
            "Grants",
            id="keys.grants",
            tooltip="Who holds grants on all keys, the stale ones first (ListGrants)",
            show=False,
        ),
        Binding(
            "equals_sign",
            "changes",
            "Changed since…",
            id="keys.changes",
            tooltip="What has changed since a snapshot (kms-tui snapshot) was written",
            show=False,
        ),
        Binding(
            "J",
            "shared_keys",
            "Shared keys",
            id="keys.shared",
            tooltip="Keys that other accounts share with this one through RAM (ListKeys)",
            show=False,
        ),
        Binding(
            "W",
            "scope",
            "Whose",
            id="keys.scope",
            tooltip="Customer keys, AWS-managed keys, or all",
            show=False,
        ),
        Binding(
            "z",
            "attention",
            "Findings",
            id="keys.attention",
            tooltip="Only the keys that need attention; again, all of them",
            show=False,
        ),
        Binding(
            "r", "refresh", "Refresh", id="keys.refresh", tooltip="List and read everything again", show=False
        ),
        Binding("u", "unmark", "Unmark all", id="keys.unmark", tooltip="Take all marks away", show=False),
        Binding(
            "M",
            "mark_all",
            "Mark all",
            id="keys.mark-all",
            tooltip="Mark all that match the filter",
            show=False,
        ),
        Binding(
            "L",
            "login",
            "Sign in",
            id="keys.login",
            tooltip="Run the command that renews the credentials",
            show=False,
        ),
        Binding("escape", "back", "Back", id="keys.back", tooltip="Clear the filter, go back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._interval: Timer | None = None
        self._filter_on_arrival = ""
        """The filter as it was when another screen led to a key."""

    def compose_body(self) -> Iterable[Widget]:
        yield Static(id="banner")
        with Horizontal(id="keys"):
            with Vertical(id="list-side"):
                with Horizontal(id="filter-row"):
                    yield FilterLine()
                    yield Static(id="scope")
                yield KeyList()
            yield KeyDetails()

    @property
    def list(self) -> KeyList:
        return self.query_one(KeyList)

    @property
    def is_wide(self) -> bool:
        return self.app.screen.has_class("-wide") or self.has_class("-wide")

    def session_opened(self, session: Session) -> None:
        session.inventory.open()
        view = View(session.inventory)
        self.list.columns = self.host.config.columns
        self.list.show_view(view)
        self.query_one(FilterLine).known = view.values
        if session.has_several_accounts:
            self.query_one(FilterLine).hint_at_accounts()
        self.query_one(FilterLine).input.value = self.host.config.filter
        self.list.focus()
        if self._interval is not None:
            self._interval.stop()
            self._interval = None
        if self.host.welcomes:
            self.set_timer(_WELCOME_AFTER, self._welcome)
        if seconds := self.host.config.refresh_seconds:
            self._interval = self.set_interval(seconds, session.inventory.refresh)

    def _welcome(self) -> None:
        """Show the first steps below the list, once."""
        from kms_tui.ui.widgets.first_steps import FirstSteps  # the first rows do not wait for it

        if not self.query(FirstSteps):
            self.query_one("#list-side").mount(FirstSteps())

    def chosen(self) -> Chosen:
        find = self.list.chosen()
        return lambda: [subject_of(row) for row in find()]

    def hidden_by_filter(self) -> frozenset[str]:
        return self.list.view.hidden_marks() if self.list.view is not None else frozenset()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "create" and self.session is not None and self.session.read_only:
            return False
        return super().check_action(action, parameters)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.list.view is not None and self.list.view.query:
            self._read_missing(self.query_one(FilterLine).input.value)

    # The list

    @on(KeyList.RowHighlighted)
    @on(KeyList.Updated)
    def _follow(self) -> None:
        """Show the details of the key under the cursor, again as more of it becomes known."""
        self._show_counts()
        row, session = self.list.current, self.session
        details = self.query_one(KeyDetails)
        if row is None or session is None:
            details.visible = False  # not by a class: that matches the style sheet with every widget in it
            return
        details.visible = True
        subject = subject_of(row)
        if details.subject != subject and self.is_wide:
            details.show(session, subject)

    @on(KeyList.VisibleRange)
    def _read_last_uses(self, event: KeyList.VisibleRange) -> None:
        """Read the last uses of the keys on screen where that column is chosen; the quota is small."""
        view = self.list.view
        if view is not None and "used" in self.list.columns and view.inventory.progress() is None:
            rows = view.rows[event.first : event.last + 1]
            view.inventory.demand(rows, missing_of(FactName.LAST_USAGE), usage=True)

    @on(KeyList.RowSelected)
    def _selected(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        row = self.list.current
        if row is None or self.session is None:
            return
        if self.is_wide:
            self.query_one(KeyDetails).focus_tabs()
            return

        self.app.push_screen(KeyDetailsScreen(subject_of(row)))

    def action_next_tab(self) -> None:
        if self.is_wide:
            self.query_one(KeyDetails).action_next_tab()

    def action_previous_tab(self) -> None:
        if self.is_wide:
            self.query_one(KeyDetails).action_previous_tab()

    @on(KeysChanged)
    def _keys_changed(self, message: KeysChanged) -> None:
        if self.session is not None:
            self.session.reread(*message.key_ids)
        self._show_details_again()

    def show_key(self, arn: str) -> bool:
        """Put the cursor on a key, clearing what hides it; False where there is no such key."""
        row = self.session.inventory.row(arn) if self.session is not None else None
        if row is None:
            return False
        self.list.focus()
        found = self.list.go_to(arn)
        if not found:
            self.query_one(FilterLine).input.value = ""
            self.list.set_filter("")
            self.list.finish_arranging()
            found = self.list.go_to(arn)
        if not found:
            self.list.set_scope(Scope.AWS if row.aws else Scope.CUSTOMER)
            self.list.finish_arranging()
            found = self.list.go_to(arn)
        self._filter_on_arrival = self.query_one(FilterLine).input.value
        return found

    # Filter, scope, marks

    def show_filtered(self, text: str) -> None:
        """Filter the list by a text, as if it was typed."""
        self.query_one(FilterLine).input.value = text
        self._filter_on_arrival = text
        self.list.focus()

    @on(FilterLine.Changed)
    def _filter_changed(self, event: FilterLine.Changed) -> None:
        line = self.query_one(FilterLine)
        try:
            self.list.set_filter(event.text)
        except FilterError as error:
            line.show_note(str(error), error=True)
            self.list.set_filter(without_faults(event.text))
            return
        if line.is_error:  # any other note stays until the counts replace it, so that the list does not jump
            line.show_note("")
        self._read_missing_later(event.text)

    def _read_missing_later(self, text: str) -> None:
        self.set_timer(_READ_MISSING_AFTER, lambda: self._read_missing(text))

    def _read_missing(self, text: str) -> None:
        view = self.list.view
        if view is None or self.query_one(FilterLine).input.value != text:
            return
        if self.list.is_arranging:
            self._read_missing_later(text)
        elif not key_counts.takes_long(view, view.summary()):
            view.read_missing()

    @on(FilterInput.Left)
    def _filter_left(self) -> None:
        self.list.finish_arranging()  # the next key is for the keys that match
        self.list.focus()
        self.list.read_missing()

    def action_filter(self) -> None:
        self.query_one(FilterLine).input.focus()

    def action_attention(self) -> None:
        """Show the keys that need attention, within the filter that is there; again, take that away."""
        line = self.query_one(FilterLine).input
        terms = line.value.split()
        terms = [term for term in terms if term != _FINDINGS] if _FINDINGS in terms else [*terms, _FINDINGS]
        line.value = " ".join(terms)

    def action_back(self) -> None:
        """Leave what was begun last: a tab, a filter since the list was come to, the list, reading."""
        line = self.query_one(FilterLine).input
        if not self.list.has_focus:
            self.list.focus()
        elif line.value != self._filter_on_arrival and line.value:
            line.value = ""
        elif self.host.go_back():
            self._filter_on_arrival = ""
        elif line.value:
            line.value = ""
        elif self.session is not None:
            self.session.inventory.cancel_demand()

    def action_scope(self) -> None:
        view = self.list.view
        if view is not None:
            scopes = list(Scope)
            self.list.set_scope(scopes[(scopes.index(view.wanted.scope) + 1) % len(scopes)])

    def action_scope_to(self, scope: str) -> None:
        """Show the keys of a scope, as a click on its count asks."""
        self.list.set_scope(Scope(scope))

    def action_mark_all(self) -> None:
        view = self.list.view
        if self.query_one(FilterLine).is_error:
            self.notify(
                "The filter is not understood, so the list shows every key. Mend it first.",
                title="Nothing marked",
            )
            return
        if view is not None:
            self.list.finish_arranging()
            view.mark_shown()
            self.list.refresh()
            self._show_counts()

    def action_unmark(self) -> None:
        view = self.list.view
        if view is not None:
            view.clear_marks()
            self.list.refresh()
            self._show_counts()

    def action_export(self) -> None:
        from kms_tui.ui.actions.export_actions import export_keys

        if self.list.view is not None:
            self.start_action(partial(export_keys, self, self.list.view), description="export the keys")

    def action_cost(self) -> None:
        if self.list.view is not None:
            self.host.open_screen("cost", self.list.view.marks)

    def action_shared_keys(self) -> None:
        from kms_tui.ui.actions.shared_keys import show_shared_keys

        self.start_action(partial(show_shared_keys, self), description="the keys of other accounts")

    def action_grants(self) -> None:
        self.host.open_screen("grants")

    def action_changes(self) -> None:
        from kms_tui.ui.actions.changes_since import show_changes_since

        self.start_action(partial(show_changes_since, self), description="what has changed since a snapshot")

    def action_refresh(self) -> None:
        if self.session is not None:
            self.session.inventory.refresh()
            self._show_details_again()

    def _show_details_again(self) -> None:
        details = self.query_one(KeyDetails)
        if self.is_wide and details.subject is not None and self.session is not None:
            details.show(self.session, details.subject)

    def action_create(self) -> None:
        from kms_tui.ui.actions.create_actions import create_key

        self.start_action(partial(create_key, self), description="create a key")

    # Credentials

    def _show_banner(self) -> None:
        """Say that reading stopped for lack of credentials, and how to renew them."""
        assert self.session is not None
        stopped = self.session.inventory.stopped
        banner = self.query_one("#banner", Static)
        banner.set_class(stopped is not None, "-shown")
        if stopped is not None:
            command = getattr(stopped, "login_command", "")
            then = "L runs it from here." if command else "r tries again."
            sentences = (str(stopped), stopped.next_step, then)
            banner.update(safe("  ".join(sentence for sentence in sentences if sentence)))

    def action_login(self) -> None:
        if self.session is None:
            return
        stopped = self.session.inventory.stopped
        command = getattr(stopped, "login_command", "") if stopped is not None else ""
        if command and self.host.run_login(command):
            self.session.inventory.resume()

    # Counts

    def _show_counts(self) -> None:
        view, session = self.list.view, self.session
        if view is None or session is None:
            return
        self._show_banner()
        summary = view.summary()
        self.query_one("#scope", Static).update(key_counts.scopes(view))
        self.show_status(key_counts.status(view, summary, self._watched()))
        line, note = self.query_one(FilterLine), key_counts.filter_note(view, summary)
        if not line.is_error and (note or line.is_note):
            line.show_note(note)

    def _watched(self) -> Content | None:
        """How many uses of watched keys were refused, in the whole list."""
        monitors = self.session.refusal_monitors if self.session is not None else ()
        found = [each for monitor in monitors for each in monitor.all]
        if not found:
            return None
        refused = sum(each.count for each in found)
        if refused:
            return Content.styled(f"{refused:,} refused", "$error")
        return Content.styled(f"{len(found):,} watched", "$foreground-muted")
