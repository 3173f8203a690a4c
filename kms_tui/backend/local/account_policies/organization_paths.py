"""Where an account stands in its organization, out of rows: the values of aws:PrincipalOrgID and the like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kms_tui.backend.local.account_policies.account_items import MASTER
from kms_tui.backend.local.account_policies.account_rows import AccountRows, RowKind


class OrganizationPlace(NamedTuple):
    """``path`` is such as "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"; "" where no target tells it."""

    organization: str
    path: str


def organization_place(rows: AccountRows, account: str) -> OrganizationPlace | None:
    """The place of an account; None where it is in no organization that the rows tell of."""
    organization = rows.find(RowKind.ORGANIZATION, "", "")
    if organization is None:
        return None
    parents = list(_parents(rows, account))
    if not parents and organization.get(MASTER) != account:
        return None
    name = str(organization["Id"])
    return OrganizationPlace(name, "/".join([name, *reversed(parents), ""]) if parents else "")


def _parents(rows: AccountRows, target: str) -> Iterator[str]:
    """The targets above one, from the nearest to the root."""
    seen = {target}
    row = rows.find(RowKind.TARGET, "", target)
    while row is not None and (parent := row.get("ParentId")) and parent not in seen:
        yield str(parent)
        seen.add(parent)
        row = rows.find(RowKind.TARGET, "", str(parent))
