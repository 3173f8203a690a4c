"""The account's table turned into what was done, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kms_tui.demo.account import AWS_MANAGED, KEY_STORE, KEYS, REGION, DemoKey
from kms_tui.demo.policies import policy_text
from kms_tui.demo.traffic import TRAFFIC

_MINUTE = 1 / 1440


@dataclass(frozen=True, slots=True)
class Step:
    """One call ``days`` ago; ``subject`` is the index of the key it is made on, -1 for none.

    ``caller`` is one of traffic's, or "" for the administrator; ``error`` the code of the call's refusal.
    """

    days: float
    operation: str
    params: Mapping[str, Any]
    subject: int = -1
    region: str = REGION
    caller: str = ""
    error: str = ""


def steps() -> list[Step]:
    """Everything that has happened to the account, oldest first."""
    return sorted(_steps(), key=lambda step: -step.days)


def _steps() -> Iterator[Step]:
    for alias, first_use in AWS_MANAGED:
        yield Step(first_use, "DescribeKey", {"KeyId": f"alias/{alias}"})
    yield from _key_store()
    for index, key in enumerate(KEYS):
        for days, operation, params in _life(key):
            yield Step(days, operation, params, index)
        for operation, used in key.uses:
            yield Step(used, operation, {}, index, caller=key.user)
        for each in TRAFFIC.get(key.alias, ()):
            params = {"EncryptionContext": each.context} if each.context else {}
            for days in each.days():
                yield Step(days, each.operation, params, index, caller=each.caller, error=each.error)
        if key.replica is not None:
            region, days = key.replica
            yield Step(days, "ReplicateKey", {"ReplicaRegion": region, "Description": key.description}, index)
            name = {"AliasName": f"alias/{key.alias}"}
            yield Step(days - _MINUTE, "CreateAlias", name, index, region)


def _key_store() -> Iterator[Step]:
    created, name = KEY_STORE.created, KEY_STORE.name
    params = {
        "CustomKeyStoreName": name,
        "CloudHsmClusterId": KEY_STORE.cluster,
        "KeyStorePassword": "not kept anywhere",
        "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\n(the demo's)\n-----END CERTIFICATE-----\n",
    }
    yield Step(created, "CreateCustomKeyStore", params)
    yield Step(created - _MINUTE, "ConnectCustomKeyStore", {"CustomKeyStoreId": name})
    yield Step(KEY_STORE.disconnected, "DisconnectCustomKeyStore", {"CustomKeyStoreId": name})


def _life(key: DemoKey) -> Iterator[tuple[float, str, dict[str, Any]]]:
    yield key.created, "CreateKey", _creation(key)
    for number, alias in enumerate((key.alias, *key.more_aliases), 1):
        if alias:
            yield key.created - number * _MINUTE, "CreateAlias", {"AliasName": f"alias/{alias}"}
    if key.rotation:
        yield key.created - 5 * _MINUTE, "EnableKeyRotation", {"RotationPeriodInDays": key.rotation}
    for each in key.imports:
        description = {"KeyMaterialDescription": each.description}
        yield each.made, "ImportKeyMaterial", {"ValidTo": each.lasts, **description}
    for grant in key.grants:
        yield grant.made, "CreateGrant", dict(grant.terms)
    for days in key.rotated:
        yield days, "RotateKeyOnDemand", {}
    if key.disabled is not None:
        yield key.disabled, "DisableKey", {}
    if key.deletion is not None:
        yield key.deletion[0], "ScheduleKeyDeletion", {"PendingWindowInDays": key.deletion[1]}


def _creation(key: DemoKey) -> dict[str, Any]:
    tags = {"team": key.team, "environment": key.environment, **key.tags}
    create: dict[str, Any] = {
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        "Description": key.description,
        "Origin": key.origin,
        "MultiRegion": key.multi_region,
        "Tags": [{"TagKey": name, "TagValue": value} for name, value in tags.items() if value],
    }
    if key.key_store:
        create["CustomKeyStoreId"] = key.key_store
    if (policy := policy_text(key.policy)) is not None:
        create |= {"Policy": policy, "BypassPolicyLockoutSafetyCheck": True}
    return create
