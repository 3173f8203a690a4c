"""The palette, which finds everything by its name; and every binding by its id for the configuration."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from kms_tui.inventory import cells
from kms_tui.ui.actions.action_screen import ActionScreen
from kms_tui.ui.app_shell.screen_table import import_screens
from kms_tui.ui.app_shell.themes import THEMES
from kms_tui.ui.app_shell.tour import END
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.dialogs.modal import Modal

if TYPE_CHECKING:
    from kms_tui.ui.signing.signing_task import SigningTask

_MOST_KEYS = 20
"""Keys that a search offers; a longer query finds the others."""
_MOST_RECENT = 8
_TITLE_CELLS, _SHORT_TITLE_CELLS, _WIDE = 34, 24, 100
_AROUND = 6
"""Cells of the palette's own beside a line."""
_IN_NOTE = 0.3
"""The score of a word that is not in the title."""


class PaletteEntry(NamedTuple):
    """One line of the palette: what it does, in words and with its shortcut, and doing it."""

    title: str
    note: str
    run: Callable[[], Awaitable[object] | None]
    shortcut: str = ""


class KmsCommands(Provider):
    """Finds actions, screens and themes, keys and aliases, profiles and Regions; the latest chosen first."""

    _places: Sequence[PaletteEntry] = ()
    _signing: Sequence[SigningTask] = ()

    async def startup(self) -> None:
        """Begin to read what there is to find.

        A key cancels the search before it, and Textual's search, while it waits for this, would cancel this
        as well: nothing was found any more.
        """
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        tour = PaletteEntry("Tour", "Six steps, each doing one real thing", self._start_tour)
        if host_of(self.app).is_touring:
            tour = PaletteEntry(END, "Its steps are shown no longer", self._end_tour)
        self._signing = await off_loop(_signing_tasks)
        self._places = [tour, *self._themes(), *await self._profiles(), *await self._regions()]

    async def shutdown(self) -> None:
        self._reading.cancel()

    async def discover(self) -> Hits:
        entries = self.actions()
        recent = host_of(self.app).recent_commands
        if not {entry.title for entry in entries}.issuperset(recent):
            await asyncio.wait([self._reading])
        by_title = {entry.title: entry for entry in [*entries, *self._places]}
        for entry in [by_title[title] for title in recent if title in by_title]:
            yield DiscoveryHit(self._line(entry), partial(self._run, entry), text=entry.title)
        for entry in entries:
            if entry.title not in recent:
                yield DiscoveryHit(self._line(entry), partial(self._run, entry), text=entry.title)

    async def search(self, query: str) -> Hits:
        await asyncio.wait([self._reading])
        words = [_key_word(word) for word in query.lower().split()]
        recent = host_of(self.app).recent_commands
        entries = [*self.actions(), *self._signing_entries(), *self._places]
        scored = [(score_of(words, entry.title, entry.note), entry) for entry in entries]
        scored += [(max(score_of(words, entry.title, ""), _IN_NOTE), entry) for entry in self._keys(words)]
        for score, entry in scored:
            if score > 0:
                bonus = 0.05 if entry.title in recent else 0
                yield Hit(score + bonus, self._line(entry), partial(self._run, entry), text=entry.title)

    def _line(self, entry: PaletteEntry) -> Content:
        return _line(entry, self.app.size.width - _AROUND)

    async def _run(self, entry: PaletteEntry) -> None:
        recent = host_of(self.app).recent_commands
        recent[:] = [entry.title, *(title for title in recent if title != entry.title)][:_MOST_RECENT]
        done = entry.run()
        if done is not None:
            await done

    # What there is to find

    def actions(self) -> list[PaletteEntry]:
        """The active bindings of the screen below the palette."""
        found: dict[str, PaletteEntry] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.description and binding.tooltip:
                run = partial(self.app.run_action, binding.action, active.node)
                shortcut = self.app.get_key_display(binding)
                found.setdefault(
                    binding.action, PaletteEntry(binding.description, binding.tooltip, run, shortcut)
                )
        return list(found.values())

    def _signing_entries(self) -> Iterator[PaletteEntry]:
        """The entries of the menu "Sign…", for the key under the cursor."""
        if isinstance(self.screen, ActionScreen):
            for task in self._signing:
                run = partial(self.app.run_action, f"sign('{task.id}')", self.screen)
                yield PaletteEntry(task.title, f"Sign… · {task.words}", run)

    async def _start_tour(self) -> None:
        await self.app.run_action("app.tour")

    async def _end_tour(self) -> None:
        await self.app.run_action("app.end_tour")

    def _themes(self) -> list[PaletteEntry]:
        return [
            PaletteEntry(title, "Change the colours", partial(setattr, self.app, "theme", theme.name))
            for title, theme in THEMES.items()
        ]

    def _keys(self, words: Sequence[str]) -> Iterator[PaletteEntry]:
        """The keys with these words in an alias, the id or the description; also by a pasted ARN."""
        host = host_of(self.app)
        if host.session is None or not words:
            return
        found = (
            row
            for row in host.session.inventory.rows()
            if not row.gone and all(word in row.search_text for word in words)
        )
        for row in islice(found, _MOST_KEYS):
            spec = cells.spec(row).text if row.key is not None else ""
            account = row.account_name if host.session.has_several_accounts else ""
            parts = ("key", spec, account, row.region, *row.aliases[1:], row.arn)
            note = " · ".join(part for part in parts if part)
            yield PaletteEntry(cells.name(row), note, partial(self._show_key, row.arn))

    def _show_key(self, arn: str) -> None:
        """Go to a key, in a worker of the app: the palette's own screen closes meanwhile."""
        host = host_of(self.app)
        start(host, partial(host.show_key, arn), group="palette", description="go to a key")

    async def _profiles(self) -> list[PaletteEntry]:
        from kms_tui.ui.app_shell.connecting import connections

        host = host_of(self.app)
        return [
            PaletteEntry(
                f"Open {name}", f"Account: {note}" if note else "Account", partial(host.open, connection)
            )
            for name, note, connection in await connections(host)
        ]

    async def _regions(self) -> list[PaletteEntry]:
        host = host_of(self.app)
        if host.session is None:
            return []
        from kms_tui.backend.regions import kms_regions

        names = await off_loop(partial(kms_regions, host.session.kms.partition))
        return [
            PaletteEntry(
                f"Region {name}",
                "Show the keys of this Region",
                partial(host.open, replace(host.connection, region=name, regions=(name,))),
            )
            for name in names
        ]


