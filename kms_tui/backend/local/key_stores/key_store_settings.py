"""The settings of a custom key store: the members of each kind, and what no two key stores may share.

Source: CreateCustomKeyStore and UpdateCustomKeyStore in the service model. There is no cluster or
proxy to reach, so what only they can refuse is accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kms_tui.kms.errors import ServiceError

CLOUD_HSM, EXTERNAL = "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"
_VPC = "VPC_ENDPOINT_SERVICE"
_SERVICE = "XksProxyVpcEndpointServiceName"

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    CLOUD_HSM: ("CloudHsmClusterId", "KeyStorePassword", "TrustAnchorCertificate"),
    EXTERNAL: (
        "XksProxyUriEndpoint",
        "XksProxyUriPath",
        "XksProxyAuthenticationCredential",
        "XksProxyConnectivity",
    ),
}
_MEMBERS: Mapping[str, frozenset[str]] = {
    CLOUD_HSM: frozenset(_REQUIRED[CLOUD_HSM]),
    EXTERNAL: frozenset({*_REQUIRED[EXTERNAL], _SERVICE, "XksProxyVpcEndpointServiceOwner"}),
}
_SECRET = "KeyStorePassword"
_CREDENTIAL = "XksProxyAuthenticationCredential"
_WHILE_CONNECTED: Mapping[str, frozenset[str]] = {
    CLOUD_HSM: frozenset(),
    EXTERNAL: frozenset({_CREDENTIAL, "XksProxyUriPath"}),
}
"""Kind -> what may change besides the name while the store is connected."""

_PROXY = {
    "XksProxyConnectivity": "Connectivity",
    "XksProxyUriEndpoint": "UriEndpoint",
    "XksProxyUriPath": "UriPath",
    _SERVICE: "VpcEndpointServiceName",
    "XksProxyVpcEndpointServiceOwner": "VpcEndpointServiceOwner",
}

Settings = Mapping[str, Any]


def settings_of(params: Settings, kind: str) -> dict[str, Any]:
    """The members of a request that describe what backs a store, of a credential its id alone."""
    given = {name: params[name] for name in params if name in _MEMBERS[kind] and name != _SECRET}
    credential = given.pop(_CREDENTIAL, None)
    if credential:
        given["AccessKeyId"] = credential["AccessKeyId"]
    return given


def require_complete(params: Settings, kind: str) -> None:
    """ValidationException where a member is missing, or is of the other kind of store."""
    _require_kind(params, kind)
    for name in _REQUIRED[kind]:
        if name not in params:
            raise _invalid(f"{name} is required for a custom key store of type {kind}.")
    _require_consistent(params)


def require_changeable(params: Settings, kind: str, *, connected: bool) -> None:
    """Refuse a change of members of the other kind, or that cannot be made while it is connected."""
    _require_kind(params, kind)
    changing = _MEMBERS[kind] & set(params)
    if connected and changing - _WHILE_CONNECTED[kind]:
        raise ServiceError("CustomKeyStoreInvalidStateException", "")


def _require_kind(params: Settings, kind: str) -> None:
    other = CLOUD_HSM if kind == EXTERNAL else EXTERNAL
    for name in sorted(_MEMBERS[other] & set(params)):
        raise _invalid(f"{name} is not valid for a custom key store of type {kind}.")


def _require_consistent(settings: Settings) -> None:
    by_service = settings.get("XksProxyConnectivity") == _VPC
    if by_service and _SERVICE not in settings:
        raise _invalid(f"{_SERVICE} is required with XksProxyConnectivity {_VPC}.")
    if not by_service and _SERVICE in settings:
        raise _invalid(f"{_SERVICE} is valid with XksProxyConnectivity {_VPC} only.")


def changed_settings(settings: Settings, params: Settings, kind: str) -> dict[str, Any]:
    """The settings after an update; leaving the VPC endpoint service takes its name away."""
    after = {**settings, **settings_of(params, kind)}
    if params.get("XksProxyConnectivity") not in (None, _VPC) and _SERVICE not in params:
        after.pop(_SERVICE, None)
        after.pop("XksProxyVpcEndpointServiceOwner", None)
    _require_consistent(after)
    return after


def require_unshared(settings: Settings, others: Iterable[Settings]) -> None:
    """Each store has its own cluster, or its own proxy address and endpoint service."""
    for other in others:
        if _shared(settings, other, "CloudHsmClusterId"):
            raise ServiceError("CloudHsmClusterInUseException", "")
        if _shared(settings, other, _SERVICE):
            raise ServiceError("XksProxyVpcEndpointServiceInUseException", "")
        if _shared(settings, other, "XksProxyUriEndpoint"):
            if settings["XksProxyUriPath"] == other["XksProxyUriPath"]:
                raise ServiceError("XksProxyUriInUseException", "")
            if _VPC in (settings["XksProxyConnectivity"], other["XksProxyConnectivity"]):
                raise ServiceError("XksProxyUriEndpointInUseException", "")


def _shared(settings: Settings, other: Settings, name: str) -> bool:
    return name in settings and settings[name] == other.get(name)


def shown_settings(settings: Settings, kind: str) -> dict[str, Any]:
    """The settings as CustomKeyStoresListEntry has them."""
    if kind == CLOUD_HSM:
        return dict(settings)
    proxy = {member: settings[name] for name, member in _PROXY.items() if name in settings}
    return {"XksProxyConfiguration": {"AccessKeyId": settings["AccessKeyId"], **proxy}}


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
