"""What keys and calls cost, by the price table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.metering import Meter, Metered, PricedCall
from kms_tui.evidence.cost import (
    MonthlyCost,
    PricedKey,
    Prices,
    account_cost,
    calls_cost,
    monthly_cost,
    total,
)
from kms_tui.kms.errors import EndpointError
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


def test_what_never_rotates_is_known_without_asking() -> None:
    never = [replace(KEY, spec="HMAC_256"), replace(KEY, origin="AWS_CLOUDHSM")]
    never.append(replace(KEY, origin="EXTERNAL_KEY_STORE"))
    assert not any(monthly_cost(key, None).at_least for key in never)
    assert monthly_cost(replace(KEY, origin="EXTERNAL"), None).at_least


def test_the_reason_says_what_is_charged() -> None:
    assert monthly_cost(KEY, 1).reason == "1 key and 1 rotation"
    assert monthly_cost(KEY, 7).reason == "1 key, 2 of 7 rotations"
    assert "CloudHSM cluster" in monthly_cost(replace(KEY, origin="AWS_CLOUDHSM"), None).reason


def test_a_price_table_of_ones_own_changes_every_figure() -> None:
    dear = Prices(key_month=1.5, rotation_month=0.5, charged_rotations=3)
    assert monthly_cost(KEY, 9, dear).dollars == 3.0


def test_an_account_tells_what_is_charged_free_unread_and_unknown() -> None:
    pending = replace(KEY, state="PendingDeletion")
    cost = account_cost(
        [
            PricedKey(KEY, 3),
            PricedKey(KEY, None),
            PricedKey(replace(KEY, spec="ECC_NIST_P256"), None),
            PricedKey(pending, 1),
            PricedKey(replace(KEY, manager="AWS"), None),
            PricedKey(None),
        ]
    )
    assert str(cost.month) == "at least $5.00"
    assert (cost.charged, cost.rotations, cost.unread, cost.unknown) == (3, 2, 1, 1)
    assert (cost.pending, str(cost.if_kept)) == (1, "$2.00")


def test_an_account_whose_keys_are_all_known_is_known() -> None:
    assert account_cost([PricedKey(KEY, 0), PricedKey(KEY, 1)]).month == MonthlyCost(3.0)
    assert account_cost([PricedKey(KEY, 0), PricedKey(None)]).month == MonthlyCost(1.0, at_least=True)


COUNTS = st.none() | st.integers(0, 30)
STATES = st.sampled_from(["Enabled", "Disabled", "PendingDeletion", "PendingImport"])


@given(st.lists(st.tuples(COUNTS, STATES), max_size=8))
def test_an_account_costs_what_its_keys_cost_and_more_reading_never_lowers_it(
    keys: list[tuple[int | None, str]],
) -> None:
    priced = [PricedKey(replace(KEY, state=state), count) for count, state in keys]
    cost = account_cost(priced)
    assert cost.month == total(monthly_cost(each.key, each.rotations) for each in priced if each.key)
    read = [PricedKey(each.key, each.rotations if each.rotations is not None else 2) for each in priced]
    assert account_cost(read).month.dollars >= cost.month.dollars
    assert not account_cost(read).month.at_least


@pytest.mark.parametrize(
    ("operation", "spec", "dollars"),
    [
        ("Encrypt", "SYMMETRIC_DEFAULT", 0.03),
        ("DescribeKey", "SYMMETRIC_DEFAULT", 0.03),
        ("Sign", "RSA_2048", 0.03),
        ("GetPublicKey", "RSA_2048", 0.03),
        ("Sign", "RSA_4096", 0.15),
        ("Sign", "ECC_NIST_P256", 0.15),
        ("Sign", "ML_DSA_65", 0.15),
        ("Decapsulate", "ML_KEM_768", 0.15),
        ("GenerateMac", "HMAC_256", 0.03),
        ("GenerateDataKeyPair", "RSA_2048", 12.0),
        ("GenerateDataKeyPairWithoutPlaintext", "RSA_4096", 12.0),
        ("GenerateDataKeyPair", "ECC_NIST_P384", 0.10),
    ],
)
def test_ten_thousand_calls_are_priced_by_kind_of_key(operation: str, spec: str, dollars: float) -> None:
    assert Prices().per_request(operation, spec) * 10_000 == pytest.approx(dollars)


def test_the_calls_of_a_sitting_are_priced_by_the_key_that_each_used() -> None:
    specs = {"arn:aes": "SYMMETRIC_DEFAULT", "arn:ecc": "ECC_NIST_P256"}
    calls = {"DescribeKey": 10_000, "Encrypt": 10_000, "Sign": 30_000, "GenerateDataKeyPair": 10_000}
    uses = {
        PricedCall("Encrypt", "arn:aes"): 10_000,
        PricedCall("Sign", "arn:ecc"): 20_000,
        PricedCall("Sign", "arn:of-another-account"): 10_000,
        PricedCall("GenerateDataKeyPair", "arn:aes", "RSA_2048"): 10_000,
    }
    cost = calls_cost(calls, uses, lambda key: specs.get(key, ""))
    assert cost.calls == 60_000
    assert cost.dollars == pytest.approx(0.03 + 0.03 + 0.30 + 0.03 + 12.0)
    assert (cost.unknown, cost.at_least) == (10_000, True)


def test_random_bytes_need_no_key_to_have_a_price() -> None:
    cost = calls_cost({"GenerateRandom": 10_000}, {PricedCall("GenerateRandom", ""): 10_000}, lambda _: "")
    assert cost.dollars == pytest.approx(0.03)
    assert not cost.at_least


def test_a_metered_session_knows_which_key_each_call_used() -> None:
    class Answers:
        account_id, region, partition = "111122223333", "eu-west-1", "aws"

        def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            if operation == "Sign":
                return {"KeyId": "arn:ecc", "Signature": b""}
            if operation == "Verify":
                raise EndpointError("gone")
            return {}

    meter = Meter()
    metered = Metered(cast(Backend, Answers()), meter)
    metered.call("Sign", {"KeyId": "alias/signing"})
    with pytest.raises(EndpointError):
        metered.call("Verify", {"KeyId": "alias/signing"})
    metered.call("GenerateDataKeyPair", {"KeyId": "k", "KeyPairSpec": "RSA_2048"})
    metered.call("DescribeKey", {"KeyId": "k"})
    calls, uses = meter.so_far()
    assert calls == {"Sign": 1, "Verify": 1, "GenerateDataKeyPair": 1, "DescribeKey": 1}
    assert uses == {
        PricedCall("Sign", "arn:ecc"): 1,
        PricedCall("Verify", "alias/signing"): 1,
        PricedCall("GenerateDataKeyPair", "k", "RSA_2048"): 1,
    }
