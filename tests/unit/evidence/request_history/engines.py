"""Athena, CloudTrail Lake and Logs Insights over a list of events, held against botocore's models.

The SQL is really run: sqlglot makes DuckDB's of Trino's, and DuckDB executes it. Logs Insights' language has
no interpreter but this one, which knows the few commands that are used.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.operations import may_read

LAKE_STORE = "0f1e2d3c-0000-4000-8000-00000000beef"
Answer = dict[str, Any]

_IDENTITY = (
    "STRUCT(type VARCHAR, principalid VARCHAR, arn VARCHAR, accountid VARCHAR, invokedby VARCHAR, "
    "sessioncontext STRUCT(attributes STRUCT(mfaauthenticated VARCHAR), sessionissuer STRUCT(arn VARCHAR)))"
)
_COLUMNS = {
    "useridentity": _IDENTITY,
    "eventtime": "VARCHAR",
    "eventsource": "VARCHAR",
    "eventname": "VARCHAR",
    "sourceipaddress": "VARCHAR",
    "errorcode": "VARCHAR",
    "errormessage": "VARCHAR",
    "requestparameters": "VARCHAR",
    "resources": "STRUCT(arn VARCHAR, accountid VARCHAR, type VARCHAR)[]",
    "eventtype": "VARCHAR",
    "vpcendpointid": "VARCHAR",
    "tlsdetails": "STRUCT(tlsversion VARCHAR, keyexchange VARCHAR)",
    "region": "VARCHAR",
    "timestamp": "VARCHAR",
}
"""The columns of a trail's table in Athena, those that the query may touch."""


