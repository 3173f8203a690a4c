"""Signing in to IAM Identity Center without the AWS CLI, by the device authorization of RFC 8628.

RegisterClient, StartDeviceAuthorization and CreateToken are those of the IAM Identity Center OIDC API. The
token goes to where botocore and the AWS CLI look for it, so that both are signed in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kms_tui.atomic import write_private
from kms_tui.backend.aws.error_translation import Translator
from kms_tui.backend.aws.profiles import SsoSession
from kms_tui.kms.errors import CredentialsError, ServiceError

TOKEN_FOLDER = Path("~/.aws/sso/cache")
"""Where the AWS CLI and botocore keep the tokens of sign-ins."""

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_PENDING, _SLOW_DOWN = "AuthorizationPendingException", "SlowDownException"
_DECLINED = "AccessDeniedException"
"""CreateToken's error code for a sign-in that the person did not allow."""
_AGAIN = "Begin the sign-in again."
_SLOWER = 5.0
"""Seconds that SlowDownException adds to the interval (RFC 8628, section 3.5)."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What is shown to the person: the page at ``address`` has the ``user_code`` filled in already.

    ``lifetime`` and ``interval``, between two questions whether it is confirmed, are in seconds.
    """

    user_code: str
    address: str
    lifetime: float
    interval: float
    device_code: str = field(repr=False)


class SsoSignIn:
    """One sign-in. ``client`` is of sso-oidc; ``wait`` sleeps for some seconds, and may raise to stop.

    Raises CredentialsError, ServiceError, EndpointError.
    """

    def __init__(
        self,
        session: SsoSession,
        client: Any,
        translator: Translator,
        *,
        wait: Callable[[float], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        folder: Path = TOKEN_FOLDER,
    ) -> None:
        self._session = session
        self._client = client
        self._translator = translator
        self._wait = wait
        self._now = now
        self._folder = folder
        self._registration: dict[str, Any] = {}

    def begin(self) -> DeviceCode:
        """Register this program, and ask for a code that the person confirms in a browser."""
        with self._translator.calling("RegisterClient"):
            self._registration = self._client.register_client(
                clientName="kms-tui", clientType="public", scopes=list(self._session.scopes)
            )
        with self._translator.calling("StartDeviceAuthorization"):
            answer = self._client.start_device_authorization(
                **self._identity(), startUrl=self._session.start_url
            )
        return DeviceCode(
            answer["userCode"],
            answer.get("verificationUriComplete") or answer["verificationUri"],
            float(answer["expiresIn"]),
            float(answer.get("interval") or _SLOWER),
            answer["deviceCode"],
        )

    def finish(self, code: DeviceCode) -> datetime:
        """Wait until the code is confirmed, keep the token, and say when it expires."""
        interval, expires = code.interval, self._now() + timedelta(seconds=code.lifetime)
        while self._now() < expires:
            self._wait(interval)
            try:
                with self._translator.calling("CreateToken"):
                    token = self._client.create_token(
                        **self._identity(), grantType=_GRANT_TYPE, deviceCode=code.device_code
                    )
            except CredentialsError:  # ExpiredTokenException: the code's, here
                break
            except ServiceError as error:
                if error.code == _DECLINED:
                    raise CredentialsError(
                        "The sign-in was declined in the browser.", next_step=_AGAIN
                    ) from error
                if error.code == _SLOW_DOWN:
                    interval += _SLOWER
                elif error.code != _PENDING:
                    raise
            else:
                return self._keep(token)
        raise CredentialsError("Nobody confirmed the code before it expired.", next_step=_AGAIN)

    def _identity(self) -> dict[str, str]:
        return {name: self._registration[name] for name in ("clientId", "clientSecret")}

    def _keep(self, token: dict[str, Any]) -> datetime:
        expires = self._now() + timedelta(seconds=token["expiresIn"])
        registered_until = datetime.fromtimestamp(self._registration["clientSecretExpiresAt"], UTC)
        kept = {
            "startUrl": self._session.start_url,
            "region": self._session.region,
            "accessToken": token["accessToken"],
            "expiresAt": _text(expires),
            **self._identity(),
            "registrationExpiresAt": _text(registered_until),
        }
        if token.get("refreshToken"):
            kept["refreshToken"] = token["refreshToken"]
        name = self._session.name or self._session.start_url
        file = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest() + ".json"
        write_private(self._folder.expanduser() / file, json.dumps(kept).encode())
        return expires


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
