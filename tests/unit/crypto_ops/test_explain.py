"""What errors mean for a request, and what is known of a ciphertext before it is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_tui.atomic import AlreadyThereError, FileError
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.check import explain
from kms_tui.crypto_ops.inputs import Entered, InputError, InputField
from kms_tui.crypto_ops.request import Destination
from kms_tui.crypto_ops.run import run
from kms_tui.crypto_ops.scratchpad_operations import OperationName
from kms_tui.crypto_ops.sealing import ciphertext_facts
from kms_tui.envelope.errors import (
    AlteredError,
    ContextMismatchError,
    CutShortError,
    KeysRefusedError,
    Refusal,
)
from kms_tui.kms.errors import EndpointError, KmsTuiError, ServiceError
from kms_tui.kms.model import Secret
from tests.unit.crypto_ops.conftest import Ask, chosen


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (InputError(InputField.SECOND, "x"), InputField.SECOND),
        (ServiceError("DisabledException", "arn is disabled."), InputField.KEY),
        (ServiceError("KMSInvalidStateException", "arn is pending deletion."), InputField.KEY),
        (ServiceError("AccessDeniedException", "User: x is not authorized"), InputField.KEY),
        (ServiceError("IncorrectKeyException", "The key ID …"), InputField.KEY),
        (ServiceError("InvalidCiphertextException"), InputField.INPUT),
        (ServiceError("ThrottlingException", "Rate exceeded"), InputField.RESULT),
        (EndpointError("The endpoint did not answer."), InputField.RESULT),
        (CutShortError(10), InputField.INPUT),
        (AlteredError("it does not verify"), InputField.INPUT),
        (ContextMismatchError(["tenant"]), InputField.CONTEXT),
        (KeysRefusedError([Refusal("arn", ServiceError("DisabledException", "x"))]), InputField.KEY),
        (AlreadyThereError("out exists already"), InputField.TARGET),
        (FileError("out could not be written: No space left on device."), InputField.TARGET),
        (FileError("in could not be read: No such file."), InputField.INPUT),
    ],
)
def test_each_error_belongs_to_a_field_and_is_a_sentence(
    ask: Ask, error: KmsTuiError, field: InputField
) -> None:
    problem = explain(error, ask(OperationName.DECRYPT, "orders-db", b"x", target=Path("out")))
    assert problem.field is field
    assert problem.sentence
    assert problem.text.startswith(problem.sentence)


def test_an_error_about_the_destination_stands_there(kms: Kms, ask: Ask) -> None:
    destination = Destination(chosen(kms, "chat-archive"), {})
    request = ask(
        OperationName.RE_ENCRYPT,
        "",
        kms.encrypt("alias/orders-db", Secret(b"x")).ciphertext,
        destination=destination,
    )
    with pytest.raises(ServiceError) as caught:
        run(request, kms)
    assert explain(caught.value, request).field is InputField.DESTINATION


def test_a_ciphertext_of_another_region_is_told_apart_from_a_denied_key(kms: Kms, ask: Ask) -> None:
    there = kms.in_region("ap-southeast-2")
    arn = there.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").arn
    request = ask(OperationName.DECRYPT, "", there.encrypt(arn, Secret(b"x")).ciphertext)
    with pytest.raises(ServiceError) as caught:
        run(request, kms)
    problem = explain(caught.value, request)
    assert problem.field is InputField.INPUT
    assert "is not in eu-west-1" in problem.sentence
    assert "its own region" in problem.next_step


def test_invalid_ciphertext_means_something_else_for_each_kind_of_key(kms: Kms, ask: Ask) -> None:
    for name, alias, data, words in (
        (OperationName.DECRYPT, "", b"garbage", "encryption context differs"),
        (OperationName.DECRYPT, "partner-inbox", b"x" * 256, "RSAES_OAEP_SHA_256"),
        (OperationName.DECAPSULATE, "transport-pq", b"x", "does not fit the key's spec"),
    ):
        request = ask(name, alias, data)
        with pytest.raises(ServiceError) as caught:
            run(request, kms)
        assert words in explain(caught.value, request).text


def test_what_a_ciphertext_tells_without_being_opened(kms: Kms, ask: Ask) -> None:
    def facts(data: bytes) -> dict[str, str]:
        return dict(ciphertext_facts(Entered(Secret(data))))

    orders = chosen(kms, "orders-db")
    assert facts(kms.encrypt(orders.arn, Secret(b"x")).ciphertext)["Key"] == orders.key_id
    sealed = run(ask(OperationName.ENCRYPT, "orders-db", b"x" * 5000, context={"tenant": "42"}), kms).parts[0]
    told = facts(sealed.value.reveal())
    assert (told["Format"], told["Key"]) == ("AWS Encryption SDK message", orders.arn)
    assert told["Context"] == "tenant=42"
    assert "cut short" in facts(sealed.value.reveal()[:50])["Format"]
    assert "RSA_2048" in facts(b"x" * 256)["Format"]
    assert "only KMS can name" in facts(b"\x01\x02\x02\x00\x78" + b"x" * 100)["Format"]
    assert facts(b"hello") == {}
