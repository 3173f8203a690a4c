"""What a seed means: shape, keys, and everything that is wrong at once, with its line."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kms_tui.backend.local.store.sources import to_millis
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyState, KeyUsage
from kms_tui.seed.seed_model import SeedMaterial, SeedRotation
from kms_tui.seed.seed_reading import read_seed
from kms_tui.seed.seed_shape import schema_text
from tests.unit.seed.seeds import ID, NOW, SEEDS, problems

_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
}


def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_text())
    return found


def test_the_schema_is_one_and_knows_the_key_specs_and_usages() -> None:
    schema = _schema()
    Draft202012Validator.check_schema(schema)
    key = schema["$defs"]["key"]["properties"]
    assert key["spec"]["enum"] == list(KEY_SPECS)
    assert key["usage"]["enum"] == [str(usage) for usage in KeyUsage]


def test_every_part_of_the_schema_says_what_it_expects() -> None:
    def parts(schema: Any) -> Any:
        if isinstance(schema, dict) and isinstance(schema.get("type"), (str, list)):
            yield schema
        inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
        for each in inner:
            yield from parts(each)

    for part in parts(_schema()):
        assert part.get("description"), part


def test_what_a_seed_does_not_place_is_where_it_is_asked_for() -> None:
    members = {"keys": [{}, {"account": "000011112222", "region": "us-west-2"}]}
    seed = read_seed(members, account="444455556666", region="eu-west-3")
    assert (seed.account, seed.region) == ("444455556666", "eu-west-3")
    places = [(key.account, key.primary.region) for key in seed.keys]
    assert places == [("444455556666", "eu-west-3"), ("000011112222", "us-west-2")]
    named = read_seed({"account": "000011112222", "region": "us-west-2"}, account="444455556666", region="x")
    assert (named.account, named.region) == ("000011112222", "us-west-2")


def test_a_seed_of_two_accounts() -> None:
    seed = read_seed(SEEDS / "accounts.yaml")
    orders, fixtures, signing, everywhere, vault, waiting, leaving, managed, elsewhere = seed.keys
    assert (seed.account, seed.region) == ("111122223333", "eu-west-1")
    assert orders.primary.aliases == ("alias/orders", "alias/orders/v2")
    assert orders.primary.policy == (SEEDS / "app-policy.json").read_text()
    assert orders.primary.tags == (("team", "payments"), ("environment", "test"))
    assert orders.rotation == SeedRotation(90)
    assert orders.materials == (SeedMaterial(), SeedMaterial(rotation="ON_DEMAND"))
    assert orders.primary.grants[0].created_at == orders.primary.created_at + (24 + 10) * 3_600_000  # type: ignore[operator]
    assert fixtures.materials[0].fixed == bytes.fromhex(
        "5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9"
    )
    assert (signing.spec, signing.usage) == ("RSA_2048", "SIGN_VERIFY")
    assert everywhere.multi_region
    assert [part.region for part in everywhere.in_regions] == ["eu-west-1", "us-east-1", "eu-central-1"]
    assert everywhere.replicas[1].state is KeyState.DISABLED
    assert vault.primary.state is KeyState.ENABLED
    assert waiting.primary.state is KeyState.PENDING_IMPORT
    assert leaving.usage == "GENERATE_VERIFY_MAC"
    assert managed.aws_managed == "s3"
    assert (elsewhere.account, elsewhere.primary.region) == ("000011112222", "us-gov-west-1")
    assert [place.rpartition(": ")[2] for place in seed.fixed] == ["keys[1]", "keys[2]", "keys[4]"]


def test_yaml_json_toml_and_python_mean_the_same() -> None:
    members = {
        "region": "eu-west-1",
        "keys": [{"id": ID.format(1), "aliases": ["a"], "created_at": "2026-07-01T09:30:00Z"}],
    }
    toml = f'region = "eu-west-1"\n[[keys]]\nid = "{ID.format(1)}"\naliases = ["a"]\ncreated_at = 2026-07-01T09:30:00Z\n'
    seeds = [
        read_seed(members),
        read_seed(json.dumps(members)),
        read_seed(toml, name="s.toml"),
        read_seed(
            f"region: eu-west-1\nkeys:\n- {{id: {ID.format(1)}, aliases: a, created_at: 2026-07-01 09:30:00}}\n"
        ),
    ]
    assert [seed.keys for seed in seeds] == [seeds[0].keys] * 4
    assert seeds[0].keys[0].primary.created_at == to_millis(NOW)


def test_nothing_is_a_seed_of_nothing() -> None:
    assert read_seed("").keys == read_seed("keys: []").keys == read_seed({}).keys == ()


def test_everything_that_is_wrong_with_the_shape_at_once() -> None:
    text = """\
