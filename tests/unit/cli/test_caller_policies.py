"""``--as`` with the policies of every layer: the offline KMS refuses in AWS's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_tui.cli.connection import open_backend
from kms_tui.denials.layer_files import LayerFiles
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.session import BackendKind, Connection

APP = "arn:aws:sts::111122223333:assumed-role/app/job"
_ALLOW = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
_S3 = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
_DENY = {"Effect": "Deny", "Action": "kms:ListKeys", "Resource": "*"}
_EVERYONE = {"Principal": "*"}


def _file(folder: Path, name: str, *statements: Any) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    return path


def _refusal(files: LayerFiles) -> str:
    backend = open_backend(Connection(BackendKind.DEMO, caller_arn=APP, layer_files=files))
    with pytest.raises(ServiceError) as caught:
        backend.call("ListKeys", {})
    assert caught.value.code == "AccessDeniedException"
    return caught.value.message.partition(" on resource: * ")[2]


@pytest.mark.parametrize(
    ("layer", "statement", "words"),
    [
        ("identity", _S3, "because no identity-based policy allows the kms:ListKeys action"),
        ("identity", _DENY, "with an explicit deny in an identity-based policy"),
        ("boundary", _S3, "because no permissions boundary allows the kms:ListKeys action"),
        ("boundary", _DENY, "with an explicit deny in a permissions boundary"),
        ("session", _S3, "because no session policy allows the kms:ListKeys action"),
        ("session", _DENY, "with an explicit deny in a session policy"),
        ("scps", _S3, "because no service control policy allows the kms:ListKeys action"),
        ("scps", _DENY, "with an explicit deny in a service control policy"),
        ("endpoint", _S3 | _EVERYONE, "because no VPC endpoint policy allows the kms:ListKeys action"),
        ("endpoint", _DENY | _EVERYONE, "with an explicit deny in a VPC endpoint policy"),
    ],
)
def test_each_layer_refuses_in_aws_own_words(
    tmp_path: Path, layer: str, statement: dict[str, Any], words: str
) -> None:
    members: dict[str, Any] = {"identity": (_file(tmp_path, "iam", _ALLOW),)}
    members[layer] = (*members.get(layer, ()), _file(tmp_path, "layer", statement))
    if layer == "identity" and statement is _S3:
        members[layer] = members[layer][1:]
    assert _refusal(LayerFiles(**members)) == words


def test_a_resource_control_policy_refuses_the_use_of_a_key(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    owner = open_backend(Connection(BackendKind.LOCAL, store=store))
    arn = owner.call("CreateKey", {})["KeyMetadata"]["Arn"]
    files = LayerFiles(
        identity=(_file(tmp_path, "iam", _ALLOW),),
        rcps=(_file(tmp_path, "rcp", {**_DENY, **_EVERYONE, "Action": "kms:Encrypt"}),),
    )
    app = open_backend(Connection(BackendKind.LOCAL, store=store, caller_arn=APP, layer_files=files))
    assert app.call("DescribeKey", {"KeyId": arn})["KeyMetadata"]["Arn"] == arn
    with pytest.raises(ServiceError, match="with an explicit deny in a resource control policy"):
        app.call("Encrypt", {"KeyId": arn, "Plaintext": b"x"})


def test_every_scp_file_is_a_level_and_one_that_only_denies_has_the_full_access_besides(
    tmp_path: Path,
) -> None:
    deny_others = {**_DENY, "Action": "kms:CreateKey"}
    files = LayerFiles(
        identity=(_file(tmp_path, "iam", _ALLOW),),
        scps=(_file(tmp_path, "root", deny_others), _file(tmp_path, "account", _ALLOW)),
    )
    backend = open_backend(Connection(BackendKind.DEMO, caller_arn=APP, layer_files=files))
    backend.call("ListKeys", {})
    with pytest.raises(ServiceError, match="service control policy"):
        backend.call("CreateKey", {})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1, column"),
        (b'{"Statement":\n[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}', "line 2, column"),
        (b'{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}', "principal"),
        (b"\xff\xfe", "is no identity-based policy"),
        (b"[" * 100_000, "line 1, column"),
        (b'{"Version": "\\ud800"}', "is no identity-based policy"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_policy_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(content)
    connection = Connection(BackendKind.DEMO, caller_arn=APP, layer_files=LayerFiles(identity=(path,)))
    with pytest.raises(KmsTuiError, match=words) as caught:
        open_backend(connection)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        files = LayerFiles(boundary=(path,))
        with pytest.raises(KmsTuiError, match="could not be read") as caught:
            open_backend(Connection(BackendKind.DEMO, caller_arn=APP, layer_files=files))
        assert str(path) in str(caught.value)
