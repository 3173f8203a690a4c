"""AssumeRole and AssumeRoleWithWebIdentity: whether the role may be assumed, and the session that begins.

Source: the STS API reference and the IAM user guide (id_roles_use, id_session-tags,
id_credentials_temp_control-access_monitor, id_credentials_mfa_configure-api-require).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kms_tui.backend.local.account_policies.account_items import MAX_DURATION
from kms_tui.backend.local.authorization.callers import unique_id_of
from kms_tui.backend.local.engine.call import JsonShape
from kms_tui.backend.local.principals.role_trust import (
    IamRole,
    as_provider,
    find_role,
    may_assume,
    role_request,
    trusts_provider,
)
from kms_tui.backend.local.principals.session_options import (
    SOURCE_IDENTITY,
    SessionTags,
    packed_size,
    session_policies,
    session_tags,
)
from kms_tui.backend.local.principals.sts_calls import (
    StsCall,
    access_denied,
    credentials,
    invalid,
    temporary_key,
)
from kms_tui.backend.local.principals.web_identity import read_token
from kms_tui.backend.local.store.stored_account import StoredAccount
from kms_tui.kms.arn import Arn
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.principals import Caller, PrincipalKind

_HOUR = 3600
_WITH_MFA: Mapping[str, ContextValue] = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0"}


def assume_role(sts: StsCall) -> JsonShape:
    """A session of a role, with its own policies, tags and source identity."""
    arn, name = _role_arn(sts, sts.params["RoleArn"]), sts.params["RoleSessionName"]
    caller = sts.caller
    if caller.is_root:
        raise access_denied("Roles may not be assumed by root accounts.")
    held: Mapping[str, ContextValue] = sts.access_key.context if sts.access_key else {}
    tags = session_tags(sts.params.get("Tags", ()), sts.params.get("TransitiveTagKeys", ()), held)
    stored = StoredAccount(sts.call.store)
    role = find_role(stored, arn)
    if role is None:
        raise sts.denied("sts:AssumeRole", str(arn))
    before = held.get(SOURCE_IDENTITY)
    source = sts.params.get("SourceIdentity") or (before if isinstance(before, str) else "")
    context = _context(sts, name, tags, source)
    for action in _actions("sts:AssumeRole", tags, source):
        if not may_assume(role_request(sts.call, role, action, context), sts.call, role):
            raise sts.denied(action, str(arn))
    if before and source != before:
        raise sts.denied("sts:SetSourceIdentity", str(arn))
    seconds = _duration(sts, role, is_chained=caller.kind in (PrincipalKind.SESSION, PrincipalKind.ROLE))
    return _session(sts, role, tags, source, seconds, {})


def _actions(first: str, tags: SessionTags, source: str) -> Iterator[str]:
    """All that a request does, which must be allowed."""
    yield first
    if not tags.is_empty:
        yield "sts:TagSession"
    if source:
        yield "sts:SetSourceIdentity"


def _context(sts: StsCall, name: str, tags: SessionTags, source: str) -> dict[str, ContextValue]:
    """The condition keys of the request to assume a role."""
    has_code = "SerialNumber" in sts.params and "TokenCode" in sts.params
    return {
        **tags.request_context(),
        "sts:RoleSessionName": name,
        "sts:ExternalId": sts.params.get("ExternalId"),
        "sts:SourceIdentity": source or None,
        **(_WITH_MFA if has_code else {}),
    }


def assume_role_with_web_identity(sts: StsCall) -> JsonShape:
    """A session of a role for whom an identity provider vouches; its token is read and not verified."""
    arn, name = _role_arn(sts, sts.params["RoleArn"]), sts.params["RoleSessionName"]
    identity = read_token(sts.params["WebIdentityToken"], sts.params.get("ProviderId", ""))
    tags = session_tags(identity.tags, identity.transitive_tag_keys, {})
    role = find_role(StoredAccount(sts.call.store), arn)
    if role is None:
        raise access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    source, provider = identity.source_identity, identity.provider_arn(arn.partition, arn.account)
    federated: dict[str, ContextValue] = {"aws:FederatedProvider": provider}
    context = {**_context(sts, name, tags, source), **identity.request_context(), **federated}
    for action in _actions("sts:AssumeRoleWithWebIdentity", tags, source):
        if not trusts_provider(as_provider(role_request(sts.call, role, action, context), provider), role):
            raise access_denied(f"Not authorized to perform {action}")
    kept = {**identity.session_context(), **federated}
    answer = _session(sts, role, tags, source, _duration(sts, role), kept)
    return {
        **answer,
        "SubjectFromWebIdentityToken": identity.subject,
        "Provider": provider,
        "Audience": identity.audience,
    }


def _role_arn(sts: StsCall, text: str) -> Arn:
    try:
        caller = Caller.parse(text)
    except ValueError as error:
        raise invalid(f"{text} is invalid") from error
    if caller.kind is not PrincipalKind.ROLE or caller.arn != text:
        raise invalid(f"{text} is invalid")
    arn = Arn.parse(text)
    if arn.partition != sts.call.scope.partition:
        raise sts.denied("sts:AssumeRole", text)
    return arn


def _duration(sts: StsCall, role: IamRole, *, is_chained: bool = False) -> int:
    """Seconds; ValidationError for more than the role, or a session that assumes it, may have."""
    seconds: int = sts.params.get("DurationSeconds", _HOUR)
    if is_chained and seconds > _HOUR:
        raise invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining"
        )
    if role.row is not None and seconds > role.row.get(MAX_DURATION, _HOUR):
        raise invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return seconds


def _session(
    sts: StsCall,
    role: IamRole,
    tags: SessionTags,
    source: str,
    seconds: int,
    context: Mapping[str, ContextValue],
) -> JsonShape:
    """Begin a session of a role; what is answered of it."""
    account, name = role.arn.account, sts.params["RoleSessionName"]
    packed = packed_size(sts.params, tags)
    arn = f"arn:{role.arn.partition}:sts::{account}:assumed-role/{role.name}/{name}"
    unique_id = (role.row or {}).get("RoleId") or unique_id_of(Caller.parse(str(role.arn)))
    key = temporary_key(
        sts,
        account,
        arn,
        seconds,
        policies=session_policies(StoredAccount(sts.call.store), account, sts.params),
        context={
            **context,
            **tags.session_context(),
            **({SOURCE_IDENTITY: source} if source else {}),
            "aws:MultiFactorAuthPresent": "false",
        },
    )
    answer: JsonShape = {
        "Credentials": credentials(key),
        "AssumedRoleUser": {"AssumedRoleId": f"{unique_id}:{name}", "Arn": arn},
    }
    if packed is not None:
        answer["PackedPolicySize"] = packed
    return answer | ({"SourceIdentity": source} if source else {})
