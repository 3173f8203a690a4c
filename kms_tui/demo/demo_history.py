"""How the demo's past is lived through: one real API call after another, under a clock that travels.

Two things stop short of their cryptography, for the sake of opening at once: an RSA key's use is recorded as
the call would record it, without the seconds that making its seeded key pair takes, and imported key
material arrives unwrapped, without the wrapping key of RSA that a client would ask for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.authorization.decision import ADMINISTRATOR_POLICY
from kms_tui.backend.local.engine.call import CallOrigin
from kms_tui.backend.local.importing.import_operations import put_material
from kms_tui.backend.local.keys.key_lookup import locate
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.demo.demo_account import (
    ACCOUNT_ID,
    AWS_MANAGED,
    CALLERS,
    KEY_STORE,
    KEYS,
    REGION,
    TRAFFIC,
    DemoCaller,
    DemoKey,
)
from kms_tui.demo.demo_policies import policy_text
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS, Family
from kms_tui.kms.model import KeyUsage

_MINUTE = 1 / 1440


@dataclass(frozen=True, slots=True)
class DemoStep:
    """One call ``days`` ago; ``subject`` is the index of its key, -1 for none.

    ``caller`` is one of the traffic's callers, or "" for the administrator; ``error`` is the code of its
    refusal.
    """

    days: float
    operation: str
    params: Mapping[str, Any]
    subject: int = -1
    region: str = REGION
    caller: str = ""
    error: str = ""


def steps() -> list[DemoStep]:
    """The account's whole history, oldest first."""
    return sorted(_steps(), key=lambda step: -step.days)


def _steps() -> Iterator[DemoStep]:
    for alias, first_use in AWS_MANAGED:
        yield DemoStep(first_use, "DescribeKey", {"KeyId": f"alias/{alias}"})
    yield from _key_store()
    for index, key in enumerate(KEYS):
        for days, operation, params in _life(key):
            yield DemoStep(days, operation, params, index)
        for operation, used in key.uses:
            yield DemoStep(used, operation, {}, index, caller=key.user)
        for each in TRAFFIC.get(key.alias, ()):
            params = {"EncryptionContext": each.context} if each.context else {}
            if each.by_alias:
                params |= {"KeyId": f"alias/{key.alias}"}
            for days in each.days():
                yield DemoStep(days, each.operation, params, index, caller=each.caller, error=each.error)
        if key.replica is not None:
            region, days = key.replica
            yield DemoStep(
                days, "ReplicateKey", {"ReplicaRegion": region, "Description": key.description}, index
            )
            name = {"AliasName": f"alias/{key.alias}"}
            yield DemoStep(days - _MINUTE, "CreateAlias", name, index, region)


def _key_store() -> Iterator[DemoStep]:
    created, name = KEY_STORE.created, KEY_STORE.name
    params = {
        "CustomKeyStoreName": name,
        "CloudHsmClusterId": KEY_STORE.cluster,
        "KeyStorePassword": "not kept anywhere",
        "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\n(the demo's)\n-----END CERTIFICATE-----\n",
    }
    yield DemoStep(created, "CreateCustomKeyStore", params)
    yield DemoStep(created - _MINUTE, "ConnectCustomKeyStore", {"CustomKeyStoreId": name})
    yield DemoStep(KEY_STORE.disconnected, "DisconnectCustomKeyStore", {"CustomKeyStoreId": name})


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


_MESSAGE = b"kms-tui demo"


