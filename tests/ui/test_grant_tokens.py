"""Grant tokens: given once, sent with the uses of keys alone, and shown nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.backend.wrappers.grant_tokens import takes_grant_tokens
from kms_tui.ui.app import KmsApp
from kms_tui.ui.scratchpad.grant_tokens import check_tokens
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press
from tests.ui.test_many_keys import body

FIRST, SECOND = "AQpAM2RhZSkelltokenONE", "AQpAM2RhZSkelltokenTWO"


class Tokens(Wrapper):
    """Notes the tokens of each call, which go no further: the demo has no such grants."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.sent: list[tuple[str, tuple[str, ...]]] = []

    def around(self, inner: Backend) -> Tokens:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        tokens = tuple(params.get("GrantTokens", ()))
        self.sent.append((operation, tokens))
        return self.inner.call(operation, {name: params[name] for name in params if name != "GrantTokens"})


async def give(pilot: Pilot[Any], text: str) -> None:
    await press(pilot, "T")
    pilot.app.screen.query_one("#tokens", Input).value = text
    await press(pilot, "ctrl+s")


def test_the_scratchpad_and_may_i_send_them_and_reading_does_not(make_app: MakeApp, demo: Backend) -> None:
    backend = Tokens(demo)

    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        await go_to(pilot, "orders-db")
        await press(pilot, "s")
        await give(pilot, f" {FIRST}  {SECOND} ")
        assert "2 grant tokens are sent from now on." in notifications(app)
        await press(pilot, "enter", *"hello", "ctrl+r")
        assert backend.sent[-1] == ("Encrypt", (FIRST, SECOND))
        assert "ONE" not in app.export_screenshot()
        await press(pilot, "escape", "1")
        del backend.sent[:]
        await press(pilot, "P")
        assert "2 grant tokens are sent; T on the scratchpad changes that." in body(pilot)
        await press(pilot, "ctrl+s")
        asked = [tokens for operation, tokens in backend.sent if operation != "DescribeKey"]
        assert len(asked) > 4
        assert set(asked) == {(FIRST, SECOND)}
        await press(pilot, "escape")
        del backend.sent[:]
        await press(pilot, "r")
        assert backend.sent
        assert {tokens for _, tokens in backend.sent} == {()}

    drive(make_app(backend), script)


def test_an_empty_field_ends_it_and_no_draft_keeps_a_token(make_app: MakeApp, demo: Backend) -> None:
    backend = Tokens(demo)

    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        await go_to(pilot, "orders-db")
        await press(pilot, "s")
        await give(pilot, FIRST)
        assert "1 grant token is sent from now on." in notifications(app)
        await press(pilot, "T")
        pilot.app.screen.query_one("#tokens", Input).value = SECOND
        await press(pilot, "escape", "T")
        assert pilot.app.screen.query_one("#tokens", Input).value == ""
        assert SECOND not in repr(app.form_drafts)
        assert app.session is not None
        assert FIRST not in repr(app.session.grant_tokens)
        await press(pilot, "ctrl+s")
        assert "No grant token is sent from now on." in notifications(app)
        await press(pilot, "enter", *"hello", "ctrl+r")
        assert backend.sent[-1] == ("Encrypt", ())

    drive(make_app(backend), script)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("", True),
        (FIRST, True),
        (" ".join([FIRST] * 10), True),
        (" ".join([FIRST] * 11), False),
        ("a" * 8192, True),
        ("a" * 8193, False),
        ("t\u00f6ken", False),
        ("a\0b", False),
        ("\ud800", False),
    ],
)
def test_tokens_are_those_that_a_call_takes(text: str, good: bool) -> None:
    assert (check_tokens(text) == "") is good


@pytest.mark.parametrize(
    ("operation", "takes"),
    [
        ("Encrypt", True),
        ("GetPublicKey", True),
        ("ReEncrypt", True),
        ("GenerateRandom", False),
        ("NoSuch", False),
    ],
)
def test_operations_that_take_tokens_are_those_of_the_model(operation: str, takes: bool) -> None:
    assert takes_grant_tokens(operation) is takes
