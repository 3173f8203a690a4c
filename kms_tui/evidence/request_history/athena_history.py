"""Recorded requests by Amazon Athena over a trail's table.

Permissions: athena StartQueryExecution, GetQueryExecution, GetQueryResults, StopQueryExecution,
GetTableMetadata (glue GetTable); s3 reads of the trail; s3 writes of the result's location, for a query of
Athena writes its result there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.evidence.events import mapping_of, text_of
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, QueryCost
from kms_tui.evidence.request_history.history_sql import TableName, athena_sql, partition_conditions
from kms_tui.evidence.request_history.query_engine import MOST_ROWS, QueryState, QueryStatus, Row, run_query
from kms_tui.kms.arn import key_region
from kms_tui.kms.errors import KmsTuiError

_SERVICE = "athena"
_CATALOG = "AwsDataCatalog"
_PAGE = 1000
DOLLARS_A_TERABYTE = 5.00
"""Athena's price for scanned data. Source: aws.amazon.com/athena/pricing, 2026-11."""
_STATES: Mapping[str, QueryState] = {
    "SUCCEEDED": QueryState.DONE,
    "FAILED": QueryState.FAILED,
    "CANCELLED": QueryState.CANCELLED,
}


class AthenaHistory:
    """A ``HistorySource`` and its ``QueryEngine``.

    ``output`` is the S3 location of the result, "" for the work group's own.
    """

    most_rows = MOST_ROWS

    def __init__(
        self, services: Services, table: TableName, *, work_group: str = "primary", output: str = ""
    ) -> None:
        self._services = services
        self._table = table
        self._work_group = work_group
        self._output = output
        self._metadata: Mapping[str, Any] | None = None
        self._unread = ""

    @property
    def name(self) -> str:
        return f"Athena's table {self._table.database}.{self._table.table}"

    def cost(self, query: HistoryQuery) -> QueryCost:
        """What can be said before: which part of the table is read. Bytes are known only afterwards."""
        conditions = list(partition_conditions(self._partitions(), query, key_region(query.key_arn)))
        if self._unread:
            part = f"all of the table ({self._unread})"
        elif conditions:
            days = (query.until - query.since).days + 1
            part = f"the partitions of {days} days, by {' and '.join(self._partitions())}"
        else:
            part = "all of the table: it has no partitions by day"
        return QueryCost(
            f"Athena charges ${DOLLARS_A_TERABYTE:.2f} a terabyte that it reads, and reads {part}. "
            f"It writes the result to {self._output or f'the location of work group {self._work_group}'}."
        )

    def read(self, reading: HistoryReading) -> None:
        """Run the query. Raises QueryFailedError, and the errors of ``kms_tui.kms.errors``."""
        run_query(self, reading)

    def start(self, query: HistoryQuery) -> str:
        conditions = list(partition_conditions(self._partitions(), query, key_region(query.key_arn)))
        params: dict[str, Any] = {
            "QueryString": athena_sql(
                self._table, query, conditions, key_exchange="keyexchange" in self._columns().lower()
            ),
            "QueryExecutionContext": {"Database": self._table.database, "Catalog": _CATALOG},
            "WorkGroup": self._work_group,
        }
        if self._output:
            params["ResultConfiguration"] = {"OutputLocation": self._output}
        return text_of(self._call("StartQueryExecution", params).get("QueryExecutionId"))

    def status(self, query_id: str) -> QueryStatus:
        answer = self._call("GetQueryExecution", {"QueryExecutionId": query_id})
        execution = mapping_of(answer.get("QueryExecution"))
        status = mapping_of(execution.get("Status"))
        scanned = mapping_of(execution.get("Statistics")).get("DataScannedInBytes")
        return QueryStatus(
            _STATES.get(text_of(status.get("State")), QueryState.RUNNING),
            text_of(status.get("StateChangeReason")),
            scanned if isinstance(scanned, int) else None,
        )

    def rows(self, query_id: str) -> Iterator[Row]:
        """The first row of the first page is the columns' names."""
        params: dict[str, Any] = {"QueryExecutionId": query_id, "MaxResults": _PAGE}
        names: list[str] = []
        while True:
            answer = self._call("GetQueryResults", params)
            for row in mapping_of(answer.get("ResultSet")).get("Rows", ()):
                cells = [text_of(mapping_of(cell).get("VarCharValue")) for cell in row.get("Data", ())]
                if names:
                    yield dict(zip(names, cells, strict=False))
                else:
                    names = cells
            token = answer.get("NextToken")
            if not token:
                return
            params["NextToken"] = token

    def stop(self, query_id: str) -> None:
        self._call("StopQueryExecution", {"QueryExecutionId": query_id})

    def _call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._services.call(_SERVICE, operation, params)

    def _table_metadata(self) -> Mapping[str, Any]:
        """GetTableMetadata's answer, asked for once; empty where it is refused."""
        if self._metadata is None:
            try:
                answer = self._call(
                    "GetTableMetadata",
                    {
                        "CatalogName": _CATALOG,
                        "DatabaseName": self._table.database,
                        "TableName": self._table.table,
                        "WorkGroup": self._work_group,
                    },
                )
                self._metadata = mapping_of(answer.get("TableMetadata"))
            except KmsTuiError as error:
                self._metadata, self._unread = {}, f"its partitions are not known: {str(error).rstrip('.')}"
        return self._metadata

    def _partitions(self) -> list[str]:
        keys = self._table_metadata().get("PartitionKeys") or ()
        return [text_of(mapping_of(key).get("Name")) for key in keys]

    def _columns(self) -> str:
        """The type of the column tlsdetails, which in older tables lacks the key exchange."""
        columns = self._table_metadata().get("Columns") or ()
        found = (mapping_of(column) for column in columns)
        return next(
            (text_of(column.get("Type")) for column in found if column.get("Name") == "tlsdetails"), ""
        )
