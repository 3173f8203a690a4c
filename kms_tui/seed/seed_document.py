"""A seed as it was read: plain values, and where each stands in its file; what is wrong with one, in
sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kms_tui.kms.errors import KmsTuiError

MemberPath = tuple[str | int, ...]
"""The names of members and the places in lists (from 0) that lead to a value."""

_PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_-]{0,80}\Z")
_LONGEST_NAME = 80
_SHOWN = 20
"""Problems that the text of an error names; its ``problems`` has all."""


class SeedError(KmsTuiError):
    """Why a seed cannot be read or applied: a sentence for each thing that is wrong, with file, line and
    member.

    Nothing was changed.
    """

    def __init__(self, problems: Sequence[str], *, next_step: str = "Nothing was changed.") -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.sentences), next_step=next_step)

    @property
    def sentences(self) -> Sequence[str]:
        """The first problems, and how many there are besides."""
        more = len(self.problems) - _SHOWN
        if more <= 0:
            return self.problems
        return (*self.problems[:_SHOWN], f"{more} more thing{'s are' if more > 1 else ' is'} wrong.")


@dataclass(frozen=True, slots=True)
class SeedDocument:
    """A seed's values. ``name`` is that of its file; ``folder`` is where the files that it names lie.

    ``folder`` is None for a text that is of no file: then it can name none.
    """

    name: str
    data: Any = field(repr=False)
    lines: Mapping[MemberPath, int] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    origins: Mapping[MemberPath, MemberPath] = field(default_factory=dict, repr=False)
    """Where members stand in the file, if it is of another form than ours."""

    def place(self, path: MemberPath) -> str:
        """Where a member stands: "seed.yaml, line 12: keys[0].spec"."""
        line, path = self.line(path), self._original(path)
        where = f"{self.name}, line {line}" if line else self.name
        return f"{where}: {dotted(path)}" if path else where

    def _original(self, path: MemberPath) -> MemberPath:
        for size in range(len(path), 0, -1):
            if path[:size] in self.origins:
                return self.origins[path[:size]]
        return path

    def line(self, path: MemberPath) -> int:
        """The line of the member, or of the nearest around it whose line is known; 0 where none is."""
        path = self._original(path)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0) if path else 0


def dotted(path: MemberPath) -> str:
    """The path of a member in words: ``keys[0].tags["a b"]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_NAME.match(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part[:_LONGEST_NAME]}"]'
    return text


def ended(sentence: str) -> str:
    """The sentence with its full stop, where it does not end in a question."""
    return sentence if sentence.endswith("?") else f"{sentence}."


def alike(word: str, known: Iterable[str]) -> str:
    """What was meant, perhaps: "; did you mean tags?", or ""."""
    found = get_close_matches(word, known, 1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
