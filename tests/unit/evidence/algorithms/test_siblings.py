"""Which ML-DSA key stands beside a signing key: by tag, alias or description, else not known or none."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any

import pytest

from kms_tui.evidence.algorithms.algorithm_key import AlgorithmKey
from kms_tui.evidence.algorithms.siblings import TAG, BreakableSigner, PairedBy, alias_stem, signing_keys
from kms_tui.kms.arn import AccountRegion
from tests.unit.evidence.algorithms.samples import arn, key, signing


def paired(
    old: AlgorithmKey, *others: AlgorithmKey, unsure: Set[AccountRegion] = frozenset()
) -> BreakableSigner:
    (found,) = signing_keys([old, *others], unsure)
    assert found.key == old
    return found


@pytest.mark.parametrize(
    ("alias", "stem"),
    [
        ("alias/releases", "releases"),
        ("alias/Releases-RSA-2048", "releases"),
        ("alias/releases_mldsa65", "releases"),
        ("alias/ml-dsa-65/releases", "releases"),
        ("alias/releases.pq", "releases"),
        ("alias/releases-nist-p256", "releases"),
        ("alias/releases-secp256k1", "releases"),
        ("alias/release-2025", "release-2025"),
        ("alias/parsa", "parsa"),
        ("alias/rsa-2048", ""),
    ],
)
def test_the_stem_of_an_alias_names_no_algorithm(alias: str, stem: str) -> None:
    assert alias_stem(alias) == stem


@pytest.mark.parametrize("value", [arn(1), arn(1).rpartition("/")[2], "alias/releases", "releases"])
def test_a_tag_names_the_key_in_any_way(value: str) -> None:
    new = key(2, "ML_DSA_65", "other", tags={TAG: value})
    found = paired(signing(1, "RSA_2048", "releases"), new)
    assert (found.sibling, found.paired_by) == (new, PairedBy.TAG)


def test_the_tag_goes_before_the_alias_and_the_alias_before_the_description() -> None:
    old = signing(1, "ECC_NIST_P256", "web-ecc", description="The web")
    by_text = key(2, "ML_DSA_44", description="The web", tags={})
    by_alias = key(3, "ML_DSA_44", "web-mldsa44", tags={})
    by_tag = key(4, "ML_DSA_44", tags={TAG: "web-ecc"})
    assert paired(old, by_text, by_alias, by_tag).sibling == by_tag
    assert paired(old, by_text, by_alias).paired_by is PairedBy.ALIAS
    assert paired(old, by_text).paired_by is PairedBy.DESCRIPTION


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"pending_deletion": True}, "its deletion is scheduled"),
        ({"arn": arn(2, "us-east-1")}, "another Region"),
        ({"arn": arn(2, account="444455556666")}, "another account"),
        ({"spec": "ML_KEM_768"}, "no key that signs"),
        ({"aliases": ("alias/web",)}, "another name"),
    ],
)
def test_what_is_no_sibling(members: dict[str, Any], why: str) -> None:
    other = replace(key(2, "ML_DSA_65", "releases-pq", tags={}), **members)
    found = paired(signing(1, "RSA_2048", "releases"), other)
    assert (found.sibling, found.unknown) == (None, ""), why


def test_keys_without_a_name_or_description_are_no_pair() -> None:
    assert paired(signing(1, "RSA_2048"), key(2, "ML_DSA_65", tags={})).sibling is None
    assert paired(signing(1, "RSA_2048", "rsa"), key(2, "ML_DSA_65", "ml-dsa", tags={})).sibling is None


def test_what_could_not_be_read_is_not_known_and_not_none() -> None:
    old, new = signing(1, "RSA_2048", "releases"), key(2, "ML_DSA_65", "web")
    assert "tags" in paired(old, new).unknown
    assert "described" in paired(old, unsure={old.place}).unknown
    assert paired(old, unsure={AccountRegion(old.place.account, "us-east-1")}).unknown == ""
    assert "aliases" in paired(signing(1, "RSA_2048", aliases_known=False)).unknown


def test_only_signing_keys_that_are_broken_are_asked_about() -> None:
    keys = [key(1, "RSA_2048"), key(2, "HMAC_256"), key(3, "ML_DSA_65", tags={}), signing(4, "SLH_DSA_128S")]
    assert signing_keys(keys, frozenset()) == ()
    assert len(signing_keys([signing(5, "SM2")], frozenset())) == 1
