"""What the console can send, against botocore's model of KMS: operation by operation, member by member.

Read from the sources, without running the console. An operation counts as sent where the console's own rooms
call the façade with its name; a member, where such a call names it, or where a function that builds the
members of the call (``BUILT``) has its name. It proves that the code which sends a member is there, not that
a person finds it: the tests of the screens do that. What is left out has its reason below, so that an
operation or a member that is new in botocore fails here until somebody decides about it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import kms_tui
from kms_tui import creation
from kms_tui.backend.wrappers import grant_tokens
from kms_tui.crypto_ops import calls
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS
from kms_tui.evidence import account_grants, dry_runs
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Key
from kms_tui.ui.actions import grant_actions, import_actions, key_store_forms, region_actions
from tests.contract.shapes import service_model

ROOT = Path(kms_tui.__file__).parent
ROOMS = ("ui", "signing", "evidence", "inventory", "crypto_ops", "backend/kms_facade.py", "creation.py")
"""The sources from which the console calls KMS."""

Function = Callable[..., Any]

BUILT: Mapping[str, tuple[Function, ...]] = {
    "CreateKey": (creation.create_params,),
    "CreateGrant": (grant_actions.grant_params,),
    "ReplicateKey": (region_actions._replicate,),
    "ImportKeyMaterial": (import_actions.import_material,),
    "ListRetirableGrants": (account_grants.retirable_grants,),
    "CreateCustomKeyStore": (key_store_forms.create_params, key_store_forms._proxy_params),
    "UpdateCustomKeyStore": (
        key_store_forms.changed_params,
        key_store_forms._proxy_params,
        key_store_forms._changed_credential,
    ),
}
"""Operation -> the functions that build its members, for calls that spread them."""

OPERATIONS_LEFT_OUT = {"ListKeyPolicies": "A key has one policy, whose name is default."}

_TRIED_BY_NOBODY = "It would need what only the key has made."
_NO_ENCLAVE = "A terminal is no enclave: what KMS answers for an attestation document nobody could open here."
_ONE_LIST = "All are listed, and filtered here."
EVERYWHERE_LEFT_OUT = {"Recipient": _NO_ENCLAVE}
"""Member -> why no operation sends it."""

MEMBERS_LEFT_OUT: Mapping[tuple[str, str], str] = {
    ("CreateGrant", "GrantTokens"): "Who may grant by a grant a moment old can wait for five minutes.",
    ("DescribeKey", "GrantTokens"): "The list reads keys by what their policies and older grants allow.",
    ("CreateKey", "CustomerMasterKeySpec"): "Deprecated: KeySpec says the same.",
    ("CreateKey", "BypassPolicyLockoutSafetyCheck"): "A new key's policy never needs it.",
    ("ReplicateKey", "BypassPolicyLockoutSafetyCheck"): "A replica's first policy is its primary's.",
    ("Verify", "DryRun"): _TRIED_BY_NOBODY,
    ("VerifyMac", "DryRun"): _TRIED_BY_NOBODY,
    ("Decapsulate", "DryRun"): _TRIED_BY_NOBODY,
    ("DeriveSharedSecret", "DryRun"): "It would need another's public key on the key's curve.",
    ("CreateGrant", "DryRun"): "The simulation says who may create a grant; KMS's refusal changes nothing.",
    ("RetireGrant", "DryRun"): "It is asked for one grant, and a refusal changes nothing.",
    ("RevokeGrant", "DryRun"): "It is asked for one grant, and a refusal changes nothing.",
    ("RetireGrant", "GrantToken"): "A grant on the list is named by its key's ARN and its id.",
    (
        "GenerateRandom",
        "CustomKeyStoreId",
    ): "Random bytes of a cluster are for programs that must tell their source.",
    ("DescribeCustomKeyStores", "CustomKeyStoreId"): _ONE_LIST,
    ("DescribeCustomKeyStores", "CustomKeyStoreName"): _ONE_LIST,
    ("ListGrants", "GrantId"): _ONE_LIST,
    ("ListGrants", "GranteePrincipal"): _ONE_LIST,
    ("ListGrants", "GranteeServicePrincipal"): _ONE_LIST,
    ("ImportKeyMaterial", "KeyMaterialId"): "KMS tells which material it is by its bytes.",
    ("DeleteImportedKeyMaterial", "KeyMaterialId"): (
        "Without it the current key material is deleted, which is what the question is about."
    ),
}
"""(Operation, member) -> why it is not sent."""


def _trees() -> Iterator[ast.Module]:
    for room in ROOMS:
        path = ROOT / room
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield ast.parse(file.read_text())


def _words(node: ast.AST) -> set[str]:
    """Every string and every name of an argument in a piece of source."""
    found = {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    return found | {each.arg for each in ast.walk(node) if isinstance(each, ast.keyword) and each.arg}


def _source(function: Function) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def _called(function: ast.AST) -> Iterator[tuple[set[str], set[str]]]:
    """(operations, members) of each call of the façade in a function.

    Where the operation is a variable, those that the function names.
    """
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if node.func.attr not in ("call", "pages", "_all"):
            continue
        first = node.args[0]
        names = _words(first) if isinstance(first, ast.Constant) else _words(function)
        members = {each.arg for each in node.keywords if each.arg}
        if node.func.attr != "call":
            members |= {"Limit", "Marker"}
        yield names & set(service_model().operation_names), members


def _tokens(operation: str) -> set[str]:
    """What is added to the uses of keys on the scratchpad and of "May I…"."""
    return {grant_tokens.MEMBER} if grant_tokens.takes_grant_tokens(operation) else set()


def _of_scratchpad() -> Iterator[tuple[str, set[str]]]:
    """Operation -> members that the functions of the scratchpad's table build, with those that they call."""
    module = ast.parse(Path(str(calls.__file__)).read_text())
    functions = {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}

    def words(node: ast.AST) -> set[str]:
        inner = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in functions}
        return _words(node).union(*(words(functions[name]) for name in inner))

    for name, operation in OPERATIONS.items():
        build = calls._MEMBERS[name].__name__
        built = words(functions[build]) if build in functions else {"KeyId"}
        yield operation.api, built | _tokens(operation.api)


