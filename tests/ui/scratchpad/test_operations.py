"""Every operation, done on the scratchpad and judged by the backend."""

from __future__ import annotations

import base64

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, OperationName, Role
from kms_tui.public_key import PublicKey
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp
from tests.ui.console import go_to, settled
from tests.ui.scratchpad.bench import Bench, drive

PUBLIC, RANDOM = "Public key", "Random bytes"


def output_bytes(bench: Bench, name: str = "") -> bytes:
    result = bench.output.result
    assert result is not None
    part = next(part for part in result.parts if part.name == name) if name else bench.output.part
    assert part is not None
    return part.value.reveal()


OFFERED = {
    "orders-db": [
        "Encrypt",
        "Decrypt",
        "Re-encrypt",
        "Data key",
        "Data key, encrypted",
        "Key pair",
        "Key pair, encrypted",
        RANDOM,
    ],
    "partner-inbox": ["Encrypt", "Decrypt", "Re-encrypt", PUBLIC, "Encrypt offline", RANDOM],
    "login-tokens": ["Sign", "Verify", "Verify offline", PUBLIC, RANDOM],
    "mobile-api-mac": ["Generate MAC", "Verify MAC", RANDOM],
    "device-enrolment": ["Shared secret", PUBLIC, RANDOM],
    "transport-pq": ["Encapsulate", "Decapsulate", PUBLIC, RANDOM],
}


