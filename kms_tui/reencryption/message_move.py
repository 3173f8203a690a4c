"""Moves a message of the AWS Encryption SDK: sealed anew, as ``envelope/resealing.py`` says why."""

from __future__ import annotations

from typing import BinaryIO

from kms_tui.envelope.errors import UncommittedError
from kms_tui.envelope.header import KMS_PROVIDER, MessageInfo, read_header, wrapped_data_keys
from kms_tui.envelope.resealing import require_same, reseal
from kms_tui.envelope.streams import Readable, Source, write_behind
from kms_tui.kms.errors import KmsTuiError
from kms_tui.reencryption.file_task import FileOutcome, FileTask
from kms_tui.reencryption.message_text import Base64Lines, Base64Writer

MESSAGE = "Encryption SDK message"


def move_message(task: FileTask, lines: Base64Lines | None) -> FileOutcome:
    """Move the message in a file, as bytes, or as base64 in ``lines``.

    Raises KmsTuiError; the file is then as it was.
    """
    options, move = task.options, task.options.move
    task.form = MESSAGE if lines is None else f"{MESSAGE}, base64"
    source = _reading(Source(task.stream, task.file.path), lines)
    info, header = read_header(source)
    task.keys = tuple(key.name for key in info.keys if key.provider == KMS_PROVIDER)
    going = move.concerned(task.keys)
    for name in going:
        move.key_of(name)
    if not info.committed and not options.allow_uncommitted:
        raise UncommittedError
    staying = _staying(task, info, going)
    told = "Sealed anew under a new data key"
    told += f"; it stays under {', '.join(staying)} too." if staying else "."
    if options.dry_run:
        wrapped, context = wrapped_data_keys(header)
        blob = next(blob for name, blob in wrapped if name == going[0])
        move.try_open(blob, going[0], context)
        move.try_seal(info.context, staying)
        return task.moved(told)
    task.stream.seek(0)
    with task.replacement() as new:
        with write_behind(new) as behind:
            target = behind if lines is None else lines.writing(behind)
            done = reseal(
                _reading(Source(task.stream, task.file.path), lines),
                target,
                opener=move.source_kms(going[0]).backend,
                sealer=move.destination_kms.backend,
                old_key=going[0],
                keys=[move.destination.arn, *staying],
                allow_uncommitted=options.allow_uncommitted,
                progress=options.progress,
            )
            if isinstance(target, Base64Writer):
                target.finish()
        if options.read_back:
            _read_back(task, new, lines, done.digest)
    return task.moved(told)


def _staying(task: FileTask, info: MessageInfo, going: tuple[str, ...]) -> list[str]:
    """The message's other keys, under which the new data key is encrypted too."""
    foreign = sorted({key.provider for key in info.keys} - {KMS_PROVIDER})
    if foreign:
        raise KmsTuiError(
            f"It is also under a key outside of KMS ({', '.join(foreign)}), which could not open it then.",
            next_step="Seal it anew with the AWS Encryption SDK, under both keys.",
        )
    destination = task.options.move.destination.arn
    return [key for key in dict.fromkeys(task.keys) if key not in going and key != destination]


def _reading(source: Readable, lines: Base64Lines | None) -> Readable:
    return source if lines is None else lines.reading(source)


def _read_back(task: FileTask, new: BinaryIO, lines: Base64Lines | None, digest: bytes) -> None:
    move = task.options.move
    new.flush()
    new.seek(0)
    try:
        require_same(
            _reading(new, lines), digest, backend=move.destination_kms.backend, key=move.destination.arn
        )
    except KmsTuiError as error:
        raise KmsTuiError(
            f"It was sealed under {move.destination.arn}, but could not be read back: {error}",
            next_step=error.next_step,
        ) from error
