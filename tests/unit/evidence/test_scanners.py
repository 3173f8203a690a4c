"""The table against botocore's service models: every call, member and path in it is one that AWS has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import jmespath
import pytest
from botocore.model import Shape, ShapeResolver
from botocore.validate import validate_parameters

from kms_tui.evidence.scan_task import text, values
from kms_tui.evidence.scanners import NOT_LOOKED_AT, SCANNERS
from kms_tui.evidence.scanners.scanner import Scanner
from kms_tui.kms.operations import SERVICE_READS

_SESSION = botocore.session.Session()
TEXT = Shape("Text", {"type": "string"}, ShapeResolver({}))


def _operation(service: str, name: str) -> Any:
    return _SESSION.get_service_model(service).operation_model(name)


def _at(shape: Any, path: str) -> Any:
    """The shape at a JMESPath expression, through lists; fails where the model has no such member."""
    return _through(_shape_of(jmespath.compile(path).parsed, shape) if path else shape)


def _shape_of(node: Any, shape: Any) -> Any:
    """The shape of a node of jmespath's syntax tree; TEXT for a literal."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        shape = _through(shape)
        if shape.type_name == "map":
            return shape.value
        assert node["value"] in shape.members, f"{shape.name} has no {node['value']}"
        return shape.members[node["value"]]
    if kind in ("identity", "current"):
        return shape
    if kind == "literal":
        return TEXT
    if kind == "function_expression":
        assert node["value"] in ("contains", "starts_with")
        return [_shape_of(child, shape) for child in children] and TEXT
    if kind == "index":
        return shape.member
    if kind == "value_projection":
        values, taken = children
        return _shape_of(taken, _shape_of(values, shape).value)
    if kind in ("subexpression", "index_expression", "projection", "pipe"):
        for child in children:
            shape = _shape_of(child, shape)
        return shape
    if kind == "filter_projection":
        listed, taken, condition = children
        shape = _through(_shape_of(listed, shape))
        _shape_of(condition, shape)
        return _shape_of(taken, shape)
    if kind == "flatten":
        return _through(_shape_of(children[0], shape))
    assert kind in ("multi_select_list", "and_expression", "or_expression", "comparator", "not_expression")
    return [_shape_of(child, shape) for child in children][-1 if kind == "and_expression" else 0]


def _through(shape: Any) -> Any:
    while shape.type_name == "list":
        shape = shape.member
    return shape


def _request(scanner: Scanner) -> dict[str, Any]:
    listing = scanner.listing
    place = {listing.in_region: "eu-west-1"} if listing.in_region else {}
    page = {listing.token[0]: "next-page"} if listing.token[0] else {}
    return {**listing.params, **place, **page}


@pytest.fixture(params=SCANNERS, ids=lambda scanner: scanner.title)
def scanner(request: pytest.FixtureRequest) -> Scanner:
    found: Scanner = request.param
    return found


def test_it_asks_only_what_may_be_sent(scanner: Scanner) -> None:
    assert scanner.listing.operation in SERVICE_READS[scanner.service]
    assert scanner.detail is None or scanner.detail.operation in SERVICE_READS[scanner.service]


def test_its_requests_are_valid(scanner: Scanner) -> None:
    detail = scanner.detail
    model = _operation(scanner.service, scanner.listing.operation).input_shape
    if model is None:
        assert _request(scanner) == {}
    else:
        validate_parameters(_request(scanner), model)
    if detail is not None:
        model = _operation(scanner.service, detail.operation).input_shape
        name = "arn:aws:any:eu-west-1:111122223333:resource/some-resource"
        asked = [name] if detail.as_list else name
        validate_parameters(
            {**detail.params, **dict.fromkeys(detail.also, name), detail.member: asked}, model
        )


def test_its_pages_are_those_of_the_model(scanner: Scanner) -> None:
    """A list that AWS gives in pages is read to its end, in pages no larger than it allows."""
    model = _operation(scanner.service, scanner.listing.operation)
    members = model.input_shape.members if model.input_shape is not None else {}
    if not scanner.listing.token[0]:
        assert not {name.lower() for name in members} & {"nexttoken", "marker", "continuationtoken"}
    for name, value in scanner.listing.params.items():
        if isinstance(value, int) and not isinstance(value, bool):
            limits = members[name].metadata
            assert limits.get("min", 1) <= value <= limits.get("max", value)


def test_what_it_looks_at_is_in_the_answers(scanner: Scanner) -> None:
    listing, detail = scanner.listing, scanner.detail
    answer = _operation(scanner.service, listing.operation).output_shape
    if listing.token[1]:
        assert _at(answer, listing.token[1]).type_name == "string"
    entry = _at(answer, listing.items)
    if listing.wrap:
        assert entry.type_name == "string"
        assert listing.wrap == scanner.name or scanner.name.startswith("'")
    else:
        for path in _paths(scanner):
            assert _at(entry, path).type_name == "string"
    told = _operation(scanner.service, detail.operation).output_shape if detail else entry
    for place in scanner.keys:
        if listing.wrap and detail is None:
            assert place.key == listing.wrap
            continue
        structure = _at(told, place.within)
        assert _at(structure, place.key).type_name == "string"
        if place.when is not None:
            assert _at(structure, place.when[0]).type_name == "string"


def _paths(scanner: Scanner) -> Iterator[str]:
    yield scanner.name
    yield from (path for path in (scanner.label, scanner.region_at) if path)
    if scanner.detail is not None:
        yield from (scanner.detail.of, *scanner.detail.also.values())


def test_each_kind_of_resource_has_a_name_of_its_own() -> None:
    assert len({scanner.title for scanner in SCANNERS}) == len(SCANNERS)


def test_the_table_has_the_kinds_that_name_keys() -> None:
    assert len(SCANNERS) > 100
    assert all(phrase[0].isalpha() and not phrase.endswith(".") for phrase in NOT_LOOKED_AT)


def test_only_reads_that_answer_no_secret_are_sent() -> None:
    operations = {each for reads in SERVICE_READS.values() for each in reads}
    scanned = {scanner.listing.operation for scanner in SCANNERS}
    scanned |= {scanner.detail.operation for scanner in SCANNERS if scanner.detail}
    assert all(name.startswith(("Describe", "List", "Get", "BatchGet")) for name in scanned)
    assert not operations & {"GetSecretValue", "GetParameter", "GetConnections", "GetObject", "GetDocument"}


def test_an_answer_in_which_everything_is_missing_is_read(scanner: Scanner) -> None:
    """Members that a model does not require are missing from real answers: no path may stumble over that."""
    detail = scanner.detail
    paths = [scanner.listing.items, scanner.name, scanner.label, scanner.region_at, scanner.listing.token[1]]
    paths += [detail.of, *detail.also.values()] if detail else []
    for path in paths:
        assert not path or all(isinstance(value, str) for value in values({}, path))
    for place in scanner.keys:
        assert not place.within or list(values({}, place.within)) == []
        first = place.within.partition(".")[0].partition("[")[0]
        answers: tuple[dict[str, Any], ...] = ({first: {}}, {first: [{}]}, {first: None})
        for told in answers:
            assert all(not text(each, place.key) for each in values(told, place.within))