def test_a_key_offers_what_it_can_do_and_nothing_else(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        assert bench.offered == [operation.title for operation in OPERATIONS.values()]
        for alias, titles in OFFERED.items():
            await bench.pick(alias)
            assert bench.offered == titles, alias

    drive(make_app(), script)


def test_the_key_list_opens_the_scratchpad_with_the_key_under_the_cursor(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("1")
        await go_to(bench.pilot, "login-tokens")
        assert isinstance(bench.app.focused, KeyList)
        await bench.press("s")
        assert bench.setup.key is not None
        assert bench.setup.key.name == "login-tokens"
        assert bench.setup.operation.name is OperationName.SIGN

    drive(make_app(), script)


@pytest.mark.parametrize("alias", ["payments-signing", "firmware-signing"])
def test_a_signature_goes_on_to_verify_and_a_changed_message_is_told(
    make_app: MakeApp, demo: Backend, alias: str
) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick(alias)
        await bench.press("enter")
        await bench.paste("release 1.2")
        await bench.run()
        public_key = PublicKey.from_api(demo.call("GetPublicKey", {"KeyId": f"alias/{alias}"}))
        algorithm = bench.setup.request().algorithm
        assert public_key.verify(b"release 1.2", output_bytes(bench), algorithm)
        await bench.press("n")
        assert bench.setup.operation.name is OperationName.VERIFY
        await bench.run()
        assert bench.verdict.startswith("GOOD")
        await bench.operation(OperationName.VERIFY_OFFLINE)
        await bench.run()
        assert bench.verdict.startswith("GOOD")
        await bench.operation(OperationName.VERIFY)
        await bench.paste("!")
        await bench.run()
        assert bench.verdict.startswith("NOT GOOD")

    drive(make_app(), script)


def test_the_algorithm_and_the_message_type_are_the_keys_own(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("payments-signing")
        assert bench.setup.request().settings == {"algorithm": "RSASSA_PSS_SHA_256", "message_type": "RAW"}
        bench.setup.settings.set_values({"algorithm": "RSASSA_PKCS1_V1_5_SHA_512", "message_type": "DIGEST"})
        await bench.setup.refresh_setup()
        await bench.operation(OperationName.SIGN)
        await bench.paste("ab" * 64)
        pane = bench.source(Role.MESSAGE)
        pane.set_text("ab" * 63)
        await bench.run()
        assert bench.problems == [
            "RSASSA_PKCS1_V1_5_SHA_512 takes a DIGEST of 64 bytes; here are 126. "
            "Choose RAW if this is the message, not its digest."
        ]
        pane.set_text("ab" * 64)
        assert "→ hex" in bench.picture(), "a digest of the right length, as a tool prints it"
        await bench.run()
        demo.call(
            "Verify",
            {
                "KeyId": "alias/payments-signing",
                "Message": b"\xab" * 64,
                "MessageType": "DIGEST",
                "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_512",
                "Signature": output_bytes(bench),
            },
        )

    drive(make_app(), script)


def test_a_message_over_the_limit_is_digested_here_and_the_screen_says_so(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("login-tokens")
        await bench.press("enter")
        await bench.paste("long" * 2000)
        assert "its digest is made here" in bench.picture()
        await bench.run()
        assert bench.verdict == "The message was digested here with SHA-256."
        await bench.press("n", "ctrl+r")
        assert bench.verdict.startswith("GOOD")

    drive(make_app(), script)


def test_a_mac_goes_on_to_verify(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("mobile-api-mac")
        await bench.press("enter")
        await bench.paste("POST /orders")
        await bench.run()
        demo.call(
            "VerifyMac",
            {
                "KeyId": "alias/mobile-api-mac",
                "Message": b"POST /orders",
                "MacAlgorithm": "HMAC_SHA_512",
                "Mac": output_bytes(bench),
            },
        )
        await bench.press("n", "ctrl+r")
        assert bench.verdict.startswith("GOOD")

    drive(make_app(), script)


def test_a_data_key_is_masked_and_its_encrypted_form_opens_to_it(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("s3-data-lake")
        await bench.operation(OperationName.DATA_KEY)
        await bench.run()
        data_key = output_bytes(bench, "Data key")
        assert Kms(demo).decrypt(output_bytes(bench, "Encrypted data key")).plaintext.reveal() == data_key
        await bench.press("right_square_bracket")
        assert bench.output.is_masked
        assert data_key.hex() not in bench.picture()
        await bench.press("v")
        assert bench.shown == data_key.hex()
        await bench.press("left_square_bracket")
        assert bench.shown.replace("\n", "") == base64.b64encode(output_bytes(bench)).decode()
        await bench.press("n", "ctrl+r", "v")
        assert output_bytes(bench, "Plaintext") == data_key

    drive(make_app(), script)


def test_a_key_pair_shows_three_outputs_and_one_secret(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("sandbox")
        await bench.operation(OperationName.KEY_PAIR)
        bench.setup.settings.set_values({"key_pair_spec": "ECC_NIST_P256"})
        await bench.setup.refresh_setup()
        await bench.run()
        assert bench.output.result is not None
        assert [(part.name, part.secret) for part in bench.output.result.parts] == [
            ("Encrypted private key", False),
            ("Private key", True),
            ("Public key", False),
        ]

    drive(make_app(), script)


def test_two_sides_agree_on_a_secret_by_public_key(make_app: MakeApp, demo: Backend) -> None:
    kms = Kms(demo)
    other = kms.create_key(spec="ECC_NIST_P384", usage="KEY_AGREEMENT")
    pem = PublicKey.from_api(kms.call("GetPublicKey", KeyId=other.arn)).pem

    async def script(bench: Bench) -> None:
        await bench.pick("device-enrolment")
        await bench.press("enter")
        await bench.paste(pem)
        await bench.run()
        mine = kms.call("GetPublicKey", KeyId="alias/device-enrolment")["PublicKey"]
        theirs = kms.call(
            "DeriveSharedSecret", KeyId=other.arn, KeyAgreementAlgorithm="ECDH", PublicKey=mine
        )["SharedSecret"]
        assert output_bytes(bench) == theirs
        assert bench.output.is_masked

    drive(make_app(), script)


def test_an_encapsulated_secret_is_decapsulated_with_one_key_press(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("transport-pq")
        await bench.press("enter", "enter")
        secret = output_bytes(bench, "Shared secret")
        if bench.output.part is not None and bench.output.part.secret:
            await bench.press("right_square_bracket")
        await bench.press("n")
        assert bench.setup.operation.name is OperationName.DECAPSULATE
        await bench.run()
        assert output_bytes(bench) == secret

    drive(make_app(), script)


def test_a_public_key_is_shown_as_pem_der_and_jwk(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("login-tokens")
        await bench.operation(OperationName.PUBLIC_KEY)
        await bench.run()
        assert bench.shown.startswith("-----BEGIN PUBLIC KEY-----")
        await bench.press("right_square_bracket", "right_square_bracket")
        assert '"crv": "P-256"' in bench.shown
        assert bench.facts["Fingerprint"].endswith(" (SHA-256)")
        await bench.press("v")
        assert '"crv": "P-256"' in bench.shown

    drive(make_app(), script)


def test_what_was_encrypted_offline_kms_decrypts(make_app: MakeApp, demo: Backend) -> None:
    async def script(bench: Bench) -> None:
        await bench.pick("partner-inbox")
        await bench.operation(OperationName.ENCRYPT_OFFLINE)
        await bench.paste("from a partner")
        await bench.run()
        opened = Kms(demo).decrypt(
            output_bytes(bench), key="alias/partner-inbox", algorithm="RSAES_OAEP_SHA_256"
        )
        assert opened.plaintext.reveal() == b"from a partner"
        await bench.press("n", "ctrl+r")
        assert output_bytes(bench) == b"from a partner"

    drive(make_app(), script)


def test_random_bytes_need_no_key_and_take_a_number(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.operation(OperationName.RANDOM)
        bench.setup.settings.set_values({"random_bytes": "2000"})
        await bench.setup.refresh_setup()
        await bench.run()
        assert bench.problems == ["The number of bytes is a whole number from 1 to 1,024."]
        bench.setup.settings.set_values({"random_bytes": "20"})
        await bench.setup.refresh_setup()
        await bench.run()
        assert len(output_bytes(bench)) == 20
        assert bench.output.is_masked

    drive(make_app(), script)


def test_an_operation_that_needs_a_key_asks_for_one(make_app: MakeApp) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("ctrl+r")
        assert bench.problems == ["Encrypt needs a key. Choose one."]
        await bench.press("enter")
        await bench.write("invo")
        await bench.press("enter")
        await settled(bench.pilot)
        assert bench.setup.key is not None
        assert bench.setup.key.name == "invoices"

    drive(make_app(), script)
