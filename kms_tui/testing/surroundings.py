"""What boto3 finds in a process while a KMS is active: credentials and a Region of the environment.

Nothing real: neither the variables of somebody's own account, nor the default session that was made with
them. All that is put back at the end, in whatever order several KMSs end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import boto3

_REGION = "AWS_DEFAULT_REGION"
"""The only variable of a Region that boto3 reads."""

_REMOVED = (
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
)
"""Variables that go with other credentials; no client can be made with a profile that is not there."""

Variables = Mapping[str, str | None]
"""Name -> value; None where there is none."""


@dataclass(slots=True)
class _Surroundings:
    """Whose these are, and what was there before."""

    owner: object
    before: Variables
    session: object


_present: list[_Surroundings] = []
"""The last made is what boto3 finds."""
_lock = threading.Lock()


def begin(owner: object, access_key_id: str, secret_access_key: str, region: str) -> None:
    """Have boto3 find these, until ``end``."""
    values: dict[str, str | None] = {
        **dict.fromkeys(_REMOVED),
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret_access_key,
        _REGION: region,
    }
    with _lock:
        before = {name: os.environ.get(name) for name in values}
        _present.append(_Surroundings(owner, before, boto3.DEFAULT_SESSION))
        boto3.DEFAULT_SESSION = None
        _put(values)


def end(owner: object) -> None:
    """Take back the last ``begin`` of an owner."""
    with _lock:
        place = max(place for place, each in enumerate(_present) if each.owner is owner)
        ended = _present.pop(place)
        if place == len(_present):
            boto3.DEFAULT_SESSION = ended.session  # type: ignore[assignment]
            _put(ended.before)
        else:  # Those after it stay, and put back what was before both.
            after = _present[place]
            after.before, after.session = ended.before, ended.session


def environment_region() -> str | None:
    """The Region that the environment names; None for none."""
    return os.environ.get(_REGION) or os.environ.get("AWS_REGION") or None


def _put(values: Variables) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
