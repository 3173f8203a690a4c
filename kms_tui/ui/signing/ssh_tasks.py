"""OpenSSH from the console: user and host certificates that a key signs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime

from kms_tui.envelope.streams import Progress
from kms_tui.kms.model import Key
from kms_tui.signing.signing_key import SigningKey
from kms_tui.signing.ssh.ssh_certificates import (
    Holder,
    SshCertificateFields,
    SshField,
    SshFieldError,
    check_fields,
    preview,
    read_serial,
    read_validity,
    sign_certificate,
)
from kms_tui.signing.ssh.ssh_keys import MOST_LINE, SSH_KINDS
from kms_tui.ui.base.command_lines import file_word, option
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.base.typed_files import read_named
from kms_tui.ui.dialogs.form import ChoiceField, FormField, TextField, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.signing_task import SigningTask, open_key, refuses_unless_it_signs
from kms_tui.ui.widgets.facts_table import Facts

_STANDARD_INPUT = "/dev/stdin"
_FLAGS = (
    (SshField.VALID_FOR, "--valid-for"),
    (SshField.VALID_FROM, "--valid-from"),
    (SshField.IDENTITY, "--id"),
    (SshField.SERIAL, "--serial"),
)


def _refuses(key: Key) -> Reason:
    return refuses_unless_it_signs(key) or (
        "" if key.spec in SSH_KINDS else f"OpenSSH does not know {key.spec} keys"
    )


def _fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    return (
        FormField(
            SshField.PUBLIC_KEY,
            "Public key of the user or host",
            hint="a file, or the line ssh-ed25519 AAAA…",
        ),
        ChoiceField("holder", "For", Holder.USER, choices=[("a user", Holder.USER), ("a host", Holder.HOST)]),
        FormField(SshField.PRINCIPALS, "Principals: user or host names", hint="ann, root"),
        FormField(SshField.VALID_FOR, "Valid for", "8h", hint="30m, 8h, 1d12h, 52w, forever"),
        FormField(SshField.VALID_FROM, "Valid from", hint="now; or 2026-11-30T09:00"),
        FormField(SshField.IDENTITY, "Identity, for the server's log", hint="the first principal"),
        FormField(SshField.SERIAL, "Serial", hint="random"),
        TextField(SshField.OPTIONS, "Options as of ssh-keygen -O, one a line: no-pty, force-command=…"),
    )


def _read(values: Values, now: datetime) -> SshCertificateFields:
    principals = _principals(values)
    valid_after, valid_before = read_validity(values[SshField.VALID_FROM], values[SshField.VALID_FOR], now)
    fields = SshCertificateFields(
        public_key=_public_key(values[SshField.PUBLIC_KEY].strip()),
        holder=Holder(values["holder"]),
        identity=values[SshField.IDENTITY].strip() or next(iter(principals), "unnamed"),
        principals=principals,
        valid_after=valid_after,
        valid_before=valid_before,
        options=tuple(_lines(values[SshField.OPTIONS])),
        serial=read_serial(values[SshField.SERIAL]),
    )
    check_fields(fields, now)
    return fields


def _principals(values: Values) -> tuple[str, ...]:
    return tuple(values[SshField.PRINCIPALS].replace(",", " ").split())


def _file_name(values: Values) -> str:
    """Where ssh looks for the certificate: beside the public key, as ssh-keygen -s writes it."""
    text = values[SshField.PUBLIC_KEY].strip()
    name = next(iter(_principals(values)), "host").replace("/", "_") if _is_line(text) else text
    return f"{file_word(name).removesuffix('.pub')}-cert.pub"


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _is_line(text: str) -> bool:
    """Whether the public key itself was typed, rather than its file."""
    return " " in text and not os.path.exists(text)


def _public_key(text: str) -> str:
    """The line, or what stands in the file of that name."""
    if not text:
        raise SshFieldError(SshField.PUBLIC_KEY, "Name the file of the public key, or paste its line.")
    if _is_line(text):
        return text
    return read_named(text, "of the public key", MOST_LINE).decode("utf-8", "replace").strip()


def _preview(key: SigningKey, values: Values, now: datetime) -> Facts:
    """A random serial is drawn again when it is signed."""
    is_random = not values[SshField.SERIAL].strip()
    facts = preview(key, _read(values, now))
    return [(name, "random" if is_random and name == "Serial" else text) for name, text in facts]


def _make(key: SigningKey, values: Values, now: datetime, progress: Progress) -> Output:
    fields = _read(values, now)
    line = sign_certificate(key, fields, now)
    name = _file_name(values)
    return Output(
        f"SSH certificate of {fields.identity}",
        f"{line}\n".encode(),
        name,
        preview(key, fields),
        lambda name: (shlex.join(("ssh-keygen", "-L", "-f", name)),),
    )


def _command(subject: Subject, values: Values) -> Sequence[str]:
    text = values[SshField.PUBLIC_KEY].strip()
    name = _STANDARD_INPUT if _is_line(text) else file_word(text, "FILE.pub")
    command = ["ssh-cert", name, "--key", subject.arn]
    if values["holder"] == Holder.HOST:
        command.append("--host")
    for principal in _principals(values):
        command += option("--principal", principal)
    for field, flag in _FLAGS:
        command += option(flag, values[field])
    for line in _lines(values[SshField.OPTIONS]):
        command += option("-O", line)
    return [*command, "-o", _file_name(values)]


def _piped(values: Values) -> str:
    text = values[SshField.PUBLIC_KEY].strip()
    return text if _is_line(text) else ""


SSH_TASKS = (
    SigningTask(
        id="ssh-certificate",
        title="SSH certificate",
        words="for a user or a host of OpenSSH",
        confirm="Sign",
        open=open_key,
        fields=_fields,
        preview=_preview,
        make=_make,
        command=_command,
        piped=_piped,
        refuses=_refuses,
        blame={"SshError": SshField.PUBLIC_KEY, "FileError": SshField.PUBLIC_KEY},
    ),
)
