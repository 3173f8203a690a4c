"""THE table of reversals: from a call and the state before it to the calls that undo it.

Pure. An operation that is not here cannot be undone (CreateKey, RotateKeyOnDemand). ``note`` names what undo
does not restore, such as the date of a deletion or the id of a grant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kms_tui.kms.arn import AWS_ALIAS_PREFIX, key_id_of
from kms_tui.kms.model import KeyState

Shape = Mapping[str, Any]


class ApiCall(NamedTuple):
    """One call in the API's own shapes; ``region`` if it goes to another region than the change."""

    operation: str
    params: Shape
    region: str = ""

    def __repr__(self) -> str:
        return f"{self.operation}({', '.join(self.params)})"


class Reversal(NamedTuple):
    """How one operation is undone.

    ``read_call`` gives the call that reads the current state (None: it cannot be read). ``inverse`` makes the
    undo calls from the parameters and the answer before the change; none if it changed nothing.
    ``is_in_effect`` says from a later answer whether the change still holds. ``by_answer`` makes the undo
    calls from the change's own answer instead, if ``inverse`` made any. ``note`` names what undo does not
    restore. A change of a member of ``never_told`` cannot be undone: AWS does not say what it was.
    """

    read_call: Callable[[Shape], ApiCall | None]
    inverse: Callable[[Shape, Shape], tuple[ApiCall, ...]]
    is_in_effect: Callable[[Shape, Shape], bool]
    by_answer: Callable[[Shape, Shape], tuple[ApiCall, ...]] | None = None
    note: str = ""
    never_told: frozenset[str] = frozenset()


def _describe(params: Shape) -> ApiCall:
    return ApiCall("DescribeKey", {"KeyId": params["KeyId"]})


def _describe_target(params: Shape) -> ApiCall | None:
    """The key of an alias; never of a predefined one, since describing that would create its key."""
    name = params["AliasName"]
    return None if name.startswith(AWS_ALIAS_PREFIX) else ApiCall("DescribeKey", {"KeyId": name})


def _tags_of(params: Shape) -> ApiCall:
    return ApiCall("ListResourceTags", {"KeyId": params["KeyId"], "Limit": 50})


def _policy_of(params: Shape) -> ApiCall:
    return ApiCall("GetKeyPolicy", {"KeyId": params["KeyId"], "PolicyName": "default"})


def _rotation_of(params: Shape) -> ApiCall:
    return ApiCall("GetKeyRotationStatus", {"KeyId": params["KeyId"]})


def _of_key(operation: str, params: Shape, **more: Any) -> ApiCall:
    return ApiCall(operation, {"KeyId": params["KeyId"], **more})


def _state(answer: Shape) -> str:
    return str(answer["KeyMetadata"]["KeyState"])


def _target(answer: Shape) -> str:
    return str(answer["KeyMetadata"]["KeyId"])


def _tag_values(answer: Shape) -> dict[str, str]:
    return {tag["TagKey"]: tag["TagValue"] for tag in answer["Tags"]}


def _enable_if(was: str) -> Callable[[Shape, Shape], tuple[ApiCall, ...]]:
    other = "EnableKey" if was == KeyState.ENABLED else "DisableKey"
    return lambda params, before: (_of_key(other, params),) if _state(before) == was else ()


