"""What names a key, as a text: tables for people, Markdown for a page, JSON and CSV for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from kms_tui.evidence.key_uses import KeyUses
from kms_tui.evidence.object_uses import NOT_KMS, ObjectUses
from kms_tui.evidence.scan_shortfalls import error_words
from kms_tui.evidence.scan_task import Use
from kms_tui.evidence.scanners import NOT_LOOKED_AT
from kms_tui.evidence.scans import Scan
from kms_tui.export import ExportFormat, Table, aligned, render
from kms_tui.visible import visible

_USES = ("account", "kind", "resource", "label", "purpose", "names it as")
_GAPS = ("account", "what", "why")
_OBJECTS = ("bucket", "object", "version", "bytes")
_MOST_OBJECTS = 50
"""Of the objects in a table for people."""


def _plural(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"


# Resources


def _use_table(found: KeyUses, *, briefly: bool = True) -> Table:
    """The uses; ``briefly`` the key's own ARN is called that."""

    def reference(use: Use) -> str:
        if use.by_default:
            return f"{use.reference} (by default)"
        return "its ARN" if briefly and use.reference == found.key_arn else use.reference

    rows = [
        (
            each.account,
            each.use.kind,
            each.use.resource,
            each.use.label,
            each.use.purpose,
            reference(each.use),
        )
        for each in found.uses
    ]
    return Table("Uses", _USES, rows)


def _gap_table(found: KeyUses) -> Table:
    return Table("Not checked", _GAPS, [(each.account, each.what, each.why) for each in found.gaps])


def _head(found: KeyUses) -> str:
    count, accounts = len(found.uses), sum(isinstance(each.result, Scan) for each in found.scans)
    named = f"{_plural(count, 'use')} of" if count else "Nothing checked names"
    where = f"{_plural(found.checked, 'resource')} checked in {_plural(accounts, 'account')}"
    gone = " Its account does not have this key, or no longer." if found.is_gone else ""
    return f"{named} {found.key_arn}; {where}.{gone}"


def _as_table(found: KeyUses) -> str:
    lines = [visible(_head(found)), ""]
    for table in (_use_table(found), _gap_table(found)):
        if table.rows:
            lines += [f"{table.title}:", *_indented(table), ""]
    if found.not_offered:
        lines.append(f"Not offered in {found.region}: {', '.join(found.not_offered)}.")
    return "\n".join([*lines, "No scan looks at:", *(f"  {each}" for each in NOT_LOOKED_AT)]) + "\n"


def _as_markdown(found: KeyUses) -> str:
    tables = [_use_table(found), _gap_table(found)]
    tables.append(Table("Not offered", ("kind",), [(each,) for each in found.not_offered]))
    tables.append(Table("What no scan looks at", ("what",), [(each,) for each in NOT_LOOKED_AT]))
    texts = [render(table, ExportFormat.MARKDOWN) for table in tables if table.rows]
    return "\n".join([f"{visible(_head(found))}\n", *texts])


def _as_json(found: KeyUses) -> str:
    shape = {
        "key": found.key_arn,
        "gone": found.is_gone,
        "whole": not found.gaps,
        "checked": found.checked,
        "uses": [
            {
                "account": each.account,
                "region": found.region,
                "kind": each.use.kind,
                "resource": each.use.resource,
                "label": each.use.label,
                "purpose": each.use.purpose,
                "reference": each.use.reference,
                "by_default": each.use.by_default,
            }
            for each in found.uses
        ],
        "not_checked": [{"account": each.account, "what": each.what, "why": each.why} for each in found.gaps],
        "not_offered": list(found.not_offered),
        "not_looked_at": list(NOT_LOOKED_AT),
    }
    return json.dumps(shape, indent=2) + "\n"


def _as_csv(found: KeyUses) -> str:
    return render(_use_table(found, briefly=False), ExportFormat.CSV)


WRITERS: Mapping[str, Callable[[KeyUses], str]] = {
    "table": _as_table,
    "md": _as_markdown,
    "json": _as_json,
    "csv": _as_csv,
}
"""The name of a format -> the text of the uses of a key; CSV has the uses alone."""


# Objects


def object_gaps(found: ObjectUses) -> Iterator[str]:
    """What leaves the answer about a bucket incomplete, in words; untrusted text."""
    if found.failed:
        first = found.failed_calls[0]
        others = f" and {found.failed - 1:,} more" if found.failed > 1 else ""
        yield f"{first.resource}{others} not looked at: {error_words(first.error)}"
    if found.stopped:
        yield found.stopped


def _object_table(found: ObjectUses, most: int | None = None) -> Table:
    rows = [(found.bucket, use.name, use.version, str(use.size)) for use in found.uses[:most]]
    return Table(f"Objects under the key in {found.bucket}", _OBJECTS, rows)


def _counts(found: ObjectUses) -> Table:
    rows = [(f"{len(found.uses):,}", "under the key")]
    rows += [(f"{count:,}", key if key == NOT_KMS else f"under {key}") for key, count in found.others.items()]
    rows += [(f"{count:,}", f"{status} in the inventory") for status, count in found.set_aside.items()]
    if found.gone:
        rows.append((f"{found.gone:,}", "deleted meanwhile"))
    if found.failed:
        rows.append((f"{found.failed:,}", "not looked at"))
    return Table("Objects", ("objects", "are"), rows)


def _objects_as_table(found: ObjectUses) -> str:
    place = f"{found.bucket}/{found.prefix}" if found.prefix else found.bucket
    head = f"{_plural(len(found.uses), 'object')} of {place} under the key, {_plural(found.size, 'byte')}."
    lines = [visible(head), "", *_indented(_counts(found)), ""]
    if found.uses:
        lines += ["Under the key:", *_indented(_object_table(found, _MOST_OBJECTS)), ""]
    if len(found.uses) > _MOST_OBJECTS:
        lines.append(f"{len(found.uses) - _MOST_OBJECTS:,} further objects: --format csv has all.")
    return (
        "\n".join([*lines, *(visible(f"Not whole: {each}") for each in object_gaps(found))]).rstrip() + "\n"
    )


def _objects_as_markdown(found: ObjectUses) -> str:
    gaps = Table("Not whole", ("why",), [(each,) for each in object_gaps(found)])
    tables = (_counts(found), _object_table(found), gaps)
    return "\n".join(render(table, ExportFormat.MARKDOWN) for table in tables if table.rows)


def _objects_as_json(found: ObjectUses) -> str:
    shape = {
        "bucket": found.bucket,
        "prefix": found.prefix,
        "whole": found.is_whole,
        "listed": found.listed,
        "bytes": found.size,
        "objects": [{"name": use.name, "version": use.version, "bytes": use.size} for use in found.uses],
        "others": dict(found.others),
        "set_aside": dict(found.set_aside),
        "gone": found.gone,
        "not_checked": list(object_gaps(found)),
    }
    return json.dumps(shape, indent=2) + "\n"


def _objects_as_csv(found: ObjectUses) -> str:
    return render(_object_table(found), ExportFormat.CSV)


OBJECT_WRITERS: Mapping[str, Callable[[ObjectUses], str]] = {
    "table": _objects_as_table,
    "md": _objects_as_markdown,
    "json": _objects_as_json,
    "csv": _objects_as_csv,
}
"""The same of the objects of a bucket."""


def _indented(table: Table) -> Sequence[str]:
    rows = [table.columns, *table.rows]
    return [f"  {line}".rstrip() for line in aligned(rows).split("\n")[:-1]]
