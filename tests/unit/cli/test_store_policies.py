"""``kms-tui store policies``, and what the other commands make of what it puts into a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.local import open_default
from kms_tui.cli.connection import open_backend
from kms_tui.denials.layer_files import LayerFiles
from kms_tui.kms.errors import ServiceError
from kms_tui.session import BackendKind, Connection
from tests.account_samples import (
    ACCOUNT,
    ENDPOINT,
    LIMITS,
    ROLE,
    USER,
    Json,
    allow,
    endpoints,
    iam,
    organization,
    policy,
    whole,
)
from tests.unit.cli.conftest import Run


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one key."""
    monkeypatch.delenv("KMS_TUI_PASSPHRASE", raising=False)
    path = tmp_path / "store.db"
    backend = open_default(path)
    key_id = backend.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    backend.call("CreateAlias", {"AliasName": "alias/app", "TargetKeyId": key_id})
    backend.store.close()
    return path


@pytest.fixture
def connected(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands that open what their flags say."""
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    return run


def _file(folder: Path, name: str, content: Json) -> str:
    path = folder / name
    path.write_text(json.dumps(content))
    return str(path)


@pytest.fixture
def held(run: Run, path: Path, tmp_path: Path) -> Path:
    """The store, with account policies."""
    ended = run("store", "policies", "set", _file(tmp_path, "all.json", whole()), "--store", str(path))
    assert (ended.code, ended.err) == (0, "")
    return path


_ALL = "1 user, 1 group, 1 role, 3 policies, 1 organization, 3 targets, 1 endpoint"


def test_files_are_put_listed_and_removed(run: Run, path: Path, tmp_path: Path) -> None:
    store = ("--store", str(path))
    assert run("store", "policies", "list", *store).out.decode() == f"{path} holds no account policies.\n"
    files = [
        _file(tmp_path, "iam.json", iam()),
        _file(tmp_path, "organization.json", organization()),
        _file(tmp_path, "endpoints.json", endpoints()),
    ]
    ended = run("store", "policies", "set", *files, *store)
    assert (ended.code, ended.err, ended.out.decode()) == (0, "", f"{path} holds {_ALL} now.\n")
    lines = run("store", "policies", "list", *store).out.decode().splitlines()
    assert [line.split(maxsplit=2) for line in lines[:3]] == [
        ["user", USER, f"no policies; groups developers; boundary {LIMITS}"],
        ["group", f"arn:aws:iam::{ACCOUNT}:group/developers", "policies use (inline)"],
        ["role", ROLE, "policies AWSKeyManagementServicePowerUser, decrypt"],
    ]
    assert lines[-4].split(maxsplit=2) == [
        "target", "r-ab12", "SCPs FullAWSAccess; RCPs RCPFullAWSAccess",
    ]  # fmt: skip
    assert lines[-1].split() == ["endpoint", ENDPOINT]
    ended = run("store", "policies", "set", files[0], *store)
    assert ended.out.decode().splitlines() == [
        f"{path} holds 1 user, 1 group, 1 role, 3 policies now. They replace {_ALL}."
    ]
    assert "1 user, 1 group, 1 role, 3 policies" in run("store", "info", *store).out.decode()
    assert run("store", "verify", *store).code == 0
    ended = run("store", "policies", "clear", *store)
    assert ended.out.decode() == f"{path} held 1 user, 1 group, 1 role, 3 policies; it holds none now.\n"
    assert run("store", "policies", "clear", *store).out.decode() == f"{path} holds none.\n"


def test_what_is_listed_as_json_is_a_file(run: Run, held: Path) -> None:
    store = ("--store", str(held))
    listed = run("store", "policies", "list", *store, "--format", "json").out
    assert json.loads(listed)["RoleDetailList"][0]["Arn"] == ROLE
    run("store", "policies", "clear", *store)
    assert run("store", "policies", "set", "-", *store, stdin=listed).code == 0
    assert run("store", "policies", "list", *store, "--format", "json").out == listed
    run("store", "policies", "clear", *store)
    assert json.loads(run("store", "policies", "list", *store, "--format", "json").out) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "x.json is no JSON: line 1, column 2"),
        (b'{"RoleDetailList": [{"RoleName": "\x1b[2J"}]}', "is no JSON: line 1"),
        (b'{"RoleDetailList": [{"RoleName": "\\u001b[2J"}]}', "Arn is missing"),
        (json.dumps({**iam(), "Policies": []}).encode(), "is not in Policies. 2 more things are wrong."),
    ],
)
def test_nothing_is_put_where_anything_is_wrong(
    run: Run, held: Path, tmp_path: Path, content: bytes, said: str
) -> None:
    before = run("store", "policies", "list", "--store", str(held)).out
    wrong = tmp_path / "x.json"
    wrong.write_bytes(content)
    sound = _file(tmp_path, "endpoints.json", endpoints())
    ended = run("store", "policies", "set", sound, str(wrong), "--store", str(held))
    assert ended.code != 0
    assert said in ended.err
    assert "\x1b" not in ended.err
    assert "Traceback" not in ended.err
    assert run("store", "policies", "list", "--store", str(held)).out == before


def test_standard_input_is_read_for_one_file(run: Run, path: Path) -> None:
    ended = run("store", "policies", "set", "-", "-", "--store", str(path), stdin=b"{}")
    assert ended.code == 2
    assert "standard input can be read once only: give the other as a file" in ended.err


def test_files_and_stores_that_are_not_there(run: Run, path: Path, tmp_path: Path) -> None:
    ended = run("store", "policies", "set", str(tmp_path / "none.json"), "--store", str(path))
    assert ended.code != 0
    assert "none.json" in ended.err
    missing = tmp_path / "other.db"
    ended = run("store", "policies", "list", "--store", str(missing))
    assert ended.code != 0
    assert "There is no store" in ended.err
    assert not missing.exists()


def _refusal(connection: Connection, operation: str, **params: Any) -> str:
    backend = open_backend(connection)
    with pytest.raises(ServiceError) as caught:
        backend.call(operation, params)
    return caught.value.message


def test_a_caller_has_what_the_store_holds_and_a_file_wins(run: Run, held: Path, tmp_path: Path) -> None:
    allows = Path(_file(tmp_path, "allows.json", policy(allow("kms:*"))))
    jane = Connection(BackendKind.LOCAL, store=held, caller_arn=USER)
    assert "because no identity-based policy allows" in _refusal(jane, "ListAliases")
    given = Connection(
        BackendKind.LOCAL, store=held, caller_arn=USER, layer_files=LayerFiles(identity=(allows,))
    )
    assert "because no permissions boundary allows" in _refusal(given, "ListAliases")
    both = LayerFiles(identity=(allows,), boundary=(allows,))
    open_backend(Connection(BackendKind.LOCAL, store=held, caller_arn=USER, layer_files=both)).call(
        "ListAliases", {}
    )
    through = Connection(BackendKind.LOCAL, store=held, caller_arn=ROLE, caller_endpoint=ENDPOINT)
    assert "because no VPC endpoint policy allows" in _refusal(
        through, "Encrypt", KeyId="alias/app", Plaintext=b"x"
    )


def test_the_flags_choose_the_endpoint(connected: Run, held: Path) -> None:
    store = ("--store", str(held))
    listed = connected("list", *store, "--as", ROLE)
    assert listed.err == ""
    assert (listed.code, "app" in listed.out.decode()) == (0, True)
    assert "cannot describe" not in listed.out.decode()
    assert "cannot describe" in connected("list", *store, "--as", ROLE, "--vpce", ENDPOINT).out.decode()
    for flags in (store, ("--region", "eu-west-1"), ()):
        ended = connected("list", *flags, "--vpce", ENDPOINT)
        assert ended.code == 2
        assert "--as" in ended.err
    assert connected("serve", "--vpce", ENDPOINT).code == 2


def test_a_request_of_anybody_whom_the_store_knows_is_explained(connected: Run, held: Path) -> None:
    def explained(principal: str, *flags: str) -> Any:
        question = ("--principal", principal, "--action", "kms:Decrypt", "--key", "alias/app")
        ended = connected("explain", "--store", str(held), *question, *flags, "--format", "json")
        assert ended.err == ""
        return json.loads(ended.out)

    assert explained(ROLE)["outcome"] == "allow"
    denied = explained(USER)
    assert (denied["outcome"], denied["decisive"]["layer"]) == ("deny", "boundary")
    assert denied["decisive"]["source"] == LIMITS
    endpoint = json.dumps(explained(ROLE, "--vpce", ENDPOINT))
    assert ENDPOINT in endpoint
    unknown = explained(f"arn:aws:iam::{ACCOUNT}:role/nobody")
    assert unknown["outcome"] == "unknown"
    assert f"account {ACCOUNT} has no role nobody" in json.dumps(unknown)


def test_the_demo_has_account_policies_too() -> None:
    app = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/orders"
    reporting = app.replace("/app/", "/reporting/")
    open_backend(Connection(BackendKind.DEMO, caller_arn=app)).call("ListKeys", {})
    assert "because no identity-based policy allows" in _refusal(
        Connection(BackendKind.DEMO, caller_arn=reporting), "ListKeys"
    )
