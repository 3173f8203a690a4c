"""Files from the console: signing one in the form that a tool reads, and checking a signature."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from kms_tui.atomic import FileError, file_errors
from kms_tui.envelope.streams import Progress
from kms_tui.signing.certificates.certificate_files import MOST_BYTES, read_certificate
from kms_tui.signing.files.cms import CmsSignature
from kms_tui.signing.files.file_signatures import (
    FORMATS,
    SignatureFormat,
    SigningChoice,
    Ticks,
    checked_choice,
    sign_file,
)
from kms_tui.signing.files.file_verification import (
    MOST_SIGNATURE_BYTES,
    FileVerdict,
    GivenSignature,
    RawSignature,
    read_signature_file,
    verify_file,
)
from kms_tui.signing.signature_forms import has_two_forms
from kms_tui.signing.signing_key import SigningKey
from kms_tui.signing.ssh.ssh_signatures import SshSignature
from kms_tui.ui.base.command_lines import file_option, file_word, option
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.typed_files import named_file, read_named
from kms_tui.ui.dialogs.form import ChoiceField, FlagField, FormField, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.signing_task import SigningTask, blamed_on, open_key, refuses_unless_it_signs
from kms_tui.ui.widgets.facts_table import Facts

_WORDS: Mapping[SignatureFormat, str] = {
    SignatureFormat.RAW: "raw: openssl dgst -verify",
    SignatureFormat.BASE64: "base64",
    SignatureFormat.R_S: "r‖s: JWS, wallets",
    SignatureFormat.CMS: "CMS: openssl cms -verify",
    SignatureFormat.CMS_PEM: "CMS in PEM",
    SignatureFormat.SSH: "SSH: ssh-keygen -Y verify",
    SignatureFormat.COSIGN: "cosign verify-blob --key",
}

_KINDS = {CmsSignature: "CMS", SshSignature: "SSH"}
_SUFFIXES = tuple(dict.fromkeys(facts.suffix for facts in FORMATS.values()))


def _file_fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    is_ecdsa = has_two_forms(key.spec)
    forms = [form for form in SignatureFormat if is_ecdsa or form is not SignatureFormat.R_S]
    low_s = FlagField("low-s", "ECDSA", hint="the smaller s, as blockchains want it")
    return (
        FormField("file", "File to sign", hint="of any size; it is digested here"),
        ChoiceField(
            "format",
            "Form of the signature",
            SignatureFormat.RAW,
            choices=[(_WORDS[form], form) for form in forms],
        ),
        ChoiceField(
            "algorithm",
            "Algorithm",
            choices=[(name, name) for name in key.algorithms],
            prompt="as is usual for the form",
        ),
        FormField("certificate", "Certificate of the key, for CMS", hint="a file in PEM or DER"),
        *([low_s] if is_ecdsa else []),
    )


def _choice(values: Values, now: datetime) -> SigningChoice:
    certificate = None
    if values["certificate"].strip():
        with blamed_on("certificate"):
            content = read_named(values["certificate"], "of the key's certificate", MOST_BYTES)
            certificate = read_certificate(content)
    return SigningChoice(
        SignatureFormat(values["format"]),
        values["algorithm"],
        bool(values.get("low-s")),
        certificate,
        signed_at=now,
    )


def _preview_file(key: SigningKey, values: Values, now: datetime) -> Facts:
    choice = _choice(values, now)
    algorithm = checked_choice(key, choice)
    path = named_file(values["file"], "to sign")
    with file_errors(path, "read"):
        size = path.stat().st_size
    return (
        ("File", f"{path}, {size:,} bytes"),
        ("Form", FORMATS[choice.format].words),
        ("Algorithm", algorithm),
        ("Key", key.arn),
    )


def _sign_file(key: SigningKey, values: Values, now: datetime, progress: Progress) -> Output:
    choice, path = _choice(values, now), named_file(values["file"], "to sign")
    algorithm = checked_choice(key, choice)
    with file_errors(path, "read"), path.open("rb") as source:
        made = sign_file(key, source, choice, _ticks(source, progress))
    target = f"{path}{FORMATS[choice.format].suffix}"

    def check(name: str) -> Sequence[str]:
        return "verify", file_word(str(path)), "--signature", file_word(name), "--key", key.arn

    facts = (("File", str(path)), ("Form", FORMATS[choice.format].words), ("Algorithm", algorithm))
    return Output(f"Signature of {path.name}", made, target, facts, check=check)


def _ticks(source: BinaryIO, progress: Progress) -> Ticks:
    """Tells how much of a file is read; raises CancelledByUserError to stop."""
    total = os.fstat(source.fileno()).st_size
    return lambda done: progress.tick(done, total)


def _sign_command(subject: Subject, values: Values) -> Sequence[str]:
    form = SignatureFormat(values["format"])
    command = ["sign", file_word(values["file"]), "--key", subject.arn, "--format", form]
    command += option("--algorithm", values["algorithm"])
    if form in (SignatureFormat.CMS, SignatureFormat.CMS_PEM):
        command += file_option("--certificate", values["certificate"])
    return [*command, "--low-s"] if values.get("low-s") else command


def _verify_fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    return (
        FormField("file", "File that was signed"),
        FormField("signature", "File of the signature", hint="raw, base64, hex, CMS or SSH; FILE.sig"),
    )


def _given(values: Values) -> tuple[Path, str, GivenSignature]:
    """The file, the name of its signature's file, and what is in that."""
    path = named_file(values["file"], "that was signed")
    with blamed_on("signature"):
        name = values["signature"].strip() or _signature_beside(path)
        return path, name, read_signature_file(read_named(name, "of the signature", MOST_SIGNATURE_BYTES))


