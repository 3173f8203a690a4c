"""``kms-tui`` command lines that do what the console does, for a shell: quoted, on its connection."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from kms_tui.atomic import typed_path
from kms_tui.session import BackendKind, Connection


def option(flag: str, value: str) -> list[str]:
    """A flag with its value, "" for none; a value that looks like a flag is joined to it."""
    value = value.strip()
    if not value:
        return []
    if not value.startswith("-"):
        return [flag, value]
    return [f"{flag}={value}" if flag.startswith("--") else f"{flag}{value}"]


def file_word(text: str, instead: str = "FILE") -> str:
    """A file's name as an argument; ``instead`` where none was typed. The shell expands no quoted ``~``."""
    name = str(typed_path(text)) if text.strip() else instead
    return f"./{name}" if name.startswith("-") else name


def file_option(flag: str, text: str) -> list[str]:
    """A flag with a file, or nothing."""
    return [flag, file_word(text)] if text.strip() else []


def shell_line(arguments: Sequence[str], piped: str, connection: Connection) -> str:
    """The line; ``piped`` is what it reads from standard input. Without ``--key`` it connects to nothing."""
    flags = connection_flags(connection) if "--key" in arguments else []
    line = shlex.join(("kms-tui", *arguments, *flags))
    return f"printf '%s\\n' {shlex.quote(piped)} | {line}" if piped else line


def connection_flags(connection: Connection) -> list[str]:
    """The flags of a connection, for a command that names keys by ARN: the Region is that of each."""
    caller = option("--as", connection.caller_arn or "")
    if connection.kind is BackendKind.DEMO:
        return ["--demo", *caller]
    if connection.kind is BackendKind.LOCAL:
        store = file_option("--store", str(connection.store)) if connection.store else ["--local"]
        return [*store, *caller]
    return [
        *option("--profile", connection.profile or ""),
        *option("--endpoint-url", connection.endpoint_url or ""),
    ]


def account_flags(connection: Connection) -> list[str]:
    """The flags of the accounts that are listed together, for a command that reads all of them."""
    chosen = connection.accounts
    if chosen is None:
        return []
    text = f"file://{chosen.file}" if chosen.file is not None else chosen.title
    return [*option("--accounts", text), *option("--role", chosen.role)]
