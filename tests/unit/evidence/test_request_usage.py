"""Who spends the requests: averages, quotas, S3 without bucket keys, classical key exchange."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, RequestHistory
from kms_tui.evidence.request_history.recorded_request import RequestDetail
from kms_tui.evidence.request_usage import request_usage
from kms_tui.evidence.usage_formats import WRITERS
from kms_tui.kms.operations import ROWS
from kms_tui.kms.request_quotas import _BY_OPERATION, ECC, ML_DSA, RSA, SYMMETRIC, quota_of
from tests.unit.evidence.request_history.trail_events import KEY, NOW, OTHER_KEY, event, role

DETAILS = frozenset({RequestDetail.TLS})
POST_QUANTUM = {"tlsVersion": "TLSv1.3", "keyExchange": "X25519MLKEM768"}


def history(*records: dict[str, Any], days: float = 10) -> RequestHistory:
    reading = HistoryReading(HistoryQuery(NOW - timedelta(days=days), NOW, "", DETAILS), "a test")
    for record in records:
        reading.add(requests_in(record, DETAILS))
    reading.finish()
    return reading.snapshot()


def test_calls_a_day_by_caller_operation_and_context() -> None:
    usage = request_usage(history(*[event(context={"table": "orders"})] * 40, event(identity=role("batch"))))
    first, second = usage.spent
    assert (first.request.principal_label, first.calls, first.per_day) == ("role/app", 40, 4.0)
    assert (second.request.principal_label, second.calls) == ("role/batch", 1)
    (use,) = usage.quotas
    assert (use.quota.name, use.region, use.per_day) == (SYMMETRIC, "eu-west-1", 4.1)
    assert use.share == pytest.approx(4.1 / (100_000 * 86_400))


def test_a_moment_counts_as_an_hour() -> None:
    assert request_usage(history(event(age=timedelta(0)), days=0)).spent[0].per_day == pytest.approx(24)


@pytest.mark.parametrize(
    ("operation", "algorithm", "region", "name", "per_second"),
    [
        ("Decrypt", "SYMMETRIC_DEFAULT", "eu-west-1", SYMMETRIC, 100_000),
        ("Decrypt", "SYMMETRIC_DEFAULT", "eu-central-1", SYMMETRIC, 20_000),
        ("Decrypt", "", "sa-east-1", SYMMETRIC, 10_000),
        ("ReEncryptFrom", "", "sa-east-1", SYMMETRIC, 10_000),
        ("Sign", "RSASSA_PSS_SHA_256", "eu-west-1", RSA, 1000),
        ("Decrypt", "RSAES_OAEP_SHA_256", "eu-west-1", RSA, 1000),
        ("Verify", "ECDSA_SHA_256", "eu-west-1", ECC, 1000),
        ("DeriveSharedSecret", "ECDH", "eu-west-1", ECC, 1000),
        ("Sign", "ML_DSA_SHAKE_256", "eu-west-1", ML_DSA, 1000),
        ("DescribeKey", "", "eu-west-1", "DescribeKey", 2000),
        ("GenerateDataKeyPair", "RSA_4096", "eu-west-1", "data key pairs of RSA_4096", 0.1),
        ("GenerateDataKeyPair", "ECC_NIST_P256", "eu-west-1", "data key pairs of ECC_NIST_P256", None),
        ("NewOperation", "", "eu-west-1", "NewOperation", None),
    ],
)
def test_quotas(operation: str, algorithm: str, region: str, name: str, per_second: float | None) -> None:
    assert quota_of(operation, algorithm, region) == (name, per_second)


def test_every_operation_of_the_table_is_one() -> None:
    assert set(_BY_OPERATION) <= set(ROWS)


def test_a_bucket_without_bucket_keys_is_pointed_out() -> None:
    lake = "arn:aws:s3:::lake"
    usage = request_usage(
        history(
            *(
                event(context={"aws:s3:arn": f"{lake}/{number}"}, service="s3.amazonaws.com")
                for number in range(30)
            ),
            event(context={"aws:s3:arn": "arn:aws:s3:::pond"}, service="s3.amazonaws.com"),
        )
    )
    (found,) = usage.buckets
    assert (found.subject, found.per_day) == (lake, 3.0)


def test_callers_without_post_quantum_key_exchange() -> None:
    usage = request_usage(
        history(
            event(),
            event(identity=role("batch"), tlsDetails=POST_QUANTUM),
            event(identity=role("ci"), tlsDetails=None),
            event(identity=role("old"), tlsDetails={"tlsVersion": "TLSv1.2"}),
            event(identity=role("reader"), service="s3.amazonaws.com"),
        )
    )
    assert [(each.subject, each.detail) for each in usage.classical] == [("role/app", "x25519")]
    assert usage.untold == 2


def test_a_reencrypt_of_two_keys_counts_once() -> None:
    parameters = {"destinationKeyId": OTHER_KEY}
    usage = request_usage(history(event("ReEncrypt", keys=(KEY, OTHER_KEY), parameters=parameters)))
    assert [(each.request.operation, each.calls) for each in usage.spent] == [("ReEncryptFrom", 1)]


def test_columns_of_wide_characters_are_aligned_and_long_cells_are_cut() -> None:
    records = [event(context={"a": "x" * 100}), event(context={"a": "日本語"}), event(context={"a": "b"})]
    lines = WRITERS["table"](request_usage(history(*records)), 9).splitlines()[1:5]
    assert f"a={'x' * 57}…  " in lines[1]
    wide = next(line for line in lines if "日本語" in line)
    assert wide.index("eu-west-1") + 3 == lines[1].index("eu-west-1")


@pytest.mark.parametrize("form", list(WRITERS))
def test_all_formats_hide_nothing_and_obey_nothing(form: str) -> None:
    records = [event(context={"a": f"\x1b[31m{number}\u202e"}) for number in range(5)]
    text = WRITERS[form](request_usage(history(*records)), 3)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if form == "json":
        shape = json.loads(text)
        assert len(shape["spent"]) == 5
        assert shape["covers"]["events"] == 5
        assert shape["without_post_quantum"][0]["subject"] == "role/app"
    else:
        assert "The last 10 days (5 events): a test." in text
        assert text.count("Decrypt") == 3
    if form == "table":
        assert "2 further rows: --top shows more." in text
