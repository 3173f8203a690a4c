"""Which calls wait for none."""

from __future__ import annotations

import asyncio
import threading

import pytest

from kms_tui.backend.service_model import operations
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.http_messages import HttpResponse
from kms_tui.serve.lanes import Lane, is_quick, makes_keys


def test_symmetric_cryptography_is_quick_and_rsa_is_not() -> None:
    assert is_quick("Decrypt", {"CiphertextBlob": b""})
    assert is_quick("Decrypt", {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})
    assert not is_quick("Decrypt", {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"})
    assert not is_quick("ReEncrypt", {"SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_1"})
    assert not is_quick("Sign", {})


def test_lists_and_changes_are_never_quick() -> None:
    slow = [name for name in operations() if name.startswith(("List", "Create", "Put", "Update"))]
    assert slow
    assert not [name for name in slow if is_quick(name, {})]


def test_what_may_look_for_primes_has_a_lane_of_its_own() -> None:
    assert {name for name in operations() if makes_keys(name)} == {
        "CreateKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GetParametersForImport",
    }


def test_a_full_lane_throttles_and_works_on_when_there_is_room() -> None:
    async def scenario() -> None:
        lane, held = Lane("test", threads=1, waiting=1), threading.Event()

        def work() -> HttpResponse:
            held.wait(10)
            return HttpResponse(200)

        waiting = [asyncio.create_task(lane.run(work)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ServiceError) as caught:
            await lane.run(work)
        assert caught.value.code == "ThrottlingException"
        held.set()
        assert [response.status for response in await asyncio.gather(*waiting)] == [200, 200]
        assert (await lane.run(work)).status == 200
        lane.close()

    asyncio.run(scenario())
