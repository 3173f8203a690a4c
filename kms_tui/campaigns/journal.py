"""A campaign's journal: a file of JSON lines that only grows, each line on the disk before the next call.

The first line is the head; others add items, commands that are about to be sent, states and notes. What a
killed program left of a last line counts as never written. One process at a time writes the journals of a
key: it holds the lock of the key's folder. Files are for their owner alone, and hold no secret.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kms_tui.atomic import PRIVATE, PRIVATE_FOLDER, FileError, file_errors, make_folder, write_private
from kms_tui.campaigns.campaign import (
    Campaign,
    CampaignHead,
    CampaignItem,
    CampaignNote,
    ItemRecord,
    ItemState,
)
from kms_tui.data_files import key_folder, moment_of, passing_root
from kms_tui.evidence.scan_task import Use
from kms_tui.kms.errors import KmsTuiError

_FORMAT = 1
_MOST_BYTES = 200_000_000
"""Of a journal: some 100,000 items."""


class JournalError(KmsTuiError):
    """A journal cannot be read, or is in use by another process."""


def campaign_root() -> Path:
    """Where this platform keeps journals; the folder need not be there."""
    from platformdirs import user_data_path

    return user_data_path("kms-tui") / "campaigns"


def campaign_files(*, kept: bool) -> CampaignFiles:
    """The journals of this platform's user; those of a demo are not ``kept`` after the run."""
    return CampaignFiles(campaign_root() if kept else passing_root() / "campaigns")


class CampaignFiles:
    """The journals below a folder, by the old key's ARN."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, arn: str) -> Path:
        return key_folder(self.root, arn)

    def newest_path(self, arn: str) -> Path | None:
        """The newest journal of a key. Raises FileError."""
        return _newest_in(self.folder(arn))

    def newest(self, arn: str) -> Campaign | None:
        """The newest campaign of a key as its journal tells it; another process may be at it."""
        path = self.newest_path(arn)
        return read_journal(path, arn) if path is not None else None

    def unfinished(self, arns: frozenset[str]) -> Sequence[Campaign]:
        """The unfinished campaigns whose old or new key is one of these, of all keys' newest ones.

        Of each other the first line alone is read. Raises FileError, JournalError where the newest journal
        of one of these keys cannot be read; that of another key then tells nothing.
        """
        with file_errors(self.root, "read"):
            folders = sorted(self.root.iterdir()) if self.root.is_dir() else []
        found = []
        for folder in folders:
            try:
                campaign = self._newest_if(folder, arns)
            except KmsTuiError:
                if any(folder == self.folder(arn) for arn in arns):
                    raise
                continue
            if campaign is not None and not campaign.is_finished:
                found.append(campaign)
        return found

    def _newest_if(self, folder: Path, arns: frozenset[str]) -> Campaign | None:
        """The newest campaign in a folder, if it is one of these keys'."""
        path = _newest_in(folder)
        if path is None:
            return None
        with file_errors(path, "read"), path.open("rb") as file:
            first = file.readline(_MOST_BYTES)
        with _line_errors(path, 1):
            head = _head_of(json.loads(first))
        if folder != self.folder(head.old):
            return None
        # A key that is made after the beginning is named in a later line.
        if head.new and arns.isdisjoint((head.old, head.new)):
            return None
        campaign = read_journal(path, head.old)
        return None if arns.isdisjoint((campaign.head.old, campaign.head.new)) else campaign

    def begin(self, head: CampaignHead, items: Sequence[CampaignItem]) -> Journal:
        """Write a new campaign's journal. JournalError where an earlier one of the key is not finished."""
        lock = _Lock(self.folder(head.old))
        try:
            earlier = self.newest(head.old)
            if earlier is not None and not earlier.is_finished:
                to = earlier.head.new or "a new key that it has not yet"
                raise JournalError(
                    f"A campaign of {earlier.head.begun:%Y-%m-%d %H:%M} moves the key to {to}, "
                    "and is not finished.",
                    next_step="Resume it, or give it up first.",
                )
            path = self.folder(head.old) / f"{head.begun:%Y%m%dT%H%M%S%f}-{head.id}.jsonl"
            lines = [_head_shape(head), {"items": [_item_shape(item) for item in items]}]
            write_private(path, "".join(map(_line, lines)).encode())
            return Journal(path, head.old, lock)
        except BaseException:
            lock.release()
            raise

    def resume(self, arn: str) -> Journal:
        """The newest journal of a key, to go on writing it. JournalError where there is none."""
        lock = _Lock(self.folder(arn))
        try:
            path = self.newest_path(arn)
            if path is None:
                raise JournalError("There is no campaign of this key.")
            return Journal(path, arn, lock)
        except BaseException:
            lock.release()
            raise


