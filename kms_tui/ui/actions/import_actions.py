"""Imported key material: wrap it here, import, reimport, delete."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kms_tui.atomic import atomic_file, file_errors, typed_path
from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT, Family
from kms_tui.kms.model import ImportParameters, Key, KeyOrigin, KeyState, Secret
from kms_tui.session import Session
from kms_tui.ui.actions.batch import change_each
from kms_tui.ui.actions.export_actions import check_path
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Reason, Subject, aws_managed
from kms_tui.ui.base.words import when_words
from kms_tui.ui.dialogs.form import ChoiceField, Form, FormField, Values
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.mode_screen import ModeScreen

_WRAPPING_SPEC, _WRAPPING_ALGORITHM = "RSA_4096", "RSA_AES_KEY_WRAP_SHA_256"
"""The one combination that wraps material of every type and size."""
_FILE, _RANDOM, _SAVE, _WRAPPED = "file", "random", "save", "wrapped"
_NEW, _EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
_MAX_DAYS = 365
_LARGEST = 8192
"""Bytes; no key material is larger, so a larger file was chosen by mistake."""
_HMAC_BYTES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}


def cannot_import(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    if subject.key is None:
        return ""
    if subject.key.origin != KeyOrigin.EXTERNAL:
        return "only a key made for imported key material takes any"
    return "its deletion is scheduled" if subject.key.pending_deletion else ""


def cannot_delete_material(subject: Subject) -> Reason:
    if reason := cannot_import(subject):
        return reason
    waits = subject.key is not None and subject.key.state == KeyState.PENDING_IMPORT
    return "it has no key material" if waits else ""


def random_size(spec: str) -> int | None:
    """The size in bytes of random key material for a spec; None where random bytes are no key."""
    known = KEY_SPECS.get(spec)
    if known is None:
        return None
    return 32 if known.family is Family.SYMMETRIC else _HMAC_BYTES.get(spec)


def _check_days(text: str) -> str:
    text = text.strip()
    if not text or (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MAX_DAYS):
        return ""
    return f"Key material lasts 1 to {_MAX_DAYS} days, or (left empty) for good."


_DESCRIPTION = re.compile(r"[a-zA-Z0-9:/_\s.-]{0,256}", re.ASCII)


def check_material_description(text: str) -> str:
    """What is wrong with a description, or "" (ImportKeyMaterial: KeyMaterialDescription)."""
    if _DESCRIPTION.fullmatch(text.strip()):
        return ""
    return "A description may have 256 letters, digits, blanks and : / _ . - only."


class FreshMaterial:
    """Random key material, written to disk before it is used: KMS never returns material.

    After a failed import the same material is used again.
    """

    def __init__(self) -> None:
        self._written: dict[Path, bytes] = {}

    def at(self, path: Path, spec: str) -> Secret:
        """The bytes of this file where this object wrote them, else new ones in a new file.

        Raises FileError; AlreadyThereError where this object did not write the file, or it has changed.
        """
        written = self._written.get(path)
        if written is None or not path.exists() or _read(path) != written:
            size = random_size(spec)
            assert size is not None
            written = secrets.token_bytes(size)
            with atomic_file(path) as file:
                file.write(written)
            self._written[path] = written
        return Secret(written)


def import_material(
    kms: Kms, key: Key, parameters: ImportParameters, wrapped: bytes, values: Values, now: datetime
) -> None:
    """ImportKeyMaterial, with material wrapped under the parameters' key."""
    days = values["days"].strip()
    members: dict[str, Any] = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    if days:
        members = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": now + timedelta(days=int(days))}
    kms.call(
        "ImportKeyMaterial",
        KeyId=key.key_id,
        ImportToken=parameters.token,
        EncryptedKeyMaterial=wrapped,
        ImportType=values.get("type"),
        KeyMaterialDescription=values.get("material_description", "").strip() or None,
        **members,
    )


def _parameters(kms: Kms, session: Session, key: Key) -> ImportParameters:
    """The kept parameters of this key, or new ones (GetParametersForImport)."""
    held = session.held_import(key.arn)
    if held is None:
        answer = kms.call(
            "GetParametersForImport",
            KeyId=key.key_id,
            WrappingAlgorithm=_WRAPPING_ALGORITHM,
            WrappingKeySpec=_WRAPPING_SPEC,
        )
        held = session.imports[key.arn] = ImportParameters.from_api(answer)
    return held


