"""What a list of keys says in words: when it is empty, and about regions that could not be listed."""

from __future__ import annotations

import textwrap

from kms_tui.inventory.listing import Region
from kms_tui.inventory.view import Scope, View
from kms_tui.kms.facts import Denied, Failed
from kms_tui.ui.safe_text import visible

Note = tuple[str, str]
"""A look of KeyList's and a line of text."""

_KINDS = {Scope.CUSTOMER: "customer keys", Scope.AWS: "AWS-managed keys", Scope.ALL: "keys"}


def region_notes(view: View) -> list[Note]:
    """One line for each region that is not listed whole."""
    return [("failed", _not_listed(region)) for region in view.inventory.regions if region.error is not None]


def _not_listed(region: Region) -> str:
    what, fact = (
        ("keys", region.keys) if isinstance(region.keys, Denied | Failed) else ("aliases", region.aliases)
    )
    return f"{region.name}: listing its {what} {_FAILED[isinstance(fact, Denied)]}. {region.error}"


_FAILED = {True: "was denied", False: "failed"}


def empty_lines(view: View, width: int) -> list[Note]:
    """Why there is nothing to see, and what would help."""
    inventory = view.inventory
    where = ", ".join(region.name for region in inventory.regions)
    if inventory.stopped is not None:
        return _wrapped("failed", str(inventory.stopped), width) + _wrapped(
            "note", inventory.stopped.next_step, width
        )
    notes = [line for region in inventory.regions for line in _trouble(region, width)]
    if inventory.busy:
        return [*notes, ("note", f"Listing the keys of {where}…")]
    if view.query and len(inventory):
        summary = view.summary()
        lines: list[Note] = [("plain", f"No key matches {view.query.text.strip()}")]
        if summary.undecided:
            lines.append(
                ("note", f"{summary.undecided:,} not yet known: the filter needs facts not yet read.")
            )
        if summary.unreadable:
            lines.append(("note", f"{summary.unreadable:,} cannot be known: reading them was refused."))
        return lines + notes
    return notes or [("plain", f"No {_KINDS[view.scope]} in {where}.")]


def _trouble(region: Region, width: int) -> list[Note]:
    if region.error is None:
        return []
    return _wrapped("failed", _not_listed(region), width) + _wrapped("note", region.error.next_step, width)


def _wrapped(look: str, text: str, width: int) -> list[Note]:
    return [(look, line) for line in textwrap.wrap(visible(text), max(20, width))]
