"""Names of resources: fit for Terraform, unlike each other, and the same in whichever order keys come."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from kms_tui.as_code.key_definition import KeyDefinition
from kms_tui.as_code.resource_names import alias_names, grant_names, key_names, unique_names
from kms_tui.kms.model import Grant, Key

_FIT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def definition(
    number: int,
    *aliases: str,
    region: str = "eu-west-1",
    account: str = "1" * 12,
    grants: tuple[Grant, ...] = (),
) -> KeyDefinition:
    key_id = f"1234abcd-12ab-34cd-56ef-{number:012x}"
    arn = f"arn:aws:kms:{region}:{account}:key/{key_id}"
    key = Key(key_id, arn, account, "CUSTOMER", "Enabled", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS")
    return KeyDefinition(key, "{}", aliases=aliases, grants=grants)


def names(*definitions: KeyDefinition) -> list[str]:
    return list(key_names(definitions).values())


def test_a_key_has_the_name_of_its_first_alias() -> None:
    assert names(
        definition(1, "alias/orders-db/v2", "alias/z"), definition(2, "alias/9-lives"), definition(3)
    ) == ["orders_db_v2", "_9_lives", "key_1234abcd"]


def test_what_several_share_is_told_apart_by_region_account_or_id() -> None:
    assert names(definition(1, "alias/a"), definition(1, "alias/a", region="us-east-1")) == [
        "a_eu_west_1",
        "a_us_east_1",
    ]
    other = "2" * 12
    assert names(definition(1, "alias/a"), definition(2, "alias/a", account=other)) == [
        f"a_eu_west_1_{'1' * 12}",
        f"a_eu_west_1_{other}",
    ]
    assert names(definition(1), definition(2)) == [
        f"key_1234abcd_12ab_34cd_56ef_00000000000{number}" for number in (1, 2)
    ]


def test_aliases_that_look_alike_are_spelled_out() -> None:
    one = definition(1, "alias/a/b", "alias/a-b", "alias/a_b", "alias/-")
    assert list(alias_names([one]).values()) == ["a_2f_b", "a_2d_b", "a_b", "alias_2f__2d"]


def test_a_grant_has_its_name_or_that_of_its_grantee() -> None:
    grants = (
        Grant("1" * 64, "", "arn:aws:iam::111122223333:role/worker", (), name="rds/x"),
        Grant("2" * 64, "", "arn:aws:iam::111122223333:role/path/worker", ()),
        Grant("3" * 64, "", "arn:aws:iam::111122223333:role/worker", ()),
        Grant("4" * 64, "", "arn:aws:iam::111122223333:root", ()),
    )
    one = definition(1, "alias/a", grants=grants)
    assert list(grant_names([one], key_names([one])).values()) == [
        "a_rds_x",
        "a_worker_22222222",
        "a_worker_33333333",
        "a_root",
    ]


_ALIASES = st.dictionaries(
    st.tuples(st.sampled_from(["eu-west-1", "us-east-1"]), st.text("aA1-_/", min_size=1, max_size=3)),
    st.integers(1, 4),
    max_size=8,
)
"""A Region and an alias -> the key that has it."""


@given(_ALIASES)
def test_names_are_fit_unique_and_of_no_order(found: dict[tuple[str, str], int]) -> None:
    keys: dict[tuple[str, int], list[str]] = {}
    for (region, alias), number in found.items():
        keys.setdefault((region, number), []).append(f"alias/{alias}")
    definitions = [definition(number, *sorted(own), region=region) for (region, number), own in keys.items()]
    by_key, by_alias = key_names(definitions), alias_names(definitions)
    for given_names in (list(by_key.values()), list(by_alias.values())):
        assert len(set(given_names)) == len(given_names)
        assert all(_FIT.match(name) for name in given_names)
    assert (key_names(definitions[::-1]), alias_names(definitions[::-1])) == (by_key, by_alias)


def test_whoever_wants_one_name_moves_on_with_the_others() -> None:
    assert unique_names({1: ("a", "b"), 2: ("a", "c"), 3: ("d",)}) == {1: "b", 2: "c", 3: "d"}