class Palette(CommandPalette, Modal[None]):
    """Textual's palette, painted as dialogs are."""

    def __init__(self) -> None:
        super().__init__([KmsCommands], id="--command-palette")


def _signing_tasks() -> Sequence[SigningTask]:
    from kms_tui.ui.signing.signing_menu import TASKS  # takes 0.2 s

    return TASKS


def _key_word(word: str) -> str:
    """The part of a pasted ARN, or alias, that the list is searched for."""
    name = word.split(":", 5)[-1] if word.startswith("arn:") else word
    return name.removeprefix("key/").removeprefix("alias/") or word


def _line(entry: PaletteEntry, width: int) -> Content:
    """The title, the shortcut and the note on one line of at most ``width`` cells."""
    title = column(entry.title, _TITLE_CELLS if width > _WIDE else _SHORT_TITLE_CELLS)
    shortcut = Content.styled(column(entry.shortcut, 8) + " ", "$accent")
    note = safe(entry.note).stylize("$foreground-muted")
    return (safe(f"{title} ") + shortcut + note).truncate(width, ellipsis=True)


def score_of(words: Sequence[str], title: str, note: str) -> float:
    """How well lower-case words match, from 0 (one of them is nowhere) to 1: the title before the note."""
    title, note = title.lower(), note.lower()
    if not words:
        return 0.0
    whole = " ".join(words)
    if title == whole:
        return 1.0
    if title.startswith(whole):
        return 0.9
    return min(_word_score(word, title, note) for word in words)


def _word_score(word: str, title: str, note: str) -> float:
    if any(part.startswith(word) for part in _WORD.findall(title)):
        return 0.8
    if word in title:
        return 0.6
    if word in note:
        return _IN_NOTE
    letters = iter(title)
    return 0.1 if len(word) > 1 and all(letter in letters for letter in word) else 0.0


_WORD = re.compile(r"[a-z0-9]+")


def bindings() -> Mapping[str, Binding]:
    """Binding id -> binding, sorted; it imports all screens (1 s)."""
    import_screens()
    found = {binding.id: binding for node in _nodes(DOMNode) for binding in _own(node) if binding.id}
    return dict(sorted(found.items()))


def _nodes(node: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for each in node.__subclasses__():
        if each.__module__.startswith("kms_tui."):
            yield each
        yield from _nodes(each)


def _own(node: type[DOMNode]) -> Iterator[Binding]:
    return (each for each in vars(node).get("BINDINGS", ()) if isinstance(each, Binding))
