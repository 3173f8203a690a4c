"""Members of an API answer by their path, whatever shape the answer turns out to have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_STEP = re.compile(r"(\w+)(?:\[(\w+)=(\w+)\])?\Z")


def values(answer: Any, path: str) -> Iterator[Any]:
    """What stands at a path of member names ("Table.SSEDescription.KMSMasterKeyArn").

    Lists are gone through; ``Tags[Key=Name]`` goes on with the entries whose member has that value, and an
    empty path is the answer itself. A member that is missing, or is no structure, yields nothing.
    """
    found = [answer]
    for step in path.split(".") if path else ():
        match = _STEP.match(step)
        if match is None:
            raise ValueError(f"not a path: {path!r}")
        name, member, wanted = match.groups()
        found = [
            entry
            for structure in found
            if isinstance(structure, Mapping)
            for entry in _entries(structure.get(name))
            if member is None or (isinstance(entry, Mapping) and entry.get(member) == wanted)
        ]
    yield from found


def text(answer: Any, path: str) -> str:
    """The first text at a path; "" where there is none."""
    return next((value for value in values(answer, path) if isinstance(value, str)), "")


def _entries(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)
