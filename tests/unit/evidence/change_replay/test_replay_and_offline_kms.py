"""Replays against the offline KMS: what a replay says of a change is what the change then does."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kms_tui.backend.base import GroupsEvents
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.denials.replay_reading import read_access
from kms_tui.evidence.change_replay import GrantRemoval, KeyChange, PolicyChange, details_for, replay
from kms_tui.evidence.request_history.event_lookup import StoreRecord
from kms_tui.evidence.request_history.history_source import HistoryQuery, RequestHistory, read_history
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import parse
from tests.unit.evidence.request_history.trail_events import ACCOUNT, OTHER_ACCOUNT, REGION

Json = dict[str, Any]
_IAM = f"arn:aws:iam::{ACCOUNT}"
_EVERYTHING = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}',
    identity=True,
)
_CALLERS = (
    f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/batch/s2",
    f"{_IAM}:user/ada",
    f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/reader/s3",
)
_PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": f"{_IAM}:root"},
    {"AWS": f"{_IAM}:role/app"},
    {"AWS": [f"{_IAM}:role/batch", f"{_IAM}:user/ada"]},
    {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"},
    {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"},
    {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:role/reader"},
)
_ACTIONS: tuple[Any, ...] = ("kms:*", "kms:*", "kms:Decrypt", ["kms:Encrypt", "kms:Decrypt"], "kms:Gen*")
_CONDITIONS: tuple[Json | None, ...] = (
    None,
    None,
    None,
    {"StringEquals": {"kms:EncryptionContext:table": "orders"}},
    {"StringNotEquals": {"kms:EncryptionContext:table": "orders"}},
    {"StringLike": {"kms:EncryptionContext:table": "o*"}},
    {"Null": {"kms:EncryptionContext:table": "true"}},
    {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["number", "table"]}},
    {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
    {"ArnLike": {"aws:PrincipalArn": f"{_IAM}:role/*"}},
    {"StringEquals": {"kms:RequestAlias": "alias/orders"}},
    {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
    {"StringEquals": {"aws:PrincipalTag/team": "x"}},
)
_ADMIN = {"Effect": "Allow", "Principal": {"AWS": f"{_IAM}:user/admin"}, "Action": "kms:*", "Resource": "*"}


class _Account:
    """A store with a key, and callers some of whom have IAM policies."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.admin = LocalBackend(open_store(), account_id=ACCOUNT, region=REGION)
        self.key = self.admin.call("CreateKey", {})["KeyMetadata"]["Arn"]
        self.admin.call("CreateAlias", {"AliasName": "alias/orders", "TargetKeyId": self.key})
        self.callers = [
            LocalBackend(
                self.admin.store,
                account_id=ACCOUNT,
                region=REGION,
                caller_arn=arn,
                iam_policies=[_EVERYTHING] if chance.random() < 0.5 else [],
            )
            for arn in _CALLERS
        ]

    def statement(self) -> Json:
        return {
            "Effect": self.chance.choice(("Allow", "Allow", "Allow", "Deny")),
            "Principal": self.chance.choice(_PRINCIPALS),
            "Action": self.chance.choice(_ACTIONS),
            "Resource": "*",
        } | ({"Condition": condition} if (condition := self.chance.choice(_CONDITIONS)) else {})

    def changed(self, statements: list[Json]) -> list[Json]:
        """Statements of which one is gone, new or another, or that stand in another order."""
        place = self.chance.randrange(len(statements))
        rest = statements[:place] + statements[place + 1 :]
        changes = (
            rest,
            [*statements, self.statement()],
            [*rest, self.statement()],
            [*rest, statements[place]],
        )
        return self.chance.choice(changes)

    def put(self, statements: list[Json]) -> str:
        text = json.dumps({"Version": "2012-10-17", "Statement": [_ADMIN, *statements]})
        request = {"KeyId": self.key, "Policy": text, "BypassPolicyLockoutSafetyCheck": True}
        self.admin.call("PutKeyPolicy", request)
        return text

    def grant(self) -> str:
        request = {
            "KeyId": self.key,
            "GranteePrincipal": self.chance.choice((f"{_IAM}:role/app", f"{_IAM}:user/ada")),
            "Operations": ["Decrypt", "Encrypt"],
            "Constraints": {"EncryptionContextSubset": {"table": "orders"}},
        }
        return str(self.admin.call("CreateGrant", request)["GrantId"])

    def calls(self) -> list[tuple[LocalBackend, str, Json]]:
        """Calls, each with a context of its own."""
        found: list[tuple[LocalBackend, str, Json]] = []
        for number in range(16):
            caller = self.callers[number % 4]
            context = {"number": str(number), **self.chance.choice(({}, {"table": "orders"}, {"table": "x"}))}
            blob = self.admin.call(
                "Encrypt", {"KeyId": self.key, "Plaintext": b"1", "EncryptionContext": context}
            )
            name = self.chance.choice(("alias/orders", self.key)) if number % 4 < 3 else self.key
            operation, members = self.chance.choice(
                (
                    ("Decrypt", {"CiphertextBlob": blob["CiphertextBlob"]}),
                    ("Encrypt", {"KeyId": name, "Plaintext": b"1"}),
                    ("GenerateDataKey", {"KeyId": name, "KeySpec": "AES_256"}),
                )
            )
            found.append((caller, operation, {**members, "EncryptionContext": context}))
        return found


def _is_answered(caller: LocalBackend, operation: str, members: Json) -> bool:
    try:
        caller.call(operation, members)
    except ServiceError as error:
        if not error.denied:
            raise
        return False
    return True


def _number(history: RequestHistory) -> str:
    context = history.groups[0].request.context_shape
    return context["number"] if context else ""


@pytest.mark.parametrize("seed", range(30))
def test_a_replay_says_what_the_offline_kms_then_does(seed: int) -> None:
    chance = random.Random(seed)
    account = _Account(chance)
    with account.admin.store:
        calls = account.calls()
        started = datetime.now(UTC)
        before = [account.statement() for _ in range(chance.randint(2, 5))]
        account.put(before)
        grant = account.grant()
        access, told = read_access(Kms(account.admin), account.key)
        assert told == ()
        was = [_is_answered(*call) for call in calls]

        change: KeyChange = GrantRemoval(grant)
        if chance.random() < 0.8:
            change = PolicyChange(parse(account.put(account.changed(before))))
            account.put(before)
        query = HistoryQuery(
            started - timedelta(minutes=1),
            started + timedelta(hours=1),
            account.key,
            details_for(access, change),
        )
        services = account.admin.services
        assert isinstance(services, GroupsEvents)
        history = read_history(StoreRecord(services), query)
        effects: dict[str, str] = {}
        for group in history.groups:
            alone = replace(history, groups=(group,))
            if group.request.principal.endswith("user/administrator") or not group.request.is_answered:
                continue
            found = replay(alone, access, change)
            assert not found.allowed
            effects[_number(alone)] = (
                "refused" if found.refused else "depends" if found.undecided else "stays"
            )

        if isinstance(change, PolicyChange):
            account.admin.call(
                "PutKeyPolicy",
                {"KeyId": account.key, "Policy": change.policy.text, "BypassPolicyLockoutSafetyCheck": True},
            )
        else:
            account.admin.call("RevokeGrant", {"KeyId": account.key, "GrantId": grant})
        for call, answered in zip(calls, was, strict=True):
            if not answered:
                continue
            effect = effects[call[2]["EncryptionContext"]["number"]]
            assert effect in ("depends", "stays" if _is_answered(*call) else "refused"), call
