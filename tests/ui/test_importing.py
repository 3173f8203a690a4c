"""Key material of one's own, from the console: imported, deleted, imported again, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from textual.pilot import Pilot
from textual.widgets import Input, Select

from kms_tui import data_files
from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import Secret
from kms_tui.public_key import PublicKey
from kms_tui.session import BackendKind
from kms_tui.ui.actions.import_actions import check_material_description
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import Form
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, go_to, notifications, press, state_of
from tests.ui.test_many_keys import Refusing, body


def external(backend: Backend, **params: Any) -> str:
    """A new key that awaits material, called ``mine``."""
    params = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "EXTERNAL", **params}
    key = str(backend.call("CreateKey", params)["KeyMetadata"]["KeyId"])
    backend.call("CreateAlias", {"AliasName": "alias/mine", "TargetKeyId": key})
    return key


def failing(backend: Backend, times: int) -> Refusing:
    """The same, but so many imports fail before one succeeds."""
    refusals = [ServiceError("KMSInternalException") for _ in range(times)]

    def refuse(operation: str, _: object) -> None:
        if operation == "ImportKeyMaterial" and refusals:
            raise refusals.pop()

    return Refusing(backend, refuse)


async def fill_in(pilot: Pilot[Any], path: Path, *, days: str = "", source: str = "file") -> None:
    pilot.app.screen.query_one("#source", Select).value = source
    pilot.app.screen.query_one("#path", Input).value = str(path)
    pilot.app.screen.query_one("#days", Input).value = days
    await press(pilot, "ctrl+s")


def test_a_file_is_imported_deleted_and_only_the_same_file_comes_back(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    key = external(demo)
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.write_bytes(bytes(range(32)))
    other.write_bytes(bytes(32))

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        await fill_in(pilot, mine, days="30")
        metadata = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
        assert (metadata["KeyState"], metadata["ValidTo"]) == ("Enabled", NOW + timedelta(days=30))
        sealed = demo.call("Encrypt", {"KeyId": key, "Plaintext": b"kept"})["CiphertextBlob"]
        await press(pilot, "Z")
        pilot.app.screen.query_one("#typed-name", Input).focus()
        await press(pilot, *"mine", "enter")
        assert state_of(demo, key) == "PendingImport"
        await press(pilot, "I")
        await fill_in(pilot, other)
        assert isinstance(pilot.app.screen, Form)
        assert "IncorrectKeyMaterialException" in body(pilot)
        await fill_in(pilot, mine)
        assert demo.call("Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"kept"

    drive(make_app(), script)


def test_the_key_material_is_described_and_keeps_its_description(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    key, mine = external(demo), tmp_path / "mine"
    mine.write_bytes(bytes(range(32)))

    def described() -> str:
        listed = demo.call("ListKeyRotations", {"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"})
        return str(listed["Rotations"][0]["KeyMaterialDescription"])

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        pilot.app.screen.query_one("#material_description", Input).value = "<b>"
        await fill_in(pilot, mine)
        assert "letters, digits, blanks" in body(pilot)
        pilot.app.screen.query_one("#material_description", Input).value = " Safe 7: escrow/2026 "
        await fill_in(pilot, mine)
        assert described() == "Safe 7: escrow/2026"
        await press(pilot, "enter", "right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "Safe 7: escrow/2026" in body(pilot)
        await press(pilot, "escape", "I")
        await fill_in(pilot, mine)
        assert described() == "Safe 7: escrow/2026"

    drive(make_app(), script, size=(80, 24))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("", True),
        ("a" * 256, True),
        ("two words: a/b_c.d-e", True),
        ("a" * 257, False),
        ("\u00e9", False),
        ("\u0661", False),
        ("a\0b", False),
        ("a;b", False),
    ],
)
def test_a_description_is_of_the_characters_that_kms_takes(text: str, good: bool) -> None:
    assert (check_material_description(text) == "") is good


def test_material_that_is_not_for_symmetric_encryption_has_no_description(
    make_app: MakeApp, demo: Backend
) -> None:
    external(demo, KeySpec="HMAC_384", KeyUsage="GENERATE_VERIFY_MAC")

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        assert pilot.app.screen.query("#days")
        assert not pilot.app.screen.query("#material_description")

    drive(make_app(), script)


def test_random_material_is_on_disk_for_its_owner_alone_before_it_is_imported(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    key = external(demo, KeySpec="HMAC_384", KeyUsage="GENERATE_VERIFY_MAC")
    path = tmp_path / "fresh"

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        await fill_in(pilot, path, source="random")
        assert state_of(demo, key) == "Enabled"
        assert len(path.read_bytes()) == 48
        assert path.stat().st_mode & 0o777 == 0o600

    drive(make_app(), script)


def test_a_file_that_exists_is_never_overwritten_and_one_that_does_not_is_told(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    key, path = external(demo), tmp_path / "precious"
    path.write_bytes(b"precious")

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        await fill_in(pilot, path, source="random")
        assert "exists already; it was not touched" in body(pilot)
        assert path.read_bytes() == b"precious"
        await fill_in(pilot, tmp_path / "nowhere")
        assert "could not be read" in body(pilot)
        await fill_in(pilot, path, days="366")
        assert pilot.app.screen.query_one("#days-error").has_class("-shown")
        assert state_of(demo, key) == "PendingImport"

    drive(make_app(), script)


def test_fresh_random_bytes_are_what_is_imported_after_an_attempt_with_a_file_failed(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    """The key's material can be restored from the file that the form named last, and from no other."""
    key = external(demo)
    short, path = tmp_path / "short", tmp_path / "fresh"
    short.write_bytes(bytes(31))

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        await fill_in(pilot, short)
        assert isinstance(pilot.app.screen, Form)
        await fill_in(pilot, path, source="random")
        assert state_of(demo, key) == "Enabled"
        assert len(path.read_bytes()) == 32
        await restored_from(pilot, demo, key, path)

    drive(make_app(), script)


