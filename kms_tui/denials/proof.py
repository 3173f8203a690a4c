"""``prove``: make the denied call in a throwaway offline KMS that has the case's key and layers.

The call is made before and after the fix, by the case's caller and with its encryption context: with real
cryptography, and by the offline KMS's own authorization. Nothing leaves the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.authorization.decision import ADMINISTRATOR_POLICY
from kms_tui.backend.local.store.sources import RandomIds
from kms_tui.denials.fix_statements import encryption_context
from kms_tui.denials.fixes import Fix, FixKind
from kms_tui.denials.trial_calls import CALLS, OPERATIONS, Trial, key_form
from kms_tui.kms.arn import Arn, is_key_id, key_id_of
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.denial_case import DenialCase
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.grant_statements import SOURCE_ARN, grant_principal
from kms_tui.policy.layer_matches import SOURCE_VPCE
from kms_tui.policy.layers import UNLIMITED, Layers, NamedPolicy, UnreadLayer
from kms_tui.policy.principals import PrincipalKind


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What the call was answered: an error's code and message, or "" for success."""

    code: str = ""
    message: str = ""

    @property
    def is_refusal(self) -> bool:
        return self.code == "AccessDeniedException"


@dataclass(frozen=True, slots=True)
class Proof:
    """The call before and after the fix; None where it could not be made. ``words`` say what was seen."""

    before: CallAnswer | None
    after: CallAnswer | None
    words: str

    @property
    def holds(self) -> bool:
        """Whether the call was refused before the fix and answered after it."""
        return bool(self.before and self.after and self.before.is_refusal and not self.after.code)


class _NotRebuiltError(Exception):
    """Why the case cannot be rebuilt offline, as one sentence."""


def prove(case: DenialCase, fix: Fix) -> Proof:
    """Try a change of ``fixes_for``. A layer that is not known counts as one that does not limit; ``words``
    say so.
    """
    operation = actions.canonical(case.request.action).removeprefix(actions.PREFIX)
    try:
        before = _answer(case.request, case.layers, operation, None)
        after = _answer(case.request, case.layers, operation, fix)
    except _NotRebuiltError as error:
        return Proof(None, None, str(error))
    return Proof(before, after, _words(operation, before, after, case.layers))


def _words(operation: str, before: CallAnswer, after: CallAnswer, layers: Layers) -> str:
    if not before.is_refusal:
        told = f"{before.code}: {before.message}" if before.code else "answered"
        return f"Not proved: in the offline KMS {operation} is not refused to begin with ({told})."
    if after.code:
        return f"Not proved: {operation} still gets {after.code}: {after.message}"
    assumed = _assumed(layers)
    return f"Proved in the offline KMS: {operation} is refused before and answered after.{assumed}"


def _assumed(layers: Layers) -> str:
    unread = [words for name, words in _MEMBERS.items() if isinstance(getattr(layers, name), UnreadLayer)]
    return f" Not known, and taken as no limit: {', '.join(unread)}." if unread else ""


_MEMBERS: Mapping[str, str] = {
    "grants": "grants",
    "unread_grants": "some grants",
    "identity": "IAM policies",
    "boundary": "boundary",
    "session": "session policies",
    "scps": "SCPs",
    "rcps": "RCPs",
    "endpoint": "VPC endpoint policy",
}
"""Member of Layers that may be unread -> its words."""
_NOT_BY_ITSELF = (SOURCE_VPCE, "aws:multifactorauthpresent")
"""Condition keys that the call has only as the case gives them."""


def _answer(request: AccessRequest, layers: Layers, operation: str, fix: Fix | None) -> CallAnswer:
    """Make the call in a new KMS, after the fix if one is given."""
    make = CALLS.get(operation)
    if make is None:
        raise _NotRebuiltError(
            f"{operation} takes more than a key and cannot be tried in the offline KMS: the evaluation of "
            "all layers alone speaks for the fix."
        )
    stage = _rebuilt(request, layers, operation)
    with stage.store:
        try:
            if fix is not None:
                layers = _applied(stage, layers, fix)
            members = make(stage.trial)
            caller = _caller(stage, request, layers)
        except KmsTuiError as error:
            raise _NotRebuiltError(f"The case cannot be rebuilt in the offline KMS: {error}") from error
        try:
            caller.call(OPERATIONS.get(operation, operation), members)
        except ServiceError as error:
            return CallAnswer(error.code, error.message)
        return CallAnswer()


@dataclass(frozen=True, slots=True)
class _Stage:
    """A store with the case's key."""

    store: Store
    trial: Trial


