"""The caller, as ``--as`` names it."""

from __future__ import annotations

from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy import Caller
from kms_tui.policy.principals import PrincipalKind

_NEXT_STEP = "Give the ARN of a user, a role, a session of a role, or an account's root user."


def identity_of(partition: str, account: str, arn: str | None) -> CallerIdentity:
    """Who calls, as STS tells it; without an ARN the administrator of the account.

    KmsTuiError for what is no principal that can call, or is one of another partition.
    """
    if arn is None:
        return CallerIdentity(
            account, f"arn:{partition}:iam::{account}:user/administrator", _user_id("AIDA", account)
        )
    try:
        caller = Caller.parse(arn)
    except ValueError as error:
        raise KmsTuiError(f"{arn} is no principal that can call KMS.", next_step=_NEXT_STEP) from error
    if caller.partition not in ("", partition):
        raise KmsTuiError(
            f"{arn} is of the partition {caller.partition}; this KMS is of {partition}.",
            next_step=f"Give a principal of {partition}, or with --region a Region of {caller.partition}.",
        )
    return CallerIdentity(caller.account or account, caller.arn, unique_id_of(caller))


def identity_known_in(partition: str, account: str, arn: str | None) -> CallerIdentity:
    """Who calls where requests go to; UnrecognizedClientException where its credentials are of elsewhere."""
    try:
        return identity_of(partition, account, arn)
    except KmsTuiError as error:
        raise unrecognized() from error


def unrecognized() -> ServiceError:
    """The refusal of an access key that is not known, or of a token that is not its own."""
    return ServiceError(
        "UnrecognizedClientException", "The security token included in the request is invalid."
    )


def unique_id_of(caller: Caller) -> str:
    """The caller's unique id, derived from its account, as IAM's own is not known."""
    if caller.kind is PrincipalKind.USER:
        return _user_id("AIDA", caller.account)
    if caller.kind in (PrincipalKind.ROLE, PrincipalKind.SESSION):
        role = _user_id("AROA", caller.account)
        return f"{role}:{caller.session}" if caller.session else role
    return caller.account


def _user_id(prefix: str, account: str) -> str:
    return f"{prefix}{account:0>17}"