@cache
def model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def held(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Fail where botocore would not send a request, or the table of reads does not have it."""
    assert may_read(service, operation)
    shape = model(service).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), report.generate_report()
    for name, member in shape.members.items():
        longest = member.metadata.get("max")
        if name in params and isinstance(params[name], str) and longest:
            assert len(params[name]) <= longest, f"{name} is too long"
        pattern = member.metadata.get("pattern")
        if name in params and pattern and member.type_name == "string" and r"\u" not in pattern:
            assert re.search(pattern, params[name]), f"{name} is not as {pattern}"


def shaped(service: str, operation: str, answer: Answer) -> Answer:
    """The answer, which must have only members of botocore's model."""
    shape = model(service).operation_model(operation).output_shape
    assert shape is None or set(answer) <= set(shape.members), f"{operation} has no such members"
    return answer


class FakeEngines:
    """``Services`` of the three engines. ``states`` are the states that a query is in, one a poll."""

    region = "eu-west-1"

    def __init__(self, folder: Path, events: Sequence[Mapping[str, Any]], page: int = 7) -> None:
        self.events = list(events)
        self.page = page
        self.states: list[str] = []
        self.reason = ""
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.metadata: Answer | None = None
        self.error: KmsTuiError | None = None
        self._folder = folder
        self._result: tuple[list[str], list[list[str | None]]] = ([], [])

    def offers(self, service: str) -> bool:
        return True

    def in_region(self, region: str) -> FakeEngines:
        return self

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        held(service, operation, params)
        self.calls.append((operation, params))
        if self.error is not None:
            raise self.error
        return shaped(service, operation, _ANSWERS[service, operation](self, params))

    def made(self, operation: str) -> list[Mapping[str, Any]]:
        return [params for name, params in self.calls if name == operation]

    def state(self, done: str) -> str:
        return self.states.pop(0) if self.states else done

    # Athena

    def start_athena(self, params: Mapping[str, Any]) -> Answer:
        self._run(params["QueryString"], _athena_row)
        return {"QueryExecutionId": "q-1"}

    def athena_status(self, params: Mapping[str, Any]) -> Answer:
        status = {"State": self.state("SUCCEEDED"), "StateChangeReason": self.reason}
        return {"QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": 12_300_000}}}

    def athena_rows(self, params: Mapping[str, Any]) -> Answer:
        names, rows = self._result
        table: list[Sequence[str | None]] = [names, *rows]
        start = int(params.get("NextToken", "row-0")[4:])
        page = table[start : start + self.page]
        shape: list[Answer] = [
            {"Data": [{"VarCharValue": cell} if cell is not None else {} for cell in row]} for row in page
        ]
        more = start + self.page < len(table)
        return {"ResultSet": {"Rows": shape}} | ({"NextToken": f"row-{start + self.page}"} if more else {})

    def table(self, params: Mapping[str, Any]) -> Answer:
        if self.metadata is None:
            raise ServiceError("AccessDeniedException", "no glue:GetTable", operation="GetTableMetadata")
        return {"TableMetadata": self.metadata}

    # CloudTrail Lake

    def start_lake(self, params: Mapping[str, Any]) -> Answer:
        self._run(params["QueryStatement"].replace(f"FROM {LAKE_STORE}", "FROM logs.trail"), _lake_row)
        return {"QueryId": LAKE_STORE}

    def lake_status(self, params: Mapping[str, Any]) -> Answer:
        found = {
            "QueryId": LAKE_STORE,
            "QueryStatus": self.state("FINISHED"),
            "QueryStatistics": {"BytesScanned": 5},
        }
        return found | ({"ErrorMessage": self.reason} if self.reason else {})

    def lake_rows(self, params: Mapping[str, Any]) -> Answer:
        names, rows = self._result
        start = int(params.get("NextToken", "row-0")[4:])
        page = [
            [{name: cell} for name, cell in zip(names, row, strict=True) if cell is not None]
            for row in rows[start : start + self.page]
        ]
        more = start + self.page < len(rows)
        return {"QueryStatus": "FINISHED", "QueryResultRows": page} | (
            {"NextToken": f"row-{start + self.page}"} if more else {}
        )

    def _run(self, sql: str, row_of: Callable[[Mapping[str, Any]], Answer]) -> None:
        """Execute Trino's SQL on the events."""
        (text,) = sqlglot.transpile(sql, read="trino", write="duckdb")
        text = text.replace("'$1*'", r"'\1*'")  # DuckDB writes groups in another way
        path = self._folder / "events.json"
        path.write_text("\n".join(json.dumps(row_of(event)) for event in self.events))
        columns = dict(_COLUMNS)
        if row_of is _lake_row:
            columns |= {"eventtime": "TIMESTAMP", "requestparameters": "MAP(VARCHAR, VARCHAR)"}
        shape = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
        with duckdb.connect() as connection:
            connection.execute("CREATE SCHEMA logs")
            connection.execute(
                f"CREATE TABLE logs.trail AS SELECT * FROM read_json('{path}', format='newline_delimited', "
                f"columns={{{shape}}})"
            )
            cursor = connection.execute(text)
            names = [column[0] for column in cursor.description or ()]
            rows = [[None if cell is None else str(cell) for cell in row] for row in cursor.fetchall()]
        self._result = names, rows

    # Logs Insights

    def start_insights(self, params: Mapping[str, Any]) -> Answer:
        span = (params["startTime"], params["endTime"])
        self._result = _insights(params["queryString"], self.events, span)
        return {"queryId": "q-2"}

    def insights_rows(self, params: Mapping[str, Any]) -> Answer:
        names, rows = self._result
        start = int(params.get("nextToken", "row-0")[4:])
        size = min(self.page, params["maxItems"])
        page = [
            [
                {"field": name, "value": cell}
                for name, cell in zip(names, row, strict=True)
                if cell is not None
            ]
            for row in rows[start : start + size]
        ]
        answer: Answer = {
            "status": self.state("Complete"),
            "results": page,
            "statistics": {"bytesScanned": 99.0, "recordsMatched": 1.0, "recordsScanned": 1.0},
        }
        return answer | ({"nextToken": f"row-{start + size}"} if start + size < len(rows) else {})

    def groups(self, params: Mapping[str, Any]) -> Answer:
        return {"logGroups": [{"logGroupName": "trail", "storedBytes": 2_000_000_000_000}]}


def _nothing(_engines: FakeEngines, _params: Mapping[str, Any]) -> Answer:
    return {}


