"""The JSON reader agrees with the standard library where that is strict, and keeps places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy import json_reader
from kms_tui.policy.json_reader import Array, Constant, Lines, Number, Object, ScanError, String, Value
from tests.unit.policy.build import RELAXED

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=25,
)


def _plain(value: Value) -> Any:
    match value:
        case Object(members, _):
            return {member.key.value: _plain(member.value) for member in members}
        case Array(items, _):
            return [_plain(item) for item in items]
        case String(text, _) | Constant(text, _):
            return text
        case Number(text, _):
            return json.loads(text)


@given(documents, st.sampled_from([None, 0, 1, "\t"]), st.booleans())
@settings(RELAXED, max_examples=150)
def test_every_document_reads_as_the_standard_library_reads_it(
    document: Any, indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    assert _plain(json_reader.read(text)) == document


@given(documents, st.data())
@settings(RELAXED, max_examples=150)
def test_a_damaged_document_is_read_only_if_the_standard_library_reads_it(
    document: Any, data: st.DataObject
) -> None:
    text = json.dumps(document)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    damaged = text[:start] + data.draw(st.text(alphabet='{}[]",:0e-.\\nul ', max_size=3)) + text[end:]
    try:
        found = _plain(json_reader.read(damaged))
    except ScanError:
        return
    assert found == json.loads(damaged)


@given(st.text())
@settings(RELAXED, max_examples=150)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        span = json_reader.read(text).span
    except ScanError as error:
        span = error.span
    assert 0 <= span.start <= span.end <= len(text)


def test_a_duplicate_name_is_told_where_it_is_given_again() -> None:
    with pytest.raises(ScanError) as caught:
        json_reader.read('{"a": 1, "\\u0061": 2}')
    assert caught.value.rule == "duplicate-key"
    assert caught.value.span == (9, 17)


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("", 0, (1, 1)),
        ("ab", 2, (1, 3)),
        ("a\nb", 2, (2, 1)),
        ("a\r\nb", 3, (2, 1)),
        ("a\rb", 2, (2, 1)),
        ("\n\n", 2, (3, 1)),
        ("a\u2028b", 2, (1, 3)),
    ],
)
def test_lines_and_columns_count_from_one(text: str, offset: int, place: tuple[int, int]) -> None:
    assert Lines(text).place(offset) == place
