"""Custom key stores of the Region: their list, connect, disconnect, create, edit, delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Click, Key
from textual.widget import Widget

from kms_tui.session import Session
from kms_tui.ui.actions.key_store_forms import (
    BLAME,
    CLOUD_HSM,
    EXTERNAL,
    changed_params,
    create_fields,
    create_params,
    edit_fields,
    kind_of,
)
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, safe, visible
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import Form, FormField
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Button, Static

_STATES = {
    "CONNECTED": ("connected", "good"),
    "CONNECTING": ("connecting…", "accent"),
    "DISCONNECTING": ("disconnecting…", "accent"),
    "DISCONNECTED": ("disconnected", "warning"),
    "FAILED": ("failed", "danger"),
}
"""The word for a state, and its look in the list."""
_KINDS = {CLOUD_HSM: "CloudHSM", EXTERNAL: "external"}

Store = Mapping[str, Any]
"""An entry of DescribeCustomKeyStores."""


Act = Literal["connect", "create", "edit", "delete"]


class StoreChoice(NamedTuple):
    """What to do, and to which key store of the list; -1 where it is a new one."""

    act: Act
    place: int = -1


class StoreChange(NamedTuple):
    """A key and a button of the list."""

    act: Act
    key: str
    word: str
    tooltip: str

    @property
    def binding_id(self) -> str:
        return f"key-stores.{self.act}"


_CHANGES: Mapping[str, StoreChange] = {
    each.act: each
    for each in (
        StoreChange("create", "n", "New", "Create a key store (CreateCustomKeyStore)"),
        StoreChange("edit", "e", "Edit", "Change its name and what backs it (UpdateCustomKeyStore)"),
        StoreChange("delete", "D", "Delete", "Delete an empty key store (DeleteCustomKeyStore)"),
    )
}


_COLUMNS = (TableColumn("NAME", 28, weight=1), TableColumn("KIND", 10), TableColumn("STATE", 14, weight=2))


class StoreTable(LineTable):
    """The key stores; a click only moves the cursor, for the buttons below, and a double click chooses."""

    def row_clicked(self, index: int, event: Click) -> None:
        self.move_to(index)
        if event.chain > 1:
            self.action_select()


class KeyStores(Dialog[StoreChoice]):
    """The list of key stores; enter connects or disconnects, the other keys create, edit and delete."""

    HELP = (
        "The custom key stores of this Region. Enter or a double click connects the one under the cursor, or "
        "disconnects it; "
        "the keys in a store work only while it is connected. A key store is deleted only while it is "
        "disconnected and has no keys."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(each.key, f"choose('{each.act}')", each.word, id=each.binding_id, tooltip=each.tooltip)
        for each in _CHANGES.values()
    ]
    dialog_classes = "-list"

    def __init__(self, stores: Sequence[Store], no_store: str, *, read_only: bool) -> None:
        title = "Custom key stores"
        super().__init__(title if read_only or not stores else f"{title}: enter connects or disconnects")
        self.stores = stores
        self.no_store = no_store
        self.read_only = read_only
        self.initial_focus = "#choices" if stores else "#create"

    def compose_body(self) -> Iterable[Widget]:
        if self.stores:
            yield StoreTable(_COLUMNS, id="choices")
        else:
            yield Static(safe(self.no_store), classes="dialog-line")

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")
        for each in _CHANGES.values():
            if self.check_action("choose", (each.act,)):
                variant: Literal["default", "error"] = "error" if each.act == "delete" else "default"
                yield Button(Content(f"{each.word}…"), id=each.act, variant=variant)
        if self.check_action("choose", ("connect",)):
            yield Button(Content(), id="connect", variant="primary")

    def on_mount(self) -> None:
        super().on_mount()
        for table in self.query(StoreTable):
            table.show_rows([_store_row(store) for store in self.stores])

    @property
    def _place(self) -> int:
        """The index of the key store under the cursor."""
        return self.query_one(StoreTable).cursor

    @on(LineTable.Highlighted)
    def _moved(self) -> None:
        for button in self.query("#connect").results(Button):
            button.label = Content(f"{_connection_verb(self.stores[self._place])}…")

    def keys_line(self) -> Content:
        line = super().keys_line()
        for each in _CHANGES.values():
            if self.check_action("choose", (each.act,)):
                shown = host_of(self).shown_key(each.binding_id, each.key)
                line += Content("   ") + Content.styled(shown, "$accent") + Content(f" {each.word}")
        return line

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose":
            return not self.read_only and (parameters[0] == "create" or bool(self.stores))
        return super().check_action(action, parameters)

    def on_key(self, event: Key) -> None:
        changes = ((each.binding_id, each.key, each.word) for each in _CHANGES.values())
        host_of(self).explain_refused_key(event.key, changes)

    def action_choose(self, act: Act) -> None:
        self.dismiss(StoreChoice(act) if act == "create" else StoreChoice(act, self._place))

    @on(Button.Pressed, "#create, #edit, #delete, #connect")
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_choose(cast(Act, event.button.id))

    @on(LineTable.Selected)
    def _chosen(self) -> None:
        if not self.read_only:
            self.action_choose("connect")


async def show_key_stores(screen: ModeScreen) -> None:
    """List the custom key stores of the Region, and do what is chosen there."""
    session = screen.session
    if session is None:
        return
    kms = session.kms
    stores = await screen.attempt(
        lambda: [s for page in kms.pages("DescribeCustomKeyStores", "CustomKeyStores", 1000) for s in page],
        doing="list the custom key stores",
    )
    if stores is None:
        return
    none = f"{kms.region} has no custom key store."
    if not stores and session.current.read_only:
        screen.host.notify(none)
        return
    choice = await screen.ask(KeyStores(stores, none, read_only=session.current.read_only))
    if choice is None or session.current.read_only:
        return
    if choice.act == "create":
        await _create(screen, session)
        return
    acts = {"connect": _connect_or_disconnect, "edit": _edit, "delete": _delete}
    await acts[choice.act](screen, session, stores[choice.place])


def _store_row(store: Store) -> TableRow:
    word, look = _STATES.get(store["ConnectionState"], (store["ConnectionState"], "plain"))
    if code := store.get("ConnectionErrorCode", ""):
        word, look = f"{word}: {code}", "danger"
    kind = _KINDS.get(store.get("CustomKeyStoreType", ""), "")
    return TableRow(store["CustomKeyStoreId"], ((store["CustomKeyStoreName"], "strong"), kind, (word, look)))


def _connection_verb(store: Store) -> str:
    return "Disconnect" if store["ConnectionState"] == "CONNECTED" else "Connect"


async def _connect_or_disconnect(screen: ModeScreen, session: Session, store: Store) -> None:
    kms, name, verb = session.kms, store["CustomKeyStoreName"], _connection_verb(store)
    connected = verb == "Disconnect"
    if connected:
        operation = "DisconnectCustomKeyStore"
        sentences = [Content("None of its keys can be used until it is connected again.")]
    else:
        operation = "ConnectCustomKeyStore"
        sentences = [Content("It can take 20 minutes; its keys can be used from then on.")]
    dialog = Confirm(f"{verb} {name}?", sentences, confirm=verb, danger=connected)
    if await screen.ask(dialog) and await screen.succeeds(
        lambda: kms.call(operation, CustomKeyStoreId=store["CustomKeyStoreId"]),
        doing=f"{verb.lower()} {name}",
    ):
        screen.changed((), f"{name} is {'dis' if connected else ''}connecting.")


_NEW_KINDS = (
    (CLOUD_HSM, "CloudHSM", "The keys are made in a CloudHSM cluster of yours, and never leave it."),
    (EXTERNAL, "external", "The keys stay in a key manager outside of AWS, which KMS asks through a proxy."),
)


async def _create(screen: ModeScreen, session: Session) -> None:
    kms = session.kms
    entries = [
        Content(title) + Content.styled(f"\n  {words}", "$foreground-muted") for _, title, words in _NEW_KINDS
    ]
    chosen = await screen.ask(Choose("New custom key store: of which kind?", entries))
    if chosen is None:
        return
    kind, title, _ = _NEW_KINDS[chosen]
    lead = ["It is made disconnected; connect it before keys can be created in it."]
    if kind == CLOUD_HSM:
        lead.append("KMS changes the password of kmsuser when it connects: give the present one here.")
    else:
        lead.append("KMS asks the proxy at once, and makes nothing where that does not answer as it should.")
    values = await screen.ask(
        _form(
            f"New {title} key store",
            create_fields(kind),
            lambda values: kms.call("CreateCustomKeyStore", **create_params(kind, values)),
            confirm="Create",
            lead=lead,
            about=kms.region,
        )
    )
    if values is not None:
        screen.changed((), f"The key store {values['name'].strip()} is made. Connect it with K, enter.")


async def _edit(screen: ModeScreen, session: Session, store: Store) -> None:
    kms, name = session.kms, store["CustomKeyStoreName"]
    if kind_of(store) == EXTERNAL:
        lead = ["Only what you change is sent. While connected: the name, the path and the credential alone."]
    else:
        lead = ["Only what you change is sent. While connected: the name alone."]
    lead.append("Undo brings back all but a secret, which AWS never tells.")
    values = await screen.ask(
        _form(
            f"Edit {name}",
            edit_fields(store),
            lambda values: kms.call("UpdateCustomKeyStore", **changed_params(store, values)),
            confirm="Save",
            lead=lead,
            about=store["CustomKeyStoreId"],
        )
    )
    if values is not None:
        screen.changed((), f"{name} is changed.")


def _form(
    title: str, fields: Sequence[FormField], submit: Any, *, confirm: str, lead: Sequence[str], about: str
) -> Form:
    names = {field.name for field in fields}
    blame = {error: field for error, field in BLAME.items() if field in names}
    return Form(
        title,
        fields,
        submit,
        confirm=confirm,
        lead=[Content(each) for each in lead],
        blame=blame,
        about=about,
    )


async def _delete(screen: ModeScreen, session: Session, store: Store) -> None:
    kms, store_id, name = session.kms, store["CustomKeyStoreId"], store["CustomKeyStoreName"]
    if reason := _cannot_delete(session, store):
        screen.host.notify(reason, title=f"Delete {name}", severity="warning", timeout=12)
        return
    sentences = [
        Content("KMS forgets the key store. Its cluster or its proxy, and what they hold, stay as they are."),
        Content("It cannot be undone: a new key store has another id, and needs the password or the secret."),
    ]
    dialog = Confirm(
        f"Delete the key store {name}?",
        sentences,
        confirm="Delete",
        danger=True,
        type_to_confirm=[each for each in (name, store_id) if visible(each) == each],
    )
    if await screen.ask(dialog) and await screen.succeeds(
        lambda: kms.call("DeleteCustomKeyStore", CustomKeyStoreId=store_id), doing=f"delete {name}"
    ):
        screen.changed((), f"The key store {name} is deleted.")


def _cannot_delete(session: Session, store: Store) -> str:
    """Why KMS would refuse, as far as it is known; KMS refuses keys that are not read yet."""
    if store["ConnectionState"] not in ("DISCONNECTED", "FAILED"):
        word = _STATES.get(store["ConnectionState"], (store["ConnectionState"], ""))[0]
        return f"The key store is {word}. Disconnect it first, with enter on the list."
    store_id = store["CustomKeyStoreId"]
    held = [
        row
        for row in session.inventory.rows()
        if not row.gone and row.key and row.key.custom_key_store_id == store_id
    ]
    if not held:
        return ""
    names = ", ".join((*row.aliases, row.key_id)[0] for row in held[:3])
    more = "" if len(held) <= 3 else " …"
    return (
        f"{counted(len(held), 'key')} in it: {names}{more}. "
        "Schedule their deletion with D, and wait until they are deleted."
    )
