"""A synthetic account behind the façade, and workers that work only when told to: nothing here waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.health.row_judge import RowJudge
from kms_tui.inventory import Changes, Inventory, Pace, Row, View
from kms_tui.inventory.changes import Coalescer
from kms_tui.inventory.pace import reading_queues
from kms_tui.inventory.row import FactName
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.workers import Job, Source, WorkQueues

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACCOUNT = "111122223333"


def key_id(number: int) -> str:
    return f"{number:08x}-12ab-34cd-56ef-1234567890ab"


def denied(operation: str) -> ServiceError:
    return ServiceError("AccessDeniedException", f"not allowed to {operation}", operation=operation)


@dataclass
class FakeKey:
    """A key of the synthetic account; ``metadata`` overrides members of KeyMetadata."""

    key_id: str
    aliases: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    rotation: dict[str, Any] = field(
        default_factory=lambda: {"KeyRotationEnabled": True, "RotationPeriodInDays": 365}
    )
    tags: dict[str, str] = field(default_factory=dict)
    last_usage: dict[str, Any] = field(default_factory=dict)
    policy: str = "{}"
    grants: list[dict[str, Any]] = field(default_factory=list)


class FakeAccount:
    """A Backend over a list of keys, in AWS's shapes; ``calls`` are the calls made, as (operation, key id).

    ``fail`` maps an operation, or (operation, key id), to the error to raise.
    """

    def __init__(
        self, keys: Iterable[FakeKey] = (), *, region: str = "eu-west-1", page: int | None = None
    ) -> None:
        self.keys = {key.key_id: key for key in keys}
        self.region = region
        self.partition = "aws"
        self.account_id = ACCOUNT
        self.page = page
        self.calls: list[tuple[str, str]] = []
        self.fail: dict[str | tuple[str, str], Exception] = {}
        self.others: dict[str, FakeAccount] = {}
        self.extra_aliases: list[dict[str, str]] = []
        self.before: Callable[[str, str], None] = lambda operation, key: None
        self._lock = threading.Lock()

    def caller(self) -> CallerIdentity:
        return CallerIdentity()

    def in_region(self, region: str) -> FakeAccount:
        return self if region == self.region else self.others[region]

    def arn(self, key: str) -> str:
        return f"arn:aws:kms:{self.region}:{ACCOUNT}:key/{key}"

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        key = params.get("KeyId", "")
        with self._lock:
            self.calls.append((operation, key))
        self.before(operation, key)
        error = self.fail.get((operation, key)) or self.fail.get(operation)
        if error is not None:
            raise error
        answer: Mapping[str, Any] = getattr(self, f"_{operation}")(params)
        return answer

    def count(self, operation: str) -> int:
        return sum(1 for name, _ in self.calls if name == operation)

    def _paged(self, member: str, entries: Sequence[Any], params: Mapping[str, Any]) -> Mapping[str, Any]:
        start = int(params.get("Marker") or 0)
        end = start + (self.page or params["Limit"])
        answer: dict[str, Any] = {member: list(entries[start:end]), "Truncated": end < len(entries)}
        if end < len(entries):
            answer["NextMarker"] = str(end)
        return answer

    def _ListKeys(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        entries = [{"KeyId": key, "KeyArn": self.arn(key)} for key in self.keys]
        return self._paged("Keys", entries, params)

    def _ListAliases(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        entries = [
            {
                "AliasName": f"alias/{alias}",
                "AliasArn": f"arn:aws:kms:{self.region}:{ACCOUNT}:alias/{alias}",
                "TargetKeyId": key.key_id,
            }
            for key in self.keys.values()
            for alias in key.aliases
            if params.get("KeyId") in (None, key.key_id)
        ]
        entries = sorted([*entries, *self.extra_aliases], key=lambda entry: entry["AliasName"])
        return self._paged("Aliases", entries, params)

    def _DescribeKey(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        key = self.keys[params["KeyId"]]
        aws = any(alias.startswith("aws/") for alias in key.aliases)
        return {
            "KeyMetadata": {
                "KeyId": key.key_id,
                "Arn": self.arn(key.key_id),
                "AWSAccountId": ACCOUNT,
                "KeyManager": "AWS" if aws else "CUSTOMER",
                "KeyState": "Enabled",
                "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT",
                "Origin": "AWS_KMS",
                "CreationDate": NOW - timedelta(days=400),
                **key.metadata,
            }
        }

    def _GetKeyRotationStatus(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return self.keys[params["KeyId"]].rotation

    def _ListResourceTags(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        tags = self.keys[params["KeyId"]].tags
        return {"Tags": [{"TagKey": name, "TagValue": value} for name, value in tags.items()]}

    def _GetKeyLastUsage(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return self.keys[params["KeyId"]].last_usage

    def _ListKeyRotations(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return {"Rotations": []}

    def _ListGrants(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return {"Grants": self.keys[params["KeyId"].rpartition("/")[2]].grants}

    def _GetKeyPolicy(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return {"Policy": self.keys[params["KeyId"].rpartition("/")[2]].policy}


class Clock:
    """Monotonic seconds that pass only when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class SteppedWorkers:
    """Workers that run jobs on the caller's thread, when ``work`` is called."""

    def __init__(self, queues: WorkQueues, clock: Clock) -> None:
        self.queues = queues
        self.clock = clock
        self.closed = False
        self._lock = threading.RLock()

    @property
    def idle(self) -> bool:
        with self._lock:
            return self.queues.idle()

    def put(self, queue: Hashable, job: Job) -> None:
        with self._lock:
            self.queues.put(queue, job)

    def replace(self, queue: Hashable, jobs: Iterable[Job]) -> None:
        with self._lock:
            self.queues.replace(queue, jobs)

    def pull(self, queue: Hashable, source: Source) -> None:
        with self._lock:
            self.queues.pull(queue, source)

    def pause(self, queue: Hashable, seconds: float, group: Hashable = None) -> None:
        with self._lock:
            self.queues.pause(queue, seconds, group)

    def drop(self, queue: Hashable) -> int:
        with self._lock:
            return self.queues.drop(queue)

    def hold_all_but(self, queue: Hashable) -> None:
        with self._lock:
            self.queues.hold_all_but(queue)

    def wake(self) -> None:
        """Whoever calls ``work`` asks anyway."""

    def close(self) -> None:
        self.closed = True

    def work(self, jobs: int = 1_000_000, *, seconds: float = 0.0) -> int:
        """Run up to so many jobs, letting at most ``seconds`` pass; how many were run."""
        end = self.clock.seconds + seconds
        for done in range(jobs):
            job = self._take(end)
            if job is None:
                return done
            try:
                job.run()
            finally:
                with self._lock:
                    self.queues.done(job)
        return jobs

    def _take(self, end: float) -> Job | None:
        with self._lock:
            job = self.queues.take()
            while job is None:
                wait = self.queues.wait()
                if wait is None or self.clock.seconds + wait > end:
                    return None
                self.clock.seconds += max(wait, 1e-6)
                job = self.queues.take()
            return job


