"""What keys and calls cost, by the price table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kms_tui.evidence.cost import MonthlyCost, monthly_cost, total
from kms_tui.evidence.prices import Prices
from kms_tui.kms.model import Key

KEY = Key(
    key_id="1234abcd-12ab-34cd-56ef-1234567890ab",
    arn="arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    account_id="111122223333",
    manager="CUSTOMER",
    state="Enabled",
    spec="SYMMETRIC_DEFAULT",
    usage="ENCRYPT_DECRYPT",
    origin="AWS_KMS",
)


@pytest.mark.parametrize(("rotations", "dollars"), [(0, 1.0), (1, 2.0), (2, 3.0), (3, 3.0), (25, 3.0)])
def test_only_the_first_two_rotations_are_charged(rotations: int, dollars: float) -> None:
    assert monthly_cost(KEY, rotations).dollars == dollars


def test_an_unread_history_makes_the_cost_a_lower_bound() -> None:
    assert str(monthly_cost(KEY, None)) == "at least $1.00"
    assert str(monthly_cost(replace(KEY, spec="RSA_2048"), None)) == "$1.00"


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingReplicaDeletion"])
def test_a_key_pending_deletion_is_free(state: str) -> None:
    assert monthly_cost(replace(KEY, state=state), 2).dollars == 0


def test_aws_managed_keys_are_free() -> None:
    assert monthly_cost(replace(KEY, manager="AWS"), 3).dollars == 0


def test_a_disabled_key_costs_as_much_as_an_enabled_one() -> None:
    assert monthly_cost(replace(KEY, state="Disabled"), 0).dollars == 1.0


def test_a_sum_is_a_lower_bound_as_soon_as_one_part_is() -> None:
    assert total([MonthlyCost(1.0), MonthlyCost(2.0, at_least=True)]) == MonthlyCost(3.0, at_least=True)
    assert total([]) == MonthlyCost(0.0)


def test_calls_are_priced_by_kind_of_key() -> None:
    prices = Prices()
    assert prices.for_requests({"Encrypt": 10_000}) == pytest.approx(0.03)
    assert prices.for_requests({"Sign": 10_000}, "RSA_2048") == pytest.approx(0.03)
    assert prices.for_requests({"Sign": 10_000}, "ECC_NIST_P256") == pytest.approx(0.15)
    assert prices.for_requests({"GenerateMac": 10_000}, "HMAC_256") == pytest.approx(0.03)
    assert prices.for_requests({"GenerateDataKeyPair": 10_000}, "RSA_2048") == pytest.approx(12.0)
