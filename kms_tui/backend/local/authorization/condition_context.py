"""The condition keys of a call and their values, by which policies judge it.

Source: the developer guide (conditions-kms, conditions-aws). A key that is not here is absent from every
request, unless the caller brings it (``Call.context``): a tag, MFA, a service, a VPC endpoint. All requests
are taken for those of TLS, as all that KMS answers are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kms_tui.backend.local.engine import ciphertext_blob
from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_alias
from kms_tui.backend.local.store.sources import DAY
from kms_tui.kms.arn import ALIAS_PREFIX, Arn, key_id_of
from kms_tui.kms.keyspecs import RAW, SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyOrigin, KeyUsage
from kms_tui.kms.operations import Access, Trait, has, names_with
from kms_tui.policy import AccessRequest, Caller
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.grant_statements import EQUALS, SOURCE_ARN, SUBSET
from kms_tui.policy.layer_matches import SOURCE_VPCE
from kms_tui.policy.principals import PrincipalKind

Context = dict[str, ContextValue]

_ENCRYPTING = tuple(
    name for name in names_with(Trait.ENCRYPTION_CONTEXT, Access.USE) if not has(name, Trait.NO_OPERATION)
)
_PAIRS = names_with(Trait.MAKES_KEY, Access.USE)
_CONTEXT_MEMBERS: Mapping[str, str] = {
    **dict.fromkeys(_ENCRYPTING, "EncryptionContext"),
    "ReEncryptFrom": "SourceEncryptionContext",
    "ReEncryptTo": "DestinationEncryptionContext",
}
"""Action -> the request's member that is its encryption context."""

_ALIAS_MEMBERS: Mapping[str, str] = {"ReEncryptFrom": "SourceKeyId", "ReEncryptTo": "DestinationKeyId"}
"""Action -> the member that may name its key by an alias, where that is not KeyId."""

_OF_GRANTS = ("CreateGrant", "RetireGrant")
_BYPASS = ("kms:bypasspolicylockoutsafetycheck", "BypassPolicyLockoutSafetyCheck", None)
_IS_FOR_AWS = ("kms:grantisforawsresource", "", "false")

_MEMBERS: Mapping[str, tuple[tuple[str, str, str | None], ...]] = {
    **dict.fromkeys(_ENCRYPTING, (("kms:encryptionalgorithm", "EncryptionAlgorithm", SYMMETRIC_DEFAULT),)),
    **dict.fromkeys(
        _PAIRS,
        (("kms:encryptionalgorithm", "", SYMMETRIC_DEFAULT), ("kms:datakeypairspec", "KeyPairSpec", None)),
    ),
    "ReEncryptFrom": (("kms:encryptionalgorithm", "SourceEncryptionAlgorithm", SYMMETRIC_DEFAULT),),
    "ReEncryptTo": (("kms:encryptionalgorithm", "DestinationEncryptionAlgorithm", SYMMETRIC_DEFAULT),),
    **dict.fromkeys(
        ("Sign", "Verify"),
        (("kms:signingalgorithm", "SigningAlgorithm", None), ("kms:messagetype", "MessageType", RAW)),
    ),
    **dict.fromkeys(("GenerateMac", "VerifyMac"), (("kms:macalgorithm", "MacAlgorithm", None),)),
    "DeriveSharedSecret": (("kms:keyagreementalgorithm", "KeyAgreementAlgorithm", None),),
    "CreateKey": (_BYPASS,),
    "PutKeyPolicy": (_BYPASS,),
    "ReplicateKey": (_BYPASS, ("kms:replicaregion", "ReplicaRegion", None)),
    "UpdatePrimaryRegion": (("kms:primaryregion", "PrimaryRegion", None),),
    "EnableKeyRotation": (("kms:rotationperiodindays", "RotationPeriodInDays", "365"),),
    "ScheduleKeyDeletion": (("kms:schedulekeydeletionpendingwindowindays", "PendingWindowInDays", "30"),),
    "GetParametersForImport": (
        ("kms:wrappingalgorithm", "WrappingAlgorithm", None),
        ("kms:wrappingkeyspec", "WrappingKeySpec", None),
    ),
    "ImportKeyMaterial": (("kms:expirationmodel", "ExpirationModel", None), ("kms:validto", "ValidTo", None)),
    "CreateGrant": (
        _IS_FOR_AWS,
        ("kms:granteeprincipal", "GranteePrincipal", None),
        ("kms:granteeserviceprincipal", "GranteeServicePrincipal", None),
        ("kms:retiringprincipal", "RetiringPrincipal", None),
        ("kms:retiringserviceprincipal", "RetiringServicePrincipal", None),
    ),
    "ListGrants": (_IS_FOR_AWS,),
    "RevokeGrant": (_IS_FOR_AWS,),
}
"""Action -> (condition key, the member it takes its value from or "", the value where that is not given)."""


