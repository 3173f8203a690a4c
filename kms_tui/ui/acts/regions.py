"""A multi-Region key: its primary and replicas together, one more replica, another primary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import Arn
from kms_tui.kms.model import Key
from kms_tui.ui.acts.base import Reason, Subject
from kms_tui.ui.acts.naming import check_description
from kms_tui.ui.acts.protection import lifted
from kms_tui.ui.background import off_loop
from kms_tui.ui.details.tab import read_fact
from kms_tui.ui.dialogs.confirm import Confirm
from kms_tui.ui.dialogs.form import ChoiceField, FlagField, Form, TextField, Values
from kms_tui.ui.dialogs.regions import MakePrimary, RegionalKey, RegionsDialog
from kms_tui.ui.safe_text import Content

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


def cannot_spread(subject: Subject) -> Reason:
    if subject.key is not None and subject.key.multi_region is None:
        return "it is a single-Region key, and stays one: create a multi-Region key instead"
    return ""


async def show_regions(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Show the key in each of its Regions; ReplicateKey and UpdatePrimaryRegion from there."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    assert screen.session is not None
    key = await screen.attempt(lambda: kms.describe(subject.key_id), doing="describe the key")
    if key is None:
        return
    if key.multi_region is None:
        screen.kms_app.notify(f"{subject.name} is a single-Region key.", severity="warning")
        return
    keys = await off_loop(lambda: _everywhere(kms, key))
    dialog = RegionsDialog(f"{subject.name} in its Regions", keys, may_change=not screen.session.read_only)
    answer = await screen.ask(dialog)
    if answer is None or not await lifted(screen, "Change its Regions", subjects):
        return
    # Both are calls on the primary, in its own Region.
    primary = kms.in_region(Arn.parse(key.multi_region.primary_arn).region)
    if isinstance(answer, MakePrimary):
        await _make_primary(screen, primary, subject, answer.region)
    else:
        await _replicate(screen, primary, subject, [each.region for each in keys])


def _everywhere(kms: Kms, key: Key) -> list[RegionalKey]:
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
    from kms_tui.backend.aws.boto_session import kms_regions

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
            lead=[
                Content("The replica is billed as a key of its own. Aliases and grants are not copied."),
            ],
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
