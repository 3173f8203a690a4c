"""The table of moves against botocore's models, and against what the AWS CLI takes."""

from __future__ import annotations

from collections.abc import Iterator
from string import Template
from typing import Any

import botocore.session
import jmespath
import pytest
from botocore.validate import validate_parameters

from kms_tui.command_text import service_words
from kms_tui.evidence.scan_task import Use
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.key_moves.move import (
    How,
    Move,
    MoveStep,
    ServiceCall,
    Wait,
    filled,
    plain_name,
    quoted_name,
    unless_missing,
)
from kms_tui.key_moves.move_table import MOVES, move_of
from kms_tui.key_moves.permissions import action_of

_SESSION = botocore.session.Session()
_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VALUES = {
    "key": _KEY,
    "resource": "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f",
    "label": "default",
    "plain": "orders",
    "quoted": "'orders'",
    "region": "eu-west-1",
    "account": "111122223333",
    "partition": "aws",
}


def _members(call: ServiceCall) -> Any:
    return _SESSION.get_service_model(call.service).operation_model(call.operation).input_shape


def _calls(move: Move) -> Iterator[tuple[ServiceCall, bool, dict[str, str]]]:
    """Each call, whether its params are all, and what fills them in."""
    known = dict(VALUES)
    for step in move.steps:
        if isinstance(step, MoveStep):
            yield step.call, step.read is None, dict(known)
            for read in step.reads:
                yield read, True, {**known, "version": "7"}
            if step.keeps[0]:
                known[step.keeps[0]] = "snap-1234567890abcdef0"


@pytest.fixture(params=MOVES, ids=lambda move: f"{move.kind} {'/'.join(move.purposes)}".strip())
def move(request: pytest.FixtureRequest) -> Move:
    found: Move = request.param
    return found


def test_every_kind_and_purpose_of_a_scan_has_its_row() -> None:
    known = {(scanner.title, place.purpose) for scanner in SCANNERS for place in scanner.keys}
    assert all(move_of(Use(kind, "r", "k", purpose=purpose)).sources for kind, purpose in known)
    assert {move.kind for move in MOVES} == {kind for kind, _ in known}
    assert {(move.kind, purpose) for move in MOVES for purpose in move.purposes} <= known


def test_an_unknown_kind_is_not_planned() -> None:
    found = move_of(Use("Teapots", "brown", "k"))
    assert (found.how, found.steps) == (How.NOT_PLANNED, ())


def test_its_calls_are_valid(move: Move) -> None:
    for call, is_whole, values in _calls(move):
        params, shape = filled(call.params, values), _members(call)
        if is_whole and shape is not None:
            validate_parameters(params, shape)
        else:
            assert params.keys() <= shape.members.keys()


def test_its_waiters_are_there(move: Move) -> None:
    for step in move.steps:
        if isinstance(step, Wait):
            assert step.waiter in _SESSION.get_waiter_model(step.service).waiter_names


def test_its_expressions_are_read(move: Move) -> None:
    for step in move.steps:
        if isinstance(step, MoveStep):
            done = step.done.path if step.done is not None else ""
            of_version = step.version_read
            further = (of_version.newest, of_version.taken, of_version.written) if of_version else ()
            for path in (step.taken, step.keeps[1], done, *further):
                assert not path or jmespath.compile(Template(path).substitute(VALUES, version="7"))
            assert bool(step.taken) == (step.read is not None)


def test_its_sources_are_operations_or_documents(move: Move) -> None:
    assert move.sources
    for source in move.sources:
        service, separator, operation = source.partition(":")
        if separator and " " not in source:
            assert operation in _SESSION.get_service_model(service).operation_names


def test_it_says_what_people_need(move: Move) -> None:
    assert move.data.endswith(".")
    assert move.steps or move.by_hand
    assert move.how is not How.IMPOSSIBLE or (not move.steps and move.by_hand)
    assert not move.by_hand or move.by_hand.endswith(".")


def test_nothing_is_deleted(move: Move) -> None:
    operations = [call.operation for call, _, _ in _calls(move)]
    assert not [name for name in operations if name.startswith(("Delete", "Terminate", "Deregister", "Stop"))]
    assert all(":" in action_of(call) for call, _, _ in _calls(move))


def test_the_aws_cli_takes_its_flags(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The AWS CLI renames some members, and may know fewer than botocore."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", VALUES["region"])
    driver = pytest.importorskip("awscli.clidriver").create_clidriver()
    unknown = []
    for row in MOVES:
        for call, _, values in _calls(row):
            words = service_words(call.service, call.operation, filled(call.params, values))
            if driver.main([*words[1:], "--generate-cli-skeleton", "input"]):
                unknown.append((row.kind, capsys.readouterr().err))
    assert unknown == []


def test_names_are_made_safe_for_what_they_become() -> None:
    assert jmespath.search(
        f"[?Name == {quoted_name(name := chr(39) + 'a`b')}] | [0].Id", [{"Name": name, "Id": 1}]
    )
    assert plain_name("rds:orders--2026/11_30") == "rds-orders-2026-11-30"
    assert plain_name("…") == "resource"
    assert jmespath.search(unless_missing("A", "B"), {"A": 1, "C": 2}) == {"A": 1}


def test_the_policies_of_a_parameter_are_kept() -> None:
    step = move_of(Use("SSM SecureStrings", "/orders", "k")).steps[0]
    assert isinstance(step, MoveStep)
    policies = [{"PolicyText": '{"Type":"Expiration"}', "PolicyType": "Expiration"}, {"PolicyText": "{}"}]
    versions = [
        {"Version": 2, "Value": "new", "Type": "SecureString", "Policies": policies, "Tier": "Advanced"},
        {"Version": 1, "Value": "old", "Type": "SecureString", "Policies": []},
    ]

    def taken(version: str) -> Any:
        return jmespath.search(filled(step.taken, {"version": version}), {"Parameters": versions})

    assert taken("2") == {
        "Type": "SecureString",
        "Tier": "Advanced",
        "Policies": '[{"Type":"Expiration"},{}]',
    }
    assert taken("1") == {"Type": "SecureString"}
    assert taken("3") is None


def test_only_names_of_the_table_are_filled_in() -> None:
    assert filled({"A": ["$resource", 1, True]}, {"resource": "$key"}) == {"A": ["$key", 1, True]}
    with pytest.raises(KeyError):
        filled("$nothing", VALUES)
