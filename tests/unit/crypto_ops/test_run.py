"""What the scratchpad's operations do, judged by the backend and by what they give back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.calls import call_of
from kms_tui.crypto_ops.inputs import Entered, FromFile, InputError, InputField, file_input
from kms_tui.crypto_ops.request import Destination
from kms_tui.crypto_ops.results import Part, Result
from kms_tui.crypto_ops.run import run
from kms_tui.crypto_ops.scratchpad_operations import OperationName
from kms_tui.formats import Format, encode
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import Secret
from kms_tui.public_key import PublicKey
from kms_tui.signing.public_key_reading import read_public_key
from kms_tui.signing.signature_forms import SignatureForm, read_signature
from tests.unit.crypto_ops.conftest import Ask, chosen
from tests.unit.signing.conftest import CountedBackend

CONTEXT = {"tenant": "42"}
SIGNERS = (
    "payments-signing",
    "login-tokens",
    "login-tokens-next",
    "ci-release-signing",
    "firmware-signing",
    "ledger-seal",
)


def part(result: Result, name: str) -> Part:
    (found,) = (part for part in result.parts if part.name == name)
    return found


def bytes_of(result: Result, name: str) -> bytes:
    return part(result, name).value.reveal()


def test_what_was_encrypted_is_decrypted_without_naming_the_key(kms: Kms, ask: Ask) -> None:
    sealed = run(ask(OperationName.ENCRYPT, "orders-db", b"hello", context=CONTEXT), kms)
    ciphertext = bytes_of(sealed, "Ciphertext")
    assert kms.decrypt(ciphertext, context=CONTEXT).plaintext.reveal() == b"hello"
    opened = run(ask(OperationName.DECRYPT, "", ciphertext, context=CONTEXT), kms)
    assert bytes_of(opened, "Plaintext") == b"hello"
    assert opened.key_arn == chosen(kms, "orders-db").arn
    assert part(opened, "Plaintext").secret
    assert not part(sealed, "Ciphertext").secret


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"])
def test_an_rsa_key_encrypts_in_kms_and_offline(kms: Kms, ask: Ask, algorithm: str) -> None:
    settings = {"algorithm": algorithm}
    for name in (OperationName.ENCRYPT, OperationName.ENCRYPT_OFFLINE):
        sealed = run(ask(name, "partner-inbox", b"hello", settings=settings), kms)
        ciphertext = bytes_of(sealed, "Ciphertext")
        opened = run(ask(OperationName.DECRYPT, "partner-inbox", ciphertext, settings=settings), kms)
        assert bytes_of(opened, "Plaintext") == b"hello"


@pytest.mark.parametrize("alias", SIGNERS)
@pytest.mark.parametrize("size", [5, 4096])
def test_a_signature_is_good_for_its_message_alone(kms: Kms, ask: Ask, alias: str, size: int) -> None:
    message = b"m" * size
    signature = Entered(part(run(ask(OperationName.SIGN, alias, message), kms), "Signature").value)
    for name in (OperationName.VERIFY, OperationName.VERIFY_OFFLINE):
        assert run(ask(name, alias, message, second=signature), kms).good is True
        other = run(ask(name, alias, message + b"!" if size < 4096 else b"x", second=signature), kms)
        assert other.good is False
        assert "NOT GOOD" in other.sentence


ECDSA = ("login-tokens", "ci-release-signing", "ledger-seal")


@pytest.mark.parametrize("alias", ECDSA)
@pytest.mark.parametrize("size", [5, 9000])
def test_an_ecdsa_signature_is_good_in_each_form(kms: Kms, ask: Ask, alias: str, size: int) -> None:
    message = b"m" * size
    signed = run(ask(OperationName.SIGN, alias, message), kms)
    names = [part.name for part in signed.parts]
    low = ["Signature with low s", "Signature as r‖s, low s"] if alias == "ledger-seal" else []
    assert names == ["Signature", "Signature as r‖s", *low]
    for each in signed.parts:
        signature = Entered(each.value)
        for name in (OperationName.VERIFY, OperationName.VERIFY_OFFLINE):
            good = run(ask(name, alias, message, second=signature), kms)
            assert good.good is True
            assert ("written as r‖s" in good.sentence) is ("r‖s" in each.name)
            bad = run(ask(name, alias, b"x", second=signature), kms)
            assert bad.good is False
            assert ("checked as the same in DER" in bad.sentence) is ("r‖s" in each.name)
    if low:
        spec = chosen(kms, alias).key
        assert spec is not None
        for form in low:
            read = read_signature(bytes_of(signed, form), spec.spec)
            assert read is not None
            assert read.is_low_s
            assert (read.form is SignatureForm.R_S) is ("r‖s" in form)


def test_a_signature_in_r_and_s_is_verified_with_one_call_in_der(ask: Ask, kms: Kms) -> None:
    signed = run(ask(OperationName.SIGN, "login-tokens", b"m"), kms)
    request = ask(
        OperationName.VERIFY, "login-tokens", b"m", second=Entered(part(signed, "Signature as r‖s").value)
    )
    assert call_of(request, Secret(b"m")).params["Signature"] == bytes_of(signed, "Signature")
    counted = CountedBackend(kms.backend)
    assert run(request, Kms(counted)).good is True
    assert counted.called == ["Verify"]


class SaysFalse(CountedBackend):
    """As moto does for a bad signature, where KMS answers an error."""

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**super().call(operation, params), "SignatureValid": False}


def test_a_signature_that_another_kms_finds_false_is_not_good(ask: Ask, kms: Kms) -> None:
    signature = Entered(part(run(ask(OperationName.SIGN, "login-tokens", b"m"), kms), "Signature").value)
    request = ask(OperationName.VERIFY, "login-tokens", b"m", second=signature)
    result = run(request, Kms(SaysFalse(kms.backend)))
    assert result.good is False
    assert result.sentence.startswith("NOT GOOD")


def test_what_is_no_ecdsa_signature_of_the_curve_is_told(kms: Kms, ask: Ask) -> None:
    for data, form in ((bytes(70), "neither DER nor r‖s, which has 64 bytes"), (bytes(64), "neither DER")):
        for name in (OperationName.VERIFY, OperationName.VERIFY_OFFLINE):
            result = run(ask(name, "login-tokens", b"m", second=Entered(Secret(data))), kms)
            assert result.good is False
            assert form in result.sentence
    result = run(ask(OperationName.VERIFY, "payments-signing", b"m", second=Entered(Secret(bytes(64)))), kms)
    assert result.sentence == "NOT GOOD: not made of this message with this key and algorithm."


@pytest.mark.parametrize("alias", sorted(set(SIGNERS) - {"login-tokens-next"}))
def test_a_message_over_the_limit_is_digested_here_and_says_so(kms: Kms, ask: Ask, alias: str) -> None:
    message = b"long" * 2000
    signed = run(ask(OperationName.SIGN, alias, message), kms)
    assert "digested here" in signed.sentence
    signature = Entered(part(signed, "Signature").value)
    public_key = PublicKey.from_api(kms.call("GetPublicKey", KeyId=f"alias/{alias}"))
    algorithm = ask(OperationName.SIGN, alias).algorithm
    assert public_key.verify(message, signature.data.reveal(), algorithm)
    for name in (OperationName.VERIFY, OperationName.VERIFY_OFFLINE):
        assert run(ask(name, alias, message, second=signature), kms).good is True
        assert run(ask(name, alias, message + b"!", second=signature), kms).good is False


def test_a_file_is_signed_without_being_read_whole(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "firmware.bin"
    file.write_bytes(b"f" * 3_000_000)
    signed = run(ask(OperationName.SIGN, "payments-signing", given=file_input(file)), kms)
    signature = Entered(part(signed, "Signature").value)
    assert (
        run(ask(OperationName.VERIFY, "payments-signing", given=file_input(file), second=signature), kms).good
        is True
    )


def test_ed25519_refuses_a_long_message_before_anything_is_sent(kms: Kms, ask: Ask) -> None:
    with pytest.raises(InputError, match="at most 4,096 bytes; here are 4,097") as caught:
        run(ask(OperationName.SIGN, "login-tokens-next", b"m" * 4097), kms)
    assert caught.value.field is InputField.INPUT
    assert "signs whole messages only" in caught.value.next_step


def test_a_message_where_a_digest_was_declared_is_refused(kms: Kms, ask: Ask) -> None:
    settings = {"message_type": "DIGEST"}
    with pytest.raises(InputError, match="takes a DIGEST of 32 bytes; here are 5") as caught:
        run(ask(OperationName.SIGN, "login-tokens", b"hello", settings=settings), kms)
    assert "Choose RAW" in caught.value.next_step


def test_a_mac_is_good_for_its_message_alone(kms: Kms, ask: Ask) -> None:
    mac = Entered(part(run(ask(OperationName.GENERATE_MAC, "mobile-api-mac", b"hello"), kms), "MAC").value)
    assert run(ask(OperationName.VERIFY_MAC, "mobile-api-mac", b"hello", second=mac), kms).good is True
    assert run(ask(OperationName.VERIFY_MAC, "mobile-api-mac", b"hullo", second=mac), kms).good is False
    with pytest.raises(InputError, match="at most 4,096 bytes"):
        run(ask(OperationName.GENERATE_MAC, "mobile-api-mac", b"m" * 4097), kms)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, 32),
        ({"data_key_spec": "AES_128"}, 16),
        ({"data_key_spec": "NumberOfBytes", "number_of_bytes": "100"}, 100),
    ],
)
def test_a_data_key_comes_in_the_clear_and_encrypted(
    kms: Kms, ask: Ask, settings: dict[str, str], size: int
) -> None:
    both = run(ask(OperationName.DATA_KEY, "s3-data-lake", settings=settings, context=CONTEXT), kms)
    data_key, encrypted = part(both, "Data key"), bytes_of(both, "Encrypted data key")
    assert len(data_key) == size
    assert data_key.secret
    assert data_key.form is Format.HEX
    assert kms.decrypt(encrypted, context=CONTEXT).plaintext.reveal() == data_key.value.reveal()
    alone = run(ask(OperationName.DATA_KEY_ENCRYPTED, "s3-data-lake", settings=settings), kms)
    assert [part.name for part in alone.parts] == ["Encrypted data key"]
    assert len(kms.decrypt(bytes_of(alone, "Encrypted data key")).plaintext) == size


@pytest.mark.parametrize("text", ["", "0", "1025", "12.5", "-3", "x", "٣"])
def test_a_number_of_bytes_that_is_none_is_refused(kms: Kms, ask: Ask, text: str) -> None:
    with pytest.raises(InputError, match="from 1 to 1,024") as caught:
        run(ask(OperationName.RANDOM, settings={"random_bytes": text}), kms)
    assert caught.value.field is InputField.SETTINGS


def test_random_bytes_need_no_key_and_are_secret(kms: Kms, ask: Ask) -> None:
    made = part(run(ask(OperationName.RANDOM, settings={"random_bytes": "48"}), kms), "Random bytes")
    assert (len(made), made.secret, made.form) == (48, True, Format.HEX)


def test_a_key_pair_comes_with_and_without_its_private_key(kms: Kms, ask: Ask) -> None:
    settings = {"key_pair_spec": "ECC_NIST_P256"}
    pair = run(ask(OperationName.KEY_PAIR, "sandbox", settings=settings), kms)
    opened = kms.decrypt(bytes_of(pair, "Encrypted private key")).plaintext.reveal()
    assert opened == bytes_of(pair, "Private key")
    assert part(pair, "Private key").secret
    assert PublicKey(bytes_of(pair, "Public key")).jwk()["crv"] == "P-256"
    encrypted = run(ask(OperationName.KEY_PAIR_ENCRYPTED, "sandbox", settings=settings), kms)
    assert [part.name for part in encrypted.parts] == ["Encrypted private key", "Public key"]


def test_two_sides_derive_one_secret(kms: Kms, ask: Ask) -> None:
    mine = bytes_of(run(ask(OperationName.PUBLIC_KEY, "device-enrolment"), kms), "DER")
    other = kms.create_key(spec="ECC_NIST_P384", usage="KEY_AGREEMENT")
    kms.create_alias("alias/other-side", other.arn)
    theirs = bytes_of(run(ask(OperationName.PUBLIC_KEY, "other-side"), kms), "DER")
    here = run(ask(OperationName.DERIVE, "device-enrolment", theirs), kms)
    there = run(ask(OperationName.DERIVE, "other-side", mine), kms)
    assert bytes_of(here, "Shared secret") == bytes_of(there, "Shared secret")


def test_what_was_encapsulated_is_decapsulated(kms: Kms, ask: Ask) -> None:
    made = run(ask(OperationName.ENCAPSULATE, "transport-pq"), kms)
    got = run(ask(OperationName.DECAPSULATE, "transport-pq", bytes_of(made, "Encrypted secret")), kms)
    assert bytes_of(got, "Shared secret") == bytes_of(made, "Shared secret")
    assert part(got, "Shared secret").secret


def test_a_public_key_comes_in_every_form(kms: Kms, ask: Ask) -> None:
    made = run(ask(OperationName.PUBLIC_KEY, "login-tokens"), kms)
    assert [part.name for part in made.parts] == ["PEM", "DER", "JWK", "SSH line"]
    assert [fact.label for fact in made.facts] == ["Fingerprint", "SSH", "Thumbprint", "Key spec"]
    for each in made.parts:  # and each is read again as the public key to derive with
        given = each.value.reveal()
        assert read_public_key(given).key.der == bytes_of(made, "DER")
    rsa = run(ask(OperationName.PUBLIC_KEY, "payments-signing"), kms)
    assert [part.name for part in rsa.parts] == ["PEM", "DER", "JWK", "SSH line", "PKCS #1"]
    assert json.loads(bytes_of(made, "JWK"))["crv"] == "P-256"
    assert bytes_of(made, "PEM").startswith(b"-----BEGIN PUBLIC KEY-----")
    without = run(ask(OperationName.PUBLIC_KEY, "transport-pq"), kms)
    assert [part.name for part in without.parts] == ["PEM", "DER"]


# Envelope encryption


def test_text_over_the_limit_is_sealed_in_the_encryption_sdks_format(kms: Kms, ask: Ask) -> None:
    text = b"t" * 4097
    sealed = run(ask(OperationName.ENCRYPT, "orders-db", text, context=CONTEXT), kms)
    assert "Envelope encryption" in sealed.sentence
    assert any("Asked KMS for a new data key" in step for step in sealed.steps)
    assert sealed.steps[-1] == "Forgot the data key."
    message = bytes_of(sealed, "Sealed message")
    opened = run(ask(OperationName.DECRYPT, "", message), kms)
    assert bytes_of(opened, "Plaintext") == text
    assert opened.key_arn == chosen(kms, "orders-db").arn


def test_exactly_4096_bytes_are_encrypted_by_kms_itself(kms: Kms, ask: Ask) -> None:
    sealed = run(ask(OperationName.ENCRYPT, "orders-db", b"t" * 4096), kms)
    assert kms.decrypt(bytes_of(sealed, "Ciphertext")).plaintext.reveal() == b"t" * 4096


def test_an_rsa_key_refuses_what_it_cannot_encrypt(kms: Kms, ask: Ask) -> None:
    for name in (OperationName.ENCRYPT, OperationName.ENCRYPT_OFFLINE):
        with pytest.raises(InputError, match="RSAES_OAEP_SHA_256 has at most 190 bytes; here are 191"):
            run(ask(name, "partner-inbox", b"t" * 191), kms)


def test_a_file_is_sealed_into_a_file_and_opened_into_another(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    source, sealed, opened = (tmp_path / name for name in ("dump.sql", "dump.sql.encrypted", "again"))
    source.write_bytes(b"x" * 2_500_000)
    result = run(ask(OperationName.ENCRYPT, "orders-db", given=file_input(source), target=sealed), kms)
    assert not result.parts
    assert str(sealed) in result.sentence
    run(ask(OperationName.DECRYPT, "", given=file_input(sealed), target=opened), kms)
    assert opened.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("form", [Format.BASE64, Format.HEX])
@pytest.mark.parametrize("size", [5_000, 60_000])
def test_a_sealed_file_that_was_written_down_as_text_is_opened(
    kms: Kms, ask: Ask, tmp_path: Path, form: Format, size: int
) -> None:
    source, sealed, opened = (tmp_path / name for name in ("a", "b", "c"))
    source.write_bytes(b"x" * size)
    run(ask(OperationName.ENCRYPT, "orders-db", given=file_input(source), target=sealed), kms)
    sealed.write_text(encode(sealed.read_bytes(), form) + "\r\n", encoding="ascii")
    run(ask(OperationName.DECRYPT, "", given=file_input(sealed), target=opened), kms)
    assert opened.read_bytes() == source.read_bytes()
    shown = run(ask(OperationName.DECRYPT, "", given=file_input(sealed)), kms)
    assert bytes_of(shown, "Plaintext") == source.read_bytes()


def test_a_file_altered_by_one_bit_gives_nothing(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    source, sealed, opened = (tmp_path / name for name in ("a", "b", "c"))
    source.write_bytes(b"x" * 5000)
    run(ask(OperationName.ENCRYPT, "orders-db", given=file_input(source), target=sealed), kms)
    content = bytearray(sealed.read_bytes())
    content[-1] ^= 1
    sealed.write_bytes(content)
    with pytest.raises(Exception, match="altered since it was sealed"):
        run(ask(OperationName.DECRYPT, "", given=file_input(sealed), target=opened), kms)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_small_file_without_a_target_is_worked_on_like_text(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    source = tmp_path / "note.txt"
    source.write_bytes(b"hello")
    sealed = run(ask(OperationName.ENCRYPT, "orders-db", given=file_input(source)), kms)
    saved = tmp_path / "note.b64"
    saved.write_text(encode(bytes_of(sealed, "Ciphertext"), Format.BASE64) + "\n")
    opened = run(ask(OperationName.DECRYPT, "", given=file_input(saved)), kms)
    assert bytes_of(opened, "Plaintext") == b"hello"


def test_a_large_file_needs_a_place_for_its_result(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    source = tmp_path / "dump.sql"
    source.write_bytes(b"x" * 2_000_000)
    with pytest.raises(InputError, match="too long to be shown") as caught:
        run(ask(OperationName.ENCRYPT, "orders-db", given=file_input(source)), kms)
    assert caught.value.field is InputField.TARGET


def test_a_vanished_file_is_named(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    given = FromFile(tmp_path / "gone.txt", 10)
    with pytest.raises(Exception, match=r"gone\.txt could not be read: No such file"):
        run(ask(OperationName.ENCRYPT, "orders-db", given=given), kms)


def test_a_large_file_that_is_no_message_is_not_sent(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    for size in (7000, 2_000_000):
        file.write_bytes(b"\xff" * size)
        with pytest.raises(InputError, match=f"not an Encryption SDK message; {size:,} bytes"):
            run(ask(OperationName.DECRYPT, "", given=file_input(file)), kms)


# Re-encrypting


def test_a_ciphertext_moves_to_another_key_and_context(kms: Kms, ask: Ask) -> None:
    ciphertext = kms.encrypt("alias/orders-db", Secret(b"hello"), context=CONTEXT).ciphertext
    destination = Destination(chosen(kms, "invoices"), {"tenant": "43"})
    request = ask(OperationName.RE_ENCRYPT, "", ciphertext, context=CONTEXT, destination=destination)
    moved = run(request, kms)
    opened = kms.decrypt(bytes_of(moved, "Ciphertext"), context={"tenant": "43"})
    assert opened.plaintext.reveal() == b"hello"
    assert opened.key_arn == chosen(kms, "invoices").arn
    assert [part.name for part in moved.parts] == ["Ciphertext"]


def test_a_ciphertext_moves_to_an_rsa_key_by_its_best_algorithm(kms: Kms, ask: Ask) -> None:
    ciphertext = kms.encrypt("alias/orders-db", Secret(b"hello")).ciphertext
    destination = Destination(chosen(kms, "partner-inbox"), {})
    moved = run(ask(OperationName.RE_ENCRYPT, "", ciphertext, destination=destination), kms)
    opened = kms.decrypt(
        bytes_of(moved, "Ciphertext"), key="alias/partner-inbox", algorithm="RSAES_OAEP_SHA_256"
    )
    assert opened.plaintext.reveal() == b"hello"


def test_a_move_to_another_region_shows_its_steps_and_not_the_plaintext(kms: Kms, ask: Ask) -> None:
    there = kms.in_region("us-east-1")
    there.create_alias(
        "alias/orders-us", there.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").arn
    )
    ciphertext = kms.encrypt("alias/orders-db", Secret(b"hello"), context=CONTEXT).ciphertext
    destination = Destination(chosen(there, "orders-us"), CONTEXT)
    request = ask(OperationName.RE_ENCRYPT, "", ciphertext, context=CONTEXT, destination=destination)
    moved = run(request, kms)
    assert there.decrypt(bytes_of(moved, "Ciphertext"), context=CONTEXT).plaintext.reveal() == b"hello"
    assert [step.split(" ")[0] for step in moved.steps] == ["Decrypted", "Encrypted", "Forgot"]
    assert "eu-west-1 to us-east-1" in moved.sentence
    assert [part.name for part in moved.parts] == ["Ciphertext"]


@pytest.mark.parametrize("name_key", [True, False])
def test_a_multi_region_key_needs_no_move(kms: Kms, ask: Ask, name_key: bool) -> None:
    there = kms.in_region("us-west-2")
    arn = chosen(kms, "global-config").arn
    if not any(alias.name == "alias/global-config" for alias in there.aliases()):
        kms.call("ReplicateKey", KeyId=arn, ReplicaRegion="us-west-2")
        there.create_alias("alias/global-config", arn.rpartition("/")[2])
    ciphertext = kms.encrypt(arn, Secret(b"hello")).ciphertext
    destination = Destination(chosen(there, "global-config"), {})
    alias = "global-config" if name_key else ""
    result = run(ask(OperationName.RE_ENCRYPT, alias, ciphertext, destination=destination), kms)
    assert "No move is needed" in result.sentence
    assert not result.parts
    assert there.decrypt(ciphertext).plaintext.reveal() == b"hello"


def test_an_encryption_sdk_message_is_not_re_encrypted(kms: Kms, ask: Ask) -> None:
    message = bytes_of(run(ask(OperationName.ENCRYPT, "orders-db", b"t" * 5000), kms), "Sealed message")
    destination = Destination(chosen(kms, "invoices"), {})
    with pytest.raises(InputError, match="which KMS cannot re-encrypt"):
        run(ask(OperationName.RE_ENCRYPT, "", message, destination=destination), kms)


# Refusals


def test_what_is_missing_is_asked_for_where_it_is_missing(kms: Kms, ask: Ask) -> None:
    missing = [
        (ask(OperationName.ENCRYPT, "", b"x"), InputField.KEY),
        (ask(OperationName.ENCRYPT, "orders-db"), InputField.INPUT),
        (ask(OperationName.ENCRYPT, "orders-db", b""), InputField.INPUT),
        (ask(OperationName.DECRYPT), InputField.INPUT),
        (ask(OperationName.VERIFY, "login-tokens", b"x"), InputField.SECOND),
        (
            ask(OperationName.VERIFY, "login-tokens", b"x", second=Entered(Secret(b"s" * 13_000))),
            InputField.SECOND,
        ),
        (ask(OperationName.RE_ENCRYPT, "", b"x"), InputField.DESTINATION),
        (ask(OperationName.DERIVE, "device-enrolment"), InputField.INPUT),
    ]
    for request, field in missing:
        with pytest.raises(InputError) as caught:
            run(request, kms)
        assert caught.value.field is field
        assert str(caught.value).endswith(".")


def test_a_disabled_keys_refusal_is_kmss_own(kms: Kms, ask: Ask) -> None:
    with pytest.raises(ServiceError, match="is disabled"):
        run(ask(OperationName.ENCRYPT, "chat-archive", b"x"), kms)


def test_no_repr_shows_content(kms: Kms, ask: Ask) -> None:
    request = ask(OperationName.ENCRYPT, "orders-db", b"swordfish")
    result = run(ask(OperationName.DECRYPT, "", bytes_of(run(request, kms), "Ciphertext")), kms)
    assert "swordfish" not in repr(request) + repr(result)
