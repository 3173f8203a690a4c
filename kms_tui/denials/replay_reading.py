"""What a replay needs of a key and of its callers, read through a connection."""

from __future__ import annotations

from collections.abc import Sequence

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.denials.layer_reading import read_identity
from kms_tui.evidence.activity import KeepGoing, always
from kms_tui.evidence.change_replay.key_changes import KeyAccess, facts_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Grant
from kms_tui.policy.document import Document, parse
from kms_tui.policy.layers import UnreadLayer
from kms_tui.policy.principals import Caller

MOST_CALLERS = 50
"""Callers whose IAM policies are read for one replay: each takes several calls."""
GRANTS_UNKNOWN = "The key's grants are not known: what only a grant lets in counts as not let in."

NotKnown = tuple[str, ...]
"""Sentences about what could not be read (untrusted)."""


def read_access(kms: Kms, key: str, policy: Document | None = None) -> tuple[KeyAccess, NotKnown]:
    """A key's policy (or ``policy`` in its place), grants and facts; grants that cannot be read are told.

    Raises the errors of DescribeKey and GetKeyPolicy.
    """
    described = kms.describe(key)
    if policy is None:
        policy = parse(kms.key_policy(described.arn))
    grants, told = read_grants(kms, described.arn)
    return KeyAccess(described.arn, policy, grants, facts_of(described)), told


def read_grants(kms: Kms, key_arn: str) -> tuple[tuple[Grant, ...], NotKnown]:
    """A key's grants; none, and a sentence, where they cannot be read."""
    try:
        return tuple(kms.grants(key_arn)), ()
    except KmsTuiError as error:
        return (), (f"{GRANTS_UNKNOWN} {error}",)


def read_callers(
    kms: Kms, services: Services | None, principals: Sequence[str], keep_going: KeepGoing = always
) -> dict[str, tuple[Document, ...]]:
    """The IAM policies of callers (``ReplayResult.unread_callers``), of the first ``MOST_CALLERS``.

    Callers whose policies cannot be read are left out. It blocks.
    """
    found: dict[str, tuple[Document, ...]] = {}
    for principal in principals[:MOST_CALLERS]:
        try:
            caller = Caller.parse(principal)
        except ValueError:
            continue
        policies = read_identity(kms, services, caller, keep_going)
        if not isinstance(policies, UnreadLayer):
            found[principal] = tuple(policy.document for policy in policies)
    return found
