"""Custom key stores created, edited and deleted on the console, and what the backend then has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select, TextArea

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.actions.key_store_actions import KeyStores
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import Form
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.widgets.line_table import LineTable
from kms_tui.ui.widgets.virtual_list import HEADER
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, notifications, press, settled
from tests.ui.test_many_keys import Refusing, body

PASSWORD, SECRET = "kmsPswd123", "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo="
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


class Calls(Wrapper):
    """Notes the calls on key stores that change something, with their parameters."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.made: list[tuple[str, Mapping[str, Any]]] = []

    def around(self, inner: Backend) -> Calls:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation.endswith("CustomKeyStore"):
            self.made.append((operation, dict(params)))
        return self.inner.call(operation, params)


def stores(backend: Backend) -> dict[str, Mapping[str, Any]]:
    entries = backend.call("DescribeCustomKeyStores", {})["CustomKeyStores"]
    return {entry["CustomKeyStoreName"]: entry for entry in entries}


def fill(pilot: Pilot[Any], **values: str) -> None:
    for name, value in values.items():
        field = pilot.app.screen.query_one(f"#{name}")
        if isinstance(field, TextArea):
            field.text = value
        elif isinstance(field, Select):
            field.value = value
        else:
            assert isinstance(field, Input)
            field.value = value


def commands(pilot: Pilot[Any]) -> str:
    """What the session log says of its calls."""
    return str(pilot.app.export_screenshot())


