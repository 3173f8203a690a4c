"""From a row of the inventory to what acts and details are about."""

from __future__ import annotations

from kms_tui.inventory.row import Row
from kms_tui.ui.acts.base import Subject


def subject_of(row: Row) -> Subject:
    return Subject(row.key_id, row.arn, row.region, row.aliases, row.key)
