"""Seeds as YAML, JSON, TOML and Python's values: what they hold, and what no reader takes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.atomic import FileError
from kms_tui.seed.seed_document import SeedError, dotted
from kms_tui.seed.seed_text import MAX_BYTES, from_mapping, read_bytes, read_file, read_text
from tests.unit.seed.seeds import problems

_TEXTS = st.text(max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_TEXTS, _VALUES, max_size=3))
def test_json_and_yaml_hold_what_was_written(data: dict[str, object]) -> None:
    assert read_text(json.dumps(data), "seed.json").data == data
    assert read_text("# YAML\n" + yaml.safe_dump(data), "seed.yaml").data == data


def test_plain_scalars_are_those_of_json_and_the_rest_are_texts() -> None:
    text = """
account: 012345678901
number: 17
size: 1.5
yes: yes
when: 2026-01-01
nothing:
no: ~
hexadecimal: 11111111111111111111111111111111
exponent: 12345678901234e5678
quoted: "1"
"""
    assert read_text(text, "seed.yaml").data == {
        "account": "012345678901",
        "number": 17,
        "size": 1.5,
        "yes": "yes",
        "when": "2026-01-01",
        "nothing": None,
        "no": None,
        "hexadecimal": "1" * 32,
        "exponent": "12345678901234e5678",
        "quoted": "1",
    }


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("s.yaml", "keys:\n  - id: x\n  - tags:\n      a: b\n", 4),
        ("s.json", '{"keys": [{"id": "x"},\n\n{"tags":\n {"a": "b"}}]}', 4),
        ("s.toml", '[[keys]]\nid = "x"\n# more\n[[keys]]\n[keys.tags]\na = "b"\n', 6),
    ],
)
def test_members_have_the_line_where_they_stand(name: str, text: str, line: int) -> None:
    document = read_text(text, name)
    assert document.data == {"keys": [{"id": "x"}, {"tags": {"a": "b"}}]}
    assert document.place(("keys", 1, "tags", "a")) == f"{name}, line {line}: keys[1].tags.a"


def test_lines_of_any_length_are_looked_at_in_time() -> None:
    text = "a = '" + " " * 2_000_000 + "'\n[" + " " * 2_000_000 + "b]\nc = 1\n"
    assert read_text(text, "s.toml").data["b"] == {"c": 1}


def test_json_that_is_no_yaml_is_read_all_the_same() -> None:
    document = read_text('{\t"a": "\\/ \\ud83d\\ude00"}', "s.json")
    assert document.data == {"a": "/ 😀"}
    assert read_text("{a: 1, b: [x]}", "the seed").data == {"a": 1, "b": ["x"]}


def test_moments_of_toml_and_python_are_texts() -> None:
    assert read_text("day = 2026-01-02\nat = 2026-01-02T03:04:05Z\n", "s.toml").data == {
        "day": "2026-01-02",
        "at": "2026-01-02T03:04:05+00:00",
    }
    given_values = {"day": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "list": (1,)}
    assert from_mapping(given_values, "the seed").data == {
        "day": "2026-01-02",
        "at": "2026-01-02T03:04:05+00:00",
        "list": [1],
    }


def test_an_alias_stands_for_its_value() -> None:
    assert read_text("a: &all {x: 1}\nb: [*all, *all]\n", "s.yaml").data["b"] == [{"x": 1}, {"x": 1}]


_BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: {", "line 2, column 2 is no YAML: did not find expected ',' or ']'"),
        ("a: 1\na: 2\nb: {c: 1, c: 2}", "line 2: a is there twice"),
        (
            "keys: !!python/object:os.system []",
            "line 1: the tag tag:yaml.org,2002:python/object:os.syste is not read; leave it out",
        ),
        ("a: *b", "line 1: *b stands for nothing"),
        ("a: 1\n---\nb: 1", "line 2: a second document begins here; a seed is one"),
        ("[a]: 1", "line 1: a name must be a text"),
        ('a: "\\ud800"', "line 1, column 7 is no YAML: found invalid Unicode character escape code"),
        ("a: \ud800", "the seed has half of a character (U+D800 to U+DFFF)"),
        (_BOMB, "the seed has more than 500,000 values"),
        ("a: " + "[" * 60 + "]" * 60, "line 1: it is nested too deeply"),
        ("a: &a [*a]", "line 1: *a stands for nothing"),
        ("a: \x07", "the seed is no YAML: control characters are not allowed"),
    ],
)
def test_what_is_no_yaml(text: str, problem: str) -> None:
    assert problems(lambda: read_text(text, "the seed"))[0] == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1,}', "s.json, line 1, column 9 is no JSON: Illegal trailing comma before end of object"),
        ('{"a": 1, "a": 2}', "s.json: an object has the member a twice"),
        (f'{{"a": {"9" * 5000}}}', "s.json is no JSON: a number has 5,000 digits"),
        ('{"a": NaN}', "s.json is no JSON: NaN is no number of JSON"),
        ('{"a": "\\ud800"}', "s.json: a has half of a character (U+D800 to U+DFFF)"),
        ("[" * 100_000, "s.json is nested too deeply"),
        ('{"a":' * 60 + "1" + "}" * 60, "s.json is nested too deeply"),
        ("", "s.json, line 1, column 1 is no JSON: Expecting value"),
    ],
)
def test_what_is_no_json(text: str, problem: str) -> None:
    found = problems(lambda: read_text(text, "s.json"))[0]
    # Python 3.13 has other words for a comma too many.
    assert found == problem or ("comma" in problem and found.startswith("s.json, line 1, column "))


def test_what_is_no_toml() -> None:
    assert problems(lambda: read_text("a = ", "s.toml"))[0].startswith("s.toml is no TOML: Invalid value")
    assert problems(lambda: read_text("a = " + "9" * 5000, "s.toml")) == [
        "s.toml is no TOML: a number in it is too long"
    ]
    assert problems(lambda: read_text("a = 0x" + "f" * 5000, "s.toml")) == [
        "s.toml: a is a number that is too large"
    ]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert problems(lambda: read_bytes(b"a: \xff\xfe\xff", "s.yaml")) == [
        "s.yaml is no text: byte 4 cannot be read"
    ]
    assert problems(lambda: read_bytes(b" " * (MAX_BYTES + 1), "s.yaml")) == ["s.yaml is longer than 16 MB"]
    assert read_bytes("\ufeffa: 1\r\n".encode("utf-16"), "s.yaml").data == {"a": 1}
    with pytest.raises(FileError, match="could not be read"):
        read_file(tmp_path / "none.yaml")
    (tmp_path / "none.yaml").touch()
    assert read_file(tmp_path / "none.yaml").data is None


def test_values_that_no_seed_has() -> None:
    assert problems(lambda: from_mapping({"a": [object()]}, "the seed")) == [
        "a[0] is of the type object, which no seed has"
    ]
    circle: dict[str, object] = {}
    circle["again"] = circle
    assert problems(lambda: from_mapping(circle, "the seed")) == ["the seed is nested too deeply"]


def test_an_error_names_the_first_problems_and_counts_the_others() -> None:
    error = SeedError([f"problem {number}." for number in range(25)])
    assert error.sentences[-2:] == ("problem 19.", "5 more things are wrong.")
    assert str(error).count("\n") == 20
    assert str(SeedError(["one."])) == "one."


def test_the_path_of_a_member_in_words() -> None:
    assert dotted(("keys", 0, "tags", "a b", "c")) == 'keys[0].tags["a b"].c'
