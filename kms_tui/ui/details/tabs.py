"""THE table of the details' tabs, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kms_tui.ui.details.access import AccessTab
from kms_tui.ui.details.activity import ActivityTab
from kms_tui.ui.details.aliases import AliasesTab
from kms_tui.ui.details.grants import GrantsTab
from kms_tui.ui.details.overview import OverviewTab
from kms_tui.ui.details.policy import PolicyTab
from kms_tui.ui.details.rotation import RotationTab
from kms_tui.ui.details.tab import DetailTab
from kms_tui.ui.details.tags import TagsTab
from kms_tui.ui.details.used_by import UsedByTab

TABS: tuple[Callable[[], DetailTab[Any]], ...] = (
    OverviewTab,
    PolicyTab,
    AccessTab,
    AliasesTab,
    RotationTab,
    GrantsTab,
    TagsTab,
    ActivityTab,
    UsedByTab,
)
