"""What contract tests hold: a validated backend with a short way to call, and to be refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kms_tui.backend.base import Backend
from kms_tui.kms.arn import alias_arn, key_arn
from kms_tui.kms.errors import ServiceError
from tests.contract.shapes import Validated


class KmsClient:
    """One region of the backend under test."""

    def __init__(self, backend: Backend) -> None:
        self.backend = Validated(backend)
        self._names = itertools.count(1)

    def __call__(self, operation: str, **params: Any) -> Mapping[str, Any]:
        return self.backend.call(operation, params)

    def refused(self, operation: str, code: str, message: str | None = None, **params: Any) -> ServiceError:
        """Expect the error code, and the message too where one is given; answer the error."""
        with pytest.raises(ServiceError) as caught:
            self.backend.call(operation, params)
        assert caught.value.code == code, f"{operation} answered {caught.value} instead of {code}"
        if message is not None:
            assert caught.value.message == message
        return caught.value

    def pages(self, operation: str, **params: Any) -> Iterator[Mapping[str, Any]]:
        """Every page of a list, following the markers."""
        marker: dict[str, str] = {}
        while True:
            page = self(operation, **params, **marker)
            yield page
            if not page.get("Truncated"):
                assert "NextMarker" not in page
                return
            marker = {"Marker": page["NextMarker"]}

    def all(self, operation: str, member: str, **params: Any) -> list[Any]:
        return [entry for page in self.pages(operation, **params) for entry in page[member]]

    def key(self, **params: Any) -> str:
        """A new key's id."""
        return str(self("CreateKey", **params)["KeyMetadata"]["KeyId"])

    def alias(self, key_id: str) -> str:
        """A new alias of the key."""
        name = f"alias/contract-{next(self._names)}"
        self("CreateAlias", AliasName=name, TargetKeyId=key_id)
        return name

    def describe(self, key_id: str) -> Mapping[str, Any]:
        metadata: Mapping[str, Any] = self("DescribeKey", KeyId=key_id)["KeyMetadata"]
        return metadata

    def arn(self, key_id: str) -> str:
        return key_arn(self.backend.partition, self.backend.region, self.backend.account_id, key_id)

    def alias_arn(self, name: str) -> str:
        return alias_arn(self.backend.partition, self.backend.region, self.backend.account_id, name)

    def in_region(self, region: str) -> KmsClient:
        return KmsClient(self.backend.inner.in_region(region))