def _newest_in(folder: Path) -> Path | None:
    """The newest journal of a folder, which need not be there: their names begin with the time."""
    with file_errors(folder, "read"):
        return max(folder.glob("*.jsonl"), default=None)


class _Lock:
    """The lock of a key's folder, which the system releases when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        with file_errors(folder, "made"):
            make_folder(folder, PRIVATE_FOLDER)
        with file_errors(folder / "lock", "opened"):
            self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise JournalError(
                "Another kms-tui is carrying out a campaign of this key.",
                next_step="Wait until it ends, or stop it there.",
            ) from error

    def release(self) -> None:
        os.close(self._descriptor)


class Journal:
    """A journal that is written; ``campaign`` is what it tells. Every method raises FileError."""

    def __init__(self, path: Path, arn: str, lock: _Lock) -> None:
        self.path = path
        self._lock = lock
        self.campaign = read_journal(path, arn)
        with file_errors(path, "opened"):
            self._file = path.open("r+b", buffering=0)
            whole = self._file.read().rfind(b"\n") + 1
            self._file.seek(whole)
            self._file.truncate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others write; the journal stays."""
        self._file.close()
        self._lock.release()

    def made(self, new: str, at: datetime) -> None:
        """Say which key everything moves to, where it was made after the campaign began."""
        self._append({"new": new, "at": at.isoformat()})

    def add(self, items: Sequence[CampaignItem]) -> None:
        """Add items that were found later."""
        self._append({"items": [_item_shape(item) for item in items]})

    def command(self, number: int, line: str, at: datetime) -> None:
        """Say that a command is about to be sent for an item; it contains no secret."""
        self._append({"item": number, "command": line, "at": at.isoformat()})

    def state(self, number: int, state: ItemState, at: datetime, words: str = "") -> None:
        """Say what has become of an item."""
        self._append({"item": number, "state": state.value, "words": words, "at": at.isoformat()})

    def note(self, words: str, at: datetime) -> None:
        self._append({"note": words, "at": at.isoformat()})

    def give_up(self, at: datetime) -> None:
        """Carry out no more of it."""
        self._append({"given_up": True, "at": at.isoformat()})

    def _append(self, shape: Mapping[str, Any]) -> None:
        begins, line = self._file.tell(), memoryview(_line(shape).encode())
        try:
            with file_errors(self.path, "written"):
                while line:
                    line = line[self._file.write(line) or 0 :]
                os.fsync(self._file.fileno())
        except FileError:
            with contextlib.suppress(OSError):  # a part of a line counts as none
                self._file.seek(begins)
                self._file.truncate()
            raise
        _apply(self.campaign, shape)


def read_journal(path: Path, arn: str) -> Campaign:
    """The campaign that a file tells. FileError, JournalError for a file that is none of this key."""
    with file_errors(path, "read"), path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise JournalError(f"{path} is no journal: it has more than {_MOST_BYTES:,} bytes.")
    lines = content.split(b"\n")[:-1]
    if not lines:
        raise JournalError(f"{path} is no journal: it has no line.")
    campaign: Campaign | None = None
    for number, line in enumerate(lines, 1):
        with _line_errors(path, number):
            shape = json.loads(line)
            if campaign is None:
                campaign = Campaign(_head_of(shape), [], [])
            else:
                _apply(campaign, shape)
    assert campaign is not None
    if campaign.head.old != arn:
        raise JournalError(
            f"{path} is of another key, {campaign.head.old}.", next_step="Move the file where it belongs."
        )
    return campaign


