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
from kms_tui.backend.local.authorization.decision import ADMINISTRATOR_POLICY
from kms_tui.backend.local.engine.call import CallOrigin
from kms_tui.backend.local.importing.import_operations import put_material
from kms_tui.backend.local.keys.key_lookup import locate
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.demo.account import ACCOUNT_ID, KEYS, REGION
from kms_tui.demo.steps import Step
from kms_tui.demo.traffic import CALLERS, DemoCaller
from kms_tui.kms.errors import ServiceError
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
    """Makes the calls of a past, and remembers the identifiers and the ciphertexts that they answered."""

    def __init__(self, store: Store, clock: TravellingClock) -> None:
        self._backend = LocalBackend(store, account_id=ACCOUNT_ID, region=REGION)
        self._callers = {name: _backend_of(store, caller) for name, caller in CALLERS.items()}
        self._clock = clock
        self._key_ids: dict[int, str] = {}
        self._arns: dict[int, str] = {}
        self._key_stores: dict[str, str] = {}
        self._sealed: dict[int, dict[str, Any]] = {}

    def live(self, step: Step) -> None:
        self._clock.offset = timedelta(days=step.days)
        try:
            self._act(step)
        except ServiceError as error:
            if error.code != step.error:
                raise

    def _act(self, step: Step) -> None:
        if step.caller:
            self._use(step)
        elif step.operation == "ImportKeyMaterial":
            _import(self._backend, self._key_ids[step.subject], step)
        else:
            self._manage(step)

    def _manage(self, step: Step) -> None:
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

    def _use(self, step: Step) -> None:
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
        """Keep a ciphertext and its encryption context, for whoever opens it later."""
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
"""Operation -> what its request needs beside the key; Decrypt needs what was sealed before."""


def _import(backend: LocalBackend, key_id: str, step: Step) -> None:
    call = backend.begin(step.operation)
    valid_to = call.time + timedelta(days=step.params["ValidTo"])
    call.params = {**step.params, "KeyId": key_id, "ValidTo": valid_to}
    put_material(call, hashlib.sha256(_MESSAGE + key_id.encode()).digest())
