"""The notes of a key list: why it is empty, and which Regions could not be listed."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from kms_tui.counts import in_words
from kms_tui.inventory.listing import Unlisted, unlisted
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.view import Scope, View
from kms_tui.kms.facts import Denied, Fact, Failed, Known
from kms_tui.ui.base.safe_text import visible


class Note(NamedTuple):
    """A line of text, and the part of KeyList's look that it is drawn in."""

    look: str
    text: str


_KINDS = {Scope.CUSTOMER: "customer keys", Scope.AWS: "AWS-managed keys", Scope.ALL: "keys"}
_FAILED = {True: "was denied", False: "failed"}


def region_notes(view: View, width: int, *, most: int) -> list[Note]:
    """Each region that is not listed whole, as fully as ``most`` lines allow; the last may count the rest."""
    broken = unlisted(view.inventory.regions)
    notes = [Note("failed", _not_listed(each)) for each in broken]
    for whole in (
        [line for each in broken for line in _error_notes(each, width)],
        [line for note in notes for line in _wrapped(note.look, note.text, width)],
        notes,
    ):
        if len(whole) <= most:
            return whole
    left = len(notes) - max(0, most - 1)
    what = "accounts and regions" if len(view.inventory.accounts) > 1 else "regions"
    return [*notes[: max(0, most - 1)], Note("failed", f"{left} {what} could not be listed whole.")][:most]


def _not_listed(broken: Unlisted) -> str:
    region = broken.region
    keys_failed = isinstance(region.keys, Denied | Failed)
    what, fact = ("keys", region.keys) if keys_failed else ("aliases", region.aliases)
    return f"{broken.title}: listing its {what} {_FAILED[isinstance(fact, Denied)]}. {region.error}"


def unlisted_words(inventory: Inventory) -> str:
    """Which Regions' keys are not listed whole, and why; untrusted, "" where all are or will be."""
    broken = [region for region in inventory.regions if isinstance(region.keys, Denied | Failed)]
    return " ".join(_not_listed(each) for each in unlisted(broken))


def is_listed(inventory: Inventory) -> bool:
    """Whether all keys of all Regions are in the list."""
    return all(isinstance(region.keys, Known) for region in inventory.regions)


def nameless(aliases: Fact[int]) -> str:
    """The note on a key without a known alias: it has none, or its Region's aliases could not be listed."""
    if isinstance(aliases, Known):
        return "no alias"
    if isinstance(aliases, Denied):
        return "alias denied"
    return "alias failed" if isinstance(aliases, Failed) else "?"


def places_words(inventory: Inventory) -> str:
    """The Regions that are listed, and the accounts if there are several: names, or how many."""
    names = inventory.region_names
    where = in_words(names) if len(names) <= 3 else f"{len(names)} regions"
    accounts = len(inventory.accounts)
    return f"{accounts} accounts in {where}" if accounts > 1 else where


def empty_lines(view: View, width: int) -> list[Note]:
    """Why the list is empty, and what would help."""
    inventory = view.inventory
    where = places_words(inventory)
    if inventory.stopped is not None:
        return [Note("note", f"The keys of {where} are not listed while there are no valid credentials.")]
    notes = [line for each in unlisted(inventory.regions) for line in _error_notes(each, width)]
    if inventory.busy:
        return [*notes, Note("note", f"Listing the keys of {where}…")]
    if view.query and len(inventory):
        return _no_match(view, width) + notes
    return notes or [Note("plain", f"No {_KINDS[view.scope]} in {where}.")]


def _no_match(view: View, width: int) -> list[Note]:
    summary = view.summary()
    lines = _wrapped("plain", f"No key matches {view.query.text.strip()}", width)
    if summary.undecided:
        lines.append(
            Note("note", f"{summary.undecided:,} not yet known: what the filter asks is not read yet.")
        )
    if summary.unreadable:
        lines.append(
            Note("note", f"{summary.unreadable:,} cannot be known: what the filter asks was refused.")
        )
    if summary.names_only:
        lines.append(Note("note", f"Of {summary.names_only:,} keys only names and ids were searched."))
    return lines


def _error_notes(broken: Unlisted, width: int) -> list[Note]:
    next_step = broken.region.error.next_step if broken.region.error is not None else ""
    return _wrapped("failed", _not_listed(broken), width) + _wrapped("note", next_step, width)


def _wrapped(look: str, text: str, width: int) -> list[Note]:
    return [Note(look, line) for line in textwrap.wrap(visible(text), max(20, width), break_on_hyphens=False)]
