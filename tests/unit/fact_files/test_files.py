"""A fact file is written in a stable order, is as its schema says, and is read back as it was."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kms_tui.atomic import FileError
from kms_tui.fact_files import fact_reading
from kms_tui.fact_files.fact_file import FactFile, FactFileError
from kms_tui.fact_files.fact_reading import parsed, read_fact_file
from kms_tui.fact_files.fact_writing import policy_shape, schema_text, written
from kms_tui.kms.facts import NOT_APPLICABLE, UNASKED, Denied, Failed
from kms_tui.kms.model import KeyRotationStatus, Tag
from tests.unit.fact_files.samples import (
    DENIED,
    FAILED,
    THEN,
    arn,
    described,
    file,
    grant,
    key,
    listed,
    multi_region,
)

SCHEMA = Draft202012Validator(json.loads(schema_text()))
EVERYTHING = file(
    key(2, "b", "a", described=DENIED, rotation=NOT_APPLICABLE, tags=UNASKED, policy=FAILED, grants=DENIED),
    key(
        1,
        described=described(
            deletion_date=THEN + timedelta(days=7),
            pending_window_days=7,
            valid_to=THEN,
            multi_region=multi_region("ap-south-1", "us-east-1"),
            description="Grüße \x1b]0;\u202e \ud800",
        ),
        rotation=KeyRotationStatus(False),
        tags=(Tag("z", "1"), Tag("a", "2")),
        grants=(
            grant(2, name="later", created=THEN),
            grant(1, constraints={"EncryptionContextSubset": {"b": "1", "a": "2"}}),
        ),
    ),
    regions=(listed(), listed("us-east-1", keys=DENIED, aliases=FAILED)),
)


def text(facts: FactFile) -> str:
    return "".join(written(facts))


def shape_of(facts: FactFile) -> Any:
    return json.loads(text(facts))


def refused(content: str | bytes) -> str:
    with pytest.raises(FactFileError) as caught:
        parsed(content.encode() if isinstance(content, str) else content, "prod.json")
    return str(caught.value)


def test_it_is_as_its_schema_says() -> None:
    Draft202012Validator.check_schema(json.loads(schema_text()))
    for facts in (EVERYTHING, file(), file(key(1, "orders"))):
        SCHEMA.validate(shape_of(facts))


def test_what_was_written_is_read_back() -> None:
    read = parsed(text(EVERYTHING).encode(), "prod.json")
    assert text(read) == text(EVERYTHING)
    assert read.time == EVERYTHING.time
    assert [each.arn for each in read.keys] == [arn(1), arn(2)]
    first, second = read.keys
    assert first.described == EVERYTHING.keys[0].described
    assert first.rotation == EVERYTHING.keys[0].rotation
    assert isinstance(second.described, Denied)
    assert str(second.described.error) == "AccessDeniedException: not allowed: ever"
    assert second.described.error.denied
    assert isinstance(second.policy, Failed)
    assert (second.rotation, second.tags) == (NOT_APPLICABLE, UNASKED)


def test_order_and_zone_of_what_was_read_change_nothing() -> None:
    other_zone = THEN.astimezone(timezone(timedelta(hours=5)))
    turned = replace(EVERYTHING, time=other_zone)
    grants = (grant(1), grant(2))
    one, other = key(1, "a", grants=grants), key(1, "a", grants=tuple(reversed(grants)))
    assert text(turned) == text(EVERYTHING)
    assert text(file(one)) == text(file(other))


def test_another_fact_changes_the_lines_of_that_fact_alone() -> None:
    old = text(file(key(1, "a"), key(2, "b"))).splitlines()
    new = text(file(key(1, "a"), key(2, "b", tags=(Tag("team", "ops"),)))).splitlines()
    assert [line for line in new if line not in old] == ['          "team": "ops"']
    assert len(old) == len(new)


def test_the_file_is_ascii_and_ends_with_a_line_end() -> None:
    assert text(EVERYTHING).isascii()
    assert text(EVERYTHING).endswith("}\n")
    assert text(file()).endswith('"keys": []\n}\n')


@pytest.mark.parametrize(
    "policy", ['{"a": 1, "a": 2}', '{"a": 1.50}', '{"a": NaN}', "[1]", "no json", "", "[" * 100_000]
)
def test_a_policy_that_json_would_not_keep_is_written_as_its_text(policy: str) -> None:
    assert policy_shape(policy) == policy
    again = parsed(text(file(key(1, policy=policy))).encode(), "prod.json")
    assert again.keys[0].policy == key(1, policy=policy).policy


def test_what_could_not_be_read_is_told_in_sentences() -> None:
    assert list(EVERYTHING.gaps()) == [
        "The keys of us-east-1 of 111122223333 could not be listed: AccessDeniedException: not allowed: ever",
        "The aliases of us-east-1 of 111122223333 could not be listed: kms went away.",
        "What DescribeKey tells of a: denied.",
        "The tags of a: not read.",
        "The key policy of a: failed.",
        "The grants of a: denied.",
    ]
    assert list(file(key(1, policy=DENIED), key(2, policy=DENIED)).gaps()) == [
        "The key policy of 2 keys: denied."
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "prod.json is no snapshot: the file is empty."),
        (" \r\n", "prod.json is no snapshot: the file is empty."),
        (b"\xff\xfe{}", "prod.json is no snapshot: it is not UTF-8 text."),
        ("keys: []", "prod.json is no snapshot: Expecting value in line 1."),
        (text(EVERYTHING)[:-3], "prod.json is no snapshot: the file ends in the middle: it was cut short."),
        (text(EVERYTHING)[:-400], "prod.json is no snapshot: the file ends in the middle: it was cut short."),
        ("[" * 100_000, "prod.json is no snapshot: its values are nested too deeply."),
        ('{"a":' * 100_000, "prod.json is no snapshot: its values are nested too deeply."),
        ('{"format": NaN}', "prod.json is no snapshot: NaN is no JSON."),
        ('{"a": 1e999}', "prod.json is no snapshot: 1e999 is too large a number."),
        (f'{{"a": {"9" * 5000}}}', f"prod.json is no snapshot: {'9' * 60}… is too large a number."),
        ('{"a": 1, "a": 2}', 'prod.json is no snapshot: the member "a" is given twice in one object.'),
        ("[]", "prod.json is JSON, but no snapshot of kms-tui."),
        ('{"Keys": []}', "prod.json is JSON, but no snapshot of kms-tui."),
        (
            '{"format": "kms-tui snapshot", "version": 2}',
            "prod.json is a snapshot of version 2; this kms-tui reads version 1.",
        ),
        ('{"format": "kms-tui snapshot", "version": true}', "of no known version (true)"),
        ('{"format": "kms-tui snapshot", "version": "1"}', 'of no known version ("1")'),
        ('{"format": "kms-tui snapshot"}', "of no known version (null)"),
        (
            '{"format": "kms-tui snapshot", "version": 1}',
            "prod.json is no sound snapshot: regions is missing.",
        ),
    ],
    ids=range(19),
)
def test_bad_input_gets_one_sentence(content: str | bytes, sentence: str) -> None:
    told = refused(content)
    assert told.startswith(sentence) or sentence in told
    assert "\n" not in told


def nested(levels: int) -> object:
    value: object = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def changed(path: str, value: object) -> str:
    """The whole file with another value at a path."""
    shape = shape_of(EVERYTHING)
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = shape
    for step in way:
        place = place[step]
    place[last] = value
    return json.dumps(shape)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("time", "yesterday", 'time is "yesterday", expected a time in UTC'),
        ("time", "2026-02-31T00:00:00Z", "expected a time in UTC"),
        ("keys", {}, "keys is an object, expected a list"),
        ("regions", None, "regions is null, expected a list"),
        ("regions.0.account", "42", 'regions[0].account is "42", expected the 12 digits'),
        ("regions.0.region", "\x1b[0m", "expected the name of a Region"),
        ("regions.1.region", "eu-west-1", "names each Region of an account once"),
        ("keys.0.arn", "alias/orders", "expected the ARN of a key"),
        ("keys.0.arn", arn(1, "ap-south-1"), "expected the ARN of a key of one of the regions"),
        ("keys.0.arn", arn(1, account="444455556666"), "expected the ARN of a key of one of the regions"),
        ("keys.1.arn", arn(1), "expected the ARN of another key"),
        ("keys.0.described.known.enabled", "yes", 'enabled is "yes", expected true or false'),
        ("keys.0.described.known.pending_window_days", -1, "expected a whole number"),
        ("keys.0.described.known.spec", None, "keys[0].described.known.spec is null, expected a text"),
        ("keys.0.described.known.multi_region", [], "multi_region is a list, expected an object"),
        ("keys.0.described", {"known": {}, "denied": ""}, "keys[0].described is an object, expected"),
        ("keys.0.described", "absent", 'keys[0].described is "absent", expected {"known"'),
        ("keys.0.described", {"Known": 1}, "keys[0].described is an object, expected"),
        ("keys.0.tags.known.team", 1, "expected a text"),
        ("keys.0.policy.known", 3, "keys[0].policy.known is 3, expected an object"),
        ("keys.0.grants.known.0.operations", "Decrypt", "expected a list"),
        ("keys.0.grants.known.0.constraints", nested(50), "expected the constraints of a grant"),
        ("keys.0.grants.known.0.constraints", nested(9), "expected the constraints of a grant"),
        ("keys.0.aliases.known", "x" * 100, "…, expected a list"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(path: str, value: object, sentence: str) -> None:
    told = refused(changed(path, value))
    assert told.startswith("prod.json is no sound snapshot: ")
    assert sentence in told


@pytest.mark.parametrize("levels", [20, 100, 300, 600, 900])
def test_a_policy_of_any_depth_is_read_or_refused(levels: int) -> None:
    try:
        parsed(changed("keys.0.policy.known", nested(levels)).encode(), "prod.json")
    except FactFileError as error:
        assert error.args == ("prod.json is no snapshot: its values are nested too deeply.",)  # noqa: PT017


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    for path, value in (
        ("time", "yesterday"),
        ("version", 2),
        ("keys.0.described", "absent"),
        ("keys.0.tags.known.team", 1),
        ("keys.0.grants.known.0.operations", "Decrypt"),
    ):
        assert not SCHEMA.is_valid(json.loads(changed(path, value)))


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4) | st.just({}) | st.just([]),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(st.text(max_size=3), each, max_size=2),
    max_leaves=3,
)


def _mutated(value: Any, chance: Any, replacement: object) -> Any:
    """The value with one place of it, chosen by chance, replaced."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        return {**value, name: _mutated(value[name], chance, replacement)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = chance.randrange(len(value))
        return [*value[:place], _mutated(value[place], chance, replacement), *value[place + 1 :]]
    return replacement


@given(st.randoms(use_true_random=False), _VALUES)
@settings(max_examples=60, deadline=None)
def test_whatever_is_put_in_is_read_or_refused_in_a_sentence(chance: Any, value: object) -> None:
    shape = _mutated(copy.deepcopy(shape_of(EVERYTHING)), chance, value)
    try:
        facts = parsed(json.dumps(shape).encode(), "prod.json")
    except FactFileError:
        return  # any other exception fails this test
    SCHEMA.validate(shape_of(facts))


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileError, match="could not be read"):
        read_fact_file(tmp_path / "none.json")
    with pytest.raises(FileError, match="could not be read"):
        read_fact_file(tmp_path)
    path = tmp_path / "prod.json"
    path.write_text(text(EVERYTHING))
    assert read_fact_file(path).time == datetime(2026, 11, 1, 10, tzinfo=UTC)
    monkeypatch.setattr(fact_reading, "MOST_BYTES", 100)
    with pytest.raises(FactFileError, match="larger than 0 MiB"):
        read_fact_file(path)
