"""Which calls wait for none, and which run together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from kms_tui.backend.service_model import operations
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.application import TOGETHER, BoundedExecutor, QuickCalls, is_quick, makes_keys
from kms_tui.serve.endpoint import Endpoint, Task
from kms_tui.serve.http_messages import HttpResponse
from tests.unit.serve.fakes import FakeBackend, kms_request


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


def test_what_may_look_for_primes_has_an_executor_of_its_own() -> None:
    assert {name for name in operations() if makes_keys(name)} == {
        "CreateKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GetParametersForImport",
    }


class Counting(Endpoint):
    """Answers every call with 200, and keeps how many it was given at a time."""

    def __init__(self) -> None:
        super().__init__(FakeBackend(), AnyAdmission(()))
        self.groups: list[int] = []

    def run_together(self, tasks: Sequence[Task]) -> list[HttpResponse]:
        self.groups.append(len(tasks))
        return super().run_together(tasks)


@pytest.mark.parametrize(
    ("waiting", "groups"), [(1, [1]), (8, [8]), (2 * TOGETHER + 3, [TOGETHER, TOGETHER, 3])]
)
def test_quick_calls_of_one_turn_run_together_unless_they_crowd(waiting: int, groups: list[int]) -> None:
    async def scenario() -> None:
        endpoint, answers = Counting(), list[HttpResponse]()
        quick, task = QuickCalls(endpoint), endpoint.accept(kms_request("GenerateRandom"))
        assert isinstance(task, Task)
        for _ in range(waiting):
            quick.begin(task, answers.append)
        assert not answers
        while len(answers) < waiting:
            await asyncio.sleep(0)
        assert {response.status for response in answers} == {200}
        assert endpoint.groups == groups

    asyncio.run(scenario())


def test_a_full_executor_throttles_and_works_on_when_there_is_room() -> None:
    async def scenario() -> None:
        executor, held = BoundedExecutor("test", threads=1, waiting=1), threading.Event()

        def work() -> HttpResponse:
            held.wait(10)
            return HttpResponse(200)

        waiting = [asyncio.create_task(executor.run(work)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ServiceError) as caught:
            await executor.run(work)
        assert caught.value.code == "ThrottlingException"
        held.set()
        assert [response.status for response in await asyncio.gather(*waiting)] == [200, 200]
        assert (await executor.run(work)).status == 200
        executor.close()

    asyncio.run(scenario())
