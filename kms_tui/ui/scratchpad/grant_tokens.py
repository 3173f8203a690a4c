"""Grant tokens: with one, a grant works before all of KMS knows of it."""

from __future__ import annotations

import re

from kms_tui.kms.model import Secret
from kms_tui.session import Session
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.form import Form, SecretField, Values
from kms_tui.ui.mode_screen import ModeScreen

_MOST_TOKENS, _LONGEST = 10, 8192
_TOKEN = re.compile(r"[!-~]+")


def check_tokens(text: str) -> str:
    """What is wrong with tokens that blanks separate, or "" (GrantTokens in the service model)."""
    tokens = text.split()
    if len(tokens) > _MOST_TOKENS:
        return f"A call takes {_MOST_TOKENS} grant tokens at most."
    if any(len(token) > _LONGEST or not _TOKEN.fullmatch(token) for token in tokens):
        return (
            f"A grant token is up to {_LONGEST:,} letters, digits and signs: paste it as CreateGrant gave it."
        )
    return ""


def held_words(session: Session) -> str:
    """ "2 grant tokens are sent", or "" without one."""
    count = len(session.grant_tokens)
    return f"{counted(count, 'grant token')} {'is' if count == 1 else 'are'} sent" if count else ""


async def ask_grant_tokens(screen: ModeScreen) -> None:
    """Ask for the tokens that the scratchpad and "May I…" send from now on; none ends that."""
    session = screen.session
    if session is None:
        return

    def submit(values: Values) -> None:
        session.grant_tokens = tuple(Secret(each.encode()) for each in values["tokens"].split())

    now = held_words(session) or "None is sent now"
    lead = [
        f"{now}. The scratchpad and May I… (P) send those that you give here, until the session ends.",
        "Whoever has a token can use its grant. Copied commands leave tokens out.",
    ]
    form = Form(
        "Grant tokens",
        [SecretField("tokens", "Tokens, a blank between two", hint="empty: send none", check=check_tokens)],
        submit,
        confirm="Use",
        lead=[Content(each) for each in lead],
    )
    if await screen.ask(form) is not None:
        screen.host.notify(f"{held_words(session) or 'No grant token is sent'} from now on.")
