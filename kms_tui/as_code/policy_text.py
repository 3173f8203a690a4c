"""A key policy as a value that code can hold, where no more than its white space is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kms_tui.policy import json_reader

_EXACT = 2**53
"""Whole numbers below this are the same in every tool."""


def policy_members(text: str) -> Mapping[str, Any] | None:
    """The policy as mappings, lists and scalars; None for a text that is no JSON object with unlike names."""
    try:
        json_reader.read(text)
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def exact_members(text: str) -> Mapping[str, Any] | None:
    """The same, None also for one with numbers that Terraform would write in another way."""
    value = policy_members(text)
    return value if value is not None and _is_exact(value) else None


def _is_exact(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, list):
        return all(map(_is_exact, value))
    if isinstance(value, bool | str) or value is None:
        return True
    return isinstance(value, int) and abs(value) < _EXACT
