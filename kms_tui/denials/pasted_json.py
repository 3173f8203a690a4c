"""Finds the JSON of AWS in a pasted text: CloudTrail events, and decoded authorization messages.

The JSON may be the whole text or a part of it (a log line, a fenced block, an object a line), and may lie as
a string in other JSON. Any member may be missing, of another type, or hostile: nothing raises for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_MOST_VALUES = 10_000
_MOST_FAILURES = 20
"""How many beginnings of an object in a text may be none; each takes time in proportion to the text."""
_DEEPEST = 8
"""How many members and strings an event may lie in."""
_START = re.compile(r"\{\s*\"")
_TELLING = ('"eventSource"', '"explicitDeny"')
"""Each JSON that is looked for has one of these in it."""
_LISTS = ("Records", "Events", "events")
"""A trail's file, LookupEvents' answer, FilterLogEvents' answer."""
_HOLDERS = ("CloudTrailEvent", "DecodedMessage", "@message", "message", "detail")
"""Members that hold an event or a decoded message: as a string of JSON, or, of EventBridge, as an object."""


def pasted_values(text: str) -> list[Mapping[str, Any]]:
    """The events and decoded messages of a text, in its order."""
    value = read_json(text) if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[", '"') else None
    values = [value] if value is not None else _embedded(text)
    found: list[Mapping[str, Any]] = []
    for each in values:
        found += _known(each, _DEEPEST)
    return found


def logged_text(text: str) -> str:
    """What a log of one JSON object a line says, its lines together; any other text as it is."""
    lines = text.strip().split("\n")
    if len(lines) < 2 or not all(line.startswith("{") for line in lines):
        return text
    said = [_logged(read_json(line)) for line in lines[:_MOST_VALUES]]
    return text if None in said else "\n".join(str(each).rstrip("\n") for each in said)


def _logged(value: object) -> str | None:
    found = (value.get(name) for name in _LOGGED) if isinstance(value, dict) else ()
    return next((each for each in found if isinstance(each, str)), None)


_LOGGED = ("log", "message", "msg", "MESSAGE", "@message")
"""Members of a log's line that hold what was said: of Docker and Fluent Bit, of most programs, of the
system's log, of CloudWatch Logs.
"""


def is_event(value: Mapping[str, Any]) -> bool:
    """Whether an object is a CloudTrail event."""
    return "eventName" in value and "eventSource" in value


def is_decoded(value: Mapping[str, Any]) -> bool:
    """Whether an object is what sts:DecodeAuthorizationMessage opens."""
    return "explicitDeny" in value and "context" in value


def read_json(text: str) -> object:
    """A text as JSON; None for a text that is none."""
    try:
        return json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _embedded(text: str) -> Iterator[object]:
    """The objects within a text that is no JSON as a whole."""
    if not any(name in text for name in _TELLING):
        return
    decoder = json.JSONDecoder()
    place, failures = 0, 0
    while failures < _MOST_FAILURES and (start := _START.search(text, place)) is not None:
        try:
            value, place = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            place = start.end()
            failures += 1
        else:
            yield value


def _known(value: object, depth: int) -> Iterator[Mapping[str, Any]]:
    """The events and decoded messages that a JSON value is or holds."""
    if isinstance(value, str):
        if depth and any(name.strip('"') in value for name in _TELLING):
            yield from _known(read_json(value), depth - 1)
    elif isinstance(value, list):
        for each in value[:_MOST_VALUES]:
            if isinstance(each, dict):
                yield from _known(each, depth - 1) if depth else ()
    elif isinstance(value, dict):
        if is_event(value) or is_decoded(value):
            yield value
            return
        held = next((value[name] for name in (*_HOLDERS, *_LISTS) if name in value), None)
        if depth:
            yield from _known(held, depth - 1)
