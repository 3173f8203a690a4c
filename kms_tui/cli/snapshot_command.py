"""Write the facts of all keys into a file: ``kms-tui snapshot``, for ``kms-tui diff`` and version control.

States, policies, grants, rotation, tags, aliases and multi-Region settings, in a stable order; no secrets.
AWS-managed keys are described and not looked into.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.file_streams import PIPE, output_file
from kms_tui.cli.reading import (
    Step,
    add_reading_flags,
    add_text_output_flag,
    followed,
    open_for_reading,
    write_result,
)
from kms_tui.session import Session
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.fact_files.fact_collection import FactCollection
    from kms_tui.fact_files.fact_file import FactFile

FAILURE = 2
"""The exit code without a whole snapshot."""
_EPILOG = """\
examples:
  kms-tui snapshot --profile prod -o prod.json
  kms-tui snapshot --regions eu-west-1,us-east-1 -o keys.json && git diff keys.json
  kms-tui diff prod.json --profile prod             what has changed since
  kms-tui snapshot --schema                         the JSON schema of the file

exit codes: 0 all of it was read; 2 bad usage, or something could not be read, which is said and stands in the
file as denied or failed; 130 stopped with Ctrl+C. It calls ListKeys, ListAliases, DescribeKey,
GetKeyRotationStatus, ListResourceTags, GetKeyPolicy and, 50 a second, ListGrants."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_text_output_flag(parser)
    parser.add_argument("--schema", action="store_true", help="write the JSON schema of snapshots instead")
    add_reading_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the snapshot; see ``--help`` for the exit codes."""
    if args.schema:
        from kms_tui.fact_files.fact_writing import schema_text

        write_result(schema_text(), args.output)
        return 0
    try:
        facts = collected(args)
    except KeyboardInterrupt:
        print("Stopped. No snapshot was written.", file=sys.stderr)
        return 130
    _write(facts, args.output)
    gaps = list(facts.gaps())
    for gap in gaps:
        print(visible(gap), file=sys.stderr)
    return FAILURE if gaps else 0


def collected(args: argparse.Namespace, since: FactFile | None = None) -> FactFile:
    """The facts of the keys of the chosen KMS, read with progress. Raises KmsTuiError.

    FactFileError before anything is read where the KMS has nothing in common with the file ``since``.
    """
    session = open_for_reading(args)
    try:
        collection = _collection(session)
        if since is not None:
            collection.require_common(since)
        return followed(collection.run, partial(_progress, collection), name="kms-tui snapshot")
    finally:
        session.inventory.close()


def _collection(session: Session) -> FactCollection:
    from kms_tui.fact_files.fact_collection import FactCollection

    session.inventory.open()
    return FactCollection(session.inventory, session.kms, session.kms_for)


def _progress(collection: FactCollection) -> Step:
    stage = collection.progress()
    words = f"{stage.words} ({stage.error})" if stage.error else stage.words
    return Step(words, stage.done, stage.total)


def _write(facts: FactFile, output: str) -> None:
    from kms_tui.fact_files.fact_file import MOST_BYTES
    from kms_tui.fact_files.fact_writing import written

    size = 0
    with output_file(output, overwrite=True) as file:
        for piece in written(facts):
            size += file.write(piece.encode())
    if output == PIPE:
        return
    keys = "1 key" if len(facts.keys) == 1 else f"{len(facts.keys):,} keys"
    print(visible(f"The facts of {keys} are in {output}."))
    if size > MOST_BYTES:
        told = f"It is larger than the {MOST_BYTES // 2**20} MiB that kms-tui diff reads: write one a Region."
        print(told, file=sys.stderr)