accont: 1
keys:
  - id: ABC
    spec: RSA_1024
    polcy: {}
    tags: {port: 8080}
    deletion_window: 3
    fixed_material: {hex: 5, base64: QUJD}
    grants: [{name: x}]
    replicas: [{state: Disabled}, 5]
  - 7
"""
    assert problems(lambda: read_seed(text)) == [
        "line 1: accont is no member of a seed; did you mean account?",
        'line 3: keys[0].id is "ABC", expected a UUID, or mrk- and 32 hexadecimal digits, in lower case',
        f'line 4: keys[0].spec is "RSA_1024", expected one of {", ".join(KEY_SPECS)}; did you mean RSA_3072?',
        "line 5: keys[0].polcy is no member of a key; did you mean policy?",
        "line 6: keys[0].tags.port is the number 8080, expected a text of at most 256 characters, in quotes where it is a number",
        "line 7: keys[0].deletion_window is the number 3, expected a whole number of days from 7 to 30",
        "line 8: keys[0].fixed_material is an object, expected key material that everyone who has the seed knows, as one of hex, base64, pem or file",
        "line 8: keys[0].fixed_material.hex is not as it should be, expected hexadecimal digits",
        "line 9: keys[0].grants[0] lacks the member operations",
        "line 10: keys[0].replicas[0] lacks the member region",
        "line 10: keys[0].replicas[1] is the number 5, expected a Region, or what a replica has there",
        "line 11: keys[1] is the number 7, expected a key",
    ]


def test_a_line_end_after_an_id_is_no_part_of_it() -> None:
    text = f"keys:\n- id: |\n    {ID.format(1)}\n"
    assert problems(lambda: read_seed(text))[0].startswith("line 2: keys[0].id is ")


def test_a_seed_that_is_no_object() -> None:
    assert problems(lambda: read_seed("[]")) == [
        "the seed is an empty list, expected an object of keys, principals and account policies"
    ]
    assert problems(lambda: read_seed("keys"))[0].startswith('the seed is "keys", expected an object')


def _wrong(key: dict[str, Any], *others: dict[str, Any]) -> list[str]:
    """What is wrong with a key, without its place at the beginning."""
    found = problems(lambda: read_seed({"keys": [key, *others]}))
    return [each.removeprefix("keys[0]").lstrip(".").strip() for each in found]


_ROOM = {"Version": "2012-10-17", "Statement": [_POLICY["Statement"][0], {"Effect": "Perhaps"}]}


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ({"spec": "RSA_2048"}, "lacks the member usage: a key of RSA_2048 has one of ENCRYPT_DECRYPT, SIGN_VERIFY"),
        ({"spec": "HMAC_256", "usage": "SIGN_VERIFY"}, "usage is SIGN_VERIFY, and a key of HMAC_256 has GENERATE_VERIFY_MAC"),
        ({"region": "xx-moon-1"}, "region is xx-moon-1, and no partition of AWS has a Region of that name"),
        ({"id": ID.format(1), "multi_region": True}, f"id is {ID.format(1)}, and a multi-Region key has one that begins with mrk-"),
        ({"id": "mrk-" + "0" * 32, "multi_region": False}, f"id is mrk-{'0' * 32}, and mrk- is of multi-Region keys"),
        ({"replicas": ["eu-west-1"], "multi_region": False}, "replicas are of a key that says multi_region: false"),
        ({"replicas": ["us-east-1"]}, "replicas[0] is in us-east-1, where the key has another already"),
        ({"state": "PendingImport"}, "state is PendingImport, which only a key of origin EXTERNAL can be in"),
        ({"deletion_window": 8}, "deletion_window is of a key whose state is Enabled, and no deletion state"),
        ({"state": "PendingReplicaDeletion"}, "state is PendingReplicaDeletion, and a key without replicas is PendingDeletion"),
        ({"state": "PendingDeletion", "replicas": ["eu-west-1"]}, "state is PendingDeletion, and a key with replicas is PendingReplicaDeletion"),
        ({"aliases": "aws/s3"}, "aliases has alias/aws/s3, which AWS keeps to itself: write aws_managed for its key"),
        ({"aws_managed": "lamda"}, "aws_managed is lamda, which has no AWS managed key here; did you mean lambda?"),
        ({"aws_managed": "s3", "tags": {"a": "b"}}, "tags is not for an AWS managed key, which is as AWS makes it"),
        ({"created_at": "2026-02-30"}, "created_at is 2026-02-30, which no calendar has: day is out of range for month"),
        ({"policy": _ROOM}, 'policy.Statement[1] is no sound policy: Effect must be exactly "Allow" or "Deny"'),
        ({"policy": '{"Statement": []'}, "policy is no sound policy: line 1, column 17 of its text: "),
        ({"policy": {"file": "none.json"}}, "policy.file names a file that is not to be had: none.json cannot be found: this seed is of no file, so it can name none"),
        ({"grants": [{"operations": ["Encrpt"]}]}, "grants[0].operations[0] is Encrpt, which no grant on a key of SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT allows; did you mean Encrypt?"),
        ({"rotation": {}}, "rotation is empty: expected period, on_demand or both"),
        ({"rotation": {"next_at": "2026-01-01"}}, "rotation.next_at needs a period"),
        ({"fixed_material": {"hex": "00" * 32}, "materials": [{}]}, "fixed_material is there beside materials: one of them says all"),
        ({"rotation": {"on_demand": 1}, "materials": [{}, {}]}, "rotation.on_demand is there beside several materials, which say when they came"),
        ({"materials": [{"rotated_at": "2026-01-01"}]}, "materials[0] came with a rotation, and the first key material of a key comes with none"),
        ({"materials": [{"fixed": {"hex": "11" * 32}}, {"fixed": {"hex": "11" * 32}}]}, "materials[1] has the bytes of materials[0]"),
        ({"materials": [{"id": "0" * 64}, {}, {"id": "0" * 64}]}, "materials[2] has the id of materials[0]"),
        ({"materials": [{"valid_to": "2026-08-01"}]}, "materials[0].valid_to is of imported key material, which a key of origin AWS_KMS has not"),
        ({"origin": "EXTERNAL", "materials": [{"id": "0" * 64}]}, "materials[0].id cannot be given to imported key material: its id follows from its bytes"),
        ({"origin": "EXTERNAL", "spec": "HMAC_256", "materials": [{}, {}]}, "materials[1] has what only imported material of SYMMETRIC_DEFAULT has: a successor, a description"),
    ],
)  # fmt: skip
def test_a_key_whose_members_do_not_go_together(key: dict[str, Any], problem: str) -> None:
    assert _wrong(key)[0].startswith(problem)


def test_two_keys_with_one_id_alias_or_grant_id() -> None:
    grant = {"id": "0" * 64, "operations": ["Decrypt"], "grantee_principal": "arn:aws:iam::111122223333:root"}
    key = {"id": ID.format(1), "aliases": ["a", "a"], "grants": [grant]}
    other_region = {**key, "region": "eu-west-1"}
    assert problems(lambda: read_seed({"keys": [key, key, other_region]})) == [
        "keys[0] has the alias alias/a, which is that of keys[0]",
        f"keys[1] has the id {ID.format(1)}, which is that of keys[0]",
        "keys[1] has the alias alias/a, which is that of keys[0]",
        "keys[1] has the alias alias/a, which is that of keys[0]",
        f"keys[1].grants[0] has the grant id {'0' * 64}, which is that of keys[0].grants[0]",
        f"keys[2] has the id {ID.format(1)}, which is that of keys[0]",
        "keys[2] has the alias alias/a, which is that of keys[2]",
        f"keys[2].grants[0] has the grant id {'0' * 64}, which is that of keys[0].grants[0]",
    ]


def test_a_policy_may_lie_beside_the_seed(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps(_POLICY))
    (tmp_path / "bad.json").write_bytes(b"\xff")
    seed = tmp_path / "s.yaml"
    seed.write_text("keys:\n- policy: {file: p.json}\n")
    assert read_seed(seed).keys[0].primary.policy == json.dumps(_POLICY)
    seed.write_text("keys:\n- policy: {file: bad.json}\n- policy: {file: none}\n- policy: {file: [1]}\n")
    found = [each.removeprefix(f"{seed}, ") for each in problems(lambda: read_seed(seed))]
    assert found == [
        "line 2: keys[0].policy.file names a file that is no text: byte 1 cannot be read",
        "line 3: keys[1].policy.file names a file that is not to be had: none could not be read: No such file or directory",
        "line 4: keys[2].policy.file is no path of a file",
    ]


def test_no_problem_quotes_a_secret() -> None:
    key = {"fixed_material": {"hex": "hush"}}
    principal = {"access_key_id": "AKIA", "secret_access_key": "hush hush"}
    for seed in ({"keys": [key]}, {"principals": [principal]}, {"keys": [{"fixed_material": "hush"}]}):
        assert not any("hush" in each for each in problems(partial(read_seed, seed)))
