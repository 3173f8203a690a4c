"""May the caller do this? The key policy, the caller's IAM policies and the key's grants decide together.

Source: the developer guide (policy-evaluation, grants) and the IAM user guide (…evaluation-logic). A Deny in
any policy wins; a grant gives what no policy gives. The refusals have AWS's words, which tell another account
nothing of a key whose policy does not let it in.
"""

from __future__ import annotations

from functools import lru_cache

from kms_tui.backend.local.authorization.condition_context import policy_request
from kms_tui.backend.local.authorization.stored_grants import is_granted
from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow, policy_of
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyManager
from kms_tui.kms.operations import ROWS, Access, Trait, has
from kms_tui.policy import Caller, Document, Effect, authorize, evaluate, parse

ADMINISTRATOR_POLICY = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    identity=True,
)
"""The IAM policy of the account's administrator, AWS's own AdministratorAccess."""

_ELSEWHERE = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a "
    "resource-based policy explicitly denies access"
)
"""The refusal for another account's key, which does not tell whether the key exists."""

_FOUND_BY_CIPHERTEXT = {"kms:Decrypt": "KeyId", "kms:ReEncryptFrom": "SourceKeyId"}
"""Action -> the member without which its key comes from the ciphertext, and is not named."""


def denied(call: Call, where: str, action: str, clause: str) -> ServiceError:
    """AccessDeniedException; ``clause`` says why, ``where`` on what ("on …", or "" for nothing)."""
    member = _FOUND_BY_CIPHERTEXT.get(action)
    if member is not None and member not in call.params:
        where = "on the resource associated with this ciphertext"
    words = f"User: {call.caller.arn} is not authorized to perform: {action} {where}".rstrip()
    return ServiceError("AccessDeniedException", f"{words} {clause}")


def denied_elsewhere(call: Call, action: str) -> ServiceError:
    """The refusal of a key of which the caller may not know."""
    return denied(call, "on this resource", action, _ELSEWHERE)


def denied_by_key(call: Call, key: KeyRow, action: str, *, explicitly: bool = False) -> ServiceError:
    """The refusal of a key's own policy, which tells another account nothing."""
    if key.account != call.scope.account:
        return denied_elsewhere(call, action)
    if explicitly:
        clause = "with an explicit deny in a resource-based policy"
    else:
        clause = f"because no resource-based policy allows the {action} action"
    return denied(call, f"on resource: {call.arn(key)}", action, clause)


def denied_by_identity(call: Call, resource: str, action: str, *, explicitly: bool = False) -> ServiceError:
    """The refusal of the caller's IAM policies; ``resource`` is an ARN, *, or "" for none."""
    where = f"on resource: {resource}" if resource else ""
    if explicitly:
        return denied(call, where, action, "with an explicit deny in an identity-based policy")
    return denied(call, where, action, f"because no identity-based policy allows the {action} action")


def require_account(call: Call, key: KeyRow) -> None:
    """AccessDeniedException for another account's key, where the operation has no cross-account use."""
    if key.account != call.scope.account and not has(call.operation, Trait.CROSS_ACCOUNT):
        raise denied_by_key(call, key, f"kms:{call.operation}")


_OPEN_ON_MANAGED = (Access.READ, Access.USE, Access.GRANT)
"""What an AWS-managed key allows: looking, use, and the grants that services make."""


def allow_administrator(call: Call, key: KeyRow | None, action: str, resource: str = "*") -> None:
    """The account's administrator may do everything but change AWS-managed keys.

    In another account there is only what that account's key policy and grants give.
    """
    if key is None:
        return
    if key.manager == KeyManager.AWS and ROWS[call.operation].access not in _OPEN_ON_MANAGED:
        raise denied_by_key(call, key, action)
    if key.account != call.scope.account:
        decide(call, key, action, resource)


def is_administrator(call: Call, key: KeyRow) -> bool:
    """Whether neither policies nor grants are asked: an administrator in the key's own account."""
    return call.authorize is allow_administrator and key.account == call.scope.account


def decide(call: Call, key: KeyRow | None, action: str, resource: str = "*") -> None:
    """AccessDeniedException unless policies or grants let the named caller do it.

    Without a key its IAM policies alone decide, about ``resource``: an alias ARN, * or "".
    """
    if key is None:
        _decide_by_identity(call, action, resource)
        return
    request = policy_request(call, key, action)
    judged = authorize(
        parsed_policy(policy_of(call.store, key)),
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
def parsed_policy(text: str) -> Document:
    """A key policy that the store holds; one text is read once."""
    return parse(text)
