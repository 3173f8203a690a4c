"""What may hold a secret shows none: a repr ends up in tracebacks, logs and the messages of asserts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from kms_tui.backend.kms_facade import CreatedGrant, Decrypted
from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.crypto.encryption import DecryptedCiphertext
from kms_tui.backend.local.store.key_rows import key_by_id
from kms_tui.backend.local.store.root_key import Protection, RootKey, SealedRootKey
from kms_tui.backend.wrappers.session_log import Recorded, SessionLog
from kms_tui.kms.model import ImportParameters, Secret
from kms_tui.serve.endpoint import Task
from kms_tui.serve.http_messages import HttpRequest, HttpResponse
from kms_tui.serve.sigv4 import Credential

_WORD = "swordfish-0123456789abcdefghijkl"
_SECRET = _WORD.encode()
_NOW = datetime(2026, 3, 2, tzinfo=UTC)
_ACCOUNT, _REGION = "111122223333", "eu-west-1"


def _backend(store: Store) -> LocalBackend:
    return LocalBackend(store, account_id=_ACCOUNT, region=_REGION)


def _call() -> object:
    with open_store() as store:
        call = _backend(store).begin("Encrypt")
        call.params = {"Plaintext": _SECRET}
        return call


def _opened() -> object:
    with open_store() as store:
        backend = _backend(store)
        key_id = backend.call("CreateKey", {})["KeyMetadata"]["KeyId"]
        key = key_by_id(store, _ACCOUNT, _REGION, key_id)
        assert key is not None
        return DecryptedCiphertext(key, _SECRET, None)


def _logged() -> object:
    log = SessionLog()
    with open_store() as store:
        Recorded(_backend(store), log, lambda: _NOW).call("CreateKey", {"Description": _WORD})
    (entry,) = log.entries
    return entry


def _task() -> object:
    request = HttpRequest("POST", "/", "", {"authorization": _WORD}, _SECRET)
    with open_store() as store:
        return Task("Encrypt", {"Plaintext": _SECRET}, _backend(store), request)


_SAMPLES: dict[str, Callable[[], object]] = {
    "secret": lambda: Secret(_SECRET),
    "decrypted": lambda: Decrypted(Secret(_SECRET), "arn", "SYMMETRIC_DEFAULT"),
    "grant": lambda: CreatedGrant("id", _WORD),
    "import parameters": lambda: ImportParameters(b"", _SECRET, _NOW),
    "root key": lambda: RootKey(_SECRET),
    "sealed root key": lambda: SealedRootKey(Protection.KEY_FILE, "{}", _SECRET),
    "call": _call,
    "opened": _opened,
    "log entry": _logged,
    "credential": lambda: Credential("AKIA", _WORD),
    "request": lambda: HttpRequest("POST", "/", _WORD, {"authorization": _WORD}, _SECRET),
    "response": lambda: HttpResponse(200, _SECRET, headers=(("x", _WORD),)),
    "task": _task,
}


@pytest.mark.parametrize("name", _SAMPLES)
def test_no_secret_is_in_a_repr(name: str) -> None:
    sample = _SAMPLES[name]()
    for shown in (repr(sample), str(sample), f"{sample}", repr([sample])):
        assert _WORD not in shown
        assert _SECRET.hex() not in shown
