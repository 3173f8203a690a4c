"""The condition keys that a principal brings with it: by its role or user, its organization, and a service.

Source: the IAM user guide (reference_policies_condition-keys) and the KMS developer guide
(conditions-kms, kms:ViaService).
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.backend.local.account_policies.account_rows import AccountRows, Content, RowKind
from kms_tui.backend.local.account_policies.organization_paths import organization_place
from kms_tui.backend.local.engine.call import CallOrigin
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy.actions import lowered
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.role_paths import PRINCIPAL_ARN

Context = dict[str, ContextValue]

ROW_KINDS = {
    PrincipalKind.ROLE: RowKind.ROLE,
    PrincipalKind.SESSION: RowKind.ROLE,
    PrincipalKind.USER: RowKind.USER,
}
"""The kind of row that holds the policies and tags of a kind of principal."""
VIA_SERVICE = "kms:viaservice"
_LAST_SERVICE = "aws:calledvialast"
_SUFFIX = ".amazonaws.com"
_CHINA = "aws-cn"


def stored_context(rows: AccountRows, caller: Caller) -> Context:
    """What the account policies tell of a caller: tags, unique id, its role's ARN, its organization."""
    found = organization_context(rows, "principal", caller.account)
    kind = ROW_KINDS.get(caller.kind)
    row = rows.find(kind, caller.account, caller.name) if kind is not None else None
    if row is None:
        return found
    found |= tags_context("aws:principaltag", row)
    if unique_id := row.get("RoleId") or row.get("UserId"):
        found["aws:userid"] = f"{unique_id}:{caller.session}" if caller.session else unique_id
    if caller.kind is PrincipalKind.SESSION:
        found[PRINCIPAL_ARN] = row.get("Arn")  # with its path, which the session's ARN does not tell
    return found


def organization_context(rows: AccountRows, whose: str, account: str) -> Context:
    """The organization of a ``principal``'s account or of that of a ``resource``."""
    place = organization_place(rows, account)
    if place is None:
        return {}
    return {
        f"aws:{whose}orgid": place.organization,
        f"aws:{whose}orgpaths": [place.path] if place.path else None,
    }


def tags_context(whose: str, row: Content) -> Context:
    """The tags of a row of the account policies, as ``whose`` ("aws:resourcetag")."""
    return {f"{whose}/{lowered(tag['Key'])}": tag["Value"] for tag in row.get("Tags", ())}


def origin_of(client: CallOrigin, caller: CallerIdentity, context: Mapping[str, ContextValue]) -> CallOrigin:
    """Where the calls of a client come from: a service, where one makes them for itself or for its caller.

    CloudTrail has the service in the place of a client's address and of its name.
    """
    via = context.get(_LAST_SERVICE)
    service = via if isinstance(via, str) else "" if caller.arn.startswith("arn:") else caller.arn
    return CallOrigin(service, service, remote=True) if service and client.remote else client


def service_context(context: Mapping[str, ContextValue], region: str, partition: str) -> Context:
    """What follows from kms:ViaService (in lower case), where a service forwards the requests of a caller.

    A short name ("s3") means the service in the Region of the request.
    """
    service = context.get(VIA_SERVICE)
    if not isinstance(service, str) or not service:
        return {}
    suffix = f"{_SUFFIX}.cn" if partition == _CHINA else _SUFFIX
    name = service.partition(".")[0]
    principal = f"{name}{_SUFFIX}"
    return {
        VIA_SERVICE: service if "." in service else f"{service}.{region}{suffix}",
        "aws:viaawsservice": "true",
        "aws:calledvia": [principal],
        "aws:calledviafirst": principal,
        _LAST_SERVICE: principal,
    }
