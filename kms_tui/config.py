"""The configuration file: TOML in the platform's configuration folder, every setting optional.

theme = "kms-dark"              # or "kms-light", "kms-high-contrast"
filter = "-manager:aws"         # the filter that the key list opens with
columns = ["name", "state", "attention"]    # the key list's, left to right; the last give way first
clipboard_seconds = 30          # how long a secret stays on the clipboard
required_tags = ["team"]        # tags that the health checks ask every key for

[keys]                          # binding id -> key; `kms-tui config` lists them all
"action.rotate-now" = "ctrl+o"

[profiles.prod]                 # a profile's name, or "demo", or "local"
read_only = true
protected = ["payments-*"]      # keys whose name must be typed before any change
allow_service_writes = true     # a move may write to other services than KMS (never where read_only)

[accounts.111122223333]         # an account's id, in every session; or its name in a list of several
read_only = true                # also protected, allow_service_writes

[prices]                        # US dollars, where yours differ from AWS's list (kms_tui.evidence.cost)
date = "2026-11-01"             # when they held
key_month = 1.00                # also rotation_month, charged_rotations
requests = 0.03                 # by 10,000; also asymmetric_requests, rsa_pair_requests, ecc_pair_requests
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kms_tui.kms.errors import ConfigurationError

if TYPE_CHECKING:
    from kms_tui.evidence.cost import Prices

THEMES = ("kms-dark", "kms-light", "kms-high-contrast")


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """The settings for the sessions of one profile."""

    read_only: bool = False
    protected: tuple[str, ...] = ()
    """Shell-style patterns over the names and ids of keys."""
    allow_service_writes: bool = False
    """Whether what names a key may be moved to another key: calls of kms.operations.SERVICE_WRITES."""

    def protects(self, *names: str) -> bool:
        """Whether one of a key's names matches a pattern."""
        return any(fnmatchcase(name, pattern) for name in names for pattern in self.protected)


