"""Import tokens on disk: back as they were, for their key alone, and while they are good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kms_tui.atomic import FileError
from kms_tui.data_files import ImportFiles, import_root
from kms_tui.kms.model import ImportParameters

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN = ImportParameters(b"\x30\x82public", bytes(range(200)), NOW + timedelta(hours=24))


def test_what_was_given_out_comes_back_until_it_expires_or_is_used(tmp_path: Path) -> None:
    files = ImportFiles(tmp_path / "imports")
    assert files.held(ARN, NOW) is None
    files.keep(ARN, GIVEN)
    assert files.held(ARN, NOW) == GIVEN
    assert files.held(ARN, GIVEN.valid_to) is None
    assert files.held(ARN.replace("1234abcd", "00000000"), NOW) is None
    files.forget(ARN)
    files.forget(ARN)
    assert files.held(ARN, NOW) is None


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    files = ImportFiles(tmp_path / "imports")
    files.keep(ARN, GIVEN)
    (path,) = files.root.iterdir()
    assert (files.root.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"arn": 1}', "[" * 100_000, '{"valid_to": "x"}'])
def test_a_file_that_is_none_of_ours_holds_nothing(tmp_path: Path, content: str) -> None:
    files = ImportFiles(tmp_path)
    files.keep(ARN, GIVEN)
    (path,) = files.root.iterdir()
    path.write_text(content, encoding="utf-8")
    assert files.held(ARN, NOW) is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "imports").write_bytes(b"a file")
    with pytest.raises(FileError):
        ImportFiles(tmp_path / "imports").keep(ARN, GIVEN)


def test_they_lie_in_the_platforms_data_folder() -> None:
    assert import_root().parts[-2:] == ("kms-tui", "imports")
