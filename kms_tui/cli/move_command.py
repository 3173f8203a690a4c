"""Move what names a key to another key: ``kms-tui move KEY --to KEY2 --allow-service-writes``.

What plan-move calls "in place" is written, read back and kept in a journal: SSM parameters, secrets, the
defaults of S3 buckets, SQS, SNS, log groups, DynamoDB, Lambda, Kinesis. The key's grants are created again
for the new key. A run that was stopped, by whatever, goes on where it was: without --to, the campaign of the
key is resumed, or shown where it is finished. Everything else is done by the script of plan-move.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_account_flags, add_connection_flags, add_writes_flag, connection_from
from kms_tui.cli.file_streams import add_output_flag
from kms_tui.cli.key_access import is_key_arn
from kms_tui.cli.reading import Step, followed, write_result
from kms_tui.counts import counted
from kms_tui.kms.arn import key_region
from kms_tui.kms.errors import UnavailableError
from kms_tui.session import BackendKind, Connection, Session
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.campaigns.campaign import Campaign, CampaignItem
    from kms_tui.campaigns.campaign_run import CampaignRun
    from kms_tui.campaigns.journal import CampaignFiles, Journal
    from kms_tui.key_moves.move_plan import MovePlan

FAILURE = 2
"""The exit code where nothing could begin, or the run was stopped."""
_NEW = "new"
_MOST_LEFT = 12
"""Sentences on what is not part of a campaign that are printed."""
_LAST_WAIT = 120.0
"""Seconds that the item in hand may take after Ctrl+C."""
_EPILOG = """\
examples:
  kms-tui move alias/orders-db --to alias/orders-2027 --profile prod --dry-run
  kms-tui move alias/orders-db --to alias/orders-2027 --profile prod --allow-service-writes
  kms-tui move alias/orders-db --profile prod --allow-service-writes      # goes on after a stop
  kms-tui move alias/orders-db --status --format md -o evidence.md
  kms-tui move alias/orders-db --profile prod --later-uses

exit codes: 0 all is moved; 1 some could not be, or changed since the plan: --status says which; or with
--later-uses somebody used the key; 2 bad usage,
nothing could begin, or the run stopped before its end; 130 stopped with Ctrl+C, between two items