def _verdict(key: SigningKey, values: Values, progress: Progress) -> tuple[Path, FileVerdict]:
    path, _, given = _given(values)
    with file_errors(path, "read"), path.open("rb") as source:
        return path, verify_file(source, given, key.public_key, ticks=_ticks(source, progress))


def _signature_beside(path: Path) -> str:
    """The file that ``kms-tui sign`` writes beside a file, in whichever form."""
    beside = [f"{path}{suffix}" for suffix in _SUFFIXES]
    found = next((name for name in beside if Path(name).is_file()), None)
    if found is None:
        raise FileError(f"There is no signature beside it: none of {', '.join(beside)}.")
    return found


def _preview_verify(key: SigningKey, values: Values, now: datetime) -> Facts:
    path, name, given = _given(values)
    kind = f"{len(given.data):,} bytes" if isinstance(given, RawSignature) else _KINDS[type(given)]
    with file_errors(path, "read"):
        size = path.stat().st_size
    return (
        ("File", f"{path}, {size:,} bytes"),
        ("Signature", f"{name}, {kind}"),
        ("Key", key.arn),
        ("Public key", f"{key.spec}, SHA-256 {key.public_key.fingerprint}"),
    )


def _verify(key: SigningKey, values: Values, now: datetime, progress: Progress) -> Output:
    path, verdict = _verdict(key, values, progress)
    word = "✓ GOOD" if verdict.good else "✗ NOT GOOD"
    facts = [("File", str(path)), ("Verdict", f"{word[0]} {verdict.sentence}"), ("Key", key.arn)]
    if verdict.algorithm:
        facts.append(("Algorithm", verdict.algorithm))
    return Output(f"{word}: {path.name}", b"", "", facts, is_bad=not verdict.good)


def _verify_command(subject: Subject, values: Values) -> Sequence[str]:
    signature = file_option("--signature", values["signature"])
    return ["verify", file_word(values["file"]), *signature, "--key", subject.arn]


FILE_TASKS = (
    SigningTask(
        id="sign-file",
        title="Sign a file",
        words="raw, base64, r‖s, CMS, SSH, cosign",
        confirm="Sign",
        open=open_key,
        fields=_file_fields,
        preview=_preview_file,
        make=_sign_file,
        command=_sign_command,
        refuses=refuses_unless_it_signs,
        blame={"FileError": "file", "CertificateFileError": "certificate", "SigningError": "format"},
    ),
    SigningTask(
        id="verify-file",
        title="Verify a file",
        words="a signature in any of these forms",
        confirm="Verify",
        open=open_key,
        fields=_verify_fields,
        preview=_preview_verify,
        make=_verify,
        command=_verify_command,
        refuses=refuses_unless_it_signs,
        preview_title="What will be verified",
        blame={
            "FileError": "file",
            "SigningError": "signature",
            "CmsError": "signature",
            "SshError": "signature",
        },
    ),
)
