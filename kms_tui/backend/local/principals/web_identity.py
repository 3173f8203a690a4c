"""The tokens of AssumeRoleWithWebIdentity: JWTs, which are read and not verified.

Source: the STS API reference (AssumeRoleWithWebIdentity) and the IAM user guide
(reference_policies_iam-condition-keys #condition-keys-wif, id_session-tags).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kms_tui.kms.errors import ServiceError
from kms_tui.policy.evaluation import ContextValue

_NO_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
_TAGS = "https://aws.amazon.com/tags"
_SOURCE_IDENTITY = "https://aws.amazon.com/source_identity"
_HOSTS = ("accounts.google.com", "www.amazon.com", "graph.facebook.com", "cognito-identity.amazonaws.com")
"""The providers that a trust policy names by their hosts; others are resources of the account."""
_IN_SESSION = ("aud", "sub", "amr")
"""The claims that the requests of the session have, too."""


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """Whom a token is about, and its claims; ``provider`` is its issuer without https://."""

    provider: str
    subject: str
    audience: str
    claims: Mapping[str, Any]

    def provider_arn(self, partition: str, account: str) -> str:
        """How trust policies name the provider."""
        if self.provider in _HOSTS:
            return self.provider
        return f"arn:{partition}:iam::{account}:oidc-provider/{self.provider}"

    def request_context(self) -> dict[str, ContextValue]:
        """The claims as condition keys, such as "accounts.google.com:sub"."""
        values = {name: _value(value) for name, value in self.claims.items()}
        values |= {"sub": self.subject, "aud": self.audience}
        return {f"{self.provider}:{name}": value for name, value in values.items() if value is not None}

    def session_context(self) -> dict[str, ContextValue]:
        keys = {f"{self.provider}:{name}" for name in _IN_SESSION}
        return {name: value for name, value in self.request_context().items() if name in keys}

    @property
    def tags(self) -> list[dict[str, str]]:
        """The session tags in the token, in the shape of a request's."""
        found = self.claims.get(_TAGS)
        tags = found.get("principal_tags") if isinstance(found, dict) else None
        values = {key: each[0] if isinstance(each, list) and each else each for key, each in _items(tags)}
        return [{"Key": key, "Value": each} for key, each in values.items() if isinstance(each, str)]

    @property
    def transitive_tag_keys(self) -> list[str]:
        found = self.claims.get(_TAGS)
        keys = found.get("transitive_tag_keys") if isinstance(found, dict) else None
        return [each for each in keys if isinstance(each, str)] if isinstance(keys, list) else []

    @property
    def source_identity(self) -> str:
        found = self.claims.get(_SOURCE_IDENTITY)
        return found if isinstance(found, str) else ""


def read_token(token: str, provider: str = "") -> WebIdentity:
    """The identity in a token; InvalidIdentityToken for what is no JWT with an issuer, subject and audience.

    ``provider`` is the ProviderId of the request: the host of an OAuth 2.0 provider.
    """
    parts = token.split(".")
    claims = _part(parts[1]) if len(parts) == 3 else None
    if claims is None or _part(parts[0]) is None:
        raise _refused(_NO_JWT)
    audience = claims.get("azp") or claims.get("aud")
    if isinstance(audience, list):
        audience = audience[0] if audience else None
    issuer, subject = provider or _required("iss", claims.get("iss")), _required("sub", claims.get("sub"))
    host = issuer.removeprefix("https://").rstrip("/")
    return WebIdentity(host, subject, _required("aud", audience), claims)


def _required(name: str, claim: object) -> str:
    if not isinstance(claim, str) or not claim or not claim.isprintable():
        raise _refused(f"Missing a required claim: {name}")
    return claim


def _part(text: str) -> dict[str, Any] | None:
    """The JSON object in a part of a JWT; None where there is none."""
    try:
        found = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refused(message: str) -> ServiceError:
    return ServiceError("InvalidIdentityToken", message)


def _items(value: Any) -> Any:
    return value.items() if isinstance(value, dict) else ()


def _value(claim: Any) -> ContextValue:
    """A claim as a condition key's value; None for what cannot be one."""
    if isinstance(claim, bool):
        return "true" if claim else "false"
    if isinstance(claim, str | int | float):
        return str(claim)
    if isinstance(claim, list) and all(isinstance(each, str) for each in claim):
        return tuple(claim)
    return None
