"""Keys that other accounts share with this one through RAM; they are on no list of the account's own keys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from kms_tui.backend.kms_facade import Kms
from kms_tui.counts import in_words
from kms_tui.kms.arn import Arn, key_id_of
from kms_tui.kms.facts import UNASKED, Denied, Fact, Known, read_fact
from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import Key
from kms_tui.session import Session
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import STATE_WORDS, counted
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen

_OWNERS = ["OTHER_ACCOUNTS_VIA_RAM"]
_MOST_LISTED = 1000
_MOST_DESCRIBED = 50
"""Keys that are described for the list, a call each; others are described when they are opened."""


class SharedKey(NamedTuple):
    """A key of another account, and what DescribeKey told of it."""

    arn: str
    owner: str
    """The account that owns the key."""
    region: str
    described: Fact[Key]

    @property
    def subject(self) -> Subject:
        """The key by its ARN: other accounts' keys have no other name here."""
        key = self.described.value if isinstance(self.described, Known) else None
        return Subject(self.arn, self.arn, self.region, (), key)


def shared_keys(kms: Kms) -> list[SharedKey]:
    """ListKeys with ResourceOwners, and DescribeKey of the first ones.

    Raises ServiceError; ValueError for an answer with what is no ARN.
    """
    pages = kms.pages("ListKeys", "Keys", 1000, ResourceOwners=_OWNERS)
    arns = [str(entry["KeyArn"]) for entry in islice((each for page in pages for each in page), _MOST_LISTED)]
    found = []
    for number, arn in enumerate(arns):
        described: Fact[Key] = UNASKED
        if number < _MOST_DESCRIBED:
            described = read_fact(lambda arn=arn: kms.describe(arn))  # type: ignore[misc]
        found.append(SharedKey(arn, Arn.parse(arn).account, kms.region, described))
    return found


async def show_shared_keys(screen: ModeScreen) -> None:
    """List the keys shared with this account in the loaded Regions, and open the chosen one's details."""
    session = screen.session
    if session is None:
        return
    keys = await screen.attempt(lambda: _of_regions(session), doing="list the keys shared with this account")
    if keys is None:
        return
    if not keys:
        where = in_words(session.inventory.region_names)
        screen.host.notify(f"No other account shares a key with this one in {where}.")
        return
    title = f"{counted(len(keys), 'key')} of other accounts, shared through RAM"
    chosen = await screen.ask(Choose(title, [_line(key) for key in keys]))
    if chosen is not None:
        await screen.host.open_screen("key", keys[chosen].subject)


def _of_regions(session: Session) -> Sequence[SharedKey]:
    """Those of the current account, in each Region."""
    return [key for name in session.inventory.region_names for key in shared_keys(session.current.kms(name))]


def _line(key: SharedKey) -> Content:
    head = safe(f"{key.owner}  {key_id_of(key.arn)}")
    if isinstance(key.described, Known):
        told = key.described.value
        words = [spec_title(told.spec), STATE_WORDS.get(told.state, told.state), key.region, told.description]
    elif isinstance(key.described, Denied):
        words = [key.region, "denied: you may not call DescribeKey"]
    else:
        words = [key.region]
    facts = safe(" · ".join(word for word in words if word)).stylize("$foreground-muted")
    return head + Content("\n  ") + facts