Nothing is written without --allow-service-writes (or allow_service_writes in the configuration file), nor
where the session or the account is read-only. Secrets pass through memory, and reach no file and no log."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("key", metavar="KEY", help="the key that is left: its id, alias or ARN")
    parser.add_argument("--to", metavar="KEY2", help="the other key: id, alias or ARN; new: one made like it")
    parser.add_argument(
        "--only",
        metavar="KIND",
        action="append",
        default=[],
        help="one kind, as --dry-run names it; repeatable",
    )
    parser.add_argument(
        "--repoint-aliases", action="store_true", help="last, have the key's aliases name the new key"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the commands of all writes, send none")
    parser.add_argument("--yes", action="store_true", help="do not ask before the first write")
    parser.add_argument(
        "--despite-obstacles", action="store_true", help="begin though the plan says what stands in the way"
    )
    parser.add_argument("--status", action="store_true", help="print what the journal tells; nothing is sent")
    parser.add_argument(
        "--later-uses", action="store_true", help="who used the old key since the first item was moved"
    )
    parser.add_argument("--give-up", action="store_true", help="end the campaign; what is moved stays moved")
    parser.add_argument("--format", choices=("table", "md", "json"), default="table", help="of --status")
    add_output_flag(parser, "write --status to a file, which is replaced", metavar="FILE")
    add_writes_flag(parser)
    add_connection_flags(parser)
    add_account_flags(parser)
    parser.set_defaults(connection_from=lambda args: connection_from(parser, args), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Move; see ``--help`` for the exit codes."""
    from kms_tui.campaigns.journal import campaign_files
    from kms_tui.cli.key_access import open_chosen
    from kms_tui.config import default_path, load

    if args.regions:
        args.usage_error("--regions: a key is used in its own Region, which --region or its ARN names")
    connection: Connection = args.connection_from(args)
    files = campaign_files(kept=connection.kind is not BackendKind.DEMO)
    if args.status and is_key_arn(args.key):
        return _status(files, args.key, args)
    session = open_chosen(connection, load(default_path()))
    try:
        if session.has_several_accounts:
            session.open_all()
        arn = session.kms_for(args.key).describe(args.key).arn
        if args.status:
            return _status(files, arn, args)
        if args.later_uses:
            return _later_uses(files, arn, session)
        if args.give_up:
            return _give_up(files, arn, session)
        return _move(session, files, arn, args)
    finally:
        session.close()


def _status(files: CampaignFiles, arn: str, args: argparse.Namespace) -> int:
    from kms_tui.campaigns.campaign_formats import WRITERS, head_in_words

    campaign = files.newest(arn)
    if campaign is None:
        print(visible(f"There is no campaign of {arn}."), file=sys.stderr)
        return FAILURE
    write_result(WRITERS[args.format](campaign), args.output, head_in_words(campaign))
    return _exit_code(campaign)


def _later_uses(files: CampaignFiles, arn: str, session: Session) -> int:
    """Print who used the old key by CloudTrail; 1 where anyone did."""
    from kms_tui.campaigns.later_uses import DELAY, later_uses, told_since
    from kms_tui.evidence.activity import Trail

    campaign, services = files.newest(arn), session.services_for(arn)
    if campaign is None:
        print(visible(f"There is no campaign of {arn}."), file=sys.stderr)
        return FAILURE
    if services is None:
        raise UnavailableError("cloudtrail")
    is_live = session.connection.kind in (BackendKind.DEMO, BackendKind.LOCAL)
    trail, region = Trail(services, is_live=is_live), key_region(arn)
    since = campaign.first_write or campaign.head.begun
    found = later_uses(trail, arn, region, since, session.now())
    for use in found.uses:
        last = f"{use.last:%Y-%m-%d %H:%M:%S}" if use.last else ""
        context = ", ".join(f"{name}={value}" for name, value in use.context)
        refused = f", {use.refused:,} refused" if use.refused else ""
        times = f"{counted(use.count, 'time')}{refused}"
        print(visible(f"{last}  {use.who}  {use.operation}  {times}  {context}".rstrip()))
    minutes = DELAY.seconds // 60
    said = "No use of the key" if not found.uses else f"{counted(len(found.uses), 'use')} of the key"
    told = told_since(since, session.now(), is_live=is_live)
    print(
        f"{said} since {told:%Y-%m-%d %H:%M:%S UTC}; CloudTrail tells a use up to {minutes} minutes late.",
        file=sys.stderr,
    )
    return int(bool(found.uses))


def _give_up(files: CampaignFiles, arn: str, session: Session) -> int:
    from kms_tui.campaigns.campaign_formats import head_in_words

    with files.resume(arn) as journal:
        journal.give_up(session.now())
        print(visible(head_in_words(journal.campaign)))
    return 0


def _move(session: Session, files: CampaignFiles, arn: str, args: argparse.Namespace) -> int:
    earlier = files.newest(arn)
    if earlier is not None and not earlier.is_finished:
        return _resume(session, files, earlier, args)
    if args.to is None and earlier is not None:
        return _status(files, arn, args)
    if args.to is None:
        args.usage_error("--to names the other key")
    from kms_tui.campaigns.campaign import KINDS
    from kms_tui.campaigns.campaign_run import require_writes

    if unknown := [kind for kind in args.only if kind not in KINDS]:
        args.usage_error(f"--only: {unknown[0]!r} is none of: {', '.join(KINDS)}")
    if not args.dry_run:
        # Refused before the scan, which may take minutes.
        _require_answers(args)
        require_writes(session, arn, "", ())
    plan = _plan(session, arn, args)
    if plan is None:
        return 130
    from kms_tui.campaigns.preparation import begin, chosen_items, make_key

    items = chosen_items(plan, aliases=args.repoint_aliases, kinds=args.only)
    if not _agreed_on_plan(session, plan, items, args):
        return FAILURE
    if args.dry_run:
        return 0
    require_writes(session, arn, plan.new.arn if plan.new is not None else "", items)
    if not items and plan.draft is None:
        return 0
    with begin(files, plan, items, session.now(), aliases=args.repoint_aliases) as journal:
        if plan.draft is not None:
            make_key(journal, plan, session.kms_for(arn), session.now)
            print(visible(f"Made {journal.campaign.head.new}."), flush=True)
        return _carry_out(session, journal)


def _resume(session: Session, files: CampaignFiles, earlier: Campaign, args: argparse.Namespace) -> int:
    from kms_tui.campaigns.campaign_formats import head_in_words
    from kms_tui.campaigns.campaign_run import require_writes
    from kms_tui.campaigns.preparation import check_destination
    from kms_tui.key_moves.destination import find_destination

    arn = earlier.head.old
    if args.dry_run and not earlier.head.new:
        args.usage_error("the unfinished campaign has no new key yet: without --dry-run, --to names it")
    if args.dry_run:
        print(visible(f"Unfinished. {head_in_words(earlier)}"))
        open_items = [earlier.items[number] for number in earlier.open_items]
        _print_writes(session, open_items, earlier.head.new)
        return 0
    with files.resume(arn) as journal:
        campaign = journal.campaign
        open_items = [campaign.items[number] for number in campaign.open_items]
        _require_items(open_items, args)
        new = campaign.head.new
        require_writes(session, arn, new, open_items)
        if args.to is not None and args.to != _NEW:
            old = session.kms_for(arn).describe(arn)
            named = find_destination(old, args.to, session.kms_for(arn), session.kms_for).arn
            if named != (new or named):
                args.usage_error(f"the unfinished campaign moves the key to {new}: no --to, or --give-up")
            if not new:
                require_writes(session, arn, named, open_items)
                journal.made(named, session.now())
        check_destination(campaign, session.kms_for(campaign.head.new or arn))
        print(visible(f"Resumed. {head_in_words(campaign)}"))
        if not args.yes and not _confirmed(f"Go on with {counted(len(open_items), 'item')}?", args):
            return FAILURE
        return _carry_out(session, journal)


def _require_items(open_items: Sequence[CampaignItem], args: argparse.Namespace) -> None:
    """End with a usage error where flags ask for others than the items of the unfinished campaign."""
    from kms_tui.campaigns.campaign import ALIASES

    kinds = {item.use.kind for item in open_items}
    if args.only and not kinds <= {*args.only}:
        args.usage_error("--only: the unfinished campaign has others too; finish it, or --give-up")
    if args.repoint_aliases and ALIASES not in kinds:
        args.usage_error(
            "--repoint-aliases: the unfinished campaign repoints none; finish it without, and move again with"
            " --to and --repoint-aliases"
        )


def _plan(session: Session, arn: str, args: argparse.Namespace) -> MovePlan | None:
    from kms_tui.key_moves.planning import MovePlanning

    planning = MovePlanning(session, arn, None if args.to == _NEW else args.to)

    def progress() -> Step:
        told = planning.progress()
        return Step(told.current or "scanning", told.done, told.total)

    try:
        return followed(planning.run, progress, name="kms-tui move")
    except KeyboardInterrupt:
        planning.cancel()
        print("Stopped before anything was written.", file=sys.stderr)
        return None


def _agreed_on_plan(
    session: Session, plan: MovePlan, items: Sequence[CampaignItem], args: argparse.Namespace
) -> bool:
    """Show what would be written and what not, and have it confirmed."""
    from kms_tui.campaigns.campaign import left_by
    from kms_tui.campaigns.preparation import making_lines, new_arn_of

    print(visible(f"From {plan.old.arn} to {plan.new_name}"))
    for kind, count in Counter(item.use.kind for item in items).items():
        print(visible(f"  {count:>6,}  {kind}"))
    if not items:
        print("  nothing that is moved in place names the key")
    left = left_by(plan, aliases=args.repoint_aliases)
    if left:
        print("Not part of it:")
        for sentence in left[:_MOST_LEFT]:
            print(visible(f"  {sentence}"))
        if len(left) > _MOST_LEFT:
            print(f"  and {len(left) - _MOST_LEFT:,} more: kms-tui plan-move lists them")
    for obstacle in plan.obstacles:
        print(visible(f"In the way: {obstacle.sentence}"), file=sys.stderr)
    if args.dry_run:
        for line in making_lines(plan):
            print(visible(line))
        _print_writes(session, items, new_arn_of(plan))
        return True
    if plan.obstacles and not args.despite_obstacles:
        print(
            "Nothing was written. plan-move shows the missing statements; --despite-obstacles begins.",
            file=sys.stderr,
        )
        return False
    if args.yes or not (items or plan.draft is not None):
        return True
    making = "Make a key and move" if plan.draft is not None else "Move"
    return _confirmed(f"{making} {counted(len(items), 'item')}?", args)


def _print_writes(session: Session, items: Sequence[CampaignItem], new: str) -> None:
    from kms_tui.campaigns.resource_move import write_lines

    if items:
        print("# file://INPUT: the value as it is, which is not shown. QUEUE: the URL of the queue.")
    for item in items:
        account = session.account_with(item.account)
        # A resource of the same name in another account would tell what is not so.
        services = account.services(item.region) if account.id in ("", item.account) else None
        for line in write_lines(item, new, services):
            print(visible(line))


def _require_answers(args: argparse.Namespace) -> None:
    if not args.yes and not sys.stdin.isatty():
        args.usage_error("there is no terminal to ask on: add --yes")


def _confirmed(question: str, args: argparse.Namespace) -> bool:
    _require_answers(args)
    try:
        answer = input(f"{question} Type yes: ")
    except (EOFError, KeyboardInterrupt):
        print()
        answer = ""
    if answer.strip() == "yes":
        return True
    print("Nothing was written.", file=sys.stderr)
    return False


def _carry_out(session: Session, journal: Journal) -> int:
    from kms_tui.campaigns.campaign_formats import head_in_words
    from kms_tui.campaigns.campaign_run import CampaignRun, SessionAccess

    campaign_run = CampaignRun(journal, SessionAccess(session), session.now)
    ended = threading.Event()

    def work() -> None:
        try:
            campaign_run.run()
        finally:
            ended.set()

    try:
        followed(work, lambda: _step(campaign_run), name="kms-tui move")
    except KeyboardInterrupt:
        campaign_run.cancel()
        print("Stopping after the item in hand…", file=sys.stderr)
        ended.wait(_LAST_WAIT)
    campaign = journal.campaign
    print(visible(head_in_words(campaign)))
    for item, record in zip(campaign.items, campaign.records, strict=True):
        if (record.state.is_final and not record.state.is_settled) or (
            record.words and not record.state.is_final
        ):
            said = f"{record.state}: {item.use.kind} {item.use.resource}: {record.words}"
            print(visible(said), file=sys.stderr)
    for line in _next_steps(campaign):
        print(line)
    if campaign_run.stopped is not None:
        print(visible(f"Stopped: {campaign_run.stopped.with_next_step}"), file=sys.stderr)
        return FAILURE
    return 130 if campaign_run.is_cancelled else _exit_code(campaign)


def _next_steps(campaign: Campaign) -> Sequence[str]:
    """What to do now, a line each; ARNs are plain text."""
    arn = campaign.head.old
    if campaign.open_items:
        return [f"To go on: kms-tui move {arn} --allow-service-writes"]
    return [
        "The old key is still needed for what was encrypted before. Before it is disabled:",
        f"  kms-tui used-by {arn}               whether anything names it",
        f"  kms-tui move {arn} --later-uses     who still uses it, by CloudTrail",
        f"  kms-tui move {arn} --status         what became of each item, as evidence",
    ]


def _step(campaign_run: CampaignRun) -> Step:
    progress = campaign_run.progress()
    return Step(progress.words or "moving", progress.done, progress.total)


def _exit_code(campaign: Campaign) -> int:
    return 0 if all(record.state.is_settled for record in campaign.records) else 1
