"""What the forms of custom key stores send, against the service model; what they refuse before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator

from kms_tui.atomic import FileError
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.ui.actions.key_store_forms import (
    BLAME,
    CLOUD_HSM,
    EXTERNAL,
    CertificateError,
    ConnectedError,
    CredentialError,
    ServiceNameError,
    UnchangedError,
    certificate,
    changed_params,
    create_fields,
    create_params,
    edit_fields,
)
from tests.contract.shapes import service_model

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
HSM_VALUES = {"name": " hsm ", "cluster": "cluster-2a23b4cdefg", "certificate": PEM, "password": "kmsPswd123"}
XKS_VALUES = {
    "name": "xks",
    "endpoint": "https://proxy.example.com",
    "path": "/a/kms/xks/v1",
    "connectivity": "PUBLIC_ENDPOINT",
    "service": "",
    "owner": "",
    "access_key": "ABCDE23456723EXAMPLE".replace("X", "Y"),
    "secret": "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo=",
}
SERVICE = "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
HSM = {
    "CustomKeyStoreId": "cks-1",
    "CustomKeyStoreName": "hsm",
    "CustomKeyStoreType": CLOUD_HSM,
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "ConnectionState": "DISCONNECTED",
}
XKS = {
    "CustomKeyStoreId": "cks-2",
    "CustomKeyStoreName": "xks",
    "CustomKeyStoreType": EXTERNAL,
    "ConnectionState": "DISCONNECTED",
    "XksProxyConfiguration": {
        "Connectivity": "PUBLIC_ENDPOINT",
        "AccessKeyId": XKS_VALUES["access_key"],
        "UriEndpoint": XKS_VALUES["endpoint"],
        "UriPath": XKS_VALUES["path"],
    },
}


def wrong(kind: str, values: Mapping[str, str]) -> dict[str, str]:
    """Field -> what is wrong with it."""
    errors = {field.name: field.check(values[field.name]) for field in create_fields(kind)}
    return {name: sentence for name, sentence in errors.items() if sentence}


def is_valid(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether botocore would send a request."""
    shape = service_model().operation_model(operation).input_shape
    assert shape is not None
    return not ParamValidator().validate(params, shape).has_errors()


def unchanged(store: Mapping[str, Any], **changes: str) -> dict[str, str]:
    """The values of the edit form as it opens, with some changed."""
    return {field.name: field.value for field in edit_fields(store)} | changes


@pytest.mark.parametrize(("kind", "values"), [(CLOUD_HSM, HSM_VALUES), (EXTERNAL, XKS_VALUES)])
def test_a_filled_form_makes_a_valid_request(kind: str, values: Mapping[str, str]) -> None:
    assert wrong(kind, values) == {}
    params = create_params(kind, values)
    assert is_valid("CreateCustomKeyStore", params)
    assert params["CustomKeyStoreName"] == values["name"].strip()


def test_a_proxy_behind_an_endpoint_service_is_named_with_its_owner() -> None:
    values = {
        **XKS_VALUES,
        "connectivity": "VPC_ENDPOINT_SERVICE",
        "service": SERVICE,
        "owner": "111122223333",
    }
    params = create_params(EXTERNAL, values)
    assert params["XksProxyVpcEndpointServiceName"] == SERVICE
    assert params["XksProxyVpcEndpointServiceOwner"] == "111122223333"


@pytest.mark.parametrize(
    ("connectivity", "service", "owner"),
    [
        ("VPC_ENDPOINT_SERVICE", "", ""),
        ("PUBLIC_ENDPOINT", SERVICE, ""),
        ("PUBLIC_ENDPOINT", "", "111122223333"),
    ],
)
def test_a_service_belongs_to_its_connectivity(connectivity: str, service: str, owner: str) -> None:
    values = {**XKS_VALUES, "connectivity": connectivity, "service": service, "owner": owner}
    with pytest.raises(ServiceNameError):
        create_params(EXTERNAL, values)


@pytest.mark.parametrize(
    ("kind", "values", "field", "text"),
    [
        (CLOUD_HSM, HSM_VALUES, "name", "  "),
        (CLOUD_HSM, HSM_VALUES, "name", "n" * 257),
        (CLOUD_HSM, HSM_VALUES, "name", "a\0b"),
        (CLOUD_HSM, HSM_VALUES, "cluster", "cluster-1"),
        (CLOUD_HSM, HSM_VALUES, "cluster", "cluster-2a23b4cdefg; rm"),
        (CLOUD_HSM, HSM_VALUES, "certificate", " "),
        (CLOUD_HSM, HSM_VALUES, "certificate", "a\0"),
        (CLOUD_HSM, HSM_VALUES, "password", "short6"),
        (CLOUD_HSM, HSM_VALUES, "password", "p" * 33),
        (EXTERNAL, XKS_VALUES, "endpoint", "http://proxy.example.com"),
        (EXTERNAL, XKS_VALUES, "endpoint", "https://proxy.example.com:8443"),
        (EXTERNAL, XKS_VALUES, "endpoint", "https://" + "a" * 130),
        (EXTERNAL, XKS_VALUES, "path", "/kms/xks"),
        (EXTERNAL, XKS_VALUES, "path", "a/kms/xks/v1"),
        (EXTERNAL, XKS_VALUES, "service", "vpce-svc-0123456789abcdef0"),
        (EXTERNAL, XKS_VALUES, "owner", "1111"),
        (EXTERNAL, XKS_VALUES, "owner", "\u0661" * 12),
        (EXTERNAL, XKS_VALUES, "access_key", "abcde23456723example"),
        (EXTERNAL, XKS_VALUES, "secret", ""),
        (EXTERNAL, XKS_VALUES, "secret", "too short"),
    ],
)
def test_what_the_model_refuses_is_said_beside_its_field(
    kind: str, values: Mapping[str, str], field: str, text: str
) -> None:
    (sentence,) = wrong(kind, {**values, field: text}).values()
    assert sentence.endswith(".")