def combined(*settings: ProfileSettings) -> ProfileSettings:
    """What holds where all of these apply: each flag and each pattern that one of them has."""
    return ProfileSettings(
        read_only=any(each.read_only for each in settings),
        protected=tuple(pattern for each in settings for pattern in each.protected),
        allow_service_writes=any(each.allow_service_writes for each in settings),
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The effective settings."""

    theme: str = THEMES[0]
    filter: str = ""
    columns: tuple[str, ...] = ()
    """Names of COLUMNS; empty: those that fit, the most important first."""
    clipboard_seconds: float = 30.0
    refresh_seconds: float = 0.0
    required_tags: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, ProfileSettings] = field(default_factory=dict)
    accounts: Mapping[str, ProfileSettings] = field(default_factory=dict)
    """By an account's id or name."""
    prices: Mapping[str, Any] = field(default_factory=dict)
    """Members of kms_tui.evidence.cost.Prices that replace AWS's list prices."""

    @property
    def price_table(self) -> Prices:
        """AWS's prices, with the file's in their place."""
        from kms_tui.evidence.cost import Prices  # the first frame needs no prices

        return Prices(**self.prices)

    def profile(self, name: str) -> ProfileSettings:
        return self.profiles.get(name, ProfileSettings())

    def account(self, profile: str, *names: str) -> ProfileSettings:
        """The settings of an account by its profile, and by its id and name, together."""
        found = (self.accounts.get(name, ProfileSettings()) for name in names)
        return combined(self.profile(profile), *found)


def default_path() -> Path:
    """The path of the file on this platform; it may not exist."""
    from platformdirs import user_config_path

    return user_config_path("kms-tui") / "config.toml"


BindingIds = Callable[[], Collection[str]]
"""The ids allowed in ``[keys]``; called only if that table exists, since it is slow."""


def load(path: Path, binding_ids: BindingIds | None = None) -> Config:
    """The settings of a file, or the defaults without one.

    Raises ConfigurationError that names the file, the line and the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} cannot be read: it is not text in UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be used"
        raise ConfigurationError(f"{path} cannot be read: {reason}.") from error
    return parse(text, str(path), binding_ids)


def parse(text: str, name: str, binding_ids: BindingIds | None = None) -> Config:
    """The settings in a text; errors call it ``name``."""
    import tomllib  # most users have no configuration file, and the first frame waits for this module

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name} is not TOML: {error}.") from error
    except ValueError as error:  # Python converts no more than 4,300 digits
        raise ConfigurationError(f"{name} is not TOML: a number in it is too long.") from error
    except RecursionError as error:
        raise ConfigurationError(f"{name} is not a configuration: it is nested too deeply.") from error
    reader = _Reader(text, name)
    values = reader.table(document, _TOP)
    for key, convert in (
        ("keys", _Reader.key_bindings),
        ("profiles", partial(_Reader.settings_tables, name="profiles")),
        ("accounts", partial(_Reader.account_tables, name="accounts")),
        ("prices", _Reader.price_table),
    ):
        if key in values:
            values[key] = convert(reader, values[key])
    if binding_ids is not None and values.get("keys"):
        reader.check_names(values["keys"], frozenset(binding_ids()), "keys")
    return Config(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a text in quotes")
    return value


def _theme(value: Any) -> str:
    if value not in THEMES:
        raise ValueError(f"is not one of {', '.join(THEMES)}")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 3600:
        raise ValueError("is not a number of seconds from 1 to 3600")
    return float(value)


def _interval(value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (value == 0 or 10 <= value <= 86_400)
    ):
        raise ValueError("is not a number of seconds: 0, or 10 to 86,400")
    return float(value)


def _dollars(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1_000_000:
        raise ValueError("is not a number of dollars from 0 up")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise ValueError("is not a whole number from 0 up")
    return value


def _day(value: Any) -> str:
    """A TOML date, or the same in quotes."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError("is not a date like 2026-11-01") from None


def _filter(value: Any) -> str:
    from kms_tui.inventory.filters import FilterError
    from kms_tui.inventory.filters import parse as parse_filter

    text = _text(value)
    try:
        parse_filter(text, datetime.now(UTC))
    except FilterError as error:
        raise ValueError(f"is no filter: {error}") from error
    return text


def _columns(value: Any) -> tuple[str, ...]:
    from kms_tui.inventory.columns import COLUMNS

    names = _texts(value)
    wrong = [name for name in names if name not in COLUMNS]
    if wrong:
        raise ValueError(f"has no column {wrong[0]!r}; there are {', '.join(COLUMNS)}")
    if len(set(names)) < len(names):
        raise ValueError("names a column twice")
    if names and "name" not in names:
        raise ValueError("leaves out name, without which no key can be told")
    return names


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError("is not a list of texts")
    return tuple(value)


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("is not a table")
    return value


Convert = Callable[[Any], Any]
_TOP: Mapping[str, Convert] = {
    "theme": _theme,
    "filter": _filter,
    "columns": _columns,
    "clipboard_seconds": _seconds,
    "refresh_seconds": _interval,
    "required_tags": _texts,
    "keys": _table,
    "profiles": _table,
    "accounts": _table,
    "prices": _table,
}
_PROFILE: Mapping[str, Convert] = {"read_only": _flag, "protected": _texts, "allow_service_writes": _flag}


_PRICES: Mapping[str, Convert] = {
    "date": _day,
    "key_month": _dollars,
    "rotation_month": _dollars,
    "charged_rotations": _count,
    "requests": _dollars,
    "asymmetric_requests": _dollars,
    "rsa_pair_requests": _dollars,
    "ecc_pair_requests": _dollars,
}


class _Reader:
    """Converts tables, and finds the line of a key in the text."""

    def __init__(self, text: str, name: str) -> None:
        self._lines = text.splitlines()
        self._name = name

    def table(self, table: Mapping[str, Any], known: Mapping[str, Convert], *path: str) -> dict[str, Any]:
        converted = {}
        for key, value in table.items():
            if key not in known:
                raise self._error((*path, key), f"is not a setting; there are {', '.join(known)}")
            try:
                converted[key] = known[key](value)
            except ValueError as error:
                raise self._error((*path, key), str(error)) from error
        return converted

    def check_names(self, table: Mapping[str, Any], known: frozenset[str], *path: str) -> None:
        """Refuse an unknown name, with the most similar known one."""
        for name in table:
            if name not in known:
                endings = {each.rpartition(".")[2]: each for each in sorted(known)}
                alike = get_close_matches(name.rpartition(".")[2], endings, 1)
                hint = f"; did you mean {endings[alike[0]]}" if alike else "; `kms-tui config` lists them"
                raise self._error((*path, name), f"is no key binding{hint}")

    def key_bindings(self, table: Mapping[str, Any]) -> dict[str, str]:
        return self.table(table, dict.fromkeys(table, _text), "keys")

    def account_tables(self, table: Mapping[str, Any], name: str) -> dict[str, ProfileSettings]:
        """As ``settings_tables``; a mistyped id would protect nothing, and say nothing of it."""
        for each in table:
            if re.fullmatch(r"[\d\s-]*", each) and not re.fullmatch(r"\d{12}", each, re.ASCII):
                raise self._error((name, each), "is no account: an account's id has 12 digits")
        return self.settings_tables(table, name)

    def settings_tables(self, table: Mapping[str, Any], name: str) -> dict[str, ProfileSettings]:
        tables = self.table(table, dict.fromkeys(table, _table), name)
        return {
            each: ProfileSettings(**self.table(settings, _PROFILE, name, each))
            for each, settings in tables.items()
        }

    def price_table(self, table: Mapping[str, Any]) -> dict[str, Any]:
        return self.table(table, _PRICES, "prices")

    def _error(self, path: tuple[str, ...], problem: str) -> ConfigurationError:
        line = self._line_of(path)
        where = f"{self._name}, line {line}" if line else self._name
        return ConfigurationError(f"{where}: {'.'.join(path)} {problem}.")

    def _line_of(self, path: tuple[str, ...]) -> int | None:
        """The line of a key, below its tables' headers, which come in the order of the path."""
        line = 0
        for name in path:
            mention = re.compile(rf"""\s*\[*([\w."'\s-]*\.\s*)?["']?{re.escape(name)}["']?\s*[\].=]""")
            later = range(max(line - 1, 0), len(self._lines))
            found = next((number + 1 for number in later if mention.match(self._lines[number])), None)
            if found is None:
                return None
            line = found
        return line
