"""Export a list to a file: format, path, and the key list as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual import on

from kms_tui.atomic import SHARED, atomic_file, typed_path
from kms_tui.counts import in_words
from kms_tui.export import ExportFormat, Table, render
from kms_tui.inventory.key_table import table_of
from kms_tui.inventory.view import View
from kms_tui.ui.dialogs.form import ChoiceField, FlagField, Form, FormField, Values
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.form_widgets import Select
from kms_tui.ui.widgets.text_widgets import Input

Make = Callable[[], str]
"""Makes the whole text; it runs on a thread."""

_TITLES = {ExportFormat.CSV: "CSV", ExportFormat.JSON: "JSON", ExportFormat.MARKDOWN: "Markdown"}


async def export_list(screen: ModeScreen, stem: str, make: Callable[[], Table]) -> None:
    """Ask for format and file, and write the table that ``make`` gives on a thread.

    ``stem`` is the suggested file name without its ending.
    """
    await export(screen, stem, table_formats(make))


def table_formats(make: Callable[[], Table]) -> dict[str, tuple[str, Make]]:
    """A table's formats, for ``export``."""

    def maker(form: ExportFormat) -> Make:
        return lambda: render(make(), form)

    return {form.value: (_TITLES[form], maker(form)) for form in ExportFormat}


async def export(
    screen: ModeScreen, stem: str, formats: Mapping[str, tuple[str, Make]], *, title: str = "Export the list"
) -> None:
    """Ask for one of the formats and a file: the ending of its name -> (title, text).

    The question names no account: the lists that are written hold keys of several.
    """
    values = await screen.host.ask(ExportForm(stem, formats, title))
    if values is not None:
        screen.host.notify(f"Written to {values['path'].strip()}.")


class ExportForm(Form):
    """Format and file; the file's ending follows the format, and the format the ending."""

    def __init__(self, stem: str, formats: Mapping[str, tuple[str, Make]], title: str) -> None:
        self.formats = formats
        self._format = first = next(iter(formats))
        fields: Sequence[FormField] = [
            ChoiceField(
                "format", "Format", first, choices=[(title, end) for end, (title, _) in formats.items()]
            ),
            FormField("path", "File", f"{stem}.{first}", check=check_path),
            FlagField("overwrite", "If it exists", hint="replace it", is_consent=True),
        ]
        super().__init__(title, fields, self._write, confirm="Write", blame={"FileError": "path"})
        self.initial_focus = "#path"

    def _write(self, values: Values) -> None:
        path = typed_path(values["path"])
        _, make = self.formats[values["format"]]
        with atomic_file(path, overwrite=bool(values["overwrite"]), mode=SHARED) as file:
            file.write(make().encode())

    # Format and ending follow each other; a change that only follows is ignored, so that none goes round.

    @on(Select.Changed, "#format")
    def _format_chosen(self) -> None:
        chosen, field = str(self.query_one("#format", Select).value), self.query_one("#path", Input)
        if chosen == self._format:
            return
        self._format = chosen
        stem, dot, end = field.value.rpartition(".")
        if dot and end.lower() in self.formats:
            field.value = f"{stem}.{chosen}"

    @on(Input.Changed, "#path")
    def _path_changed(self) -> None:
        end = self.query_one("#path", Input).value.rpartition(".")[2].strip().lower()
        if end in self.formats and end != self._format:
            self._format = end
            self.query_one("#format", Select).value = end


def check_path(text: str) -> str:
    """What is wrong with the name of a file, or ""."""
    if "\0" in text:
        return "The name of a file cannot hold a NUL character."
    return "" if text.strip() else "Name a file."


async def export_keys(screen: ModeScreen, view: View) -> None:
    """The rows as they are filtered and sorted now, with their marks where there are any."""
    session = screen.session
    assert session is not None
    rows, marks, now = list(view.rows), frozenset(view.marks), session.now()
    regions = in_words(session.inventory.region_names)
    accounts = in_words([account.title for account in session.accounts])
    title = f"KMS keys of {accounts}, {regions}, {now:%Y-%m-%d}: {view.scope}"
    if view.query:
        title += f", {view.query.text.strip()}"
    await export_list(screen, "kms-tui-keys", lambda: table_of(rows, title=title, now=now, marks=marks))
