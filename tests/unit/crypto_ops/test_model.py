"""The scratchpad's tables: what is offered, within which limits, in which settings, and as what."""

from __future__ import annotations

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.service_model import service_model
from kms_tui.crypto_ops.check import OverLimit, limit_of
from kms_tui.crypto_ops.request import SETTINGS, active_settings, algorithms_of
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, OperationName, next_for, offered
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Key, KeyUsage
from kms_tui.kms.operations import CRYPTOGRAPHIC, READING
from tests.unit.crypto_ops.conftest import chosen

_PAIRS = [(spec.name, usage) for spec in KEY_SPECS.values() for usage in spec.usages]


def key_of(spec: str, usage: str, algorithms: tuple[str, ...] = ()) -> Key:
    shape = {"KeyId": "k", "KeySpec": spec, "KeyUsage": usage, "SigningAlgorithms": algorithms}
    return Key.from_api(shape)


def test_every_operation_is_one_that_a_read_only_session_may_make() -> None:
    assert {operation.api for operation in OPERATIONS.values()} <= CRYPTOGRAPHIC | READING


def test_every_cryptographic_operation_of_kms_is_on_the_scratchpad() -> None:
    assert {operation.api for operation in OPERATIONS.values()} >= CRYPTOGRAPHIC
    assert set(service_model()["operations"]) >= CRYPTOGRAPHIC


@pytest.mark.parametrize(("spec", "usage"), _PAIRS)
def test_every_kind_of_key_offers_something_with_a_default_algorithm(spec: str, usage: KeyUsage) -> None:
    key = key_of(spec, usage)
    operations = [operation for operation in offered(key) if operation.name is not OperationName.RANDOM]
    assert operations
    for operation in operations:
        ready = {entry.setting.name: entry.value for entry in active_settings(operation, {}, key, key)}
        if "algorithm" in operation.settings:
            assert ready["algorithm"] == KEY_SPECS[spec].algorithms[usage][0]


def test_an_unknown_spec_is_offered_what_its_usage_allows() -> None:
    titles = [operation.title for operation in offered(key_of("SLH_DSA", "SIGN_VERIFY"))]
    assert titles == ["Sign", "Verify", "Verify offline", "Public key", "Random bytes"]
    assert [operation.title for operation in offered(key_of("X", "NEW_USAGE"))] == [
        "Public key",
        "Random bytes",
    ]


def test_algorithms_are_the_keys_own_the_best_first() -> None:
    listed = ("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PSS_SHA_256", "RSASSA_NEW")
    assert algorithms_of(key_of("RSA_2048", "SIGN_VERIFY", listed)) == (
        "RSASSA_PSS_SHA_256",
        "RSASSA_PKCS1_V1_5_SHA_256",
        "RSASSA_NEW",
    )
    assert algorithms_of(key_of("X", "NEW_USAGE", ("A",))) == ("A",)


def test_a_setting_that_no_longer_fits_falls_back_to_the_default() -> None:
    rsa, ecc = key_of("RSA_2048", "SIGN_VERIFY"), key_of("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    sign = OPERATIONS[OperationName.SIGN]
    values = {"algorithm": "RSASSA_PKCS1_V1_5_SHA_512", "message_type": "DIGEST"}
    assert [entry.value for entry in active_settings(sign, values, rsa, None)] == list(values.values())
    assert [entry.value for entry in active_settings(sign, values, ecc, None)] == ["ED25519_SHA_512", "RAW"]


def test_the_number_of_bytes_is_asked_only_where_it_plays_a_part() -> None:
    data_key = OPERATIONS[OperationName.DATA_KEY]
    assert [entry.setting.name for entry in active_settings(data_key, {}, None, None)] == ["data_key_spec"]
    values = {"data_key_spec": "NumberOfBytes"}
    ready = active_settings(data_key, values, None, None)
    assert [(entry.setting.name, entry.value) for entry in ready][1] == ("number_of_bytes", "64")
    assert SETTINGS["number_of_bytes"].label == "Bytes"


def test_key_pair_specs_are_those_of_the_service_model() -> None:
    ready = active_settings(OPERATIONS[OperationName.KEY_PAIR], {}, None, None)
    assert {choice.value for choice in ready[0].choices} == set(
        service_model()["shapes"]["DataKeyPairSpec"]["enum"]
    )


@pytest.mark.parametrize(
    ("name", "spec", "usage", "settings", "most", "over"),
    [
        (OperationName.ENCRYPT, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", {}, 4096, OverLimit.ENVELOPE),
        (
            OperationName.ENCRYPT,
            "RSA_4096",
            "ENCRYPT_DECRYPT",
            {"algorithm": "RSAES_OAEP_SHA_1"},
            470,
            OverLimit.REFUSED,
        ),
        (OperationName.DECRYPT, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", {}, 6144, OverLimit.ENVELOPE),
        (OperationName.SIGN, "RSA_2048", "SIGN_VERIFY", {}, 4096, OverLimit.DIGEST),
        (OperationName.SIGN, "ML_DSA_65", "SIGN_VERIFY", {}, 4096, OverLimit.DIGEST),
        (OperationName.SIGN, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY", {}, 4096, OverLimit.REFUSED),
        (
            OperationName.SIGN,
            "ML_DSA_65",
            "SIGN_VERIFY",
            {"message_type": "EXTERNAL_MU"},
            64,
            OverLimit.REFUSED,
        ),
        (
            OperationName.SIGN,
            "ECC_NIST_P384",
            "SIGN_VERIFY",
            {"message_type": "DIGEST"},
            48,
            OverLimit.REFUSED,
        ),
        (OperationName.GENERATE_MAC, "HMAC_256", "GENERATE_VERIFY_MAC", {}, 4096, OverLimit.REFUSED),
    ],
)
def test_limits(
    name: OperationName, spec: str, usage: str, settings: dict[str, str], most: int, over: OverLimit
) -> None:
    key, operation = key_of(spec, usage), OPERATIONS[name]
    ready = {entry.setting.name: entry.value for entry in active_settings(operation, settings, key, None)}
    limit = limit_of(operation, key, ready)
    assert limit is not None
    assert (limit.most, limit.over) == (most, over)
    assert bool(limit.why) == (over is OverLimit.REFUSED)


def test_there_is_no_limit_where_there_is_no_input_or_no_key() -> None:
    assert limit_of(OPERATIONS[OperationName.RANDOM], None, {}) is None
    assert limit_of(OPERATIONS[OperationName.ENCRYPT], None, {}) is None


def test_an_output_goes_to_an_operation_that_has_its_role() -> None:
    for output in ("Ciphertext", "Plaintext", "Signature", "MAC", "Encrypted secret", "PEM", "Data key"):
        following = next_for(output)
        assert following is not None
        assert following.role in OPERATIONS[following.operation].roles
    assert next_for("PKCS #1") is None


def test_a_key_serves_another_region_only_as_one_multi_region_key(kms: Kms) -> None:
    orders, shared = chosen(kms, "orders-db"), chosen(kms, "global-config")
    assert shared.serves_in(shared)
    assert not orders.serves_in(orders)
    assert not shared.serves_in(chosen(kms, "global-sessions"))
