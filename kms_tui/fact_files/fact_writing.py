"""A fact file as JSON: in a stable order, one member a line, so that ``git diff`` reads well.

``facts.schema.json`` beside this module says what it holds. A policy is written as JSON in JSON, in its own
order; as a text, where that would not be the same policy (a member given twice, fractions).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from kms_tui.fact_files.fact_file import FORMAT, VERSION, FactFile, KeyFacts, ListedRegion
from kms_tui.formats import members_once
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, Denied, Fact, Failed, Known
from kms_tui.kms.model import Grant, Key, KeyRotationStatus, Tag

NOT_APPLICABLE_WORDS, NOT_READ_WORDS = "not applicable", "not read"


@cache
def schema_text() -> str:
    """The JSON schema of fact files."""
    return files("kms_tui.fact_files").joinpath("facts.schema.json").read_text("utf-8")


def written(facts: FactFile) -> Iterator[str]:
    """The file's text in pieces, one for each key: a large account's file is never whole in memory."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "time": time_text(facts.time),
        "caller": facts.caller or None,
        "regions": [_region(region) for region in facts.regions],
    }
    yield _json(head, 0).removesuffix("\n}") + ',\n  "keys": ['
    for number, key in enumerate(facts.keys):
        yield ("," if number else "") + "\n    " + _json(_key(key), 4)
    yield ("\n  " if facts.keys else "") + "]\n}\n"


def _json(value: object, indent: int) -> str:
    # Escaped to ASCII: safe in a terminal, and any JSON reader restores the text.
    return json.dumps(value, indent=2).replace("\n", "\n" + " " * indent)


def time_text(moment: datetime) -> str:
    """A moment in UTC as ISO 8601, whatever zone it was read in."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _region(region: ListedRegion) -> Mapping[str, Any]:
    return {
        "account": region.place.account,
        "region": region.place.region,
        "keys": _fact(region.keys, int),
        "aliases": _fact(region.aliases, int),
    }


def _key(key: KeyFacts) -> Mapping[str, Any]:
    return {
        "arn": key.arn,
        "aliases": _fact(key.aliases, list),
        "described": _fact(key.described, _described),
        "rotation": _fact(key.rotation, _rotation),
        "tags": _fact(key.tags, _tags),
        "policy": _fact(key.policy, policy_shape),
        "grants": _fact(key.grants, _grants),
    }


def _fact(fact: Fact[Any], shape: Callable[[Any], Any]) -> Any:
    if isinstance(fact, Known):
        return {"known": shape(fact.value)}
    if isinstance(fact, Denied):
        return {"denied": str(fact.error)}
    if isinstance(fact, Failed):
        return {"failed": str(fact.error)}
    assert fact is not LOADING
    return NOT_APPLICABLE_WORDS if fact is NOT_APPLICABLE else NOT_READ_WORDS


_IN_THE_ARN = ("key_id", "arn", "account_id")


def _described(key: Key) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(key):
        value = getattr(key, field.name)
        if field.name == "multi_region" and value is not None:
            value = {
                "primary": value.is_primary,
                "primary_arn": value.primary_arn,
                "replica_arns": sorted(value.replica_arns),
            }
        if field.name not in _IN_THE_ARN:
            found[field.name] = _plain(value)
    return found


def _rotation(status: KeyRotationStatus) -> Mapping[str, Any]:
    return {name: _plain(value) for name, value in status._asdict().items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    return list(value) if isinstance(value, tuple) else value


def _tags(tags: Sequence[Tag]) -> Mapping[str, str]:
    return dict(sorted(tags))


def policy_shape(text: str) -> Any:
    """A policy's text as a JSON value, or the text itself where that could mean something else."""
    try:
        shape = json.loads(text, object_pairs_hook=members_once, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return shape if isinstance(shape, dict) else text


def _refuse(number: str) -> float:
    raise ValueError(number)


def _grants(grants: Sequence[Grant]) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "grant_id": grant.grant_id,
            "name": grant.name,
            "grantee": grant.grantee,
            "operations": sorted(grant.operations),
            "constraints": _sorted(grant.constraints),
            "retiring": grant.retiring,
            "issuing_account": grant.issuing_account,
            "created": _plain(grant.created),
        }
        for grant in sorted(grants, key=lambda each: each.grant_id)
    ]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return value
