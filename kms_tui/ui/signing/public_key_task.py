"""The public key from the console: in each form that it has, with its fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.streams import Progress
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Key
from kms_tui.public_key import PublicKey
from kms_tui.signing.public_key_forms import PublicKeyForm, fingerprints, forms_of, written
from kms_tui.ui.base.command_lines import option
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.dialogs.form import ChoiceField, FormField, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.signing_task import SigningTask
from kms_tui.ui.widgets.facts_table import Facts

_WORDS = {
    PublicKeyForm.PEM: "PEM",
    PublicKeyForm.DER: "DER",
    PublicKeyForm.PKCS1: "PKCS #1 PEM",
    PublicKeyForm.JWK: "JWK",
    PublicKeyForm.SSH: "a line of OpenSSH",
}


def _open(kms: Kms, subject: Subject) -> PublicKey:
    return PublicKey.from_api(kms.call("GetPublicKey", KeyId=subject.arn))


def _fields(subject: Subject, key: PublicKey) -> Sequence[FormField]:
    choices = [(_WORDS[form], form) for form in forms_of(key)]
    return (
        ChoiceField("format", "Form", PublicKeyForm.PEM, choices=choices),
        FormField("comment", "Comment of the OpenSSH line", subject.arn),
    )


def _preview(key: PublicKey, values: Values, now: datetime) -> Facts:
    return (("Key spec", key.spec), *fingerprints(key))


def _make(key: PublicKey, values: Values, now: datetime, progress: Progress) -> Output:
    form = PublicKeyForm(values["format"])
    content = written(key, form, values["comment"].strip())
    name = "key.pub" if form is PublicKeyForm.SSH else f"public.{form}"
    return Output(f"Public key as {_WORDS[form]}", content, name, _preview(key, values, now))


def _command(subject: Subject, values: Values) -> Sequence[str]:
    command = ["public-key", "--key", subject.arn, "--format", values["format"]]
    comment = values["comment"].strip()
    if values["format"] == PublicKeyForm.SSH and comment != subject.arn:
        command += option("--comment", comment) or ["--comment", ""]
    return [*command, "-o", "public.der"] if values["format"] == PublicKeyForm.DER else command


def _refuses(key: Key) -> Reason:
    spec = KEY_SPECS.get(key.spec)
    if spec is not None and not spec.is_asymmetric:
        return "it is a symmetric key, which has no public half"
    return "" if key.enabled else f"its state is {key.state}"


PUBLIC_KEY_TASK = SigningTask(
    id="public-key",
    title="Public key",
    words="PEM, DER, JWK, OpenSSH, fingerprints",
    confirm="Show",
    open=_open,
    fields=_fields,
    preview=_preview,
    make=_make,
    command=_command,
    refuses=_refuses,
    preview_title="What others know it by",
)
