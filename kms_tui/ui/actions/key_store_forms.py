"""The forms of custom key stores: their fields, and the members of the calls that they make.

Source of the checks: CreateCustomKeyStore and UpdateCustomKeyStore in the service model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kms_tui.atomic import file_errors, typed_path
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.dialogs.form import ChoiceField, FormField, SecretField, TextField, Values
from kms_tui.undo.reversals import store_setting

CLOUD_HSM, EXTERNAL = "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"
PUBLIC, BY_SERVICE = "PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"
_LARGEST_CERTIFICATE = 5000
_BEGINS, _ENDS = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_CONNECTIVITY = (("over the internet", PUBLIC), ("a VPC endpoint service", BY_SERVICE))

Check = Callable[[str], str]


class CertificateError(KmsTuiError):
    """What was given as the trust anchor certificate is none."""


class CredentialError(KmsTuiError):
    """A new access key id without its secret, or the other way round."""


class ServiceNameError(KmsTuiError):
    """The name of an endpoint service is missing, or given where it does not belong."""


class ConnectedError(KmsTuiError):
    """A change that a connected key store does not take."""


class UnchangedError(KmsTuiError):
    """Nothing was changed."""


BLAME: Mapping[str, str] = {
    "CertificateError": "certificate",
    "FileError": "certificate",
    "CredentialError": "secret",
    "ServiceNameError": "service",
    "CustomKeyStoreNameInUseException": "name",
    "CloudHsmClusterInUseException": "cluster",
    "CloudHsmClusterInvalidConfigurationException": "cluster",
    "CloudHsmClusterNotActiveException": "cluster",
    "CloudHsmClusterNotFoundException": "cluster",
    "CloudHsmClusterNotRelatedException": "cluster",
    "IncorrectTrustAnchorException": "certificate",
    "XksProxyIncorrectAuthenticationCredentialException": "secret",
    "XksProxyInvalidConfigurationException": "path",
    "XksProxyInvalidResponseException": "endpoint",
    "XksProxyUriEndpointInUseException": "endpoint",
    "XksProxyUriInUseException": "endpoint",
    "XksProxyUriUnreachableException": "endpoint",
    "XksProxyVpcEndpointServiceInUseException": "service",
    "XksProxyVpcEndpointServiceInvalidConfigurationException": "service",
    "XksProxyVpcEndpointServiceNotFoundException": "service",
}
"""Error -> the field that it is about; a form has some of the fields."""


def _must_match(pattern: str, sentence: str) -> Check:
    compiled = re.compile(pattern)
    return lambda text: "" if compiled.fullmatch(text.strip()) else sentence


def _may_be_empty(check: Check) -> Check:
    return lambda text: check(text) if text else ""


check_name = _must_match(r"[^\0-\x1f\x7f]{1,256}", "Give a name of 1 to 256 characters.")
check_cluster = _must_match(
    r"cluster-[2-7a-zA-Z]{11,16}", "Give the id of a CloudHSM cluster, such as cluster-1a23b4cdefg."
)
check_endpoint = _must_match(
    r"(?=.{10,128}\Z)https://[a-zA-Z0-9.-]+",
    "Give https:// and the proxy's host name, without a port and a path.",
)
check_path = _must_match(
    r"(?=.{10,128}\Z)(/[a-zA-Z0-9/_-]+)?/kms/xks/v\d{1,2}", "Give a path that ends with /kms/xks/v1."
)
check_service = _must_match(
    r"(?=.{20,64}\Z)(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+",
    "Give the service's name: com.amazonaws.vpce, the Region, and vpce-svc- with its id.",
)
check_owner = _must_match(r"[0-9]{12}", "Give the 12 digits of the account that owns the service.")
check_access_key_id = _must_match(r"[A-Z2-7]{20,30}", "It has 20 to 30 characters: A to Z and 2 to 7.")
_check_secret = _must_match(r"[a-zA-Z0-9/+=]{43,64}", "It has 43 to 64 characters: letters, digits, / + =.")


def _check_password(text: str) -> str:
    return "" if 7 <= len(text) <= 32 else "The password has 7 to 32 characters."


def _check_certificate(text: str) -> str:
    if "\0" in text:
        return "A certificate or the name of its file cannot hold a NUL character."
    return "" if text.strip() else "Paste the certificate, or name its file."


def _name_field(value: str = "") -> FormField:
    return FormField("name", "Name", value, check=check_name)


def _cluster_field(value: str = "") -> FormField:
    return FormField("cluster", "CloudHSM cluster", value, hint="cluster-…", check=check_cluster)


def _proxy_fields(store: Mapping[str, Any], *, secret_needed: bool) -> list[FormField]:
    """The fields of an external key store, with what it has now; ``store`` is empty for a new one."""
    has_id = store.get("XksProxyConfiguration", {}).get("AccessKeyId", "")
    return [
        FormField(
            "endpoint",
            "URI endpoint of the proxy",
            store_setting(store, "XksProxyUriEndpoint"),
            hint="https://xks.example.com",
            check=check_endpoint,
        ),
        FormField(
            "path",
            "URI path",
            store_setting(store, "XksProxyUriPath"),
            hint="/kms/xks/v1, or with a prefix before it",
            check=check_path,
        ),
        ChoiceField(
            "connectivity",
            "KMS reaches it by",
            store_setting(store, "XksProxyConnectivity") or PUBLIC,
            choices=_CONNECTIVITY,
        ),
        FormField(
            "service",
            "Name of the VPC endpoint service",
            store_setting(store, "XksProxyVpcEndpointServiceName"),
            hint="com.amazonaws.vpce.eu-west-1.vpce-svc-…; empty over the internet",
            check=_may_be_empty(check_service),
        ),
        FormField(
            "owner",
            "Account that owns the service",
            store_setting(store, "XksProxyVpcEndpointServiceOwner"),
            hint="empty: this account",
            check=_may_be_empty(check_owner),
        ),
        FormField("access_key", "Access key id of the proxy's credential", has_id, check=check_access_key_id),
        SecretField(
            "secret",
            "Its secret access key",
            hint="never shown" if secret_needed else "empty: unchanged",
            check=_check_secret if secret_needed else _may_be_empty(_check_secret),
        ),
    ]


def create_fields(kind: str) -> Sequence[FormField]:
    """The fields of a new key store of a kind."""
    if kind == EXTERNAL:
        return [_name_field(), *_proxy_fields({}, secret_needed=True)]
    return [
        _name_field(),
        _cluster_field(),
        TextField(
            "certificate",
            "Trust anchor certificate: its PEM text, or the name of a file",
            hint=f"{_BEGINS}…, or ~/customerCA.crt",
            check=_check_certificate,
        ),
        SecretField("password", "Password of kmsuser", hint="never shown", check=_check_password),
    ]


def edit_fields(store: Mapping[str, Any]) -> Sequence[FormField]:
    """The fields of a key store with what it has now."""
    name = _name_field(store["CustomKeyStoreName"])
    if kind_of(store) == EXTERNAL:
        return [name, *_proxy_fields(store, secret_needed=False)]
    return [
        name,
        _cluster_field(store.get("CloudHsmClusterId", "")),
        SecretField(
            "password", "Password of kmsuser", hint="empty: unchanged", check=_may_be_empty(_check_password)
        ),
    ]


def kind_of(store: Mapping[str, Any]) -> str:
    """A key store's CustomKeyStoreType; older answers have none, and were of CloudHSM."""
    return str(store.get("CustomKeyStoreType", CLOUD_HSM))


