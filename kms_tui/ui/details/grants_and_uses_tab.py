"""Grants and uses: who holds a grant on the key, and which resources of other services name it.

The resources are those of the last scan of the Region.
"""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter

from textual import events, on
from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.references import service_grants
from kms_tui.evidence.scan_shortfalls import name_gaps, shortfall_words, use_words
from kms_tui.evidence.scan_task import Section, Use
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scans import Scan, Scans
from kms_tui.kms.arn import Arn, key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import LOADING, Fact, Known
from kms_tui.kms.model import Grant
from kms_tui.session import Session
from kms_tui.ui.base.background import start
from kms_tui.ui.base.safe_text import Content, safe, visible
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import date_words, fact_content
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.details.scan_words import (
    EARLIER_DATA,
    NOT_AVAILABLE,
    TICK_SECONDS,
    progress_words,
    scanned_words,
    scanning_words,
)
from kms_tui.ui.widgets.facts_table import BLANK, FactRow, FactsTable
from kms_tui.ui.widgets.text_widgets import Static
from kms_tui.ui.widgets.virtual_list import LazyLine, LineList

_WIDEST_NAME = 36
"""Cells in which names are aligned; a longer name is shown whole."""
_NARROWEST = 40


class GrantsAndUsesTab(DetailTab[list[Grant]]):
    """Opening it reads the key's grants; only the action "Used by" starts a scan, which serves every key."""

    TITLE = "Grants and uses"
    HINTS = (("create-grant", "gives a grant"), ("revoke-grant", "revokes one"), ("move", "moves off it"))
    DEFAULT_CSS = """
    GrantsAndUsesTab {
        #used-by-list { margin: 1 0 0 0; }
        #used-by-note { color: $text-muted; margin: 1 0 0 0; }
    }
    """

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="grants-list")
        yield Static(Content("Used by"), id="used-by", classes="section")
        yield Static(id="used-by-head")
        yield LineList(id="used-by-list")
        yield Static(id="used-by-note")

    def show(self, session: Session, subject: Subject) -> None:
        super().show(session, subject)
        self.follow()

    def follow(self) -> None:
        """Show the Region's scan, and its progress while it runs."""
        if self.session is not None and self.subject is not None:
            scans, region = self.session.account_of(self.subject.arn).scans, self.subject.region
            start(self, partial(self._follow, scans, region), group="scan", description="follow a scan")

    async def _follow(self, scans: Scans, region: str) -> None:
        while scans.is_running(region):
            self._show()
            await asyncio.sleep(TICK_SECONDS)
        self._show()

    def read(self, kms: Kms, subject: Subject) -> list[Grant]:
        return kms.grants(subject.key_id)

    def present(self, subject: Subject, fact: Fact[list[Grant]]) -> None:
        if self.session is not None and fact is not LOADING:
            self.session.keep_grants(subject.arn, fact)
        shown = self.query_one("#grants-list", Static)
        if isinstance(fact, Known) and fact.value:
            rows = [row for grant in fact.value for row in (BLANK, *grant_rows(grant))]
            shown.update(FactsTable(rows[1:]))
        else:
            shown.update(fact_content(fact, lambda _: Content.styled("No grants.", "$foreground-muted")))
        self._show()

    @on(events.Resize)
    def _show(self) -> None:
        if self.session is None or self.subject is None:
            return
        head, listed, note = self._contents(self.session, self.subject)
        self.query_one("#used-by-head", Static).update(head)
        self.query_one(LineList).show_lines(listed)
        self.query_one("#used-by-note", Static).update(note)

    def _contents(self, session: Session, subject: Subject) -> tuple[Content, list[LazyLine], Content]:
        scans, region = session.account_of(subject.arn).scans, subject.region
        if scans.is_running(region):
            words = scanning_words(scans, region)
            head = Content(f"{words[0].upper()}{words[1:]} · b stops it")
            return head, _progress(scans, region), Content()
        result = scans.result(region)
        if isinstance(result, Scan):
            lines = [*_use_lines(result.uses(subject.key_id)), *_unmatched_lines(result)]
            return self._head(result, session, subject), lines, self._note(result)
        if isinstance(result, KmsTuiError):
            reason = safe(result.with_next_step)
            failed = Content.styled("The scan could not begin: ", "$error") + reason
            return failed + Content("\nb tries again."), [], Content()
        if not scans.is_offered:
            return Content(f"Other services: {NOT_AVAILABLE}."), [], Content()
        return _offer(region), [], Content(EARLIER_DATA)

    def _head(self, scan: Scan, session: Session, subject: Subject) -> Content:
        uses = scan.uses(subject.key_id)
        if uses:
            one = len(uses) == 1
            found = Content(f"{len(uses)} resource{'' if one else 's'} name{'s' if one else ''} this key.")
        else:
            found = Content("Nothing that was checked names this key.")
        scanned = f"{scanned_words(scan, session.now())}, {scan.checked:,} resources; b scans again."
        lines = [found.stylize("bold"), Content(f"{scanned[0].upper()}{scanned[1:]}")]
        if scan.unchecked:
            count = len(scan.unchecked)
            words = f"{count} kind{' was' if count == 1 else 's were'} not checked whole, see below."
            lines.append(Content.styled(words, "$warning"))
        return Content("\n").join(lines)

    def _note(self, scan: Scan) -> Content:
        width = max(_NARROWEST, self.size.width - 2)
        gaps = [(section.title, shortfall_words(section, scan)) for section in scan.unchecked]
        gaps += name_gaps(scan)
        lines = [Content.styled("Not checked", "$warning")] if gaps else []
        for title, reason in gaps:
            text = visible(f"{title}: {reason}")
            wrapped = textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")
            lines += [Content(line) for line in wrapped]
        if gaps:
            lines.append(Content())
        return Content("\n").join([*lines, Content(EARLIER_DATA)])


