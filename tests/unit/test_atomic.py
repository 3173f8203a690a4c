from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from kms_tui.atomic import (
    PRIVATE,
    SHARED,
    AlreadyThereError,
    FileError,
    NoRoomError,
    atomic_file,
    make_folder,
    remove_parts,
)


def write(target: Path, *, fail: BaseException, overwrite: bool = False) -> None:
    with atomic_file(target, overwrite=overwrite) as file:
        file.write(b"half")
        raise fail


def write_while_another_does(target: Path) -> None:
    with atomic_file(target) as file:
        file.write(b"ours")
        target.write_bytes(b"theirs")


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with atomic_file(target) as file:
        file.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_stays_of_a_block_that_fails(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write(tmp_path / "out", fail=error())
    assert names(tmp_path) == []


def test_a_failing_block_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with pytest.raises(ValueError, match="no"):
        write(target, fail=ValueError("no"), overwrite=True)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_an_existing_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with pytest.raises(AlreadyThereError), atomic_file(target):
        pytest.fail("the block must not be entered")
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_file_that_appeared_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    target = tmp_path / "out"
    if not hard_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse_hard_links)
    with pytest.raises(AlreadyThereError):
        write_while_another_does(target)
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["out"]


def refuse_hard_links(self: Path, target: Path) -> None:
    raise OSError(errno.EPERM, "hard links are not supported here")


def test_a_file_system_without_hard_links_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "hardlink_to", refuse_hard_links)
    with atomic_file(tmp_path / "out") as file:
        file.write(b"whole")
    assert (tmp_path / "out").read_bytes() == b"whole"
    assert names(tmp_path) == ["out"]


def test_overwriting_replaces_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with atomic_file(target, overwrite=True) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("before", "mode", "expected"),
    [
        (0o600, SHARED, 0o600),
        (0o640, SHARED, 0o640),
        (0o777, SHARED, 0o644),
        (0o444, SHARED, 0o444),
        (0o644, PRIVATE, 0o600),
    ],
)
def test_a_replaced_file_is_not_open_to_more_than_before(
    tmp_path: Path, before: int, mode: int, expected: int
) -> None:
    path, link = tmp_path / "out", tmp_path / "link"
    path.write_text("old")
    path.chmod(before)
    link.symlink_to(path)
    umask = os.umask(0o022)
    try:
        with atomic_file(link, overwrite=True, mode=mode) as file:
            file.write(b"new")
    finally:
        os.umask(umask)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", expected)


@pytest.mark.parametrize(
    ("before", "may_give", "expected"),
    [(0o640, True, 0o640), (0o640, False, 0o600), (0o664, False, 0o644), (0o644, False, 0o644)],
)
def test_a_replaced_file_is_no_other_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, may_give: bool, expected: int
) -> None:
    path, given = tmp_path / "out", list[int]()
    path.touch()
    path.chmod(before)
    real = Path.stat
    group = real(path).st_gid + 1

    def of_another_group(self: Path) -> os.stat_result:
        found = real(self)
        return os.stat_result((*found[:5], group, *found[6:10])) if self == path else found

    def give(_descriptor: int, _owner: int, to: int) -> None:
        if not may_give:
            raise PermissionError(errno.EPERM, "not one of the caller's groups")
        given.append(to)

    umask = os.umask(0)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "stat", of_another_group)
            patched.setattr(os, "fchown", give)
            with atomic_file(path, overwrite=True, mode=SHARED):
                pass
    finally:
        os.umask(umask)
    assert (given, stat.S_IMODE(path.stat().st_mode)) == ([group] if may_give else [], expected)


@pytest.mark.parametrize(("mode", "expected"), [(PRIVATE, 0o600), (SHARED, 0o640)])
def test_the_mode_is_asked_for_and_the_umask_holds(tmp_path: Path, mode: int, expected: int) -> None:
    before = os.umask(0o027)
    try:
        with atomic_file(tmp_path / "out", mode=mode) as file:
            assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == expected
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == expected


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with atomic_file(tmp_path / "link", overwrite=True) as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_device_is_never_replaced() -> None:
    with pytest.raises(FileError, match="regular file"), atomic_file(Path(os.devnull), overwrite=True):
        pytest.fail("the block must not be entered")


def test_a_directory_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a directory"), atomic_file(tmp_path, overwrite=True):
        pytest.fail("the block must not be entered")


@pytest.mark.parametrize("parent", ["missing", "file"])
def test_a_place_that_is_no_directory_is_named(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="could not be written"), atomic_file(tmp_path / parent / "out"):
        pytest.fail("the block must not be entered")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_apart_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    with pytest.raises(NoRoomError, match=os.strerror(number)):
        write(tmp_path / "out", fail=OSError(number, os.strerror(number)))
    assert names(tmp_path) == []


@pytest.mark.parametrize("hard_links", [True, False])
@pytest.mark.parametrize(("there", "overwrite"), [(True, True), (False, True), (False, False)])
def test_a_file_is_on_the_disk_before_its_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, overwrite: bool, hard_links: bool
) -> None:
    target, synced = tmp_path / "out", list[tuple[str, bytes | None]]()
    if there:
        target.write_bytes(b"old")
    if not hard_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse_hard_links)
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(found.st_mode) else f"{found.st_size} bytes"
        synced.append((kind, target.read_bytes() if target.exists() else None))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic_file(target, overwrite=overwrite) as file:
        file.write(b"new")
    assert synced == [("3 bytes", b"old" if there else None), ("folder", b"new")]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_serves_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fsync(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic_file(tmp_path / "out") as file:
        file.write(b"whole")
    assert (tmp_path / "out").read_bytes() == b"whole"


def test_a_disk_that_fails_to_sync_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FileError, match="Input/output error"), atomic_file(tmp_path / "out") as file:
        file.write(b"whole")
    assert names(tmp_path) == []


def test_folders_are_made_with_their_names_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = list[Path]()
    monkeypatch.setattr("kms_tui.atomic.sync_folder", synced.append)
    make_folder(tmp_path / "a" / "b", 0o700)
    assert synced == [tmp_path / "a", tmp_path]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    make_folder(tmp_path / "a" / "b", 0o700)
    assert len(synced) == 2


def test_what_killed_programs_left_of_one_file_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".a[b].key.0123456789ab.part").touch()
    for name in ("a[b].key", ".ab.key.0123456789ab.part", ".a[b].key.part", "other"):
        (tmp_path / name).touch()
    remove_parts(tmp_path / "a[b].key")
    assert names(tmp_path) == [".a[b].key.part", ".ab.key.0123456789ab.part", "a[b].key", "other"]
