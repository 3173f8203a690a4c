"""Terraform's language, as ``terraform fmt`` leaves it; test_terraform.py asks Terraform itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.as_code.hcl import Block, Expression, call, quoted
from kms_tui.visible import visible


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("", '""'),
        ('say "hi" \\ now', '"say \\"hi\\" \\\\ now"'),
        ("${x} $${y} $ { %{if} 100%", '"$${x} $$${y} $ { %%{if} 100%"'),
        ("a\nb\tc\rd", '"a\\nb\\tc\\rd"'),
        ("ключ 🔑", '"ключ 🔑"'),
        ("\x1b[31m \u202e \U000e0001 \x00", '"\\u001b[31m \\u202e \\U000e0001 \\u0000"'),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_a_text_is_a_literal_in_which_no_template_begins(text: str, literal: str) -> None:
    assert quoted(text) == literal


_ESCAPE = re.compile(r"\\(?:u(....)|U(........)|(.))|([$%])\4\{")
_SHORT = {"n": "\n", "r": "\r", "t": "\t"}


def _read(match: re.Match[str]) -> str:
    if code := match[1] or match[2]:
        return chr(int(code, 16))
    return f"{match[4]}{{" if match[4] else _SHORT.get(match[3], match[3])


@given(st.text(st.characters() | st.sampled_from('${%}"\\\n'), max_size=20))
def test_a_literal_reads_back_as_the_text_on_one_line_without_a_template(text: str) -> None:
    inside = quoted(text)[1:-1]
    assert _ESCAPE.sub(_read, inside) == text
    assert visible(inside) == inside
    assert re.search(r"(?<![$%])[$%]\{", _ESCAPE.sub("", inside)) is None
    assert re.search(r'(?<!\\)"', _ESCAPE.sub("", inside)) is None


def test_equals_signs_stand_below_each_other_between_items_of_several_lines() -> None:
    block = Block(
        "resource",
        ("kind", "name"),
        [
            {"provider": Expression("aws.here")},
            {"id": 1, "long_name": True, "nested": {"a b": None, "if": "x", "plain": []}, "z": "", "yy": {}},
        ],
        [Block("lifecycle", (), [{"list": [1, 2]}]), Block("empty", (), [{}])],
    )
    assert str(block) == (
        'resource "kind" "name" {\n'
        "  provider = aws.here\n"
        "\n"
        "  id        = 1\n"
        "  long_name = true\n"
        "  nested = {\n"
        '    "a b" = null\n'
        '    "if"  = "x"\n'
        "    plain = []\n"
        "  }\n"
        '  z  = ""\n'
        "  yy = {}\n"
        "\n"
        "  lifecycle {\n"
        "    list = [1, 2]\n"
        "  }\n"
        "\n"
        "  empty {\n"
        "  }\n"
        "}\n"
    )


def test_lists_take_a_line_each_where_they_are_long_or_nested() -> None:
    assert call("f", ["x" * 50, "y" * 50]) == f'f([\n    "{"x" * 50}",\n    "{"y" * 50}",\n  ])'
    assert call("f", [{"a": 1}]) == "f([{\n    a = 1\n  }])"
    assert call("f", [{"a": 1}, 2]) == "f([\n    {\n      a = 1\n    },\n    2,\n  ])"
