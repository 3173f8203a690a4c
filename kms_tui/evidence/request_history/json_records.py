"""The records of a CloudTrail file, one by one, in memory that does not grow with the file.

A file is ``{"Records": […]}`` as CloudTrail delivers it, an array, JSON lines, or an answer of LookupEvents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

MAX_RECORD = 16 << 20
"""Characters of one record, beyond which a file counts as broken; CloudTrail's own limit is 1 MB."""
CHUNK = 1 << 20
_BETWEEN = re.compile(r'(?:[\s,:\[\]}\ufeff]+|\{\s*"(?:Records|Events)"\s*:\s*\[)*')
"""What stands between records: white space, signs, and the beginning of the object around them."""
_DECODER = json.JSONDecoder(strict=False)
"""Control characters in texts do no harm here."""


class BrokenFileError(Exception):
    """What follows cannot be read; ``str`` says why, as a part of a sentence."""


def records(read: Callable[[int], str]) -> Iterator[Any]:
    """Every record of a text; ``read(n)`` gives the next characters, "" at the end.

    Raises BrokenFileError after the records before the fault.
    """
    buffer, position, open_arrays, ended = "", 0, 0, False
    while True:
        if between := _BETWEEN.match(buffer, position):
            position = between.end()
            open_arrays += between.group().count("[") - between.group().count("]")
        if position < len(buffer):
            try:
                value, position = _DECODER.raw_decode(buffer, position)
            except RecursionError:
                raise BrokenFileError("a record is nested too deeply") from None
            except ValueError:
                if len(buffer) - position > MAX_RECORD:
                    raise BrokenFileError("a part of it is no JSON, or one record is too large") from None
                if ended:
                    raise BrokenFileError("it ends in the middle, or is no JSON") from None
            else:
                yield from _inner(value)
                continue
        if ended:
            if open_arrays > 0:
                raise BrokenFileError("it ends in the middle")
            return
        more = read(max(CHUNK, len(buffer) - position))
        buffer, position, ended = buffer[position:] + more, 0, not more


def _inner(value: Any) -> Iterator[Any]:
    """A record, or those of a ``Records`` that does not come first; what is no object is passed over."""
    if not isinstance(value, dict):
        return
    for name in ("Records", "Events"):
        if isinstance(value.get(name), list):
            for each in value[name]:
                yield from _inner(each)
            return
    text = value.get("CloudTrailEvent")
    if not isinstance(text, str):
        yield value
        return
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return
