"""THE table of acts on keys, in the order in which menus show them."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.ui.acts import copying, deletion, naming, rotation, scratch, state, tags
from kms_tui.ui.acts.base import Act

_ACTS = (
    Act("copy", "c", "Copy…", "Copy the key's id, ARN or alias", copying.copy, mutating=False, show=True),
    Act(
        "scratchpad",
        "s",
        "Scratchpad",
        "Encrypt, decrypt, sign … with this key",
        scratch.use_on_scratchpad,
        mutating=False,
        show=True,
        refusal=scratch.cannot_use,
    ),
    Act("raw-json", "y", "Raw JSON", "Show what DescribeKey answers", copying.raw_json, mutating=False),
    Act(
        "create-alias",
        "a",
        "New alias",
        "Give the key another name (CreateAlias)",
        naming.create_alias,
        refusal=naming.cannot_name,
    ),
    Act(
        "repoint-alias",
        "A",
        "Repoint alias",
        "Make one of its aliases point at another key (UpdateAlias)",
        naming.repoint_alias,
        refusal=naming.cannot_unname,
    ),
    Act(
        "delete-alias",
        "minus",
        "Delete alias",
        "Take one of its names away (DeleteAlias)",
        naming.delete_alias,
        refusal=naming.cannot_unname,
    ),
    Act(
        "edit-description",
        "i",
        "Description",
        "Edit the description (UpdateKeyDescription)",
        naming.edit_description,
        refusal=naming.cannot_name,
    ),
    Act(
        "edit-tags",
        "t",
        "Tags",
        "Edit the tags (TagResource, UntagResource)",
        tags.edit_tags,
        many=True,
        refusal=naming.cannot_name,
    ),
    Act(
        "enable-rotation",
        "o",
        "Rotation…",
        "Turn automatic rotation on, or change its period (EnableKeyRotation)",
        rotation.enable_rotation,
        many=True,
        refusal=rotation.cannot_rotate_automatically,
    ),
    Act(
        "disable-rotation",
        "O",
        "Rotation off",
        "Turn automatic rotation off (DisableKeyRotation)",
        rotation.disable_rotation,
        many=True,
        refusal=rotation.cannot_rotate_automatically,
    ),
    Act(
        "rotate-now",
        "R",
        "Rotate now",
        "Make new key material (RotateKeyOnDemand)",
        rotation.rotate_now,
        refusal=rotation.cannot_rotate_now,
    ),
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
)

ACTS: Mapping[str, Act] = {act.id: act for act in _ACTS}
