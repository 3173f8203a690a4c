"""The table of operations beside the service model."""

from __future__ import annotations

from kms_tui.backend.service_model import service_model
from kms_tui.kms.operations import CRYPTOGRAPHIC, ROWS, Trait, names_with


def test_the_table_has_the_operations_of_the_service_model() -> None:
    operations = {name for name, row in ROWS.items() if Trait.NO_OPERATION not in row.traits}
    assert operations == set(service_model()["operations"])


def test_whatever_uses_a_key_is_priced_by_it_and_says_the_usage_that_it_needs() -> None:
    assert set(names_with(Trait.PRICED_BY_KEY)) == CRYPTOGRAPHIC | {"GetPublicKey"}
    assert {name for name in CRYPTOGRAPHIC if ROWS[name].usage is None} == {"GenerateRandom"}
