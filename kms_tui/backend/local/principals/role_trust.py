"""May a principal assume a role? The role's trust policy and the caller's own policies say so together.

Source: the IAM user guide (reference_policies_evaluation-logic, …-cross-account, id_roles_create_for-user,
reference_policies_iam-condition-keys). A role that the store does not know is trusted to let everybody in, as
long as it knows no role of that account at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from kms_tui.backend.local.account_policies.account_items import TRUST
from kms_tui.backend.local.account_policies.account_rows import Content, RowKind
from kms_tui.backend.local.authorization.condition_context import policy_request
from kms_tui.backend.local.authorization.principal_context import tags_context
from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.stored_account import StoredAccount
from kms_tui.kms.arn import Arn
from kms_tui.policy import AccessRequest, Document, wildcard
from kms_tui.policy.actions import lowered
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import ContextValue, Match, Via, covers, matched
from kms_tui.policy.layers import Layer, NamedPolicy, read_policy
from kms_tui.policy.principals import Caller, PrincipalKind

_BOUND = (PrincipalKind.SESSION, PrincipalKind.ROLE)
"""Callers whom the name of their role, unlike that of the session, lets in within their own limits only."""


class IamRole:
    """A role that somebody wants to assume; ``row`` is what the account policies hold of it, if anything."""

    def __init__(self, arn: Arn, row: Content | None) -> None:
        self.arn = arn
        self.row = row

    @property
    def name(self) -> str:
        return self.arn.resource.rpartition("/")[2]

    @cached_property
    def trust(self) -> Document | None:
        """Its trust policy; without one it trusts its account. None for a role that is not known."""
        if self.row is None:
            return None
        return _trust_policy(json.dumps(self.row.get(TRUST) or _own_account(self.arn)))


def find_role(stored: StoredAccount, arn: Arn) -> IamRole | None:
    """The role of an ARN; None where there is no such role among those of its account."""
    if not stored.holds(RowKind.ROLE, arn.account):
        return IamRole(arn, None)
    row = stored.find(RowKind.ROLE, arn.account, arn.resource.rpartition("/")[2])
    return IamRole(arn, row) if row is not None and row["Arn"] == str(arn) else None


def _own_account(arn: Arn) -> Content:
    root = f"arn:{arn.partition}:iam::{arn.account}:root"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@lru_cache(maxsize=256)
def _trust_policy(text: str) -> Document:
    return read_policy(Layer.RCP, TRUST, text).document  # a policy of any service, with principals


def role_request(
    call: Call, role: IamRole, action: str, context: Mapping[str, ContextValue]
) -> AccessRequest:
    """The request for an action on a role, with condition keys beside those of the caller."""
    request = policy_request(call, None, action, str(role.arn))
    row = role.row or {}
    of_role = tags_context("aws:resourcetag", row) | tags_context("iam:resourcetag", row)
    place = {"aws:requestedregion": call.scope.region, "aws:resourceaccount": role.arn.account}
    found = dict(request.context) | of_role | dict(call.organization_of(role.arn.account)) | place
    return replace(request, context=found | {lowered(name): value for name, value in context.items()})


def as_provider(request: AccessRequest, provider: str) -> AccessRequest:
    """The same request, made by whom an identity provider (its ARN, or its host) vouches for."""
    account = provider.split(":")[4] if provider.startswith("arn:") else ""
    partition = provider.split(":")[1] if account else ""
    caller = Caller(PrincipalKind.PROVIDER, provider, partition, account, provider)
    kept = {name: value for name, value in request.context.items() if not name.startswith("aws:principal")}
    return replace(request, caller=caller, context={**kept, "aws:userid": None})


def may_assume(request: AccessRequest, call: Call, role: IamRole) -> bool:
    """Whether the trust policy and the caller's own policies allow a request of ``role_request``."""
    layers = call.layers_for(role.arn.account)
    levels = [level for each in (layers.scps, layers.rcps) if isinstance(each, tuple) for level in each]
    boundary = (layers.boundary,) if isinstance(layers.boundary, NamedPolicy) else ()
    fences = [_Said(_applying(level, request)) for level in levels]
    limits = [_Said(_applying(each, request)) for each in (boundary, layers.policies(Layer.SESSION)) if each]
    identity = _Said(_applying(layers.policies(Layer.IDENTITY), request))
    trust = _Said(_of_trust(role.trust, request))
    if any(each.denies for each in (trust, identity, *fences, *limits)):
        return False
    via = Via.CALLER if role.trust is None else trust.via
    if via is None or request.caller.kind is PrincipalKind.SERVICE:
        return via is not None
    if not all(each.allows for each in fences):
        return False
    is_within = all(each.allows for each in limits)
    if request.caller.account != role.arn.account:
        return is_within and (identity.allows or role.trust is None)
    if via is Via.ACCOUNT:
        return is_within and identity.allows
    return is_within or not _names_role_only(trust, request.caller)


def trusts_provider(request: AccessRequest, role: IamRole) -> bool:
    """Whether the trust policy lets in whom a provider vouches for; nobody's own policies count."""
    said = _Said(_of_trust(role.trust, request))
    return not said.denies and (role.trust is None or said.via is not None)


class _Said:
    """The statements of some policies that apply to a request."""

    def __init__(self, matches: Iterable[Match]) -> None:
        self.matches = list(matches)
        self.denies = any(not each.statement.is_allow for each in self.matches)
        self.allows = any(each.statement.is_allow and not each.open_tests for each in self.matches)

    @property
    def via(self) -> Via | None:
        """How the statements that allow name the caller, the most direct way; None where none does."""
        vias = {each.via for each in self.matches if each.statement.is_allow and not each.open_tests}
        return next((via for via in Via if via in vias), None)


def _names_role_only(trust: _Said, caller: Caller) -> bool:
    """Whether the trust policy names the role of a session, and neither the session nor everybody."""
    if caller.kind not in _BOUND or any(each.via is Via.EVERYONE for each in trust.matches):
        return False
    named = (principal for each in trust.matches for principal in each.statement.principals)
    return not any(each.kind is PrincipalKind.SESSION and each.text == caller.arn for each in named)


def _applying(policies: Sequence[NamedPolicy], request: AccessRequest) -> Iterator[Match]:
    for policy in policies:
        document = policy.document
        for statement in document.statements if document.is_valid else ():
            if _is_about(statement, request.action) and covers(
                document, statement, request.key_arn, request.resolve
            ):
                match = matched(statement, request)
                if match is not None:
                    yield match


def _of_trust(trust: Document | None, request: AccessRequest) -> Iterator[Match]:
    """The statements of a trust policy, which name no resource: it is the role."""
    for statement in trust.statements if trust is not None and trust.is_valid else ():
        match = matched(statement, request) if _is_about(statement, request.action) else None
        if match is not None:
            yield match


def _is_about(statement: Statement, action: str) -> bool:
    patterns = (wildcard.squeezed(lowered(text.value)) for text in statement.actions)
    return any(wildcard.matches(pattern, lowered(action)) for pattern in patterns) != statement.not_action
