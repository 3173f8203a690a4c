"""A trail's files: layouts, forms, broken ones, and that a file is streamed."""

from __future__ import annotations

import gzip
import json
import os
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.atomic import FileError
from kms_tui.evidence.request_history import json_records
from kms_tui.evidence.request_history.history_source import HistoryQuery, RequestHistory, read_history
from kms_tui.evidence.request_history.json_records import BrokenFileError, records
from kms_tui.evidence.request_history.trail_files import TrailFiles
from tests.unit.evidence.request_history.trail_events import (
    ACCOUNT,
    KEY,
    NOW,
    OTHER_ACCOUNT,
    OTHER_KEY,
    REGION,
    event,
)

QUERY = HistoryQuery(NOW - timedelta(days=30), NOW, KEY)


def delivered(folder: Path, *found: dict[str, Any], day: str = "2026/11/20", region: str = REGION) -> Path:
    """A file as CloudTrail delivers it."""
    path = (
        folder / "AWSLogs" / ACCOUNT / "CloudTrail" / region / day / f"{ACCOUNT}_CloudTrail_{region}.json.gz"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps({"Records": list(found)}).encode()))
    return path


def read(path: Path, query: HistoryQuery = QUERY) -> RequestHistory:
    return read_history(TrailFiles(path, REGION), query)


def test_the_usual_layout_is_read_without_other_days_and_regions(tmp_path: Path) -> None:
    delivered(tmp_path, event(), event(age=timedelta(hours=3)))
    delivered(tmp_path, event(), day="2026/11/21")
    delivered(tmp_path, event(), day="2026/01/01")
    delivered(tmp_path, event(), region="us-east-1")
    digest = tmp_path / "AWSLogs" / ACCOUNT / "CloudTrail-Digest" / "x.json"
    digest.parent.mkdir(parents=True)
    digest.write_text("no JSON")
    history = read(tmp_path)
    assert history.coverage.events == 3
    assert history.coverage.notes == ()
    assert history.coverage.since == NOW - timedelta(hours=3)
    assert history.coverage.complete


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([event(), event()]),
        json.dumps(event()) + "\n" + json.dumps(event()),
        json.dumps({"Records": [event()]}) + json.dumps({"Records": [event()]}),
        json.dumps({"more": 1, "Records": [event(), event()]}),
        "\ufeff" + json.dumps({"Records": [event(), event()]}, indent=2).replace("\n", "\r\n"),
        json.dumps({"Events": [{"CloudTrailEvent": json.dumps(event())}] * 2, "NextToken": "x"}),
    ],
    ids=["array", "lines", "two objects", "other member first", "BOM and CRLF", "LookupEvents"],
)
def test_all_forms_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(text.encode())
    assert read(path).coverage.events == 2


@pytest.mark.parametrize(
    ("text", "count", "reason"),
    [
        (json.dumps({"Records": [event(), event()]})[:-400], 1, "it ends in the middle"),
        (json.dumps({"Records": [event()]})[:-2], 1, "it ends in the middle"),
        ('{"Records": [' + json.dumps(event()) + ", oops]}", 1, "no JSON"),
        (json.dumps(event()) + "[" * 100_000 + '{"a":' * 100_000, 1, "nested too deeply"),
        ("not json at all", 0, "no JSON"),
    ],
)
def test_a_broken_file_is_named_and_read_up_to_its_fault(
    tmp_path: Path, text: str, count: int, reason: str
) -> None:
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "b.json").write_text(json.dumps(event()))
    history = read(tmp_path)
    assert history.coverage.events == count + 1
    (note,) = history.coverage.notes
    assert "a.json" in note
    assert reason in note


def test_cut_compression_and_files_that_are_none_are_named(tmp_path: Path) -> None:
    path = delivered(tmp_path, *(event(context={"n": f"{number:x}"}) for number in range(5000)))
    path.write_bytes(path.read_bytes()[:-4000])
    (tmp_path / "b.json.gz").write_text("no gzip")
    (tmp_path / "c.json").write_text("[]")
    (tmp_path / "d.json.gz").write_bytes(b"")
    coverage = read(tmp_path).coverage
    assert "b.json.gz was read up to its fault: it is no gzip file" in coverage.notes[0]
    assert "d.json.gz was read up to its fault: its compression ends early" in coverage.notes[1]
    assert "json.gz was read up to its fault: its compression ends early" in coverage.notes[2]
    assert len(coverage.notes) == 3
    assert 3000 < coverage.events < 5000


