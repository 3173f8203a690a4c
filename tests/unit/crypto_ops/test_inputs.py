"""From what was typed, pasted or named to bytes, and the sentences where that fails."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.atomic import FileError
from kms_tui.crypto_ops.inputs import (
    Entered,
    FromFile,
    InputError,
    InputField,
    context_from_json,
    context_from_rows,
    context_text,
    detected_format,
    file_input,
    other_formats,
    read_text,
    read_whole,
)
from kms_tui.crypto_ops.scratchpad_operations import Role
from kms_tui.formats import Format, FormatError, encode
from kms_tui.kms.model import Secret
from kms_tui.public_key import PublicKey
from kms_tui.signing.pasted_kinds import kind_of_bytes


@given(
    data=st.binary(min_size=1).filter(lambda data: kind_of_bytes(data) is None),
    form=st.sampled_from([Format.BASE64, Format.BASE64URL, Format.HEX]),
)
def test_binary_inputs_round_trip_in_every_written_form(data: bytes, form: Format) -> None:
    assert read_text(encode(data, form), form, Role.CIPHERTEXT).data.reveal() == data


@given(data=st.binary(min_size=16).filter(lambda data: kind_of_bytes(data) is None))
def test_a_pasted_ciphertext_is_read_as_what_it_was_written_in(data: bytes) -> None:
    text = f"\n{encode(data, Format.BASE64)}\n"
    assert read_text(text, detected_format(text, Role.CIPHERTEXT), Role.CIPHERTEXT).data.reveal() in (
        data,
        bytes.fromhex(text) if detected_format(text, Role.CIPHERTEXT) is Format.HEX else data,
    )


def test_plaintext_is_text_even_where_it_could_be_something_else() -> None:
    assert detected_format("deadbeef", Role.PLAINTEXT) is Format.TEXT
    assert other_formats("deadbeef", Format.TEXT) == (Format.HEX, Format.BASE64, Format.BASE64URL)
    assert detected_format("deadbeef", Role.SIGNATURE) is Format.HEX


@pytest.mark.parametrize("form", [Format.HEX, Format.BASE64, Format.BASE64URL])
@given(digest=st.binary(min_size=32, max_size=32))
def test_a_digest_is_read_in_the_form_in_which_it_has_its_length(form: Format, digest: bytes) -> None:
    text = encode(digest, form)
    read = read_text(text, detected_format(text, Role.MESSAGE, 32), Role.MESSAGE)
    assert read.data.reveal() == digest


def test_what_is_no_digest_in_any_form_stays_text() -> None:
    assert detected_format("hello", Role.MESSAGE, 32) is Format.TEXT
    assert detected_format("x" * 32, Role.MESSAGE, 32) is Format.TEXT
    assert detected_format("ab" * 32, Role.MESSAGE) is Format.TEXT


def test_text_is_no_ciphertext() -> None:
    for text, why in (
        ("hello!", "As base64: Character 6 is not in the base64 alphabet."),
        ("QUJDRA=x", "As base64: The = at character 7 is not at the end"),
        ("QUJDR", "As base64: Base64 comes in groups of 4 characters; here are 5"),
        ("abcde", "As hex: Hex has two digits a byte; there is one missing or too many at character 5."),
    ):
        with pytest.raises(FormatError) as caught:
            read_text(text, detected_format(text, Role.SIGNATURE), Role.SIGNATURE)
        assert str(caught.value).startswith(f"This is not a signature in base64 or hex. {why}")
    with pytest.raises(FormatError, match="This is not a MAC"):
        read_text("hello!", Format.TEXT, Role.MAC)


def test_a_public_key_is_read_from_pem_and_from_base64() -> None:
    key = PublicKey.of(ec.generate_private_key(ec.SECP384R1()).public_key())
    der, pem = key.der, key.pem
    assert read_text(f"  {pem}\n", Format.TEXT, Role.PUBLIC_KEY).data.reveal() == der
    assert read_text(base64.b64encode(der).decode(), Format.BASE64, Role.PUBLIC_KEY).data.reveal() == der
    for text, form in ((json.dumps(key.jwk()), "JWK"), (key.ssh_line("me@host"), "OpenSSH line")):
        read = read_text(text, detected_format(text, Role.PUBLIC_KEY), Role.PUBLIC_KEY)
        assert (read.data.reveal(), read.origin) == (der, form)


def test_a_public_key_that_only_kms_may_know_goes_on_as_it_is(tmp_path: Path) -> None:
    odd = b"\x30\x03\x02\x01\x00"
    assert read_text(odd.hex(), Format.HEX, Role.PUBLIC_KEY).data.reveal() == odd
    (tmp_path / "k.der").write_bytes(odd)
    assert read_whole(file_input(tmp_path / "k.der"), Role.PUBLIC_KEY).reveal() == odd


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-----BEGIN PUBLIC KEY-----\nMAMC", "not whole"),
        ("-----BEGIN CERTIFICATE-----\nMAMC\n-----END CERTIFICATE-----", "is cut, damaged or something else"),
        ("-----BEGIN PUBLIC KEY-----\nMAM\n-----END PUBLIC KEY-----", "its content is not base64"),
    ],
)
def test_a_broken_pem_is_told(text: str, sentence: str) -> None:
    with pytest.raises(FormatError, match=sentence):
        read_text(text, Format.TEXT, Role.PUBLIC_KEY)


def test_a_file_of_a_written_ciphertext_is_decoded_and_one_of_text_is_not(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(base64.b64encode(b"\x01\x02\x03\xff").decode() + "\n")
    assert read_whole(file_input(file), Role.CIPHERTEXT).reveal() == b"\x01\x02\x03\xff"
    assert read_whole(file_input(file), Role.PLAINTEXT).reveal() == file.read_bytes()
    file.write_bytes(b"\x01\x02\xff")
    assert read_whole(file_input(file), Role.CIPHERTEXT).reveal() == b"\x01\x02\xff"


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="could not be read: No such file"):
        file_input(tmp_path / "gone")
    with pytest.raises(FileError, match="it is a directory"):
        file_input(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="it is not a regular file"):
        file_input(tmp_path / "pipe")
    with pytest.raises(FileError, match="could not be read"):
        read_whole(FromFile(tmp_path / "gone", 1), Role.PLAINTEXT)


def test_what_was_entered_is_secret_in_every_repr() -> None:
    assert "swordfish" not in repr(Entered(Secret(b"swordfish")))


def test_a_context_comes_from_rows_without_the_empty_ones() -> None:
    assert context_from_rows([("a", "1"), ("", ""), ("b", "")]) == {"a": "1", "b": ""}
    with pytest.raises(InputError, match="Row 2 of the context has a value but no name"):
        context_from_rows([("a", "1"), ("", "2")])
    with pytest.raises(InputError, match="the name a twice") as caught:
        context_from_rows([("a", "1"), ("a", "2")], InputField.DESTINATION_CONTEXT)
    assert caught.value.field is InputField.DESTINATION_CONTEXT


@given(context=st.dictionaries(st.text(), st.text()))
def test_a_context_comes_from_json(context: dict[str, str]) -> None:
    assert context_from_json(json.dumps(context)) == context


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "This is not JSON: line 1, column 2"),
        ("[]", "A context is a JSON object"),
        ('{"a": 1}', "The value of a is not a string"),
        ('{"a": "1", "a": "2"}', 'the member "a" is given twice'),
    ],
)
def test_json_that_is_no_context_is_told(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        context_from_json(text)


def test_a_context_in_words() -> None:
    assert context_text({}) == "none"
    assert context_text({"a": "1", "b": "2"}) == "a=1, b=2"
