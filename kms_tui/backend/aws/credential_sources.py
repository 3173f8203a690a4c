"""The sources of a profile's credentials, and the error for each that fails.

botocore lets whatever a source raises pass: a missing program, a file that is not there, text that is no
JSON. Here each becomes a CredentialsError or a ConfigurationError that names the source, and the file and
line, or the variable, that chose it. What a source printed is never repeated: it may hold a secret key.
"""

from __future__ import annotations

import os
import shlex
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import CredentialRetrievalError, MissingDependencyException

from kms_tui.backend.aws.profiles import ProfileOption, options_of, profile_named
from kms_tui.kms.errors import ConfigurationError, CredentialsError, KmsTuiError

ENDPOINT_EXAMPLE = "An endpoint looks like https://kms.eu-west-1.amazonaws.com."
"""The next step for a URL that is not an endpoint's."""
_TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"
_UNREADABLE = (OSError, ValueError, AttributeError, TypeError, MemoryError)
"""What botocore's providers raise for a source that is missing, or does not answer credentials."""
_VARIABLES = {
    "access key ID": "AWS_ACCESS_KEY_ID",
    "secret access key": "AWS_SECRET_ACCESS_KEY",
    "session token": "AWS_SESSION_TOKEN",
}
_FROM_ENVIRONMENT, _PROCESS = "env", "custom-process"
"""botocore's names for two methods of finding credentials."""


@dataclass(frozen=True, slots=True)
class CredentialSources:
    """The credential sources of one profile, as the configuration files and the environment name them."""

    profile: str
    process: ProfileOption | None = None
    """``credential_process`` of the profile, or of one at the end of its source_profile chain."""
    token_file: ProfileOption | None = None
    """``web_identity_token_file``, likewise, or the variable's."""

    @classmethod
    def of(cls, profile: str, environ: Mapping[str, str] = os.environ) -> CredentialSources:
        found = options_of(profile, ("credential_process", "web_identity_token_file"), environ)
        token_file = found.get("web_identity_token_file")
        if token_file is None and environ.get(_TOKEN_FILE):
            token_file = ProfileOption(environ[_TOKEN_FILE], _TOKEN_FILE)
        return cls(profile, found.get("credential_process"), token_file)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wraps whatever finds or renews credentials; errors of ours and of botocore's pass."""
        try:
            yield
        except MissingDependencyException as error:
            raise CredentialsError(
                f"Profile {self.profile} signs in with `aws login`, which needs the package awscrt.",
                next_step="Install it beside kms-tui: pip install 'kms-tui[login]'.",
            ) from error
        except CredentialRetrievalError as error:
            if error.kwargs.get("provider") != _PROCESS or self.process is None:
                raise
            reason = str(error.kwargs.get("error_msg", "")).strip().rstrip(".")
            raise CredentialsError(
                f"The credential_process {self.program} failed: {reason or 'it says nothing'}.",
                next_step=f"Run it by hand to see why. {self.process.place} names it.",
            ) from error
        except _UNREADABLE as error:
            # Not "from error": its text, and its locals, may quote what the source printed.
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> KmsTuiError:
        if isinstance(error, OSError):
            name = str(error.filename or "")
            reason = error.strerror or type(error).__name__
            if self.token_file is not None and name == self.token_file.value:
                return CredentialsError(
                    f"The web identity token file {name} cannot be read: {reason}.",
                    next_step=f"{self.token_file.place} names it: have it written, or correct the name.",
                )
            if self.process is not None:
                return CredentialsError(
                    f"The credential_process {self.program} could not be started: {reason}.",
                    next_step=f"Correct it in {self.process.place}, or install the program.",
                )
            return CredentialsError(f"The credentials could not be read: {name or 'a file'}: {reason}.")
        if self.process is None:
            return ConfigurationError(
                f"The AWS configuration of profile {self.profile} cannot be used: {error}.",
                next_step="Check the profile in the AWS configuration files.",
            )
        return CredentialsError(
            f"The credential_process {self.program} printed something else than credentials in AWS's JSON.",
            next_step=f"Run it by hand to see what it prints. {self.process.place} names it.",
        )

    @property
    def program(self) -> str:
        """The program of ``process``, without its arguments, which may be secrets; "" without one."""
        if self.process is None:
            return ""
        try:
            words = shlex.split(self.process.value)
        except ValueError:
            words = self.process.value.split()
        return words[0] if words else "(empty)"


