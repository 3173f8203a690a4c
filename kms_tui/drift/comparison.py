"""Compares the resources of a state with the account, attribute by attribute and by meaning."""

from __future__ import annotations

import json
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from kms_tui.backend.kms_facade import Kms
from kms_tui.drift.drift import (
    SENSITIVE,
    Difference,
    Drifted,
    DriftKind,
    DriftReport,
    Loss,
    UncomparedResource,
)
from kms_tui.drift.live_account import LiveAccount, LiveKey, NotComparedError, account_of
from kms_tui.drift.state import PlannedLoss, State, StateResource
from kms_tui.kms.arn import Arn, key_account, key_arn, key_id_of
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.model import Grant
from kms_tui.policy.document import parse
from kms_tui.policy.policy_diff import StatementChangeKind, statement_changes
from kms_tui.policy.policy_meaning import Meaning, MeaningKind, compared_meaning
from kms_tui.workers import on_threads

_POLICY = "policy"
_THREADS = 4


class _Attribute(NamedTuple):
    """An attribute of a key's resource, and the same of the account."""

    name: str
    live: Callable[[LiveKey], object]


_SHARED = (
    _Attribute("description", lambda live: live.key.description),
    _Attribute("key_usage", lambda live: live.key.usage),
)
_KEY = (
    *_SHARED,
    _Attribute("customer_master_key_spec", lambda live: live.key.spec),
    _Attribute("is_enabled", lambda live: live.key.enabled),
    _Attribute("enable_key_rotation", lambda live: live.rotation is not None and live.rotation.enabled),
    _Attribute("rotation_period_in_days", lambda live: _period(live)),
    _Attribute("multi_region", lambda live: live.key.multi_region is not None),
    _Attribute("custom_key_store_id", lambda live: live.key.custom_key_store_id),
    _Attribute("xks_key_id", lambda live: live.key.xks_key_id),
)
_EXTERNAL = (
    *_SHARED,
    _Attribute("enabled", lambda live: live.key.enabled),
    _Attribute("key_spec", lambda live: live.key.spec),
    _Attribute("expiration_model", lambda live: live.key.expiration_model),
    _Attribute("valid_to", lambda live: live.key.valid_to),
)
_REPLICA = (
    *_SHARED,
    _Attribute("enabled", lambda live: live.key.enabled),
    _Attribute("key_spec", lambda live: live.key.spec),
    _Attribute("primary_key_arn", lambda live: live.key.multi_region and live.key.multi_region.primary_arn),
)
_ATTRIBUTES: Mapping[str, Sequence[_Attribute]] = {
    "aws_kms_key": _KEY,
    "aws_kms_external_key": (
        *_EXTERNAL,
        _Attribute("multi_region", lambda live: live.key.multi_region is not None),
    ),
    "aws_kms_replica_key": _REPLICA,
    "aws_kms_replica_external_key": (*_EXTERNAL, _REPLICA[-1]),
}
"""Resource type of keys -> what is compared beside policy and tags. An attribute that the state has not is of
another version of the provider, and not compared."""
_STORE = {
    "custom_key_store_name": ("CustomKeyStoreName",),
    "cloud_hsm_cluster_id": ("CloudHsmClusterId",),
    "custom_key_store_type": ("CustomKeyStoreType",),
    "xks_proxy_connectivity": ("XksProxyConfiguration", "Connectivity"),
    "xks_proxy_uri_endpoint": ("XksProxyConfiguration", "UriEndpoint"),
    "xks_proxy_uri_path": ("XksProxyConfiguration", "UriPath"),
    "xks_proxy_vpc_endpoint_service_name": ("XksProxyConfiguration", "VpcEndpointServiceName"),
}


_UNUSABLE = "no request that names it succeeds then"
_LOST = {
    "ENCRYPT_DECRYPT": "what is encrypted under it can then not be read",
    "SIGN_VERIFY": "nothing more can be signed with it then",
    "GENERATE_VERIFY_MAC": "no MAC can be made or verified with it then",
}
_OFF = object()
"""The value of what plays no part now, and is not compared."""