def _cancel_deletion(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    """A cancelled deletion leaves the key disabled."""
    cancel = _of_key("CancelKeyDeletion", params)
    return (cancel, _of_key("EnableKey", params)) if _state(before) == KeyState.ENABLED else (cancel,)


def _description(answer: Shape) -> str:
    return str(answer["KeyMetadata"].get("Description", ""))


def _untag(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    """Restore overwritten values and remove new tags."""
    values, keys = _tag_values(before), [tag["TagKey"] for tag in params["Tags"]]
    old = [{"TagKey": key, "TagValue": values[key]} for key in keys if key in values]
    new = [key for key in keys if key not in values]
    put = (_of_key("TagResource", params, Tags=old),) if old else ()
    take = (_of_key("UntagResource", params, TagKeys=new),) if new else ()
    return put + take


def _tag_again(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    values = _tag_values(before)
    tags = [{"TagKey": key, "TagValue": values[key]} for key in params["TagKeys"] if key in values]
    return (_of_key("TagResource", params, Tags=tags),) if tags else ()


def _rotate_as_before(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    if not before["KeyRotationEnabled"]:
        return (_of_key("DisableKeyRotation", params),)
    return (_of_key("EnableKeyRotation", params, RotationPeriodInDays=before["RotationPeriodInDays"]),)


def _same_policy(params: Shape, now: Shape) -> bool:
    try:
        return bool(json.loads(params["Policy"]) == json.loads(now["Policy"]))
    except ValueError:
        return False


_GRANTED = ("GranteePrincipal", "GranteeServicePrincipal")
_GRANT_MEMBERS = (
    *_GRANTED,
    "RetiringPrincipal",
    "RetiringServicePrincipal",
    "Operations",
    "Constraints",
    "Name",
)


def _grants_of_grantee(params: Shape) -> ApiCall | None:
    """ListGrants of one grantee; the API has no filter for services."""
    if "GranteePrincipal" not in params:
        return _of_key("ListGrants", params, Limit=100)
    return _of_key("ListGrants", params, Limit=100, GranteePrincipal=params["GranteePrincipal"])


def _grant_of(params: Shape) -> ApiCall | None:
    if "KeyId" not in params or "GrantId" not in params:
        return None
    return _of_key("ListGrants", params, GrantId=params["GrantId"])


def _alike(params: Shape, grant: Shape) -> bool:
    return all(params.get(name) == grant.get(name) for name in _GRANT_MEMBERS if name in params)


def _revoke_if_new(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    """A grant of the same name and members existed before: CreateGrant only returned it."""
    found = "Name" in params and any(_alike(params, grant) for grant in before["Grants"])
    return () if found else (_of_key("RevokeGrant", params),)


def _grant_again(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    members = [
        {name: grant[name] for name in _GRANT_MEMBERS if grant.get(name)} for grant in before["Grants"]
    ]
    return tuple(_of_key("CreateGrant", params, **each) for each in members[:1])


def _schedule_again(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    """The longest window, since the cancelled date is not stored anywhere."""
    again = _of_key("ScheduleKeyDeletion", params, PendingWindowInDays=LONGEST_WINDOW_DAYS)
    return (again,) if _state(before) in _PENDING else ()


def _primary_region(answer: Shape) -> str:
    return str(answer["KeyMetadata"]["MultiRegionConfiguration"]["PrimaryKey"]["Region"])


def _primary_as_before(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    """UpdatePrimaryRegion is called in the primary's Region, which is then the new one."""
    was, now = _primary_region(before), params["PrimaryRegion"]
    back = {"KeyId": key_id_of(params["KeyId"]), "PrimaryRegion": was}
    return (ApiCall("UpdatePrimaryRegion", back, region=now),) if was != now else ()


def _store_of(params: Shape) -> ApiCall:
    return ApiCall("DescribeCustomKeyStores", {"CustomKeyStoreId": params["CustomKeyStoreId"]})


def _connection(answer: Shape) -> str:
    return str(answer["CustomKeyStores"][0]["ConnectionState"])


def _store_reversal(operation: str, was: str, becomes: Sequence[str]) -> Reversal:
    """How the connection of a custom key store is undone; ``becomes`` are the states after the change."""

    def inverse(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
        return (ApiCall(operation, dict(params)),) if _connection(before) == was else ()

    return Reversal(_store_of, inverse, lambda params, now: _connection(now) in becomes)


SECRET_MEMBERS = frozenset({"KeyStorePassword", "XksProxyAuthenticationCredential"})
"""Members of changes that can be undone, which undo neither needs nor keeps."""

_STORE_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "NewCustomKeyStoreName": ("CustomKeyStoreName",),
    "CloudHsmClusterId": ("CloudHsmClusterId",),
    "XksProxyConnectivity": ("XksProxyConfiguration", "Connectivity"),
    "XksProxyUriEndpoint": ("XksProxyConfiguration", "UriEndpoint"),
    "XksProxyUriPath": ("XksProxyConfiguration", "UriPath"),
    "XksProxyVpcEndpointServiceName": ("XksProxyConfiguration", "VpcEndpointServiceName"),
    "XksProxyVpcEndpointServiceOwner": ("XksProxyConfiguration", "VpcEndpointServiceOwner"),
}
"""Member of UpdateCustomKeyStore -> where DescribeCustomKeyStores has it."""
_SERVICE = frozenset({"XksProxyVpcEndpointServiceName", "XksProxyVpcEndpointServiceOwner"})


def _all_stores(_: Shape) -> ApiCall:
    return ApiCall("DescribeCustomKeyStores", {"Limit": 1000})


def store_setting(store: Shape, member: str) -> str:
    """What a custom key store has for a member of UpdateCustomKeyStore; "" where it has none."""
    found: Any = store
    for name in _STORE_SETTINGS[member]:
        found = found.get(name, {})
    return str(found or "")


def _store_as_before(params: Shape, before: Shape) -> tuple[ApiCall, ...]:
    """What was changed, as it was; an endpoint service comes and goes with the connectivity."""
    store = before["CustomKeyStores"][0]
    names = params.keys() | (_SERVICE if "XksProxyConnectivity" in params else frozenset())
    was = {name: store_setting(store, name) for name in _STORE_SETTINGS if name in names}
    back = {name: value for name, value in was.items() if value and value != params.get(name)}
    if not back:
        return ()
    return (ApiCall("UpdateCustomKeyStore", {"CustomKeyStoreId": params["CustomKeyStoreId"], **back}),)


def _store_is_as_changed(params: Shape, now: Shape) -> bool:
    store = now["CustomKeyStores"][0]
    return all(store_setting(store, name) == params[name] for name in _STORE_SETTINGS if name in params)


def _delete_new_store(_: Shape, answer: Shape) -> tuple[ApiCall, ...]:
    return (ApiCall("DeleteCustomKeyStore", {"CustomKeyStoreId": answer["CustomKeyStoreId"]}),)


LONGEST_WINDOW_DAYS = 30
"""PendingWindowInDays of ScheduleKeyDeletion: 7 to 30."""
_NEW_DATE = f"The deletion gets a new date, {LONGEST_WINDOW_DAYS} days from now."
_NEW_GRANT = "It is a new grant: it gets another grant id, and the old one stays revoked."

_EMPTY_STORE = "A key store can be deleted only while it is disconnected and has no keys."

_PENDING = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)

REVERSALS: Mapping[str, Reversal] = {
    "CreateAlias": Reversal(
        lambda params: _of_key("ListAliases", {"KeyId": params["TargetKeyId"]}),
        lambda params, before: (ApiCall("DeleteAlias", {"AliasName": params["AliasName"]}),),
        lambda params, now: params["AliasName"] in {alias["AliasName"] for alias in now["Aliases"]},
    ),
    "UpdateAlias": Reversal(
        _describe_target,
        lambda params, before: (
            ApiCall("UpdateAlias", {"AliasName": params["AliasName"], "TargetKeyId": _target(before)}),
        ),
        lambda params, now: _target(now) == key_id_of(params["TargetKeyId"]),
    ),
    "DeleteAlias": Reversal(
        _describe_target,
        lambda params, before: (
            ApiCall("CreateAlias", {"AliasName": params["AliasName"], "TargetKeyId": _target(before)}),
        ),
        # An alias that can be described again was created again.
        lambda params, now: False,
    ),
    "EnableKey": Reversal(
        _describe, _enable_if(KeyState.DISABLED), lambda params, now: _state(now) == KeyState.ENABLED
    ),
    "DisableKey": Reversal(
        _describe, _enable_if(KeyState.ENABLED), lambda params, now: _state(now) == KeyState.DISABLED
    ),
    "ScheduleKeyDeletion": Reversal(_describe, _cancel_deletion, lambda params, now: _state(now) in _PENDING),
    "CancelKeyDeletion": Reversal(
        _describe, _schedule_again, lambda params, now: _state(now) not in _PENDING, note=_NEW_DATE
    ),
    "UpdatePrimaryRegion": Reversal(
        _describe, _primary_as_before, lambda params, now: _primary_region(now) == params["PrimaryRegion"]
    ),
    "ConnectCustomKeyStore": _store_reversal(
        "DisconnectCustomKeyStore", "DISCONNECTED", ("CONNECTED", "CONNECTING", "FAILED")
    ),
    "DisconnectCustomKeyStore": _store_reversal(
        "ConnectCustomKeyStore", "CONNECTED", ("DISCONNECTED", "DISCONNECTING")
    ),
    "CreateCustomKeyStore": Reversal(
        _all_stores,
        lambda params, before: (ApiCall("DeleteCustomKeyStore", {}),),
        lambda params, now: (
            params["CustomKeyStoreName"] in {each["CustomKeyStoreName"] for each in now["CustomKeyStores"]}
        ),
        by_answer=_delete_new_store,
        note=_EMPTY_STORE,
    ),
    "UpdateCustomKeyStore": Reversal(
        _store_of, _store_as_before, _store_is_as_changed, never_told=SECRET_MEMBERS
    ),
    "UpdateKeyDescription": Reversal(
        _describe,
        lambda params, before: (_of_key("UpdateKeyDescription", params, Description=_description(before)),),
        lambda params, now: _description(now) == params["Description"],
    ),
    "PutKeyPolicy": Reversal(
        _policy_of,
        lambda params, before: (
            _of_key("PutKeyPolicy", params, PolicyName="default", Policy=before["Policy"]),
        ),
        _same_policy,
    ),
    "TagResource": Reversal(
        _tags_of,
        _untag,
        lambda params, now: all(
            _tag_values(now).get(tag["TagKey"]) == tag["TagValue"] for tag in params["Tags"]
        ),
    ),
    "UntagResource": Reversal(
        _tags_of, _tag_again, lambda params, now: not set(params["TagKeys"]) & set(_tag_values(now))
    ),
    "EnableKeyRotation": Reversal(
        _rotation_of,
        _rotate_as_before,
        lambda params, now: (
            bool(now["KeyRotationEnabled"])
            and params.get("RotationPeriodInDays") in (None, now["RotationPeriodInDays"])
        ),
    ),
    "DisableKeyRotation": Reversal(
        _rotation_of,
        lambda params, before: _rotate_as_before(params, before) if before["KeyRotationEnabled"] else (),
        lambda params, now: not now["KeyRotationEnabled"],
    ),
    "CreateGrant": Reversal(
        _grants_of_grantee,
        _revoke_if_new,
        lambda params, now: any(_alike(params, grant) for grant in now["Grants"]),
        by_answer=lambda params, answer: (_of_key("RevokeGrant", params, GrantId=answer["GrantId"]),),
    ),
    **dict.fromkeys(
        ("RevokeGrant", "RetireGrant"),
        Reversal(_grant_of, _grant_again, lambda params, now: not now["Grants"], note=_NEW_GRANT),
    ),
}