def test_several_gzip_members_with_padding_are_one_file(tmp_path: Path) -> None:
    member = gzip.compress(json.dumps({"Records": [event()]}).encode())
    (tmp_path / "a.json.gz").write_bytes(member + member + b"\0" * 100)
    coverage = read(tmp_path).coverage
    assert (coverage.events, coverage.notes) == (2, ())


def test_a_folder_without_files_and_one_that_is_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"holds no \.json"):
        read(tmp_path)
    with pytest.raises(FileError, match="does not exist"):
        read(tmp_path / "nowhere")


def test_files_without_an_event_of_kms_cover_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([event() | {"eventSource": "s3.amazonaws.com"}]))
    coverage = read(tmp_path).coverage
    assert (coverage.since, coverage.complete) == (None, False)
    assert coverage.notes == ("The files hold no event of KMS.",)


def test_events_of_another_time_are_no_coverage(tmp_path: Path) -> None:
    delivered(tmp_path, event(age=timedelta(days=400)), event(age=timedelta(days=-400)))
    coverage = read(tmp_path).coverage
    assert (coverage.since, coverage.complete) == (None, False)
    assert coverage.notes == ("The files hold events of KMS before or after the time asked for only: 2.",)
    delivered(tmp_path, event(age=timedelta(days=400)), event(age=timedelta(hours=2)))
    coverage = read(tmp_path).coverage
    assert (coverage.since, coverage.notes) == (NOW - timedelta(hours=2), ())


def test_files_without_an_event_on_the_key_say_so(tmp_path: Path) -> None:
    delivered(tmp_path, event(keys=(OTHER_KEY,)))
    coverage = read(tmp_path).coverage
    assert (coverage.events, coverage.complete) == (0, True)
    assert coverage.notes == ("The files hold events of KMS, but none on this key.",)
    assert read(tmp_path, replace(QUERY, key_arn="")).coverage.notes == ()


def test_a_file_that_is_broken_or_none_leaves_the_record_incomplete(tmp_path: Path) -> None:
    delivered(tmp_path, event())
    (tmp_path / "broken.json").write_text('{"Records": [')
    os.mkfifo(tmp_path / "pipe.json")
    coverage = read(tmp_path).coverage
    assert (coverage.events, coverage.complete) == (1, False)
    assert [note.rsplit("/", 1)[-1] for note in coverage.notes] == [
        "broken.json was read up to its fault: it ends in the middle.",
        "pipe.json was not read: it is no regular file.",
    ]


def test_a_folder_that_may_not_be_listed_leaves_the_record_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(tmp_path, event())
    locked = tmp_path / "AWSLogs" / OTHER_ACCOUNT
    locked.mkdir()
    listed = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    coverage = read(tmp_path).coverage
    assert (coverage.events, coverage.complete) == (1, False)
    assert coverage.notes == (f"{locked} was not read: Permission denied.",)


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(json.dumps({"Records": [event()]}),), daemon=True)
    writer.start()
    coverage = read(pipe).coverage
    assert (coverage.events, coverage.complete, coverage.notes) == (1, True, ())


def test_bytes_that_are_no_utf_8_do_not_stop_a_file(tmp_path: Path) -> None:
    text = (
        json.dumps({"Records": [event(context={"a": "B"}), event()]}).encode().replace(b'"B"', b'"\xff\x00"')
    )
    (tmp_path / "a.json").write_bytes(text)
    coverage = read(tmp_path).coverage
    assert (coverage.events, coverage.notes) == (2, ())


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(), max_size=3), max_size=5
    ),
    st.integers(1, 30),
    st.sampled_from(["array", "records", "lines"]),
)
def test_records_are_the_same_whatever_the_chunks(found: list[dict[str, Any]], step: int, form: str) -> None:
    found = [each for each in found if not {"Records", "Events", "CloudTrailEvent"} & each.keys()]
    text = {
        "array": json.dumps(found),
        "records": json.dumps({"Records": found}),
        "lines": "\n".join(map(json.dumps, found)),
    }[form]
    position = 0

    def chunk(_size: int) -> str:
        nonlocal position
        position += step
        return text[position - step : position]

    assert list(records(chunk)) == found


def test_one_record_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_RECORD", 1000)
    asked: list[int] = []

    def chunk(size: int) -> str:
        asked.append(size)
        return '{"a": "' + "x" * 500 if len(asked) == 1 else "x" * 500

    with pytest.raises(BrokenFileError, match="too large"):
        list(records(chunk))
    assert len(asked) < 5