def _of_dry_runs() -> Iterator[tuple[str, set[str]]]:
    """Operation -> members that "May I…" sends for some key."""
    for spec_name, spec in KEY_SPECS.items():
        for usage in spec.algorithms:
            key = Key.from_api({"KeyId": "k", "Arn": "a", "KeySpec": spec_name, "KeyUsage": usage})
            for operation in dry_runs.operations_for(key):
                yield operation, {"DryRun", "KeyId"} | _tokens(operation)
                yield operation, {*dry_runs._MEMBERS[operation](key, {"a": "b"})}


@cache
def reach() -> Mapping[str, set[str]]:
    """Operation -> the members that the console can send."""
    found: dict[str, set[str]] = defaultdict(set)
    for tree in _trees():
        functions = [
            node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        for function in functions:
            for operations, members in _called(function):
                for operation in operations:
                    found[operation] |= members
    for operation, members in [*_of_scratchpad(), *_of_dry_runs()]:
        found[operation] |= members
    for operation, builders in BUILT.items():
        found[operation] |= set[str]().union(*(_words(_source(builder)) for builder in builders))
    return found


def members_of(operation: str) -> set[str]:
    """The members of an operation in botocore's model."""
    shape = service_model().operation_model(operation).input_shape
    return set(shape.members) if shape is not None else set()


def unexplained(operation: str, members: set[str]) -> set[str]:
    """What of an operation with these members can neither be sent nor has a reason; its name if all of it."""
    if operation not in reach():
        return set() if operation in OPERATIONS_LEFT_OUT else {operation}
    excused = {member for named, member in MEMBERS_LEFT_OUT if named == operation}
    return members - reach()[operation] - excused - set(EVERYWHERE_LEFT_OUT)


@pytest.mark.parametrize("operation", sorted(service_model().operation_names))
def test_every_operation_and_member_can_be_sent_or_has_a_reason(operation: str) -> None:
    assert unexplained(operation, members_of(operation)) == set()


def test_a_new_operation_and_a_new_member_are_noticed() -> None:
    assert unexplained("DisableKey", {"KeyId", "Moment"}) == {"Moment"}
    assert unexplained("GenerateRandom", {"NumberOfBytes", "KeyId"}) == {"KeyId"}
    assert unexplained("ForgetKey", {"KeyId"}) == {"ForgetKey"}


def test_what_can_be_sent_needs_no_reason() -> None:
    assert not set(OPERATIONS_LEFT_OUT) & set(reach())
    assert [pair for pair in MEMBERS_LEFT_OUT if pair[1] in reach()[pair[0]]] == []
    assert [
        member for member in EVERYWHERE_LEFT_OUT if any(member in sent for sent in reach().values())
    ] == []


def test_every_reason_is_about_what_the_model_has() -> None:
    assert set(OPERATIONS_LEFT_OUT) <= set(service_model().operation_names)
    assert [pair for pair in MEMBERS_LEFT_OUT if pair[1] not in members_of(pair[0])] == []
    everywhere = {member for operation in service_model().operation_names for member in members_of(operation)}
    assert set(EVERYWHERE_LEFT_OUT) <= everywhere
    for reason in (*OPERATIONS_LEFT_OUT.values(), *MEMBERS_LEFT_OUT.values(), *EVERYWHERE_LEFT_OUT.values()):
        assert reason.endswith(".")


def test_a_member_that_nobody_sends_is_noticed() -> None:
    """The search is no mere grep: names of other operations' members do not count."""
    assert "CustomKeyStoreId" not in reach()["GenerateRandom"]
    assert "DryRun" not in reach()["Verify"]
    assert "KeySpec" not in reach()["GenerateDataKeyPair"]
    assert reach()["DisableKey"] == {"KeyId"}
