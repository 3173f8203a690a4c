"""THE table of STS operations of the offline KMS.

Source: the STS API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kms_tui.backend.local.engine.call import JsonShape
from kms_tui.backend.local.principals.assuming import assume_role, assume_role_with_web_identity
from kms_tui.backend.local.principals.sts_calls import StsCall, access_denied, credentials, temporary_key
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.principals import PrincipalKind

_HALF_A_DAY, _HOUR = 43200, 3600


def get_session_token(sts: StsCall) -> JsonShape:
    """Temporary credentials of the user that calls. An MFA code is taken for a right one."""
    caller = sts.caller
    if sts.is_temporary or caller.kind not in (PrincipalKind.USER, PrincipalKind.ACCOUNT):
        raise access_denied("Cannot call GetSessionToken with session credentials")
    seconds = sts.params.get("DurationSeconds", _HALF_A_DAY)
    has_code = "SerialNumber" in sts.params and "TokenCode" in sts.params
    context: dict[str, ContextValue] = dict(sts.access_key.context) if sts.access_key else {}
    context["aws:MultiFactorAuthPresent"] = "true" if has_code else "false"
    key = temporary_key(
        sts,
        sts.call.scope.account,
        sts.caller_arn,
        min(seconds, _HOUR) if caller.is_root else seconds,
        policies=sts.access_key.session_policies if sts.access_key else (),
        context=context,
    )
    return {"Credentials": credentials(key)}


def get_access_key_info(sts: StsCall) -> JsonShape:
    """The account of an access key; of one that is not known that of the caller, for which it would call."""
    key = sts.access_keys.find(sts.params["AccessKeyId"])
    return {"Account": key.account if key else sts.call.scope.account}


OPERATIONS: Mapping[str, Callable[[StsCall], JsonShape]] = {
    "AssumeRole": assume_role,
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
    "GetAccessKeyInfo": get_access_key_info,
    "GetSessionToken": get_session_token,
}
