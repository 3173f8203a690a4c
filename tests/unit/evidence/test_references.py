"""What services call a key, and which key that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend
from kms_tui.evidence.references import KeyNames, Target, read_names
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.facts import Denied, Known
from tests.unit.evidence.world import ACCOUNT, REGION, arn_of, denied, local_backend, new_key

_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
_OTHER = "9999abcd-12ab-34cd-56ef-1234567890ab"
_NAMES = KeyNames(
    ACCOUNT, REGION, Known(frozenset({_KEY})), Known({"alias/orders": _KEY, "alias/aws/backup": ""})
)


@pytest.mark.parametrize(
    "reference", [_KEY, arn_of(_KEY), "alias/orders", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders"]
)
def test_id_arn_alias_and_alias_arn_are_the_same_key(reference: str) -> None:
    assert _NAMES.target(reference) == Target(_KEY)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (_OTHER, "a key that does not exist, or no longer"),
        (arn_of(_OTHER), "a key that does not exist, or no longer"),
        (arn_of(_KEY, account="444455556666"), "a key of account 444455556666"),
        (arn_of(_KEY, region="us-east-1"), "a key of region us-east-1"),
        (f"arn:aws:kms:{REGION}:444455556666:alias/orders", "a key of account 444455556666"),
        ("alias/gone", "an alias that does not exist"),
        ("alias/aws/backup", "an alias that has no key yet"),
        ("arn:aws:s3:::bucket", "not the name of a key"),
        ("arn:nonsense", "not the name of a key"),
        ("whatever", "a key that does not exist, or no longer"),
    ],
)
def test_what_is_no_key_of_this_region_says_what_it_is(reference: str, reason: str) -> None:
    assert _NAMES.target(reference) == Target(reason=reason)


class _Refusing(LocalBackend):
    """A region in which one list is refused."""

    refused = ""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if operation == self.refused:
            raise denied(operation)
        return super().call(operation, params)


def test_names_are_read_from_the_region() -> None:
    backend = local_backend()
    key = new_key(backend, "orders")
    names = read_names(Kms(backend))
    assert names.target("alias/orders") == Target(key)
    assert names.target(key) == Target(key)


@pytest.mark.parametrize("refused", ["ListKeys", "ListAliases"])
def test_one_refused_list_leaves_the_other(refused: str) -> None:
    backend = local_backend()
    key = new_key(backend, "orders")
    refusing = _Refusing(backend.store, account_id=ACCOUNT, region=REGION)
    refusing.refused = refused
    names = read_names(Kms(refusing))
    assert names.target(key) == Target(key)
    if refused == "ListAliases":
        assert isinstance(names.aliases, Denied)
        assert "could not be read" in names.target("alias/orders").reason
    else:
        assert isinstance(names.key_ids, Denied)
        assert isinstance(names.key_ids.error, ServiceError)
        assert names.target("alias/orders") == Target(key)
        assert names.target(_OTHER) == Target(_OTHER), "an id stands for a key where none can be told apart"
