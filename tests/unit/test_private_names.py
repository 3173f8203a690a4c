"""No class of the console takes a private name of the Textual class that it extends, but for those listed."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import kms_tui.ui

_INTENDED = {
    ("Boundary", "_fatal_error"),
    ("Boundary", "_handle_exception"),
    ("Checkbox", "_button"),
    ("Modal", "_compositor_refresh"),
    ("ModeScreen", "_css_update_count"),
    ("NewScreen", "_compositor_refresh"),
    ("PolicyArea", "_on_key"),
    ("PolicyArea", "_replace_via_keyboard"),
}


@cache
def _classes_in(module: ModuleType) -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(module))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


@cache
def private_names(cls: type) -> frozenset[str]:
    """The private methods, class attributes and instance attributes that a class itself defines."""
    node = _classes_in(importlib.import_module(cls.__module__)).get(cls.__name__)
    names: set[str] = set()
    for each in ast.walk(node) if node is not None else ():
        match each:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return frozenset(name for name in names if name.startswith("_") and not name.startswith("__"))


def _classes_of_the_console() -> Iterator[type]:
    for found in pkgutil.walk_packages(kms_tui.ui.__path__, "kms_tui.ui."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def test_no_class_takes_a_private_name_of_textual() -> None:
    """A dialog that kept ``_running`` for itself stopped the callbacks of its own screen."""
    taken = {
        (cls.__name__, name)
        for cls in _classes_of_the_console()
        for base in cls.__mro__[1:]
        if base.__module__.partition(".")[0] == "textual"
        for name in private_names(cls) & private_names(base)
    }
    assert taken == _INTENDED
