"""The key that everything moves to: which one it is, and what of it stands in the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.key_uses import FoundUse
from kms_tui.evidence.scan_shortfalls import error_words
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.key_moves.move import PREFIXES, How, Move, filled
from kms_tui.kms.arn import Arn, key_region
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import Denied, Fact, Failed, Known
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyOrigin, KeyState, KeyUsage
from kms_tui.policy import actions, snippets
from kms_tui.policy.document import Document, Statement, parse
from kms_tui.policy.evaluation import AccessRequest, Effect, action_mask, evaluate
from kms_tui.policy.principals import Caller, PrincipalKind

_USES = ("kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey")
_SIGNS = ("kms:Sign", "kms:GetPublicKey", "kms:DescribeKey")
_SERVICES = {scanner.title: scanner.service for scanner in SCANNERS}
_COPIED = "kms:CreateGrant"
_GRANTED = {"kms:GrantIsForAWSResource": "true"}
_MADE = "have one made like the old one"
"""What else can be asked for than a key that is there."""
_NONE: Mapping[str, str] = {}


class DestinationError(KmsTuiError):
    """Nothing can be moved to the key that was named."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is to be solved before anything moves; ``statement`` is missing in the new key's policy."""

    sentence: str
    statement: Mapping[str, Any] | None = None


def find_destination(old: Key, named: str, kms: Kms, kms_for: Callable[[str], Kms]) -> Key:
    """The key that ``named`` means: an alias or id of the old key's account and Region, or an ARN.

    Raises DestinationError for a key that no use of the old one can move to, and what DescribeKey raises.
    """
    there = key_region(named)
    if there and there != old.region:
        raise DestinationError(_elsewhere(old, there), next_step=_replica(named, old, kms_for))
    new = (kms_for(named) if there else kms).describe(named)
    if new.arn == old.arn:
        what = "is an alias of the key itself" if "alias/" in named else "is the key itself"
        raise DestinationError(f"{named} {what}.", next_step=f"Name another key, or {_MADE}.")
    if new.region != old.region:
        raise DestinationError(_elsewhere(old, new.region), next_step=_replica(new.arn, old, kms_for))
    if (reason := unfit(old, new, named)) is not None:
        raise reason
    return new


def unfit(old: Key, new: Key, named: str) -> DestinationError | None:
    """Why nothing of one key can move to another of its Region, which is ``named`` so; None where it can."""
    if new.is_aws_managed:
        return DestinationError(
            f"{named} is a key that AWS manages: no other service than its own can use it.",
            next_step=f"Name a customer managed key, or {_MADE}.",
        )
    if new.pending_deletion:
        return DestinationError(f"{named} is scheduled for deletion.", next_step="Cancel that first.")
    if new.usage != old.usage:
        return DestinationError(
            f"{named} has the usage {new.usage}, the key {old.usage}: it cannot take its place.",
            next_step=f"Name a key whose usage is {old.usage}.",
        )
    if old.usage == KeyUsage.ENCRYPT_DECRYPT and SYMMETRIC_DEFAULT == old.spec != new.spec:
        return DestinationError(
            f"{named} is of the spec {new.spec}: services encrypt with symmetric keys only.",
            next_step=f"Name a key of the spec {SYMMETRIC_DEFAULT}.",
        )
    return None


def cannot_be_made(old: Key) -> DestinationError | None:
    """Why no key can be made like one; None where one can."""
    if old.origin == KeyOrigin.EXTERNAL_KEY_STORE or old.is_aws_managed:
        what = "in an external key store" if not old.is_aws_managed else "that AWS manages"
        return DestinationError(f"No key is made like one {what}.", next_step="Make one, and name it.")
    return None


def _elsewhere(old: Key, region: str) -> str:
    return f"A key of {region} cannot be used in {old.region}, where the key and its resources are."


def _replica(named: str, old: Key, kms_for: Callable[[str], Kms]) -> str:
    """The replica in the right Region, if the named key has one."""
    try:
        multi = kms_for(named).describe(named).multi_region
    except KmsTuiError:
        multi = None
    related = (multi.primary_arn, *multi.replica_arns) if multi is not None else ()
    here = next((arn for arn in related if key_region(arn) == old.region), "")
    return f"Name its replica there: {here}" if here else f"Name a key of {old.region}, or {_MADE}."


def obstacles(
    old: Key,
    new: Key,
    found: Sequence[tuple[FoundUse, Move]],
    policies: tuple[Fact[str], Fact[str]],
    *,
    is_new: bool = False,
) -> Iterator[Obstacle]:
    """What stands in the way, the gravest first; ``policies`` are those of the old and of the new key.

    ``is_new``: the new key is made like the old one, which then is both.

    A policy is judged as far as it alone tells: callers need their own IAM policies too.
    """
    if new.state != KeyState.ENABLED and not is_new:
        yield Obstacle(f"The new key is {new.state}, not Enabled: enable it, or wait.")
    wanted = {move.spec for _, move in found if move.spec != SYMMETRIC_DEFAULT}
    for spec in sorted(wanted - {new.spec}):
        yield Obstacle(f"Route 53 signs with keys of the spec {spec} only; the new key's is {new.spec}.")
    if new.spec != SYMMETRIC_DEFAULT and any(move.spec == SYMMETRIC_DEFAULT for _, move in found):
        yield Obstacle(f"The services encrypt with symmetric keys only; the new key's spec is {new.spec}.")
    before, after = policies
    if not isinstance(after, Known):
        yield Obstacle(f"The new key's policy was not read ({_why(after)}): whom it lets in is not known.")
        return
    document = parse(after.value)
    if not document.is_valid:
        yield Obstacle("The new key's policy is not understood: whom it lets in is not known.")
        return
    yield from _account_problems(new, found, document)
    yield from _principal_problems(new, found, document)
    if isinstance(before, Known):
        yield from _lost_statements(old, new, parse(before.value), document)
    else:
        yield Obstacle(
            f"The key's own policy was not read ({_why(before)}): whom the new one lacks is not known."
        )