def policy_request(call: Call, key: KeyRow | None, action: str, resource: str = "*") -> AccessRequest:
    """The call as policies judge it; ``resource`` is what it is about where that is no key."""
    context = _of_caller(call)
    operation = action.removeprefix("kms:")
    for name, member, default in _MEMBERS.get(operation, ()):
        value = call.params.get(member)
        context[name] = default if value is None else _text(value)
    caller = Caller.parse(call.caller.arn)
    if caller.kind is PrincipalKind.SERVICE:
        context["aws:sourceip"] = None
        context.setdefault("aws:principalservicenameslist", [caller.name])
    by_service = caller.kind is PrincipalKind.SERVICE or context.get("kms:viaservice")
    if by_service and "kms:grantisforawsresource" in context:
        context["kms:grantisforawsresource"] = "true"
    context |= call.organization_of(key.account if key else call.scope.account)
    context |= _of_key(call, key) if key else {}
    for add in _BY_ACTION.get(operation, ()):
        context |= add(call, key)
    if call.attestation is not None and has(operation, Trait.ATTESTED):
        context |= call.attestation.conditions()
    if pairs := encryption_context(call, action):
        context |= {f"kms:encryptioncontext:{name}": value for name, value in pairs.items()}
        context["kms:encryptioncontextkeys"] = list(pairs)
    scope = call.scope
    if key is not None:
        arn = call.arn(key)
    else:
        arn = f"arn:{scope.partition}:kms:{scope.region}:{scope.account}:*" if resource == "*" else resource
    return AccessRequest(caller, action, arn, context, complete=True)


