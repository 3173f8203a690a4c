"""What a writer of code gives back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Code(NamedTuple):
    """Files by name, the main one first, and what the reader must know: sentences, one a line."""

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()