async def restored_from(pilot: Pilot[Any], demo: Backend, key: str, path: Path) -> None:
    """The key's material is deleted and imported again from a file; what was encrypted before opens."""
    sealed = demo.call("Encrypt", {"KeyId": key, "Plaintext": b"kept"})["CiphertextBlob"]
    demo.call("DeleteImportedKeyMaterial", {"KeyId": key})
    await press(pilot, "r", "I")
    await fill_in(pilot, path)
    assert demo.call("Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"kept"


def test_fresh_random_bytes_are_sent_again_from_their_file_after_a_failed_call(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    key, path, other = external(demo), tmp_path / "fresh", tmp_path / "other"

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        await fill_in(pilot, path, source="random")
        first = path.read_bytes()
        await fill_in(pilot, other, source="random")
        assert other.read_bytes() != first
        await fill_in(pilot, path, source="random")
        assert path.read_bytes() == first
        assert state_of(demo, key) == "Enabled"
        await restored_from(pilot, demo, key, path)

    drive(make_app(failing(demo, 2)), script)


def test_a_fresh_file_that_somebody_changed_is_neither_sent_nor_overwritten(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    key, path = external(demo), tmp_path / "fresh"

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        await fill_in(pilot, path, source="random")
        path.write_bytes(bytes(32))
        await fill_in(pilot, path, source="random")
        assert "exists already; it was not touched" in body(pilot)
        assert path.read_bytes() == bytes(32)
        assert state_of(demo, key) == "PendingImport"

    drive(make_app(failing(demo, 1)), script)


def test_an_import_token_outlives_the_console_that_saved_its_wrapping_key(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(data_files, "import_root", lambda: tmp_path / "imports")
    key, calls = external(demo), list[str]()
    wrapping_key, wrapped = tmp_path / "wrapping.pem", tmp_path / "wrapped"
    backend = Refusing(demo, lambda operation, _: calls.append(operation))

    async def save(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        await fill_in(pilot, wrapping_key, source="save")

    async def use(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        assert "kept until 2026-11-21 12:00" in body(pilot)
        public = load_pem_public_key(wrapping_key.read_bytes())
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        wrapped.write_bytes(PublicKey(der).wrap(Secret(bytes(range(32))), "RSA_AES_KEY_WRAP_SHA_256"))
        await press(pilot, "I")
        await fill_in(pilot, wrapped, source="wrapped")
        assert state_of(demo, key) == "Enabled"
        assert list((tmp_path / "imports").iterdir()) == []

    for script in (save, use):
        drive(make_app(backend, kind=BackendKind.LOCAL), script)
    assert calls.count("GetParametersForImport") == 1


def test_material_is_wrapped_elsewhere_while_its_token_is_kept_and_shown(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    key, calls = external(demo), list[str]()
    wrapping_key, wrapped = tmp_path / "wrapping.pem", tmp_path / "wrapped"

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "mine")
        await press(pilot, "I")
        assert "good until 2026-11-21 12:00, in 1 d" in body(pilot)
        await fill_in(pilot, wrapping_key, source="save")
        assert "kept until 2026-11-21 12:00, in 1 d" in body(pilot)
        assert state_of(demo, key) == "PendingImport"
        public = load_pem_public_key(wrapping_key.read_bytes())
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        wrapped.write_bytes(PublicKey(der).wrap(Secret(bytes(range(32))), "RSA_AES_KEY_WRAP_SHA_256"))
        await press(pilot, "I")
        assert calls.count("GetParametersForImport") == 1, "the token is kept until it is used"
        await fill_in(pilot, wrapped, source="wrapped")
        assert state_of(demo, key) == "Enabled"
        assert "kept until" not in body(pilot)
        await press(pilot, "I")
        assert calls.count("GetParametersForImport") == 2

    drive(make_app(Refusing(demo, lambda operation, _: calls.append(operation))), script)


def test_a_key_of_kms_own_material_says_why_it_takes_none(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "I")
        assert not isinstance(pilot.app.screen, Dialog)
        assert "Only a key made for imported" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)
