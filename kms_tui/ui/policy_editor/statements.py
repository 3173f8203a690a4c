"""One statement of a policy on the screen."""

from __future__ import annotations

from kms_tui.policy.document import Document, Statement
from kms_tui.policy.json_reader import ScanError
from kms_tui.ui.policy_editor.layout import formatted
from kms_tui.ui.safe_text import Content, safe


def laid_out(document: Document, statement: Statement) -> str:
    """A statement laid out alike whatever its white space, so that only what it says differs."""
    text = document.text[slice(*statement.span)]
    try:
        return formatted(text)
    except ScanError:
        return text


def statement_text(document: Document, statement: Statement) -> Content:
    """Its name, what it does, and its text."""
    line, _ = document.place(statement.span)
    head = safe(statement.label).stylize("bold")
    effect = Content.styled(f"  {statement.effect}, line {line}", "$foreground-muted")
    return head + effect + Content("\n") + safe(laid_out(document, statement), newlines=True)