def encryption_context(call: Call, action: str) -> Mapping[str, str]:
    """The encryption context that the call has for an action; of a grant the one that it constrains."""
    operation = action.removeprefix("kms:")
    if operation in _OF_GRANTS:
        constraints = _constraints(call)
        return {**constraints.get(SUBSET, {}), **constraints.get(EQUALS, {})}
    pairs: Mapping[str, str] = call.params.get(_CONTEXT_MEMBERS.get(operation, ""), {})
    return pairs


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _of_caller(call: Call) -> Context:
    """The condition keys of who calls, and from where; those that the caller brings count."""
    session = ":assumed-role/" in call.caller.arn
    role = {"aws:principalarn": Caller.parse(call.caller.arn).principal_arn} if session else {}
    found: Context = role | {
        "aws:currenttime": call.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(call.now // 1000),
        "aws:userid": call.caller.user_id or None,
        "aws:useragent": call.origin.agent or None,
        "aws:sourceip": (call.origin.address.partition("%")[0] or None) if call.origin.remote else None,
        "aws:viaawsservice": "false",
        "aws:requestedregion": call.scope.region,
        "aws:multifactorauthpresent": "false" if session else None,
    }
    given = call.context
    found |= given
    if any(found.get(key) for key in _NOT_FROM_CLIENT):
        found["aws:sourceip"] = given.get("aws:sourceip")
    if found.get(SOURCE_VPCE) and call.origin.remote:
        found.setdefault("aws:vpcsourceip", call.origin.address or None)
    if found["aws:multifactorauthpresent"] == "true":
        found.setdefault("aws:multifactorauthage", _mfa_age(call, given.get("aws:tokenissuetime")))
    return found


_NOT_FROM_CLIENT = ("kms:viaservice", SOURCE_VPCE)
"""The keys of requests that do not come from a client's address: a service's own, or none that is public."""


def _mfa_age(call: Call, issued: ContextValue) -> str | None:
    """Seconds since the session began, which is when the MFA code was given."""
    try:
        begun = datetime.fromisoformat(issued) if isinstance(issued, str) else None
    except ValueError:
        return None
    return None if begun is None else str(max(int(call.time.timestamp() - begun.timestamp()), 0))


def _of_key(call: Call, key: KeyRow) -> Context:
    aliases = [row[0] for row in call.store.rows("SELECT name FROM aliases WHERE key = ?", (key.row,))]
    context = _facts(
        spec=key.spec,
        usage=key.usage,
        origin=key.origin,
        multi_region=bool(key.multi_region),
        key_type="PRIMARY" if key.is_primary else "REPLICA",
    )
    context["kms:resourcealiases"] = aliases or None
    for name, value in call.store.rows("SELECT tag_key, tag_value FROM tags WHERE key = ?", (key.row,)):
        context[f"aws:resourcetag/{name}"] = value
    return context


def _facts(*, spec: str, usage: str, origin: str, multi_region: bool, key_type: str) -> Context:
    return {
        "kms:keyspec": spec,
        "kms:customermasterkeyspec": spec,
        "kms:keyusage": usage,
        "kms:customermasterkeyusage": usage,
        "kms:keyorigin": origin,
        "kms:multiregion": _text(multi_region),
        "kms:multiregionkeytype": key_type if multi_region else None,
    }


def _of_new_key(call: Call, _key: KeyRow | None) -> Context:
    """The key that is to be: of CreateKey by its request, of ReplicateKey like the one that is there."""
    params, primary = call.params, call.key
    if primary is not None:
        return _facts(
            spec=primary.spec,
            usage=primary.usage,
            origin=primary.origin,
            multi_region=True,
            key_type="REPLICA",
        )
    return _facts(
        spec=params.get("KeySpec") or params.get("CustomerMasterKeySpec", SYMMETRIC_DEFAULT),
        usage=params.get("KeyUsage", KeyUsage.ENCRYPT_DECRYPT),
        origin=params.get("Origin", KeyOrigin.AWS_KMS),
        multi_region=params.get("MultiRegion", False),
        key_type="PRIMARY",
    )


def _requested_tags(call: Call, _key: KeyRow | None) -> Context:
    tags = {tag["TagKey"]: tag["TagValue"] for tag in call.params.get("Tags", ())}
    context: Context = {f"aws:requesttag/{name}": value for name, value in tags.items()}
    names = [*tags, *call.params.get("TagKeys", ())]
    return context | {"aws:tagkeys": names or None}


def _constraints(call: Call) -> Mapping[str, Any]:
    """GrantConstraints of the grant that is to be made, or retired."""
    constraints: Mapping[str, Any] = call.params.get("Constraints", call.constraints)
    return constraints


def _new_grant(call: Call, _key: KeyRow | None) -> Context:
    return {
        "kms:grantoperations": list(call.params.get("Operations", ())),
        "kms:grantconstraintsourcearn": _constraints(call).get(SOURCE_ARN),
    }


def _constraint_type(call: Call, _key: KeyRow | None) -> Context:
    kinds = [name for name in (EQUALS, SUBSET) if name in _constraints(call)]
    return {"kms:grantconstrainttype": kinds or None}


def _days_unused(call: Call, key: KeyRow | None) -> Context:
    """Whole days since the key was last used, or since it was made: use is recorded from its first day."""
    if key is None:
        return {}
    row = call.store.one("SELECT at FROM last_uses WHERE key = ?", (key.row,))
    since = row[0] if row else key.created_at
    return {"kms:trailingdayswithoutkeyusage": str((call.now - since) // DAY)}


def _alias_member(operation: str) -> Callable[[Call, KeyRow | None], Context]:
    member = _ALIAS_MEMBERS.get(operation, "KeyId")

    def request_alias(call: Call, _key: KeyRow | None) -> Context:
        _, name = _split(call, call.params.get(member, ""))
        return {"kms:requestalias": name if name.startswith(ALIAS_PREFIX) else None}

    return request_alias


def _same_key(call: Call, key: KeyRow | None) -> Context:
    """Whether a ReEncrypt stays with one key: the other side, as the request names it, is this key."""
    source: str | None = call.params.get("SourceKeyId")
    ciphertext = call.params.get("CiphertextBlob")
    parsed = ciphertext_blob.parse(ciphertext) if ciphertext else None
    sides = [call.params["DestinationKeyId"], source or (parsed.key_id if parsed else "")]
    same = all(key is not None and _names(call, side, key) for side in sides)
    return {"kms:reencryptonsamekey": _text(same)}


def _split(call: Call, reference: str) -> tuple[str, str]:
    """The account and the name in a reference to a key, which may not be valid."""
    try:
        arn = Arn.parse(reference)
    except ValueError:
        return call.scope.account, reference
    return arn.account, arn.resource


def _names(call: Call, reference: str, key: KeyRow) -> bool:
    account, name = _split(call, reference)
    if name.startswith(ALIAS_PREFIX):
        found = key_by_alias(call.store, account, call.scope.region, name)
        return found is not None and found.row == key.row
    return key_id_of(reference) == key.key_id


_AddContext = Callable[[Call, KeyRow | None], Context]


_BY_ACTION: Mapping[str, tuple[_AddContext, ...]] = {
    **{name: (_alias_member(name),) for name in names_with(Trait.TAKES_ALIAS) if name != "ReEncrypt"},
    "ReEncryptFrom": (_alias_member("ReEncryptFrom"), _same_key),
    "ReEncryptTo": (_alias_member("ReEncryptTo"), _same_key),
    "CreateKey": (_of_new_key, _requested_tags),
    "ReplicateKey": (_requested_tags,),
    "TagResource": (_requested_tags,),
    "UntagResource": (_requested_tags,),
    "CreateGrant": (_new_grant, _constraint_type),
    "RetireGrant": (_constraint_type,),
    "DisableKey": (_days_unused,),
    "ScheduleKeyDeletion": (_days_unused,),
}
"""Action -> what adds the condition keys that take more than one member."""
