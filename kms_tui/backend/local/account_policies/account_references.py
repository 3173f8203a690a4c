"""What the rows of an account say of each other: what they attach, and where a target stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kms_tui.backend.local.account_policies.account_items import MASTER, full_access
from kms_tui.backend.local.account_policies.account_rows import (
    CONTROL_POLICIES,
    MEMBERS,
    AccountRow,
    Content,
    RowKind,
)
from kms_tui.kms.arn import is_account_id

PlacedRows = Mapping[tuple[RowKind, str, str], tuple[str, AccountRow]]
"""Kind, account and name -> the row, and its place in the files."""


def reference_faults(rows: PlacedRows) -> Iterator[str]:
    for place, row in rows.values():
        for kind, account, name, what in _references(row):
            if (kind, account, name) not in rows:
                yield f"{place}: {what} {name[:120]} is not in {MEMBERS[kind]}"
    yield from _organization_faults(rows)


def _references(row: AccountRow) -> Iterator[tuple[RowKind, str, str, str]]:
    content = row.content
    for attached in content.get("AttachedManagedPolicies", ()):
        arn = attached["PolicyArn"]
        yield RowKind.POLICY, _account_of(arn), arn, "the attached policy"
    if "PermissionsBoundary" in content:
        arn = content["PermissionsBoundary"]["PermissionsBoundaryArn"]
        yield RowKind.POLICY, _account_of(arn), arn, "the permissions boundary"
    for group in content.get("GroupList", ()):
        yield RowKind.GROUP, row.account, group, "the group"
    if "ParentId" in content:
        yield RowKind.TARGET, "", content["ParentId"], "the parent"


def _account_of(arn: str) -> str:
    return arn.split(":")[4] if arn.count(":") >= 5 else ""


def _organization_faults(rows: PlacedRows) -> Iterator[str]:
    targets = {name: placed for (kind, _, name), placed in rows.items() if kind is RowKind.TARGET}
    has_organization = any(kind is RowKind.ORGANIZATION for kind, _, _ in rows)
    if not targets:
        if has_organization:
            yield "there is an Organization and no Targets, so nothing says what is attached where"
        return
    if not has_organization:
        yield f"there are Targets and no Organization: write its {MASTER}"
    roots = [name for name in targets if name.startswith("r-")]
    if len(roots) > 1:
        yield f"{targets[roots[1]][0]}: an organization has one root, and {roots[0]} is one"
    policies: dict[str, tuple[str, Content]] = {}
    for place, row in targets.values():
        parent = row.content.get("ParentId", "")
        if is_account_id(parent):
            yield f"{place}: its parent {parent} is an account, which has no children"
        if not roots or _is_circular(row.name, targets):
            yield f"{place}: its parents do not lead to a root"
        for names in CONTROL_POLICIES.values():
            for policy in row.content.get(names.member, ()):
                before = policies.setdefault(policy["Id"], (names.type, policy))
                if before != (names.type, policy):
                    yield f"{place}: {policy['Name']} differs from another policy of its name or id"


def _is_circular(name: str, targets: Mapping[str, tuple[str, AccountRow]]) -> bool:
    seen = {name}
    while (parent := targets[name][1].content.get("ParentId")) is not None and parent in targets:
        if parent in seen:
            return True
        seen.add(parent)
        name = parent
    return False


def with_enabled_kinds(rows: Iterable[AccountRow]) -> Iterator[AccountRow]:
    """The rows; where one target has policies of a kind, every other has at least AWS's own."""
    found = list(rows)
    enabled = [
        (layer, names.member)
        for layer, names in CONTROL_POLICIES.items()
        if any(names.member in row.content for row in found if row.kind is RowKind.TARGET)
    ]
    for row in found:
        if row.kind is RowKind.TARGET:
            own = {member: [full_access(layer)] for layer, member in enabled}
            row = row._replace(content={**own, **row.content})
        yield row
