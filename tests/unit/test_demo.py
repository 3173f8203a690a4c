"""The demo's account: the same each time, and with something of everything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kms_tui.backend.base import Backend, KnowsServices
from kms_tui.demo import demo_backend
from kms_tui.demo.demo_account import KEYS
from kms_tui.kms.errors import ServiceError
from kms_tui.policy.layers import UNLIMITED, Layer, read_policy

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def _demo(**options: Any) -> Backend:
    return demo_backend(now=lambda: _NOW, **options)


@pytest.fixture
def demo() -> Backend:
    return _demo()


def _describe(backend: Backend, alias: str) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = backend.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]
    return metadata


def _everything(backend: Backend) -> list[Any]:
    shown: list[Any] = [backend.call("DescribeCustomKeyStores", {}), backend.call("ListAliases", {})]
    for entry in backend.call("ListKeys", {"Limit": 1000})["Keys"]:
        key = {"KeyId": entry["KeyId"]}
        for operation in ("DescribeKey", "GetKeyLastUsage", "GetKeyPolicy", "ListGrants", "ListResourceTags"):
            shown.append(backend.call(operation, key))
    return shown


def test_it_is_the_same_each_time_down_to_the_identifiers(demo: Backend) -> None:
    assert _everything(demo) == _everything(_demo())


def test_every_last_use_of_the_table_was_made(demo: Backend) -> None:
    for key in KEYS:
        if not key.alias:
            continue
        usage = demo.call("GetKeyLastUsage", {"KeyId": _describe(demo, key.alias)["KeyId"]})["KeyLastUsage"]
        if not key.uses:
            assert usage == {}
            continue
        operation, days = key.uses[-1]
        assert usage["Operation"] == operation
        assert abs(usage["Timestamp"] - (_NOW - timedelta(days=days))) < timedelta(milliseconds=1)
        assert usage["CloudTrailEventId"]


def test_an_imported_key_is_about_to_lose_its_material(demo: Backend) -> None:
    metadata = _describe(demo, "imported-hsm-root")
    assert (metadata["KeyState"], metadata["Origin"]) == ("Enabled", "EXTERNAL")
    assert metadata["ValidTo"] == _NOW + timedelta(days=9)
    rotations = demo.call(
        "ListKeyRotations", {"KeyId": metadata["KeyId"], "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
    )
    assert [entry["KeyMaterialDescription"] for entry in rotations["Rotations"]] == ["escrow 2025"]


def test_services_and_a_partner_have_grants(demo: Backend) -> None:
    grants = {
        alias: demo.call("ListGrants", {"KeyId": _describe(demo, alias)["KeyId"]})["Grants"]
        for alias in ("orders-db", "ebs-default", "rds-reporting", "partner-exchange")
    }
    assert [len(found) for found in grants.values()] == [2, 3, 2, 1]
    assert {grant["GranteeServicePrincipal"] for grant in grants["rds-reporting"]} == {
        "rds.eu-west-1.amazonaws.com"
    }
    (partner,) = grants["partner-exchange"]
    assert partner["Constraints"] == {"EncryptionContextSubset": {"exchange": "inbound"}}


def test_the_partners_grant_is_in_force_within_its_own_accounts_policies(demo: Backend) -> None:
    arn = _describe(demo, "partner-exchange")["Arn"]
    text = '{"Statement": {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"}}'
    limits = replace(UNLIMITED, identity=(read_policy(Layer.IDENTITY, "importer", text),))
    role = "arn:aws:iam::444455556666:role/importer"
    importer = _demo(caller_arn=role, limits=limits)
    assert importer.call("DescribeKey", {"KeyId": arn})["KeyMetadata"]["Arn"] == arn
    encrypt = {"KeyId": arn, "Plaintext": b"x"}
    for caller, operation, params in (
        (importer, "kms:Encrypt", encrypt),
        (_demo(caller_arn=role), "kms:DescribeKey", {"KeyId": arn}),
    ):
        with pytest.raises(ServiceError, match=f"no identity-based policy allows the {operation}"):
            caller.call(operation.removeprefix("kms:"), params)


def test_a_replica_opens_what_its_primary_sealed(demo: Backend) -> None:
    sealed = demo.call("Encrypt", {"KeyId": "alias/global-config", "Plaintext": b"x"})["CiphertextBlob"]
    us = demo.in_region("us-east-1")
    assert _describe(us, "global-config")["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    assert us.call("Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"x"


def test_a_key_is_out_of_reach_while_its_key_store_is_disconnected(demo: Backend) -> None:
    metadata = _describe(demo, "payroll-escrow")
    assert metadata["KeyState"] == "Unavailable"
    demo.call("ConnectCustomKeyStore", {"CustomKeyStoreId": metadata["CustomKeyStoreId"]})
    demo.call("Encrypt", {"KeyId": metadata["KeyId"], "Plaintext": b"x"})


def test_its_trail_tells_of_several_callers_and_of_those_who_were_turned_away(demo: Backend) -> None:
    assert isinstance(demo, KnowsServices)

    def told(alias: str) -> list[dict[str, Any]]:
        attribute = {"AttributeKey": "ResourceName", "AttributeValue": _describe(demo, alias)["Arn"]}
        answer = demo.services.call("cloudtrail", "LookupEvents", {"LookupAttributes": [attribute]})
        return [json.loads(event["CloudTrailEvent"]) for event in answer["Events"]]

    orders = [event for event in told("orders-db") if event["sourceIPAddress"] != "127.0.0.1"]
    assert {event["userIdentity"]["arn"].split("/")[1] for event in orders} == {"app", "batch"}
    assert {"table": "orders"} in [event["requestParameters"].get("encryptionContext") for event in orders]
    refused = {event["errorCode"] for event in told("customer-pii") if "errorCode" in event}
    assert refused == {"AccessDenied"}
    assert [event.get("errorCode") for event in told("chat-archive")].count("DisabledException") == 4
    partner = [event["userIdentity"] for event in told("partner-exchange")]
    assert [identity["accountId"] for identity in partner if identity["type"] == "AWSAccount"] == [
        "444455556666",
        "444455556666",
    ]
