"""A realistic account on a local backend in memory, the same each time.

Its history is lived through: the table's events are real API calls, made in order of time under a clock that
moves. So the demo has nothing that the offline KMS would refuse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from kms_tui.backend.local import open_store
from kms_tui.backend.local.account_policies.account_file import NamedFile, read_account
from kms_tui.backend.local.attestation.attestations import NO_TRUST, AttestationTrust
from kms_tui.backend.local.store.key_rows import key_by_alias
from kms_tui.backend.local.store.seeded_material import SeededMaterial
from kms_tui.backend.local.store.sources import SeededIds, utc_now
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_account import replace_account
from kms_tui.demo.demo_account import ACCOUNT_ID, REGION
from kms_tui.demo.demo_account_policies import ACCOUNT_POLICIES
from kms_tui.demo.demo_history import DemoHistory, TravellingClock, steps
from kms_tui.demo.demo_organization import make_other_accounts
from kms_tui.demo.demo_resources import with_keys
from kms_tui.demo.demo_services import DemoBackend
from kms_tui.kms.arn import key_arn
from kms_tui.policy.layers import UNREAD, Layers

_SEED = "kms-tui demo"


def demo_backend(
    *,
    region: str | None = None,
    caller_arn: str | None = None,
    limits: Layers = UNREAD,
    endpoint: str = "",
    attestation_trust: AttestationTrust = NO_TRUST,
    other_accounts: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> DemoBackend:
    """The demo's account in a region: eu-west-1 has its keys, us-east-1 one replica, any other none.

    ``caller_arn`` calls with its identity policies in ``limits`` and within the others, through a VPC
    ``endpoint`` if there is one; what is unread there is what the demo's account policies say. KmsTuiError
    where it is no principal. ``other_accounts``: with those of its organization.
    """
    clock = TravellingClock(now)
    store = open_store(
        None,
        clock=clock,
        ids=SeededIds(_SEED),
        material=SeededMaterial(_SEED),
        root_key=hashlib.sha256(_SEED.encode()).digest(),
    )
    past = DemoHistory(store, clock)
    for step in steps():
        past.live(step)
    replace_account(store, read_account([NamedFile("the demo", ACCOUNT_POLICIES)]))
    if other_accounts:
        make_other_accounts(store, clock)
    clock.offset = timedelta(0)
    return DemoBackend(
        store,
        with_keys(partial(_arn_of, store)),
        account_id=ACCOUNT_ID,
        region=region or REGION,
        caller_arn=caller_arn,
        limits=limits,
        endpoint=endpoint,
        attestation_trust=attestation_trust,
    )


def _arn_of(store: Store, region: str, alias: str) -> str:
    key = key_by_alias(store, ACCOUNT_ID, region, alias)
    assert key is not None, f"the demo has no {alias} in {region}"
    return key_arn("aws", region, ACCOUNT_ID, key.key_id)
