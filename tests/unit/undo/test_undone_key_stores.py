"""Custom key stores made and changed are undone on the offline KMS; of their secrets nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.undo import UndoHistory, UndoRecorder
from kms_tui.undo.recorder import NEVER_TOLD, NO_WAY_BACK, NOTHING_CHANGED
from tests.demo_copies import demo_copy

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PASSWORD, SECRET = "kmsPswd123", "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo="
CREDENTIAL = {"AccessKeyId": "ABCDE23456723EXAMPLE", "RawSecretAccessKey": SECRET}
CLOUD_HSM = {
    "CustomKeyStoreName": "hsm",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": PASSWORD,
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
}
EXTERNAL = {
    "CustomKeyStoreName": "xks",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://proxy.example.com",
    "XksProxyUriPath": "/a/kms/xks/v1",
    "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
    "XksProxyVpcEndpointServiceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0",
    "XksProxyVpcEndpointServiceOwner": "111122223333",
    "XksProxyAuthenticationCredential": CREDENTIAL,
}


@pytest.fixture
def demo() -> Backend:
    return demo_copy(NOW)


@pytest.fixture
def history() -> UndoHistory:
    return UndoHistory()


@pytest.fixture
def recorder(demo: Backend, history: UndoHistory) -> UndoRecorder:
    return UndoRecorder(demo, history, lambda: NOW)


def stores(backend: Backend) -> dict[str, Mapping[str, Any]]:
    entries = backend.call("DescribeCustomKeyStores", {})["CustomKeyStores"]
    return {entry["CustomKeyStoreId"]: entry for entry in entries}


@pytest.mark.parametrize("settings", [CLOUD_HSM, EXTERNAL], ids=["cloud-hsm", "external"])
def test_a_new_key_store_is_deleted_again(
    demo: Backend, recorder: UndoRecorder, history: UndoHistory, settings: Mapping[str, Any]
) -> None:
    before = stores(demo)
    answer = recorder.call("CreateCustomKeyStore", settings)
    (step,), _ = history.last()
    assert step.is_in_effect()
    assert [(call.operation, call.params) for call in step.undo] == [("DeleteCustomKeyStore", answer)]
    assert step.target == settings["CustomKeyStoreName"]
    assert PASSWORD not in str(step.call.params)
    assert SECRET not in str(step.call.params)
    step.undo_calls()
    assert stores(demo) == before
    assert not step.is_in_effect()


def test_a_connected_one_stays_and_that_is_said(
    demo: Backend, recorder: UndoRecorder, history: UndoHistory
) -> None:
    answer = recorder.call("CreateCustomKeyStore", CLOUD_HSM)
    demo.call("ConnectCustomKeyStore", answer)
    (step,), _ = history.last()
    assert "disconnected" in step.note
    with pytest.raises(ServiceError, match="CustomKeyStoreInvalidStateException"):
        step.undo_calls()
    assert answer["CustomKeyStoreId"] in stores(demo)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (CLOUD_HSM, {"NewCustomKeyStoreName": "renamed"}),
        (CLOUD_HSM, {"CloudHsmClusterId": "cluster-3b34c5defgh", "NewCustomKeyStoreName": "both"}),
        (EXTERNAL, {"XksProxyUriPath": "/b/kms/xks/v1"}),
        (EXTERNAL, {"XksProxyUriEndpoint": "https://other.example.com"}),
        (EXTERNAL, {"XksProxyConnectivity": "PUBLIC_ENDPOINT"}),
    ],
)
def test_what_was_changed_is_as_it_was(
    demo: Backend,
    recorder: UndoRecorder,
    history: UndoHistory,
    settings: Mapping[str, Any],
    changes: Mapping[str, str],
) -> None:
    store = demo.call("CreateCustomKeyStore", settings)
    before = stores(demo)
    recorder.call("UpdateCustomKeyStore", {**store, **changes})
    assert stores(demo) != before
    (step,), _ = history.last()
    assert step.is_in_effect()
    step.undo_calls()
    assert stores(demo) == before
    assert not step.is_in_effect()


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (CLOUD_HSM, {"KeyStorePassword": PASSWORD}),
        (EXTERNAL, {"XksProxyAuthenticationCredential": CREDENTIAL, "NewCustomKeyStoreName": "renamed"}),
    ],
    ids=["password", "credential"],
)
def test_a_changed_secret_has_no_way_back_and_is_not_kept(
    demo: Backend,
    recorder: UndoRecorder,
    history: UndoHistory,
    settings: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> None:
    store = demo.call("CreateCustomKeyStore", settings)
    recorder.call("UpdateCustomKeyStore", {**store, **changes})
    steps, (skipped,) = history.last()
    assert (steps, skipped.reason) == ((), NEVER_TOLD)
    assert PASSWORD not in str(skipped.call.params)
    assert SECRET not in str(skipped.call.params)


def test_the_same_name_again_changes_nothing_and_a_deletion_has_no_way_back(
    demo: Backend, recorder: UndoRecorder, history: UndoHistory
) -> None:
    store = demo.call("CreateCustomKeyStore", CLOUD_HSM)
    recorder.call("UpdateCustomKeyStore", {**store, "NewCustomKeyStoreName": "hsm"})
    recorder.call("DeleteCustomKeyStore", store)
    steps, skipped = history.last()
    assert steps == ()
    assert [step.reason for step in skipped] == [NO_WAY_BACK, NOTHING_CHANGED]