class _CaseIds(RandomIds):
    """The first key gets the id of the case's key, so that policies which name it still do."""

    def __init__(self, key_id: str) -> None:
        self._next = key_id

    def key_id(self) -> str:
        given, self._next = self._next, ""
        return given or super().key_id()

    def multi_region_key_id(self) -> str:
        given, self._next = self._next, ""
        return given or super().multi_region_key_id()


def _rebuilt(request: AccessRequest, layers: Layers, operation: str) -> _Stage:
    """A new store in memory with the case's key, its policy and its grants."""
    policy = layers.key_policy
    if not isinstance(policy, NamedPolicy):
        raise _NotRebuiltError("The key policy is not known, so the call cannot be tried.")
    if layers.aws_managed:
        raise _NotRebuiltError("The policy of an AWS-managed key cannot be changed.")
    arn = Arn.parse(request.key_arn)
    key_id = key_id_of(request.key_arn)
    if not is_key_id(key_id):
        raise _NotRebuiltError("The request names no key, so there is nothing to try it on.")
    store = open_store(ids=_CaseIds(key_id))
    administrator, callers = (
        LocalBackend(store, account_id=account, region=arn.region)
        for account in (arn.account, request.caller.account or arn.account)
    )
    known = {key: values[0] for key, values in request.known.items() if values and len(values) == 1}
    grants = layers.grants if isinstance(layers.grants, tuple) else ()
    form = key_form(operation, known, [name for grant in grants for name in grant.operations])
    try:
        administrator.call(
            "CreateKey",
            {
                "Policy": policy.document.text,
                "KeySpec": form.spec,
                "KeyUsage": form.usage,
                "MultiRegion": key_id.startswith("mrk-"),
                "BypassPolicyLockoutSafetyCheck": True,
            },
        )
        for grant in grants:
            administrator.call("CreateGrant", _grant_members(grant, request.key_arn))
    except KmsTuiError as error:
        store.close()
        raise _NotRebuiltError(f"The case cannot be rebuilt in the offline KMS: {error}") from error
    context = encryption_context(request)
    return _Stage(store, Trial(administrator, callers, request.key_arn, form, context, known))


def _grant_members(grant: Grant, key_arn: str) -> Mapping[str, Any]:
    """CreateGrant's members for a grant that ListGrants answered.

    A service is a service principal's member where the grant has the SourceArn that this one needs.
    """
    members: dict[str, Any] = {"KeyId": key_arn, "Operations": list(grant.operations)}
    members |= {"Name": grant.name} if grant.name else {}
    members |= {"Constraints": dict(grant.constraints)} if grant.constraints else {}
    for role, name in (("Grantee", grant.grantee), ("Retiring", grant.retiring)):
        principal = grant_principal(name) if name else None
        if name and principal is not None:
            is_service = principal.kind is PrincipalKind.SERVICE and SOURCE_ARN in grant.constraints
            service = "Service" if is_service else ""
            members[f"{role}{service}Principal"] = name
    return members


def _applied(stage: _Stage, layers: Layers, fix: Fix) -> Layers:
    """Make the fix as its parts say, by the key's administrator; the caller's layers after it."""
    for part in fix.parts:
        if part.kind is FixKind.KEY_POLICY:
            stage.trial.administrator.call(
                "PutKeyPolicy",
                stage.trial.key | {"Policy": part.policy, "BypassPolicyLockoutSafetyCheck": True},
            )
        elif part.kind is FixKind.GRANT:
            stage.trial.administrator.call("CreateGrant", part.grant)
        elif part.kind is FixKind.IDENTITY:
            layers = replace(layers, identity=fix.layers.identity)
    return layers


def _caller(stage: _Stage, request: AccessRequest, layers: Layers) -> LocalBackend:
    """The case's caller, with its identity policies and within its limits."""
    administrator = stage.trial.administrator
    known = {
        name: getattr(UNLIMITED, name) if isinstance(value := getattr(layers, name), UnreadLayer) else value
        for name in _MEMBERS
        if name not in ("grants", "identity")
    }
    identity = layers.identity
    if isinstance(identity, UnreadLayer):
        # In its own account a caller may do without; from another it cannot.
        other = request.caller.account not in ("", administrator.account_id)
        identity = (NamedPolicy("any", ADMINISTRATOR_POLICY),) if other else ()
    return LocalBackend(
        stage.store,
        account_id=administrator.account_id,
        region=administrator.region,
        caller_arn=request.caller.arn,
        iam_policies=[policy.document for policy in identity],
        limits=replace(UNLIMITED, **known),
        context={**{key: request.resolve(key) for key in _NOT_BY_ITSELF}, **request.context},
    )
