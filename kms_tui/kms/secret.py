"""The type that plaintext and key material travel in."""

from __future__ import annotations

from typing import Never


class Secret:
    """Bytes that must not be seen by accident: no repr, no str, no format; ``reveal()`` is the one way in."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not written out")