# Certificates


def test_a_certificate_comes_from_its_text_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "customerCA.crt"
    file.write_bytes(PEM.replace("\n", "\r\n").encode() + b"\r\n")
    assert certificate(f"\n{PEM}\n") == certificate(f" {file} ") == PEM


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x30\x82\x01\x00",
        b"\xff\xfe",
        PEM.encode()[:-3],
        PEM.encode() + b"\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        f"-----BEGIN CERTIFICATE-----\n{'A' * 5000}\n-----END CERTIFICATE-----".encode(),
        b"A" * 1_000_000,
    ],
    ids=["empty", "der", "utf-16", "cut", "with-a-private-key", "too-long", "huge"],
)
def test_a_file_that_is_no_certificate_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(CertificateError) as caught:
        certificate(str(file))
    assert "MIIE" not in str(caught.value)
    assert "AAAA" not in str(caught.value)


def test_a_pasted_private_key_is_not_sent() -> None:
    with pytest.raises(CertificateError, match="private key"):
        certificate("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----")


@pytest.mark.parametrize("name", ["missing.crt", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="could not be read"):
        certificate(str(tmp_path / name))


# Changes


@pytest.mark.parametrize("store", [HSM, XKS], ids=["cloud-hsm", "external"])
def test_nothing_changed_sends_nothing(store: Mapping[str, Any]) -> None:
    with pytest.raises(UnchangedError):
        changed_params(store, unchanged(store))


@pytest.mark.parametrize(
    ("store", "values", "sent"),
    [
        (HSM, {"name": "other"}, {"NewCustomKeyStoreName": "other"}),
        (HSM, {"password": "kmsPswd123"}, {"KeyStorePassword": "kmsPswd123"}),
        (HSM, {"cluster": "cluster-3b34c5defgh"}, {"CloudHsmClusterId": "cluster-3b34c5defgh"}),
        (XKS, {"path": "/kms/xks/v1"}, {"XksProxyUriPath": "/kms/xks/v1"}),
        (
            XKS,
            {"connectivity": "VPC_ENDPOINT_SERVICE", "service": SERVICE},
            {"XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": SERVICE},
        ),
        (
            XKS,
            {"secret": XKS_VALUES["secret"]},
            {
                "XksProxyAuthenticationCredential": {
                    "AccessKeyId": XKS_VALUES["access_key"],
                    "RawSecretAccessKey": XKS_VALUES["secret"],
                }
            },
        ),
    ],
)
def test_only_what_is_changed_is_sent(
    store: Mapping[str, Any], values: dict[str, str], sent: Mapping[str, Any]
) -> None:
    params = changed_params(store, unchanged(store, **values))
    assert params == {"CustomKeyStoreId": store["CustomKeyStoreId"], **sent}
    assert is_valid("UpdateCustomKeyStore", params)


@pytest.mark.parametrize(
    ("store", "values"),
    [
        (HSM, {"password": "kmsPswd123"}),
        (HSM, {"cluster": "cluster-3b34c5defgh"}),
        (XKS, {"endpoint": "https://other.example.com"}),
        (XKS, {"connectivity": "VPC_ENDPOINT_SERVICE", "service": SERVICE}),
    ],
)
@pytest.mark.parametrize("state", ["CONNECTED", "CONNECTING"])
def test_what_needs_a_disconnected_store_is_not_sent_to_another(
    store: Mapping[str, Any], values: dict[str, str], state: str
) -> None:
    with pytest.raises(ConnectedError, match="must be disconnected"):
        changed_params({**store, "ConnectionState": state}, unchanged(store, **values))


@pytest.mark.parametrize(
    ("store", "values"), [(HSM, {"name": "other"}), (XKS, {"path": "/kms/xks/v1", "name": "other"})]
)
def test_a_connected_store_takes_a_name_and_a_path(store: Mapping[str, Any], values: dict[str, str]) -> None:
    assert changed_params({**store, "ConnectionState": "CONNECTED"}, unchanged(store, **values))


def test_a_new_access_key_id_needs_its_secret() -> None:
    with pytest.raises(CredentialError):
        changed_params(XKS, unchanged(XKS, access_key="B" * 20))


# Errors


@pytest.mark.parametrize(
    "operation", ["CreateCustomKeyStore", "UpdateCustomKeyStore", "DeleteCustomKeyStore"]
)
def test_every_error_of_these_operations_says_what_to_do(operation: str) -> None:
    shapes = service_model().operation_model(operation).error_shapes
    assert [shape.name for shape in shapes if not ServiceError(shape.name).next_step] == []


def test_every_error_is_told_beside_a_field_that_is_there() -> None:
    fields = {field.name for kind in (CLOUD_HSM, EXTERNAL) for field in create_fields(kind)}
    assert set(BLAME.values()) <= fields
    codes = {
        shape.name
        for operation in ("CreateCustomKeyStore", "UpdateCustomKeyStore")
        for shape in service_model().operation_model(operation).error_shapes
    }
    ours = {kind.__name__ for kind in KmsTuiError.__subclasses__()}
    assert set(BLAME) <= codes | ours
