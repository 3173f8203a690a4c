"""``AccountChoice``: what ``--accounts`` and ``--role`` say, before anything is read or opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ORGANIZATION = "organization"
_FILE = "file://"
"""As the AWS CLI marks a parameter that is in a file."""


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """The accounts of a session: profiles, the accounts of a file, or all of the organization.

    ``role`` is the name of the role that is assumed in each account for which no file says another, or "".
    """

    profiles: tuple[str, ...] = ()
    file: Path | None = None
    organization: bool = False
    role: str = ""

    @property
    def title(self) -> str:
        """The choice in few words."""
        if self.file is not None:
            return self.file.name
        return ORGANIZATION if self.organization else ", ".join(self.profiles)


def parse_accounts(text: str, role: str = "") -> AccountChoice:
    """``organization``, ``file://PATH``, or names of profiles with commas between.

    ValueError says what is wrong.
    """
    if text.startswith(_FILE):
        if text == _FILE:
            raise ValueError(f"{text!r} names no file")
        return AccountChoice(file=Path(text.removeprefix(_FILE)), role=role)
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(names):
        raise ValueError(f"{text!r} is no list of profiles")
    if names == (ORGANIZATION,):
        return AccountChoice(organization=True, role=role)
    wrong = next((name for name in names if name == ORGANIZATION or name.startswith(_FILE)), "")
    if wrong:
        raise ValueError(f"{wrong} stands alone: it is no profile")
    return AccountChoice(names, role=role)