_ANSWERS: Mapping[tuple[str, str], Callable[[FakeEngines, Mapping[str, Any]], Answer]] = {
    ("athena", "StartQueryExecution"): FakeEngines.start_athena,
    ("athena", "GetQueryExecution"): FakeEngines.athena_status,
    ("athena", "GetQueryResults"): FakeEngines.athena_rows,
    ("athena", "GetTableMetadata"): FakeEngines.table,
    ("athena", "StopQueryExecution"): _nothing,
    ("cloudtrail", "StartQuery"): FakeEngines.start_lake,
    ("cloudtrail", "DescribeQuery"): FakeEngines.lake_status,
    ("cloudtrail", "GetQueryResults"): FakeEngines.lake_rows,
    ("cloudtrail", "CancelQuery"): _nothing,
    ("logs", "StartQuery"): FakeEngines.start_insights,
    ("logs", "GetQueryResults"): FakeEngines.insights_rows,
    ("logs", "StopQuery"): _nothing,
    ("logs", "DescribeLogGroups"): FakeEngines.groups,
}


def _lower(value: Any) -> Any:
    """Members in lower case, as in the columns of Athena and Lake."""
    if isinstance(value, dict):
        return {name.lower(): _lower(inner) for name, inner in value.items()}
    return [_lower(each) for each in value] if isinstance(value, list) else value


def _athena_row(event: Mapping[str, Any]) -> Answer:
    parameters = event["requestParameters"]
    row: Answer = _lower(dict(event))
    day = str(event["eventTime"])[:10].replace("-", "/")
    text = None if parameters is None else json.dumps(parameters, separators=(",", ":"))
    return row | {"requestparameters": text, "region": event["awsRegion"], "timestamp": day}


def _lake_row(event: Mapping[str, Any]) -> Answer:
    parameters = event["requestParameters"]
    row: Answer = _lower(dict(event))
    flat = None
    if parameters is not None:
        flat = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in parameters.items()
        }
    return row | {"requestparameters": flat, "eventtime": str(event["eventTime"]).rstrip("Z")}


def _member(event: Any, path: str) -> str | None:
    for name in path.split("."):
        event = event.get(name) if isinstance(event, dict) else None
    return None if event is None else str(event)


def _insights(
    query: str, events: Sequence[Mapping[str, Any]], span: tuple[int, int]
) -> tuple[list[str], list[list[str | None]]]:
    """The result of the few commands that the query has."""
    commands = [command.strip() for command in query.split("\n|")]
    assert [command.split()[0] for command in commands] == [
        *("filter", "fields", "parse", "parse", "stats", "sort", "limit")
    ]
    like = re.search(r'@message like "([^"]*)"', commands[0])
    groups = commands[4].partition(" by ")[2].split(", ")
    counts: dict[tuple[str | None, ...], list[str]] = defaultdict(list)
    for event in events:
        message = json.dumps(event, separators=(",", ":"))
        if (like and like.group(1) not in message) or event["eventType"] == "AwsServiceEvent":
            continue
        if not span[0] <= _epoch(event["eventTime"]) <= span[1]:
            continue
        row = dict(_fields(commands[1], event)) | dict(_parsed(commands[2:4], message))
        counts[tuple(row.get(group) for group in groups)].append(event["eventTime"])
    rows: list[list[str | None]] = [
        [*key, str(len(times)), min(times), max(times)] for key, times in counts.items()
    ]
    return [*groups, "calls", "first_time", "last_time"], rows


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _fields(command: str, event: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for inner, name in re.findall(r"coalesce\(((?:coalesce\([^)]*\)|[^()])*)\) as (\w+)", command):
        paths = [path.strip() for path in inner.replace("coalesce(", "").replace(")", "").split(",")]
        values = ("" if path == "''" else _member(event, path) for path in paths)
        yield name, next((value for value in values if value is not None), None)


def _parsed(commands: Sequence[str], message: str) -> Iterator[tuple[str, str]]:
    for command in commands:
        found = re.fullmatch(r"parse @message '(.*)\*(.*)' as (\w+)", command)
        assert found is not None
        match = re.search(re.escape(found[1]) + "(.*?)" + re.escape(found[2]), message)
        if match:
            yield found[3], match[1]
