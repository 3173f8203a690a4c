"""Account policies in a store: callers are judged by them, at once, and as an explanation reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend, Store, open_default, open_store
from kms_tui.backend.local.account_policies.account_file import NamedFile, read_account
from kms_tui.backend.local.store.store_maintenance import back_up, store_info
from kms_tui.backend.local.store.store_verification import find_problems
from kms_tui.backend.local.store.stored_account import account_counts, account_rows, replace_account
from kms_tui.denials.layer_reading import read_layers
from kms_tui.kms.errors import ServiceError, StoreError
from kms_tui.policy import parse
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.layers import UNLIMITED, Layer, Layers, NamedPolicy, UnreadLayer, read_policy
from kms_tui.policy.principals import Caller
from tests.account_samples import (
    ACCOUNT,
    DECRYPT,
    ENDPOINT,
    LIMITS,
    OTHER_ACCOUNT,
    POWER_USER,
    ROLE,
    SESSION,
    USER,
    Json,
    allow,
    deny,
    iam,
    policy,
    whole,
)
from tests.contract.client import KmsClient
from tests.unit.local.conftest import REGION

_NOBODY = f"arn:aws:iam::{ACCOUNT}:role/nobody"
_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
_PARTNER = f"arn:aws:iam::{OTHER_ACCOUNT}:role/importer"
Clients = Callable[..., KmsClient]


def put(store: Store, *files: Json) -> None:
    replace_account(store, read_account([NamedFile("x", each) for each in files]))


def clause(client: KmsClient, operation: str, **params: Any) -> str:
    """Why a call is refused, from "because" or "with" on."""
    message = client.refused(operation, "AccessDeniedException", **params).message
    return message[min(found for word in (" because ", " with ") if (found := message.find(word)) > 0) + 1 :]


@pytest.fixture
def key_id(kms: KmsClient) -> str:
    return kms.key()


@pytest.fixture
def held(store: Store) -> Store:
    put(store, whole())
    return store


def test_a_role_has_its_policies_and_what_limits_its_account(
    client: Clients, key_id: str, held: Store
) -> None:
    for caller in (ROLE, SESSION):
        app = client(caller_arn=caller)
        app("Encrypt", KeyId=key_id, Plaintext=b"x")
        app.describe(key_id)
        assert clause(app, "Sign", KeyId=key_id, Message=b"x", SigningAlgorithm="ECDSA_SHA_256") == (
            "because no identity-based policy allows the kms:Sign action"
        )
        assert clause(app, "ScheduleKeyDeletion", KeyId=key_id) == (
            "with an explicit deny in a service control policy"
        )


def test_a_user_has_the_policies_of_its_groups_within_its_boundary(
    client: Clients, key_id: str, held: Store
) -> None:
    jane = client(caller_arn=USER)
    blob = jane("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert clause(jane, "Decrypt", CiphertextBlob=blob, KeyId=key_id) == (
        "because no permissions boundary allows the kms:Decrypt action"
    )
    assert clause(jane, "ListKeys") == "because no identity-based policy allows the kms:ListKeys action"


def test_the_policies_of_a_keys_account_keep_others_out(client: Clients, kms: KmsClient, held: Store) -> None:
    text = json.dumps(
        policy(allow("kms:*", Principal={"AWS": _ROOT}), allow("kms:*", Principal={"AWS": _PARTNER}))
    )
    key_arn = kms.arn(kms.key(Policy=text))
    partner = client(
        caller_arn=_PARTNER, iam_policies=(parse(json.dumps(policy(allow("*"))), identity=True),)
    )
    assert clause(partner, "Encrypt", KeyId=key_arn, Plaintext=b"x") == (
        "with an explicit deny in a resource control policy"
    )
    assert partner("ListKeys")["Keys"] == [], "which is of its own account, without an organization"
    put(held, iam())
    partner("Encrypt", KeyId=key_arn, Plaintext=b"x")


def test_the_root_user_is_within_the_scps_and_the_administrator_is_not(
    client: Clients, kms: KmsClient, key_id: str, held: Store
) -> None:
    root = client(caller_arn=_ROOT)
    root("Encrypt", KeyId=key_id, Plaintext=b"x")
    assert clause(root, "ScheduleKeyDeletion", KeyId=key_id) == (
        "with an explicit deny in a service control policy"
    )
    kms("ScheduleKeyDeletion", KeyId=key_id)


def test_an_endpoint_is_one_that_the_caller_comes_through(client: Clients, key_id: str, held: Store) -> None:
    through = client(caller_arn=ROLE, endpoint=ENDPOINT)
    assert clause(through, "Encrypt", KeyId=key_id, Plaintext=b"x") == (
        "because no VPC endpoint policy allows the kms:Encrypt action"
    )
    client(caller_arn=ROLE, endpoint="vpce-0ffffffffffffffff")("Encrypt", KeyId=key_id, Plaintext=b"x")


def test_a_key_policy_sees_the_endpoint_and_the_path_of_a_sessions_role(
    client: Clients, kms: KmsClient, held: Store
) -> None:
    only = {"StringEquals": {"aws:SourceVpce": ENDPOINT, "aws:PrincipalArn": ROLE}}
    text = json.dumps(
        policy(
            allow("kms:PutKeyPolicy", Principal={"AWS": _ROOT}),
            allow("kms:Decrypt", "kms:GetKeyPolicy", Principal={"AWS": _ROOT}, Condition=only),
        )
    )
    key_id = kms.key(Policy=text, BypassPolicyLockoutSafetyCheck=True)
    put(held, whole() | {"VpcEndpoints": [{"VpcEndpointId": ENDPOINT}]})
    policies = (parse(json.dumps(policy(allow("kms:*"))), identity=True),)
    client(caller_arn=SESSION, endpoint=ENDPOINT, iam_policies=policies)("GetKeyPolicy", KeyId=key_id)
    for caller in (
        client(caller_arn=SESSION, iam_policies=policies),
        client(caller_arn=SESSION.replace("/app/", "/api/"), endpoint=ENDPOINT, iam_policies=policies),
    ):
        caller.refused("GetKeyPolicy", "AccessDeniedException", KeyId=key_id)


def test_one_of_whom_nothing_is_held_has_no_policies_and_no_limits(
    client: Clients, kms: KmsClient, held: Store
) -> None:
    admits = json.dumps(
        policy(allow("kms:*", Principal={"AWS": _ROOT}), allow("kms:Encrypt", Principal={"AWS": _NOBODY}))
    )
    key_id = kms.key(Policy=admits)
    nobody = client(caller_arn=_NOBODY)
    nobody("Encrypt", KeyId=key_id, Plaintext=b"x")
    assert clause(nobody, "DescribeKey", KeyId=key_id) == (
        "because no identity-based policy allows the kms:DescribeKey action"
    )
    elsewhere = client(caller_arn=_PARTNER)
    assert clause(elsewhere, "ListKeys") == "because no identity-based policy allows the kms:ListKeys action"


def test_what_is_given_takes_the_place_of_a_layer_and_the_others_stay(
    client: Clients, key_id: str, held: Store
) -> None:
    everything = parse(json.dumps(policy(allow("kms:*"))), identity=True)
    jane = client(caller_arn=USER, iam_policies=(everything,))
    assert clause(jane, "DescribeKey", KeyId=key_id) == (
        "because no permissions boundary allows the kms:DescribeKey action"
    )
    free = client(caller_arn=USER, iam_policies=(everything,), limits=UNLIMITED)
    free("ScheduleKeyDeletion", KeyId=key_id)
    session = read_policy(Layer.SESSION, "given", json.dumps(policy(allow("kms:List*"))))
    limited = LocalBackend(held, account_id=ACCOUNT, region=REGION, caller_arn=USER)
    assert limited.caller_layers("").session == ()
    given = Layers(session=(session,))
    assert clause(client(caller_arn=USER, limits=given), "Encrypt", KeyId=key_id, Plaintext=b"x") == (
        "because no session policy allows the kms:Encrypt action"
    )


def test_a_federated_user_has_what_is_given_and_nothing_of_the_store(
    client: Clients, key_id: str, held: Store
) -> None:
    federated = client(caller_arn=f"arn:aws:sts::{ACCOUNT}:federated-user/jane")
    assert clause(federated, "DescribeKey", KeyId=key_id).startswith("because no ")


@pytest.mark.parametrize("caller", [ROLE, SESSION, USER, _ROOT, "s3.amazonaws.com"])
@pytest.mark.parametrize("action", ["kms:Encrypt", "kms:Decrypt", "kms:ScheduleKeyDeletion", "kms:ListKeys"])
def test_a_caller_is_judged_by_what_an_explanation_reads_of_it(
    client: Clients, kms: KmsClient, key_id: str, held: Store, caller: str, action: str
) -> None:
    administrator, own = kms.backend.inner, client(caller_arn=caller, endpoint=ENDPOINT).backend.inner
    assert isinstance(administrator, LocalBackend)
    assert isinstance(own, LocalBackend)
    request = AccessRequest(
        Caller.parse(caller), action, kms.arn(key_id), {"aws:SourceVpce": ENDPOINT}, complete=True
    )
    told = read_layers(Kms(administrator), administrator.services, request).layers
    enforced = own.caller_layers("")
    for layer in Layer:
        if layer not in (Layer.KEY_POLICY, Layer.GRANT):
            assert _texts(told.levels(layer)) == _texts(enforced.levels(layer)), layer
    through_its_own = read_layers(Kms(own), own.services, request).layers
    assert _texts(through_its_own.levels(Layer.SCP)) == _texts(told.levels(Layer.SCP))


def _texts(levels: tuple[tuple[NamedPolicy, ...], ...] | UnreadLayer) -> list[list[tuple[str, str]]]:
    assert not isinstance(levels, UnreadLayer), levels
    return [[(each.name, each.document.text) for each in level] for level in levels]


def test_of_one_who_is_not_there_an_explanation_knows_no_policies(
    kms: KmsClient, key_id: str, held: Store
) -> None:
    backend = kms.backend.inner
    assert isinstance(backend, LocalBackend)

    def identity_of(caller: str) -> Any:
        request = AccessRequest(Caller.parse(caller), "kms:Encrypt", kms.arn(key_id), complete=True)
        return read_layers(Kms(backend), backend.services, request).layers.identity

    assert identity_of(_NOBODY) == UnreadLayer(f"account {ACCOUNT} has no role nobody")
    assert identity_of(_PARTNER) == UnreadLayer(
        f"the caller is of account {OTHER_ACCOUNT}, and this connection reads the IAM of {ACCOUNT}"
    )
    replace_account(held, [])
    assert isinstance(identity_of(ROLE), UnreadLayer)
    assert "holds no account policies" in identity_of(ROLE).reason


def test_services_are_offered_while_the_store_holds_something(store: Store, backend: LocalBackend) -> None:
    services = backend.services
    assert [services.offers(name) for name in ("cloudtrail", "iam", "organizations", "ec2", "s3")] == [
        True, False, False, False, False,
    ]  # fmt: skip
    put(store, whole())
    assert [services.offers(name) for name in ("cloudtrail", "iam", "organizations", "ec2", "s3")] == [
        True, True, True, True, False,
    ]  # fmt: skip


# On disk: other processes, old stores, damage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., LocalBackend]]:
    backends = []

    def open_it(**options: Any) -> LocalBackend:
        backends.append(open_default(path, account_id=ACCOUNT, region=REGION, **options))
        return backends[-1]

    yield open_it
    for backend in backends:
        backend.store.close()


def test_a_change_by_another_process_counts_for_the_next_call(opened: Callable[..., LocalBackend]) -> None:
    administrator, app = opened(), KmsClient(opened(caller_arn=ROLE))
    key_id = administrator.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    assert "identity-based" in clause(app, "DescribeKey", KeyId=key_id)
    put(administrator.store, whole())
    app.describe(key_id)
    changed = whole()
    changed["Targets"][2]["ServiceControlPolicies"] = [
        {"Name": "NoDescribe", "Content": policy(deny("kms:DescribeKey"))}
    ]
    put(administrator.store, changed)
    assert "service control policy" in clause(app, "DescribeKey", KeyId=key_id)
    replace_account(administrator.store, [])
    assert "identity-based" in clause(app, "DescribeKey", KeyId=key_id)
    put(administrator.store, whole())
    app.describe(key_id)


@pytest.mark.parametrize("files", [(), (whole(),)])
def test_account_policies_cost_a_call_no_query(
    opened: Callable[..., LocalBackend], files: tuple[Json, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(caller_arn=SESSION)
    put(app.store, *files)
    asked: list[str] = []
    one = app.store.one

    def counted(sql: str, *parameters: Any) -> Any:
        asked.append(sql)
        return one(sql, *parameters)

    monkeypatch.setattr(app.store, "one", counted)
    for _ in range(3):
        with pytest.raises(ServiceError, match="AccessDenied"):
            app.call("GenerateRandom", {"NumberOfBytes": 1})
    assert len([sql for sql in asked if "max(row)" in sql]) <= 2
    asked.clear()
    for _ in range(3):
        with pytest.raises(ServiceError, match="AccessDenied"):
            app.call("GenerateRandom", {"NumberOfBytes": 1})
    assert [sql for sql in asked if "account_policies" in sql] == []


def test_a_store_is_backed_up_and_told_with_its_account_policies(
    opened: Callable[..., LocalBackend], path: Path, tmp_path: Path
) -> None:
    store = opened().store
    assert store_info(store).account_policies == {}
    put(store, whole())
    counts = {"user": 1, "group": 1, "role": 1, "policy": 3, "organization": 1, "target": 3, "endpoint": 1}
    assert store_info(store).account_policies == counts
    assert list(find_problems(store)) == []
    back_up(store, tmp_path / "copy.db")
    with open_store(tmp_path / "copy.db") as copy:
        assert account_rows(copy) == account_rows(store)
        assert account_counts(copy) == counts


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "UPDATE account_policies SET content = '{' WHERE kind = 'role'",
            "The role app in the store cannot be read",
        ),
        (
            "UPDATE account_policies SET content = '[]' WHERE kind = 'role'",
            "The role app in the store is none",
        ),
        (
            "UPDATE account_policies SET content = '{}' WHERE kind = 'role'",
            "RoleDetailList[0]: Arn is missing",
        ),
        ("UPDATE account_policies SET kind = 'rule' WHERE kind = 'role'", "a rule, which no account has"),
        (
            f"DELETE FROM account_policies WHERE name = '{DECRYPT}'",
            f"the attached policy {DECRYPT} is not in",
        ),
        (
            "DELETE FROM account_policies WHERE kind = 'target' AND name LIKE 'r-%'",
            "the parent r-ab12 is not in",
        ),
        (
            "UPDATE account_policies SET name = 'api' WHERE kind = 'role'",
            "the role api is kept under another",
        ),
    ],
)
def test_damage_is_found_and_lets_nobody_in(opened: Callable[..., LocalBackend], sql: str, said: str) -> None:
    administrator = opened()
    put(administrator.store, whole())
    key_id = administrator.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    with administrator.store.write() as db:
        db.execute(sql)
    assert any(said in problem.sentence for problem in find_problems(administrator.store))
    app = opened(caller_arn=ROLE)
    # A role under another name or kind is none: nothing allows it.
    with pytest.raises((StoreError, ServiceError)):
        app.call("Encrypt", {"KeyId": key_id, "Plaintext": b"x"})


def test_a_call_of_which_something_cannot_be_read_is_named_with_the_next_step(
    opened: Callable[..., LocalBackend],
) -> None:
    administrator = opened()
    put(administrator.store, whole())
    with administrator.store.write() as db:
        db.execute(f"DELETE FROM account_policies WHERE name = '{LIMITS}'")
    with pytest.raises(
        StoreError, match=r"The account policies of .*/jane in the store cannot be read: iam Get"
    ) as caught:
        opened(caller_arn=USER).call("ListKeys", {})
    assert "store verify" in caught.value.next_step


def test_another_program_may_replace_them_while_they_are_read(
    opened: Callable[..., LocalBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reading finds a policy gone that the role still had: it is read again, whole."""
    administrator, app = opened(), opened(caller_arn=ROLE)
    put(administrator.store, whole())
    key_id = administrator.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    one = app.store.one
    begun: list[str] = []

    def meanwhile(sql: str, parameters: Any = ()) -> Any:
        if POWER_USER in parameters and not begun:
            begun.append(sql)
            changed = whole()
            changed["RoleDetailList"][0]["AttachedManagedPolicies"] = [{"PolicyArn": DECRYPT}]
            del changed["Policies"][0]
            put(administrator.store, changed)
        return one(sql, parameters)

    monkeypatch.setattr(app.store, "one", meanwhile)
    with pytest.raises(ServiceError, match="no identity-based policy allows the kms:DescribeKey action"):
        app.call("DescribeKey", {"KeyId": key_id})
    assert begun
    app.call("Encrypt", {"KeyId": key_id, "Plaintext": b"x"})
