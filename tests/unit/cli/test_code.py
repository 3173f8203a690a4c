"""``kms-tui code``: which keys, which files, what is said, and the exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend
from kms_tui.session import Connection
from tests.as_code_account import account
from tests.unit.cli.conftest import Ended, Run

_REGIONS = ("--regions", "eu-west-1,us-east-1,eu-central-1")
Code = Callable[..., Ended]


@pytest.fixture
def code(run: Run, monkeypatch: pytest.MonkeyPatch) -> Code:
    """``kms-tui code`` on the account with every kind of key."""
    backend = account().backend

    def open_account(connection: Connection) -> LocalBackend:
        return backend.in_region(connection.region or "eu-west-1")

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_account)
    return lambda *arguments: run("code", *arguments)


def test_keys_are_named_by_id_arn_or_alias(code: Code) -> None:
    arn = "arn:aws:kms:us-east-1:111122223333:key/mrk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    ended = code("alias/rsa", "1234abcd-12ab-34cd-56ef-000000000008", arn)
    text = ended.out.decode()
    assert (ended.code, ended.err) == (0, "")
    assert [line for line in text.splitlines() if line.startswith("resource")] == [
        'resource "aws_kms_key" "rsa" {',
        'resource "aws_kms_alias" "rsa" {',
        'resource "aws_kms_key" "mac" {',
        'resource "aws_kms_alias" "mac" {',
        'resource "aws_kms_replica_key" "key_aaaaaaaa" {',
    ]


def test_a_filter_chooses_keys_and_grants_can_be_left_out(code: Code) -> None:
    with_grants = code("--filter", "tag:team=payments name:orders", *_REGIONS)
    assert with_grants.out.decode().count('resource "aws_kms_grant"') == 4
    without = code("--filter", "tag:team=payments name:orders", "--no-grants", *_REGIONS)
    assert (without.code, without.err) == (0, "")
    assert without.out.decode().count("resource ") == 4


def test_all_keys_are_written_and_those_left_out_are_said(code: Code) -> None:
    ended = code("--all", *_REGIONS)
    assert ended.code == 0
    assert ended.out.decode().count("import {") == 43
    assert [line.partition(" is left out: ")[2][:20] for line in ended.err.splitlines()[:3]] == [
        "it is scheduled for ",
        "it is an AWS managed",
        "it has the grantee p",
    ]


def test_a_key_that_cannot_be_read_leaves_the_others_and_a_sentence(code: Code) -> None:
    ended = code("alias/none-such", "alias/rsa")
    assert ended.code == 2
    assert "alias/none-such could not be read: NotFoundException" in ended.err
    assert 'resource "aws_kms_key" "rsa"' in ended.out.decode()


def test_nothing_to_write_is_a_failure(code: Code) -> None:
    ended = code("alias/going")
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err.splitlines()[-1] == "No key is left to write."


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("terraform", ["kms_keys.tf"]),
        ("cloudformation", ["kms-keys.yaml", "resources-to-import.json"]),
        ("cdk", ["app.py", "kms-keys-eu-west-1.mapping.json"]),
    ],
)
def test_files_are_written_into_a_directory_once(
    code: Code, tmp_path: Path, form: str, files: list[str]
) -> None:
    arguments = ("alias/rsa", "--format", form, "-o", "new/folder")
    assert code(*arguments).code == 0
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == files
    again = code(*arguments)
    assert again.code == 2
    assert again.err.splitlines()[-1] == "Choose another name, or add --overwrite."
    assert code(*arguments, "--overwrite").code == 0


def test_what_standard_output_has_no_room_for_is_said(code: Code) -> None:
    ended = code("alias/rsa", "--format", "cloudformation")
    assert ended.out.startswith(b"# Keys of account 111122223333 in eu-west-1")
    assert ended.err == "There is more: -o DIR also writes resources-to-import.json.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "name keys, or give one of --filter and --all"),
        (("alias/rsa", "--all"), "name keys, or give one of --filter and --all"),
        (("--all", "--format", "cdk", "--policy-documents"), "--policy-documents is for --format terraform"),
        (("--all", "--format", "cdk", "--provider-version", "6.0"), "--provider-version is for --format ter"),
        (("--all", "--provider-version", "six"), "'six' is not a version such as 5.100"),
        (("--all", "--overwrite"), "--overwrite is for files in a directory: name one with -o"),
        (("--filter", "stat:on"), "the filter 'stat:on'"),
        (("alias/rsa", "-o", "file"), "'file' is a file: name a directory"),
    ],
)
def test_bad_usage(code: Code, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    (tmp_path / "file").write_text("")
    ended = code(*arguments)
    assert (ended.code, ended.out) == (2, b"")
    assert sentence in ended.err


def test_a_file_that_exists_keeps_the_others_from_being_written(code: Code, tmp_path: Path) -> None:
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "resources-to-import.json").write_text("mine")
    ended = code("alias/rsa", "--format", "cloudformation", "-o", "stack")
    assert ended.code == 2
    assert [path.name for path in (tmp_path / "stack").iterdir()] == ["resources-to-import.json"]
