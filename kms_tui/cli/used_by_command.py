"""Find what names a key: ``kms-tui used-by KEY``, in more than a hundred kinds of resources.

It only reads. With --bucket or --inventory it looks at the objects of one S3 bucket instead: only each itself
tells its key.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.file_streams import PIPE
from kms_tui.cli.reading import (
    Step,
    add_reading_flags,
    add_text_output_flag,
    followed,
    open_for_reading,
    write_result,
)
from kms_tui.kms.arn import key_id_of
from kms_tui.session import Session
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.evidence.object_uses import ObjectScan, ObjectUses
    from kms_tui.evidence.s3_inventory import ObjectInventory

FAILURE = 2
"""The exit code without a whole answer."""
_FORMATS = ("table", "md", "json", "csv")
_EPILOG = """\
examples:
  kms-tui used-by alias/orders-db --profile prod
  kms-tui used-by alias/orders-db --format json | jq -r '.uses[] | [.kind, .resource] | @tsv'
  kms-tui used-by arn:aws:kms:eu-west-1:111122223333:key/… --accounts organization --role Audit
  kms-tui used-by alias/data-lake --bucket acme-lake --prefix 2026/ --versions
  kms-tui used-by alias/data-lake --inventory inventory/2026-11-29T01-00Z/manifest.json

exit codes: 0 the answer is whole; 2 bad usage, or something could not be checked, which is said; 130 stopped
with Ctrl+C, what was found is told. The key's own Region is scanned, in each account of --accounts.

What AWS does not offer in the Region, and what no scan looks at, is listed with the answer. For --bucket, S3
charges a GET request an object and a LIST request for 1,000 of them. An inventory (in CSV, its files beside
the manifest or where S3 puts them) saves the LIST requests, and the GET requests of objects under no KMS key.
It takes minutes in a large account, as each service is asked slowly."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("key", metavar="KEY", help="a key: its id, alias or ARN")
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    objects = parser.add_argument_group("the objects of one S3 bucket")
    objects.add_argument("--bucket", metavar="NAME", help="look at each object of this bucket")
    objects.add_argument("--prefix", metavar="P", default="", help="only objects whose names begin with it")
    objects.add_argument("--versions", action="store_true", help="every version, not only the current ones")
    objects.add_argument(
        "--inventory",
        metavar="FILE",
        type=Path,
        help="the manifest.json of an S3 Inventory, in place of a listing",
    )
    add_text_output_flag(parser)
    add_reading_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Scan; see ``--help`` for the exit codes."""
    _check(args)
    inventory = _inventory(args.inventory) if args.inventory is not None else None
    session = open_for_reading(args)
    try:
        key_arn = _key_arn(session, args.key)
        if args.bucket or inventory is not None:
            return _objects(session, args, key_arn, inventory)
        return _resources(session, args, key_arn)
    finally:
        session.close()


def _check(args: argparse.Namespace) -> None:
    of_objects = args.bucket or args.inventory is not None
    if args.bucket == "":
        args.usage_error("--bucket: a bucket has a name")
    if args.bucket and args.inventory is not None:
        args.usage_error("--bucket or --inventory, not both: an inventory names its bucket")
    if (args.prefix or args.versions) and not of_objects:
        args.usage_error("--prefix and --versions go with --bucket")
    if args.versions and args.inventory is not None:
        args.usage_error("--versions goes with --bucket: an inventory has versions or has none")
    if of_objects and args.accounts is not None:
        args.usage_error("--accounts: a bucket is of one account")
    if args.regions:
        args.usage_error("--regions: a key is used in its own Region, which --region or its ARN names")


def _inventory(path: Path) -> ObjectInventory:
    from kms_tui.evidence.s3_inventory import read_manifest

    return read_manifest(path)


def _key_arn(session: Session, key: str) -> str:
    """The ARN of a key; that of a key is taken as it is, since no account needs to describe it."""
    from kms_tui.cli.key_access import is_key_arn

    return key if is_key_arn(key) else session.kms_for(key).describe(key).arn


# Resources


def _resources(session: Session, args: argparse.Namespace, key_arn: str) -> int:
    from kms_tui.evidence.key_use_formats import WRITERS
    from kms_tui.evidence.key_uses import KeyUseScan

    scan = KeyUseScan(key_arn, session.accounts, session.now)

    def progress() -> Step:
        done, total, current = scan.progress()
        return Step(current or "scanning", done, total)

    is_stopped = _is_stopped(scan.run, progress, scan.cancel)
    found = scan.result()
    write_result(WRITERS[args.format](found), args.output)
    gaps = [": ".join(part for part in (each.account, each.what, each.why) if part) for each in found.gaps]
    return _ended(gaps, args, is_stopped=is_stopped)


def _is_stopped(work: Callable[[], object], progress: Callable[[], Step], cancel: Callable[[], None]) -> bool:
    """Whether Ctrl+C ended the work."""
    try:
        followed(work, progress, name="kms-tui used-by")
    except KeyboardInterrupt:
        cancel()
        return True
    return False


def _ended(gaps: Iterable[str], args: argparse.Namespace, *, is_stopped: bool) -> int:
    """The exit code; what is missing is said, whole where the format has no place for it."""
    gaps = list(gaps)
    if gaps and args.format == "csv":
        print("The answer is not whole:", file=sys.stderr)
        for gap in gaps:
            print(visible(f"  {gap}"), file=sys.stderr)
    elif gaps:
        said = "it says" if args.output == PIPE else f"{args.output} says"
        print(visible(f"The answer is not whole: {said} what was not checked, and why."), file=sys.stderr)
    if is_stopped:
        print("Stopped.", file=sys.stderr)
        return 130
    return FAILURE if gaps else 0


# Objects


def _objects(
    session: Session, args: argparse.Namespace, key_arn: str, inventory: ObjectInventory | None
) -> int:
    from kms_tui.evidence.key_use_formats import OBJECT_WRITERS, object_gaps

    scan = _object_scan(session, args, key_arn, inventory)

    def progress() -> Step:
        looked_at, under = scan.progress()
        return Step(f"{under:,} under the key, looked at", looked_at)

    is_stopped = _is_stopped(scan.run, progress, scan.cancel)
    found: ObjectUses = scan.result()
    write_result(OBJECT_WRITERS[args.format](found), args.output)
    return _ended(object_gaps(found), args, is_stopped=is_stopped)


def _object_scan(
    session: Session, args: argparse.Namespace, key_arn: str, inventory: ObjectInventory | None
) -> ObjectScan:
    from kms_tui.evidence.object_uses import ObjectScan, listed_pages
    from kms_tui.kms.errors import UnavailableError

    services = session.services_for(key_arn)
    if services is None or not services.offers("s3"):
        raise UnavailableError("S3")
    is_key = partial(_is_key, key_arn)
    if inventory is not None:
        pages = inventory.pages(args.prefix)
        return ObjectScan(
            services, inventory.bucket, is_key, pages, prefix=args.prefix, set_aside=inventory.set_aside
        )
    pages = listed_pages(services, args.bucket, args.prefix, versions=args.versions)
    return ObjectScan(services, args.bucket, is_key, pages, prefix=args.prefix)


def _is_key(key_arn: str, reference: str) -> bool:
    """Whether S3 names the key, which it does by its ARN; stand-ins for S3 answer an id."""
    return reference in (key_arn, key_id_of(key_arn))
