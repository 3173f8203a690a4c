"""Names of resources in code: from aliases, unique, and the same whichever way the keys are ordered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from kms_tui.as_code.key_definition import KeyDefinition
from kms_tui.kms.arn import short_alias

T = TypeVar("T", bound=Hashable)

_UNFIT = re.compile(r"[^A-Za-z0-9_]+")
_UNFIT_SIGN = re.compile(r"[^A-Za-z0-9_]")
_SHORT = 8
"""Characters of an id that tell keys or grants of one name apart."""


def unique_names(wanted: Mapping[T, Sequence[str]]) -> dict[T, str]:
    """The first wanted name of each that no other has at that point; the last one must differ for all.

    All who want one name move on to their next together, so that no name depends on an order.
    """
    level = dict.fromkeys(wanted, 0)
    while True:
        names = {each: wanted[each][at] for each, at in level.items()}
        count = Counter(names.values())
        moving = [
            each for each, name in names.items() if count[name] > 1 and level[each] + 1 < len(wanted[each])
        ]
        if not moving:
            return names
        for each in moving:
            level[each] += 1


def identifier(text: str) -> str:
    """A text as a Terraform identifier; "" where nothing of it is left."""
    name = _UNFIT.sub("_", text).strip("_")
    return f"_{name}" if name[:1].isdigit() else name


def key_names(definitions: Sequence[KeyDefinition]) -> dict[str, str]:
    """Key ARN -> name: of its first alias, else of its id; with Region and account where needed."""
    bases = _alias_bases(definitions)
    wanted: dict[str, Sequence[str]] = {}
    for definition in definitions:
        key = definition.key
        short_id = f"key_{key.key_id.removeprefix('mrk-')[:_SHORT]}"
        base = bases[key.arn, definition.aliases[0]] if definition.aliases else short_id
        whole_id = identifier(f"key_{key.key_id}")
        wanted[key.arn] = (*_with_place(base, definition), *_with_place(whole_id, definition))
    return unique_names(wanted)


def alias_names(definitions: Sequence[KeyDefinition]) -> dict[tuple[str, str], str]:
    """Key ARN and alias name -> resource name."""
    bases = _alias_bases(definitions)
    wanted: dict[tuple[str, str], Sequence[str]] = {}
    for definition in definitions:
        for alias in definition.aliases:
            base = bases[definition.key.arn, alias]
            unlike = f"{base}_{short_alias(alias).encode().hex()}"
            wanted[definition.key.arn, alias] = (
                *_with_place(base, definition),
                *_with_place(unlike, definition),
            )
    return unique_names(wanted)


def _alias_bases(definitions: Sequence[KeyDefinition]) -> dict[tuple[str, str], str]:
    """Key ARN and alias name -> an identifier; a/b and a-b of one place are spelled out."""
    count = Counter(
        (definition.place, identifier(short_alias(alias)))
        for definition in definitions
        for alias in definition.aliases
    )
    bases = {}
    for definition in definitions:
        for alias in definition.aliases:
            name = identifier(short_alias(alias))
            if not name or count[definition.place, name] > 1:
                name = identifier(_UNFIT_SIGN.sub(_spelled, short_alias(alias) if name else alias))
            bases[definition.key.arn, alias] = name
    return bases


def _spelled(match: re.Match[str]) -> str:
    return f"_{ord(match[0]):x}_"


def _with_place(base: str, definition: KeyDefinition) -> tuple[str, str, str]:
    account, region = definition.place
    return base, f"{base}_{identifier(region)}", f"{base}_{identifier(region)}_{account}"


def grant_names(definitions: Sequence[KeyDefinition], keys: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Key ARN and grant id -> resource name: of the grant's name, else of its grantee; ``keys`` are names."""
    wanted: dict[tuple[str, str], tuple[str, ...]] = {}
    for definition in definitions:
        key_name = keys[definition.key.arn]
        for grant in definition.grants:
            own = identifier(grant.name or re.split("[:/]", grant.grantee)[-1]) or "grant"
            base = f"{key_name}_{own}"
            wanted[definition.key.arn, grant.grant_id] = (
                base,
                f"{base}_{grant.grant_id[:_SHORT]}",
                f"{base}_{grant.grant_id}",
            )
    return unique_names(wanted)
