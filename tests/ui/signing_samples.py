"""What a person types into each form of "Sign…", and the files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.streams import NO_PROGRESS
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.signing_menu import TASKS
from kms_tui.ui.signing.signing_task import SigningTask

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SIGNER = "alias/ci-release-signing"
TASK = {task.id: task for task in TASKS}
_DATES = {"not-before": "2026-11-01", "not-after": "2045-12-01T12:00:00Z"}

SAMPLES: Mapping[str, Mapping[str, str]] = {
    "csr": {
        "subject": 'CN=Ann O\'Hara,O=A "quoted" $HOME',
        "dns": "www.example.com, *.example.com",
        "ip": "192.0.2.7",
        "email": "ann@example.com",
        "uri": "spiffe://example.com/web",
        "purpose": "server",
    },
    "self-sign": {"subject": "CN=Example CA", "purpose": "ca", "path-length": "1", "serial": "7", **_DATES},
    "issue": {"request": "web.csr", "authority": "ca.pem", "dns": "a.example.com", "serial": "9", **_DATES},
    "crl": {"revoke": "web.pem,keyCompromise\n0x2a", "authority": "ca.pem", "number": "3", "days": "7"},
    "show-certificate": {"file": "web.pem", "ca": "ca.pem"},
    "sign-token": {"claims": '{"sub": "ann\'s",\n "n": 1}', "audience": "api web", "issuer": "https://i"},
    "verify-token": {"token": "TOKEN", "audience": "api"},
    "sign-file": {"file": "-app of ann's", "format": "base64"},
    "verify-file": {"file": "-app of ann's", "signature": "app.sig"},
    "ssh-certificate": {
        "public-key": "ann.pub",
        "principals": "ann, root",
        "valid-from": "2026-11-20",
        "valid-for": "1000w",
        "identity": "-ann",
        "serial": "5",
        "options": "no-pty\nforce-command=/bin/echo 'hi'",
    },
    "public-key": {"format": "ssh", "comment": "-release key"},
}
"""Task -> what is typed; ``write_files`` makes the files, TOKEN stands for a token of the key."""


def subject_of(kms: Kms, alias: str) -> Subject:
    key = kms.describe(alias)
    return Subject(key.key_id, key.arn, kms.region, (alias.removeprefix("alias/"),), key)


def values_of(task: SigningTask, subject: Subject, opened: Any, given: Mapping[str, str]) -> dict[str, str]:
    values = {str(field.name): field.value for field in task.fields(subject, opened)}
    assert given.keys() <= values.keys()
    return values | dict(given)


def made(kms: Kms, task_id: str, given: Mapping[str, str], now: datetime = NOW) -> Output:
    """What a task makes of what is typed."""
    task, subject = TASK[task_id], subject_of(kms, SIGNER)
    opened = task.open(kms, subject)
    return task.make(opened, values_of(task, subject, opened, given), now, NO_PROGRESS)


def write_files(kms: Kms, now: datetime = NOW) -> dict[str, Mapping[str, str]]:
    """Make the files in the current folder; the samples, with a token in them."""
    public = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    Path("ann.pub").write_text(f"{line} ann@laptop\n")
    Path("-app of ann's").write_bytes(b"release")
    for task_id, name in (("self-sign", "ca.pem"), ("csr", "web.csr"), ("issue", "web.pem")):
        Path(name).write_bytes(made(kms, task_id, SAMPLES[task_id], now).content)
    Path("app.sig").write_bytes(made(kms, "sign-file", SAMPLES["sign-file"], now).content)
    token = made(kms, "sign-token", SAMPLES["sign-token"], now).content.decode().strip()
    return {**SAMPLES, "verify-token": {**SAMPLES["verify-token"], "token": token}}
