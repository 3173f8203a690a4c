"""The table against botocore's service models: every call, member and path in it is one that AWS has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from kms_tui.evidence.scanners import SCANNERS, Scanner
from kms_tui.kms.operations import SERVICE_READS

_SESSION = botocore.session.Session()


def _operation(service: str, name: str) -> Any:
    return _SESSION.get_service_model(service).operation_model(name)


def _at(shape: Any, path: str) -> Any:
    """The shape at a path, through lists and maps; fails where the model has no such member."""
    for step in path.split(".") if path else ():
        shape = _through(shape)
        name, _, condition = step.partition("[")
        if shape.type_name == "map":
            shape = shape.value
            continue
        assert name in shape.members, f"{shape.name} has no {name}"
        shape = shape.members[name]
        if condition.startswith("?"):
            assert condition[1:].partition("=")[0] in _through(shape).members
    return _through(shape)


def _through(shape: Any) -> Any:
    while shape.type_name == "list":
        shape = shape.member
    return shape


@pytest.fixture(params=SCANNERS, ids=lambda scanner: scanner.title)
def scanner(request: pytest.FixtureRequest) -> Scanner:
    found: Scanner = request.param
    return found


def test_it_asks_only_what_may_be_sent(scanner: Scanner) -> None:
    assert scanner.listing.operation in SERVICE_READS[scanner.service]
    assert scanner.detail is None or scanner.detail.operation in SERVICE_READS[scanner.service]


def test_its_requests_are_valid(scanner: Scanner) -> None:
    listing, detail = scanner.listing, scanner.detail
    model = _operation(scanner.service, listing.operation).input_shape
    place = {listing.in_region: "eu-west-1"} if listing.in_region else {}
    validate_parameters({**listing.params, **place, listing.token[0]: "next"}, model)
    if detail is not None:
        model = _operation(scanner.service, detail.operation).input_shape
        validate_parameters({**detail.params, detail.member: "resource"}, model)


def test_what_it_looks_at_is_in_the_answers(scanner: Scanner) -> None:
    listing, detail = scanner.listing, scanner.detail
    answer = _operation(scanner.service, listing.operation).output_shape
    assert _at(answer, listing.token[1]).type_name == "string"
    entry = _at(answer, listing.items)
    if listing.wrap:
        assert entry.type_name == "string"
        assert scanner.name == listing.wrap
    else:
        for path in _paths(scanner):
            assert _at(entry, path).type_name == "string"
    told = _operation(scanner.service, detail.operation).output_shape if detail else entry
    for place in scanner.keys:
        structure = _at(told, place.within)
        assert _at(structure, place.key).type_name == "string"
        if place.when is not None:
            assert _at(structure, place.when[0]).type_name == "string"


def _paths(scanner: Scanner) -> Iterator[str]:
    yield scanner.name
    yield from (path for path in (scanner.label, scanner.region_at) if path)
    if scanner.detail is not None:
        yield scanner.detail.of


def test_each_kind_of_resource_has_a_name_of_its_own() -> None:
    assert len({scanner.title for scanner in SCANNERS}) == len(SCANNERS)
