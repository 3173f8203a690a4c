"""Files on the offline KMS, which answers as AWS does: states, regions, accounts and tampering."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.wrappers.read_only import ReadOnly
from kms_tui.envelope.errors import AlteredError, KeysRefusedError
from kms_tui.envelope.header import looks_like_message
from kms_tui.envelope.message import seal, unseal
from kms_tui.kms.errors import ServiceError

CONTEXT = {"purpose": "test", "ab": "c"}


@pytest.fixture
def backend() -> Iterator[LocalBackend]:
    with open_store() as store:
        yield LocalBackend(store, account_id="111122223333", region="eu-west-1")


def new_key(backend: Backend, **params: object) -> str:
    return str(backend.call("CreateKey", params)["KeyMetadata"]["Arn"])


def sealed(backend: Backend, key: str) -> bytes:
    target = io.BytesIO()
    seal(io.BytesIO(b"x" * 5000), target, backend=backend, keys=[key], context=CONTEXT)
    return target.getvalue()


def opened(backend: Backend, message: bytes) -> bytes:
    target = io.BytesIO()
    unseal(io.BytesIO(message), target, backend=backend)
    return target.getvalue()


def test_a_file_comes_back_also_in_a_read_only_session(backend: LocalBackend) -> None:
    key = new_key(backend)
    assert opened(ReadOnly(backend), sealed(ReadOnly(backend), key)) == b"x" * 5000


def test_a_file_sealed_before_a_rotation_is_opened_after_it(backend: LocalBackend) -> None:
    key = new_key(backend)
    message = sealed(backend, key)
    backend.call("RotateKeyOnDemand", {"KeyId": key})
    assert opened(backend, message) == b"x" * 5000


def test_another_region_of_the_account_is_reached_by_itself(backend: LocalBackend) -> None:
    message = sealed(backend, new_key(backend))
    assert opened(backend.in_region("us-east-1"), message) == b"x" * 5000


def test_a_disabled_key_is_named_with_what_to_do(backend: LocalBackend) -> None:
    key = new_key(backend)
    message = sealed(backend, key)
    backend.call("DisableKey", {"KeyId": key})
    with pytest.raises(KeysRefusedError, match="is disabled") as caught:
        opened(backend, message)
    assert caught.value.next_step == "Enable the key first."


def test_a_context_altered_in_the_header_is_told_as_such(backend: LocalBackend) -> None:
    message = sealed(backend, new_key(backend))
    with pytest.raises(AlteredError, match="encryption context"):
        opened(backend, message.replace(b"\x00\x02ab\x00\x01c", b"\x00\x01a\x00\x02bc", 1))


def test_a_key_that_cannot_make_data_keys_is_refused(backend: LocalBackend) -> None:
    with pytest.raises(ServiceError) as caught:
        sealed(backend, new_key(backend, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"))
    assert caught.value.code == "InvalidKeyUsageException"


def test_a_plain_ciphertext_is_not_taken_for_a_message(backend: LocalBackend) -> None:
    answer = backend.call("Encrypt", {"KeyId": new_key(backend), "Plaintext": b"x"})
    assert not looks_like_message(answer["CiphertextBlob"])
