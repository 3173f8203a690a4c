"""Pastes come whole, whatever is in them and however the terminal cuts them; what is too large is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from kms_tui.ui.app import KmsApp
from kms_tui.ui.base import pasting
from kms_tui.ui.base.pasting import MOST_PASTED, Pastes
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.test_marked_text import FIELDS

TEXT = st.text(st.sampled_from("ab\x1b[201~é\r\n\x9b"), max_size=30)
TYPED = TEXT.filter(lambda text: BRACKETED_PASTE_START not in text + "200~")
PASTED = TEXT.filter(lambda text: BRACKETED_PASTE_END not in text)


@given(st.lists(st.tuples(TYPED, PASTED), min_size=1, max_size=4), st.data())
def test_pastes_are_found_however_the_input_is_cut(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    sent = "".join(f"{typed}{BRACKETED_PASTE_START}{pasted}{BRACKETED_PASTE_END}" for typed, pasted in parts)
    # A read that ends with ESC has the escape key.
    places = [place for place in range(1, len(sent)) if not sent.startswith(BRACKETED_PASTE_START, place - 1)]
    cuts = sorted(data.draw(st.sets(st.sampled_from(places), max_size=10)))
    pastes, typed, found = Pastes(), "", []
    for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        for part in pastes.split(sent[begin:end]):
            if isinstance(part, events.Paste):
                found.append(part.text)
            else:
                typed += part
    assert found == [pasted for _, pasted in parts]
    assert typed == "".join(typed for typed, _ in parts)


def test_what_follows_an_escape_in_a_paste_is_no_key() -> None:
    """Textual's own parser took thirty of these for keys that somebody pressed."""
    text = "\x1b[31m" + "q" * 100_000 + "\x1b"
    parser = XTermParser()
    found = list(parser.feed(f"x{BRACKETED_PASTE_START}{text}{BRACKETED_PASTE_END}y"))
    pressed = [each.character for each in found if isinstance(each, events.Key)]
    assert pressed == ["x", "y"]
    assert [each.text for each in found if isinstance(each, events.Paste)] == [text]


def test_the_parser_looks_at_no_character_of_a_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 2 µs for each, and 5 MB came in 9 s."""
    looked_at: list[str] = []

    def feed(_parser: XTermParser, data: str) -> list[Any]:
        looked_at.append(data)
        return []

    monkeypatch.setattr(pasting, "_feed", feed)
    parser = XTermParser()
    found = list(parser.feed(BRACKETED_PASTE_START))
    for _ in range(1_300):
        found += parser.feed("x" * 4_096)
    found += parser.feed(BRACKETED_PASTE_END)
    assert looked_at == []
    assert [len(each.text) for each in found if isinstance(each, events.Paste)] == [MOST_PASTED]


def test_a_key_that_begins_as_a_paste_does_is_a_key_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("kms_tui.ui.base.pasting.time.monotonic", lambda: now)
    pastes = Pastes()
    assert list(pastes.split("\x1b")) == ["\x1b"], "escape is never held"
    assert list(pastes.split("a\x1b[2")) == ["a"]
    assert pastes.overdue() == ""
    now += 1.0
    assert pastes.overdue() == "\x1b[2"
    assert pastes.overdue() == ""


@pytest.mark.parametrize("keys", FIELDS)
def test_a_paste_of_any_size_settles_or_is_refused_in_words(
    make_app: MakeApp, keys: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        await go_to(pilot, "sandbox")
        await press(pilot, *keys.split())
        fields = [*app.screen.query(Input), *app.screen.query(TextArea)]
        fields = [field for field in fields if field.is_on_screen and field.focusable]
        assert fields
        for field in fields:
            before = held(field)
            app.clear_notifications()
            field.focus()
            await settled(pilot)
            app.post_message(events.Paste("7" * MOST_PASTED))
            await settled(pilot)
            assert held(field) == before
            assert "Nothing was pasted" in notifications(app)

    drive(make_app(), script)


def held(field: Input | TextArea) -> str:
    return field.value if isinstance(field, Input) else field.text


def test_a_line_takes_less_than_an_area(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "slash")
        field = pilot.app.focused
        assert isinstance(field, Input)
        for text, taken in (("x" * 20_000, True), ("x" * 20_001, False)):
            field.value = ""
            pilot.app.post_message(events.Paste(text))
            await settled(pilot)
            assert bool(field.value) is taken
        assert "Nothing was pasted" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


@pytest.mark.parametrize(
    ("pasted", "taken"),
    [
        (
            "  arn:aws:iam::111122223333:role/My\n  Wrapped-Role  \n",
            "arn:aws:iam::111122223333:role/MyWrapped-Role",
        ),
        ("two words\r\nand more", "two words and more"),
        ("\n\n", ""),
        ("plain", "plain"),
    ],
)
def test_a_pasted_text_becomes_one_line_with_nothing_cut(pasted: str, taken: str) -> None:
    assert pasting.one_line(pasted) == taken


def test_a_wrapped_arn_is_pasted_whole_and_joining_is_said(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "f")
        field = pilot.app.screen.query_one("#grantee", Input)
        field.focus()
        field.post_message(events.Paste("arn:aws:iam::111122223333:role/Re\n    porter\n"))
        await settled(pilot)
        assert field.value == "arn:aws:iam::111122223333:role/Reporter"
        assert "joined" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)