def create_params(kind: str, values: Values) -> dict[str, Any]:
    """CreateCustomKeyStore's members; it reads the certificate's file where one is named.

    Raises FileError, CertificateError, ServiceNameError.
    """
    params = {"CustomKeyStoreName": values["name"].strip(), "CustomKeyStoreType": kind}
    if kind == CLOUD_HSM:
        return params | {
            "CloudHsmClusterId": values["cluster"].strip(),
            "TrustAnchorCertificate": certificate(values["certificate"]),
            "KeyStorePassword": values["password"],
        }
    return params | _proxy_params(values) | {"XksProxyAuthenticationCredential": _credential(values)}


def _proxy_params(values: Values) -> dict[str, str]:
    service, owner = values["service"].strip(), values["owner"].strip()
    by_service = values["connectivity"] == BY_SERVICE
    if by_service and not service:
        raise ServiceNameError("Name the VPC endpoint service by which KMS reaches the proxy.")
    if not by_service and (service or owner):
        raise ServiceNameError(
            "Leave the service and its owner empty where KMS reaches the proxy over the internet."
        )
    params = {
        "XksProxyUriEndpoint": values["endpoint"].strip(),
        "XksProxyUriPath": values["path"].strip(),
        "XksProxyConnectivity": values["connectivity"],
        "XksProxyVpcEndpointServiceName": service,
        "XksProxyVpcEndpointServiceOwner": owner,
    }
    return {name: value for name, value in params.items() if value}