def _offer(region: str) -> Content:
    kinds = f"{len(SCANNERS)} kinds of resources of {len({scanner.service for scanner in SCANNERS})} services"
    return (
        Content.styled("No scan was made in this session.\n\n", "bold")
        + Content.styled("b", "$accent bold")
        + Content(f" scans {region} for what names this key: {kinds}. It only reads, and serves every key.")
    )


def _title(text: str, count: int | None = None) -> Content:
    title = Content.styled(text, "$accent bold")
    return title if count is None else title + Content.styled(f"  {count:,}", "$foreground-muted")


def _use_lines(uses: Sequence[Use]) -> Iterable[LazyLine]:
    width = min(max((len(use.resource) for use in uses), default=0), _WIDEST_NAME)
    for kind, group in groupby(uses, key=lambda use: use.kind):
        members = list(group)
        yield _title(kind, len(members))
        yield from (partial(_use_line, use, width) for use in members)


def _use_line(use: Use, width: int) -> Content:
    words = Content.styled(f"  {visible(use_words(use))}", "$foreground-muted")
    return Content(f"  {visible(use.resource).ljust(width)}") + words


def grant_rows(grant: Grant) -> list[FactRow]:
    """A grant's grantee, operations and constraints, as rows."""
    rows: list[FactRow] = [("Grantee", safe(grant.grantee)), ("May", safe(", ".join(grant.operations)))]
    rows += [("For", safe(_short(each.resource))) for each in service_grants([grant]) if each.resource]
    if grant.name:
        rows.append(("Name", safe(grant.name)))
    for name, value in grant.constraints.items():
        pairs = ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        rows.append((name, safe(pairs)))
    if grant.retiring:
        rows.append(("May retire it", safe(grant.retiring)))
    if grant.created:
        rows.append(("Created", Content(date_words(grant.created))))
    rows.append(("Grant id", safe(grant.grant_id)))
    return rows


def _short(resource: str) -> str:
    """The resource part of an ARN; any other text unchanged."""
    try:
        return Arn.parse(resource).resource
    except ValueError:
        return resource


def _unmatched_lines(scan: Scan) -> Iterable[LazyLine]:
    """Resources that name no key of this account and Region, grouped by what they name."""
    if not scan.unmatched:
        return
    yield Content()
    yield _title("Naming a key that is not here", len(scan.unmatched))
    named = attrgetter("reason", "use.reference")
    for (reason, reference), group in groupby(sorted(scan.unmatched, key=named), key=named):
        yield Content("  ") + safe(reason).stylize("$warning")
        yield Content.styled(f"  {visible(key_id_of(reference))}", "$foreground-muted")
        yield from (partial(_unmatched_line, each.use) for each in group)


def _unmatched_line(use: Use) -> Content:
    label = f"  {visible(use.label)}" if use.label else ""
    return Content(f"    {use.kind}  ") + safe(use.resource) + Content.styled(label, "$foreground-muted")


def _progress(scans: Scans, region: str) -> list[LazyLine]:
    run = scans.run_of(region)
    sections = run.sections() if run is not None else tuple(Section(scanner.title) for scanner in SCANNERS)
    width = max(len(section.title) for section in sections)
    return [_progress_line(section, width) for section in sections]


def _progress_line(section: Section, width: int) -> Content:
    colour = "$warning" if section.is_over and not section.is_checked else "$foreground-muted"
    return Content(f"  {section.title.ljust(width)}  ") + Content.styled(progress_words(section), colour)