class NoPolicies(RowJudge):
    """Reads no policies, so that a test counts two calls a key."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = (FactName.DESCRIBED, FactName.ROTATION)


class World:
    """An inventory over a synthetic account, and a view of it that has taken in all it was told."""

    def __init__(
        self,
        account: FakeAccount,
        *,
        regions: Sequence[str] = (),
        pace: Pace | None = None,
        judge: RowJudge | None = None,
    ) -> None:
        self.account = account
        self.clock = Clock()
        self.now = NOW
        pace = pace or Pace()
        self.workers = SteppedWorkers(reading_queues(pace, clock=self.clock), self.clock)
        self.inventory = Inventory(
            Kms(account),
            judge=judge or NoPolicies(),
            regions=regions,
            now=lambda: self.now,
            clock=self.clock,
            pace=pace,
            workers=self.workers,
            coalescer=Coalescer(lambda run: None),
        )
        self.view = View(self.inventory)
        self.heard: list[Changes] = []
        self.inventory.listen(self._hear)

    def _hear(self, changes: Changes) -> None:
        self.heard.append(changes)
        self.view.update(changes)

    def open(self) -> World:
        """List everything, and tell the view."""
        self.inventory.open()
        self.list_all()
        return self

    def list_all(self) -> None:
        while any(region.busy for region in self.inventory.regions):
            assert self.workers.work(1)
        self.inventory.flush()

    def work(self, jobs: int = 1_000_000, *, seconds: float = 0.0) -> int:
        done = self.workers.work(jobs, seconds=seconds)
        self.inventory.flush()
        return done

    def row(self, name: str) -> Row:
        return next(row for row in self.inventory.rows() if name in (row.key_id, *row.aliases))

    @property
    def names(self) -> list[str]:
        """What the view shows, by name."""
        return [row.aliases[0] if row.aliases else row.key_id for row in self.view.rows]


def named(*names: str, **metadata: Any) -> list[FakeKey]:
    """Keys with these aliases, and the same metadata."""
    return [FakeKey(key_id(number), (name,), dict(metadata)) for number, name in enumerate(names, 1)]


def small_account() -> FakeAccount:
    """Three customer keys, one without an alias, and an AWS-managed key."""
    return FakeAccount(
        [
            FakeKey(key_id(1), ("orders", "orders-db")),
            FakeKey(key_id(2), ("billing",)),
            FakeKey(key_id(3)),
            FakeKey(key_id(4), ("aws/s3",)),
        ]
    )


def assert_error(error: KmsTuiError | None, text: str) -> None:
    assert error is not None
    assert text in str(error)
