"""What the ARN of a key tells."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import pytest

from kms_tui.kms.arn import AccountRegion, key_account, key_region, places_in_words

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize("resource", [f"key/{KEY_ID}", "alias/orders"])
def test_an_arn_tells_the_account_and_the_region(resource: str) -> None:
    arn = f"arn:aws:kms:eu-west-1:111122223333:{resource}"
    assert (key_account(arn), key_region(arn)) == ("111122223333", "eu-west-1")


@pytest.mark.parametrize("reference", ["", KEY_ID, "alias/orders", "arn:aws:kms"])
def test_any_other_name_of_a_key_tells_neither(reference: str) -> None:
    assert (key_account(reference), key_region(reference)) == ("", "")


def test_the_arn_of_something_else_is_in_no_region_of_a_key() -> None:
    assert key_region("arn:aws:sns:eu-west-1:111122223333:topic") == ""


@pytest.mark.parametrize(
    ("accounts", "regions", "words"),
    [
        ((), (), ""),
        (("",), ("eu-west-1",), "eu-west-1"),
        (("111122223333",), ("eu-west-1",), "eu-west-1 of 111122223333"),
        (("111122223333",), ("eu-west-1", "us-east-1"), "eu-west-1 and us-east-1 of 111122223333"),
        (("1", "2"), ("eu-west-1",), "eu-west-1 of 2 accounts"),
        (map(str, range(2000)), map(str, range(6)), "6 Regions of 2,000 accounts"),
    ],
)
def test_many_places_are_told_in_few_words(
    accounts: Iterable[str], regions: Iterable[str], words: str
) -> None:
    assert places_in_words([AccountRegion(*each) for each in product(accounts, regions)]) == words
