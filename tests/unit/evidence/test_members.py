"""Members by their path, in answers of any shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.evidence.scan_task import text, values
from kms_tui.evidence.scanners import SCANNERS

_ANSWER = {
    "Rules": [{"Default": {"Key": "a"}}, {"Default": {"Key": "b"}}, {}],
    "Tags": [{"Key": "team", "Value": "data"}, {"Key": "Name", "Value": "lake"}],
    "Table": None,
    "Count": 3,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Rules[].Default.Key", ["a", "b"]),
        ("Tags[?Key=='Name'].Value", ["lake"]),
        ("Tags[?Key=='Owner'].Value", []),
        ("Table.SSEDescription.Key", []),
        ("Count.Key", []),
        ("Count", [3]),
        ("", [_ANSWER]),
    ],
)
def test_a_path_goes_through_lists_and_stops_at_what_is_missing(path: str, found: list[Any]) -> None:
    assert list(values(_ANSWER, path)) == found


def test_a_text_is_the_first_one_and_nothing_else_is_a_text() -> None:
    assert text(_ANSWER, "Rules[].Default.Key") == "a"
    assert text(_ANSWER, "Count") == ""


_MEMBERS = ("Rules", "Default", "Tags", "Key", "Name", "Value")
_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_no_shape_of_an_answer_breaks_a_path(answer: Any) -> None:
    for path in ("Rules[].Default.Key", "Tags[?Key=='Name'].Value", *(scanner.name for scanner in SCANNERS)):
        assert isinstance(text(answer, path), str)
