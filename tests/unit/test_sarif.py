"""SARIF: what becomes of texts, and what tells two findings apart."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.sarif import (
    Level,
    Notification,
    SarifResult,
    SarifRule,
    Spot,
    Thing,
    fingerprint,
    plain_text,
    sarif_text,
)

SCHEMA = Path(__file__).parents[1] / "data" / "sarif" / "sarif-2.1.0-rtm.5.json"
RULE = SarifRule("a-rule", Level.WARNING, "Title", "Text.", "Help.", "5.5", ("security",))


@cache
def validator() -> Any:
    return jsonschema.Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def problems(log: Any) -> list[str]:
    return [error.message for error in validator().iter_errors(log)]


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_makes_a_valid_log(name: str, words: str) -> None:
    result = SarifResult("a-rule", Level.NOTE, words, Spot(name, 2, 3, 2, 9), name, Thing(name, words), words)
    text = sarif_text([RULE], [result], [Notification(Level.ERROR, words)], is_whole=True, category="test")
    assert text.isascii()
    assert problems(json.loads(text)) == []


def test_the_schema_finds_what_is_wrong() -> None:
    log = json.loads(sarif_text([RULE], [], is_whole=True, category="test"))
    log["runs"][0]["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] = "medium"
    assert problems(log)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](http://x)", "\\[a\\](http://x)"),
        ("{0}", "{{0}}"),
        ("a\\b", "a\\\\b"),
        ("a\x1b\n\u202eb", "a␛␊\\\\u202eb"),
    ],
)
def test_a_text_is_neither_link_nor_placeholder_nor_control(text: str, shown: str) -> None:
    assert plain_text(text) == shown


def test_a_path_is_a_relative_uri() -> None:
    spot = Spot("a folder/ä%1.json").as_dict()
    assert spot["artifactLocation"]["uri"] == "a%20folder/%C3%A4%251.json"


def test_a_fingerprint_depends_on_the_identity_alone() -> None:
    assert fingerprint("a") == fingerprint("a") != fingerprint("b")
    assert fingerprint("\ud800").endswith(":1")


def test_without_security_a_rule_has_the_severity_of_a_problem() -> None:
    properties = SarifRule("a-rule", Level.NOTE, "", "", "").as_dict()["properties"]
    assert properties == {"tags": [], "problem.severity": "recommendation"}
