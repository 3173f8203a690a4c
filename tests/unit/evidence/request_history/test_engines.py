"""The three engines: their distinct requests are those of the events themselves; states, pages, failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms_tui.backend.base import Services
from kms_tui.evidence.request_history.athena_history import AthenaHistory
from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.history_source import (
    HistoryQuery,
    HistoryReading,
    HistorySource,
    RequestHistory,
    read_history,
)
from kms_tui.evidence.request_history.history_sql import TableName, athena_sql, lake_sql, literal, store_id
from kms_tui.evidence.request_history.insights_history import InsightsHistory, insights_query, log_group
from kms_tui.evidence.request_history.lake_history import LakeHistory
from kms_tui.evidence.request_history.query_engine import PATIENCE, QueryFailedError, run_query
from kms_tui.evidence.request_history.recorded_request import RecordedRequest, RequestDetail
from kms_tui.kms.errors import ConfigurationError, ServiceError
from tests.unit.evidence.request_history.engines import LAKE_STORE, FakeEngines
from tests.unit.evidence.request_history.trail_events import KEY, NOW, event, many

TABLE = TableName("logs", "trail")
SOURCES: dict[str, Callable[[Services], AthenaHistory | LakeHistory | InsightsHistory]] = {
    "athena": lambda services: AthenaHistory(services, TABLE),
    "lake": lambda services: LakeHistory(services, LAKE_STORE),
    "insights": lambda services: InsightsHistory(services, "trail"),
}
STOPS = {"athena": "StopQueryExecution", "lake": "CancelQuery", "insights": "StopQuery"}
FAILED = {"athena": "FAILED", "lake": "FAILED", "insights": "Failed"}
RUNNING = {"athena": "RUNNING", "lake": "RUNNING", "insights": "Running"}
DAYS = timedelta(days=9)


@pytest.fixture(params=list(SOURCES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def counted(history: RequestHistory) -> dict[RecordedRequest, tuple[int, object, object]]:
    """The groups; the service and address of a record come to the same."""
    return {group.request: (group.count, group.first, group.last) for group in history.groups}


def directly(events: list[dict[str, object]], query: HistoryQuery) -> RequestHistory:
    reading = HistoryReading(query, "the events")
    for each in events:
        reading.add(requests_in(each, query.details))
    reading.finish()
    return reading.snapshot()


@pytest.mark.parametrize("key", [KEY, ""])
@pytest.mark.parametrize("details", [frozenset(), frozenset(RequestDetail) - {RequestDetail.TLS}])
def test_the_engine_counts_what_reading_the_events_counts(
    tmp_path: Path, name: str, key: str, details: frozenset[RequestDetail]
) -> None:
    events = list(many(400))
    query = HistoryQuery(NOW - DAYS, NOW, key, details)
    services = FakeEngines(tmp_path, events)
    found = counted(read_history(SOURCES[name](services), query))
    assert found == counted(directly(events, query))
    assert len(found) > 20
    assert sum(count for count, _, _ in found.values()) > 200


def test_the_key_exchange_is_asked_for_where_the_table_has_it(tmp_path: Path) -> None:
    query = HistoryQuery(NOW - DAYS, NOW, KEY, frozenset({RequestDetail.TLS}))
    services = FakeEngines(tmp_path, [event()])
    services.metadata = {
        "Name": "trail",
        "Columns": [{"Name": "tlsdetails", "Type": "struct<tlsversion:string,keyexchange:string>"}],
        "PartitionKeys": [{"Name": "region"}, {"Name": "timestamp"}],
    }
    (group,) = read_history(AthenaHistory(services, TABLE), query).groups
    assert group.request.key_exchange == "x25519"
    services.metadata = {"Name": "trail"}
    (group,) = read_history(AthenaHistory(services, TABLE), query).groups
    assert group.request.key_exchange == ""


def test_partitions_spare_days_and_the_estimate_says_which(tmp_path: Path) -> None:
    query = HistoryQuery(NOW - timedelta(days=2), NOW, KEY)
    services = FakeEngines(tmp_path, [event(), event(age=timedelta(days=5))])
    services.metadata = {"Name": "trail", "PartitionKeys": [{"Name": "region"}, {"Name": "timestamp"}]}
    source = AthenaHistory(services, TABLE, output="s3://results/kms/")
    cost = source.cost(query)
    assert not cost.is_free
    assert "$5.00 a terabyte" in cost.sentence
    assert "the partitions of 3 days, by region and timestamp" in cost.sentence
    assert "s3://results/kms/" in cost.sentence
    assert read_history(source, query).coverage.events == 1
    (started,) = services.made("StartQueryExecution")
    assert "\"timestamp\" BETWEEN '2026/11/18' AND '2026/11/21'" in started["QueryString"]
    assert started["ResultConfiguration"] == {"OutputLocation": "s3://results/kms/"}


def test_a_table_whose_partitions_may_not_be_read_is_read_whole(tmp_path: Path) -> None:
    source = AthenaHistory(FakeEngines(tmp_path, [event()]), TABLE)
    query = HistoryQuery(NOW - DAYS, NOW, KEY)
    assert "all of the table (its partitions are not known: AccessDenied" in source.cost(query).sentence
    assert read_history(source, query).coverage.events == 1


def test_estimates_of_lake_and_insights(tmp_path: Path) -> None:
    services, query = FakeEngines(tmp_path, []), HistoryQuery(NOW - DAYS, NOW, KEY)
    assert "$0.005 a gigabyte" in LakeHistory(services, LAKE_STORE).cost(query).sentence
    assert "at most 2.0 TB, $10.00" in InsightsHistory(services, "trail").cost(query).sentence
    assert "no log group other" in InsightsHistory(services, "other").cost(query).sentence
    services.error = ServiceError("AccessDeniedException")
    assert "is not known" in InsightsHistory(services, "trail").cost(query).sentence


def quick(source: HistorySource, reading: HistoryReading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read without waiting."""
    monkeypatch.setattr(reading, "wait", lambda _seconds: reading.wanted())
    source.read(reading)


