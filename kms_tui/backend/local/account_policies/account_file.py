"""Reads files of account policies: what AWS prints, or the same written by hand.

``aws iam get-account-authorization-details`` prints UserDetailList, GroupDetailList, RoleDetailList and
Policies; ``aws ec2 describe-vpc-endpoints`` prints VpcEndpoints; ``aws organizations describe-organization``
prints Organization. Targets, of our own, says what is attached where:

    {"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": "999988887777"},
     "Targets": [{"Id": "r-ab12", "ServiceControlPolicies": [{"Name": "OnlyHere", "Content": {…}}]},
                 {"Id": "ou-ab12-workload", "ParentId": "r-ab12"},
                 {"Id": "111122223333", "ParentId": "ou-ab12-workload", "ResourceControlPolicies": []}]}

A target whose policies of one kind only deny has AWS's own as well that allows everything besides, which
Organizations attaches to every root, unit and account. A kind that no target has is not enabled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kms_tui.backend.local.account_policies.account_items import FaultError, alike, row_of
from kms_tui.backend.local.account_policies.account_references import reference_faults, with_enabled_kinds
from kms_tui.backend.local.account_policies.account_rows import (
    IDENTITIES,
    MEMBERS,
    AccountRow,
    Content,
    RowKind,
)
from kms_tui.kms.errors import KmsTuiError

_IGNORED = frozenset({"ResponseMetadata"})
_MORE = ("IsTruncated", "Marker", "NextToken")
"""What AWS answers where a page is not the last."""


class AccountFileError(KmsTuiError):
    """Why files hold no account policies, or not sound ones."""


class NamedFile(NamedTuple):
    """A file's name, and its content as JSON."""

    name: str
    content: Mapping[str, Any]


def read_account(files: Sequence[NamedFile]) -> tuple[AccountRow, ...]:
    """The rows of all files together. Raises AccountFileError with the place of what is wrong."""
    rows, faults = rows_and_faults(files)
    if faults:
        more = len(faults) - 1
        also = f" {more} more thing{'s are' if more > 1 else ' is'} wrong." if more else ""
        raise AccountFileError(f"{faults[0]}.{also}", next_step="Nothing was changed.")
    return rows


def rows_and_faults(files: Sequence[NamedFile]) -> tuple[tuple[AccountRow, ...], list[str]]:
    """The sound rows of all files, and a sentence (without its full stop) for each thing that is wrong."""
    rows: dict[tuple[RowKind, str, str], tuple[str, AccountRow]] = {}
    faults: list[str] = []
    for file in files:
        faults += _faults_of_members(file)
        for kind, member in MEMBERS.items():
            for place, item in _items(file, kind, member, faults):
                try:
                    row = row_of(kind, item)
                    if row[:3] in rows:
                        raise FaultError(f"there is such {_article(kind)} already")
                except FaultError as error:
                    faults.append(f"{file.name}: {place}: {error}")
                except RecursionError:
                    faults.append(f"{file.name}: {place} is nested too deeply")
                else:
                    rows[row[:3]] = f"{file.name}: {place}", row
    faults += reference_faults(rows)
    return tuple(with_enabled_kinds(row for _, row in rows.values())), faults


def _article(kind: RowKind) -> str:
    return f"{'an' if kind[0] in 'aeiou' and kind is not RowKind.USER else 'a'} {kind}"


def _faults_of_members(file: NamedFile) -> Iterator[str]:
    for member in file.content:
        if member in _MORE:
            if file.content[member]:
                yield f"{file.name} is one page of several: {member} says that there are more"
        elif member not in MEMBERS.values() and member not in _IGNORED:
            meant = alike(member, MEMBERS.values())
            yield f"{file.name} has a member {member[:80]!r} that is not known{meant}"
    if not any(member in file.content for member in MEMBERS.values()):
        yield f"{file.name} has none of the members {', '.join(MEMBERS.values())}"


def _items(file: NamedFile, kind: RowKind, member: str, faults: list[str]) -> Iterator[tuple[str, Content]]:
    """The items of one member, each with its place."""
    found = file.content.get(member)
    if found is None:
        return
    many = kind is not RowKind.ORGANIZATION
    if many and not isinstance(found, list):
        faults.append(f"{file.name}: {member} is no list")
        return
    for number, item in enumerate(found if many else [found]):
        place = f"{member}[{number}]" if many else member
        if not isinstance(item, dict):
            faults.append(f"{file.name}: {place} is no object")
            continue
        name = next((item[each] for each in _NAMED_BY[kind] if isinstance(item.get(each), str)), "")
        yield f"{place} ({name[:80]})" if name else place, item


_NAMED_BY: Mapping[RowKind, tuple[str, ...]] = {
    **{kind: (names.name, "Arn") for kind, names in IDENTITIES.items()},
    RowKind.POLICY: ("PolicyName", "Arn"),
    RowKind.ORGANIZATION: (),
    RowKind.TARGET: ("Id",),
    RowKind.ENDPOINT: ("VpcEndpointId",),
}
