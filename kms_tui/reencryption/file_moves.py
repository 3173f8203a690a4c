"""Moves one file, whatever it is: recognized by its content, replaced whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from kms_tui.atomic import AlreadyThereError, FileError, file_errors
from kms_tui.envelope import sops_file
from kms_tui.envelope.header import looks_like_message
from kms_tui.kms.errors import ACCESS_DENIED, CredentialsError, EndpointError, KmsTuiError, ServiceError
from kms_tui.reencryption.file_task import FileOutcome, FileTask, MoveOptions, Status, UnreadableFileError
from kms_tui.reencryption.file_tree import FoundFile
from kms_tui.reencryption.key_move import AlreadyMovedError, NotUnderKeyError
from kms_tui.reencryption.message_move import move_message
from kms_tui.reencryption.message_text import lines_of_message
from kms_tui.reencryption.plain_ciphertext import PlainCiphertext, plain_ciphertext
from kms_tui.reencryption.sops_move import move_sops
from kms_tui.signing.pasted_kinds import kind_of, kind_of_bytes

MAX_WHOLE = 64 << 20
"""Bytes of a file that is read as a whole: a larger one can only be a message of the Encryption SDK."""

_BY_TWO_CALLS = "By Decrypt and Encrypt: its plaintext passes through memory."
_MAY_BE_ELSEWHERE = (*ACCESS_DENIED, "NotFoundException", "InvalidCiphertextException")
_ELSEWHERE = (
    "Check its encryption context (--context); and if its key is in another Region, name its ARN with --from."
)


def move_file(file: FoundFile, options: MoveOptions) -> FileOutcome:
    """Move a file; the outcome says what could not be done.

    Raises CredentialsError and EndpointError, which would be those of every other file too.
    """
    if file.error is not None:
        return FileOutcome(file.path, Status.UNREADABLE, sentence=str(file.error))
    try:
        with _opened(file) as (stream, found):
            task = FileTask(file, options, stream, found)
            try:
                return _move(task)
            except AlreadyMovedError:
                return task.outcome(Status.ALREADY)
            except NotUnderKeyError as error:
                return task.outcome(Status.OTHER_KEY, str(error))
            except (CredentialsError, EndpointError, UnreadableFileError):
                raise
            except AlreadyThereError as error:
                return task.outcome(Status.FAILED, str(error), "Choose another folder, or add --overwrite.")
            except KmsTuiError as error:
                return task.outcome(Status.FAILED, str(error), error.next_step)
    except UnreadableFileError as error:
        return FileOutcome(file.path, Status.UNREADABLE, sentence=str(error))


@contextlib.contextmanager
def _opened(file: FoundFile) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """A regular file, open; UnreadableFileError for any other."""
    try:
        with file_errors(file.path, "read"):
            # A pipe would be waited for; and in a tree nobody may put a link in the file's place meanwhile.
            follow = 0 if file.is_named else os.O_NOFOLLOW
            descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | follow)
    except (FileError, ValueError) as error:
        raise UnreadableFileError(str(error)) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise UnreadableFileError(f"{file.path} is not a regular file.")
    with os.fdopen(descriptor, "rb") as stream:
        yield stream, found


def _move(task: FileTask) -> FileOutcome:
    start = task.read(4)
    task.stream.seek(0)
    if looks_like_message(start):
        return move_message(task, None)
    lines = lines_of_message(task.stream)
    if lines is not None:
        return move_message(task, lines)
    if task.found.st_size > MAX_WHOLE:
        return _no_ciphertext(task, start)
    content = task.read(MAX_WHOLE + 1)
    with contextlib.suppress(UnicodeDecodeError):
        text = content.decode() if b"sops" in content else ""
        task.form = "sops"
        sops = sops_file.read(text)
        if sops is not None:
            return move_sops(task, text, sops)
    task.form = ""
    plain = plain_ciphertext(content, expected=task.file.is_named)
    if plain is None or kind_of(content[:4096]) or kind_of_bytes(content):
        return _no_ciphertext(task, content)
    return _move_plain(task, plain)


def _no_ciphertext(task: FileTask, content: bytes) -> FileOutcome:
    """A file of a tree is left alone; one that was named was meant to be a ciphertext."""
    if not task.file.is_named:
        return task.outcome(Status.NO_CIPHERTEXT)
    kind = kind_of(content[:4096]) or kind_of_bytes(content)
    if not content:
        raise KmsTuiError("It is empty.", next_step="Look whether what wrote it has failed.")
    raise KmsTuiError(
        f"This is {kind.name}, not a ciphertext of KMS."
        if kind is not None
        else "It is no ciphertext of KMS, no message of the Encryption SDK and no sops file.",
        next_step=kind.next_step if kind is not None else "",
    )


def _move_plain(task: FileTask, plain: PlainCiphertext) -> FileOutcome:
    options, move = task.options, task.options.move
    task.form = f"KMS ciphertext, {plain.form}"
    how = "By ReEncrypt." if move.is_one_call("") else _BY_TWO_CALLS
    if options.dry_run:
        already = _already(task, plain)
        if already is not None:
            raise already
        move.try_move(plain.data, "", options.context, options.new_context)
        task.keys = (move.source,) if move.source is not None else ()
        return task.moved(how if move.source else f"{how} Under which key it is, KMS alone knows.")
    try:
        moved = move.move(plain.data, "", options.context, options.new_context)
    except NotUnderKeyError as error:
        already = _already(task, plain)
        if already is None:
            raise
        raise already from error
    except ServiceError as error:
        if move.source is None and error.code in _MAY_BE_ELSEWHERE:
            raise KmsTuiError(str(error), next_step=_ELSEWHERE) from error
        raise
    task.keys = (moved.source_arn,)
    if moved.source_arn == move.destination.arn and options.context == options.new_context:
        raise AlreadyMovedError("It is there already.")
    with task.replacement() as target:
        target.write(plain.rewritten(moved.ciphertext, move.destination.arn))
    return task.moved("" if move.is_one_call("") else _BY_TWO_CALLS)


def _already(task: FileTask, plain: PlainCiphertext) -> AlreadyMovedError | None:
    """An error where the ciphertext is under the destination, and in the encryption context that it gets."""
    options = task.options
    if options.context != options.new_context or not options.move.is_there(plain.data, options.context):
        return None
    task.keys = (options.move.destination.arn,)
    return AlreadyMovedError("It is there already.")
