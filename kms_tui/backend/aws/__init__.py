"""KMS at AWS, or at any endpoint that speaks its API.

boto3 and botocore are imported by ``connect`` and not before: they cost a sixth of a second, and the first
frame does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable

from kms_tui.backend.aws.aws_backend import AwsBackend
from kms_tui.backend.aws.profiles import ProfileInfo, profiles

__all__ = ["AwsBackend", "ProfileInfo", "connect", "profiles"]


def connect(
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    *,
    mfa_prompt: Callable[[str], str] | None = None,
) -> AwsBackend:
    """Open a backend with the ordinary credential chain; None means what the AWS configuration says.

    ``mfa_prompt`` is given the question and answers the code, or raises a KmsTuiError to give up; it is
    called on whichever thread needed credentials. No request is sent to KMS or STS, but finding credentials
    may run a credential_process or ask the instance. Raises ConfigurationError and CredentialsError.
    """
    from kms_tui.backend.aws.boto_session import open_backend

    return open_backend(profile, region, endpoint_url, mfa_prompt)
