"""The palette of active bindings, and every binding by its id for the configuration."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

import kms_tui.ui
from kms_tui.ui.app_shell.themes import THEMES

_BY_HELP = 0.1
"""The score of a match in the explanation alone, below any match in a title."""


class _Command(NamedTuple):
    title: str
    help_text: str
    action: str
    namespace: DOMNode


class KmsCommands(Provider):
    """The active bindings of the screen below the palette, and the themes."""

    def _commands(self) -> list[_Command]:
        commands = {
            active.binding.action: _Command(
                active.binding.description, active.binding.tooltip, active.binding.action, active.node
            )
            for active in self.screen.active_bindings.values()
            if active.enabled and active.binding.description and active.binding.tooltip
        }
        for title, theme in THEMES.items():
            commands[theme.name] = _Command(
                title, "Change the colours", f"app.use_theme('{theme.name}')", self.app
            )
        return list(commands.values())

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(command.title, partial(self._run, command), help=command.help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands():
            score = matcher.match(command.title)
            if score <= 0 and query.lower() in command.help_text.lower():
                score = _BY_HELP
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(command.title),
                    partial(self._run, command),
                    help=command.help_text,
                )

    async def _run(self, command: _Command) -> None:
        await self.app.run_action(command.action, command.namespace)


def bindings() -> Mapping[str, Binding]:
    """Binding id -> binding, sorted; it imports all screens (0.5 s)."""
    for module in pkgutil.walk_packages(kms_tui.ui.__path__, "kms_tui.ui."):
        importlib.import_module(module.name)
    found = {binding.id: binding for node in _nodes(DOMNode) for binding in _own(node) if binding.id}
    return dict(sorted(found.items()))


def _nodes(node: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for each in node.__subclasses__():
        if each.__module__.startswith("kms_tui."):
            yield each
        yield from _nodes(each)


def _own(node: type[DOMNode]) -> Iterator[Binding]:
    return (each for each in vars(node).get("BINDINGS", ()) if isinstance(each, Binding))
