"""The tasks of "Sign…" without the console: whatever is typed, a preview ends, with a sentence."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.form import ChoiceField, FlagField
from kms_tui.ui.signing.signing_menu import TASKS
from kms_tui.ui.signing.signing_task import SigningTask

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SIGNER = "alias/ci-release-signing"
_NASTY = (
    "/",
    ".",
    "/dev/zero",
    "/dev/stdin",
    "pipe",
    "large",
    "unreadable",
    "missing",
    "~nobody-of-this-name/x",
    "\0",
    "a\0b c",
    "\x1b]52;c;AAAA\x07",
    "\ud800",
    "[red]x[/]",
    "漢字テスト",
    "x" * 200_000,
    "x " * 100_000,
    "-----BEGIN CERTIFICATE-----",
)


def subject_of(kms: Kms, alias: str) -> Subject:
    key = kms.describe(alias)
    return Subject(key.key_id, key.arn, kms.region, (alias.removeprefix("alias/"),), key)


def values_of(task: SigningTask, subject: Subject, opened: Any, given: Mapping[str, str]) -> dict[str, str]:
    values = {field.name: field.value for field in task.fields(subject, opened)}
    assert given.keys() <= values.keys()
    return values | dict(given)


def preview_ends(task: SigningTask, opened: Any, values: Mapping[str, str]) -> KmsTuiError | None:
    """Its error, which is no other than a KmsTuiError with a sentence; a test that waits for ever fails."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            task.preview(opened, values, NOW)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "the preview waits"
    if not raised:
        return None
    assert isinstance(raised[0], KmsTuiError), repr(raised[0])[:500]
    assert str(raised[0])
    return raised[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a pipe that nobody writes, and a file of 10 MB."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with Path("large").open("wb") as file:
        file.truncate(10 << 20)
    Path("unreadable").write_text("x")
    Path("unreadable").chmod(0)
    return tmp_path


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_whatever_stands_in_a_field_the_preview_ends(task: SigningTask, demo: Backend, folder: Path) -> None:
    kms = Kms(demo)
    subject = subject_of(kms, SIGNER)
    opened = task.open(kms, subject)
    for field in task.fields(subject, opened):
        if isinstance(field, ChoiceField | FlagField):
            continue
        for text in _NASTY:
            preview_ends(task, opened, values_of(task, subject, opened, {field.name: text}))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("/", "/ is a directory."),
        ("/dev/zero", "/dev/zero is no regular file, so it is not opened."),
        ("pipe", "pipe is no regular file, so it is not opened."),
        ("missing", "missing could not be read: No such file or directory."),
        ("", "Name the file to sign."),
        ("\0", "This text can name no file."),
        pytest.param("x" * 5000, "A text of 5,000 characters names no file.", id="long"),
    ],
)
def test_only_regular_files_are_opened(name: str, sentence: str, demo: Backend, folder: Path) -> None:
    task = next(task for task in TASKS if task.id == "sign-file")
    kms = Kms(demo)
    subject = subject_of(kms, SIGNER)
    opened = task.open(kms, subject)
    error = preview_ends(task, opened, values_of(task, subject, opened, {"file": name}))
    assert str(error) == sentence


def test_a_file_too_large_for_a_certificate_is_refused_beside_its_field(demo: Backend, folder: Path) -> None:
    task = next(task for task in TASKS if task.id == "sign-file")
    kms = Kms(demo)
    subject = subject_of(kms, SIGNER)
    opened = task.open(kms, subject)
    given = {"file": "large", "format": "cms", "certificate": "large"}
    error = preview_ends(task, opened, values_of(task, subject, opened, given))
    assert str(error) == "large has more than 1,048,576 bytes, which no such file has."
    assert getattr(error, "field", None) == "certificate"
