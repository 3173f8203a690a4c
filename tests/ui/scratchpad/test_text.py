"""Encrypting and decrypting text by hand."""

from __future__ import annotations

import base64
import json

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.scratchpad_operations import OperationName
from kms_tui.kms.model import Secret
from tests.ui.conftest import MakeApp
from tests.ui.scratchpad.bench import NARROW, WIDE, Bench, drive


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_text_goes_to_ciphertext_and_back_by_keyboard_alone(
    make_app: MakeApp, demo: Backend, size: tuple[int, int]
) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("orders")
        await bench.press("enter")
        await bench.write("hello: world")
        await bench.run()
        ciphertext = base64.b64decode(bench.shown.replace("\n", ""))
        assert Kms(demo).decrypt(ciphertext).plaintext.reveal() == b"hello: world"
        await bench.press("n")
        assert bench.setup.operation.name is OperationName.DECRYPT
        await bench.run()
        assert "hello" not in bench.picture()
        await bench.press("v")
        assert bench.shown == "hello: world"
        assert bench.facts["Key"].startswith("orders-db")

    drive(make_app(), script, size=size)


def test_decrypt_finds_the_key_and_says_so(make_app: MakeApp, demo: Backend) -> None:
    sealed = base64.b64encode(Kms(demo).encrypt("alias/invoices", Secret(b"x")).ciphertext).decode()

    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.DECRYPT)
        await bench.paste(sealed)
        await bench.run()
        assert bench.facts["Key"] == "invoices (found from the ciphertext)"

    drive(make_app(), script)


def test_the_answer_of_the_aws_cli_is_taken_and_says_so(make_app: MakeApp, demo: Backend) -> None:
    sealed = base64.b64encode(Kms(demo).encrypt("alias/invoices", Secret(b"x")).ciphertext).decode()

    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.DECRYPT)
        await bench.paste(json.dumps({"CiphertextBlob": sealed, "KeyId": "[bold]"}))
        assert "CiphertextBlob of an answer of KMS" in bench.picture()
        await bench.run()
        assert bench.facts["Key"] == "invoices (found from the ciphertext)"

    drive(make_app(), script)


def test_what_is_no_ciphertext_is_named(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.DECRYPT)
        await bench.paste("-----BEGIN PGP MESSAGE-----\n\nhQ")
        assert "This is a PGP message, not a ciphertext." in bench.picture()

    drive(make_app(), script)
