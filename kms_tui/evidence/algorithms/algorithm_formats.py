"""The inventory of algorithms as a text: a table for people, Markdown for a page, JSON and CSV for programs.

Names are untrusted; no text has a control or invisible character but the ends of its lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kms_tui.evidence.algorithms.algorithm_inventory import AlgorithmGroup, AlgorithmInventory
from kms_tui.evidence.algorithms.algorithm_key import AlgorithmKey
from kms_tui.evidence.algorithms.siblings import RULE, BreakableSigner
from kms_tui.export import ExportFormat, Table, aligned, render
from kms_tui.inventory.cells import STATE_WORDS, USAGE_WORDS
from kms_tui.kms.algorithm_strength import Strength
from kms_tui.kms.arn import places_in_words
from kms_tui.kms.keyspecs import spec_title
from kms_tui.visible import visible

_GROUPS = ("algorithm", "use", "bits", "quantum", "keys", "AWS-managed", "not enabled", "names")
_SIGNING = ("key", "account", "region", "algorithm", "state", "ML-DSA key beside it", "by")
_CALLERS = ("caller", "key exchange", "calls a day")
_KEYS = (
    "name",
    "arn",
    "account",
    "region",
    "algorithm",
    "spec",
    "use",
    "bits",
    "quantum_category",
    "state",
    "manager",
)
_NAMED = 3
_BROKEN = "none: broken"
NOT_KNOWN = "not known"


def title(inventory: AlgorithmInventory) -> str:
    places = places_in_words(inventory.places)
    return f"Algorithms of the KMS keys of {places}, {inventory.time:%Y-%m-%d %H:%M} UTC"


def summary(inventory: AlgorithmInventory) -> str:
    """ "54 keys; a quantum computer breaks 8; of 6 such signing keys 1 has an ML-DSA key beside it." """
    keys = "1 key" if inventory.keys == 1 else f"{inventory.keys:,} keys"
    paired = sum(each.sibling is not None for each in inventory.signing)
    text = f"{keys}; a quantum computer breaks {inventory.broken:,}"
    if inventory.signing:
        have = "has an ML-DSA key beside it" if paired == 1 else "have an ML-DSA key beside them"
        text += f"; of {len(inventory.signing):,} such signing keys {paired:,} {have}"
    return f"{text}."


def quantum_words(strength: Strength | None) -> str:
    """ "category 5", "none: broken", "not known"."""
    if strength is None:
        return NOT_KNOWN
    return _BROKEN if strength.is_broken_by_quantum_computers else f"category {strength.quantum_category}"


def _group(group: AlgorithmGroup) -> tuple[str, ...]:
    strength = group.strength
    names = [key.name for key in group.keys if not key.aws_managed]
    more = len(names) - _NAMED
    return (
        group.title,
        USAGE_WORDS.get(group.usage, group.usage.lower()),
        NOT_KNOWN if strength is None else str(strength.bits),
        quantum_words(strength),
        f"{len(group.keys):,}",
        f"{group.aws_managed:,}",
        f"{len(group.keys) - group.states.get('Enabled', 0):,}",
        ", ".join(names[:_NAMED]) + (f" +{more:,}" if more > 0 else ""),
    )


def _signing(each: BreakableSigner) -> tuple[str, ...]:
    key = each.key
    beside = each.sibling.name if each.sibling else NOT_KNOWN if each.unknown else "none"
    return (
        key.name,
        *key.place,
        spec_title(key.spec),
        STATE_WORDS.get(key.state, key.state.lower()),
        beside,
        each.paired_by.value if each.paired_by else each.unknown,
    )


def _tables(inventory: AlgorithmInventory) -> Iterator[Table]:
    yield Table("By algorithm and use", _GROUPS, [_group(group) for group in inventory.groups])
    yield Table("Signing keys that a quantum computer breaks", _SIGNING, [*map(_signing, inventory.signing)])
    if inventory.callers is not None:
        rows = [(each.subject, each.detail, f"{each.per_day:,.1f}") for each in inventory.callers.callers]
        yield Table("Callers with a classical key exchange", _CALLERS, rows)


def _remarks(inventory: AlgorithmInventory) -> Iterator[str]:
    yield (
        "Bits are against today's computers; quantum is NIST's security category, 1 to 5. A quantum computer "
        "forges signatures of broken algorithms, and reads what was recorded under them; AES-256 stays."
    )
    if inventory.signing:
        yield RULE
    callers = inventory.callers
    if callers is None:
        yield "Callers were not asked about: --callers reads the key exchange of their TLS from CloudTrail."
    else:
        if callers.whole and not callers.callers and not callers.untold:
            yield "No caller is recorded with a classical key exchange."
        if callers.untold:
            calls = "1 call" if callers.untold == 1 else f"{callers.untold:,} calls"
            yield f"Of {calls} the record does not tell the key exchange: not known."
        yield from callers.remarks
    yield from inventory.gaps()


def _text(inventory: AlgorithmInventory) -> str:
    parts = [f"{title(inventory)}\n"]
    for table in _tables(inventory):
        if table.rows:
            parts.append(f"{table.title}:\n{aligned([*_headed(table, inventory)])}")
    parts.append("".join(f"{visible(remark)}\n" for remark in _remarks(inventory)))
    return "\n".join([*parts, f"{summary(inventory)}\n"])


def _headed(table: Table, inventory: AlgorithmInventory) -> Iterator[Sequence[str]]:
    """Head and rows, without the columns account and region where there is one of each."""
    several = {
        "account": len({place.account for place in inventory.places}) > 1,
        "region": len({place.region for place in inventory.places}) > 1,
    }
    shown = [at for at, name in enumerate(table.columns) if several.get(name, True)]
    yield [table.columns[at].upper() for at in shown]
    for row in table.rows:
        yield [row[at] for at in shown]


def _markdown(inventory: AlgorithmInventory) -> str:
    parts = [f"# {visible(title(inventory))}\n", f"{summary(inventory)}\n"]
    remarks = Table("Remarks", ("remark",), [(remark,) for remark in _remarks(inventory)])
    parts += [
        "#" + render(each, ExportFormat.MARKDOWN) for each in (*_tables(inventory), remarks) if each.rows
    ]
    return "\n".join(parts)


def _csv(inventory: AlgorithmInventory) -> str:
    """A row for each key; a key that could not be described has its ARN alone."""
    rows = [_key_row(key) for group in inventory.groups for key in group.keys]
    rows += [("", arn, *("",) * (len(_KEYS) - 2)) for arn in inventory.undescribed]
    return render(Table(title(inventory), _KEYS, rows), ExportFormat.CSV)


def _key_row(key: AlgorithmKey) -> tuple[str, ...]:
    strength = key.strength
    bits, category = ("", "") if strength is None else map(str, strength)
    manager = "AWS" if key.aws_managed else "CUSTOMER"
    named = key.name, key.arn, *key.place
    return (*named, spec_title(key.spec), key.spec, key.usage, bits, category, key.state, manager)


def _json(inventory: AlgorithmInventory) -> str:
    callers = inventory.callers
    shape: dict[str, Any] = {
        "time": inventory.time.isoformat(),
        "regions": [place._asdict() for place in inventory.places],
        "keys": inventory.keys,
        "broken": inventory.broken,
        "groups": [
            {
                "algorithm": group.title,
                "spec": group.spec,
                "family": group.family.value if group.family else None,
                "usage": group.usage,
                **_strength(group.strength),
                "states": dict(group.states),
                "aws_managed": group.aws_managed,
                "keys": [_key(key) for key in group.keys],
            }
            for group in inventory.groups
        ],
        "signing": [
            {
                **_key(each.key),
                "sibling": each.sibling.arn if each.sibling else None,
                "paired_by": each.paired_by.value if each.paired_by else None,
                "not_known": each.unknown or None,
            }
            for each in inventory.signing
        ],
        "callers": None
        if callers is None
        else {
            "classical": [each.as_dict() for each in callers.callers],
            "untold": callers.untold,
            "whole": callers.whole,
            "remarks": list(callers.remarks),
        },
        "undescribed": list(inventory.undescribed),
        "unlisted": list(inventory.unlisted),
    }
    # Escaped to ASCII: safe in a terminal, and any JSON reader restores the text.
    return json.dumps(shape, indent=2) + "\n"


def _strength(strength: Strength | None) -> Mapping[str, int | None]:
    if strength is None:
        return {"bits": None, "quantum_category": None}
    return {"bits": strength.bits, "quantum_category": strength.quantum_category}


def _key(key: AlgorithmKey) -> Mapping[str, str]:
    return {"name": key.name, "arn": key.arn, "state": key.state, **key.place._asdict()}


WRITERS: Mapping[str, Callable[[AlgorithmInventory], str]] = {
    "table": _text,
    "md": _markdown,
    "json": _json,
    "csv": _csv,
}
"""Format -> the whole inventory as text, with a final line end."""
