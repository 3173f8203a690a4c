"""Reads a fact file: strictly, and with one sentence for whatever is wrong with it."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from kms_tui.atomic import file_errors
from kms_tui.fact_files.fact_file import (
    FORMAT,
    MOST_BYTES,
    VERSION,
    FactFile,
    FactFileError,
    KeyFacts,
    ListedRegion,
)
from kms_tui.fact_files.fact_writing import NOT_APPLICABLE_WORDS, NOT_READ_WORDS
from kms_tui.formats import members_once
from kms_tui.kms.arn import AccountRegion, Arn, is_account_id, key_id_of
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.facts import NOT_APPLICABLE, UNASKED, Denied, Fact, Failed, Known
from kms_tui.kms.model import Grant, Key, KeyRotationStatus, MultiRegion, Tag

T = TypeVar("T")
_WRITE_ANOTHER = "Write one with kms-tui snapshot -o FILE."
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z\Z")
_REGION = re.compile(r"[a-z0-9-]{1,40}\Z")
_QUOTED = 60
_TOO_DEEP = "its values are nested too deeply"
_DEEPEST = 8
"""Levels of a grant's constraints; those of today have two."""


def read_fact_file(path: Path) -> FactFile:
    """The facts in a file. Raises FactFileError, FileError."""
    with file_errors(path, "read"), path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > MOST_BYTES:
            raise _too_large(str(path))
        return read_fact_stream(file, str(path))


def read_fact_stream(stream: BinaryIO, name: str) -> FactFile:
    """The facts in a stream; ``name`` stands for it in sentences. Raises FactFileError, FileError."""
    with file_errors(name, "read"):
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _too_large(name)
    return parsed(content, name)


def _too_large(name: str) -> FactFileError:
    return FactFileError(f"{name} is larger than {MOST_BYTES // 2**20} MiB, the most that is read.")


def parsed(content: bytes, name: str) -> FactFile:
    """The facts in the bytes of a file; ``name`` stands for it in sentences. Raises FactFileError."""
    try:
        shape = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=members_once,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_refuse,
        )
    except UnicodeDecodeError as error:
        raise _no_json(name, "it is not UTF-8 text") from error
    except RecursionError as error:
        raise _no_json(name, _TOO_DEEP) from error
    except json.JSONDecodeError as error:
        raise _no_json(name, _why_no_json(content, error)) from error
    except ValueError as error:
        raise _no_json(name, str(error)) from error
    if not isinstance(shape, dict) or shape.get("format") != FORMAT:
        raise FactFileError(f"{name} is JSON, but no snapshot of kms-tui.", next_step=_WRITE_ANOTHER)
    _require_version(shape.get("version"), name)
    try:
        return _fact_file(shape)
    except _WrongMemberError as error:
        raise FactFileError(f"{name} is no sound snapshot: {error}.", next_step=_WRITE_ANOTHER) from error
    except RecursionError as error:
        raise _no_json(name, _TOO_DEEP) from error


def _no_json(name: str, reason: str) -> FactFileError:
    return FactFileError(f"{name} is no snapshot: {reason}.", next_step=_WRITE_ANOTHER)


def _why_no_json(content: bytes, error: json.JSONDecodeError) -> str:
    if not content.strip():
        return "the file is empty"
    if error.pos >= len(content.rstrip()) - 1 or error.msg.startswith("Unterminated string"):
        return "the file ends in the middle: it was cut short"
    return f"{error.msg} in line {error.lineno}"


def _require_version(version: object, name: str) -> None:
    if type(version) is int and version > VERSION:
        raise FactFileError(
            f"{name} is a snapshot of version {version}; this kms-tui reads version {VERSION}.",
            next_step="Use the kms-tui that wrote it, or a newer one.",
        )
    if type(version) is not int or version < 1:
        raise FactFileError(
            f"{name} is a snapshot of no known version ({_quoted(version)}).", next_step=_WRITE_ANOTHER
        )


def _integer(text: str) -> int:
    if len(text) > _QUOTED:
        raise ValueError(f"{text[:_QUOTED]}… is too large a number")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:_QUOTED]} is too large a number")
    return number


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


class _WrongMemberError(Exception):
    """A member is not as it should be: its path, what it is, what was expected."""


