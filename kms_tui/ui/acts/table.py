"""THE table of acts on keys, in the order in which menus show them."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.ui.acts import copying, deletion, state
from kms_tui.ui.acts.base import Act

_ACTS = (
    Act(
        "enable",
        "x",
        "Enable",
        "Let the key be used again (EnableKey)",
        state.enable,
        many=True,
        refusal=state.cannot_enable,
    ),
    Act(
        "disable",
        "X",
        "Disable",
        "Refuse every use of the key, reversibly (DisableKey)",
        state.disable,
        many=True,
        refusal=state.cannot_disable,
    ),
    Act(
        "schedule-deletion",
        "D",
        "Schedule deletion",
        "Delete the key after 7 to 30 days (ScheduleKeyDeletion)",
        deletion.schedule,
        refusal=deletion.cannot_schedule,
    ),
    Act(
        "cancel-deletion",
        "U",
        "Cancel deletion",
        "Keep a key whose deletion is scheduled (CancelKeyDeletion)",
        deletion.cancel,
        many=True,
        refusal=deletion.cannot_cancel,
    ),
    Act(
        "copy",
        "c",
        "Copy…",
        "Copy the key's id, ARN or alias",
        copying.copy,
        mutating=False,
        show=True,
    ),
    Act(
        "raw-json",
        "y",
        "Raw JSON",
        "Show what DescribeKey answers",
        copying.raw_json,
        mutating=False,
    ),
)

ACTS: Mapping[str, Act] = {act.id: act for act in _ACTS}
