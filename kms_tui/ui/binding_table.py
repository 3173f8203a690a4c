"""Every key binding of the console by its id, for the configuration; it imports all screens (0.5 s)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from textual.binding import Binding
from textual.dom import DOMNode

import kms_tui.ui


def bindings() -> Mapping[str, Binding]:
    """Binding id -> binding, by id."""
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
