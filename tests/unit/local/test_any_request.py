"""Whatever is asked, the answer is one of KMS's: a response, or an error with a code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.local_backend import OPERATIONS
from kms_tui.backend.local.store.seeded_material import SeededMaterial
from kms_tui.backend.local.store.sources import SeededIds
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import parse
from tests.contract.shapes import operation_model, problems
from tests.unit.local.conftest import ACCOUNT, REGION

_ADA = f"arn:aws:iam::{ACCOUNT}:user/ada"
_ALLOWED = (
    parse(
        '{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*", '
        '"Condition": {"StringNotEquals": {"kms:RequestAlias": "alias/b"}}}}',
        identity=True,
    ),
)
_SPECS: tuple[dict[str, Any], ...] = (
    {},
    {"MultiRegion": True},
    {"Origin": "EXTERNAL"},
    {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
    {"KeySpec": "ECC_NIST_P384", "KeyUsage": "KEY_AGREEMENT"},
    {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"},
    {"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY"},
    {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
    {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
)


@pytest.fixture(scope="module")
def populated() -> Iterator[tuple[list[LocalBackend], list[str]]]:
    """An account with keys of many kinds, as its callers see it, and ways to name the keys."""
    with open_store(ids=SeededIds("any"), material=SeededMaterial("any")) as store:
        backend = LocalBackend(store, account_id=ACCOUNT, region=REGION)
        ids = [backend.call("CreateKey", spec)["KeyMetadata"]["KeyId"] for spec in _SPECS]
        backend.call("CreateAlias", {"AliasName": "alias/a", "TargetKeyId": ids[0]})
        arns = [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}" for key_id in ids]
        callers = [
            backend,
            LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=_ADA),
            LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=_ADA, iam_policies=_ALLOWED),
        ]
        yield callers, [*ids, *arns, "alias/a", "alias/aws/s3", "alias/none", "arn:aws:kms:x", "nonsense"]


def _values(shape: Any, references: list[str]) -> st.SearchStrategy[Any]:
    enum = shape.metadata.get("enum")
    if shape.name == "KeyIdType":
        return st.sampled_from(references)
    if enum:
        return st.sampled_from([*enum, "NONSENSE"])
    if shape.type_name == "structure":
        return st.fixed_dictionaries({}, optional=_members(shape, references))
    if shape.type_name == "list":
        return st.lists(_values(shape.member, references), max_size=3)
    if shape.type_name == "map":
        return st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
    plain: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(["", "default", "alias/b", "us-east-1", "é", "\ud800", "x" * 300])
        | st.text(max_size=8),
        "blob": st.binary(max_size=70) | st.sampled_from([bytes(32), bytes(64), bytes(1088), bytes(5000)]),
        "integer": st.sampled_from([-1, 0, 1, 7, 30, 90, 365, 10**9]),
        "boolean": st.booleans(),
        "timestamp": st.sampled_from([datetime(2026, 1, 1, tzinfo=UTC), 0, 10**20, "soon"]),
    }
    return plain[shape.type_name]


def _members(shape: Any, references: list[str]) -> dict[str, st.SearchStrategy[Any]]:
    return {name: _values(member, references) for name, member in shape.members.items()}


_COSTLY = {
    "CreateKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GetParametersForImport",
}
"""Operations that may make RSA keys, which takes its time."""


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_any_request_gets_an_answer_of_kms(
    populated: tuple[list[LocalBackend], list[str]], operation: str
) -> None:
    callers, references = populated
    model = operation_model(operation)
    shape: Any = model.input_shape
    members = _members(shape, references)
    required = {name: members.pop(name) for name in shape.required_members}
    requests = st.fixed_dictionaries(required, optional=members)

    @settings(deadline=None, max_examples=10 if operation in _COSTLY else 30, database=None)
    @given(st.sampled_from(callers), requests)
    def ask(backend: LocalBackend, params: dict[str, Any]) -> None:
        refusal: ServiceError | None = None
        answer: Any = {}
        try:
            answer = backend.call(operation, params)
        except ServiceError as error:
            refusal = error
        if refusal:
            assert refusal.code
            assert refusal.operation == operation
        elif model.output_shape is not None:
            assert list(problems(model.output_shape, answer, operation)) == []

    ask()
