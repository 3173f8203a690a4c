"""Files from the console: signing one in the form that a tool reads, and checking a signature."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from kms_tui.atomic import FileError, file_errors, typed_path
from kms_tui.kms.model import Key
from kms_tui.signing.certificates.certificate_files import read_certificate
from kms_tui.signing.files.file_signatures import (
    FORMATS,
    SignatureFormat,
    SigningChoice,
    checked_choice,
    sign_file,
)
from kms_tui.signing.files.file_verification import (
    MOST_SIGNATURE_BYTES,
    FileVerdict,
    read_signature_file,
    verify_file,
)
from kms_tui.signing.signing_key import SigningKey
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.dialogs.form import ChoiceField, FlagField, FormField, Values
from kms_tui.ui.signing.signing_task import (
    Facts,
    SigningOutput,
    SigningTask,
    open_key,
    refuses_unless_it_signs,
)

_WORDS: Mapping[SignatureFormat, str] = {
    SignatureFormat.RAW: "raw: openssl dgst -verify",
    SignatureFormat.BASE64: "base64",
    SignatureFormat.R_S: "r‖s: JWS, wallets",
    SignatureFormat.CMS: "CMS: openssl cms -verify",
    SignatureFormat.CMS_PEM: "CMS in PEM",
    SignatureFormat.SSH: "SSH: ssh-keygen -Y verify",
    SignatureFormat.COSIGN: "cosign verify-blob --key",
}


def _file_fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    return (
        FormField("file", "File to sign", hint="of any size; it is digested here"),
        ChoiceField(
            "format",
            "Form of the signature",
            SignatureFormat.RAW,
            choices=[(words, form) for form, words in _WORDS.items()],
        ),
        ChoiceField(
            "algorithm",
            "Algorithm",
            choices=[(name, name) for name in key.algorithms],
            prompt="as is usual for the form",
        ),
        FormField("certificate", "Certificate of the key, for CMS", hint="a file in PEM or DER"),
        FlagField("low-s", "ECDSA", hint="the smaller s, as blockchains want it"),
    )


def _path(text: str, what: str) -> Path:
    if not text.strip() or "\0" in text:
        raise FileError(f"Name the file {what}.")
    return typed_path(text)


def _choice(values: Values, now: datetime) -> SigningChoice:
    certificate = None
    if values["certificate"].strip():
        path = typed_path(values["certificate"])
        with file_errors(path, "read"):
            certificate = read_certificate(path.read_bytes())
    return SigningChoice(
        SignatureFormat(values["format"]),
        values["algorithm"],
        bool(values["low-s"]),
        certificate,
        signed_at=now,
    )


def _preview_file(key: SigningKey, values: Values, now: datetime) -> Facts:
    choice = _choice(values, now)
    algorithm = checked_choice(key, choice)
    path = _path(values["file"], "to sign")
    with file_errors(path, "read"):
        size = path.stat().st_size
    return (
        ("File", f"{path}, {size:,} bytes"),
        ("Form", FORMATS[choice.format].words),
        ("Algorithm", algorithm),
        ("Key", key.arn),
    )


def _sign_file(key: SigningKey, values: Values, now: datetime) -> SigningOutput:
    choice, path = _choice(values, now), _path(values["file"], "to sign")
    algorithm = checked_choice(key, choice)
    with file_errors(path, "read"), path.open("rb") as source:
        made = sign_file(key, source, choice)
    target = f"{path}{FORMATS[choice.format].suffix}"
    command = ("kms-tui", "verify", str(path), "--signature", target, "--key", key.arn)
    facts = (("File", str(path)), ("Form", FORMATS[choice.format].words), ("Algorithm", algorithm))
    return SigningOutput(f"Signature of {path.name}", made, target, facts, (shlex.join(command),))


def _sign_command(subject: Subject, values: Values) -> Sequence[str]:
    command = ["sign", values["file"].strip() or "FILE", "--key", subject.arn, "--format", values["format"]]
    for name in ("algorithm", "certificate"):
        if values[name].strip():
            command += [f"--{name}", values[name].strip()]
    return [*command, "--low-s"] if values["low-s"] else command


def _verify_fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    return (
        FormField("file", "File that was signed"),
        FormField("signature", "File of the signature", hint="raw, base64, hex, CMS or SSH; FILE.sig"),
    )


def _verdict(key: SigningKey, values: Values) -> tuple[Path, FileVerdict]:
    path = _path(values["file"], "that was signed")
    signature = typed_path(values["signature"].strip() or f"{path}.sig")
    with file_errors(signature, "read"), signature.open("rb") as file:
        given = read_signature_file(file.read(MOST_SIGNATURE_BYTES + 1))
    with file_errors(path, "read"), path.open("rb") as source:
        return path, verify_file(source, given, key.public_key)


def _preview_verify(key: SigningKey, values: Values, now: datetime) -> Facts:
    return (("Key", key.arn), ("Public key", f"{key.spec}, SHA-256 {key.public_key.fingerprint}"))


def _verify(key: SigningKey, values: Values, now: datetime) -> SigningOutput:
    path, verdict = _verdict(key, values)
    word = "✓ GOOD" if verdict.good else "✗ NOT GOOD"
    facts = [("File", str(path)), ("Verdict", f"{word}: {verdict.sentence}"), ("Key", key.arn)]
    if verdict.algorithm:
        facts.append(("Algorithm", verdict.algorithm))
    return SigningOutput(f"{word}: {path.name}", b"", "", facts)


def _verify_command(subject: Subject, values: Values) -> Sequence[str]:
    command = ["verify", values["file"].strip() or "FILE"]
    if values["signature"].strip():
        command += ["--signature", values["signature"].strip()]
    return [*command, "--key", subject.arn]


def _refuses(key: Key) -> Reason:
    return refuses_unless_it_signs(key)


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
        refuses=_refuses,
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
        refuses=_refuses,
        preview_title="What verifies it",
        blame={
            "FileError": "file",
            "SigningError": "signature",
            "CmsError": "signature",
            "SshError": "signature",
        },
    ),
)