def _period(live: LiveKey) -> object:
    return live.rotation.period_days if live.rotation is not None and live.rotation.enabled else _OFF


class StateComparison:
    """One state against the account. ``done`` counts the resources that are compared; ``run`` blocks."""

    def __init__(self, state: State, account: LiveAccount) -> None:
        self.state = state
        self.done = 0
        self.drifted: list[Drifted] = []
        self.not_compared: list[UncomparedResource] = []
        self.losses: list[Loss] = []
        self._account = account
        self._lock = threading.Lock()
        self._arns: dict[str, set[str]] = {}
        self._providers: dict[str, str] = {}
        known = (*state.resources, *(loss.resource for loss in state.losses))
        for resource in known:
            if resource.is_key and resource.arn:
                self._arns.setdefault(key_id_of(resource.arn), set()).add(resource.arn)
            if resource.arn and resource.provider:
                self._providers.setdefault(resource.provider, resource.arn)

    def run(self) -> None:
        """Compare everything; what cannot be read is among ``not_compared``."""
        for loss in self.state.losses:
            self.losses.append(Loss(loss, tuple(self._consequences(loss))))
        on_threads(len(self.state.resources), self._compare, threads=_THREADS, name="compare resources")

    def _compare(self, number: int) -> None:
        resource = self.state.resources[number]
        try:
            found = _COMPARERS.get(resource.kind, StateComparison._key)(self, resource)
        except KmsTuiError as error:
            self.not_compared.append(UncomparedResource(resource.address, str(error)))
        except Exception as error:
            self.not_compared.append(UncomparedResource(resource.address, str(AnswerError.of(error))))
        else:
            if found is not None:
                self.drifted.append(found)
        with self._lock:
            self.done += 1

    def report(self, keys: Mapping[str, str] | None = None) -> DriftReport:
        """What was found; ``keys`` are those of the account, ARN -> name, to find unmanaged ones."""
        held = {arn for arns in self._arns.values() for arn in arns}
        unmanaged = None if keys is None else tuple((a, n) for a, n in keys.items() if a not in held)
        return DriftReport(
            self.state.is_plan,
            len(self.state.resources),
            tuple(sorted(self.drifted, key=lambda each: each.resource.address)),
            tuple(sorted(self.not_compared)),
            tuple(self.losses),
            unmanaged,
            self.state.others if self.state.is_empty else None,
        )

    # Keys

    def _key(self, resource: StateResource) -> Drifted | None:
        live = self._account.key(resource.arn)
        if gone := _not_there(resource, live):
            return gone
        assert live is not None
        pairs = [
            (attribute.name, resource.attributes[attribute.name], attribute.live(live))
            for attribute in _ATTRIBUTES[resource.kind]
            if attribute.name in resource.attributes
        ]
        pairs = [pair for pair in pairs if pair[2] is not _OFF]
        differences = [*_unlike(resource, pairs), *self._policy(resource, live), *_tags(resource, live)]
        return _changed(resource, differences)

    def _policy(self, resource: StateResource, live: LiveKey) -> Iterator[Difference]:
        text = resource.text(_POLICY)
        if not text:
            return
        place, now = Arn.parse(live.key.arn), _composed_policy(live.policy)
        meaning = compared_meaning(text, now, account_id=place.account, partition=place.partition)
        if meaning.kind in (MeaningKind.SAME_TEXT, MeaningKind.SAME):
            return
        if _POLICY in resource.sensitive:
            yield Difference(_POLICY, SENSITIVE, SENSITIVE)
            return
        yield Difference(_POLICY, text, live.policy, tuple(_difference_words(meaning, text, now)))

    def _key_policy(self, resource: StateResource) -> Drifted | None:
        (live,) = self._keys_named(resource)
        return _not_there(resource, live) or _changed(resource, [*self._policy(resource, _there(live))])

    # What belongs to keys

    def _alias(self, resource: StateResource) -> Drifted | None:
        kms = self._account.kms(resource.arn)
        alias = self._account.alias(kms, resource.text("name"))
        if alias is None:
            return Drifted(resource, DriftKind.GONE)
        target = key_id_of(resource.text("target_key_id"))
        return _changed(resource, _unlike(resource, [("target_key_id", target, alias.target_key_id)]))

    def _grant(self, resource: StateResource) -> Drifted | None:
        keys = [live for live in self._keys_named(resource, several=True) if live is not None]
        grant_id = resource.text("grant_id") or resource.text("id").rpartition(":")[2]
        grant = next((live.grants[grant_id] for live in keys if grant_id in live.grants), None)
        if grant is None:
            return Drifted(resource, DriftKind.GONE)
        found = resource.attributes
        pairs = [
            ("name", found.get("name"), grant.name),
            ("grantee_principal", found.get("grantee_principal"), grant.grantee),
            ("retiring_principal", found.get("retiring_principal"), grant.retiring),
            ("operations", _sorted(found.get("operations")), sorted(grant.operations)),
            ("constraints", _constraints(found.get("constraints")), _limits(grant)),
        ]
        return _changed(resource, _unlike(resource, pairs))

    def _key_store(self, resource: StateResource) -> Drifted | None:
        store: Any = self._account.key_store(self._place(resource), resource.text("id"))
        if store is None:
            return Drifted(resource, DriftKind.GONE)
        pairs = []
        for name, members in _STORE.items():
            value: Any = store
            for member in members:
                value = value.get(member) if isinstance(value, Mapping) else None
            if name in resource.attributes:
                pairs.append((name, resource.attributes[name], value))
        return _changed(resource, _unlike(resource, pairs))

    def _keys_named(self, resource: StateResource, *, several: bool = False) -> list[LiveKey | None]:
        """The keys that a resource may mean, whose ``key_id`` says no Region; one unless ``several``."""
        named = resource.text("key_id")
        if key_account(named):
            return [self._account.key(named)]
        place = self._place_arn(resource)
        arns = sorted(self._arns.get(key_id_of(named), ()))
        if place is not None:
            here = key_arn(place.partition, place.region, place.account, key_id_of(named))
            arns = [here] if here in arns or not arns else arns
        if not arns:
            home = self._account.home
            arns = [key_arn(home.partition, home.region, account_of(home), key_id_of(named))]
        if len(arns) > 1 and not several:
            raise NotComparedError("the state does not say which Region's key it means")
        return [self._account.key(arn) for arn in arns]

    def _place_arn(self, resource: StateResource) -> Arn | None:
        """An ARN in the resource's account and Region, where its provider or its ``region`` tells."""
        arn = self._providers.get(resource.provider, "")
        home = self._account.home
        found = Arn.parse(arn) if arn else Arn(home.partition, "kms", home.region, account_of(home), "")
        region = resource.text("region")
        if not arn and not region:
            return None
        return Arn(found.partition, "kms", region or found.region, found.account, "key/-")

    def _place(self, resource: StateResource) -> Kms:
        place = self._place_arn(resource)
        return self._account.home if place is None else self._account.kms(str(place))

    # What a plan takes away

    def _consequences(self, loss: PlannedLoss) -> Iterator[str]:
        resource = loss.resource
        if resource.kind == "aws_kms_alias":
            yield f"Requests that name {resource.text('name')} fail while it is gone."
        if resource.kind == "aws_kms_grant":
            operations = ", ".join(_sorted(resource.attributes.get("operations")))
            yield f"{resource.text('grantee_principal')} loses {operations}."
        if not resource.is_key:
            return
        yield f"The key is scheduled for deletion; {_LOST.get(resource.text('key_usage'), _UNUSABLE)}."
        try:
            live = self._account.key(resource.arn)
            if live is None:
                return
            then = "name another key afterwards, or none" if loss.replaces else "go with it"
            if live.aliases:
                yield f"Its aliases {then}: {', '.join(live.aliases)}."
            if live.grants:
                yield "1 grant ends." if len(live.grants) == 1 else f"{len(live.grants):,} grants end."
            multi = live.key.multi_region
            if multi is not None and multi.is_primary and multi.replica_arns:
                yield f"Its replicas have to be deleted before it: {', '.join(multi.replica_arns)}."
        except KmsTuiError as error:
            yield f"Its aliases and grants are not known: {error}"
        yield f"Who uses it is not known here: kms-tui replay --key {resource.arn} --delete tells."


