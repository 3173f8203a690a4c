from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.formats import Format, FormatError, decode, detect, encode, hex_dump, is_text, readings

LOSSLESS = (Format.HEX, Format.BASE64, Format.BASE64URL)
relaxed = settings(max_examples=150, deadline=None)


@relaxed
@given(st.binary(max_size=200), st.sampled_from(LOSSLESS))
def test_bytes_come_back_from_every_lossless_format(data: bytes, form: Format) -> None:
    assert decode(encode(data, form), form) == data


@relaxed
@given(st.binary(max_size=200))
def test_bytes_come_back_from_text_or_text_refuses_them(data: bytes) -> None:
    if is_text(data):
        assert decode(encode(data, Format.TEXT), Format.TEXT) == data
    else:
        with pytest.raises(FormatError):
            encode(data, Format.TEXT)


@relaxed
@given(st.text(alphabet=string.hexdigits + "+/-_= \n:x", max_size=24), st.sampled_from(LOSSLESS))
def test_what_was_read_is_written_back_but_for_case_spacing_and_padding(text: str, form: Format) -> None:
    try:
        data = decode(text, form)
    except FormatError:
        return
    written = encode(data, form)
    if form is Format.HEX:
        read = "".join(text.lower().split()).replace(":", "").removeprefix("0x")
    else:
        read = "".join(text.split())
    assert written.rstrip("=") == read.rstrip("=")


@relaxed
@given(st.text(max_size=24), st.sampled_from(LOSSLESS))
def test_whatever_is_typed_is_read_or_refused_at_a_position_within_it(text: str, form: Format) -> None:
    if form in readings(text):
        decode(text, form)
    elif text.strip():
        with pytest.raises(FormatError) as caught:
            decode(text, form)
        assert 0 <= caught.value.position <= len(text)


@relaxed
@given(st.binary(min_size=1, max_size=64), st.sampled_from(LOSSLESS))
def test_what_a_lossless_format_wrote_is_recognised_as_it(data: bytes, form: Format) -> None:
    assert form in readings(encode(data, form))


@relaxed
@given(st.binary(max_size=64))
def test_a_wrapped_base64_is_read_like_a_straight_one(data: bytes) -> None:
    assert decode(base64.encodebytes(data).decode(), Format.BASE64) == data


@pytest.mark.parametrize(
    ("text", "form", "position"),
    [
        ("abc", Format.HEX, 2),
        ("ab c", Format.HEX, 3),
        ("ab zz", Format.HEX, 3),
        ("0xag", Format.HEX, 3),
        ("aGVsbG8", Format.BASE64, 7),
        ("aGVs bG8", Format.BASE64, 8),
        ("aGVs-G8=", Format.BASE64, 4),
        ("aGVs+G8", Format.BASE64URL, 4),
        ("aG=sbG8=", Format.BASE64, 2),
        ("aGVsbG8===", Format.BASE64, 7),
        ("AB==", Format.BASE64, 1),
        ("AAB=", Format.BASE64URL, 2),
        ("AAAAA", Format.BASE64URL, 5),
        ("AAA==", Format.BASE64URL, 5),
        ("aGVs\u00a0bG8=", Format.BASE64, 4),
        ("ok \ud800", Format.TEXT, 3),
    ],
)
def test_a_mistake_is_named_by_its_position(text: str, form: Format, position: int) -> None:
    with pytest.raises(FormatError) as caught:
        decode(text, form)
    assert caught.value.position == position


def test_an_error_never_repeats_the_content() -> None:
    with pytest.raises(FormatError) as caught:
        decode("hunter2", Format.HEX)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("content", "expect_binary", "form"),
    [
        ("deadbeef", False, Format.TEXT),
        ("deadbeef", True, Format.HEX),
        ("de:ad:be:ef\n", True, Format.HEX),
        ("0xDEAD", True, Format.HEX),
        ("aGVsbG8=", True, Format.BASE64),
        ("aGVsbG8", True, Format.BASE64URL),
        ("_-__", True, Format.BASE64URL),
        ("plain words", True, Format.TEXT),
        ("", True, Format.TEXT),
        (b"caf\xc3\xa9\n", False, Format.TEXT),
        (b"aGVsbG8=\n", True, Format.BASE64),
        (b"\x01\x02", False, Format.BINARY),
        (b"\x01\x02", True, Format.BINARY),
        (b"\xff", True, Format.BINARY),
    ],
)
def test_detection(content: str | bytes, expect_binary: bool, form: Format) -> None:
    assert detect(content, expect_binary=expect_binary) is form


@pytest.mark.parametrize("control", ["\x00", "\x1b", "\x7f", "\x85", "\x9b"])
def test_control_characters_are_never_shown_as_text(control: str) -> None:
    data = f"é{control}".encode()
    assert not is_text(data)
    with pytest.raises(FormatError) as caught:
        encode(data, Format.TEXT)
    assert caught.value.position == 2
    assert control not in encode(data, Format.BINARY)


def test_tabs_and_line_ends_are_text() -> None:
    assert is_text(b"a\tb\r\nc\n")


def test_bytes_that_are_no_text_name_the_first_wrong_byte() -> None:
    with pytest.raises(FormatError, match="Byte 3 ") as caught:
        encode(b"ok\xff", Format.TEXT)
    assert caught.value.position == 2


def test_a_file_of_base64_is_decoded_as_its_text_would_be() -> None:
    assert decode(b"aGVsbG8=\n", Format.BASE64) == b"hello"
    assert decode(b"\xff\x00", Format.BINARY) == b"\xff\x00"
    assert decode(b"\xff\x00", Format.TEXT) == b"\xff\x00"


def test_binary_cannot_be_typed() -> None:
    with pytest.raises(FormatError) as caught:
        decode("abc", Format.BINARY)
    assert "file" in caught.value.next_step


def test_hex_dump_is_that_of_hexdump() -> None:
    lines = list(hex_dump(bytes(range(0x30, 0x42)), start=0x20))
    assert lines == [
        "00000020  30 31 32 33 34 35 36 37  38 39 3a 3b 3c 3d 3e 3f  |0123456789:;<=>?|",
        "00000030  40 41                                             |@A|",
    ]


@relaxed
@given(st.binary(max_size=100))
def test_a_hex_dump_is_printable_and_complete(data: bytes) -> None:
    lines = list(hex_dump(data))
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert bytes.fromhex("".join(line[10:58] for line in lines)) == data