def _read(path: Path) -> bytes:
    with file_errors(path, "read"), path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise KmsTuiError(f"{path} is too large for key material.")
    return content


async def import_key_material(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Import key material: the first, the same again, or new material to rotate to."""
    (subject,) = subjects
    kms, session = screen.kms_for(subject), screen.session
    assert session is not None
    key = await screen.attempt(lambda: kms.describe(subject.key_id), doing="describe the key")
    if key is None:
        return
    parameters = await screen.attempt(
        lambda: _parameters(kms, session, key), doing="get a wrapping key and an import token"
    )
    if parameters is None:
        return
    fresh = FreshMaterial()

    def submit(values: Values) -> None:
        from kms_tui.public_key import PublicKey

        # Parameters that expired while the form was open are replaced, unless material is wrapped under them.
        current = parameters if values["source"] == _WRAPPED else _parameters(kms, session, key)
        path = typed_path(values["path"])
        if values["source"] == _SAVE:
            with atomic_file(path) as file:
                file.write(PublicKey(current.public_key).pem.encode())
            session.keep_import(key.arn)
            return
        if values["source"] == _WRAPPED:
            wrapped = _read(path)
        else:
            material = fresh.at(path, key.spec) if values["source"] == _RANDOM else Secret(_read(path))
            wrapped = PublicKey(current.public_key).wrap(material, _WRAPPING_ALGORITHM)
        import_material(kms, key, current, wrapped, values, session.now())
        session.forget_import(key.arn)

    until = when_words(parameters.valid_to, session.now(), time=True)
    values = await screen.ask(
        Form(
            f"Import key material into {subject.name}",
            _fields(key),
            submit,
            confirm="Go on",
            about=subject.arn,
            lead=[
                Content(
                    "It is wrapped under a key that KMS gives out for this once. KMS never gives it back: "
                    "keep the file safe, the key can be restored only from it."
                ),
                Content("Import token  ").stylize("$foreground-muted")
                + Content(f"{_WRAPPING_SPEC}, {_WRAPPING_ALGORITHM}; good until {until}"),
            ],
            blame={"IncorrectKeyMaterialException": "path", "InvalidCiphertextException": "path"},
        )
    )
    if values is None:
        return
    if values["source"] == _SAVE:
        screen.host.notify(
            f"The wrapping key is in {values['path'].strip()}. Wrap the material under it and come back: "
            f"the import token is kept until {until}.",
            timeout=12,
        )
        screen.post_message(KeysChanged(subject.key_id))
    else:
        screen.changed(subjects, f"Key material is imported into {subject.name}.")


def _fields(key: Key) -> list[FormField]:
    sources = [("the bytes of this file", _FILE)]
    if random_size(key.spec) is not None:
        sources.append(("fresh random bytes, which are written to this file first", _RANDOM))
    sources += [
        ("wrapped elsewhere: save the wrapping key to this file", _SAVE),
        ("wrapped elsewhere: this file, under the saved key", _WRAPPED),
    ]
    fields: list[FormField] = [
        ChoiceField("source", "Key material", _FILE, choices=sources),
        FormField("path", "File", hint="raw bytes; private keys in DER (PKCS #8)", check=check_path),
        FormField("days", "Expires after how many days", hint="empty: never", check=_check_days),
    ]
    if key.spec == SYMMETRIC_DEFAULT:
        fields.append(
            FormField(
                "material_description",
                "Description of the key material",
                hint="empty: none, or as it was before",
                check=check_material_description,
            )
        )
    if key.spec == SYMMETRIC_DEFAULT and key.current_key_material_id:
        types = [("what it had before, again", _EXISTING), ("new material, to rotate to", _NEW)]
        fields.insert(0, ChoiceField("type", "This is", _EXISTING, choices=types))
    return fields


async def delete_material(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """DeleteImportedKeyMaterial."""
    (subject,) = subjects
    sentences = [
        Content("The key cannot be used from then on, until the very same material is imported again."),
        Content("Without a copy of it, nothing encrypted under this key can ever be decrypted."),
    ]
    dialog = Confirm(
        f"Delete the key material of {subject.name}?",
        sentences,
        confirm="Delete material",
        danger=True,
        type_to_confirm=subject.confirm_names,
    )
    if await screen.ask(dialog):
        await change_each(
            screen,
            subjects,
            lambda kms, each: kms.call("DeleteImportedKeyMaterial", KeyId=each.key_id),
            doing="delete the key material of",
            done="has no key material until it is imported again",
        )
