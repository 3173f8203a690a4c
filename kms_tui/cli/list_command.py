"""List the account's keys, with the filter language of the console's key list: ``kms-tui list [FILTER]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.filtered_keys import unlisted_sentences
from kms_tui.cli.reading import (
    Step,
    add_reading_flags,
    add_text_output_flag,
    followed,
    open_for_reading,
    write_result,
)
from kms_tui.inventory.row import FactName
from kms_tui.session import utc_now
from kms_tui.visible import visible

if TYPE_CHECKING:
    from datetime import datetime

    from kms_tui.inventory import Inventory, Row, View
    from kms_tui.inventory.whole_reading import WholeReading

FAILURE = 2
"""The exit code without a whole list."""
_FORMATS = ("table", "json", "jsonl", "csv", "md")
_FACTS = {"last-used": FactName.LAST_USAGE, "tags": FactName.TAGS}
_EPILOG = """\
examples:
  kms-tui list                                    every key, AWS-managed ones too
  kms-tui list state:disabled '!manager:aws'      as in the console's filter; ! or - negates
  kms-tui list 'unused:>90d' --format csv -o unused.csv
  kms-tui list account:prod state:disabled --accounts prod,staging
  kms-tui list --demo --format json | jq -r '.[].arn'

fields of the filter (write -- before a first term that begins with -):
{fields}

exit codes: 0 the list is whole; 2 bad usage, or something could not be read, which is said;
130 stopped with Ctrl+C. It calls ListKeys, ListAliases, DescribeKey, GetKeyRotationStatus and GetKeyPolicy;
ListResourceTags and GetKeyLastUsage (5 keys a second) for a filter or --with that needs them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from kms_tui.inventory import FIELDS

    width = max(len(name) for name in FIELDS) + 1
    fields = "\n".join(f"  {f'{field.name}:':<{width}}  {field.help}" for field in FIELDS.values())
    parser.epilog = _EPILOG.format(fields=fields)
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="words and field:value terms")
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    parser.add_argument(
        "--with",
        dest="facts",
        action="append",
        default=[],
        choices=tuple(_FACTS),
        help="read this of each key, too; may be given twice",
    )
    parser.add_argument("--sort", metavar="COLUMN", default="name", help="a column of the console's list")
    add_text_output_flag(parser)
    add_reading_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the list; see ``--help`` for the exit codes."""
    from kms_tui.inventory import COLUMNS, FilterError, Sort, View
    from kms_tui.inventory import parse as parse_filter
    from kms_tui.inventory.view import Scope

    text = " ".join(args.filter)
    if args.sort not in COLUMNS:
        args.usage_error(f"--sort: there is no column {args.sort!r}; there are {', '.join(COLUMNS)}")
    try:
        parse_filter(text, utc_now())
    except FilterError as error:
        args.usage_error(f"the filter {text!r}: {error}")
    session = open_for_reading(args)
    inventory = session.inventory
    view = View(inventory)
    view.set_scope(Scope.ALL)
    view.set_filter(text)
    reading = _reading(view, [*COLUMNS[args.sort].needs, *(_FACTS[name] for name in args.facts)])
    try:
        followed(partial(_read, inventory, reading), partial(_progress, inventory), name="kms-tui list")
    except KeyboardInterrupt:
        print("Stopped. No list was written.", file=sys.stderr)
        return 130
    finally:
        inventory.close()
    view.set_sort(Sort(args.sort))
    _write(view, args, session.now())
    problems = list(_problems(view, reading))
    for problem in problems:
        print(visible(problem), file=sys.stderr)
    return FAILURE if problems else 0


def _reading(view: View, wanted: Sequence[FactName]) -> WholeReading:
    """Reads what decides about each row, then what is shown of those that match."""
    from kms_tui.inventory.fact_reader import missing_of
    from kms_tui.inventory.whole_reading import WholeReading

    query = view.query
    missing_shown = missing_of(*view.inventory.shown_facts, *wanted)

    def missing(row: Row) -> FactName | None:
        return query.missing(row) or (missing_shown(row) if query.holds(row) else None)

    usage = FactName.LAST_USAGE in {*query.needs, *wanted}
    return WholeReading(view.inventory, missing, usage=usage)


def _read(inventory: Inventory, reading: WholeReading) -> None:
    inventory.open()
    with reading.listening():
        reading.wait_for_listing()
        reading.check_listing()
        reading.read()


def _progress(inventory: Inventory) -> Step:
    progress = inventory.progress()
    if progress is None:
        return Step("listing the keys", len(inventory))
    words = f"reading ({progress.error})" if progress.error else "reading"
    return Step(words, progress.done, progress.total)


def _problems(view: View, reading: WholeReading) -> Iterator[str]:
    """What is missing from the list, in sentences."""
    yield from unlisted_sentences(view.inventory)
    summary = view.summary()
    left_out = summary.undecided + summary.unreadable
    if left_out:
        keys = "1 key is" if left_out == 1 else f"{left_out:,} keys are"
        yield f"{keys} left out: what the filter asks about could not be read."
    if reading.unanswered:
        yield f"The list is not whole: {reading.unanswered}."


def _write(view: View, args: argparse.Namespace, now: datetime) -> None:
    from kms_tui.export import ExportFormat, json_lines, render
    from kms_tui.inventory.key_table import table_of

    if args.format == "table":
        text = _table(view, args, now)
    else:
        table = table_of(view.rows, title="KMS keys", now=now)
        text = json_lines(table) if args.format == "jsonl" else render(table, ExportFormat(args.format))
    write_result(text, args.output)


_TABLE = ("name", "id", "spec", "usage", "state", "rotation", "created", "attention")


def _table(view: View, args: argparse.Namespace, now: datetime) -> str:
    """Aligned columns for people, in the words of the console."""
    from kms_tui.export import aligned
    from kms_tui.inventory import COLUMNS

    names = [*_TABLE]
    if len(view.inventory.region_names) > 1:
        names.insert(2, "region")
    if len(view.inventory.accounts) > 1:
        names.insert(2, "account")
    if "last-used" in args.facts or args.sort == "used" or "unused:" in view.query.text:
        names.insert(-1, "used")
    columns = [COLUMNS[name] for name in names]
    lines = [[column.title for column in columns]]
    lines += [[column.cell(row, now).text for column in columns] for row in view.rows]
    return aligned(lines)
