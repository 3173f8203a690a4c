"""The files of a tree, without what lies outside of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kms_tui.reencryption.file_tree import files_of


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for name in ("b", "a", "sub/c", ".git/config", "sub/.svn/x", ".hidden"):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tree


def test_files_come_in_order_and_once(tree: Path) -> None:
    found = list(files_of([tree, tree / "a", tree / "sub"]))
    assert [str(file.path.relative_to(tree)) for file in found] == [".hidden", "a", "b", "sub/c"]
    assert [str(file.place) for file in found] == [".hidden", "a", "b", "sub/c"]
    assert not any(file.is_named for file in found)


def test_links_are_not_followed(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (tree / "link").symlink_to(outside / "file")
    (tree / "folder-link").symlink_to(outside)
    (tree / "round").symlink_to(tree)
    os.mkfifo(tree / "pipe")
    assert {file.path.name for file in files_of([tree])} == {".hidden", "a", "b", "c"}


def test_a_file_that_is_named_is_taken_by_its_name(tree: Path) -> None:
    (file,) = files_of([tree / "sub" / "c"])
    assert (file.is_named, file.place) == (True, Path("c"))
    (missing,) = files_of([tree / "none"])
    assert missing.is_named


def test_leftovers_of_a_killed_run_belong_to_their_file(tree: Path) -> None:
    left = [tree / ".a.0123456789ab.part", tree / ".a.ffffffffffff.part"]
    for path in left:
        path.touch()
    (tree / ".a.part").touch()
    found = {file.path.name: file for file in files_of([tree])}
    assert set(found["a"].leftovers) == set(left)
    assert found["b"].leftovers == ()
    assert ".a.part" in found
    assert not {path.name for path in left} & set(found)


def test_the_folder_of_the_results_is_left_out(tree: Path) -> None:
    assert {file.path.name for file in files_of([tree], left_out=tree / "sub")} == {".hidden", "a", "b"}


def test_a_folder_that_cannot_be_read_is_said(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "sub":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("kms_tui.reencryption.file_tree.os.scandir", refuse)
    found = list(files_of([tree]))
    assert [str(file.error) for file in found if file.error] == [
        f"{tree / 'sub'} could not be read: Permission denied."
    ]
    assert len(found) == 4
