"""Reads the SCPs and RCPs of an account: the policies of each level, from the organization's root down.

Source: the Organizations API reference and user guide (orgs_manage_policies_scps_evaluation). The management
account, and an account without an organization, have none; only the management account and delegated
administrators may read them.
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.backend.account_reading.service_reads import (
    MISSHAPEN,
    NotReadError,
    ServiceReads,
    policy_of,
    unread,
)
from kms_tui.policy.layers import Layer, Levels, NamedPolicy, Policies, UnreadLayer

_FILTERS: Mapping[Layer, str] = {Layer.SCP: "SERVICE_CONTROL_POLICY", Layer.RCP: "RESOURCE_CONTROL_POLICY"}
_SERVICE = "organizations"
_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"
_DEEPEST = 10
"""Levels from an account to its root; Organizations allows five levels of organizational units."""


class OrganizationReader:
    """Reads one organization; what two layers have in common is asked once."""

    def __init__(self, reads: ServiceReads) -> None:
        self._reads = reads
        self._targets: dict[str, tuple[str, ...]] = {}
        self._management: str | None = None
        self._enabled: frozenset[str] | None = None

    def levels(self, layer: Layer, account: str) -> Levels | UnreadLayer:
        """The policies of one kind for an account, by level; UnreadLayer names the call that failed."""
        try:
            if self._reads.answers_code(_SERVICE, "DescribeOrganization", _NO_ORGANIZATION):
                return ()
            if account == self._management_account() or _FILTERS[layer] not in self._enabled_types():
                return ()
            return tuple(self._policies(layer, target) for target in self._path(account))
        except (NotReadError, *MISSHAPEN) as error:
            return unread(error)

    def _management_account(self) -> str:
        if self._management is None:
            organization = self._reads.call(_SERVICE, "DescribeOrganization")["Organization"]
            self._management = str(organization["MasterAccountId"])
        return self._management

    def _enabled_types(self) -> frozenset[str]:
        if self._enabled is None:
            roots = self._reads.pages(_SERVICE, "ListRoots", "Roots", "NextToken")
            self._enabled = frozenset(
                kind["Type"]
                for root in roots
                for kind in root.get("PolicyTypes", ())
                if kind.get("Status") == "ENABLED"
            )
        return self._enabled

    def _path(self, account: str) -> tuple[str, ...]:
        """The root, the organizational units and the account."""
        if account not in self._targets:
            path, child = [account], account
            while not child.startswith("r-"):
                parents = self._reads.call(_SERVICE, "ListParents", ChildId=child).get("Parents") or ()
                if not parents or len(path) > _DEEPEST:
                    raise NotReadError(f"{_SERVICE} ListParents does not lead from {child} to the root")
                child = str(parents[0]["Id"])
                path.append(child)
            self._targets[account] = tuple(reversed(path))
        return self._targets[account]

    def _policies(self, layer: Layer, target: str) -> Policies:
        listed = self._reads.pages(
            _SERVICE,
            "ListPoliciesForTarget",
            "Policies",
            "NextToken",
            TargetId=target,
            Filter=_FILTERS[layer],
        )
        return tuple(self._policy(layer, str(each["Id"])) for each in listed)

    def _policy(self, layer: Layer, policy_id: str) -> NamedPolicy:
        found = self._reads.call(_SERVICE, "DescribePolicy", PolicyId=policy_id)["Policy"]
        summary = found.get("PolicySummary", {})
        return policy_of(layer, str(summary.get("Arn") or policy_id), found.get("Content", ""))
