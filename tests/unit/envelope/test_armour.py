"""Text that carries a message, decoded as it is read, wherever a read or a chunk ends."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.envelope import header
from kms_tui.envelope.errors import UnreadableTextError
from kms_tui.envelope.header import DecodedText

_WRITERS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda data: base64.b64encode(data).decode(),
    "hex": lambda data: "0x" + data.hex(),
}


def test_base64_without_its_padding_is_read() -> None:
    for size in range(7):
        text = base64.urlsafe_b64encode(b"\xff" * size).rstrip(b"=")
        assert _read(text, "base64", "utf-8", 4, 3) == b"\xff" * size


def _read(text: bytes, digits: str, encoding: str, chunk: int, size: int) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(header, "_CHUNK", chunk)
        stream = DecodedText(io.BytesIO(text), encoding, digits)
        return b"".join(iter(lambda: stream.read(size), b""))


@given(
    st.binary(max_size=60),
    st.sampled_from(sorted(_WRITERS)),
    st.sampled_from(["utf-8", "utf-16", "utf-16-be"]),
    st.sampled_from(["", '"', "'"]),
    st.integers(1, 20),
    st.integers(4, 40),
    st.integers(1, 70),
)
def test_what_was_written_is_read(
    data: bytes, digits: str, encoding: str, quote: str, width: int, chunk: int, size: int
) -> None:
    text = _WRITERS[digits](data)
    lines = [text[:2], *(text[at : at + width] for at in range(2, len(text), width))]
    written = f" {quote}{chr(10).join(lines)}{quote}{chr(13)}{chr(10)}".encode(encoding)
    assert _read(written, digits, encoding, chunk, size) == data


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        ("base64", "AAAAA"),
        ("base64", "AA==AAAA"),
        ("base64", "AA="),
        ("base64", "AA!A"),
        ("base64", "éAAA"),
        ("base64", '"AAAA'),
        ("base64", '"AAAA"AAAA'),
        ("base64", '"AAAA""'),
        ("base64", 'AAAA"'),
        ("hex", "0"),
        ("hex", "000"),
        ("hex", "0g"),
        ("hex", "000x"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_what_is_not_right_to_its_end_is_refused(digits: str, text: str, chunk: int) -> None:
    with pytest.raises(UnreadableTextError):
        _read(text.encode(), digits, "utf-8", chunk, 100)
