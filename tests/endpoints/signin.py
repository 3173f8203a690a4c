"""The services that hand out credentials and say whose they are: STS, and IAM Identity Center's portal and
its OIDC service.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from tests.endpoints.synthetic import ACCOUNT

CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/operator/ada"
ASSUMED_KEY, PORTAL_KEY = "ASIAASSUMED", "ASIAPORTAL"

_HOUR = 3600
_PORTAL = "GetRoleCredentials"
_STS: Mapping[str, str] = {
    "GetCallerIdentity": f"<Arn>{CALLER}</Arn><UserId>AROAEXAMPLE:ada</UserId><Account>{ACCOUNT}</Account>",
    "AssumeRole": (
        f"<Credentials><AccessKeyId>{ASSUMED_KEY}</AccessKeyId><SecretAccessKey>x</SecretAccessKey>"
        "<SessionToken>t</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:ada</AssumedRoleId><Arn>{CALLER}</Arn></AssumedRoleUser>"
    ),
}

_OIDC_PATHS: Mapping[str, str] = {
    "/client/register": "RegisterClient",
    "/device_authorization": "StartDeviceAuthorization",
    "/token": "CreateToken",
}
_OIDC: Mapping[str, Mapping[str, object]] = {
    "RegisterClient": {"clientId": "client", "clientSecret": "hush", "clientSecretExpiresAt": 32472144000},
    "StartDeviceAuthorization": {
        "deviceCode": "device",
        "userCode": "ABCD-EFGH",
        "verificationUri": "https://device.sso.example.com/",
        "verificationUriComplete": "https://device.sso.example.com/?user_code=ABCD-EFGH",
        "expiresIn": 600,
        "interval": 1,
    },
    "CreateToken": {"accessToken": "fresh", "expiresIn": 28800, "refreshToken": "again"},
}


def is_sts(operation: str) -> bool:
    return operation in _STS


def is_signin(operation: str) -> bool:
    return operation in _STS or operation in _OIDC or operation == _PORTAL


def operation_of(path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, str]]:
    """The operation and its parameters, in the query protocol of STS or the REST one of the portal."""
    parts = urlsplit(path)
    if parts.path == "/federation/credentials":
        return _PORTAL, {**dict(parse_qsl(parts.query)), "token": headers.get("x-amz-sso_bearer_token", "")}
    if parts.path in _OIDC_PATHS:
        return _OIDC_PATHS[parts.path], json.loads(body)
    params = dict(parse_qsl(body.decode()))
    return params.get("Action", ""), params


def success(operation: str) -> bytes:
    if operation in _OIDC:
        return json.dumps(_OIDC[operation]).encode()
    expires = time.time() + _HOUR
    if operation == _PORTAL:
        credentials = {
            "accessKeyId": PORTAL_KEY,
            "secretAccessKey": "x",
            "sessionToken": "t",
            "expiration": int(expires * 1000),
        }
        return json.dumps({"roleCredentials": credentials}).encode()
    result = _STS[operation].replace(
        "{expiration}", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
    )
    return (
        f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>".encode()
    )


def sts_error(code: str, message: str) -> bytes:
    text = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    return f"<ErrorResponse><Error>{text}</Error></ErrorResponse>".encode()
