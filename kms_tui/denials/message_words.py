"""An error message in plain words: the cause in one sentence, and who can do what about it."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.denials.message import ErrorMessage
from kms_tui.denials.message_kinds import KINDS, MessageKind
from kms_tui.kms.arn import Arn, key_id_of
from kms_tui.policy.layers import Layer

_IMPLICIT: Mapping[Layer, str] = {
    Layer.IDENTITY: "Whoever manages the caller's IAM policies can allow it; a key policy statement or "
    "a grant "
    "that names the caller helps as well.",
    Layer.KEY_POLICY: "Whoever may kms:PutKeyPolicy on the key can allow the caller, or "
    "kms:CreateGrant for it; "
    "the caller's own IAM policies do not help.",
    Layer.GRANT: "Whoever may kms:CreateGrant on the key can give the caller a grant.",
    Layer.BOUNDARY: "Whoever may iam:PutRolePermissionsBoundary or iam:PutUserPermissionsBoundary can "
    "widen the "
    "boundary; more policies for the caller do not help.",
    Layer.SESSION: "Whoever begins the session (sts:AssumeRole, sts:GetFederationToken) can pass a "
    "wider policy.",
    Layer.ENDPOINT: "Whoever may ec2:ModifyVpcEndpoint can widen the policy of the VPC endpoint.",
    Layer.SCP: "The administrators of the organization can allow it: each level from the root to the "
    "caller's "
    "account has to.",
    Layer.RCP: "The administrators of the organization of the key's account can allow it.",
}
"""Layer -> who can end an implicit deny, and how."""
_EXPLICIT: Mapping[Layer, str] = {
    **_IMPLICIT,
    Layer.IDENTITY: "Whoever manages the caller's IAM policies can take the Deny away, or make an "
    "exception to it; "
    "no Allow helps against a Deny.",
    Layer.KEY_POLICY: "Whoever may kms:PutKeyPolicy on the key can make an exception to the Deny; no "
    "Allow helps "
    "against a Deny.",
    Layer.SCP: "The administrators of the organization can make an exception to the Deny; nothing in "
    "the account "
    "helps.",
    Layer.RCP: "The administrators of the organization of the key's account can make an exception to "
    "the Deny; "
    "nothing in the account helps.",
}


def cause_of(message: ErrorMessage) -> str:
    """What happened and why, as far as the message says, in one sentence."""
    if message.kind is MessageKind.NOTHING:
        return "This is no error message of AWS that is known here."
    if message.kind not in (MessageKind.DENIED, MessageKind.OTHER_SERVICE):
        return KINDS[message.kind].sentence
    who = short_principal(message.principal) if message.principal else "The caller"
    what = message.action or "this"
    where = f" on {short_resource(message.resource)}" if message.resource else ""
    sentence = f"{who} may not {what}{where}{_reason(message)}."
    if message.kind is MessageKind.OTHER_SERVICE:
        service = (message.action or "").partition(":")[0]
        return f"{sentence} This is a denial of {service}, not of KMS."
    return sentence


def _reason(message: ErrorMessage) -> str:
    if message.layer is None:
        return ": a policy has an explicit Deny" if message.explicit else ""
    term = message.layer.term
    if not message.explicit:
        return f": no {term} allows it"
    article = "an" if term[0] in "aeiou" else "a"
    named = f" ({message.policy_arn})" if message.policy_arn else ""
    return f": {article} {term}{named} has an explicit Deny"


def next_step_of(message: ErrorMessage) -> str:
    """Who can do what about it; "" where the message does not say enough."""
    if message.kind is MessageKind.OTHER_SERVICE:
        return "Look in the policies of that service; the KMS key is not what this is about."
    if message.kind in KINDS:
        return KINDS[message.kind].next_step
    if message.layer is None:
        return ""
    return (_EXPLICIT if message.explicit else _IMPLICIT)[message.layer]


def short_principal(text: str) -> str:
    """``assumed-role/app/i-0abc of 111122223333``; a text that is no ARN as it is."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        return text
    return f"{arn.resource} of {arn.account}" if arn.account else text


def short_resource(text: str) -> str:
    """``key 1234abcd-…`` or ``alias/app`` of an ARN of KMS; other texts as they are."""
    if ":kms:" not in text:
        return "every resource" if text == "*" else text
    key_id = key_id_of(text)
    return f"key {key_id}" if key_id != text else text.split(":", 5)[-1]
