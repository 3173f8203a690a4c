"""May I use this key: dry runs from the console, and a denial that is explained at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import OptionList, TextArea

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.screens.explain_screen import ExplainScreen
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.test_many_keys import Refusing


def lines(pilot: Pilot[Any]) -> dict[str, str]:
    """Operation -> its answer."""
    prompts = [str(option.prompt).split() for option in pilot.app.screen.query_one(OptionList).options]
    return {words[0]: " ".join(words[1:]) for words in prompts}


def test_the_owner_may_do_everything_and_nothing_was_done(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "P", "ctrl+s")
        found = lines(pilot)
        assert set(found.values()) == {"✓ allowed"}
        assert {"Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey"} <= set(found)
        assert pilot.app.session is not None  # type: ignore[attr-defined]
        assert not pilot.app.session.log.entries  # type: ignore[attr-defined]

    drive(make_app(), script)


def test_a_denial_is_explained_with_enter(make_app: MakeApp, demo: Backend) -> None:
    role = "arn:aws:sts::111122223333:assumed-role/reporting/ad-hoc"

    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "Decrypt":
            clause = "because no identity-based policy allows the kms:Decrypt action"
            where = f"on resource: {params['KeyId']}"
            message = f"User: {role} is not authorized to perform: kms:Decrypt {where} {clause}"
            raise ServiceError("AccessDeniedException", message, operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "customer-pii")
        await press(pilot, "P")
        pilot.app.screen.query_one("#context", TextArea).text = "table=customers\ncolumn=address"
        await press(pilot, "ctrl+s")
        assert lines(pilot)["Decrypt"].startswith(f"✗ denied User: {role}")
        assert lines(pilot)["Encrypt"] == "✓ allowed"
        await press(pilot, "enter")
        screen = pilot.app.screen
        assert isinstance(screen, ExplainScreen)
        assert role in screen.query_one("#explain-text", TextArea).text
        await settled(pilot)

    drive(make_app(Refusing(demo, refuse)), script)


def test_a_wrong_context_is_refused_beside_the_field_and_a_key_agreement_key_says_why(
    make_app: MakeApp,
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "P")
        pilot.app.screen.query_one("#context", TextArea).text = "no pair"
        await press(pilot, "ctrl+s")
        assert pilot.app.screen.query_one("#context-error").has_class("-shown")
        await press(pilot, "escape")
        await go_to(pilot, "device-enrolment")
        await press(pilot, "P")
        assert "can be tried with DryRun" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)
