"""Recorded requests out of a trail's files on disk, as CloudTrail delivers them to S3.

Folders of days and Regions that are not asked for are left out by their names in the usual layout
(AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD); any other layout is read whole. A file is streamed: its size
does not matter. A file that cannot be read is named and skipped from its fault on.
"""

from __future__ import annotations

import codecs
import os
import re
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from kms_tui.atomic import FileError, file_errors
from kms_tui.evidence.events import mapping_of, time_of
from kms_tui.evidence.request_history.event_records import KMS_SOURCE, requests_in
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, QueryCost
from kms_tui.evidence.request_history.json_records import CHUNK, BrokenFileError, records

_SUFFIXES = (".json", ".json.gz")
_LAYOUT = re.compile(r"/CloudTrail/(?P<region>[a-z0-9-]+)(?:/(?P<date>\d{4}/\d{2}/\d{2}))?(?:/|\Z)")
_OTHER_KINDS = ("/CloudTrail-Digest/", "/CloudTrail-Insight/", "/CloudTrail-Aggregated/")
_DAY = timedelta(days=1)
_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 1 << 18
"""Compressed bytes that are read at once."""


class TrailFiles:
    """A ``HistorySource``: every ``.json`` and ``.json.gz`` under a folder, or one such file or pipe.

    ``region`` is the Region whose folders are read; "" reads all.
    """

    def __init__(self, path: Path, region: str = "") -> None:
        self._path = path
        self._region = region

    @property
    def name(self) -> str:
        return f"the trail's files in {self._path}"

    def cost(self, query: HistoryQuery) -> QueryCost:
        """Files on disk cost nothing."""
        return QueryCost("Reading files costs nothing.", is_free=True)

    def read(self, reading: HistoryReading) -> None:
        """Read file by file. Raises FileError where there is no such folder."""
        with file_errors(self._path, "read"):
            is_there = self._path.exists()
        if not is_there:
            raise FileError(f"{self._path} does not exist.")
        span = _Span(reading.query)
        number, whole = 0, True
        unread: list[OSError] = []
        for path in self._files(reading.query, unread):
            number += 1
            if path != self._path and not path.is_file():
                reading.note(f"{path} was not read: it is no regular file.")
                whole = False
                continue
            try:
                for record in _records(path):
                    if not reading.wanted():
                        return
                    _count(record, reading, span)
            except BrokenFileError as error:
                reading.note(f"{path} was read up to its fault: {error}.")
                whole = False
            except OSError as error:
                reading.note(f"{path} was not read: {error.strerror}.")
                whole = False
        for refused in unread:
            reading.note(f"{refused.filename} was not read: {refused.strerror}.")
            whole = False
        if not number and not unread:
            raise FileError(f"{self._path} holds no .json or .json.gz file of the time and Region asked for.")
        if span.oldest is None:
            if span.outside:
                reading.note(
                    f"The files hold events of KMS before or after the time asked for only: {span.outside:,}."
                )
            elif not reading.coverage().events:
                reading.note("The files hold no event of KMS.")
            return
        if reading.query.key_arn and not reading.coverage().events:
            reading.note("The files hold events of KMS, but none on this key.")
        if whole:
            reading.finish(span.oldest, span.newest)
        else:
            reading.seen(span.oldest)

    def _files(self, query: HistoryQuery, unread: list[OSError]) -> Iterator[Path]:
        """The files that may hold events asked for; folders that cannot be listed are added to ``unread``."""
        if not self._path.is_dir():
            yield self._path
            return
        for folder, folders, files in os.walk(self._path, onerror=unread.append):
            folders[:] = sorted(name for name in folders if self._may_hold(Path(folder, name), query))
            for name in sorted(files):
                if name.endswith(_SUFFIXES):
                    yield Path(folder, name)

    def _may_hold(self, folder: Path, query: HistoryQuery) -> bool:
        """Whether a folder may hold events asked for. Events arrive late, so a day more is read."""
        name = f"{folder.as_posix()}/"
        if any(kind in name for kind in _OTHER_KINDS):
            return False
        found = _LAYOUT.search(name)
        if found is None:
            return True
        if self._region and found["region"] != self._region:
            return False
        try:
            day = date(*map(int, found["date"].split("/"))) if found["date"] else None
        except ValueError:
            return True
        return day is None or query.since.date() <= day <= (query.until + _DAY).date()


class _Span:
    """The times of the oldest and the newest record within a query's, and how many lie outside."""

    def __init__(self, query: HistoryQuery) -> None:
        self._query = query
        self.oldest: datetime | None = None
        self.newest: datetime | None = None
        self.outside = 0

    def take(self, moment: datetime) -> None:
        if not self._query.since <= moment <= self._query.until:
            self.outside += 1
            return
        if self.oldest is None or moment < self.oldest:
            self.oldest = moment
        if self.newest is None or moment > self.newest:
            self.newest = moment


def _records(path: Path) -> Iterator[object]:
    with path.open("rb") as file:
        chunks = _inflated(file) if path.name.endswith(".gz") else iter(lambda: file.read(CHUNK), b"")
        decoder = codecs.getincrementaldecoder("utf-8")("replace")

        def read(_size: int) -> str:
            for chunk in chunks:
                if text := decoder.decode(chunk):
                    return text
            return decoder.decode(b"", True)

        yield from records(read)


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    """The content of a gzip file of any number of members, a bounded piece at a time.

    Unlike gzip's reader it gives what is there before a file ends early. Raises BrokenFileError.
    """
    inflate = zlib.decompressobj(_GZIP)
    while True:
        data = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        data = data or file.read(_PIECE)
        if inflate.eof:
            if not data.strip(b"\0"):
                return
            inflate = zlib.decompressobj(_GZIP)
        elif not data:
            raise BrokenFileError("its compression ends early")
        try:
            yield inflate.decompress(data, CHUNK)
        except zlib.error:
            raise BrokenFileError("it is no gzip file, or a broken one") from None


def _count(record: object, reading: HistoryReading, span: _Span) -> None:
    event = mapping_of(record)
    if event.get("eventSource") != KMS_SOURCE:
        return
    if moment := time_of(event.get("eventTime")):
        span.take(moment)
    reading.add(requests_in(event, reading.query.details))