@contextlib.contextmanager
def _line_errors(path: Path, number: int) -> Iterator[None]:
    """Raise JournalError for what reading a wrong line raises."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise JournalError(
            f"{path}, line {number}, is no line of a journal.",
            next_step="Restore the file, or move it away to begin anew: every move is checked first.",
        ) from error


def _line(shape: Mapping[str, Any]) -> str:
    # ASCII escapes: a lone surrogate survives, which UTF-8 has no form for.
    return json.dumps(shape, separators=(",", ":")) + "\n"


def _apply(campaign: Campaign, shape: Mapping[str, Any]) -> None:
    """Put a line into the campaign; raises as reading a wrong shape does."""
    event = next((name for name in _EVENTS if name in shape), "")
    _EVENTS[event](campaign, shape)


def _apply_items(campaign: Campaign, shape: Mapping[str, Any]) -> None:
    items = [_item_of(each) for each in shape["items"]]
    campaign.records += [ItemRecord() for _ in items]
    campaign.items += items


def _apply_command(campaign: Campaign, shape: Mapping[str, Any]) -> None:
    number = _number(campaign, shape)
    record = campaign.records[number]
    campaign.records[number] = replace(record, commands=(*record.commands, _text(shape, "command")))


def _apply_state(campaign: Campaign, shape: Mapping[str, Any]) -> None:
    number, state = _number(campaign, shape), ItemState(shape["state"])
    commands = campaign.records[number].commands
    campaign.records[number] = ItemRecord(state, moment_of(shape["at"]), _text(shape, "words"), commands)


def _apply_note(campaign: Campaign, shape: Mapping[str, Any]) -> None:
    campaign.notes.append(CampaignNote(moment_of(shape["at"]), _text(shape, "note")))


def _apply_new(campaign: Campaign, shape: Mapping[str, Any]) -> None:
    campaign.head = replace(campaign.head, new=_text(shape, "new"))


def _apply_end(campaign: Campaign, shape: Mapping[str, Any]) -> None:
    campaign.given_up = shape["given_up"] is True


_EVENTS: Mapping[str, Callable[[Campaign, Mapping[str, Any]], None]] = {
    "items": _apply_items,
    "command": _apply_command,
    "state": _apply_state,
    "note": _apply_note,
    "new": _apply_new,
    "given_up": _apply_end,
}
"""A line's telling member -> what it does."""


def _number(campaign: Campaign, shape: Mapping[str, Any]) -> int:
    number = shape["item"]
    if not isinstance(number, int) or not 0 <= number < len(campaign.items):
        raise ValueError("no item of the campaign")
    return number


def _text(shape: Mapping[str, Any], name: str) -> str:
    value = shape[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _head_shape(head: CampaignHead) -> dict[str, Any]:
    return {
        "kms_tui_campaign": _FORMAT,
        "id": head.id,
        "begun": head.begun.isoformat(),
        "old": head.old,
        "new": head.new,
        "old_names": sorted(head.old_names),
        "left": list(head.left),
    }


def _head_of(shape: Mapping[str, Any]) -> CampaignHead:
    if shape["kms_tui_campaign"] != _FORMAT:
        raise ValueError("another version's journal")
    return CampaignHead(
        _text(shape, "id"),
        moment_of(shape["begun"]),
        _text(shape, "old"),
        _text(shape, "new"),
        frozenset(_texts(shape, "old_names")),
        tuple(_texts(shape, "left")),
    )


def _texts(shape: Mapping[str, Any], name: str) -> Iterator[str]:
    for value in shape[name]:
        if not isinstance(value, str):
            raise TypeError(f"{name} has what is no text")
        yield value


_USE = ("kind", "resource", "reference", "label", "purpose")


def _item_shape(item: CampaignItem) -> dict[str, Any]:
    shape = {"account": item.account, "region": item.region}
    shape |= {name: getattr(item.use, name) for name in _USE}
    return shape | ({"grant": dict(item.grant)} if item.grant else {})


def _item_of(shape: Mapping[str, Any]) -> CampaignItem:
    kind, resource, reference, label, purpose = (_text(shape, name) for name in _USE)
    use = Use(kind, resource, reference, label, purpose)
    return CampaignItem(_text(shape, "account"), _text(shape, "region"), use, dict(shape.get("grant", {})))
