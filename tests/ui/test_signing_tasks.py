"""The tasks of "Sign…" without the console: whatever is typed, a preview ends, with a sentence."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

import kms_tui.ui
from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.cli import main
from kms_tui.envelope.streams import NO_PROGRESS
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import BackendKind, Connection
from kms_tui.ui.base.command_lines import shell_line
from kms_tui.ui.dialogs.form import ChoiceField, FlagField, TextField
from kms_tui.ui.signing.signing_form import command_line
from kms_tui.ui.signing.signing_menu import TASKS
from kms_tui.ui.signing.signing_task import SigningTask
from tests.ui.signing_samples import NOW, SIGNER, TASK, subject_of, values_of, write_files

DEMO = Connection(BackendKind.DEMO)

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


_MANY_LINES = "a\n" * 1_000_000


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
    """Each field in turn holds something bad, and the others what is good."""
    kms = Kms(demo)
    subject = subject_of(kms, SIGNER)
    opened = task.open(kms, subject)
    good = values_of(task, subject, opened, write_files(kms)[task.id])
    assert preview_ends(task, opened, good) is None
    for field in task.fields(subject, opened):
        if isinstance(field, ChoiceField | FlagField):
            continue
        for text in (*_NASTY, *([_MANY_LINES] if isinstance(field, TextField) else [])):
            preview_ends(task, opened, good | {str(field.name): text})
            line = command_line(task, subject, good | {str(field.name): text}, DEMO)
            assert len(line) > 1000 or "kms-tui" in shlex.split(line)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_the_command_line_does_the_same(
    task: SigningTask, demo: Backend, folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    """A shell takes it apart, and the command, with its own parser and the same KMS, makes the same."""
    kms, now = Kms(demo), datetime.now(UTC)
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda connection: demo)
    subject = subject_of(kms, SIGNER)
    opened = task.open(kms, subject)
    values = values_of(task, subject, opened, write_files(kms, now)[task.id])
    line = command_line(task, subject, values, DEMO)
    script = f'kms-tui() {{ printf "%s\\0" "$@"; if [ -p /dev/stdin ]; then cat; fi; }}; {line}'
    said = subprocess.run(["bash", "-c", script], capture_output=True, check=True, stdin=subprocess.DEVNULL)
    *arguments, piped = said.stdout.decode().split("\0")
    agreed = []
    if task.id == "issue":  # in a terminal it asks; the console has shown what will be signed
        agreed = ["--yes"]
        Path("web.pem").unlink()
    before = {path.name for path in folder.iterdir()}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped.encode())))
    assert main([*arguments, *agreed]) == 0
    written = [path for path in folder.iterdir() if path.name not in before]
    content = written[0].read_bytes() if written else capfdbinary.readouterr().out
    expected = task.make(opened, values, now, NO_PROGRESS)
    assert _SAME[task.id](content) == _SAME[task.id](expected.content or b"")
    if expected.file_name and written and task.id not in ("csr", "self-sign"):
        assert written[0].name == Path(expected.file_name).name


@pytest.mark.parametrize(
    ("task_id", "load", "name"),
    [
        ("csr", x509.load_der_x509_csr, "request.csr"),
        ("self-sign", x509.load_der_x509_certificate, "certificate.der"),
        ("issue", x509.load_der_x509_certificate, "web.der"),
        ("crl", x509.load_der_x509_crl, "ca.crl"),
    ],
)
def test_certificates_are_made_in_der_too(
    task_id: str, load: Callable[[bytes], object], name: str, demo: Backend, folder: Path
) -> None:
    kms, task = Kms(demo), TASK[task_id]
    subject = subject_of(kms, SIGNER)
    opened = task.open(kms, subject)
    values = values_of(task, subject, opened, {**write_files(kms)[task_id], "format": "der"})
    output = task.make(opened, values, NOW, NO_PROGRESS)
    load(output.content)
    arguments = list(task.command(subject, values))
    assert arguments[arguments.index("--format") + 1] == "der"
    assert Path(output.file_name).name == Path(arguments[-1]).name == name
    assert any("DER" in line for line in output.checks(output.file_name))


def _signed_part(content: bytes) -> object:
    """What is signed of a certificate, CSR or CRL: the signature itself has a random part."""
    if b"REQUEST" in content:
        return x509.load_pem_x509_csr(content).tbs_certrequest_bytes
    if b"X509 CRL" in content:
        crl = x509.load_pem_x509_crl(content)
        return [(each.serial_number, list(each.extensions)) for each in crl], list(crl.extensions)
    return x509.load_pem_x509_certificate(content).tbs_certificate_bytes


def _claims(content: bytes) -> object:
    """The header and the claims of a token; it was signed within a minute of the other."""
    header, claims, _ = content.split(b".")
    parts = [json.loads(base64.urlsafe_b64decode(part + b"==")) for part in (header, claims)]
    return [{name: value for name, value in part.items() if name not in ("iat", "exp")} for part in parts]


def _ssh_signed_part(content: bytes) -> object:
    certificate = load_ssh_public_identity(content)
    assert isinstance(certificate, SSHCertificate)
    return (
        certificate.serial,
        certificate.key_id,
        certificate.valid_principals,
        certificate.valid_after,
        certificate.valid_before,
        certificate.critical_options,
        certificate.extensions,
    )


def _nothing(content: bytes) -> object:
    """It prints a verdict, and makes nothing: the exit code tells."""
    return None


_SAME: Mapping[str, Callable[[bytes], object]] = {
    "csr": _signed_part,
    "self-sign": _signed_part,
    "issue": _signed_part,
    "crl": _signed_part,
    "show-certificate": _nothing,
    "sign-token": _claims,
    "verify-token": _nothing,
    "sign-file": lambda content: len(base64.b64decode(content)) in range(132, 144),
    "verify-file": _nothing,
    "ssh-certificate": _ssh_signed_part,
    "public-key": bytes,
}


@pytest.mark.parametrize(
    ("connection", "flags"),
    [
        (Connection(BackendKind.AWS), ""),
        (
            Connection(BackendKind.AWS, profile="a b", endpoint_url="http://x"),
            " --profile 'a b' --endpoint-url http://x",
        ),
        (Connection(BackendKind.LOCAL), " --local"),
        (Connection(BackendKind.LOCAL, store=Path("/s.db"), caller_arn="arn:x"), " --store /s.db --as arn:x"),
        (Connection(BackendKind.DEMO), " --demo"),
    ],
)
def test_the_command_line_is_for_the_same_connection(connection: Connection, flags: str) -> None:
    assert shell_line(["verify", "f", "--key", "k"], "", connection) == f"kms-tui verify f --key k{flags}"
    assert shell_line(["cert", "show", "f"], "", connection) == "kms-tui cert show f"


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


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_no_style_sheet_is_about_the_id_of_a_field(task: SigningTask, demo: Backend) -> None:
    """The scratchpad's sheet is read into the app when it is first opened: its #form narrowed a field."""
    sheets = "".join(path.read_text() for path in Path(kms_tui.ui.__path__[0]).rglob("*.tcss"))
    styled = set(re.findall(r"#([a-z][a-z-]*)", sheets))
    kms = Kms(demo)
    subject = subject_of(kms, SIGNER)
    assert not styled & {str(field.name) for field in task.fields(subject, task.open(kms, subject))}
