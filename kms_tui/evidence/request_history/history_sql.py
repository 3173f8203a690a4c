"""The SQL that asks Athena and CloudTrail Lake for distinct requests with counts, most frequent first.

Both speak Trino's SQL. Values are literals in single quotes with theirs doubled; names of tables are
validated, and nothing else of a user gets into the text. Source: the Athena user guide (cloudtrail-logs: the
columns of a trail's table) and the CloudTrail user guide (query-event-data-store, the event schema of Lake).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import NamedTuple

from kms_tui.evidence.request_history.coverage_words import iso
from kms_tui.evidence.request_history.event_records import KMS_SOURCE
from kms_tui.evidence.request_history.history_source import HistoryQuery
from kms_tui.evidence.request_history.query_engine import COLUMNS, MOST_ROWS
from kms_tui.evidence.request_history.recorded_request import REFUSALS, RequestDetail
from kms_tui.kms.errors import ConfigurationError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,254}\Z")
_STORE = re.compile(
    r"(?:arn:[a-z0-9-]+:cloudtrail:[a-z0-9-]+:[0-9]{12}:eventdatastore/)?"
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z"
)
_KEY_ARN = "arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+"
_OBJECTS = r'("aws:s3:arn":"arn:[^"/]*:s3:::[^"/]*/)[^"]*'
"""S3's objects in an encryption context: there may be billions, and they become their bucket's ``/*``."""


class TableName(NamedTuple):
    """An Athena table and the database that it is in."""

    database: str
    table: str

    @classmethod
    def parse(cls, text: str) -> TableName:
        """From ``database.table`` or ``table`` (of the database "default"); ConfigurationError otherwise."""
        database, _, table = text.rpartition(".")
        name = cls(database or "default", table)
        if not (_NAME.match(name.database) and _NAME.match(name.table)):
            raise ConfigurationError(f"{text!r} is not the name of a table: database.table.")
        return name


def store_id(text: str) -> str:
    """The id of an event data store, from its id or its ARN; ConfigurationError otherwise."""
    found = _STORE.match(text)
    if not found:
        raise ConfigurationError(f"{text!r} is not the id or the ARN of an event data store.")
    return found.group(1)


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _like(words: str) -> str:
    """A LIKE pattern that finds the words anywhere."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return literal(f"%{escaped}%") + " ESCAPE '\\'"


class _Dialect(NamedTuple):
    """Where the two engines differ: the expressions of parameters and times."""

    parameters: str
    first: str
    last: str
    times: str


def _refusal() -> str:
    """The part of an access denied message that tells the layer: the rest of it names sessions and keys."""
    cases = " ".join(f"WHEN errormessage LIKE {_like(words)} THEN {literal(words)}" for words, _ in REFUSALS)
    return f"CASE {cases} ELSE '' END"


def _columns(query: HistoryQuery, dialect: _Dialect, key_exchange: bool) -> Mapping[str, str]:
    details = query.details
    issuer = "useridentity.sessioncontext.sessionissuer.arn"
    arns = "NULLIF(array_join(transform(resources, r -> r.arn), ' '), '')"
    whole = RequestDetail.ADDRESS in details
    return {
        "identity_type": "useridentity.type",
        "principal": "COALESCE(useridentity.arn, useridentity.principalid)"
        if RequestDetail.SESSION in details
        else f"COALESCE({issuer}, useridentity.arn, useridentity.principalid)",
        "account": "useridentity.accountid",
        "service": "useridentity.invokedby",
        "mfa": "useridentity.sessioncontext.attributes.mfaauthenticated",
        "operation": "eventname",
        "error": "errorcode",
        "refusal": _refusal(),
        "parameters": dialect.parameters,
        "key_arns": f"COALESCE({arns}, regexp_extract(errormessage, {literal(_KEY_ARN)}))",
        "endpoint": "vpcendpointid",
        "address": "sourceipaddress"
        if whole
        else "CASE WHEN sourceipaddress LIKE '%.amazonaws.com' THEN sourceipaddress ELSE '' END",
        "key_exchange": "tlsdetails.keyexchange" if key_exchange and RequestDetail.TLS in details else "''",
    }


def _about(key_arn: str) -> str:
    return f"cardinality(filter(resources, r -> r.arn = {literal(key_arn)})) > 0"


def _statement(
    source: str, query: HistoryQuery, dialect: _Dialect, more: Sequence[str], key_exchange: bool
) -> str:
    columns = _columns(query, dialect, key_exchange)
    conditions = [f"eventsource = {literal(KMS_SOURCE)}", "eventtype <> 'AwsServiceEvent'", dialect.times]
    conditions += more
    if query.key_arn:
        conditions.append(f"({_about(query.key_arn)} OR errormessage LIKE {_like(query.key_arn)})")
    selected = [f"{columns[name]} AS {name}" for name in COLUMNS]
    selected += ["count(*) AS calls", f"{dialect.first} AS first_time", f"{dialect.last} AS last_time"]
    numbers = ", ".join(str(number) for number in range(1, len(COLUMNS) + 1))
    return "\n".join(
        (
            "SELECT " + ",\n  ".join(selected),
            f"FROM {source}",
            "WHERE " + "\n  AND ".join(conditions),
            f"GROUP BY {numbers}",
            "ORDER BY calls DESC",
            f"LIMIT {MOST_ROWS}",
        )
    )


def athena_sql(
    table: TableName, query: HistoryQuery, partitions: Sequence[str] = (), *, key_exchange: bool = False
) -> str:
    """The query over a trail's table. ``partitions`` are conditions of ``partition_conditions``;
    ``key_exchange``: the table has tlsdetails.keyexchange.
    """
    since, until = (literal(iso(moment)) for moment in (query.since, query.until))
    dialect = _Dialect(
        f"regexp_replace(requestparameters, {literal(_OBJECTS)}, '$1*')",
        "min(eventtime)",
        "max(eventtime)",
        f"eventtime BETWEEN {since} AND {until}",
    )
    source = f'"{table.database}"."{table.table}"'
    return _statement(source, query, dialect, partitions, key_exchange)


def lake_sql(store: str, query: HistoryQuery) -> str:
    """The query over an event data store; ``store`` is its id, as ``store_id`` gives it."""
    since, until = (
        f"TIMESTAMP {literal(moment.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S'))}"
        for moment in (query.since, query.until)
    )
    dialect = _Dialect(
        f"regexp_replace(json_format(CAST(requestparameters AS JSON)), {literal(_ESCAPED_OBJECTS)}, '$1*')",
        "CAST(min(eventtime) AS VARCHAR)",
        "CAST(max(eventtime) AS VARCHAR)",
        f"eventtime BETWEEN {since} AND {until}",
    )
    return _statement(store, query, dialect, (), key_exchange=False)


_ESCAPED_OBJECTS = r'(aws:s3:arn[=\\":]+arn:[^"/,}]*:s3:::[^"/,}]*/)[^"\\,}]*'
"""The same inside Lake's text of a context: a JSON string, or ``{aws:s3:arn=…}``."""


_DATE_FORMS: Mapping[str, str] = {
    "timestamp": "%Y/%m/%d",
    "date": "%Y/%m/%d",
    "dt": "%Y/%m/%d",
    "day_path": "%Y/%m/%d",
}
"""A partition column that is a whole day, by the names that AWS's guides use -> its form."""


def partition_conditions(columns: Sequence[str], query: HistoryQuery, region: str) -> Iterator[str]:
    """Conditions on partition columns that spare days and Regions; unknown columns are left alone.

    Events arrive late, so that one day more is read.
    """
    first, last = query.since.date(), (query.until + timedelta(days=1)).date()
    names = {name.lower() for name in columns}
    if region and "region" in names:
        yield f'"region" = {literal(region)}'
    for name in sorted(names & _DATE_FORMS.keys()):
        form = _DATE_FORMS[name]
        yield f'"{name}" BETWEEN {literal(first.strftime(form))} AND {literal(last.strftime(form))}'
    if {"year", "month"} <= names:
        yield "(" + " OR ".join(_months(first, last)) + ")"


def _months(first: date, last: date) -> Iterator[str]:
    """A year's and month's condition for each month from one day to another."""
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        forms = ", ".join(dict.fromkeys((f"'{month:02d}'", f"'{month}'")))
        yield f'("year" = \'{year}\' AND "month" IN ({forms}))'
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
