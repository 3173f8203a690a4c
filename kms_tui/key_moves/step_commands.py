"""The steps of a move as commands of a POSIX shell, with the AWS CLI.

What the read of a step answers goes to the call through the file $INPUT, which its owner alone can read, and
never stands on a command line: it may be a secret. (Version 1 of the AWS CLI cannot read it from a pipe.) A
variable stands in a text as a mark until that is quoted.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kms_tui.command_text import service_words, waiter_words
from kms_tui.key_moves.move import Done, MoveStep, ServiceCall, VersionRead, Wait, filled

_OPEN, _CLOSE = "⟦", "⟧"
_MARK = re.compile(f"{_OPEN}([A-Z_]+){_CLOSE}")
NEW_KEY_NAME = "NEW_KEY"
"""The variable with the new key's ARN; in a preview, the id of a key that is still to be made."""
NEW_KEY = f"{_OPEN}{NEW_KEY_NAME}{_CLOSE}"
"""Stands for the new key's ARN in values of templates."""
_INPUT = f"{_OPEN}INPUT{_CLOSE}"
_BEGINS_A_URL = "://"
_ESCAPE = r"s/`/\\`/g"
"""The sed command that writes a backslash before each backtick."""


def can_be_said(name: str) -> bool:
    """Whether a name can stand in a command: it is printable, and nothing on the way expands it."""
    return name.isprintable() and not any(sign in name for sign in (_OPEN, _CLOSE, _BEGINS_A_URL))


def quoted(word: str) -> str:
    """A word for the shell; marked variables are expanded, nothing else is."""
    pieces = _MARK.split(word)
    texts = [
        f'"${piece}"' if index % 2 else shlex.quote(piece)
        for index, piece in enumerate(pieces)
        if piece or len(pieces) == 1
    ]
    return "".join(texts)


def line_of(words: Iterable[str]) -> str:
    """A command line of quoted words."""
    return " ".join(map(quoted, words))


def commands(steps: Sequence[MoveStep | Wait], values: Mapping[str, str]) -> Iterator[str]:
    """The commands of a move; ``values`` fill in its templates, and texts in them are printable."""
    known = dict(values)
    for step in steps:
        if isinstance(step, Wait):
            yield line_of(waiter_words(step.service, step.waiter, filled(step.params, known)))
            continue
        yield _command(step, known)
        name, _ = step.keeps
        if name:
            known[name] = f"{_OPEN}{name.upper()}{_CLOSE}"


def _command(step: MoveStep, values: Mapping[str, str]) -> str:
    words, lines = _words(step.call, values), []
    if step.version_read is not None and step.read is not None:
        words += ["--cli-input-json", f"file://{_INPUT}"]
        lines = _of_version(step, step.read, step.version_read, values)
    elif step.read is not None:
        words += ["--cli-input-json", f"file://{_INPUT}"]
        lines = [f"{line_of(_queried(step.read, step.taken, values))} > {quoted(_INPUT)}"]
    name, _ = step.keeps
    command = _kept(step, words)
    lines.append(f"{name.upper()}=$({command})" if name else command)
    if step.done is None:
        return "\n".join(lines)
    inner = "\n".join(f"    {line}" for line in lines)
    return f"if {_unless(step.done, values)}; then\n{inner}\nfi"


def _of_version(
    step: MoveStep, read: ServiceCall, further: VersionRead, values: Mapping[str, str]
) -> list[str]:
    """The commands that write what both reads answer of the newest version into the file $INPUT.

    The first answer becomes a literal in the expression on the second, where a backtick ends it.
    """
    known = {**values, "version": f"{_OPEN}VERSION{_CLOSE}"}
    merged = f"merge({further.taken}, `{_OPEN}CONTENT{_CLOSE}`)"
    return [
        f"VERSION=$({line_of(_queried(read, further.newest, values))})",
        f"CONTENT=$({line_of(_queried(read, step.taken, known))})",
        f"CONTENT=$(printf '%s' {quoted(f'{_OPEN}CONTENT{_CLOSE}')} | sed {shlex.quote(_ESCAPE)})",
        f"{line_of(_queried(further.call, merged, known))} > {quoted(_INPUT)}",
    ]


def _queried(call: ServiceCall, expression: str, values: Mapping[str, str]) -> list[str]:
    # As JSON: of a text the AWS CLI gives the expression each page by itself.
    return [*_words(call, values), "--query", filled(expression, values), "--output", "json"]


def _kept(step: MoveStep, words: Sequence[str]) -> str:
    name, path = step.keeps
    return line_of([*words, "--query", path, "--output", "text"] if name else words)


def _unless(done: Done, values: Mapping[str, str]) -> str:
    """A test that fails where the step is done already; where its read fails, the step runs."""
    left_alone, _ = done.left_alone
    path = f"({left_alone} && {_raw(done.value)}) || {done.path}" if left_alone else done.path
    if done.paged:
        text = f"{line_of(_queried(done.read, path, values))} | tr -d '\"'"
    else:
        text = line_of([*_words(done.read, values), "--query", filled(path, values), "--output", "text"])
    return f'[ "$({text})" != {quoted(filled(done.value, values))} ]'


def _raw(value: str) -> str:
    """A text of a template as a literal of JMESPath."""
    return f'`"{value}"`'


def _words(call: ServiceCall, values: Mapping[str, str]) -> list[str]:
    return service_words(call.service, call.operation, filled(call.params, values))