def _quoted(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


class _Member:
    """A value of the file and its path, with typed ways to take it."""

    __slots__ = ("path", "value")

    def __init__(self, value: object, path: str = "") -> None:
        self.value = value
        self.path = path

    def wrong(self, expected: str) -> _WrongMemberError:
        shown = {dict: "an object", list: "a list", type(None): "null"}.get(type(self.value))
        return _WrongMemberError(f"{self.path} is {shown or _quoted(self.value)}, expected {expected}")

    def object(self) -> Mapping[str, Any]:
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self.value

    def member(self, name: str) -> _Member:
        path = f"{self.path}.{name}" if self.path else name
        try:
            return _Member(self.object()[name], path)
        except KeyError:
            raise _WrongMemberError(f"{path} is missing") from None

    def items(self) -> Iterator[_Member]:
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for number, value in enumerate(self.value):
            yield _Member(value, f"{self.path}[{number}]")

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        return self.value

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def number(self) -> int:
        if type(self.value) is not int or not 0 <= self.value < 2**53:
            raise self.wrong("a whole number")
        return self.value

    def time(self) -> datetime:
        text = self.value
        if isinstance(text, str) and _TIME.match(text):
            try:
                return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
            except ValueError:
                pass  # a 31 February
        raise self.wrong("a time in UTC, as 2026-11-30T09:00:00Z")

    def optional(self, take: Callable[[_Member], T]) -> T | None:
        return None if self.value is None else take(self)


def _fact_file(shape: Mapping[str, Any]) -> FactFile:
    root = _Member(shape)
    regions = sorted(map(_region, root.member("regions").items()), key=lambda each: each.place)
    places = {region.place for region in regions}
    keys: dict[str, KeyFacts] = {}
    for each in root.member("keys").items():
        key = _key(each)
        if key.arn in keys:
            raise each.member("arn").wrong("the ARN of another key than those before it")
        if key.place not in places:
            raise each.member("arn").wrong("the ARN of a key of one of the regions")
        keys[key.arn] = key
    if len(places) < len(regions):
        raise root.member("regions").wrong("a list that names each Region of an account once")
    return FactFile(
        root.member("time").time(),
        root.member("caller").optional(_Member.text) or "",
        tuple(regions),
        tuple(keys[arn] for arn in sorted(keys)),
    )


def _region(member: _Member) -> ListedRegion:
    account, region = member.member("account"), member.member("region")
    if account.text() and not is_account_id(account.text()):
        raise account.wrong("the 12 digits of an account")
    if not _REGION.match(region.text()):
        raise region.wrong("the name of a Region")
    place = AccountRegion(account.text(), region.text())
    return ListedRegion(
        place, _fact(member.member("keys"), _Member.number), _fact(member.member("aliases"), _Member.number)
    )


def _key(member: _Member) -> KeyFacts:
    arn = member.member("arn")
    if not _is_key_arn(arn.text()):
        raise arn.wrong("the ARN of a key")
    return KeyFacts(
        arn.text(),
        _fact(member.member("aliases"), _Member.texts),
        _fact(member.member("described"), lambda each: _described(each, arn.text())),
        _fact(member.member("rotation"), _rotation),
        _fact(member.member("tags"), _tags),
        _fact(member.member("policy"), _policy),
        _fact(member.member("grants"), lambda each: tuple(_grant(item, arn.text()) for item in each.items())),
    )


def _is_key_arn(text: str) -> bool:
    try:
        arn = Arn.parse(text)
    except ValueError:
        return False
    return (
        arn.service == "kms"
        and arn.resource.startswith("key/")
        and len(key_id_of(text)) > 0
        and is_account_id(arn.account)
        and _REGION.match(arn.region) is not None
    )


def _fact(member: _Member, take: Callable[[_Member], T]) -> Fact[T]:
    if member.value == NOT_APPLICABLE_WORDS:
        return NOT_APPLICABLE
    if member.value == NOT_READ_WORDS:
        return UNASKED
    if isinstance(member.value, dict) and len(member.value) == 1:
        ((name, _),) = member.value.items()
        value = member.member(name)
        if name == "known":
            return Known(take(value))
        if name == "denied":
            code, _, message = value.text().partition(": ")
            return Denied(ServiceError(code, message))
        if name == "failed":
            return Failed(KmsTuiError(value.text()))
    raise member.wrong('{"known": …}, {"denied": …}, {"failed": …}, "not applicable" or "not read"')


def _described(member: _Member, arn: str) -> Key:
    def text(name: str) -> str:
        return member.member(name).text()

    def time(name: str) -> datetime | None:
        return member.member(name).optional(_Member.time)

    return Key(
        key_id=key_id_of(arn),
        arn=arn,
        account_id=Arn.parse(arn).account,
        manager=text("manager"),
        state=text("state"),
        spec=text("spec"),
        usage=text("usage"),
        origin=text("origin"),
        description=text("description"),
        enabled=member.member("enabled").flag(),
        created=time("created"),
        deletion_date=time("deletion_date"),
        pending_window_days=member.member("pending_window_days").optional(_Member.number),
        valid_to=time("valid_to"),
        expiration_model=text("expiration_model"),
        multi_region=member.member("multi_region").optional(_multi_region),
        custom_key_store_id=text("custom_key_store_id"),
        current_key_material_id=text("current_key_material_id"),
        algorithms=member.member("algorithms").texts(),
    )


def _multi_region(member: _Member) -> MultiRegion:
    return MultiRegion(
        member.member("primary").flag(),
        member.member("primary_arn").text(),
        member.member("replica_arns").texts(),
    )


def _rotation(member: _Member) -> KeyRotationStatus:
    return KeyRotationStatus(
        member.member("enabled").flag(),
        member.member("period_days").optional(_Member.number),
        member.member("next_date").optional(_Member.time),
        member.member("on_demand_started").optional(_Member.time),
    )


def _tags(member: _Member) -> tuple[Tag, ...]:
    return tuple(Tag(name, member.member(name).text()) for name in sorted(member.object()))


def _policy(member: _Member) -> str:
    return member.value if isinstance(member.value, str) else json.dumps(member.object(), indent=2)


def _grant(member: _Member, arn: str) -> Grant:
    return Grant(
        member.member("grant_id").text(),
        arn,
        member.member("grantee").text(),
        member.member("operations").texts(),
        member.member("name").text(),
        member.member("retiring").text(),
        member.member("issuing_account").text(),
        member.member("created").optional(_Member.time),
        _constraints(member.member("constraints")),
    )


def _constraints(member: _Member) -> Mapping[str, Any]:
    def depth(value: object, level: int = 0) -> int:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return max((depth(part, level + 1) for part in parts), default=level)

    if depth(member.object()) > _DEEPEST:
        raise member.wrong("the constraints of a grant")
    return member.object()
