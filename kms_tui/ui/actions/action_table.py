"""THE table of actions on keys, in the order of the menu; bindings, palette and menu are made from it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from kms_tui.ui.base.subject import Reason, Subject, in_read_only_account
from kms_tui.ui.mode_screen import ModeScreen


class Group(StrEnum):
    """What an action is about; the menu has a heading for each, in this order."""

    USE = "Use"
    ACCESS = "Access"
    NAMES = "Names"
    ROTATION = "Rotation and key material"
    LIFECYCLE = "Lifecycle"
    EVIDENCE = "Evidence"


class KeyAction(NamedTuple):
    """One thing to do to the key under the cursor, or to all marked ones where ``many`` holds.

    ``does`` and ``refuses`` are the places of two functions below ``kms_tui.ui``, "module:function": their
    modules, with dialogs and forms, are imported when an action is first asked for. ``show`` puts the action
    on the screen's last line.
    """

    id: str
    group: Group
    key: str
    title: str
    tooltip: str
    does: str
    mutating: bool = True
    many: bool = False
    show: bool = False
    refuses: str = ""

    async def run(self, screen: ModeScreen, subjects: Sequence[Subject]) -> None:
        """Do it; awaited in a worker of the screen."""
        await _function(self.does)(screen, subjects)

    def refusal(self, subject: Subject) -> Reason:
        """Why it is not possible for a key, without a call, or ""."""
        if self.mutating and (reason := in_read_only_account(subject)):
            return reason
        return Reason(_function(self.refuses)(subject)) if self.refuses else ""


def _function(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"kms_tui.ui.{module}"), name)


# fmt: off
_ACTIONS = (
    KeyAction("copy", Group.USE, "c", "Copy…", "Copy the key's id, ARN or alias", "actions.viewing_actions:copy", mutating=False, show=True),
    KeyAction("scratchpad", Group.USE, "s", "Scratchpad", "Encrypt, decrypt, sign … with this key", "actions.viewing_actions:use_on_scratchpad", mutating=False, show=True, refuses="actions.viewing_actions:cannot_use_on_scratchpad"),
    KeyAction("sign", Group.USE, "C", "Sign…", "Certificates, tokens, files and SSH with this key", "signing.signing_menu:open_menu", mutating=False, refuses="base.subject:cannot_sign"),
    KeyAction("edit-policy", Group.ACCESS, "e", "Edit policy", "Edit the key policy, with the lockout guard (PutKeyPolicy)", "actions.viewing_actions:edit_policy", mutating=False, show=True, refuses="base.subject:aws_managed"),
    KeyAction("policy-history", Group.ACCESS, "H", "Policy history", "Earlier key policies, and going back to one", "actions.viewing_actions:show_policy_history", mutating=False),
    KeyAction("simulate", Group.ACCESS, "S", "Simulate", "Ask the key policy whether someone may do something", "actions.viewing_actions:simulate", mutating=False),
    KeyAction("dry-runs", Group.ACCESS, "P", "May I…", "Try each use of the key with DryRun, which does nothing; a denial is explained", "actions.dry_run_actions:show_dry_runs", mutating=False, refuses="actions.dry_run_actions:cannot_try"),
    KeyAction("used-by", Group.EVIDENCE, "b", "Used by", "Scan for what names this key: S3, EBS, …", "actions.viewing_actions:used_by", mutating=False),
    KeyAction("raw-json", Group.EVIDENCE, "y", "Raw JSON", "Show what DescribeKey answers", "actions.viewing_actions:raw_json", mutating=False),
    KeyAction("code", Group.EVIDENCE, "T", "In code…", "Write it as Terraform, CloudFormation or CDK code that takes it over as it is", "actions.code_actions:show_code", mutating=False, many=True, refuses="actions.code_actions:cannot_write"),
    KeyAction("create-alias", Group.NAMES, "a", "New alias", "Give the key another name (CreateAlias)", "actions.alias_actions:create_alias", refuses="actions.alias_actions:cannot_name"),
    KeyAction("repoint-alias", Group.NAMES, "A", "Repoint alias", "Make one of its aliases point at another key (UpdateAlias)", "actions.alias_actions:repoint_alias", refuses="actions.alias_actions:cannot_change_alias"),
    KeyAction("delete-alias", Group.NAMES, "minus", "Delete alias", "Take one of its names away (DeleteAlias)", "actions.alias_actions:delete_alias", refuses="actions.alias_actions:cannot_change_alias"),
    KeyAction("edit-description", Group.NAMES, "i", "Description", "Edit the description (UpdateKeyDescription)", "actions.tag_actions:edit_description", refuses="actions.alias_actions:cannot_name"),
    KeyAction("edit-tags", Group.NAMES, "t", "Tags", "Edit the tags (TagResource, UntagResource)", "actions.tag_actions:edit_tags", many=True, refuses="actions.alias_actions:cannot_name"),
    KeyAction("create-grant", Group.ACCESS, "f", "New grant", "Let somebody use the key without a change to its policy (CreateGrant)", "actions.grant_actions:create_grant", refuses="actions.grant_actions:cannot_grant"),
    KeyAction("revoke-grant", Group.ACCESS, "F", "Revoke grant", "Revoke or retire one of its grants (RevokeGrant, RetireGrant)", "actions.grant_actions:revoke_grant", refuses="base.subject:aws_managed"),
    KeyAction("import-material", Group.ROTATION, "I", "Import material", "Import key material (GetParametersForImport, ImportKeyMaterial)", "actions.import_actions:import_key_material", refuses="actions.import_actions:cannot_import"),
    KeyAction("delete-material", Group.ROTATION, "Z", "Delete material", "Delete imported key material (DeleteImportedKeyMaterial)", "actions.import_actions:delete_material", refuses="actions.import_actions:cannot_delete_material"),
    KeyAction("regions", Group.LIFECYCLE, "E", "Regions…", "Its primary and replicas; replicate it, change the primary (ReplicateKey, UpdatePrimaryRegion)", "actions.region_actions:show_regions", mutating=False, refuses="actions.region_actions:cannot_replicate"),
    KeyAction("create-like", Group.LIFECYCLE, "N", "New one like this", "Create a key with this one's kind, policy, tags and rotation (CreateKey)", "actions.create_actions:create_like", refuses="base.subject:aws_managed"),
    KeyAction("move", Group.LIFECYCLE, "Q", "Move off…", "Plan how everything that names this key moves to another one, or to a new one like it", "actions.move_actions:plan_move", mutating=False, refuses="actions.move_actions:cannot_move"),
    KeyAction("enable-rotation", Group.ROTATION, "o", "Rotation…", "Turn automatic rotation on, or change its period (EnableKeyRotation)", "actions.rotation_actions:enable_rotation", many=True, refuses="actions.rotation_actions:cannot_rotate_automatically"),
    KeyAction("disable-rotation", Group.ROTATION, "O", "Rotation off", "Turn automatic rotation off (DisableKeyRotation)", "actions.rotation_actions:disable_rotation", many=True, refuses="actions.rotation_actions:cannot_rotate_automatically"),
    KeyAction("rotate-now", Group.ROTATION, "R", "Rotate now", "Make new key material (RotateKeyOnDemand)", "actions.rotation_actions:rotate_now", refuses="actions.rotation_actions:cannot_rotate_now"),
    KeyAction("enable", Group.LIFECYCLE, "x", "Enable", "Let the key be used again (EnableKey)", "actions.state_actions:enable", many=True, refuses="actions.state_actions:cannot_enable"),
    KeyAction("disable", Group.LIFECYCLE, "X", "Disable", "Refuse every use of the key, reversibly (DisableKey)", "actions.state_actions:disable", many=True, refuses="actions.state_actions:cannot_disable"),
    KeyAction("watch", Group.EVIDENCE, "V", "Watch", "Count who is refused the use of a disabled key; again, to stop (LookupEvents)", "actions.state_actions:watch_refused_uses", mutating=False, refuses="actions.state_actions:cannot_watch"),
    KeyAction("schedule-deletion", Group.LIFECYCLE, "D", "Schedule deletion", "Delete the key after 7 to 30 days (ScheduleKeyDeletion)", "actions.deletion_actions:schedule", many=True, refuses="actions.deletion_actions:cannot_schedule"),
    KeyAction("cancel-deletion", Group.LIFECYCLE, "U", "Cancel deletion", "Keep a key whose deletion is scheduled (CancelKeyDeletion)", "actions.deletion_actions:cancel", many=True, refuses="actions.deletion_actions:cannot_cancel"),
)
# fmt: on

ACTIONS: Mapping[str, KeyAction] = {action.id: action for action in _ACTIONS}
