"""What a seed makes of a store: everything by what KMS itself answers, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.local import Store, open_store
from kms_tui.backend.local.store.store_maintenance import store_info
from kms_tui.backend.local.store.store_verification import find_problems
from kms_tui.backend.local.store.stored_account import account_rows
from kms_tui.kms.errors import ServiceError
from kms_tui.seed.seed_application import apply_seed, check_seed
from kms_tui.seed.seed_document import SeedError
from kms_tui.seed.seed_reading import read_seed
from tests.unit.seed.seeds import ID, SEEDS, client, empty_store, problems

_MRK = "mrk-" + "a" * 32


@pytest.fixture(scope="module")
def filled() -> Iterator[Store]:
    """A store with the sample of two accounts; tests only read it."""
    with empty_store() as store:
        apply_seed(read_seed(SEEDS / "accounts.yaml"), store)
        yield store


def _made(seed: dict[str, Any]) -> Store:
    store = empty_store()
    apply_seed(read_seed({"region": "eu-west-1", **seed}), store)
    return store


def _refused(key: dict[str, Any], *others: dict[str, Any]) -> list[str]:
    with empty_store() as store:
        found = problems(lambda: apply_seed(read_seed({"keys": [key, *others]}), store))
        assert store.one("SELECT count(*) FROM keys") == (0,)
    return list(found)


def test_a_store_that_a_seed_filled_is_sound(filled: Store) -> None:
    assert list(find_problems(filled)) == []
    assert filled.one("SELECT count(*) FROM events") == (0,)


def test_a_key_is_as_the_seed_says(filled: Store) -> None:
    kms = client(filled)
    found = kms.call("DescribeKey", {"KeyId": "alias/orders/v2"})["KeyMetadata"]
    assert (found["KeyId"], found["Description"]) == (ID.format(1), "Orders at rest")
    assert found["CreationDate"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert (
        kms.call("GetKeyPolicy", {"KeyId": ID.format(1)})["Policy"] == (SEEDS / "app-policy.json").read_text()
    )
    assert kms.call("ListResourceTags", {"KeyId": ID.format(1)})["Tags"] == [
        {"TagKey": "team", "TagValue": "payments"},
        {"TagKey": "environment", "TagValue": "test"},
    ]
    (grant,) = kms.call("ListGrants", {"KeyId": ID.format(1)})["Grants"]
    assert (grant["GrantId"], grant["Name"]) == ("1" * 64, "workers")
    assert grant["Constraints"] == {"EncryptionContextSubset": {"tenant": "blue"}}
    assert grant["CreationDate"] == datetime(2026, 1, 2, 10, tzinfo=UTC)


def test_rotations_that_fell_due_have_happened(filled: Store) -> None:
    kms = client(filled)
    rotations = kms.call("ListKeyRotations", {"KeyId": ID.format(1)})["Rotations"]
    assert [(each["RotationType"], each["RotationDate"].strftime("%m-%d")) for each in rotations] == [
        ("ON_DEMAND", "01-01"),
        ("AUTOMATIC", "04-01"),
        ("AUTOMATIC", "06-30"),
    ]
    status = kms.call("GetKeyRotationStatus", {"KeyId": ID.format(1)})
    assert status["NextRotationDate"] == datetime(2026, 9, 28, tzinfo=UTC)


def test_each_state(filled: Store) -> None:
    kms, there = client(filled), client(filled, "eu-central-1")

    def state(reference: str) -> str:
        return str(kms.call("DescribeKey", {"KeyId": reference})["KeyMetadata"]["KeyState"])

    assert [state(ID.format(number)) for number in (4, 5, 6)] == [
        "Enabled",
        "PendingImport",
        "PendingDeletion",
    ]
    assert there.call("DescribeKey", {"KeyId": "alias/everywhere"})["KeyMetadata"]["KeyState"] == "Disabled"
    elsewhere = client(filled, "us-gov-west-1", "000011112222")
    (key,) = elsewhere.call("ListKeys", {})["Keys"]
    found = elsewhere.call("DescribeKey", {"KeyId": key["KeyId"]})["KeyMetadata"]
    assert found["KeyState"] == "Disabled"


def test_replicas_and_aws_managed_keys(filled: Store) -> None:
    kms = client(filled)
    everywhere = kms.call("DescribeKey", {"KeyId": _MRK})["KeyMetadata"]["MultiRegionConfiguration"]
    assert [each["Region"] for each in everywhere["ReplicaKeys"]] == ["eu-central-1", "us-east-1"]
    sealed = kms.call("Encrypt", {"KeyId": _MRK, "Plaintext": b"hello"})["CiphertextBlob"]
    opened = client(filled, "us-east-1").call("Decrypt", {"CiphertextBlob": sealed, "KeyId": _MRK})
    assert opened["Plaintext"] == b"hello"
    managed = kms.call("DescribeKey", {"KeyId": "alias/aws/s3"})["KeyMetadata"]
    assert (managed["KeyId"], managed["KeyManager"]) == (ID.format(7), "AWS")


def test_ciphertexts_of_fixed_material_are_those_of_another_store(filled: Store) -> None:
    sealed = client(filled).call("Encrypt", {"KeyId": "alias/fixtures", "Plaintext": b"hello"})[
        "CiphertextBlob"
    ]
    with empty_store() as other:
        apply_seed(read_seed(SEEDS / "accounts.yaml"), other)
        assert client(other).call("Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"hello"


def test_fixed_material_is_marked_and_goes_with_a_replica() -> None:
    with _made({"keys": [{"id": _MRK, "fixed_material": {"hex": "11" * 32}}, {}]}) as store:
        client(store).call("ReplicateKey", {"KeyId": _MRK, "ReplicaRegion": "us-east-1"})
        assert store.rows("SELECT fixed FROM materials ORDER BY row") == [(1,), (0,), (1,)]


def test_imported_material_of_a_set_waits_for_its_rotation() -> None:
    materials = [
        {"fixed": {"hex": "11" * 32}},
        {"rotated_at": "2026-06-01", "valid_to": "2027-05-01"},
        {"description": "the next"},
    ]
    key = {
        "id": _MRK,
        "origin": "EXTERNAL",
        "created_at": "2026-03-01",
        "replicas": ["us-east-1"],
        "materials": materials,
    }
    with _made({"keys": [key]}) as store:
        for region in ("eu-west-1", "us-east-1"):
            everything = {"KeyId": _MRK, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
            found = client(store, region).call("ListKeyRotations", everything)["Rotations"]
            assert [each["KeyMaterialState"] for each in found] == [
                "NON_CURRENT",
                "CURRENT",
                "PENDING_ROTATION",
            ]
            assert found[1]["ValidTo"] == datetime(2027, 5, 1, tzinfo=UTC)
        assert list(find_problems(store)) == []


def test_imported_material_that_has_expired_or_was_deleted() -> None:
    expired = {"origin": "EXTERNAL", "created_at": "2026-01-01", "materials": [{"valid_to": "2026-06-01"}]}
    deleted = {"origin": "EXTERNAL", "materials": [{}], "state": "PendingImport"}
    with _made({"keys": [expired, deleted]}) as store:
        assert store.rows("SELECT state FROM keys") == [("PendingImport",)] * 2
        assert list(find_problems(store)) == []


def test_a_set_that_waits_for_its_deletion() -> None:
    replica = {"region": "us-east-1", "state": "PendingDeletion", "deletion_date": "2026-07-20"}
    key = {"id": _MRK, "state": "PendingReplicaDeletion", "deletion_window": 9, "replicas": [replica]}
    with _made({"keys": [key]}) as store:
        assert store.rows("SELECT state, pending_window, deletion_at IS NULL FROM keys ORDER BY row") == [
            ("PendingReplicaDeletion", 9, 1),
            ("PendingDeletion", 19, 0),
        ]


def test_access_keys_stay_with_the_seed_and_rows_join_those_of_the_store() -> None:
    def user(name: str, **members: Any) -> dict[str, Any]:
        return {"principals": [{"arn": f"arn:aws:iam::111122223333:user/{name}", **members}]}

    with _made(user("alice", tags={"team": "a"})) as store:
        apply_seed(read_seed(user("bob")), store)
        apply_seed(read_seed(user("alice")), store)  # a further access key would say no more
        assert [row.name for row in account_rows(store)] == ["alice", "bob"]
        both = {**user("alice", tags={"team": "b"}), "keys": [{}]}
        assert problems(lambda: apply_seed(read_seed(both), store)) == [
            "the store holds the user alice already"
        ]
        assert store.one("SELECT count(*) FROM keys") == (0,)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ({"created_at": "2026-07-02"}, "keys[0] has a created_at in the future"),
        ({"spec": "SM2", "usage": "SIGN_VERIFY"}, "keys[0]: KMS refuses CreateKey: UnsupportedOperationException: KeySpec SM2 is not supported in this Region"),
        ({"tags": {"aws:x": "y"}}, "keys[0]: KMS refuses CreateKey: TagException: Tags beginning with aws: are reserved"),
        ({"aliases": ["a b"]}, "keys[0]: KMS refuses CreateAlias: ValidationException: "),
        ({"spec": "HMAC_256", "rotation": {"period": 90}}, "keys[0]: KMS refuses EnableKeyRotation: UnsupportedOperationException"),
        ({"spec": "HMAC_256", "rotation": {"on_demand": 1}}, "keys[0]: KMS refuses RotateKeyOnDemand: UnsupportedOperationException"),
        ({"grants": [{"operations": ["Decrypt"]}]}, "keys[0].grants[0]: KMS refuses CreateGrant: ValidationException: You must specify either GranteePrincipal"),
        ({"grants": [{"operations": ["Decrypt"], "grantee_principal": "x", "created_at": "2027-01-01"}]}, "keys[0].grants[0] has a created_at in the future"),
        ({"materials": [{}, {"rotated_at": "2027-01-01"}]}, "keys[0].materials[1] has a rotated_at in the future"),
        ({"origin": "EXTERNAL", "materials": [{"valid_to": "2028-01-01"}]}, "keys[0].materials[0] has a valid_to more than 365 days ahead"),
        ({"origin": "EXTERNAL", "replicas": ["eu-west-1"]}, "keys[0].replicas[0]: KMS refuses ReplicateKey: KMSInvalidStateException: "),
        ({"replicas": ["cn-north-1"]}, "keys[0].replicas[0]: KMS refuses ReplicateKey: ValidationException: "),
        ({"state": "PendingDeletion", "deletion_date": "2026-06-30"}, "keys[0] has a deletion_date in the past: the key would be gone"),
        ({"state": "PendingDeletion", "deletion_date": "2026-07-20", "deletion_window": 8}, "keys[0] has a deletion_date more than 8 days ahead"),
        ({"policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Sid": "x" * 33_000}]}}, "keys[0]: KMS refuses CreateKey: LimitExceededException: "),
    ],
)  # fmt: skip
def test_what_kms_refuses_leaves_the_store_as_it_was(key: dict[str, Any], problem: str) -> None:
    other = {"created_at": "2027-01-01"}
    found = _refused(key, other)
    assert found[0].startswith(problem)
    assert found[-1] == "keys[1] has a created_at in the future"


def test_a_deletion_date_that_no_window_reaches() -> None:
    key = {"state": "PendingDeletion", "deletion_date": "2026-09-01"}
    assert _refused(key)[0].startswith("keys[0]: KMS refuses ScheduleKeyDeletion: ValidationException")


def test_what_is_there_already_is_named_and_nothing_changes() -> None:
    with empty_store() as store:
        apply_seed(read_seed(SEEDS / "accounts.yaml"), store)
        before = store.rows("SELECT * FROM keys ORDER BY row")
        found = problems(lambda: apply_seed(read_seed(SEEDS / "accounts.yaml"), store))
        taken = [each.partition(": the store holds ")[2] for each in found]
        assert f"the key {ID.format(1)} of account 111122223333 in eu-west-1 already" in taken
        assert f"the key {_MRK} of account 111122223333 in eu-west-1 already" in taken
        assert "alias/everywhere of account 111122223333 in eu-central-1 already" in taken
        assert f"the grant {'1' * 64} already" in taken
        assert store.rows("SELECT * FROM keys ORDER BY row") == before
        replica = {"id": _MRK, "region": "ap-south-1"}
        assert problems(lambda: apply_seed(read_seed({"keys": [replica]}), store)) == [
            f"the store holds the key {_MRK} of account 111122223333 in eu-west-1 already"
        ]


def test_a_check_changes_nothing() -> None:
    with empty_store() as store:
        check_seed(read_seed(SEEDS / "accounts.yaml"), store)
        assert store.one("SELECT count(*) FROM keys") == (0,)
        with pytest.raises(SeedError):
            check_seed(read_seed({"keys": [{"created_at": "2027-01-01"}]}), store)


def test_a_store_that_is_kept_takes_fixed_material_only_when_asked(tmp_path: Path) -> None:
    seed = read_seed({"keys": [{}, {"fixed_material": {"hex": "11" * 32}}]})
    with open_store(tmp_path / "store.db") as store:
        assert problems(lambda: apply_seed(seed, store)) == [
            f"keys[1] has fixed key material, and the store {store.path} is kept"
        ]
        assert store.one("SELECT count(*) FROM keys") == (0,)
        apply_seed(seed, store, allow_fixed=True)
        assert store_info(store).fixed == 1
        assert list(find_problems(store)) == []


def test_the_ids_that_a_seed_does_not_give_are_those_of_the_store() -> None:
    with empty_store() as store, empty_store() as other:
        for each in (store, other):
            apply_seed(read_seed({"keys": [{}, {"multi_region": True}]}), each)
        assert store.rows("SELECT key_id FROM keys") == other.rows("SELECT key_id FROM keys")


def test_a_key_goes_on_living_in_its_store() -> None:
    with _made({"keys": [{"id": ID.format(1), "aliases": "a"}]}) as store:
        kms = client(store)
        kms.call("RotateKeyOnDemand", {"KeyId": ID.format(1)})
        kms.call("DisableKey", {"KeyId": ID.format(1)})
        with pytest.raises(ServiceError, match="DisabledException"):
            kms.call("Encrypt", {"KeyId": "alias/a", "Plaintext": b"x"})
