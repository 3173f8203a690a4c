"""Seeding files of local-kms, in both forms, as they are."""

from __future__ import annotations

import pytest

from kms_tui.kms.model import KeyState
from kms_tui.seed.seed_application import apply_seed
from kms_tui.seed.seed_reading import read_seed
from tests.unit.seed.seeds import SEEDS, client, empty_store, problems

_ID = "2234abcd-12ab-34cd-56ef-00000000000{}"


def test_the_keys_of_a_file() -> None:
    seed = read_seed(SEEDS / "local-kms.yaml")
    rotated, imported, waiting, due, hmac, ecc, rsa = seed.keys
    assert (seed.account, seed.region) == ("111122223333", "eu-west-2")
    assert rotated.primary.aliases == ("alias/testing",)
    assert [each.fixed for each in rotated.materials] == [bytes(range(32)), b"\x11" * 32]
    assert (imported.primary.state, waiting.primary.state) == (KeyState.ENABLED, KeyState.PENDING_IMPORT)
    assert due.rotation is not None
    assert due.rotation.period == 365
    assert [key.spec for key in (hmac, ecc, rsa)] == ["HMAC_224", "ECC_NIST_P256", "RSA_2048"]
    assert ecc.usage == "SIGN_VERIFY"
    assert [note.rpartition("/")[2] for note in seed.notes] == [
        "local-kms.yaml, line 20: Keys.Symmetric.Aes[3].Metadata.CreationDate is not read."
    ]


def test_the_keys_work() -> None:
    with empty_store() as store:
        apply_seed(read_seed(SEEDS / "local-kms.yaml"), store)
        kms = client(store, "eu-west-2")
        sealed = kms.call("Encrypt", {"KeyId": "alias/testing", "Plaintext": b"hello"})
        assert kms.call("Decrypt", {"CiphertextBlob": sealed["CiphertextBlob"]})["Plaintext"] == b"hello"
        rotations = kms.call("ListKeyRotations", {"KeyId": _ID.format(4)})["Rotations"]
        assert [each["RotationDate"].isoformat() for each in rotations] == ["2026-02-12T15:19:21+00:00"]
        message = {"Message": b"hello", "SigningAlgorithm": "ECDSA_SHA_256", "KeyId": _ID.format(6)}
        signature = kms.call("Sign", message)["Signature"]
        assert kms.call("Verify", {**message, "Signature": signature})["SignatureValid"]


def test_the_second_form() -> None:
    aes, edwards = read_seed(SEEDS / "local-kms-2.yaml").keys
    assert aes.materials[0].fixed == bytes(range(32))
    assert (edwards.spec, edwards.primary.aliases) == ("ECC_NIST_EDWARDS25519", ("alias/signing",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Keys: 1", ["line 1: Keys is no object"]),
        ("Keys: {Symmetric: {Aes: 1}}", ["line 1: Keys.Symmetric.Aes is no list"]),
        ("Keys: {Symetric: }", ["line 1: Keys.Symetric is no kind of keys; did you mean Symmetric?"]),
        ("Keys: {Symmetric: {Rsa: []}}", ["line 1: Keys.Symmetric.Rsa is no kind of keys"]),
        ("Keys: {Symmetric: {Aes: [{}]}}", ["line 1: Keys.Symmetric.Aes[0] lacks the member BackingKeys"]),
        ("Keys: [7]\nVersion: 3", ["line 2: Version is not known: local-kms has 1 and 2", "line 1: Keys[0] is no object"]),
        (
            "Keys:\n  Symmetric:\n    Aes:\n    - Metadata: {KeyId: 0xf39f}\n      BackingKeys: [zz, 00]",
            ['line 4: Keys.Symmetric.Aes[0].Metadata.KeyId is "0xf39f", expected a UUID, or mrk- and 32 hexadecimal digits, in lower case'],
        ),
        (
            "Keys:\n  Symmetric:\n    Aes:\n    - BackingKeys: [zz, 00]",
            [
                "line 4: Keys.Symmetric.Aes[0].BackingKeys[0] is no even number of hexadecimal digits",
                "line 4: Keys.Symmetric.Aes[0].BackingKeys[1] has 1 bytes, and a key of SYMMETRIC_DEFAULT has 32",
            ],
        ),
        (
            "Keys:\n  Asymmetric:\n    Ecc:\n    - PrivateKeyHex: ac09\n    - PrivateKeyPem: x\n    - PrivateKeyPem: 5",
            [
                "line 4: Keys.Asymmetric.Ecc[0].PrivateKeyHex is not read: write PrivateKeyPem",
                "line 4: Keys.Asymmetric.Ecc[0] lacks the member PrivateKeyPem",
                "line 5: Keys.Asymmetric.Ecc[1].PrivateKeyPem is no PEM: it does not begin with -----BEGIN",
                "line 6: Keys.Asymmetric.Ecc[2].PrivateKeyPem is no text in PEM",
            ],
        ),
        ("Aliases: [{AliasName: alias/x, TargetKeyId: y}, {}]", [
            "line 1: Aliases[0].TargetKeyId names no key of this file",
            "line 1: Aliases[1] lacks the member AliasName or TargetKeyId, or one of them is no text",
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_words_of_the_file(text: str, expected: list[str]) -> None:
    assert problems(lambda: read_seed(text)) == expected


def test_what_is_left_out_is_told() -> None:
    text = """
Extra: 1
Keys:
- KeyId: 2234abcd-12ab-34cd-56ef-000000000001
  Policy: x
  Metadata: {Arn: y, Enabled: false}
  Material: {BackingKeys: ["%s"], Salt: 1}
""" % ("00" * 32)
    seed = read_seed(text)
    assert seed.keys[0].primary.state is KeyState.DISABLED
    assert seed.notes == (
        "the seed, line 2: Extra is not read.",
        "the seed, line 7: Keys[0].Material.Salt is not read.",
        "the seed, line 5: Keys[0].Policy is not read.",
        "the seed, line 6: Keys[0].Metadata.Arn is not read.",
    )