def test_a_cloud_hsm_store_is_made_from_a_certificate_file_and_undone(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    file = tmp_path / "customerCA.crt"
    file.write_text(PEM + "\n")

    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        await press(pilot, "K", "n")
        assert isinstance(app.screen, Choose)
        await press(pilot, "enter")
        assert isinstance(app.screen, Form)
        fill(pilot, name="berlin", cluster="cluster-2a23b4cdefg", certificate=str(file), password=PASSWORD)
        assert PASSWORD not in app.export_screenshot()
        await press(pilot, "ctrl+s")
        assert "The key store berlin is made" in notifications(app)
        made = stores(demo)["berlin"]
        assert made["TrustAnchorCertificate"] == PEM
        assert made["ConnectionState"] == "DISCONNECTED"
        await press(pilot, "exclamation_mark")
        shown = app.export_screenshot()
        assert "create-custom-key-store" in shown
        assert PASSWORD not in shown
        await press(pilot, "1", "ctrl+z")
        assert "can be deleted only while" in body(pilot)
        await press(pilot, "ctrl+s")
        assert "berlin" not in stores(demo)

    drive(make_app(), script)


def test_an_external_store_is_made_and_its_secret_is_nowhere(make_app: MakeApp, demo: Backend) -> None:
    calls = Calls(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K", "n", "down", "enter")
        fill(
            pilot,
            name="keys-at-home",
            endpoint="https://xks.example.com",
            path="/kms/xks/v1",
            access_key="ABCDE23456723ABCDEFG",
            secret=SECRET,
        )
        await press(pilot, "ctrl+s")
        ((operation, params),) = calls.made
        assert operation == "CreateCustomKeyStore"
        assert params["XksProxyAuthenticationCredential"]["RawSecretAccessKey"] == SECRET
        assert stores(demo)["keys-at-home"]["XksProxyConfiguration"]["Connectivity"] == "PUBLIC_ENDPOINT"
        await press(pilot, "exclamation_mark")
        assert SECRET[:20] not in commands(pilot)

    drive(make_app(calls), script)


@pytest.mark.parametrize(
    ("code", "field", "words"),
    [
        ("CloudHsmClusterNotActiveException", "cluster", "activate the cluster"),
        ("IncorrectTrustAnchorException", "certificate", "customerCA.crt"),
        ("CustomKeyStoreNameInUseException", "name", "Choose another name"),
    ],
)
def test_a_refusal_is_explained_beside_its_field_and_the_secret_is_not_kept(
    make_app: MakeApp, demo: Backend, code: str, field: str, words: str
) -> None:
    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "CreateCustomKeyStore":
            raise ServiceError(code, "", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        await press(pilot, "K", "n", "enter")
        fill(pilot, name="berlin", cluster="cluster-2a23b4cdefg", certificate=PEM, password=PASSWORD)
        await press(pilot, "ctrl+s")
        assert words in str(app.screen.query_one(f"#{field}-error").render())
        assert app.screen.query_one("#password", Input).value == PASSWORD
        await press(pilot, "escape", "K", "n", "enter")
        assert app.screen.query_one("#name", Input).value == "berlin"
        assert app.screen.query_one("#password", Input).value == ""
        assert PASSWORD not in repr(app.form_drafts)

    drive(make_app(Refusing(demo, refuse)), script)


def test_the_copied_text_of_a_secret_field_is_none(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K", "n", "enter")
        fill(pilot, password=PASSWORD)
        field = pilot.app.screen.query_one("#password", Input)
        field.focus()
        field.action_select_all()
        await press(pilot, "ctrl+c", "ctrl+x")
        assert pilot.app.clipboard == ""
        assert field.value == PASSWORD

    drive(make_app(), script)


def test_editing_sends_what_changed_alone(make_app: MakeApp, demo: Backend) -> None:
    calls = Calls(demo)
    (name,) = stores(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K", "e")
        await press(pilot, "ctrl+s")
        assert "Nothing is changed yet." in body(pilot)
        assert calls.made == []
        fill(pilot, name="renamed")
        await press(pilot, "ctrl+s")
        ((operation, params),) = calls.made
        assert (operation, set(params)) == (
            "UpdateCustomKeyStore",
            {"CustomKeyStoreId", "NewCustomKeyStoreName"},
        )
        assert list(stores(demo)) == ["renamed"]
        await press(pilot, "ctrl+z", "ctrl+s")
        assert list(stores(demo)) == [name]

    drive(make_app(calls), script)


def test_a_connected_store_says_what_must_wait(make_app: MakeApp, demo: Backend) -> None:
    calls = Calls(demo)
    (store,) = stores(demo).values()
    demo.call("ConnectCustomKeyStore", {"CustomKeyStoreId": store["CustomKeyStoreId"]})

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K", "e")
        fill(pilot, password=PASSWORD)
        await press(pilot, "ctrl+s")
        assert "must be disconnected" in body(pilot)
        await press(pilot, "escape", "K", "D")
        assert "Disconnect it first" in notifications(pilot.app)  # type: ignore[arg-type]
        assert not isinstance(pilot.app.screen, Dialog)

    drive(make_app(calls), script)
    assert calls.made == []


def add_store(backend: Backend, name: str) -> None:
    backend.call(
        "CreateCustomKeyStore",
        {
            "CustomKeyStoreName": name,
            "CloudHsmClusterId": "cluster-2a23b4cdefg",
            "KeyStorePassword": PASSWORD,
            "TrustAnchorCertificate": PEM,
        },
    )


def test_a_store_with_keys_is_not_deleted_and_an_empty_one_after_its_name(
    make_app: MakeApp, demo: Backend
) -> None:
    calls = Calls(demo)
    add_store(demo, "empty")

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K", "D")
        assert "Schedule their deletion" in notifications(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "K", "down", "D")
        await press(pilot, *"else", "ctrl+s")
        assert "That is not the name" in body(pilot)
        assert calls.made == []
        pilot.app.screen.query_one("#typed-name", Input).value = "empty"
        await press(pilot, "ctrl+s")
        assert [operation for operation, _ in calls.made] == ["DeleteCustomKeyStore"]
        assert "empty" not in stores(demo)

    drive(make_app(calls), script)


async def click(pilot: Pilot[Any], button: str) -> None:
    await pilot.click(button)
    await settled(pilot)


async def click_store(pilot: Pilot[Any], place: int, times: int = 1) -> None:
    await pilot.click("#choices", offset=(6, HEADER + place), times=times)
    await settled(pilot)


def test_by_mouse_alone_the_second_store_is_edited_and_deleted(make_app: MakeApp, demo: Backend) -> None:
    first = next(iter(stores(demo)))
    add_store(demo, "second")

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        for place in (0, 0, 1):
            await click_store(pilot, place)
            assert isinstance(pilot.app.screen, KeyStores), "a click opens nothing"
        await click(pilot, "#edit")
        assert pilot.app.screen.query_one("#name", Input).value == "second"
        fill(pilot, name="renamed")
        await click(pilot, "#confirm")
        assert set(stores(demo)) == {first, "renamed"}
        await press(pilot, "K")
        await click_store(pilot, 1)
        await click(pilot, "#delete")
        assert isinstance(pilot.app.screen, Confirm)
        pilot.app.screen.query_one("#typed-name", Input).value = "renamed"
        await click(pilot, "#confirm")
        assert set(stores(demo)) == {first}

    drive(make_app(), script)


def test_by_mouse_alone_a_button_connects_and_a_double_click_too(make_app: MakeApp, demo: Backend) -> None:
    calls = Calls(demo)
    add_store(demo, "second")
    demo.call("ConnectCustomKeyStore", {"CustomKeyStoreId": stores(demo)["second"]["CustomKeyStoreId"]})

    def button(pilot: Pilot[Any]) -> str:
        return str(pilot.app.screen.query_one("#connect", Button).label)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        assert button(pilot) == "Connect…"
        await click_store(pilot, 1)
        assert button(pilot) == "Disconnect…"
        await click(pilot, "#connect")
        assert "Disconnect second?" in body(pilot)
        await click(pilot, "#cancel")
        await press(pilot, "K")
        await click_store(pilot, 1, times=2)
        await click(pilot, "#confirm")
        assert [operation for operation, _ in calls.made] == ["DisconnectCustomKeyStore"]
        assert stores(demo)["second"]["ConnectionState"] != "CONNECTED"

    drive(make_app(calls), script)


def test_a_read_only_session_changes_no_key_store_and_says_so(make_app: MakeApp, demo: Backend) -> None:
    calls = Calls(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        assert not pilot.app.screen.query("#create, #edit, #delete")
        for key in ("n", "e", "D"):
            await press(pilot, key)
            assert isinstance(pilot.app.screen, KeyStores)
        told = notifications(pilot.app)  # type: ignore[arg-type]
        for word in ("New", "Edit", "Delete"):
            assert f"{word} is refused: this session is read-only." in told

    drive(make_app(calls, read_only=True), script)
    assert calls.made == []


def test_a_region_without_key_stores_offers_to_make_one(make_app: MakeApp, demo: Backend) -> None:
    class NoStores(Wrapper):
        def around(self, inner: Backend) -> NoStores:
            return NoStores(inner)

        def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            answer = self.inner.call(operation, params)
            return {"CustomKeyStores": []} if operation == "DescribeCustomKeyStores" else answer

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        assert "eu-west-1 has no custom key store." in body(pilot)
        assert not pilot.app.screen.query(LineTable)
        await press(pilot, "e", "D")
        assert "eu-west-1 has no custom key store." in body(pilot)
        await press(pilot, "n")
        assert isinstance(pilot.app.screen, Choose)

    drive(make_app(NoStores(demo)), script)
