"""What the account holds now of what a state names: each thing is read once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import Alias, Grant, Key, KeyOrigin, KeyRotationStatus

NOT_FOUND = "NotFoundException"


class NotComparedError(KmsTuiError):
    """The session cannot see the place of a resource."""


@dataclass(frozen=True)
class LiveKey:
    """A key of the account; each fact is read when it is first asked for. Raises KmsTuiError."""

    kms: Kms
    key: Key

    @cached_property
    def policy(self) -> str:
        return self.kms.key_policy(self.key.key_id)

    @cached_property
    def tags(self) -> Mapping[str, str]:
        """Without those of AWS, which Terraform leaves out."""
        tags = self.kms.tags(self.key.key_id)
        return {tag.key: tag.value for tag in tags if not tag.key.lower().startswith("aws:")}

    @cached_property
    def rotation(self) -> KeyRotationStatus | None:
        """None for a key that never rotates automatically."""
        rotates = self.key.may_have_rotated and self.key.origin == KeyOrigin.AWS_KMS
        return self.kms.rotation_status(self.key.key_id) if rotates else None

    @cached_property
    def grants(self) -> Mapping[str, Grant]:
        return {grant.grant_id: grant for grant in self.kms.grants(self.key.key_id)}

    @cached_property
    def aliases(self) -> list[str]:
        return sorted(alias.name for alias in self.kms.aliases(self.key.key_id))


class LiveAccount:
    """The accounts and Regions that a session reaches; ``kms_for`` gives the façade for an ARN."""

    def __init__(self, kms_for: Callable[[str], Kms], home: Kms) -> None:
        self.home = home
        self._kms_for = kms_for
        self._lock = threading.Lock()
        """Held while a list of a Region is read, so that several threads read it once."""
        self._keys: dict[str, LiveKey | None] = {}
        self._aliases: dict[tuple[str, str], Mapping[str, Alias]] = {}
        self._stores: dict[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {}

    def kms(self, arn: str) -> Kms:
        """The façade of an ARN's account and Region; NotComparedError where the session is of another."""
        try:
            parsed = Arn.parse(arn)
        except ValueError:
            raise NotComparedError(f"{arn or 'nothing'} is no ARN") from None
        kms = self._kms_for(arn)
        own = account_of(kms)
        if parsed.account != own:
            known = f"({own})" if own else "as far as is known"
            raise NotComparedError(f"its account {parsed.account} is not one of this session {known}")
        return kms

    def key(self, arn: str) -> LiveKey | None:
        """A key; None for one that is gone. Raises KmsTuiError."""
        if arn not in self._keys:
            kms = self.kms(arn)
            # Two threads may read one key; either answer will do.
            self._keys[arn] = _unless_gone(lambda: LiveKey(kms, kms.describe(arn)))
        return self._keys[arn]

    def alias(self, kms: Kms, name: str) -> Alias | None:
        place = account_of(kms), kms.region
        with self._lock:
            if place not in self._aliases:
                self._aliases[place] = {alias.name: alias for alias in kms.aliases()}
            return self._aliases[place].get(name)

    def key_store(self, kms: Kms, store_id: str) -> Mapping[str, Any] | None:
        """A custom key store as DescribeCustomKeyStores answers it."""
        place = account_of(kms), kms.region
        with self._lock:
            if place not in self._stores:
                pages = kms.pages("DescribeCustomKeyStores", "CustomKeyStores", 100)
                self._stores[place] = {store["CustomKeyStoreId"]: store for page in pages for store in page}
            return self._stores[place].get(store_id)


def account_of(kms: Kms) -> str:
    """The account of a façade, asked for where no answer has told it yet; "" where nobody tells."""
    return kms.account_id or kms.caller().account


def _unless_gone(read: Callable[[], LiveKey]) -> LiveKey | None:
    try:
        return read()
    except ServiceError as error:
        if error.code == NOT_FOUND:
            return None
        raise
