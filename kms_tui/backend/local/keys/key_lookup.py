"""The key that a request names: found, allowed to the caller, of the right usage, in a usable state.

A key is named by its key id, its ARN, an alias name or an alias ARN.
"""

from __future__ import annotations

from kms_tui.backend.local.authorization.decision import denied_elsewhere, require_account
from kms_tui.backend.local.authorization.stored_grants import require_tokens
from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.engine.key_states import require_state
from kms_tui.backend.local.engine.request_validation import can_answer
from kms_tui.backend.local.keys import aws_managed_keys
from kms_tui.backend.local.store.key_material import LoadedMaterial
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_alias, key_by_id
from kms_tui.backend.local.store.stored_material import MaterialRow, current_material
from kms_tui.kms.arn import ALIAS_PREFIX, Arn, is_key_id
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyUsage


def key_in_state(call: Call, reference: str) -> KeyRow:
    """The key, which the caller may use for this operation, in a state that allows it."""
    key = find_key(call, reference)
    require_state(call, key)
    return key


def find_key(call: Call, reference: str, action: str = "") -> KeyRow:
    """The key, which the caller may use; ``action`` where it is not the operation's own."""
    if "GrantTokens" in call.params:
        require_tokens(call)
    key = locate(call, reference, action)
    call.key = key
    require_account(call, key)
    call.authorize(call, key, f"kms:{action or call.operation}")
    return key


def locate(call: Call, reference: str, action: str = "") -> KeyRow:
    """The key, or NotFoundException; of another account the refusal that a key without leave gets."""
    if reference.startswith("arn:"):
        return _by_arn(call, reference, action)
    if reference.startswith(ALIAS_PREFIX):
        return _by_alias(call, call.scope.account, reference, action)
    if not is_key_id(reference):
        raise ServiceError("NotFoundException", f"Invalid keyId '{reference}'")
    return _by_id(call, call.scope.account, reference, action)


def _by_arn(call: Call, reference: str, action: str) -> KeyRow:
    try:
        arn = Arn.parse(reference)
    except ValueError as error:
        raise _bad_arn(call, f"Invalid arn {reference}") from error
    kind, _, name = arn.resource.partition("/")
    if arn.service != "kms" or arn.partition != call.scope.partition or kind not in ("key", "alias"):
        raise _bad_arn(call, f"Invalid arn {reference}")
    if arn.region != call.scope.region:
        raise ServiceError("NotFoundException", f"Invalid arn {arn.region}")
    if kind == "alias":
        return _by_alias(call, arn.account, arn.resource, action)
    if not is_key_id(name):
        raise ServiceError("NotFoundException", f"Invalid keyId {name}")
    return _by_id(call, arn.account, name, action)


def _bad_arn(call: Call, message: str) -> ServiceError:
    """InvalidArnException; the cryptographic operations know none, and do not find the key."""
    code = "InvalidArnException"
    return ServiceError(code if can_answer(call.operation, code) else "NotFoundException", message)


def _by_id(call: Call, account: str, key_id: str, action: str) -> KeyRow:
    key = key_by_id(call.store, account, call.scope.region, key_id)
    if key is None:
        arn = Arn(call.scope.partition, "kms", call.scope.region, account, f"key/{key_id}")
        raise _not_found(call, account, f"Key '{arn}' does not exist", action)
    return key


def _by_alias(call: Call, account: str, name: str, action: str) -> KeyRow:
    key = key_by_alias(call.store, account, call.scope.region, name)
    if key is None and account == call.scope.account and name in aws_managed_keys.ALIASES:
        key = aws_managed_keys.make_managed_key(call, name)
    if key is None:
        arn = Arn(call.scope.partition, "kms", call.scope.region, account, name)
        raise _not_found(call, account, f"Alias {arn} is not found.", action)
    return key


def _not_found(call: Call, account: str, message: str, action: str) -> ServiceError:
    """What there is not: to another account the same as what it may not use."""
    if account != call.scope.account:
        return denied_elsewhere(call, f"kms:{action or call.operation}")
    return ServiceError("NotFoundException", message)


def key_for(call: Call, reference: str, usage: KeyUsage, algorithm: str) -> KeyRow:
    """The key, allowed, of this usage, in a usable state, and able to do the algorithm.

    Checked in this order: a key of another usage is refused as such even where it is disabled.
    """
    key = key_of(call, reference, usage)
    require_algorithm(key, algorithm)
    return key


def key_of(call: Call, reference: str, usage: KeyUsage, action: str = "") -> KeyRow:
    """The key, allowed, of this usage and in a usable state; ``action`` as in ``find_key``."""
    key = find_key(call, reference, action)
    require_usage(call, key, usage)
    require_state(call, key)
    return key


def load_current_material(call: Call, key: KeyRow) -> tuple[MaterialRow, LoadedMaterial]:
    """The key's current material: its row, and itself ready for use."""
    material = current_material(call.store, key)
    if material is None:
        raise ServiceError("KMSInternalException", f"{call.arn(key)} has no key material.", status=500)
    return material, call.keyring.load(key, material)


def require_usage(call: Call, key: KeyRow, usage: KeyUsage) -> None:
    if key.usage != usage:
        raise ServiceError(
            "InvalidKeyUsageException",
            f"{call.arn(key)} key usage is {key.usage} which is not valid for {call.operation}.",
        )


def require_algorithm(key: KeyRow, algorithm: str) -> None:
    if algorithm not in KEY_SPECS[key.spec].algorithms[KeyUsage(key.usage)]:
        raise ServiceError(
            "InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key.spec}."
        )
