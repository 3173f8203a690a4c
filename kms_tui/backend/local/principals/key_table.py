"""The access keys that a served KMS knows, and whether one may be used: AWS's words where it may not."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterable, Mapping

from kms_tui.backend.local.authorization.callers import unrecognized
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.kms.errors import ServiceError

MAX_TEMPORARY = 10_000
"""How many temporary access keys are kept; those that expire first go first."""

_MAX_FORMER = 100_000
"""Ids of access keys that are known no more, but were."""


class AccessKeys:
    """Access keys by their ids; safe to use from several threads.

    ``now`` gives milliseconds: the store's clock, so that temporary keys expire by the time that the keys of
    the store have.
    """

    def __init__(self, now: Callable[[], int], keys: Iterable[AccessKey] = ()) -> None:
        self._now = now
        self._keys: Mapping[str, AccessKey] = {key.access_key_id: key for key in keys}
        self._former: dict[str, None] = {}
        self._lock = threading.Lock()

    def find(self, access_key_id: str) -> AccessKey | None:
        """The access key, which may have expired."""
        return self._keys.get(access_key_id)

    def is_former(self, access_key_id: str) -> bool:
        """Whether it stood for a principal once, and is known no more: it is nobody else's since."""
        return access_key_id in self._former

    def add(self, key: AccessKey) -> None:
        """Add a key, or put it in the place of the one of its id."""
        with self._lock:
            self._replace(self._with_room() | {key.access_key_id: key})

    def copy(self) -> Mapping[str, AccessKey]:
        """The keys of this moment; what is added later is not in it."""
        return self._keys

    def replace(self, keys: Mapping[str, AccessKey]) -> None:
        """Put a copy in the place of all keys."""
        with self._lock:
            self._replace(dict(keys))

    def _replace(self, keys: Mapping[str, AccessKey]) -> None:
        for name in self._keys.keys() - keys.keys():
            self._former[name] = None
        for name in keys.keys() & self._former.keys():
            del self._former[name]
        while len(self._former) > _MAX_FORMER:
            del self._former[next(iter(self._former))]
        self._keys = keys

    def require_usable(self, key: AccessKey, session_token: str) -> None:
        """ServiceError where the token that comes with a key is not the key's own, or the key has expired."""
        if not hmac.compare_digest(key.session_token.encode(), session_token.encode(errors="replace")):
            raise unrecognized()
        if key.expires_at is not None and key.expires_at <= self._now():
            raise ServiceError(
                "ExpiredTokenException", "The security token included in the request is expired"
            )

    def _with_room(self) -> dict[str, AccessKey]:
        """The keys without some temporary ones, where these are too many."""
        keys = dict(self._keys)
        if len(keys) < MAX_TEMPORARY:
            return keys
        temporary = [(key.expires_at, name) for name, key in keys.items() if key.expires_at is not None]
        if len(temporary) >= MAX_TEMPORARY:
            now = self._now()
            expired = [name for expires_at, name in temporary if expires_at <= now]
            for name in expired or [name for _, name in sorted(temporary)[: MAX_TEMPORARY // 10]]:
                del keys[name]
        return keys
