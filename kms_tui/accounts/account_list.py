"""The accounts to open, as a file or AWS Organizations lists them.

A file is TOML (``role``, and ``[[accounts]]`` with ``id``, ``name``, ``role``, ``external_id``, ``profile``,
``region``, ``read_only``), or JSON as ``aws organizations list-accounts`` prints it, with the same members.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kms_tui.backend.base import Services
from kms_tui.kms.arn import is_account_id
from kms_tui.kms.errors import ConfigurationError

MOST_BYTES = 4_000_000
"""A list of 20,000 accounts has a third of it."""
_ACTIVE = "ACTIVE"


class AccountFile(NamedTuple):
    """The accounts of a file; ``role`` is assumed where an entry says nothing, "" for none."""

    accounts: list[AccountEntry]
    role: str = ""


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """An account of a list; texts are "" where it does not say. Untrusted.

    ``role`` is a name or an ARN. ``status`` is Organizations' ("ACTIVE", "SUSPENDED" …).
    """

    id: str
    name: str = ""
    role: str = ""
    external_id: str = ""
    profile: str = ""
    region: str = ""
    read_only: bool = False
    status: str = _ACTIVE

    @property
    def is_active(self) -> bool:
        return self.status in ("", _ACTIVE)


def organization_accounts(services: Services) -> list[AccountEntry]:
    """Every account of the caller's organization (ListAccounts), by name. Raises KmsTuiError."""
    found: list[AccountEntry] = []
    params: dict[str, Any] = {}
    while True:
        answer = services.call("organizations", "ListAccounts", params)
        found += [
            AccountEntry(str(each["Id"]), str(each.get("Name", "")), status=_status(each))
            for each in answer["Accounts"]
        ]
        if not answer.get("NextToken"):
            return sorted(found, key=lambda each: (each.name.lower(), each.id))
        params = {"NextToken": answer["NextToken"]}


def _status(account: Mapping[str, Any]) -> str:
    """``State``, or ``Status`` in answers older than it."""
    return str(account.get("State") or account.get("Status", ""))


def read_account_file(path: Path) -> AccountFile:
    """The accounts of a file, in its order. Raises ConfigurationError that names the file and the entry."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ConfigurationError(f"{path} is no list of accounts: it has more than 4 MB.")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} cannot be read: it is not text in UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be used"
        raise ConfigurationError(f"{path} cannot be read: {reason}.") from error
    return _account_file(_document(text, path), str(path))


_READERS: Mapping[str, tuple[Callable[[str], Any], ...]] = {
    ".toml": (tomllib.loads,),
    ".json": (json.loads,),
    "": (json.loads, tomllib.loads),
}
"""By the end of the file's name; "" for any other."""


def _document(text: str, path: Path) -> Mapping[str, Any]:
    problem = ""
    for read in _READERS.get(path.suffix.lower(), _READERS[""]):
        try:
            document = read(text)
            break
        except RecursionError as error:
            raise ConfigurationError(f"{path} is no list of accounts: it is nested too deeply.") from error
        except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
            problem = str(error)
        except ValueError:  # Python converts no more than 4,300 digits
            problem = "a number in it is too long"
    else:
        raise ConfigurationError(f"{path} is neither TOML nor JSON: {problem}.")
    if isinstance(document, list):
        document = {"accounts": document}
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} is no list of accounts.")
    return {"accounts": document["Accounts"]} if "Accounts" in document else document


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a text in quotes")
    return value


def _account_id(value: Any) -> str:
    if not isinstance(value, str) or not is_account_id(value):
        raise ValueError("is not the 12 digits of an account, in quotes")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


_MEMBERS: Mapping[str, Callable[[Any], Any]] = {
    "id": _account_id,
    "name": _text,
    "role": _text,
    "external_id": _text,
    "profile": _text,
    "region": _text,
    "read_only": _flag,
}
_OF_ORGANIZATIONS = {"Id": "id", "Name": "name", "Status": "status", "State": "status"}
"""Members of ListAccounts' answer; its others say nothing that is needed here."""


def _account_file(document: Mapping[str, Any], where: str) -> AccountFile:
    unknown = [name for name in document if name not in ("accounts", "role")]
    if unknown:
        raise ConfigurationError(f"{where}: {unknown[0]} is not a setting; there are role, accounts.")
    role, listed = document.get("role", ""), document.get("accounts")
    if not isinstance(role, str):
        raise ConfigurationError(f"{where}: role is not a text in quotes.")
    if not isinstance(listed, list) or not listed:
        raise ConfigurationError(f"{where} lists no accounts: there is no table [[accounts]] with an id.")
    entries = [_entry(each, f"{where}, account {number}") for number, each in enumerate(listed, 1)]
    _refuse_twins(entries, where)
    return AccountFile(entries, role)


def _entry(members: Any, where: str) -> AccountEntry:
    if not isinstance(members, dict):
        raise ConfigurationError(f"{where} is not a table.")
    of_organizations = "Id" in members
    values: dict[str, Any] = {}
    for name, value in members.items():
        known = _OF_ORGANIZATIONS.get(str(name), str(name))
        convert = _text if known == "status" else _MEMBERS.get(known)
        if convert is None:
            if of_organizations:
                continue
            raise ConfigurationError(f"{where}: {name} is not a setting; there are {', '.join(_MEMBERS)}.")
        try:
            values[known] = convert(value)
        except ValueError as error:
            raise ConfigurationError(f"{where}: {name} {error}.") from error
    if "id" not in values:
        raise ConfigurationError(f"{where} has no id.")
    return AccountEntry(**values)


def _refuse_twins(entries: Sequence[AccountEntry], where: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise ConfigurationError(f"{where} lists account {entry.id} twice.")
        seen.add(entry.id)
