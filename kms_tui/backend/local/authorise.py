"""May the caller do this? The key policy, the caller's IAM policies and the key's grants decide together.

Source: the developer guide (policy-evaluation, grants) and the IAM user guide (…evaluation-logic). A Deny in
any policy wins; a grant gives what no policy gives.
"""

from __future__ import annotations

from functools import lru_cache

from kms_tui.backend.local.access import denied_by_identity, denied_by_key
from kms_tui.backend.local.authorise_context import policy_request
from kms_tui.backend.local.call import Call
from kms_tui.backend.local.grants_in_force import is_granted
from kms_tui.backend.local.rows import KeyRow, policy_of
from kms_tui.kms.model import KeyManager
from kms_tui.kms.operations import NOT_MUTATING
from kms_tui.policy import Caller, Document, Effect, authorize, evaluate, parse

_OPEN_ON_MANAGED = NOT_MUTATING | {"CreateGrant", "RevokeGrant", "RetireGrant"}
"""What an AWS-managed key allows: looking, use, and the grants that services make."""


def allow_administrator(call: Call, key: KeyRow | None, action: str, resource: str = "*") -> None:
    """The account's administrator may do all there is, but change AWS-managed keys.

    In another account there is only what that account's key policy and grants give.
    """
    if key is None:
        return
    if key.manager == KeyManager.AWS and call.operation not in _OPEN_ON_MANAGED:
        raise denied_by_key(call, key, action)
    if key.account != call.scope.account:
        decide(call, key, action, resource)


def is_administrator(call: Call, key: KeyRow) -> bool:
    """Whether no policy and no grant is asked: the administrator's own account."""
    return call.authorise is allow_administrator and key.account == call.scope.account


def decide(call: Call, key: KeyRow | None, action: str, resource: str = "*") -> None:
    """What a named caller may do, of whom nothing is assumed.

    Without a key its IAM policies alone decide, about ``resource``: an alias ARN, * or "".
    """
    if key is None:
        _decide_by_identity(call, action, resource)
        return
    request = policy_request(call, key, action)
    judged = authorize(
        parsed(policy_of(call.store, key)),
        request,
        key_account=key.account,
        identity_policies=call.iam_policies,
    )
    if judged.denied_by == "key policy":
        raise denied_by_key(call, key, action, explicitly=True)
    if judged.denied_by:
        raise denied_by_identity(call, call.arn(key), action, explicitly=True)
    delegated = any(decision.is_allowed for decision in judged.identity)
    if judged.allowed or is_granted(call, key, action, request, delegated=delegated):
        return
    if judged.key_policy.is_allowed:
        raise denied_by_identity(call, call.arn(key), action)
    raise denied_by_key(call, key, action)


def _decide_by_identity(call: Call, action: str, resource: str) -> None:
    caller = Caller.parse(call.caller.arn)
    request = policy_request(call, None, action, resource or "*")
    effects = {evaluate(policy, request).effect for policy in call.iam_policies}
    if Effect.DENY in effects:
        raise denied_by_identity(call, resource, action, explicitly=True)
    # No policy of the account limits its root user.
    if Effect.ALLOW not in effects and not caller.is_root:
        raise denied_by_identity(call, resource, action)


@lru_cache(maxsize=256)
def parsed(text: str) -> Document:
    """A key policy that the store holds; one text is read once."""
    return parse(text)
