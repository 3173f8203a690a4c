"""The KMS resources of a Terraform state or plan, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

KINDS = frozenset(
    {
        "aws_kms_alias",
        "aws_kms_custom_key_store",
        "aws_kms_external_key",
        "aws_kms_grant",
        "aws_kms_key",
        "aws_kms_key_policy",
        "aws_kms_replica_external_key",
        "aws_kms_replica_key",
    }
)
"""The resource types that stand for something in the account, as aws_kms_ciphertext does not."""
KEY_KINDS = KINDS - {"aws_kms_alias", "aws_kms_custom_key_store", "aws_kms_grant", "aws_kms_key_policy"}


@dataclass(frozen=True, slots=True)
class StateResource:
    """One instance of a resource; ``sensitive`` names the attributes whose values are never shown."""

    address: str
    kind: str
    attributes: Mapping[str, Any]
    sensitive: frozenset[str] = frozenset()
    provider: str = ""
    """The provider configuration that it belongs to, where the state tells; "" else."""
    tainted: bool = False
    """The next plan replaces it."""

    @property
    def arn(self) -> str:
        return self.text("arn")

    @property
    def is_key(self) -> bool:
        return self.kind in KEY_KINDS

    def text(self, name: str) -> str:
        """An attribute that is a text; "" where it is none."""
        value = self.attributes.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class PlannedLoss:
    """A resource that a plan destroys, and makes anew if ``replaces``."""

    resource: StateResource
    """As it is before."""
    replaces: bool
    reasons: tuple[str, ...]
    """Why, in words: attributes with both values, or the plan's own reason."""


class State(NamedTuple):
    """What a file holds of KMS."""

    is_plan: bool
    resources: tuple[StateResource, ...]
    losses: tuple[PlannedLoss, ...] = ()
    others: int = 0
    """Managed resources that are none of KMS."""
    new: int = 0
    """Resources of KMS that a plan makes and that are in no account yet."""

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing of KMS."""
        return not (self.resources or self.losses or self.new)


def merged(states: Mapping[str, State]) -> State:
    """Several files as one; the addresses of several begin with the name of their file."""
    if len(states) == 1:
        return next(iter(states.values()))
    resources: list[StateResource] = []
    losses: list[PlannedLoss] = []
    for name, state in states.items():
        resources += [_named(resource, name) for resource in state.resources]
        losses += [replace(loss, resource=_named(loss.resource, name)) for loss in state.losses]
    return State(
        any(state.is_plan for state in states.values()),
        tuple(resources),
        tuple(losses),
        sum(state.others for state in states.values()),
        sum(state.new for state in states.values()),
    )


def _named(resource: StateResource, name: str) -> StateResource:
    provider = f"{name}: {resource.provider}" if resource.provider else ""
    return replace(resource, address=f"{name}: {resource.address}", provider=provider)