def _credential(values: Values) -> dict[str, str]:
    return {"AccessKeyId": values["access_key"].strip(), "RawSecretAccessKey": values["secret"].strip()}


def changed_params(store: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """UpdateCustomKeyStore's members that differ from what the key store has.

    Raises UnchangedError; ConnectedError where one of them needs a disconnected store; CredentialError,
    ServiceNameError.
    """
    wanted: dict[str, Any] = {"NewCustomKeyStoreName": values["name"].strip()}
    secrets: dict[str, Any] = {}
    if kind_of(store) == EXTERNAL:
        wanted |= _proxy_params(values)
        secrets = _changed_credential(store, values)
    else:
        wanted["CloudHsmClusterId"] = values["cluster"].strip()
        if values["password"]:
            secrets["KeyStorePassword"] = values["password"]
    changed = {name: value for name, value in wanted.items() if value != store_setting(store, name)} | secrets
    if not changed:
        raise UnchangedError("Nothing is changed yet.")
    waits = [words for name, words in NEEDS_DISCONNECTED.items() if name in changed]
    if waits and store["ConnectionState"] not in ("DISCONNECTED", "FAILED"):
        raise ConnectedError(
            f"To change the {' and the '.join(waits)}, the key store must be disconnected.",
            next_step="Close this, and disconnect it with enter.",
        )
    return {"CustomKeyStoreId": store["CustomKeyStoreId"], **changed}


NEEDS_DISCONNECTED: Mapping[str, str] = {
    "CloudHsmClusterId": "cluster",
    "KeyStorePassword": "password",
    "XksProxyUriEndpoint": "endpoint",
    "XksProxyConnectivity": "connectivity",
    "XksProxyVpcEndpointServiceName": "endpoint service",
    "XksProxyVpcEndpointServiceOwner": "owner of the service",
}
"""Members that only a disconnected key store takes, and their words.

Source: UpdateCustomKeyStore in the service model.
"""


def _changed_credential(store: Mapping[str, Any], values: Values) -> dict[str, Any]:
    is_new = values["access_key"].strip() != store.get("XksProxyConfiguration", {}).get("AccessKeyId", "")
    if is_new and not values["secret"]:
        raise CredentialError("A new access key id needs its secret access key.")
    return {"XksProxyAuthenticationCredential": _credential(values)} if values["secret"] else {}


def certificate(text: str) -> str:
    """The PEM text of a certificate, which is this text or that of the file of this name.

    Raises FileError, CertificateError.
    """
    text = text.strip()
    if not text.startswith("-----BEGIN"):
        path = typed_path(text)
        with file_errors(path, "read"), path.open("rb") as file:
            content = file.read(_LARGEST_CERTIFICATE * 4)
        try:
            text = content.decode("ascii").strip()
        except UnicodeDecodeError:
            raise CertificateError(f"{path} is no PEM text: KMS takes a certificate in PEM only.") from None
    if "PRIVATE KEY" in text:
        raise CertificateError("This has a private key, which is not sent anywhere: give the certificate.")
    if not text.startswith(_BEGINS) or not text.endswith(_ENDS) or not text.isascii():
        raise CertificateError(f"A certificate in PEM begins with {_BEGINS} and ends with {_ENDS}.")
    text = text.replace("\r\n", "\n")
    if len(text) > _LARGEST_CERTIFICATE:
        raise CertificateError(
            f"KMS takes a certificate of at most {_LARGEST_CERTIFICATE:,} characters; "
            f"this has {len(text):,}. Give the one that signed the cluster's, without its chain."
        )
    return text