class TravellingClock:
    """A clock that is ``offset`` behind another one; at offset zero it is the present."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return self._now() - self.offset


class DemoHistory:
    """Makes the calls of a history, and keeps the identifiers and ciphertexts of their answers."""

    def __init__(self, store: Store, clock: TravellingClock) -> None:
        self._backend = LocalBackend(store, account_id=ACCOUNT_ID, region=REGION)
        self._callers = {name: _backend_of(store, caller) for name, caller in CALLERS.items()}
        self._clock = clock
        self._key_ids: dict[int, str] = {}
        self._arns: dict[int, str] = {}
        self._key_stores: dict[str, str] = {}
        self._sealed: dict[int, dict[str, Any]] = {}

    def live(self, step: DemoStep) -> None:
        self._clock.offset = timedelta(days=step.days)
        try:
            self._act(step)
        except ServiceError as error:
            if error.code != step.error:
                raise

    def _act(self, step: DemoStep) -> None:
        if step.caller:
            self._use(step)
        elif step.operation == "ImportKeyMaterial":
            _import(self._backend, self._key_ids[step.subject], step)
        else:
            self._manage(step)

    def _manage(self, step: DemoStep) -> None:
        params = dict(step.params)
        if "CustomKeyStoreId" in params:
            params["CustomKeyStoreId"] = self._key_stores[params["CustomKeyStoreId"]]
        if step.subject >= 0 and step.operation != "CreateKey":
            name = "TargetKeyId" if step.operation == "CreateAlias" else "KeyId"
            params[name] = self._key_ids[step.subject]
        backend = self._backend if step.region == REGION else self._backend.in_region(step.region)
        answer = backend.call(step.operation, params)
        if step.operation == "CreateKey":
            metadata = answer["KeyMetadata"]
            self._key_ids[step.subject], self._arns[step.subject] = metadata["KeyId"], metadata["Arn"]
        elif step.operation == "CreateCustomKeyStore":
            self._key_stores[step.params["CustomKeyStoreName"]] = answer["CustomKeyStoreId"]

    def _use(self, step: DemoStep) -> None:
        key, arn, backend = KEYS[step.subject], self._arns[step.subject], self._callers[step.caller]
        if KEY_SPECS[key.spec].family is Family.RSA:
            call = backend.begin(step.operation)
            call.params = {"KeyId": arn}
            call.key = locate(call, arn)
            call.used(call.key)
            call.record()
            return
        algorithm = KEY_SPECS[key.spec].algorithms[KeyUsage(key.usage)][0]
        params: dict[str, Any] = {"KeyId": arn, **step.params}
        if step.operation == "Decrypt":
            if step.subject not in self._sealed:
                self._seal(step.subject, backend.call("Encrypt", {**params, "Plaintext": _MESSAGE}), params)
            params |= self._sealed[step.subject]
        else:
            params |= _USES[step.operation](backend, arn, algorithm)
        self._seal(step.subject, backend.call(step.operation, params), params)

    def _seal(self, subject: int, answer: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Keep a ciphertext and its encryption context for a later Decrypt."""
        if "CiphertextBlob" in answer:
            self._sealed[subject] = {"CiphertextBlob": answer["CiphertextBlob"]} | {
                name: params[name] for name in ("EncryptionContext",) if name in params
            }


def _backend_of(store: Store, caller: DemoCaller) -> LocalBackend:
    return LocalBackend(
        store,
        account_id=ACCOUNT_ID,
        region=REGION,
        caller_arn=caller.arn,
        iam_policies=(ADMINISTRATOR_POLICY,) if caller.may_use_keys else (),
        origin=CallOrigin(caller.address, caller.agent),
    )


def _sign(_backend: LocalBackend, _key_id: str, algorithm: str) -> dict[str, Any]:
    return {"Message": _MESSAGE, "SigningAlgorithm": algorithm}


def _mac(_backend: LocalBackend, _key_id: str, algorithm: str) -> dict[str, Any]:
    return {"Message": _MESSAGE, "MacAlgorithm": algorithm}


def _verify_mac(backend: LocalBackend, key_id: str, algorithm: str) -> dict[str, Any]:
    params = _mac(backend, key_id, algorithm)
    return {**params, "Mac": backend.call("GenerateMac", {"KeyId": key_id, **params})["Mac"]}


def _agree(backend: LocalBackend, key_id: str, algorithm: str) -> dict[str, Any]:
    peer = backend.call("GetPublicKey", {"KeyId": key_id})["PublicKey"]
    return {"PublicKey": peer, "KeyAgreementAlgorithm": algorithm}


_USES: Mapping[str, Callable[[LocalBackend, str, str], dict[str, Any]]] = {
    "Encrypt": lambda _backend, _key_id, _algorithm: {"Plaintext": _MESSAGE},
    "GenerateDataKey": lambda _backend, _key_id, _algorithm: {"KeySpec": "AES_256"},
    "Sign": _sign,
    "GenerateMac": _mac,
    "VerifyMac": _verify_mac,
    "DeriveSharedSecret": _agree,
}
"""Operation -> the members of its request beside the key; Decrypt needs an earlier ciphertext."""


def _import(backend: LocalBackend, key_id: str, step: DemoStep) -> None:
    call = backend.begin(step.operation)
    valid_to = call.time + timedelta(days=step.params["ValidTo"])
    call.params = {**step.params, "KeyId": key_id, "ValidTo": valid_to}
    put_material(call, hashlib.sha256(_MESSAGE + key_id.encode()).digest())
