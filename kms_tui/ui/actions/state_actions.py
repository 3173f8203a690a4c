"""Whether keys can be used: enable, disable, watch refused uses, connect custom key stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.widget import Widget

from kms_tui.kms.model import KeyState
from kms_tui.ui.actions.batch import change_each, confirm_change
from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.base.subject import Reason, Subject, aws_managed
from kms_tui.ui.base.words import refused_uses_of
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.mode_screen import ModeScreen


def cannot_enable(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    if subject.key is None:
        return ""
    if subject.key.state == KeyState.ENABLED:
        return "it is enabled"
    return "" if subject.key.state == KeyState.DISABLED else "only a disabled key can be enabled"


def cannot_disable(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    if subject.key is None:
        return ""
    return "" if subject.key.state == KeyState.ENABLED else "only an enabled key can be disabled"


async def enable(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """EnableKey."""
    chosen = await confirm_change(screen, subjects, "Enable", confirm="Enable", refusal=cannot_enable)
    await change_each(
        screen, chosen, lambda kms, subject: kms.enable(subject.key_id), doing="enable", done="enabled"
    )


async def disable(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """DisableKey, after saying what will fail."""
    sentences = [
        Content("Every use fails with DisabledException until enabled again."),
        Content("Nothing is lost: policy, aliases, grants and key material stay."),
    ]
    chosen = await confirm_change(
        screen,
        subjects,
        "Disable",
        sentences,
        confirm="Disable",
        refusal=cannot_disable,
        below=_who_uses(screen, subjects),
    )
    await change_each(
        screen, chosen, lambda kms, subject: kms.disable(subject.key_id), doing="disable", done="disabled"
    )


def _who_uses(screen: ModeScreen, subjects: Sequence[Subject]) -> Sequence[Widget]:
    """Whose recorded uses a disabled key refuses; for one key."""
    from kms_tui.ui.dialogs.affected_requests import affected_requests, state_change

    if screen.session is None:
        return ()
    kms = screen.kms_for(subjects[0])
    return affected_requests(screen.session, kms, subjects, state_change(KeyState.DISABLED))


def cannot_watch(subject: Subject) -> Reason:
    if subject.key is None or subject.key.state == KeyState.DISABLED:
        return ""
    return "only a disabled key can be watched: the uses that are refused are counted"


async def watch_refused_uses(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Watch a key from when it was disabled, or stop watching it (LookupEvents)."""
    (subject,) = subjects
    assert screen.session is not None
    refusal_monitor = screen.session.refusal_monitor
    if refusal_monitor is None:
        screen.host.notify("CloudTrail is not available here.", title="Watch", severity="warning")
        return
    refusals = refusal_monitor.of(subject.arn)
    if refusals is not None and refusals.error is None:
        sentences = [
            Content("The watch began when the key was disabled, or with V."),
            refused_uses_of(screen.session, subject.arn) or Content(),
        ]
        if not await screen.ask(Confirm(f"Stop watching {subject.name}?", sentences, confirm="Stop")):
            return
        refusal_monitor.end(subject.arn)
        screen.host.notify(f"{subject.name} is not watched any more.")
    else:
        refusal_monitor.begin(subject.arn, subject.region)
    screen.host.poll_refused_uses()


_STATES = {
    "CONNECTED": ("connected", "$success"),
    "CONNECTING": ("connecting…", "$accent"),
    "DISCONNECTING": ("disconnecting…", "$accent"),
    "DISCONNECTED": ("disconnected", "$warning"),
    "FAILED": ("failed", "$error"),
}
_KINDS = {"AWS_CLOUDHSM": "CloudHSM", "EXTERNAL_KEY_STORE": "external"}


async def show_key_stores(screen: ModeScreen) -> None:
    """List the custom key stores of the Region, and connect or disconnect the chosen one."""
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
        screen.host.notify(f"{kms.region} has no custom key store.")
        return
    refused = frozenset(range(len(stores))) if session.read_only else frozenset()
    title = "Custom key stores" if session.read_only else "Custom key stores: enter connects or disconnects"
    chosen = await screen.ask(Choose(title, [_store_line(each) for each in stores], disabled=refused))
    if chosen is not None:
        await _connect_or_disconnect(screen, stores[chosen])


def _store_line(store: dict[str, Any]) -> Content:
    word, colour = _STATES.get(store["ConnectionState"], (store["ConnectionState"], ""))
    code = store.get("ConnectionErrorCode", "")
    name = column(store["CustomKeyStoreName"], 28)
    kind = _KINDS.get(store.get("CustomKeyStoreType", ""), "")
    line = safe(f"{name}  {kind.ljust(10)}") + safe(word).stylize(colour)
    return line + safe(f": {code}").stylize("$error") if code else line


async def _connect_or_disconnect(screen: ModeScreen, store: dict[str, Any]) -> None:
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
