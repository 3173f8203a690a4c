"""What has changed since a snapshot: asks for the file, and opens the screen of changes."""

from __future__ import annotations

from kms_tui.fact_files.fact_collection import FactCollection
from kms_tui.fact_files.fact_file import FactFile
from kms_tui.fact_files.fact_reading import read_fact_file
from kms_tui.session import Session
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.typed_files import named_file
from kms_tui.ui.dialogs.form import Form, FormField, Values
from kms_tui.ui.mode_screen import ModeScreen


async def show_changes_since(screen: ModeScreen) -> None:
    """Ask for a snapshot, and show what has changed since it was written."""
    session, read = screen.session, list[FactFile]()
    assert session is not None

    def open_file(values: Values) -> None:
        read[:] = [_read(session, values["path"])]

    values = await screen.host.ask(  # of no account: a snapshot may hold several
        Form(
            "Compare with which snapshot?",
            [FormField("path", "Snapshot", hint="a file that kms-tui snapshot -o FILE wrote")],
            open_file,
            confirm="Compare",
            lead=[Content("Keys, states, aliases, policies, grants, rotation and tags, until now.")],
            blame={"FileError": "path"},
        )
    )
    if values is not None:
        screen.host.open_screen("changes", read[0], values["path"].strip())


def _read(session: Session, text: str) -> FactFile:
    """The snapshot in a typed file. Raises FileError, FactFileError where it is of another account."""
    facts = read_fact_file(named_file(text, "of a snapshot"))
    FactCollection(session.inventory, session.kms, session.kms_for).require_common(facts)
    return facts