def waits_for(profile: str | None) -> str:
    """What opening a profile waits for; raises ConfigurationError for files that cannot be read."""
    name = profile_named(profile).name
    sources = CredentialSources.of(name)
    if sources.process is None:
        return f"the credentials of profile {name}"
    return f"the credential_process {sources.program} of profile {name} ({sources.process.place})"


def refuse_unusable(frozen: Any, method: str) -> None:
    """Raise CredentialsError for keys that no request can carry: with white space, or not in ASCII.

    They come from a file with Windows line ends, or from a paste. The error does not show them.
    """
    values = (frozen.access_key, frozen.secret_key, frozen.token or "")
    for (name, variable), value in zip(_VARIABLES.items(), values, strict=True):
        fault = _fault(value)
        if fault:
            place = variable if method == _FROM_ENVIRONMENT else f"the credentials from {method}"
            raise CredentialsError(
                f"The {name} {fault}, so no request can be signed with it.",
                next_step=f"Correct {place}: it may come from a file with Windows line ends, or a paste.",
            )


def _fault(value: str) -> str:
    if value != value.strip():
        end = value[len(value.rstrip()) :] or value[: len(value) - len(value.lstrip())]
        where = "ends in" if value != value.rstrip() else "begins with"
        return f"{where} a carriage return" if "\r" in end else f"{where} white space"
    if not all("!" <= character <= "~" for character in value):
        return "holds a character that no key has"
    return ""


def check_ca_bundle(path: str, place: str) -> None:
    """Raise ConfigurationError for a CA bundle that is missing, or holds no certificate."""
    file = Path(path).expanduser()
    try:
        if file.is_dir():
            return
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except ssl.SSLError:
        reason = "holds no certificate"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    else:
        return
    raise ConfigurationError(
        f"The CA bundle {path} {reason}.",
        next_step=f"{place} names it: correct the path, or remove it to use the usual authorities.",
    )


def check_proxies(proxies: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Raise ConfigurationError for a proxy that botocore cannot use; ``proxies`` are those by URL scheme.

    botocore speaks to HTTP proxies alone, and takes a host and port without a scheme for one.
    """
    for scheme in ("https", "http"):
        url = proxies.get(scheme, "")
        fault = _proxy_fault(url) if url else ""
        if fault:
            place = proxy_variable(url, environ) or f"The {scheme} proxy of this system"
            raise ConfigurationError(
                f"{place} {fault}.", next_step="A proxy looks like http://proxy.example.com:3128."
            )


def _proxy_fault(url: str) -> str:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("http", "https"):
        return f"names a {parts.scheme} proxy, and only HTTP proxies can be used"
    return "" if host else "names no host"


def check_endpoint(url: str | None) -> None:
    """Raise ConfigurationError for a URL with an invalid port; botocore finds it at the first call only."""
    try:
        _ = urlsplit(url or "").port
    except ValueError as error:
        raise ConfigurationError(
            f"Invalid endpoint: {url} ({str(error).rstrip('.').lower()})", next_step=ENDPOINT_EXAMPLE
        ) from error


_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def proxy_variable(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """The variable that names a proxy, given its URL or its host and port; "" where none does."""
    host = _host(url)
    named = ((name, environ.get(name, "")) for name in _PROXY_VARIABLES)
    return next(
        (name for name, value in named if (value and value == url) or (host and _host(value) == host)), ""
    )


def _host(url: str) -> str:
    """Host and port, whether or not a scheme and a sign-in stand before them."""
    return url.rpartition("://")[2].partition("/")[0].rpartition("@")[2]
