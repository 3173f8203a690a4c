"""What whoever carries out a plan must be allowed to do: an IAM policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kms_tui.key_moves.move import PREFIXES, MoveStep, ServiceCall
from kms_tui.key_moves.move_plan import MovePlan

_ACTIONS = {
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
}
"""Operations whose action has another name."""
_OLD_KEY = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:Decrypt", "kms:ReEncryptFrom")
_NEW_KEY = ("kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncryptTo")


def action_of(call: ServiceCall) -> str:
    """The IAM action of a call."""
    name = f"{PREFIXES.get(call.service, call.service)}:{call.operation}"
    return _ACTIONS.get(name, name)


def permissions(plan: MovePlan) -> Mapping[str, Any]:
    """The policy; it allows no read that the scan alone needs, and lets copies create grants for services."""
    statements = [
        _allow("OldKey", _OLD_KEY, plan.old.arn),
        _allow("NewKey", _NEW_KEY, _new_resource(plan)),
        {
            **_allow("GrantsForServices", ["kms:CreateGrant"], _new_resource(plan)),
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
        *_key_statements(plan),
    ]
    by_service: dict[str, set[str]] = {}
    for call in _calls(plan):
        action = action_of(call)
        by_service.setdefault(action.partition(":")[0], set()).add(action)
    for prefix, actions in sorted(by_service.items()):
        sid = "".join(part.capitalize() for part in prefix.split("-"))
        statements.append(_allow(sid, sorted(actions), "*"))
    return {"Version": "2012-10-17", "Statement": statements}


def _new_resource(plan: MovePlan) -> str:
    """The new key; before it is made, every key of its account and Region."""
    return plan.new.arn if plan.new is not None else f"{plan.old.arn.partition(':key/')[0]}:key/*"


def _key_statements(plan: MovePlan) -> Iterator[dict[str, Any]]:
    if plan.grants:
        yield _allow("OtherGrants", ["kms:CreateGrant", "kms:ListGrants"], _new_resource(plan))
    if plan.aliases:
        named = [alias.arn for alias in plan.aliases if alias.arn]
        yield _allow("Aliases", ["kms:UpdateAlias"], [plan.old.arn, _new_resource(plan), *named])
    if plan.draft is not None:
        made = ["kms:CreateKey", "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:TagResource"]
        yield _allow("MakeTheKey", made, "*")


def _calls(plan: MovePlan) -> Iterator[ServiceCall]:
    for each in plan.moves:
        for step in each.move.steps if each.has_commands else ():
            if isinstance(step, MoveStep):
                yield step.call
                yield from step.reads


def _allow(sid: str, actions: Sequence[str], resource: str | Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
