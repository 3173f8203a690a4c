"""What a session is limited by and tagged with: session policies, session tags, a source identity.

Source: the IAM user guide (id_session-tags, access_policies #policies_session, reference_iam-quotas) and the
STS API reference (AssumeRole).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kms_tui.backend.local.account_policies.account_rows import AWS, RowKind
from kms_tui.backend.local.principals.sts_calls import invalid
from kms_tui.backend.local.store.stored_account import StoredAccount
from kms_tui.kms.errors import ServiceError
from kms_tui.policy.actions import lowered
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.layers import Layer, NamedPolicy, read_policy

PRINCIPAL_TAG = "aws:PrincipalTag/"
SOURCE_IDENTITY = "aws:SourceIdentity"
TRANSITIVE_TAG_KEYS = "sts:TransitiveTagKeys"
"""In the context of an access key: the keys of those of its tags that later sessions inherit."""

_MAX_POLICY, _MAX_ARNS = 2048, 10
_PACKED_SPACE = 2048
_AWS_PREFIX = "aws:"


@dataclass(frozen=True, slots=True)
class SessionTags:
    """The tags of a session: those that were ``passed`` for it, and those ``inherited`` from its caller's."""

    passed: Mapping[str, str] = field(default_factory=dict)
    inherited: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.passed or self.inherited)

    def request_context(self) -> dict[str, ContextValue]:
        """The condition keys of the request that passes them."""
        found: dict[str, ContextValue] = {
            f"aws:RequestTag/{key}": value for key, value in self.passed.items()
        }
        return found | {"aws:TagKeys": list(self.passed), TRANSITIVE_TAG_KEYS: list(self.transitive)}

    def session_context(self) -> dict[str, ContextValue]:
        """The condition keys of every request of the session, and what its own sessions inherit."""
        tags = {**self.passed, **self.inherited}
        found: dict[str, ContextValue] = {f"{PRINCIPAL_TAG}{key}": value for key, value in tags.items()}
        kept = (*self.inherited, *self.transitive)
        return found | ({TRANSITIVE_TAG_KEYS: kept} if kept else {})


def session_tags(
    tags: Sequence[Mapping[str, str]], transitive: Sequence[str], caller: Mapping[str, ContextValue]
) -> SessionTags:
    """The tags of a request, with the transitive ones in the caller's context; ServiceError where wrong."""
    passed = {tag["Key"]: tag["Value"] for tag in tags}
    names = {lowered(key) for key in passed}
    if len(names) < len(tags):
        raise invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if reserved := [key for key in passed if lowered(key).startswith(_AWS_PREFIX)]:
        raise invalid(f"Tag key {reserved[0]} is reserved: keys that begin with aws: cannot be passed.")
    if any(lowered(key) not in names for key in transitive):
        raise invalid("The specified transitive tag key must be included in the requested tags.")
    inherited = inherited_tags(caller)
    if names & {lowered(key) for key in inherited}:
        raise ServiceError(
            "InvalidParameterValue",
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive "
            "tag key from the calling session.",
        )
    return SessionTags(passed, inherited, tuple(transitive))


def inherited_tags(caller: Mapping[str, ContextValue]) -> dict[str, str]:
    """The transitive tags in the context of a caller's access key."""
    kept = caller.get(TRANSITIVE_TAG_KEYS) or ()
    names = {lowered(f"{PRINCIPAL_TAG}{key}"): key for key in ((kept,) if isinstance(kept, str) else kept)}
    found = {names.get(lowered(name), ""): value for name, value in caller.items()}
    return {key: value for key, value in found.items() if key and isinstance(value, str)}


def session_policies(
    stored: StoredAccount, account: str, params: Mapping[str, Any]
) -> tuple[NamedPolicy, ...]:
    """The policies of a request: its own ``Policy``, and managed ones of the account by ``PolicyArns``."""
    found: list[NamedPolicy] = []
    text, arns = params.get("Policy"), [each.get("arn", "") for each in params.get("PolicyArns", ())]
    if text is not None:
        found.append(_own_policy(text))
    if len(arns) > _MAX_ARNS:
        raise invalid(_too_long("policyArns", _MAX_ARNS))
    for arn in arns:
        row = stored.find(RowKind.POLICY, account, arn) or stored.find(RowKind.POLICY, AWS, arn)
        if row is None:
            raise invalid(f"Policy {arn} does not exist or is not attachable.")
        document = row["PolicyVersionList"][0]["Document"]
        found.append(read_policy(Layer.SESSION, arn, json.dumps(document)))
    return tuple(found)


def _own_policy(text: str) -> NamedPolicy:
    if len(text) > _MAX_POLICY:
        raise invalid(_too_long("policy", _MAX_POLICY))
    policy = read_policy(Layer.SESSION, "session policy", text)
    if policy.document.problems:
        problem = policy.document.problems[0]
        line, column = policy.document.place(problem.span)
        raise ServiceError(
            "MalformedPolicyDocument",
            f"Syntax errors in policy: line {line}, column {column}: {problem.sentence}",
        )
    return policy


def _too_long(member: str, most: int) -> str:
    constraint = f"Member must have length less than or equal to {most}"
    return f"1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}"


def packed_size(params: Mapping[str, Any], tags: SessionTags) -> int | None:
    """Percent of the space for policies and tags that a request takes; None where it has none.

    PackedPolicyTooLarge for more than all. AWS does not tell how it packs; this compresses their text.
    """
    parts = [params.get("Policy", ""), *(each.get("arn", "") for each in params.get("PolicyArns", ()))]
    parts += [f"{key}={value}" for key, value in {**tags.passed, **tags.inherited}.items()]
    text = "\n".join(part for part in parts if part)
    if not text:
        return None
    percent = -(-100 * len(zlib.compress(text.encode())) // _PACKED_SPACE)
    if percent > 100:
        raise ServiceError(
            "PackedPolicyTooLarge",
            f"Packed policy consumes {percent}% of allotted space, please use smaller policy.",
        )
    return percent
