"""A line for the name of a file, completed from the disk as one types."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from textual.suggester import Suggester

from kms_tui.atomic import typed_path
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.widgets.entry import Input

_MOST_NAMES = 20_000
"""Entries of a folder that are looked at."""


def path_of(text: str) -> Path:
    """The path that was typed; ``~`` is the home folder."""
    return typed_path(text)


def completion(text: str) -> str | None:
    """The text completed to the first name in its folder that begins so; None where there is none."""
    folder, _, start = text.rpartition("/")
    if not start:
        return None
    parent = typed_path(f"{folder}/" if "/" in text else ".")
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        names = sorted(_names(entries, start))
        if names:
            return text + names[0][len(start) :]
    return None


def _names(entries: Iterable[os.DirEntry[str]], start: str) -> Iterable[str]:
    for entry in islice(entries, _MOST_NAMES):
        if entry.name.startswith(start) and entry.name.isprintable():
            yield f"{entry.name}/" if entry.is_dir() else entry.name


class _Files(Suggester):
    async def get_suggestion(self, value: str) -> str | None:
        return await off_loop(lambda: completion(value))


class PathInput(Input):
    """Completes with the right arrow, as the shell does with tab."""

    def __init__(self, widget_id: str, placeholder: str) -> None:
        files = _Files(use_cache=False, case_sensitive=True)
        super().__init__(id=widget_id, placeholder=placeholder, suggester=files)

    @property
    def path(self) -> Path | None:
        return path_of(self.value) if self.value.strip() else None
