"""``KeyPicker``: choose a key by typing a part of its name, in this Region or another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.calls import in_region
from kms_tui.crypto_ops.request import ChosenKey
from kms_tui.kms.arn import key_id_of, short_alias
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import Key, KeyState
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content, column, fit, safe
from kms_tui.ui.base.words import STATE_WORDS, USAGE_WORDS
from kms_tui.ui.dialogs.filtered_choice import MOST_LINES, ChoiceFilter, FilteredChoice
from kms_tui.ui.widgets.text_widgets import Input, Static


@dataclass(frozen=True, slots=True)
class Picked:
    """The answer: a key, or None where KMS is to find it, and the Region."""

    key: ChosenKey | None
    region: str


class ListedKey:
    """A key of the list, named by the first of its aliases, and found by any of them."""

    def __init__(
        self, arn: str, aliases: Sequence[str], region: str, key: Key | None, account: str = ""
    ) -> None:
        key_id = key_id_of(arn)
        self.chosen = ChosenKey(arn, aliases[0] if aliases else key_id, region, key, account)
        self.aliases = aliases
        spec = f"{key.spec} {spec_title(key.spec)} {key.usage}" if key else ""
        self.search_text = f"{' '.join(aliases)} {key_id} {spec} {account}".lower()

    @property
    def account(self) -> str:
        return self.chosen.account_name

    @property
    def key(self) -> Key | None:
        return self.chosen.key

    def name_for(self, words: Sequence[str]) -> str:
        """The first alias that one of the words is in, else the key's name."""
        found = (alias for alias in self.aliases if any(word in alias.lower() for word in words))
        return next(found, self.chosen.name)


class KeyPicker(FilteredChoice[Picked]):
    """Lists the keys of a Region, those that ``offers`` holds for first.

    With ``may_be_found`` it can also be left to KMS to find the key.
    """

    initial_focus = "#picker-filter"

    def __init__(
        self, title: str, session: Session, *, may_be_found: bool, offers: Callable[[Key], bool]
    ) -> None:
        super().__init__(title)
        self.session = session
        self.may_be_found = may_be_found
        self.offers = offers
        self.listed = session.kms.region
        self._keys: Sequence[ListedKey] = ()
        self._shown: list[ListedKey | None] = []

    def compose_body(self) -> Iterable[Widget]:
        with Horizontal(classes="row"):
            yield Static(Content("Region"), classes="label")
            yield Input(self.listed, id="picker-region")
        yield ChoiceFilter(placeholder=self.HINT, id="picker-filter")
        yield OptionList(id="picker-keys", compact=True)

    def on_mount(self) -> None:
        self._list(self._known_keys())

    # The keys

    def _known_keys(self) -> list[ListedKey]:
        rows = [row for row in self.session.inventory.rows() if row.region == self.listed and not row.gone]
        rows.sort(key=lambda row: (row.aws, row.sort_name))
        return [ListedKey(row.arn, row.aliases, row.region, row.key, row.account_name) for row in rows]

    def _list(self, keys: Sequence[ListedKey]) -> None:
        """Show the keys that the inventory has of the Region; without any, list the Region."""
        self._keys = keys
        self.fill()
        if not keys:
            start(self, self._read, group="picker", description="list a region's keys")

    async def _read(self) -> None:
        """List a Region that the inventory does not have."""
        region, kms = self.listed, self.session.kms
        self.show_error("Listing…")
        try:
            keys = self._keys = await off_loop(lambda: keys_of(in_region(kms, region)))
        except KmsTuiError as error:
            self.show_error(error.with_next_step)
            return
        self.show_error("" if keys else f"There are no keys in {region}.")
        self.fill()

    @on(Input.Submitted, "#picker-region")
    def _region_entered(self, event: Input.Submitted) -> None:
        self.listed = event.value.strip() or self.session.kms.region
        self._list(self._known_keys())
        self.query_one(ChoiceFilter).focus()

    # The list

    def fill(self) -> None:
        if self._keys:
            self.show_error("")
        words = self.typed.lower().split()
        matching = [entry for entry in self._keys if all(word in entry.search_text for word in words)]
        matching.sort(key=lambda entry: entry.key is not None and not self.offers(entry.key))
        self._shown = [*([None] if self.may_be_found and not words else []), *matching[:MOST_LINES]]
        self.show_lines(
            [_FOUND if entry is None else _line(entry, words, self.offers) for entry in self._shown]
        )

    def explain_no_line(self) -> None:
        if self._keys:
            self.show_error(
                f"No key in {self.listed} matches: type another part of an alias, a key id or a spec, or "
                "another Region above."
            )

    def choose(self, index: int) -> None:
        entry = self._shown[index]
        chosen = entry.chosen if entry is not None else None
        if chosen is None or chosen.key is not None:
            self.dismiss(Picked(chosen, self.listed))
        else:
            start(self, partial(self._describe, chosen), group="picker", description="describe a key")

    async def _describe(self, chosen: ChosenKey) -> None:
        """Describe a key first: without its spec the operations that it offers are not known."""
        kms_for = self.session.kms_for
        try:
            key = await off_loop(lambda: kms_for(chosen.arn).describe(chosen.arn))
        except KmsTuiError as error:
            self.show_error(error.with_next_step)
            return
        self.dismiss(Picked(replace(chosen, key=key), self.listed))


_FOUND = Content.styled("none: KMS finds the key from the ciphertext", "italic")


def keys_of(kms: Kms) -> list[ListedKey]:
    """The keys of a Region by ListAliases and ListKeys, those with an alias first; slow."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for page in kms.alias_pages():
        for alias in page:
            names[alias.target_key_id].append(short_alias(alias.name))
    entries = [
        ListedKey(ref.arn, sorted(names[ref.key_id]), kms.region, None)
        for page in kms.key_pages()
        for ref in page
    ]
    return sorted(entries, key=lambda entry: (not entry.aliases, entry.chosen.name))


def _line(entry: ListedKey, words: Sequence[str], offers: Callable[[Key], bool]) -> Content:
    """The key by the alias that was typed, or by its first."""
    key, name = entry.key, entry.name_for(words)
    if entry.account:
        name = f"{name} · {entry.account}"
    if key is None:
        return safe(fit(name, 40))
    line = Content(f"{column(name, 28)}  {column(spec_title(key.spec), 10)}  ")
    enabled = key.state == KeyState.ENABLED
    note = USAGE_WORDS.get(key.usage, key.usage) if enabled else STATE_WORDS.get(key.state, key.state)
    line += Content.styled(fit(note, 26), "$foreground-muted" if enabled else "$warning")
    return line if offers(key) else line.stylize("$foreground-muted")