_COMPARERS: Mapping[str, Callable[[StateComparison, StateResource], Drifted | None]] = {
    "aws_kms_alias": StateComparison._alias,
    "aws_kms_custom_key_store": StateComparison._key_store,
    "aws_kms_grant": StateComparison._grant,
    "aws_kms_key_policy": StateComparison._key_policy,
}


def _not_there(resource: StateResource, live: LiveKey | None) -> Drifted | None:
    if live is None:
        return Drifted(resource, DriftKind.GONE)
    if live.key.pending_deletion:
        date = live.key.deletion_date
        return Drifted(resource, DriftKind.PENDING_DELETION, note=f"on {date:%Y-%m-%d}" if date else "")
    return None


def _there(live: LiveKey | None) -> LiveKey:
    assert live is not None, "what is gone was told apart"
    return live


def _changed(resource: StateResource, differences: Sequence[Difference]) -> Drifted | None:
    return Drifted(resource, DriftKind.CHANGED, tuple(differences)) if differences else None


def _unlike(resource: StateResource, pairs: Sequence[tuple[str, object, object]]) -> list[Difference]:
    return [
        Difference(name, SENSITIVE, SENSITIVE)
        if name in resource.sensitive
        else Difference(name, was, _written(live))
        for name, was, live in pairs
        if not _same(was, live)
    ]