def test_a_running_query_is_asked_again(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    services = FakeEngines(tmp_path, [event()])
    services.states = [RUNNING[name]] * 3
    reading = HistoryReading(HistoryQuery(NOW - DAYS, NOW, KEY), name)
    quick(SOURCES[name](services), reading, monkeypatch)
    coverage = reading.snapshot().coverage
    assert (coverage.events, coverage.complete) == (1, True)
    assert any("scanned" in note for note in coverage.notes)


def test_a_failed_query_says_why_and_is_stopped(tmp_path: Path, name: str) -> None:
    services = FakeEngines(tmp_path, [event()])
    services.states, services.reason = [FAILED[name]], "HIVE_BAD_DATA: no such column."
    with pytest.raises(QueryFailedError, match="query failed") as raised:
        read_history(SOURCES[name](services), HistoryQuery(NOW - DAYS, NOW, KEY))
    if name != "insights":
        assert "HIVE_BAD_DATA: no such column." in str(raised.value)
    assert services.made(STOPS[name])


def test_a_cancelled_reading_stops_the_query(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = FakeEngines(tmp_path, [event()])
    services.states = [RUNNING[name]] * 3
    reading = HistoryReading(HistoryQuery(NOW - DAYS, NOW, KEY), name)
    reading.cancel()
    SOURCES[name](services).read(reading)
    assert services.made(STOPS[name])
    coverage = reading.snapshot().coverage
    assert (coverage.events, coverage.complete, coverage.since) == (0, False, None)


def test_a_query_without_end_is_stopped(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    services = FakeEngines(tmp_path, [event()])
    services.states = [RUNNING[name]] * 10
    reading = HistoryReading(HistoryQuery(NOW - DAYS, NOW, KEY), name)
    monkeypatch.setattr(reading, "wait", lambda _seconds: True)
    times = iter((0.0, 1.0, PATIENCE + 2))
    with pytest.raises(QueryFailedError, match="did not end within 30 minutes"):
        run_query(SOURCES[name](services), reading, lambda: next(times))
    assert services.made(STOPS[name])


def test_more_rows_than_an_engine_gives_are_told(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCES[name](FakeEngines(tmp_path, list(many(200))))
    monkeypatch.setattr(type(source), "most_rows", 5)
    coverage = read_history(source, HistoryQuery(NOW - DAYS, NOW, KEY)).coverage
    assert not coverage.complete
    assert any("most frequent" in note for note in coverage.notes)


def test_rows_that_are_no_rows_are_passed_over(tmp_path: Path) -> None:
    services = FakeEngines(tmp_path, [event()])
    source = AthenaHistory(services, TABLE)
    services.athena_rows = lambda _params: {}  # type: ignore[method-assign, assignment]
    reading = HistoryReading(HistoryQuery(NOW - DAYS, NOW, KEY), "a test")
    names = ("operation", "calls", "principal")
    source.rows = lambda _id: iter([dict(zip(names, ("Decrypt", "many", "x"), strict=True))])  # type: ignore[method-assign, assignment]
    source.read(reading)
    assert "Some rows of the result could not be read." in reading.snapshot().coverage.notes


@pytest.mark.parametrize("text", ['a"; DROP TABLE x', "a.b.c", "", "a.", "a'b", "a b", "x" * 300])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not the name of a table"):
        TableName.parse(text)


def test_names_of_tables_stores_and_groups() -> None:
    assert TableName.parse("trail") == ("default", "trail")
    assert TableName.parse("logs.trail-2026") == ("logs", "trail-2026")
    arn = f"arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/{LAKE_STORE}"
    assert store_id(arn) == store_id(LAKE_STORE) == LAKE_STORE
    assert log_group("/aws/trail") == "/aws/trail"
    for check, text in ((store_id, "x; y"), (log_group, 'a" | b'), (store_id, LAKE_STORE + "\n")):
        with pytest.raises(ConfigurationError):
            check(text)
    with pytest.raises(ConfigurationError):
        insights_query(HistoryQuery(NOW - DAYS, NOW, 'key/a" or 1'))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20))
def test_a_key_of_any_text_stays_a_literal(tmp_path: Path, text: str) -> None:
    query = HistoryQuery(NOW - DAYS, NOW, f"{KEY}{text}")
    services = FakeEngines(tmp_path, [event()])
    assert read_history(AthenaHistory(services, TABLE), query).coverage.events == (0 if text else 1)


def test_a_quote_in_a_literal_is_doubled() -> None:
    assert literal("a'b") == "'a''b'"


def test_the_statements_are_shorter_than_the_services_allow() -> None:
    query = HistoryQuery(NOW - timedelta(days=3650), NOW, KEY, frozenset(RequestDetail))
    conditions = ["x"]
    assert len(athena_sql(TABLE, replace(query), conditions, key_exchange=True)) < 10_000
    assert len(lake_sql(LAKE_STORE, query)) < 10_000
    assert len(insights_query(query)) < 10_000
