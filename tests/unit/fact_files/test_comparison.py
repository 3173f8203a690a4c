"""What changed between two fact files: by meaning, and never out of what is not known."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.fact_files.change_formats import remarks
from kms_tui.fact_files.changes import KINDS, ChangeKind
from kms_tui.fact_files.fact_comparison import compared
from kms_tui.fact_files.fact_file import FactFileError, KeyFacts
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.kms.facts import NOT_APPLICABLE, UNASKED
from kms_tui.kms.model import KeyRotationStatus, Tag
from tests.unit.fact_files.samples import (
    APP,
    DENIED,
    FAILED,
    NOW,
    arn,
    change,
    changes,
    described,
    file,
    grant,
    key,
    listed,
    multi_region,
    told,
)
from tests.unit.policy.build import allow, policy, with_root

PENDING: dict[str, Any] = {"state": "PendingDeletion", "deletion_date": NOW + timedelta(days=7)}
LATER: dict[str, Any] = {"state": "PendingDeletion", "deletion_date": NOW + timedelta(days=9)}


def test_every_kind_has_its_rules_and_the_gravest_come_first() -> None:
    assert list(KINDS) == list(ChangeKind)
    ranks = [rules.severity.rank for rules in KINDS.values()]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("old", "new", "kind", "sentence"),
    [
        ({}, PENDING, "deletion-scheduled", "is deleted on 2026-12-07"),
        (PENDING, LATER, "deletion-scheduled", "is deleted on 2026-12-09, 2026-12-07 before"),
        ({}, {"state": "PendingReplicaDeletion"}, "deletion-scheduled", "is deleted once its replicas are"),
        (PENDING, {"state": "Disabled"}, "deletion-cancelled", "deletion was cancelled; the key is disabled"),
        ({}, {"state": "Disabled"}, "disabled", "is disabled, Enabled before"),
        ({"state": "Disabled"}, {}, "enabled", "is enabled, Disabled before"),
        (
            {},
            {"state": "PendingImport", "valid_to": None},
            "material-gone",
            "has no key material: deleted, or expired, Enabled before",
        ),
        (
            {},
            {"state": "Unavailable"},
            "unavailable",
            "is unavailable: its key store is not connected, Enabled before",
        ),
        ({"state": "Creating"}, {"state": "Updating"}, "state", "is Updating, Creating before"),
        ({"description": "old"}, {"description": "new"}, "description", '"old" → "new"'),
        ({"current_key_material_id": "m1"}, {"current_key_material_id": "m2"}, "rotated", "other key mat"),
        ({}, {"valid_to": NOW}, "expiry", "expires on 2026-11-30"),
        ({"valid_to": NOW}, {}, "expiry", "no longer expires, 2026-11-30 before"),
        (
            {"multi_region": multi_region("us-east-1")},
            {"multi_region": multi_region("us-east-1", "ap-south-1")},
            "replicas",
            "+ ap-south-1",
        ),
        (
            {"multi_region": multi_region("us-east-1", "ap-south-1")},
            {"multi_region": multi_region("ca-central-1")},
            "replicas",
            "+ ca-central-1, − ap-south-1, − us-east-1",
        ),
        (
            {"multi_region": multi_region("us-east-1")},
            {"multi_region": multi_region("eu-west-1", primary="us-east-1")},
            "primary-moved",
            "the primary is in us-east-1, in eu-west-1 before",
        ),
    ],
)
def test_changes_that_describe_key_tells(
    old: dict[str, Any], new: dict[str, Any], kind: str, sentence: str
) -> None:
    found = change(key(described=described(**old)), key(described=described(**new)))
    assert found.kind == kind
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((True, 365), (False, None), ("rotation-off", "off, every 365 days before")),
        ((False, None), (True, 90), ("rotation-on", "every 90 days, off before")),
        ((True, 365), (True, 90), ("rotation-period", "every 90 days, every 365 days before")),
    ],
)
def test_changes_of_rotation(
    old: tuple[bool, int | None], new: tuple[bool, int | None], expected: tuple[str, str]
) -> None:
    found = change(key(rotation=KeyRotationStatus(*old)), key(rotation=KeyRotationStatus(*new)))
    assert (found.kind.value, found.sentence) == expected


def test_a_period_that_is_not_told_is_no_change() -> None:
    rotations = [KeyRotationStatus(True, days) for days in (None, 365)]
    assert told(changes(key(rotation=rotations[0]), key(rotation=rotations[1]))) == []
    assert told(changes(key(rotation=rotations[1]), key(rotation=rotations[0]))) == []


def test_a_later_next_rotation_is_no_change() -> None:
    rotations = [KeyRotationStatus(True, 365, NOW + timedelta(days=days)) for days in (1, 366)]
    assert told(changes(key(rotation=rotations[0]), key(rotation=rotations[1]))) == []


def test_tags_are_told_one_by_one() -> None:
    old = (Tag("team", "shop"), Tag("env", "prod"), Tag("same", "x"))
    new = (Tag("same", "x"), Tag("team", "ops"), Tag("cost", "7"))
    found = change(key(tags=old), key(tags=new))
    assert (found.sentence, found.details) == ("+ cost=7; 2 more", ("− env=prod", 'team: "shop" → "ops"'))
    assert told(changes(key(tags=old), key(tags=tuple(reversed(old))))) == []


@pytest.mark.parametrize(
    ("old", "new", "kind", "sentence"),
    [
        (with_root(), with_root(allow(APP, "kms:Decrypt")), "policy-widened", "role/app gains kms:Decrypt"),
        (with_root(allow(APP, "kms:Decrypt")), with_root(), "policy-narrowed", "role/app loses kms:Decrypt"),
        (
            policy(allow(), allow(APP, "kms:Decrypt")),
            policy(allow(), allow(APP, "kms:Encrypt")),
            "policy-widened",
            "role/app gains kms:Encrypt; 1 more",
        ),
        (
            with_root(),
            "{}",
            "policy-changed",
            "its text differs; whether its meaning does was not worked out",
        ),
    ],
)
def test_policies_are_compared_by_meaning(old: str, new: str, kind: str, sentence: str) -> None:
    found = change(key(policy=old), key(policy=new))
    assert (found.kind.value, found.sentence) == (kind, sentence)


def test_a_policy_that_means_the_same_is_no_change_and_is_said() -> None:
    found = changes(key(1, "a", policy=policy(allow())), key(1, "a", policy=policy(allow("111122223333"))))
    assert told(found) == []
    assert [each.name for each in found.rewritten] == ["a"]
    assert found.whole
    text = with_root()
    assert changes(key(policy=text), key(policy=json.dumps(json.loads(text)))).rewritten == ()


def test_grants_are_compared_by_meaning_and_not_by_order_or_id() -> None:
    context = {"EncryptionContextSubset": {"a": "1"}}
    old = (grant(1), grant(2, operations=("Encrypt", "Decrypt")), grant(3, constraints=context))
    new = (
        grant(7, constraints=context, name="renamed"),
        grant(2, operations=("Decrypt", "Encrypt")),
        grant(1),
    )
    assert told(changes(key(grants=old), key(grants=new))) == []


def test_grants_that_are_new_gone_or_other() -> None:
    old = (grant(1), grant(2, grantee=f"{APP}2"), grant(3, name="nightly"))
    new = (grant(1), grant(2, grantee="AROAEXAMPLEID12345"), grant(4, operations=("Encrypt", "Decrypt")))
    assert [each[0::2] for each in told(changes(key(grants=old), key(grants=new)))] == [
        ("grant-added", f"{APP}: Decrypt, Encrypt"),
        ("grant-changed", f"AROAEXAMPLEID12345: Decrypt; before: {APP}2: Decrypt"),
        ("grant-gone", f"{APP}: Decrypt (nightly)"),
    ]
    assert told(changes(key(grants=(grant(1), grant(2))), key(grants=(grant(2),))))[0][0] == "grant-gone"


def test_keys_that_are_new_or_gone_are_told_with_their_aliases() -> None:
    gone = key(2, "old", described=described(2, **PENDING))
    found = compared(file(key(1, "a"), gone), file(key(1, "a"), key(3, "new")))
    assert told(found) == [
        ("key-gone", "old", "is not listed any more: its deletion was scheduled for 2026-12-07"),
        ("key-added", "new", "SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, Enabled, alias/new"),
    ]
    assert found.keys == 3


def test_aliases_that_moved_are_new_or_are_deleted() -> None:
    found = compared(file(key(1, "a", "b"), key(2, "c")), file(key(1, "b", "d"), key(2, "a")))
    assert told(found) == [
        ("alias-moved", "a", "alias/a names this key, b before"),
        ("alias-deleted", "a", "alias/c"),
        ("alias-added", "b", "alias/d"),
    ]


def test_a_key_without_its_alias_keeps_the_name_unless_another_has_it() -> None:
    old = file(key(1, "a"), key(2, "b"), key(3))
    new = file(key(1, tags=()), key(2, tags=()), key(3, "b"))
    names = [each.key.name for each in compared(old, new).changes if each.kind is ChangeKind.TAGS]
    assert names == [arn(2).rpartition("/")[2], "a"]


def test_an_alias_of_a_deleted_key_that_names_a_new_one_has_moved() -> None:
    found = compared(file(key(1, "a")), file(key(2, "a")))
    assert [each[0] for each in told(found)] == ["key-gone", "alias-moved", "key-added"]


@pytest.mark.parametrize("state", [DENIED, FAILED, UNASKED])
@pytest.mark.parametrize("fact", ["described", "rotation", "tags", "policy", "grants"])
def test_what_was_not_known_then_or_now_is_never_a_change(fact: str, state: Any) -> None:
    word = {DENIED: "denied", FAILED: "failed", UNASKED: "not read"}[state]
    for old, new, reason in (
        (key(**{fact: state}), key(), f"{word} then"),
        (key(), key(**{fact: state}), f"{word} now"),
        (key(**{fact: state}), key(**{fact: state}), f"{word} then, {word} now"),
    ):
        found = changes(old, new)
        assert told(found) == []
        assert not found.whole
        assert [(each.fact, each.reason) for each in found.not_compared] == [(fact, reason)]


def test_what_does_not_apply_is_neither_a_change_nor_missing() -> None:
    found = changes(key(rotation=NOT_APPLICABLE), key())
    assert (told(found), found.whole) == ([], True)


def test_without_a_list_of_keys_nothing_is_new_or_gone() -> None:
    old = file(key(1, "a"), key(2, "b"))
    new = file(key(1, "c"), key(3), regions=(listed(keys=DENIED),))
    found = compared(old, new)
    assert told(found) == [
        ("alias-deleted", "b", "alias/b"),
        ("alias-deleted", "c", "alias/a"),
        ("alias-added", "c", "alias/c"),
    ]
    assert [(each.fact, each.now) for each in found.not_compared] == [("keys", "denied")]


def test_without_a_list_of_aliases_none_moved() -> None:
    new = file(key(1, aliases=FAILED), regions=(listed(aliases=FAILED),))
    found = compared(file(key(1, "a")), new)
    assert told(found) == []
    assert [(each.fact, each.now) for each in found.not_compared] == [("aliases", "failed")]
    assert found.keys == 1


def test_regions_of_one_file_alone_are_told_and_their_keys_are_no_change() -> None:
    there = KeyFacts(arn(5, "us-east-1"), key().aliases)
    found = compared(file(key(1), there, regions=(listed(), listed("us-east-1"))), file(key(1)))
    assert told(found) == []
    assert [str(place) for place in found.only_then] == ["us-east-1 of 111122223333"]
    assert not found.whole


def test_many_regions_of_one_file_alone_are_one_sentence() -> None:
    regions = tuple(listed(account=f"44445555666{number}") for number in range(5))
    found = compared(file(key(1), regions=(listed(), *regions)), file(key(1)))
    assert list(remarks(found)) == [
        "eu-west-1 of 444455556660, eu-west-1 of 444455556661, eu-west-1 of 444455556662 and 2 more "
        "are in the snapshot only: their keys were not compared."
    ]


def test_a_snapshot_that_is_the_newer_one_is_said() -> None:
    backwards = compared(file(key(1), time=NOW), file(key(1)))
    assert list(remarks(backwards)) == [
        "The snapshot is newer than what it is compared with: the changes are told backwards."
    ]


def test_files_without_anything_in_common_are_refused() -> None:
    other = file(regions=(listed(account="444455556666"),))
    with pytest.raises(FactFileError, match="of eu-west-1 of 111122223333, the other of eu-west-1 of 4444"):
        compared(file(), other)
    many = file(regions=tuple(listed(account=f"44445555666{number}") for number in range(5)))
    with pytest.raises(FactFileError, match=r"eu-west-1 of 444455556662 and 2 more\.$"):
        compared(file(), many)


def test_the_dangerous_comes_first_whatever_the_order_of_keys() -> None:
    old = file(*(key(number, f"k{number}") for number in (1, 2, 3)))
    new = file(
        key(1, "k1", tags=()),
        key(2, "k2", rotation=KeyRotationStatus(False)),
        key(3, "k3", described=described(3, **PENDING)),
    )
    found = compared(old, new).changes
    assert [each.severity for each in found] == list(HealthSeverity)


_KEYS = st.builds(
    lambda number, aliases, tags, grants, state, rotation: key(
        number,
        *aliases,
        tags=tuple(Tag(name, name) for name in sorted(tags)),
        grants=tuple(grant(each) for each in sorted(grants)),
        described=described(number, state=state),
        rotation=rotation,
    ),
    st.integers(1, 4),
    st.just(()),
    st.sets(st.sampled_from("abc")),
    st.sets(st.integers(1, 3)),
    st.sampled_from(["Enabled", "Disabled", "PendingDeletion"]),
    st.sampled_from([KeyRotationStatus(True, 365), KeyRotationStatus(False), DENIED, NOT_APPLICABLE]),
)
_FILES = st.lists(_KEYS, max_size=4, unique_by=lambda each: each.arn).map(lambda keys: file(*keys))


@given(_FILES, _FILES)
@settings(max_examples=40, deadline=None)
def test_a_file_differs_from_itself_in_nothing_and_two_differ_both_ways(old: Any, new: Any) -> None:
    assert compared(old, old).changes == ()
    there, back = compared(old, new), compared(new, old)
    assert len(there.not_compared) == len(back.not_compared)
    assert {each.key.arn for each in there.changes} == {each.key.arn for each in back.changes}
