"""Drafts and replaced policies on disk: nothing is lost, and nobody else reads it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.atomic import FileError
from kms_tui.data_files import Draft, PolicyFiles, new_token, policy_root
from kms_tui.kms.model import PolicyVersion

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_ARN = ARN.replace("eu-west-1", "us-east-1")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> PolicyFiles:
    return PolicyFiles(tmp_path / "policies")


def draft(text: str = "{}", token: str = "one", minutes: int = 0) -> Draft:
    return Draft(token, NOW + timedelta(minutes=minutes), text, "the base")


def version(text: str, minutes: int = 0) -> PolicyVersion:
    return PolicyVersion(text, NOW + timedelta(minutes=minutes), "arn:aws:iam::111122223333:user/ann")


def test_a_key_without_a_folder_has_neither_drafts_nor_versions(files: PolicyFiles) -> None:
    assert files.drafts(ARN).entries == ()
    assert files.versions(ARN).entries == ()
    assert not files.root.exists()


def test_a_draft_comes_back_as_it_was_and_a_later_one_replaces_it(files: PolicyFiles) -> None:
    files.keep_draft(ARN, draft("first"))
    files.keep_draft(ARN, draft("second", minutes=1))
    assert files.drafts(ARN).entries == (draft("second", minutes=1),)


@given(text=st.text(st.characters(exclude_categories=())))
@settings(deadline=None, max_examples=40)
def test_any_text_survives_even_lone_surrogates_and_controls(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    files = PolicyFiles(tmp_path_factory.mktemp("policies"))
    files.keep_draft(ARN, draft(text))
    files.keep_version(ARN, version(text))
    assert files.drafts(ARN).entries[0].text == text
    assert files.versions(ARN).entries[0].text == text


def test_two_editors_of_one_key_keep_a_draft_each(files: PolicyFiles) -> None:
    files.keep_draft(ARN, draft("older", "one"))
    files.keep_draft(ARN, draft("newer", "two", minutes=5))
    assert [entry.text for entry in files.drafts(ARN).entries] == ["newer", "older"]


def test_tokens_differ() -> None:
    assert new_token() != new_token()


def test_a_discarded_draft_is_gone_and_discarding_again_is_no_error(files: PolicyFiles) -> None:
    files.keep_draft(ARN, draft())
    files.discard_draft(ARN, "one")
    files.discard_draft(ARN, "one")
    assert files.drafts(ARN).entries == ()


def test_keys_do_not_see_each_others_drafts(files: PolicyFiles) -> None:
    files.keep_draft(ARN, draft())
    assert files.drafts(OTHER_ARN).entries == ()
    assert files.folder(ARN) != files.folder(OTHER_ARN)


def test_the_folder_of_a_hostile_arn_stays_below_the_root(files: PolicyFiles) -> None:
    folder = files.folder("../../etc/\x1b[2J\n/../passwd")
    assert folder.parent == files.root
    assert folder.name.replace("-", "").isalnum()


def test_files_are_for_their_owner_alone_whatever_the_umask(files: PolicyFiles) -> None:
    before = os.umask(0)
    try:
        files.keep_draft(ARN, draft())
        files.keep_version(ARN, version("{}"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(files.folder(ARN).stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.folder(ARN).iterdir()} == {0o600}


def test_versions_come_newest_first(files: PolicyFiles) -> None:
    for minutes, text in enumerate("abc"):
        files.keep_version(ARN, version(text, minutes))
    assert [entry.text for entry in files.versions(ARN).entries] == ["c", "b", "a"]
    assert files.versions(ARN).entries[0].author == "arn:aws:iam::111122223333:user/ann"


def test_the_newest_version_is_not_kept_twice_but_an_older_one_may_return(files: PolicyFiles) -> None:
    for minutes, text in enumerate("aaba"):
        files.keep_version(ARN, version(text, minutes))
    assert [entry.text for entry in files.versions(ARN).entries] == ["a", "b", "a"]


def as_file(**members: str) -> bytes:
    shape = {"arn": ARN, "time": NOW.isoformat(), "text": "x", "base": "", "author": ""}
    return json.dumps(shape | members).encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"arn": 1}', id="other types"),
        pytest.param(as_file(arn=OTHER_ARN), id="another key's"),
        pytest.param(as_file(time="yesterday"), id="no time"),
        pytest.param(as_file(time="2026-11-20T12:00:00"), id="no zone"),
        pytest.param(json.dumps({"arn": ARN}).encode(), id="members missing"),
    ],
)
def test_a_file_that_is_not_ours_is_named_and_hides_no_other(files: PolicyFiles, content: bytes) -> None:
    files.keep_draft(ARN, draft())
    files.keep_version(ARN, version("{}"))
    for name in ("draft-zz.json", "version-zz.json"):
        (files.folder(ARN) / name).write_bytes(content)
    drafts, versions = files.drafts(ARN), files.versions(ARN)
    assert [path.name for path in drafts.unreadable] == ["draft-zz.json"]
    assert [path.name for path in versions.unreadable] == ["version-zz.json"]
    assert len(drafts.entries) == len(versions.entries) == 1


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "policies").write_text("a file in the way")
    with pytest.raises(FileError, match="could not be made"):
        PolicyFiles(tmp_path / "policies").keep_draft(ARN, draft())


def test_a_draft_that_cannot_be_written_leaves_the_one_before(
    files: PolicyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.keep_draft(ARN, draft("kept"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="No space left"):
        files.keep_draft(ARN, draft("lost"))
    assert [entry.text for entry in files.drafts(ARN).entries] == ["kept"]
    assert len(list(files.folder(ARN).iterdir())) == 1


def test_the_default_place_follows_the_platforms_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert policy_root().parts[-2:] == ("kms-tui", "policies")


def test_the_drafts_of_a_demo_are_gone_when_the_program_ends(tmp_path: Path) -> None:
    script = (
        "from datetime import UTC, datetime\n"
        "from kms_tui.data_files import Draft, policy_files\n"
        "files = policy_files(kept=False)\n"
        "files.keep_draft('arn', Draft('t', datetime.now(UTC), 'text', 'base'))\n"
        "assert files.drafts('arn').entries\n"
        "print(files.root)"
    )
    environ = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environ
    )
    assert not Path(ended.stdout.strip()).exists()
    assert list(tmp_path.iterdir()) == []
