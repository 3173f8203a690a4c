"""List the account's keys by algorithm, strength and use, and what a quantum computer would break of them.

Which signing keys have an ML-DSA key beside them, and with --callers who still connects with a classical key
exchange. --format cyclonedx writes a cryptography bill of materials (CBOM).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from kms_tui.cli.history_options import FAILED, STOPPED, add_history_flags, agreed, source_from
from kms_tui.cli.history_options import followed as history_of
from kms_tui.cli.reading import (
    Step,
    add_reading_flags,
    add_text_output_flag,
    followed,
    open_for_reading,
    write_result,
)
from kms_tui.kms.arn import AccountRegion, key_arn
from kms_tui.kms.errors import ConfigurationError, KmsTuiError
from kms_tui.session import BackendKind, Session
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.evidence.algorithms.algorithm_inventory import (
        AlgorithmInventory,
        AlgorithmReading,
        ClassicalCallers,
    )
    from kms_tui.evidence.request_history.history_source import HistorySource

FAILURE = FAILED
_CYCLONEDX = "cyclonedx"
_FORMATS = ("table", "md", "json", "csv", _CYCLONEDX)
_EPILOG = """\
examples:
  kms-tui algorithms --profile prod --regions eu-west-1,us-east-1
  kms-tui algorithms --profile prod --callers --days 7      also who connects without post-quantum TLS
  kms-tui algorithms --demo --format cyclonedx -o kms.cdx.json

exit codes: 0 all of it is known; 2 bad usage, or something could not be read, which is said; 130 stopped with
Ctrl+C. It calls ListKeys, ListAliases, DescribeKey, of ML-DSA keys ListResourceTags, and for --callers what
the record of requests needs. --format cyclonedx needs: pip install 'kms-tui[cyclonedx]'."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    add_text_output_flag(parser)
    parser.add_argument(
        "--callers", action="store_true", help="read the key exchange of callers from the record of requests"
    )
    add_history_flags(parser)
    add_reading_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the inventory; see ``--help`` for the exit codes."""
    if args.format == _CYCLONEDX:
        _require_cyclonedx()
    session = open_for_reading(args)
    code = 0
    try:
        reading = _reading(session)
        inventory = followed(reading.run, partial(_progress, reading, session), name="kms-tui algorithms")
        if args.callers:
            callers, code = _callers(args, session, inventory)
            inventory = replace(inventory, callers=callers)
    except KeyboardInterrupt:
        print("Stopped. No inventory was written.", file=sys.stderr)
        return STOPPED
    finally:
        session.inventory.close()
    _write(inventory, args)
    gaps = list(inventory.gaps())
    for gap in gaps:
        print(visible(gap), file=sys.stderr)
    if inventory.callers is not None and not inventory.callers.whole:
        print("The record of requests was not read whole; the output says why.", file=sys.stderr)
    return FAILURE if gaps and not code else code


def _require_cyclonedx() -> None:
    """ConfigurationError where the library is not installed: before anything is read."""
    try:
        import kms_tui.evidence.algorithms.cbom  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"--format cyclonedx needs the library cyclonedx-python-lib ({error.name} is not installed).",
            next_step="Run: pip install 'kms-tui[cyclonedx]'",
        ) from error


def _reading(session: Session) -> AlgorithmReading:
    from kms_tui.evidence.algorithms.algorithm_inventory import AlgorithmReading

    session.inventory.open()
    return AlgorithmReading(session.inventory, session.kms.account_id)


def _progress(reading: AlgorithmReading, session: Session) -> Step:
    progress = reading.progress()
    if progress is None:
        return Step("listing the keys", len(session.inventory))
    words = f"reading ({progress.error})" if progress.error else "reading"
    return Step(words, progress.done, progress.total)


def _callers(
    args: argparse.Namespace, session: Session, inventory: AlgorithmInventory
) -> tuple[ClassicalCallers, int]:
    """Who connects with a classical key exchange, and the exit code of how that reading ended.

    A Region whose record cannot be read is a remark. Raises ConfigurationError where the only record has no
    source, or its query was not agreed to.
    """
    from kms_tui.evidence.algorithms.algorithm_inventory import ClassicalCallers
    from kms_tui.evidence.request_history.coverage_words import coverage_sentence
    from kms_tui.evidence.request_history.history_source import HistoryQuery
    from kms_tui.evidence.request_history.recorded_request import RequestDetail
    from kms_tui.evidence.request_usage import Observation, request_usage

    # The calls that this command itself makes are not counted.
    until = session.now().replace(microsecond=0) - timedelta(seconds=1)
    query = HistoryQuery(until - timedelta(days=args.days), until, details=frozenset({RequestDetail.TLS}))
    counts: defaultdict[tuple[str, str], float] = defaultdict(float)
    untold, code, remarks = 0, 0, []
    records = list(_records(args, session, inventory))
    for where, region, source_of in records:
        try:
            source = source_of()
            if not agreed(args, source, query):
                raise ConfigurationError(
                    "The query was not run.", next_step="Leave out --callers, or add --yes."
                )
            history, ended = history_of(source, query, args.minutes)
        except KmsTuiError as error:
            if isinstance(error, ConfigurationError) and len(records) == 1:
                raise
            remarks.append(f"{where}Callers are not known: {error}")
            code = FAILED
            continue
        usage = request_usage(history, region)
        for each in usage.classical:
            counts[each.subject, each.detail] += each.per_day
        untold += usage.untold
        remarks += [
            f"{where}{sentence}" for sentence in (coverage_sentence(usage.coverage), *usage.coverage.notes)
        ]
        code = code or ended or (0 if usage.coverage.complete else FAILED)
    busiest = sorted(counts.items(), key=lambda item: -item[1])
    callers = tuple(Observation(*each, per_day) for each, per_day in busiest)
    return ClassicalCallers(callers, untold, tuple(remarks), whole=not code), code


class _Record(NamedTuple):
    """A record of requests: ``where`` leads its remarks; ``region`` is "" for one of all Regions."""

    where: str
    region: str
    source: Callable[[], HistorySource]


def _records(args: argparse.Namespace, session: Session, inventory: AlgorithmInventory) -> Iterator[_Record]:
    """LookupEvents of each Region and account; or the one record that the flags name."""
    live = session.connection.kind in (BackendKind.DEMO, BackendKind.LOCAL)

    def source(place: AccountRegion) -> HistorySource:
        arn = key_arn(session.kms.partition, place.region, place.account, "any")
        return source_from(args, session.services_for(arn), place.region, live=live)

    if any(each is not None for each in (args.events, args.athena, args.lake, args.logs)):
        yield _Record("", "", partial(source, inventory.places[0]))
        return
    accounts = {place.account for place in inventory.places}
    for place in inventory.places:
        name = str(place) if len(accounts) > 1 else place.region
        yield _Record(f"{name}: ", place.region, partial(source, place))


def _write(inventory: AlgorithmInventory, args: argparse.Namespace) -> None:
    from kms_tui.evidence.algorithms.algorithm_formats import WRITERS, summary

    if args.format == _CYCLONEDX:
        from kms_tui.evidence.algorithms.cbom import cbom

        text = cbom(inventory)
    else:
        text = WRITERS[args.format](inventory)
    write_result(text, args.output, summary(inventory))
