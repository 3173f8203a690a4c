"""The Regions of an inventory, each with its account, as files and reports name them."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.inventory.listing import Region
from kms_tui.inventory.live_list import Inventory
from kms_tui.kms.arn import AccountRegion


def listed_places(inventory: Inventory, home_account: str) -> Mapping[AccountRegion, Region]:
    """Each Region, in the order of accounts and Regions; its account is the one that its keys name, else
    ``home_account``, which is "" where STS did not tell it.
    """
    named = {row.place: row.account for row in inventory.rows()}
    found = {
        AccountRegion(named.get(region) or region.account.id or home_account, region.name): region
        for region in inventory.regions
    }
    return dict(sorted(found.items(), key=lambda item: item[0]))
