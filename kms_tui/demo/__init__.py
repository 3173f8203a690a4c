"""A believable account on a local backend in memory, the same each time.

Its history is lived through rather than written down: the table's events are real API calls, made in the
order of time under a clock that travels. So whatever the offline KMS would refuse cannot be in the demo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kms_tui.backend.base import Backend
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.authorise_caller import read_iam_policies
from kms_tui.backend.local.clock import utc_now
from kms_tui.backend.local.ids import SeededIds
from kms_tui.backend.local.seeded import SeededMaterial
from kms_tui.demo.account import ACCOUNT_ID, AWS_MANAGED, KEYS, REGION, DemoKey
from kms_tui.demo.policies import policy_text


class TravellingClock:
    """Stands ``offset`` before the clock it was given; moving the offset to nothing brings it home."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return self._now() - self.offset


@dataclass(frozen=True, slots=True)
class Step:
    """One call ``days`` ago; ``subject`` is the index of the key it is made on, -1 for none."""

    days: float
    operation: str
    params: Mapping[str, Any]
    subject: int = -1


def demo_backend(
    *,
    region: str | None = None,
    caller_arn: str | None = None,
    iam_policy: Path | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Backend:
    """The demo's account in a region; only eu-west-1 has keys, another region is an empty one.

    ``caller_arn`` calls with the IAM policy in the file ``iam_policy``, or with none; KmsTuiError where
    either is not valid.
    """
    policies = read_iam_policies(iam_policy)
    clock = TravellingClock(now)
    store = open_store(
        None, clock=clock, ids=SeededIds("kms-tui demo"), material=SeededMaterial("kms-tui demo")
    )
    _live_through(LocalBackend(store, account_id=ACCOUNT_ID, region=REGION), clock)
    return LocalBackend(
        store,
        account_id=ACCOUNT_ID,
        region=region or REGION,
        caller_arn=caller_arn,
        iam_policies=policies,
    )


def _live_through(backend: Backend, clock: TravellingClock) -> None:
    key_ids: dict[int, str] = {}
    for step in sorted(_steps(), key=lambda step: -step.days):
        clock.offset = timedelta(days=step.days)
        params = dict(step.params)
        if step.operation == "CreateKey":
            answer = backend.call("CreateKey", params)
            key_ids[step.subject] = answer["KeyMetadata"]["KeyId"]
            continue
        if step.subject >= 0:
            name = "TargetKeyId" if step.operation == "CreateAlias" else "KeyId"
            params[name] = key_ids[step.subject]
        backend.call(step.operation, params)
    clock.offset = timedelta(0)


def _steps() -> Iterator[Step]:
    for alias, first_use in AWS_MANAGED:
        yield Step(first_use, "DescribeKey", {"KeyId": f"alias/{alias}"})
    for index, key in enumerate(KEYS):
        for days, operation, params in _life(key):
            yield Step(days, operation, params, index)


_MINUTE = 1 / 1440


def _life(key: DemoKey) -> Iterator[tuple[float, str, dict[str, Any]]]:
    tags = {"team": key.team, "environment": key.environment, **key.tags}
    create: dict[str, Any] = {
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        "Description": key.description,
        "Origin": key.origin,
        "MultiRegion": key.multi_region,
        "Tags": [{"TagKey": name, "TagValue": value} for name, value in tags.items() if value],
    }
    if (policy := policy_text(key.policy)) is not None:
        create |= {"Policy": policy, "BypassPolicyLockoutSafetyCheck": True}
    yield key.created, "CreateKey", create
    for number, alias in enumerate((key.alias, *key.more_aliases), 1):
        if alias:
            yield key.created - number * _MINUTE, "CreateAlias", {"AliasName": f"alias/{alias}"}
    if key.rotation:
        yield key.created - 5 * _MINUTE, "EnableKeyRotation", {"RotationPeriodInDays": key.rotation}
    for days in key.rotated:
        yield days, "RotateKeyOnDemand", {}
    if key.disabled is not None:
        yield key.disabled, "DisableKey", {}
    if key.deletion is not None:
        yield key.deletion[0], "ScheduleKeyDeletion", {"PendingWindowInDays": key.deletion[1]}
