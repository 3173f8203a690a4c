"""An exported key list: each state of a fact has a word of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kms_tui.inventory.key_table import table_of
from kms_tui.inventory.row import Row
from kms_tui.kms.errors import EndpointError, ServiceError
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, UNASKED, Denied, Failed, Known
from kms_tui.kms.model import Key, KeyRotationStatus, Tag

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def row(**facts: Any) -> Row:
    return Row(ARN, ARN.rpartition("/")[2], "eu-west-1", ("orders-db", "orders"), **facts)


def cells(each: Row, **options: Any) -> dict[str, str]:
    table = table_of([each], title="Keys", now=NOW, **options)
    return dict(zip(table.columns, table.rows[0], strict=True))


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (Known(KeyRotationStatus(False)), "off"),
        (Known(KeyRotationStatus(True)), "on"),
        (Known(KeyRotationStatus(True, 180, NOW)), "180 days"),
        (Denied(ServiceError("AccessDeniedException")), "denied"),
        (Failed(EndpointError("gone")), "failed"),
        (LOADING, "not read"),
        (UNASKED, "not read"),
        (NOT_APPLICABLE, ""),
    ],
)
def test_a_fact_that_is_not_known_says_why(fact: Any, text: str) -> None:
    assert cells(row(rotation=fact))["rotation"] == text


def test_values_are_in_the_words_of_the_api() -> None:
    key = Key(
        "k", ARN, "1", "CUSTOMER", "Enabled", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", created=NOW
    )
    found = cells(row(described=Known(key), tags=Known((Tag("team", "orders"), Tag("env", "prod")))))
    assert found["name"] == "orders-db"
    assert found["aliases"] == "orders-db orders"
    assert (found["state"], found["spec"]) == ("Enabled", "SYMMETRIC_DEFAULT")
    assert found["created"] == "2026-11-20T12:00:00+00:00"
    assert found["tags"] == "team=orders env=prod"
    assert found["description"] == ""


def test_marks_have_a_column_only_where_there_are_any() -> None:
    assert "marked" not in cells(row())
    assert cells(row(), marks={ARN})["marked"] == "yes"
    assert cells(row(), marks={"another"})["marked"] == ""
