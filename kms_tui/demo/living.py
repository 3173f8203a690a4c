"""How the demo's past is lived through: one real API call after another, under a clock that travels.

Two things stop short of their cryptography, for the sake of opening at once: an RSA key's use is recorded as
the call would record it, without the seconds that making its seeded key pair takes, and imported key
material arrives unwrapped, without the wrapping key of RSA that a client would ask for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.importing import put_material
from kms_tui.backend.local.references import locate
from kms_tui.demo.account import KEYS, REGION
from kms_tui.demo.steps import Step
from kms_tui.kms.keyspecs import KEY_SPECS, Family
from kms_tui.kms.model import KeyUsage

_MESSAGE = b"kms-tui demo"


class TravellingClock:
    """Stands ``offset`` before the clock it was given; moving the offset to nothing brings it home."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return self._now() - self.offset


class Past:
    """Makes the calls of a past, and remembers the identifiers that they answered."""

    def __init__(self, backend: LocalBackend, clock: TravellingClock) -> None:
        self._backend = backend
        self._clock = clock
        self._key_ids: dict[int, str] = {}
        self._key_stores: dict[str, str] = {}

    def live(self, step: Step) -> None:
        self._clock.offset = timedelta(days=step.days)
        params = dict(step.params)
        if "CustomKeyStoreId" in params:
            params["CustomKeyStoreId"] = self._key_stores[params["CustomKeyStoreId"]]
        act = _ACTS.get(step.operation)
        if act is not None and step.subject >= 0:
            act(self._backend, self._key_ids[step.subject], step)
            return
        if step.subject >= 0 and step.operation != "CreateKey":
            name = "TargetKeyId" if step.operation == "CreateAlias" else "KeyId"
            params[name] = self._key_ids[step.subject]
        backend = self._backend if step.region == REGION else self._backend.in_region(step.region)
        self._remember(step, backend.call(step.operation, params))

    def _remember(self, step: Step, answer: Mapping[str, Any]) -> None:
        if step.operation == "CreateKey":
            self._key_ids[step.subject] = answer["KeyMetadata"]["KeyId"]
        elif step.operation == "CreateCustomKeyStore":
            self._key_stores[step.params["CustomKeyStoreName"]] = answer["CustomKeyStoreId"]


def _use(backend: LocalBackend, key_id: str, step: Step) -> None:
    key = KEYS[step.subject]
    if KEY_SPECS[key.spec].family is Family.RSA:
        call = backend.begin(step.operation)
        call.params = {"KeyId": key_id}
        call.key = locate(call, key_id)
        call.used(call.key)
        call.record("")
        return
    algorithm = KEY_SPECS[key.spec].algorithms[KeyUsage(key.usage)][0]
    backend.call(step.operation, {"KeyId": key_id, **_USES[step.operation](backend, key_id, algorithm)})


def _decrypt(backend: LocalBackend, key_id: str, _algorithm: str) -> dict[str, Any]:
    sealed = backend.call("Encrypt", {"KeyId": key_id, "Plaintext": _MESSAGE})
    return {"CiphertextBlob": sealed["CiphertextBlob"]}


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
    "Decrypt": _decrypt,
    "Sign": _sign,
    "GenerateMac": _mac,
    "VerifyMac": _verify_mac,
    "DeriveSharedSecret": _agree,
}
"""Operation -> what its request needs beside the key."""


def _import(backend: LocalBackend, key_id: str, step: Step) -> None:
    call = backend.begin(step.operation)
    valid_to = call.time + timedelta(days=step.params["ValidTo"])
    call.params = {**step.params, "KeyId": key_id, "ValidTo": valid_to}
    put_material(call, hashlib.sha256(_MESSAGE + key_id.encode()).digest())


_ACTS: Mapping[str, Callable[[LocalBackend, str, Step], None]] = {
    **dict.fromkeys(_USES, _use),
    "ImportKeyMaterial": _import,
}
"""Steps that are more than one call made as the table says it."""
