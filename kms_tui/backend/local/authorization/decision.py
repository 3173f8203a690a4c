"""May the caller do this? ``kms_tui.policy.authorization`` decides, by the key and the caller's own layers.

The refusals have AWS's words (IAM user guide, troubleshoot_access-denied), which tell another account nothing
of a key whose policy does not let it in.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from kms_tui.backend.local.authorization.condition_context import policy_request
from kms_tui.backend.local.authorization.stored_grants import grants_for
from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow, policy_of
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import Grant, KeyManager
from kms_tui.kms.operations import ROWS, Access, Trait, has
from kms_tui.policy import Document, parse
from kms_tui.policy.authorization import Authorization, LayerEffect, authorize_request, is_allowed
from kms_tui.policy.layer_judge import LayerJudge
from kms_tui.policy.layer_matches import KEY_LAYERS
from kms_tui.policy.layers import Layer, Layers, NamedPolicy

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


def denied_by(
    call: Call, layer: Layer, action: str, resource: str, *, explicitly: bool = False
) -> ServiceError:
    """The refusal of one layer, in AWS's words; ``resource`` is an ARN, *, or "" for none."""
    where = f"on resource: {resource}" if resource else ""
    if explicitly:
        article = "an" if layer is Layer.IDENTITY else "a"
        return denied(call, where, action, f"with an explicit deny in {article} {layer.term}")
    return denied(call, where, action, f"because no {layer.term} allows the {action} action")


def denied_by_key(call: Call, key: KeyRow, action: str, *, explicitly: bool = False) -> ServiceError:
    """The refusal of a key's own policy, which tells another account nothing."""
    if key.account != call.scope.account:
        return denied_elsewhere(call, action)
    return denied_by(call, Layer.KEY_POLICY, action, call.arn(key), explicitly=explicitly)


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

    Without a key its IAM policies decide, within what limits them, about ``resource``: an alias ARN, * or "".
    """
    if key is not None:
        require_allowed(call, key, action, grants_for(call, key, action))
        return
    request = policy_request(call, None, action, resource or "*")
    layers = call.layers_for(call.scope.account)
    if not is_allowed(request, layers):
        layer, explicitly = _denying(authorize_request(request, layers))
        raise denied_by(call, layer, action, resource, explicitly=explicitly)


def require_allowed(call: Call, key: KeyRow, action: str, grants: tuple[Grant, ...]) -> None:
    """AccessDeniedException unless all layers, with the key's policy and these grants, allow it.

    A key of another account that does not let the caller in is refused as one that does not exist is,
    whatever else denies the request.
    """
    request = policy_request(call, key, action)
    layers = layers_of(call, key, policy_of(call.store, key), grants)
    if is_allowed(request, layers):
        return
    if key.account != call.scope.account and not LayerJudge(request, layers).verdict(KEY_LAYERS):
        raise denied_elsewhere(call, action)
    layer, explicitly = _denying(authorize_request(request, layers))
    if layer in (Layer.KEY_POLICY, Layer.GRANT):
        raise denied_by_key(call, key, action, explicitly=explicitly)
    raise denied_by(call, layer, action, call.arn(key), explicitly=explicitly)


def layers_of(call: Call, key: KeyRow, policy: str, grants: tuple[Grant, ...] = ()) -> Layers:
    """The caller's layers together with those of a key."""
    return replace(
        call.layers_for(key.account),
        key_policy=NamedPolicy("key policy", parsed_policy(policy)),
        grants=grants,
        aws_managed=key.manager == KeyManager.AWS,
    )


def _denying(judged: Authorization) -> tuple[Layer, bool]:
    """The layer that denies, and whether it does so explicitly."""
    step = judged.decisive
    if step is None:
        raise ValueError("the request is allowed")
    return step.layer, step.effect is LayerEffect.EXPLICIT_DENY


@lru_cache(maxsize=256)
def parsed_policy(text: str) -> Document:
    """A key policy that the store holds; one text is read once."""
    return parse(text)
