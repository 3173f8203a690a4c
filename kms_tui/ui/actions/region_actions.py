"""Multi-Region keys: show primary and replicas, replicate, change the primary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from textual import on
from textual.widget import Widget

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import Arn
from kms_tui.kms.facts import Denied, Fact, Known, read_fact
from kms_tui.kms.model import Key, KeyState
from kms_tui.ui.actions.tag_actions import check_description
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.base.words import STATE_WORDS
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import ChoiceField, FlagField, Form, TextField, Values
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Button, Static

_COLUMNS = (TableColumn("REGION", 18), TableColumn("ROLE", 9), TableColumn("STATE", 24, weight=1))


@dataclass(frozen=True, slots=True)
class RegionalKey:
    """The key as it is in one Region."""

    region: str
    is_primary: bool
    key: Fact[Key]


@dataclass(frozen=True, slots=True)
class Replicate:
    """Make a replica in another Region."""


@dataclass(frozen=True, slots=True)
class MakePrimary:
    """Make the replica of a Region the primary."""

    region: str


class RegionsDialog(Dialog[Replicate | MakePrimary]):
    """Shows the primary and its replicas with their states; ``may_change`` offers the two changes."""

    initial_focus = "#regions"

    def __init__(self, title: str, keys: Sequence[RegionalKey], *, may_change: bool) -> None:
        super().__init__(title)
        self.keys = keys
        self.may_change = may_change

    def compose_body(self) -> Iterable[Widget]:
        yield LineTable(_COLUMNS, id="regions")
        yield Static()
        yield Static(
            Content(
                "What one encrypts, every other can decrypt. Policy, aliases, tags, grants and state belong "
                "to each alone; rotation is the primary's."
            ),
            classes="muted",
        )

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Close"), id="cancel")
        if self.may_change:
            yield Button(Content("Make primary"), id="primary")
            yield Button(Content("Replicate…"), id="confirm", variant="primary")

    def on_mount(self) -> None:
        self.query_one(LineTable).show_rows([_row(each) for each in self.keys])

    @on(Button.Pressed, "#primary")
    def _make_primary(self) -> None:
        current = self.query_one(LineTable).current
        if any(each.region == current and each.is_primary for each in self.keys):
            self.show_error("That is the primary already: choose a replica with the arrow keys.")
            self.query_one(LineTable).focus()
        else:
            self.dismiss(MakePrimary(current))

    def confirm(self) -> None:
        self.dismiss(Replicate())


def _row(each: RegionalKey) -> TableRow:
    if isinstance(each.key, Known):
        state = each.key.value.state
        words = (STATE_WORDS.get(state, state), "good" if state == KeyState.ENABLED else "warning")
    elif isinstance(each.key, Denied):
        words = ("denied: you may not call DescribeKey there", "warning")
    else:
        words = ("not known", "warning")
    return TableRow(each.region, (each.region, "primary" if each.is_primary else "replica", words))


def cannot_replicate(subject: Subject) -> Reason:
    if subject.key is not None and subject.key.multi_region is None:
        return "it is a single-Region key, and stays one: create a multi-Region key instead"
    return ""


async def show_regions(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Show the key in each of its Regions, and offer ReplicateKey and UpdatePrimaryRegion."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    assert screen.session is not None
    key = await screen.attempt(lambda: kms.describe(subject.key_id), doing="describe the key")
    if key is None:
        return
    if key.multi_region is None:
        screen.host.notify(f"{subject.name} is a single-Region key.", severity="warning")
        return
    keys = await off_loop(lambda: _in_each_region(kms, key))
    may_change = not screen.session.account_of(subject.arn).read_only
    dialog = RegionsDialog(f"{subject.name} in its Regions", keys, may_change=may_change)
    answer = await screen.ask(dialog)
    if answer is None or not await screen.confirm_protected("Change its Regions", subjects):
        return
    # Both are calls on the primary, in its own Region.
    primary = kms.in_region(Arn.parse(key.multi_region.primary_arn).region)
    if isinstance(answer, MakePrimary):
        await _make_primary(screen, primary, subject, answer.region)
    else:
        await _replicate(screen, primary, subject, [each.region for each in keys])


def _in_each_region(kms: Kms, key: Key) -> list[RegionalKey]:
    """The primary first, then the replicas by Region; blocks."""
    assert key.multi_region is not None
    primary = Arn.parse(key.multi_region.primary_arn).region
    replicas = sorted(Arn.parse(arn).region for arn in key.multi_region.replica_arns)

    def read(region: str) -> RegionalKey:
        there = kms if region == kms.region else kms.in_region(region)
        fact = read_fact(lambda: there.describe(key.key_id))
        return RegionalKey(region, region == primary, fact)

    return [read(region) for region in [primary, *replicas]]


async def _replicate(screen: ModeScreen, primary: Kms, subject: Subject, taken: Sequence[str]) -> None:
    from kms_tui.backend.regions import kms_regions

    regions = [each for each in await off_loop(lambda: kms_regions(primary.partition)) if each not in taken]
    key = await screen.attempt(lambda: primary.describe(subject.key_id), doing="describe the primary")
    if key is None:
        return

    def submit(values: Values) -> None:
        params: dict[str, Any] = {"KeyId": subject.key_id, "ReplicaRegion": values["region"]}
        if values["policy"]:
            params["Policy"] = primary.key_policy(subject.key_id)
        if values["tags"]:
            tags = primary.tags(subject.key_id)
            params["Tags"] = [{"TagKey": tag.key, "TagValue": tag.value} for tag in tags] or None
        primary.call("ReplicateKey", Description=values["description"] or None, **params)

    values = await screen.ask(
        Form(
            f"Replicate {subject.name}",
            [
                ChoiceField(
                    "region",
                    "To which Region",
                    prompt="choose a Region",
                    choices=[(each, each) for each in regions],
                    check=lambda region: "" if region else "Choose a Region: enter, then type its name.",
                ),
                TextField("description", "Description", key.description, check=check_description),
                FlagField("policy", "Policy", "yes", hint="the primary's (else the default one)"),
                FlagField("tags", "Tags", "yes", hint="the primary's (else none)"),
            ],
            submit,
            confirm="Replicate",
            about=subject.arn,
            lead=[Content("The replica is billed as a key of its own. Aliases and grants are not copied.")],
            blame={"AlreadyExistsException": "region", "UnsupportedOperationException": "region"},
        )
    )
    if values is not None:
        screen.changed([subject], f"{subject.name} is being replicated to {values['region']}.")


async def _make_primary(screen: ModeScreen, primary: Kms, subject: Subject, region: str) -> None:
    sentences = [
        Content(f"The key in {region} becomes the primary, and the one in {primary.region} its replica."),
        Content("Both can be used all the while, but for a moment neither can be changed."),
    ]
    if await screen.ask(Confirm(f"Make {region} the primary?", sentences, confirm="Make primary")) and (
        await screen.succeeds(
            lambda: primary.call("UpdatePrimaryRegion", KeyId=subject.key_id, PrimaryRegion=region),
            doing="change the primary",
        )
    ):
        screen.changed([subject], f"{region} is becoming the primary of {subject.name}.")
