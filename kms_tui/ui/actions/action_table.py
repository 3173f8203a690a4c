"""THE table of actions on keys, in the order of the menu; bindings, palette and menu are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from kms_tui.ui.actions import (
    alias_actions,
    create_key,
    deletion_actions,
    grant_actions,
    import_actions,
    multi_region,
    rotation_actions,
    state_actions,
    tags_and_description,
    viewing_actions,
)
from kms_tui.ui.base.subject import Reason, Subject, aws_managed
from kms_tui.ui.mode_screen import ModeScreen


@dataclass(frozen=True, slots=True)
class KeyAction:
    """One thing to do to the key under the cursor, or to all marked ones where ``many`` holds.

    ``run`` is awaited in a worker of the screen. ``refusal`` says why the action is not possible for a key,
    without a call. ``show`` puts it on the screen's last line.
    """

    id: str
    key: str
    title: str
    tooltip: str
    run: Callable[[ModeScreen, Sequence[Subject]], Awaitable[None]]
    mutating: bool = True
    many: bool = False
    show: bool = False
    refusal: Callable[[Subject], Reason] = lambda _: ""


# fmt: off
_ACTIONS = (
    KeyAction("copy", "c", "Copy…", "Copy the key's id, ARN or alias", viewing_actions.copy, mutating=False, show=True),
    KeyAction("scratchpad", "s", "Scratchpad", "Encrypt, decrypt, sign … with this key", viewing_actions.use_on_scratchpad, mutating=False, show=True, refusal=viewing_actions.cannot_use_on_scratchpad),
    KeyAction("edit-policy", "e", "Edit policy", "Edit the key policy, with the lockout guard (PutKeyPolicy)", viewing_actions.edit_policy, mutating=False, show=True, refusal=aws_managed),
    KeyAction("policy-history", "H", "Policy history", "Earlier key policies, and going back to one", viewing_actions.show_policy_history, mutating=False),
    KeyAction("simulate", "S", "Simulate", "Ask the key policy whether someone may do something", viewing_actions.simulate, mutating=False),
    KeyAction("used-by", "b", "Used by", "Scan for what names this key: S3, EBS, …", viewing_actions.used_by, mutating=False),
    KeyAction("raw-json", "y", "Raw JSON", "Show what DescribeKey answers", viewing_actions.raw_json, mutating=False),
    KeyAction("create-alias", "a", "New alias", "Give the key another name (CreateAlias)", alias_actions.create_alias, refusal=alias_actions.cannot_name),
    KeyAction("repoint-alias", "A", "Repoint alias", "Make one of its aliases point at another key (UpdateAlias)", alias_actions.repoint_alias, refusal=alias_actions.cannot_change_alias),
    KeyAction("delete-alias", "minus", "Delete alias", "Take one of its names away (DeleteAlias)", alias_actions.delete_alias, refusal=alias_actions.cannot_change_alias),
    KeyAction("edit-description", "i", "Description", "Edit the description (UpdateKeyDescription)", tags_and_description.edit_description, refusal=alias_actions.cannot_name),
    KeyAction("edit-tags", "t", "Tags", "Edit the tags (TagResource, UntagResource)", tags_and_description.edit_tags, many=True, refusal=alias_actions.cannot_name),
    KeyAction("create-grant", "f", "New grant", "Let somebody use the key without a change to its policy (CreateGrant)", grant_actions.create_grant, refusal=grant_actions.cannot_grant),
    KeyAction("revoke-grant", "F", "Revoke grant", "Revoke or retire one of its grants (RevokeGrant, RetireGrant)", grant_actions.revoke_grant, refusal=aws_managed),
    KeyAction("import-material", "I", "Import material", "Import key material (GetParametersForImport, ImportKeyMaterial)", import_actions.import_key_material, refusal=import_actions.cannot_import),
    KeyAction("delete-material", "Z", "Delete material", "Delete imported key material (DeleteImportedKeyMaterial)", import_actions.delete_material, refusal=import_actions.cannot_delete_material),
    KeyAction("regions", "E", "Regions…", "Its primary and replicas; replicate it, change the primary (ReplicateKey, UpdatePrimaryRegion)", multi_region.show_regions, mutating=False, refusal=multi_region.cannot_replicate),
    KeyAction("create-like", "N", "New one like this", "Create a key with this one's kind, policy, tags and rotation (CreateKey)", create_key.create_like, refusal=aws_managed),
    KeyAction("enable-rotation", "o", "Rotation…", "Turn automatic rotation on, or change its period (EnableKeyRotation)", rotation_actions.enable_rotation, many=True, refusal=rotation_actions.cannot_rotate_automatically),
    KeyAction("disable-rotation", "O", "Rotation off", "Turn automatic rotation off (DisableKeyRotation)", rotation_actions.disable_rotation, many=True, refusal=rotation_actions.cannot_rotate_automatically),
    KeyAction("rotate-now", "R", "Rotate now", "Make new key material (RotateKeyOnDemand)", rotation_actions.rotate_now, refusal=rotation_actions.cannot_rotate_now),
    KeyAction("enable", "x", "Enable", "Let the key be used again (EnableKey)", state_actions.enable, many=True, refusal=state_actions.cannot_enable),
    KeyAction("disable", "X", "Disable", "Refuse every use of the key, reversibly (DisableKey)", state_actions.disable, many=True, refusal=state_actions.cannot_disable),
    KeyAction("watch", "V", "Watch", "Count who is refused the use of a disabled key; again, to stop (LookupEvents)", state_actions.watch_refused_uses, mutating=False, refusal=state_actions.cannot_watch),
    KeyAction("schedule-deletion", "D", "Schedule deletion", "Delete the key after 7 to 30 days (ScheduleKeyDeletion)", deletion_actions.schedule, many=True, refusal=deletion_actions.cannot_schedule),
    KeyAction("cancel-deletion", "U", "Cancel deletion", "Keep a key whose deletion is scheduled (CancelKeyDeletion)", deletion_actions.cancel, many=True, refusal=deletion_actions.cannot_cancel),
)
# fmt: on

ACTIONS: Mapping[str, KeyAction] = {action.id: action for action in _ACTIONS}
