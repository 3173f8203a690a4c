"""The demo's backend: the offline KMS, in an account that has other services too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.demo.resources import DemoServices, Resource


class DemoBackend(LocalBackend):
    """A LocalBackend (``options`` are its own) that knows what else there is."""

    def __init__(self, store: Store, resources: Sequence[Resource], **options: Any) -> None:
        super().__init__(store, **options)
        self._resources = resources

    @property
    def services(self) -> Services:
        return DemoServices(self.region, self._resources, super().services)