def _why(fact: Fact[str]) -> str:
    return error_words(fact.error) if isinstance(fact, Denied | Failed) else "not asked"


def _refused(
    document: Document, caller: str, names: Iterable[str], key_arn: str, context: Mapping[str, str] = _NONE
) -> list[str]:
    """Of some actions, those that the policy does not let a caller do, whatever else allows it."""
    who = Caller.parse(caller)
    judged = {name: evaluate(document, AccessRequest(who, name, key_arn, context)).effect for name in names}
    return [name for name, effect in judged.items() if effect in (Effect.DENY, Effect.NO_STATEMENT)]


def _account_problems(
    new: Key, found: Sequence[tuple[FoundUse, Move]], document: Document
) -> Iterator[Obstacle]:
    partition = Arn.parse(new.arn).partition
    uses = _USES if new.usage == KeyUsage.ENCRYPT_DECRYPT else _SIGNS
    for account in sorted({use.account for use, _ in found}):
        root = snippets.root_arn(account, partition)
        services = {
            _via(use.use.kind, new)
            for use, move in found
            if use.account == account and move.calling_service is None
        }
        refused = {
            service: names
            for service in sorted(services)
            if (names := _refused(document, root, uses, new.arn, _forwarded(service, account)))
        }
        if refused:
            all_names = ", ".join(name for name in uses if any(name in names for names in refused.values()))
            is_some = len(refused) < len(services)
            through = f" through {', '.join(refused)}" if is_some else ""
            yield Obstacle(
                f"The new key's policy leaves {all_names}{through} to no IAM policy of {account}, which has "
                "resources under the key: whoever uses them must be named in it.",
                snippets.cross_account_use(account, partition),
            )
        copied = any(use.account == account and move.how is How.BY_COPY for use, move in found)
        if copied and _refused(document, root, [_COPIED], new.arn, _GRANTED):
            yield Obstacle(
                f"The new key's policy lets nobody of {account} create grants for AWS resources, which"
                " copies of "
                "disks and databases need.",
                snippets.grants_for_aws_resources([root]),
            )


def _via(kind: str, new: Key) -> str:
    """The value of kms:ViaService for a kind of resource; "" where the kind is of no scanner."""
    service = _SERVICES.get(kind)
    if service is None:
        return ""
    suffix = "amazonaws.com.cn" if Arn.parse(new.arn).partition == "aws-cn" else "amazonaws.com"
    return f"{PREFIXES.get(service, service)}.{new.region}.{suffix}"


def _forwarded(service: str, account: str) -> Mapping[str, str]:
    """What a request says that a service forwards for a caller of an account."""
    return {"kms:ViaService": service, "kms:CallerAccount": account} if service else {}


def _principal_problems(
    new: Key, found: Sequence[tuple[FoundUse, Move]], document: Document
) -> Iterator[Obstacle]:
    """Services that call in their own name, and are not let in."""
    arn = Arn.parse(new.arn)
    asked = {(move.kind, use.account): move.calling_service for use, move in found if move.calling_service}
    for (kind, account), principal in asked.items():
        values = {"region": arn.region, "account": account, "partition": arn.partition}
        name = filled(principal.name, values)
        names = [each.removesuffix("*") for each in principal.actions if each != "kms:ReEncrypt*"]
        if refused := _refused(document, name, names, new.arn, {"aws:SourceAccount": account}):
            statement: dict[str, Any] = {
                "Sid": f"Allow {name} to use the key",
                "Effect": "Allow",
                "Principal": {"Service": name},
                "Action": list(principal.actions),
                "Resource": "*",
            }
            if principal.condition:
                statement["Condition"] = filled(principal.condition, values)
            yield Obstacle(
                f"{kind}: the new key's policy does not let {name} do {', '.join(refused)}.", statement
            )


def _lost_statements(old: Key, new: Key, before: Document, after: Document) -> Iterator[Obstacle]:
    """Statements that name somebody whom the new key's policy does not let in."""
    for statement in before.statements if before.is_valid else ():
        if not statement.is_allow or statement.not_principal:
            continue  # a Deny lets nobody in, and whom NotPrincipal means cannot be listed
        if lost := [*dict.fromkeys(_lost_callers(old, new, statement, after))]:
            yield Obstacle(
                f"{statement.label} of the key's policy lets in {', '.join(lost)}; the new key's policy"
                " does not.",
                _carried_over(before, statement),
            )


def _carried_over(before: Document, statement: Statement) -> Mapping[str, Any]:
    """A statement for another key's policy, in which every resource is that key."""
    shape = json.loads(before.text[statement.span.start : statement.span.end])
    return {**shape, "Resource": "*"}


def _lost_callers(old: Key, new: Key, statement: Statement, after: Document) -> Iterator[str]:
    mask = action_mask(statement)
    names = [
        name for name in (*_USES, "kms:Encrypt", *_SIGNS) if (each := actions.find(name)) and each.bit & mask
    ]
    for principal in statement.principals:
        if principal.kind in (PrincipalKind.EVERYONE, PrincipalKind.UNIQUE_ID):
            continue
        if principal.kind is PrincipalKind.ACCOUNT and principal.account == old.account_id:
            continue  # its users are judged by the account
        try:
            if _refused(after, principal.text, names, new.arn):
                yield principal.text
        except ValueError:
            continue
