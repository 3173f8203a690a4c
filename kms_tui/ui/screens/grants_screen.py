"""Grants: who holds grants on all keys of the loaded Regions, stale ones first; or who may retire which."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.widget import Widget

from kms_tui.evidence.account_grants import GrantCoverage, GrantReading, retirable_grants
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.facts import Fact
from kms_tui.kms.model import Grant
from kms_tui.session import Session
from kms_tui.ui.actions.export_actions import export_list
from kms_tui.ui.actions.grant_actions import check_principal, end_grant, is_service
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Reason, Subject, aws_managed, in_read_only_account
from kms_tui.ui.base.words import counted
from kms_tui.ui.details.grants_and_uses_tab import grant_rows
from kms_tui.ui.dialogs.form import Form, FormField, Values
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.screens.held_grants import (
    HeldGrant,
    grant_row,
    grants_table,
    held_grants,
    known_grants,
    matching_grants,
)
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.key_notes import unlisted_words
from kms_tui.ui.widgets.line_table import LineTable, MadeRows, TableColumn
from kms_tui.ui.widgets.text_widgets import Input, Static

_COLUMNS = (
    TableColumn("GRANTEE PRINCIPAL", 28, weight=3),
    TableColumn("AGE", 9),
    TableColumn("KEY", 18, weight=2),
    TableColumn("MAY", 14, weight=3),
    TableColumn("REGION", 12),
)
_TICK = 0.25
_REVOKE_KEY = "F"


class Retirable(NamedTuple):
    """What ListRetirableGrants told of a principal."""

    principal: str
    grants: Sequence[Grant]


class GrantsScreen(ModeScreen):
    """Opened from the key list; it reads when it opens where there are few keys, else when asked."""

    HELP = (
        "The grants of the customer keys of the loaded Regions, one call a key (ListGrants). AWS does not "
        "tell when a grant was last used: those of deleted users and roles, which KMS shows by a unique id "
        "(AIDA… or AROA…), come first, then the oldest. Filter for a grantee principal to see all that it "
        "holds. v asks which grants a principal may retire (ListRetirableGrants). Keys that AWS manages are "
        "left out."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", id="grants.back", tooltip="Stop reading; then back to the list"),
        Binding(
            "slash", "filter", "Filter", id="grants.filter", tooltip="Filter by principal, key, operation"
        ),
        Binding(
            "enter,d", "details", "Details", id="grants.details", tooltip="The key's grants, and all else"
        ),
        Binding(
            _REVOKE_KEY,
            "revoke",
            "Revoke grant",
            id="grants.revoke",
            tooltip="Revoke or retire this grant (RevokeGrant, RetireGrant)",
        ),
        Binding(
            "v",
            "view",
            "Retirable…",
            id="grants.view",
            tooltip="Grants that a principal may retire (ListRetirableGrants); again, all grants",
        ),
        Binding("r", "refresh", "Read again", id="grants.refresh", tooltip="Read all grants (ListGrants)"),
        Binding("w", "export", "Export", id="grants.export", tooltip="Write the list as it is filtered"),
    ]

    DEFAULT_CSS = """
    GrantsScreen {
        #grants-note { margin: 0 0 1 0; }
        #grants-detail { height: auto; max-height: 50%; margin: 1 0 0 0; padding: 0 2; }
        &.-narrow #grants-detail { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._reading: GrantReading | None = None
        self._facts: dict[str, Fact[list[Grant]]] = {}
        self._retirable: Retirable | None = None
        self._held: Sequence[HeldGrant] = ()
        """All grants of the list, in order."""
        self._deleted = 0
        """How many of ``_held`` are of deleted principals."""
        self._shown: Sequence[HeldGrant] = ()
        """Those on screen: what the filter that was applied last leaves."""
        self._is_stale = False
        """Whether ``_held`` is to be made anew."""
        self._is_arranging = False

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Input(placeholder="/ to filter: principal, key, operation", id="table-filter")
            yield Static(id="grants-note", classes="fact")
            yield LineTable(_COLUMNS, empty="No grant here.")
            yield Static(id="grants-detail")

    def on_mount(self) -> None:
        self._ticking = self.set_interval(_TICK, self._show, pause=True)
        super().on_mount()

    def on_unmount(self) -> None:
        self._stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "revoke" and self.session is not None and self.session.read_only:
            return False
        return super().check_action(action, parameters)

    def on_key(self, event: Key) -> None:
        self.host.explain_refused_key(event.key, [("grants.revoke", _REVOKE_KEY, "Revoke grant")])

    # Reading

    def session_opened(self, session: Session) -> None:
        self._stop()
        self._facts, self._retirable, self._held = {}, None, ()
        self._show_grants(())
        self.query_one(LineTable).focus()
        if len(self._keys(session)) <= session.inventory.pace.read_whole:
            self.action_refresh()
        else:
            self._show()

    def _keys(self, session: Session) -> list[str]:
        """The ARNs of the customer keys."""
        rows = session.inventory.rows()
        return [row.arn for row in rows if not row.aws and not row.gone]

    def action_refresh(self) -> None:
        if self.session is not None:
            self._read(self.session, self._keys(self.session))

    def _read(self, session: Session, keys: Sequence[str]) -> None:
        self._stop()
        self._reading = GrantReading(session.kms_for, keys, session.inventory.pace.rest)
        start(self, partial(self._follow, self._reading), group="read", description="read the grants")

    async def _follow(self, reading: GrantReading) -> None:
        self._ticking.resume()
        self._show()
        try:
            await off_loop(reading.run)
        finally:
            if self._reading is reading:
                self._stop()
                self._show()

    @property
    def _known(self) -> dict[str, Fact[list[Grant]]]:
        """What has been read, by the reading that runs too."""
        return self._facts if self._reading is None else self._facts | dict(self._reading.facts)

    def _stop(self) -> None:
        """End the reading, and keep what it has read."""
        if self._reading is not None:
            self._reading.cancel()
            self._facts |= self._reading.facts
            self._reading = None
            self._ticking.pause()

    @on(KeysChanged)
    def _changed(self, message: KeysChanged) -> None:
        if self.session is None:
            return
        self.session.reread(*message.key_ids)
        changed, known = message.key_ids, self._known
        keys = [
            arn
            for arn in self._keys(self.session)
            if not changed or key_id_of(arn) in changed or (self._reading and arn not in known)
        ]
        self._read(self.session, keys)
        if self._retirable is not None:
            principal = self._retirable.principal
            start(self, partial(self._ask_retirable, principal), group="retirable", description="list grants")

    # Showing

    def _show(self) -> None:
        """Show what is known now, after what is being worked out."""
        self._is_stale = True
        if self.session is not None and not self._is_arranging:
            self._is_arranging = True
            start(self, self._arrange, group="arrange", description="arrange the grants")

    async def _arrange(self) -> None:
        """Put all grants in order on a thread; again, after a pause as long, where more has been read."""
        try:
            while self._is_stale and self.session is not None:
                self._is_stale, session, began = False, self.session, time.monotonic()
                work = partial(self._arranged, session, self._known, self._retirable)
                held, note = await off_loop(work)
                if session is not self.session:
                    continue
                self._held = held
                self._deleted = sum(each.is_deleted for each in held)
                self.query_one("#grants-note", Static).update(note)
                await self._match()
                if self._is_stale:
                    await asyncio.sleep(time.monotonic() - began)
        finally:
            self._is_arranging = False

    def _arranged(
        self, session: Session, facts: dict[str, Fact[list[Grant]]], retirable: Retirable | None
    ) -> tuple[list[HeldGrant], Content]:
        """On a thread: the grants in order, and the note above them."""
        if retirable is None:
            return held_grants(session, known_grants(facts)), self._note(session, facts)
        note = Content(f"Grants that {retirable.principal} may retire. v shows all grants.")
        return held_grants(session, [(grant.key_id, grant) for grant in retirable.grants]), note

    @on(Input.Changed, "#table-filter")
    def _filter_changed(self) -> None:
        """Filter on a thread; a newer filter drops the work on this one."""
        start(self, self._match, group="match", description="filter the grants")

    async def _match(self) -> None:
        held, text = self._held, self._filter
        shown = await off_loop(lambda: matching_grants(held, text))
        if held is self._held and text == self._filter:
            self._show_grants(shown)
            self.show_status(self._status(len(shown)))

    def _show_grants(self, shown: Sequence[HeldGrant]) -> None:
        self._shown = shown
        self.query_one(LineTable).show_rows(MadeRows(shown, grant_row, key=attrgetter("row_key")))

    @property
    def _filter(self) -> str:
        return self.query_one("#table-filter", Input).value

    @on(LineTable.Highlighted)
    def _show_detail(self) -> None:
        current = self._current()
        shown = FactsTable(grant_rows(current.grant)) if current is not None else None
        self.query_one("#grants-detail", Static).update(shown)

    def _status(self, shown: int) -> Content:
        of_all = f"{shown:,} of " if shown < len(self._held) else ""
        words = Content(f"{of_all}{counted(len(self._held), 'grant')}")
        if deleted := self._deleted:
            words += Content.styled(f" · {deleted:,} of deleted principals", "$warning")
        if self._reading is not None:
            words += Content(f" · reading {len(self._reading.facts):,} of {self._reading.total:,}")
        return words

    def _note(self, session: Session, facts: dict[str, Fact[list[Grant]]]) -> Content:
        """Of how many keys the grants are known."""
        coverage = GrantCoverage.of(self._keys(session), facts)
        note = Content(f"Grants of {coverage.known:,} of {counted(coverage.keys, 'customer key')}")
        if coverage.denied:
            note += Content.styled(f" · {coverage.denied:,} denied: you may not call ListGrants", "$warning")
        if coverage.failed:
            note += Content.styled(f" · {coverage.failed:,} failed", "$error")
        unread = coverage.keys - coverage.known - coverage.denied - coverage.failed
        if unread and self._reading is None:
            note += Content(f" · {unread:,} not read: r reads all, a call a key")
        if unlisted := unlisted_words(session.inventory):
            note += Content("\n") + safe(unlisted).stylize("$warning")
        return note

    # Actions

    def action_back(self) -> None:
        field, table = self.query_one("#table-filter", Input), self.query_one(LineTable)
        if self._reading is not None:
            self._stop()
            self._show()
        elif not table.has_focus:
            table.focus()
        elif field.value:
            field.value = ""
        else:
            self.app.pop_screen()

    def action_filter(self) -> None:
        self.query_one("#table-filter").focus()

    @on(Input.Submitted, "#table-filter")
    def _filter_left(self) -> None:
        self.query_one(LineTable).focus()

    def _current(self) -> HeldGrant | None:
        at = self.query_one(LineTable).cursor
        return self._shown[at] if at < len(self._shown) else None

    @on(LineTable.Selected)
    def action_details(self) -> None:
        current = self._current()
        if current is not None:
            self.host.open_screen("key", current.subject, "Grants and uses")

    def action_revoke(self) -> None:
        current = self._current()
        if current is None:
            self.host.notify("There is no grant to revoke on this list.", severity="warning")
        elif reason := self._refusal(current.subject):
            self.host.notify(f"{reason}.", severity="warning")
        else:
            self.start_action(partial(self._revoke, current), description="revoke a grant")

    def _refusal(self, subject: Subject) -> Reason:
        return in_read_only_account(subject) or aws_managed(subject)

    async def _revoke(self, held: HeldGrant) -> None:
        self.acting_on = [held.subject]
        if await self.confirm_protected("Revoke grant", self.acting_on):
            await end_grant(self, held.subject, held.grant)

    def action_view(self) -> None:
        if self._retirable is not None:
            self._retirable = None
            self._show()
        else:
            self.start_action(self._ask_principal, description="ask for a principal")

    async def _ask_principal(self) -> None:
        values = await self.ask(
            Form(
                "Which grants may a principal retire?",
                [
                    FormField(
                        "principal",
                        "Retiring principal",
                        hint="ARN of a role, user or account; or a service",
                        check=check_principal,
                    )
                ],
                self._list_retirable,
                confirm="List",
                lead=[Content("ListRetirableGrants, in each loaded Region.")],
                blame={"InvalidArnException": "principal", "AccessDeniedException": "principal"},
            )
        )
        if values is not None:
            self._show()

    def _list_retirable(self, values: Values) -> None:
        self._retirable = self._retirable_of(values["principal"].strip())

    def _retirable_of(self, principal: str) -> Retirable:
        """On a thread: what a principal may retire in each loaded Region."""
        assert self.session is not None
        grants: list[Grant] = []
        for region in self.session.inventory.regions:
            grants += retirable_grants(region.kms(), principal, is_service=is_service(principal))
        return Retirable(principal, grants)

    async def _ask_retirable(self, principal: str) -> None:
        found = await self.attempt(lambda: self._retirable_of(principal), doing="list what may be retired")
        if found is not None:
            self._retirable = found
            self._show()

    def action_export(self) -> None:
        self.start_action(self._export, description="export the grants")

    async def _export(self) -> None:
        shown = self._shown
        await export_list(self, "kms-tui-grants", lambda: grants_table(shown))
