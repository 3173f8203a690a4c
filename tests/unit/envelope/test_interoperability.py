"""What the Encryption SDK wrote is opened here and the reverse, with its own provider on moto's server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aws_encryption_sdk
import boto3
import botocore.session
import pytest
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

from kms_tui.backend.aws import connect
from kms_tui.backend.base import Backend
from kms_tui.envelope.errors import EnvelopeError, UncommittedError
from kms_tui.envelope.header import describe
from kms_tui.envelope.keys import BackendKeys
from kms_tui.envelope.message import seal, unseal
from kms_tui.envelope.resealing import reseal
from tests.endpoints.moto import MotoEndpoint
from tests.unit.envelope.fake_kms import KEY, SECOND_KEY, FakeKms

PLAINTEXT = b"so long, and thanks for all the fish " * 500
CONTEXT = {"purpose": "test"}


@dataclass(frozen=True)
class Moto:
    backend: Backend
    key_arn: str
    strict: Any
    discovery: Any


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with MotoEndpoint() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }.items():
            patch.setenv(name, value)
        arn = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        session = botocore.session.Session()
        yield Moto(
            connect(region="us-east-1"),
            arn,
            aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[arn], botocore_session=session),
            aws_encryption_sdk.DiscoveryAwsKmsMasterKeyProvider(botocore_session=session),
        )


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("provider", ["strict", "discovery"])
def test_the_encryption_sdk_opens_what_is_sealed_here(moto: Moto, signed: bool, provider: str) -> None:
    sealed = io.BytesIO()
    seal(
        io.BytesIO(PLAINTEXT),
        sealed,
        backend=moto.backend,
        keys=[moto.key_arn],
        context=CONTEXT,
        signed=signed,
    )
    plaintext, header = aws_encryption_sdk.EncryptionSDKClient().decrypt(
        source=sealed.getvalue(), key_provider=getattr(moto, provider)
    )
    assert plaintext == PLAINTEXT
    assert CONTEXT.items() <= header.encryption_context.items()


@pytest.mark.parametrize("frame_length", [0, 4096])
def test_what_the_encryption_sdk_seals_by_default_is_opened_here(moto: Moto, frame_length: int) -> None:
    message, _ = aws_encryption_sdk.EncryptionSDKClient().encrypt(
        source=PLAINTEXT, key_provider=moto.strict, encryption_context=CONTEXT, frame_length=frame_length
    )
    info, opened = describe(message), io.BytesIO()
    assert (info.signed, info.frame_length, info.context) == (True, frame_length, CONTEXT)
    assert [key.name for key in info.keys] == [moto.key_arn]
    result = unseal(io.BytesIO(message), opened, backend=moto.backend, context=CONTEXT)
    assert opened.getvalue() == PLAINTEXT
    assert result.key_arn == moto.key_arn


@pytest.mark.parametrize("signed", [False, True])
def test_the_encryption_sdk_opens_what_was_moved_to_another_key(moto: Moto, signed: bool) -> None:
    old = str(moto.backend.in_region("eu-west-1").call("CreateKey", {})["KeyMetadata"]["Arn"])
    first, moved = io.BytesIO(), io.BytesIO()
    seal(io.BytesIO(PLAINTEXT), first, backend=moto.backend, keys=[old], context=CONTEXT, signed=signed)
    reseal(
        io.BytesIO(first.getvalue()),
        moved,
        opener=moto.backend,
        sealer=moto.backend,
        old_key=old,
        keys=[moto.key_arn],
    )
    plaintext, header = aws_encryption_sdk.EncryptionSDKClient().decrypt(
        source=moved.getvalue(), key_provider=moto.strict
    )
    assert plaintext == PLAINTEXT
    assert CONTEXT.items() <= header.encryption_context.items()


@pytest.mark.parametrize("suite", [suite for suite in AlgorithmSuite if suite.allowed])
@pytest.mark.parametrize("frame_length", [0, 128])
def test_a_message_of_every_suite_is_moved_and_commits_to_its_key(suite: Any, frame_length: int) -> None:
    kms, moved, opened = FakeKms(), io.BytesIO(), io.BytesIO()
    message = _sealed_by_the_sdk(kms, suite, frame_length)
    reseal(
        io.BytesIO(message),
        moved,
        opener=kms,
        sealer=kms,
        old_key=KEY,
        keys=[SECOND_KEY],
        allow_uncommitted=True,
    )
    info = describe(moved.getvalue())
    assert (info.committed, info.signed) == (True, describe(message).signed)
    unseal(io.BytesIO(moved.getvalue()), opened, backend=kms, key=SECOND_KEY)
    assert opened.getvalue() == PLAINTEXT


def _sealed_by_the_sdk(kms: FakeKms, suite: Any, frame_length: int) -> bytes:
    keys = BackendKeys(backend=kms, on_step=lambda step: None)
    keys.add_master_key(KEY)
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        if suite.is_committing()
        else CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
    )
    message, _ = client.encrypt(
        source=PLAINTEXT, key_provider=keys, algorithm=suite, frame_length=frame_length
    )
    return bytes(message)


@pytest.mark.parametrize("suite", [suite for suite in AlgorithmSuite if suite.allowed])
@pytest.mark.parametrize("frame_length", [0, 128])
def test_every_algorithm_suite_is_opened(suite: Any, frame_length: int) -> None:
    kms, opened = FakeKms(), io.BytesIO()
    message = _sealed_by_the_sdk(kms, suite, frame_length)
    if not suite.is_committing():
        with pytest.raises(UncommittedError):
            unseal(io.BytesIO(message), opened, backend=kms)
    unseal(io.BytesIO(message), opened, backend=kms, allow_uncommitted=True)
    assert opened.getvalue() == PLAINTEXT
    assert describe(message).suite == suite.name


@pytest.mark.parametrize("suite", [suite for suite in AlgorithmSuite if suite.allowed])
def test_a_message_that_names_another_suite_is_refused_in_a_sentence(suite: Any) -> None:
    kms = FakeKms()
    message = _sealed_by_the_sdk(kms, suite, 128)
    at = 1 if suite.is_committing() else 2
    for other in AlgorithmSuite:
        named = message[:at] + other.algorithm_id.to_bytes(2, "big") + message[at + 2 :]
        if other is not suite:
            with pytest.raises(EnvelopeError):
                unseal(io.BytesIO(named), io.BytesIO(), backend=kms, allow_uncommitted=True)
