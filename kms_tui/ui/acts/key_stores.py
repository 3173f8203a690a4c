"""Custom key stores: the state of each, connect and disconnect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.dialogs.confirm import Confirm
from kms_tui.ui.safe_text import Content, column, safe

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen

_STATES = {
    "CONNECTED": ("connected", "$success"),
    "CONNECTING": ("connecting…", "$accent"),
    "DISCONNECTING": ("disconnecting…", "$accent"),
    "DISCONNECTED": ("disconnected", "$warning"),
    "FAILED": ("failed", "$error"),
}
_KINDS = {"AWS_CLOUDHSM": "CloudHSM", "EXTERNAL_KEY_STORE": "external"}


async def show_key_stores(screen: ModeScreen) -> None:
    """List the custom key stores of the region; the chosen one is connected, or disconnected."""
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
    if not stores:
        screen.kms_app.notify(f"{kms.region} has no custom key store.")
        return
    refused = frozenset(range(len(stores))) if session.read_only else frozenset()
    title = "Custom key stores" if session.read_only else "Custom key stores: enter connects or disconnects"
    chosen = await screen.ask(Choose(title, [_line(each) for each in stores], disabled=refused))
    if chosen is not None:
        await _switch(screen, stores[chosen])


def _line(store: dict[str, Any]) -> Content:
    word, colour = _STATES.get(store["ConnectionState"], (store["ConnectionState"], ""))
    code = store.get("ConnectionErrorCode", "")
    name = column(store["CustomKeyStoreName"], 28)
    kind = _KINDS.get(store.get("CustomKeyStoreType", ""), "")
    line = safe(f"{name}  {kind.ljust(10)}") + safe(word).stylize(colour)
    return line + safe(f": {code}").stylize("$error") if code else line


async def _switch(screen: ModeScreen, store: dict[str, Any]) -> None:
    assert screen.session is not None
    kms, name = screen.session.kms, store["CustomKeyStoreName"]
    connected = store["ConnectionState"] == "CONNECTED"
    if connected:
        title, verb, operation = f"Disconnect {name}?", "Disconnect", "DisconnectCustomKeyStore"
        sentences = [Content("None of its keys can be used until it is connected again.")]
    else:
        title, verb, operation = f"Connect {name}?", "Connect", "ConnectCustomKeyStore"
        sentences = [Content("It can take 20 minutes; its keys can be used from then on.")]
    if await screen.ask(Confirm(title, sentences, confirm=verb, danger=connected)) and await screen.succeeds(
        lambda: kms.call(operation, CustomKeyStoreId=store["CustomKeyStoreId"]),
        doing=f"{verb.lower()} {name}",
    ):
        screen.changed((), f"{name} is {'dis' if connected else ''}connecting.")