def _same(was: object, live: object) -> bool:
    """Nothing, an empty text, False and 0 are one to Terraform, and its texts are in Unicode's form C."""
    if isinstance(live, datetime):
        return isinstance(was, str) and _moment(was) == live
    if isinstance(was, str) and isinstance(live, str):
        return _composed(was) == _composed(live)
    return was == live or not (was or live)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _composed_policy(text: str) -> str:
    """A policy as Terraform holds it, whose texts are composed after their escapes are read."""
    try:
        return _composed(json.dumps(json.loads(text), ensure_ascii=False))
    except (ValueError, RecursionError):
        return text


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _written(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _tags(resource: StateResource, live: LiveKey) -> Iterator[Difference]:
    if not resource.attributes.keys() & {"tags", "tags_all"}:
        return
    found = resource.attributes.get("tags_all") or resource.attributes.get("tags") or {}
    was = {_composed(str(name)): value for name, value in found.items()} if isinstance(found, Mapping) else {}
    now = {_composed(name): value for name, value in live.tags.items()}
    hidden = bool(resource.sensitive & {"tags", "tags_all"})
    for name in sorted({*was, *now}):
        if (name in was) != (name in now) or not _same(was[name], now[name]):
            values = (SENSITIVE, SENSITIVE) if hidden else (was.get(name), now.get(name))
            yield Difference(f"tags.{name}", *values)


def _sorted(value: object) -> list[str]:
    return sorted(map(str, value)) if isinstance(value, list) else []


def _constraints(value: object) -> dict[str, Any]:
    """The constraints of a state: a list of one object at most, whose empty members say nothing."""
    (found,) = value if isinstance(value, list) and len(value) == 1 else ({},)
    return {name: pairs for name, pairs in found.items() if pairs} if isinstance(found, Mapping) else {}


def _limits(grant: Grant) -> dict[str, Any]:
    names = {
        "EncryptionContextEquals": "encryption_context_equals",
        "EncryptionContextSubset": "encryption_context_subset",
    }
    return {names.get(name, name): value for name, value in grant.constraints.items() if value}


def _difference_words(meaning: Meaning, one: str, other: str) -> list[str]:
    """What the second policy changes of the first: who gains or loses what, else which statements differ."""
    before, after = parse(one), parse(other)
    if not (before.is_valid and after.is_valid):
        return ["one of the two is no valid key policy"]
    words = [change.sentence for change in meaning.effects]
    if meaning.uncompared:
        words.append("the policies name too many principals to compare what each may do")
    return (
        words
        or [
            f"{change.label} is {change.kind}"
            for change in statement_changes(before, after)
            if change.kind not in (StatementChangeKind.SAME, StatementChangeKind.MOVED)
        ]
        or ["its version differs"]
    )
