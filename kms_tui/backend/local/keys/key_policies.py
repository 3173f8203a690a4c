"""The operations on key policies; the store keeps every version."""

from __future__ import annotations

from kms_tui.backend.local.authorization.condition_context import policy_request
from kms_tui.backend.local.authorization.decision import layers_of
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.keys.key_creation import DEFAULT_POLICY_NAME, put_policy
from kms_tui.backend.local.keys.key_lookup import find_key
from kms_tui.backend.local.store.key_rows import KeyRow, policy_of
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import Document, default_policy, parse
from kms_tui.policy.authorization import is_allowed
from kms_tui.policy.document import QUOTA_BYTES

_RAM_POLICY_NAME = "AWS_RAM"


def policy_for_new_key(call: Call, key: KeyRow) -> str:
    """The policy that a request gives its new key, once checked, or else KMS's default policy."""
    text: str | None = call.params.get("Policy")
    if text is None:
        return default_policy(call.scope.account, call.scope.partition)
    require_valid_policy(call, key, text)
    return text


def require_valid_policy(call: Call, key: KeyRow, text: str) -> None:
    """LimitExceededException or MalformedPolicyDocumentException for a policy that KMS would not take."""
    if len(text.encode()) > QUOTA_BYTES:
        raise ServiceError(
            "LimitExceededException", f"The key policy is longer than the limit of {QUOTA_BYTES} bytes."
        )
    document = parse(text, partition=call.scope.partition)
    if document.problems:
        raise ServiceError("MalformedPolicyDocumentException", _first_problem(document))
    if not call.params.get("BypassPolicyLockoutSafetyCheck"):
        _require_control(call, key, document)


def _first_problem(document: Document) -> str:
    """The first problem of a policy, in the service's words where they are known."""
    problem = document.problems[0]
    if problem.rule != "principal" or problem.statement is None:
        return problem.sentence
    if {"Principal", "NotPrincipal"}.isdisjoint(document.statements[problem.statement].elements):
        return "Policy contains a statement with no principal."
    return "Policy contains a statement with one or more invalid principals."


def _require_control(call: Call, key: KeyRow, document: Document) -> None:
    """AWS's own check: not whether the account keeps control of the key, only whether the caller does."""
    request = policy_request(call, key, "kms:PutKeyPolicy")
    if not is_allowed(request, layers_of(call, key, document.text)):
        raise ServiceError(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
        )


def put_key_policy(call: Call) -> JsonShape:
    name = call.params.get("PolicyName", DEFAULT_POLICY_NAME)
    with call.write() as db:
        key = find_key(call, call.params["KeyId"])
        if name == _RAM_POLICY_NAME:
            raise ServiceError(
                "ValidationException", "The AWS_RAM policy can only be managed by the RAM service"
            )
        _require_known(name)
        require_valid_policy(call, key, call.params["Policy"])
        put_policy(call, db, key, call.params["Policy"])
    return {}


def get_key_policy(call: Call) -> JsonShape:
    name = call.params.get("PolicyName", DEFAULT_POLICY_NAME)
    key = find_key(call, call.params["KeyId"])
    _require_known(name)
    return {"Policy": policy_of(call.store, key), "PolicyName": name}


def list_key_policies(call: Call) -> JsonShape:
    # There is one name to list, so no answer ever gives a marker out; one that comes in is nobody's.
    find_key(call, call.params["KeyId"])
    return {"PolicyNames": [DEFAULT_POLICY_NAME], "Truncated": False}


def _require_known(name: str) -> None:
    if name != DEFAULT_POLICY_NAME:
        raise ServiceError("NotFoundException", "No such policy exists")


OPERATIONS = {
    "PutKeyPolicy": put_key_policy,
    "GetKeyPolicy": get_key_policy,
    "ListKeyPolicies": list_key_policies,
}
