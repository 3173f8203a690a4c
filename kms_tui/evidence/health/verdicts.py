"""What a check may answer, and the numbers that it goes by."""

from __future__ import annotations

from dataclasses import dataclass

Reason = str
"""Why something is a finding: one sentence or two with the key's own numbers; untrusted text may be in it."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """The facts were read, and do not tell; ``reason`` says why."""

    reason: str


Verdict = Reason | Unsure | None
"""None is a pass."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``unused_days`` is None where nobody asked for it: GetKeyLastUsage is 5 calls a second."""

    unused_days: int | None = None
    disabled_days: int = 30
    expires_days: int = 30
    required_tags: tuple[str, ...] = ()
