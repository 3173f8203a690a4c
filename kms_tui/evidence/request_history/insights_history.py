"""Recorded requests by CloudWatch Logs Insights over a trail's log group.

Permissions: logs StartQuery, GetQueryResults, StopQuery; DescribeLogGroups for the estimate. Source: the
CloudWatch Logs user guide (CWL_QuerySyntax) and the order of a CloudTrail record's members.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.evidence.events import mapping_of, text_of
from kms_tui.evidence.request_history.event_records import KMS_SOURCE
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, QueryCost
from kms_tui.evidence.request_history.query_engine import QueryState, QueryStatus, Row, run_query, size
from kms_tui.evidence.request_history.recorded_request import RequestDetail
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import ConfigurationError, KmsTuiError

_SERVICE = "logs"
_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}\Z")
_KEY_ID = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
MOST_RESULTS = 10_000
"""Rows of one query of Insights."""
DOLLARS_A_GIGABYTE = 0.005
"""Insights' price for scanned data. Source: aws.amazon.com/cloudwatch/pricing, 2026-11."""
_STATES: Mapping[str, QueryState] = {
    "Complete": QueryState.DONE,
    "Failed": QueryState.FAILED,
    "Timeout": QueryState.FAILED,
    "Unknown": QueryState.FAILED,
    "Cancelled": QueryState.CANCELLED,
}


def log_group(text: str) -> str:
    """The name of a log group; ConfigurationError for what is none."""
    if not _GROUP.match(text):
        raise ConfigurationError(f"{text!r} is not the name of a log group.")
    return text


def insights_query(query: HistoryQuery) -> str:
    """The query in the language of Logs Insights; parts of the message are cut out between members."""
    key_id = key_id_of(query.key_arn)
    if query.key_arn and not _KEY_ID.match(key_id):
        raise ConfigurationError(f"{query.key_arn!r} is not the ARN of a key.")
    about = f' and @message like "{key_id}"' if query.key_arn else ""
    issuer = "userIdentity.sessionContext.sessionIssuer.arn"
    principal = (
        "userIdentity.arn"
        if RequestDetail.SESSION in query.details
        else f"coalesce({issuer}, userIdentity.arn, userIdentity.principalId)"
    )
    groups = [
        "identity_type",
        "principal",
        "account",
        "service",
        "mfa",
        "operation",
        "error",
        "refusal",
        "parameters",
        "resource_list",
        "endpoint",
    ]
    fields = {
        "identity_type": "userIdentity.type",
        "principal": principal,
        "account": "userIdentity.accountId",
        "service": "userIdentity.invokedBy",
        "mfa": "userIdentity.sessionContext.attributes.mfaAuthenticated",
        "operation": "eventName",
        "error": "errorCode",
        "refusal": "errorMessage",
        "endpoint": "vpcEndpointId",
    }
    for detail, name, member in (
        (RequestDetail.ADDRESS, "address", "sourceIPAddress"),
        (RequestDetail.TLS, "key_exchange", "tlsDetails.keyExchange"),
    ):
        if detail in query.details:
            fields[name] = member
            groups.append(name)
    named = ", ".join(f"coalesce({member}, '') as {name}" for name, member in fields.items())
    return "\n| ".join(
        (
            f'filter eventSource = "{KMS_SOURCE}" and eventType != "AwsServiceEvent"{about}',
            f"fields {named}",
            """parse @message '"requestParameters":*,"responseElements":' as parameters""",
            """parse @message '"resources":*,"eventType":' as resource_list""",
            "stats count(*) as calls, earliest(eventTime) as first_time, latest(eventTime) as last_time by "
            + ", ".join(groups),
            "sort calls desc",
            f"limit {MOST_RESULTS}",
        )
    )


class InsightsHistory:
    """A ``HistorySource`` and its ``QueryEngine``; ``group`` is the trail's log group."""

    most_rows = MOST_RESULTS

    def __init__(self, services: Services, group: str) -> None:
        self._services = services
        self._group = group

    @property
    def name(self) -> str:
        return f"Logs Insights over {self._group}"

    def cost(self, query: HistoryQuery) -> QueryCost:
        """At most all that the log group stores."""
        price = f"Logs Insights charges ${DOLLARS_A_GIGABYTE} a gigabyte that it scans"
        try:
            answer = self._call("DescribeLogGroups", {"logGroupNamePrefix": self._group, "limit": 50})
        except KmsTuiError as error:
            return QueryCost(f"{price}; the size of {self._group} is not known: {error}")
        groups = [mapping_of(each) for each in answer.get("logGroups") or ()]
        stored = next((each.get("storedBytes") for each in groups if _is(each, self._group)), None)
        if not isinstance(stored, int):
            return QueryCost(f"{price}; there is no log group {self._group} in this Region.")
        dollars = stored / 1e9 * DOLLARS_A_GIGABYTE
        return QueryCost(f"{price}: at most {size(stored)}, ${dollars:,.2f}, if all of it is that young.")

    def read(self, reading: HistoryReading) -> None:
        """Run the query. Raises QueryFailedError, and the errors of ``kms_tui.kms.errors``."""
        run_query(self, reading)

    def start(self, query: HistoryQuery) -> str:
        params = {
            "logGroupName": self._group,
            "startTime": int(query.since.timestamp()),
            "endTime": int(query.until.timestamp()),
            "queryString": insights_query(query),
            "limit": MOST_RESULTS,
        }
        return text_of(self._call("StartQuery", params).get("queryId"))

    def status(self, query_id: str) -> QueryStatus:
        answer = self._call("GetQueryResults", {"queryId": query_id, "maxItems": 1})
        state = text_of(answer.get("status"))
        scanned = mapping_of(answer.get("statistics")).get("bytesScanned")
        return QueryStatus(
            _STATES.get(state, QueryState.RUNNING),
            "it took too long" if state == "Timeout" else "",
            int(scanned) if isinstance(scanned, int | float) else None,
        )

    def rows(self, query_id: str) -> Iterator[Row]:
        """A row is a list of fields with their values."""
        params: dict[str, Any] = {"queryId": query_id, "maxItems": MOST_RESULTS}
        while True:
            answer = self._call("GetQueryResults", params)
            for row in answer.get("results") or ():
                cells = [mapping_of(cell) for cell in row]
                yield _with_arns({text_of(cell.get("field")): text_of(cell.get("value")) for cell in cells})
            token = answer.get("nextToken")
            if not token:
                return
            params["nextToken"] = token

    def stop(self, query_id: str) -> None:
        self._call("StopQuery", {"queryId": query_id})

    def _call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._services.call(_SERVICE, operation, params)


def _is(group: Mapping[str, Any], name: str) -> bool:
    return group.get("logGroupName") == name


def _with_arns(row: dict[str, str]) -> Row:
    """The row with the ARNs of its resources, which come as a part of the message."""
    try:
        found = json.loads(row.get("resource_list", "") or "[]")
    except (ValueError, RecursionError):
        found = []
    resources = found if isinstance(found, list) else []
    arns = (text_of(mapping_of(each).get("ARN")) for each in resources)
    return {**row, "key_arns": " ".join(arn for arn in arns if arn)}
