"""Moves a sops file: the wrapped data key alone; values, MAC and the form of the text stay."""

from __future__ import annotations

from datetime import UTC

from kms_tui.envelope import sops_file
from kms_tui.envelope.sops_file import NewEntry, SopsFile, SopsFileError, WrappedDataKey
from kms_tui.kms.errors import KmsTuiError
from kms_tui.reencryption.file_task import FileOutcome, FileTask
from kms_tui.reencryption.key_move import MovedCiphertext


def move_sops(task: FileTask, text: str, file: SopsFile) -> FileOutcome:
    """Move the keys of a sops file. Raises KmsTuiError; the file is then as it was."""
    options, move = task.options, task.options.move
    task.form = f"sops, {file.form}"
    named = [key.arn.value for key in file.keys]
    task.keys = tuple(dict.fromkeys(named))
    arns = {name: move.key_of(name) for name in task.keys}
    going = move.concerned([arns[name] for name in named])
    entries = [key for key in file.keys if arns[key.arn.value] in going]
    told = "Its data key alone is wrapped anew."
    if file.is_split:
        told = f"Fragments of its data key wrapped anew: {len(entries)}."
    if not all(move.is_one_call(key.arn.value) for key in entries):
        told += " It passes through memory, by Decrypt and Encrypt."
    roles = sorted({key.role for key in entries} - {""})
    if roles:
        told += f" sops opens it as {', '.join(roles)}, which must be allowed to use the new key."
    if options.dry_run:
        for key in entries:
            move.try_move(key.blob(), key.arn.value, key.context, key.context)
        return task.moved(told)
    moved: dict[tuple[bytes, str], MovedCiphertext] = {}  # its documents repeat their keys
    new: list[tuple[WrappedDataKey, NewEntry]] = []
    created = options.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for key in entries:
        wanted = key.blob(), repr(sorted(key.context.items()))
        if wanted not in moved:
            moved[wanted] = move.move(wanted[0], key.arn.value, key.context, key.context)
        new.append((key, NewEntry(move.destination.arn, moved[wanted].ciphertext, created)))
    content = sops_file.replaced(text, new)
    if options.read_back:
        _verify(task, content, new)
    if options.check_sops is not None:
        options.check_sops(content.encode(), file.form)
    with task.replacement() as target:
        target.write(content.encode())
    return task.moved(told)


def _verify(task: FileTask, content: str, new: list[tuple[WrappedDataKey, NewEntry]]) -> None:
    """Read the new text as a sops file: its new entries open, to the data key with which the MAC opens.

    Fragments of a data key are compared with what the old entries hold.
    """
    move = task.options.move
    file = sops_file.read(content)
    found = [] if file is None else [k for k in file.keys if k.arn.value == move.destination.arn]
    for old, entry in new:
        same = next((key for key in found if key.blob() == entry.ciphertext), None)
        if file is None or same is None or same.context != old.context:
            raise SopsFileError("the text with the new key does not read as one")
        try:
            opened = move.open(entry.ciphertext, same.context).reveal()
        except KmsTuiError as error:
            raise KmsTuiError(
                f"Its data key was moved to {move.destination.arn}, but could not be read back: {error}",
                next_step=error.next_step,
            ) from error
        if file.is_split:
            kms = move.source_kms(old.arn.value)
            before = kms.decrypt(old.blob(), key=old.arn.value, context=old.context or None)
            right = before.plaintext.reveal() == opened
        else:
            right = sops_file.opens_mac(file, opened)
        if not right:
            raise SopsFileError("what its KMS key holds is not its data key: its MAC does not open with it")
