"""The stylesheet styles widgets that are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import textual

import kms_tui.ui


def _classes(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name


def test_every_type_that_a_selector_names_is_a_class() -> None:
    folder = Path(kms_tui.ui.__file__).parent
    rules = re.sub(r"/\*.*?\*/", "", (folder / "app.tcss").read_text(encoding="utf-8"), flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", rules)
    types = {name for each in selectors for name in re.findall(r"(?<![\w.#:-])[A-Z]\w+", each)}
    known = {*_classes(folder), *_classes(Path(textual.__file__).parent)}
    assert "FilterLine" in types
    assert types - known == set()
