"""Move the objects of an S3 bucket to another KMS key, without copying them: with S3 Batch Operations.

S3 lists the objects that are under the old key, the command says how many there are and roughly what it
costs, and asks; then S3 encrypts the data key of each object anew (UpdateObjectEncryption). The job is S3's:
it goes on when this command ends, and is followed again with --job.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import sys
import uuid
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, add_writes_flag, connection_from
from kms_tui.cli.reading import Step, followed
from kms_tui.cli.standard_streams import say
from kms_tui.counts import counted
from kms_tui.kms.errors import UnavailableError
from kms_tui.session import Connection, Session
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.backend.base import Services
    from kms_tui.kms.model import Key
    from kms_tui.object_moves.batch_job import BatchJob
    from kms_tui.object_moves.bucket_facts import BucketFacts
    from kms_tui.object_moves.job_running import JobRun
    from kms_tui.object_moves.move_request import ObjectMove

FAILURE = 2
"""The exit code where nothing could begin, or nobody knows how it ended."""
_STOPPED = 130
_WAITS = "The job waits to be confirmed; until then it moves nothing."
_REPORT_PREFIX = "kms-tui/move-objects"
_EPILOG = """\
examples:
  kms-tui move-objects acme-lake --from alias/lake --to alias/lake-2027 \\
      --role-arn arn:aws:iam::111122223333:role/MoveObjects --dry-run
  kms-tui move-objects acme-lake --from alias/lake --to alias/lake-2027 \\
      --role-arn arn:aws:iam::111122223333:role/MoveObjects --prefix 2026/ --allow-service-writes
  kms-tui move-objects acme-lake --job 00e123a4-c0d8-41f4-a0eb-b46f9ba5b07c
  kms-tui move-objects acme-lake --job 00e123a4-… --cancel --allow-service-writes

exit codes: 0 all objects are moved, or none is under the key; 1 some failed, or the job ended before its end,
which is said with the place of the report; 2 bad usage, nothing could begin, or nobody knows how it ended;
130 stopped with Ctrl+C: the job goes on, or waits to be confirmed

needs: --allow-service-writes (or allow_service_writes in the configuration); the role and the permissions
that --dry-run prints. Bucket, job and both keys are of one Region, bucket and new key of one account.

Objects under DSSE-KMS, SSE-C or no key, and those with an Object Lock retention or a legal hold, cannot be
moved. S3 takes one prefix a job."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("bucket", metavar="BUCKET", help="the bucket's name")
    new = parser.add_argument_group("a new job")
    new.add_argument("--from", dest="source", metavar="KEY", help="the key that is left: id, alias or ARN")
    new.add_argument("--to", metavar="KEY2", help="the other key: id, alias or ARN")
    new.add_argument("--role-arn", metavar="ARN", help="the role with which S3 does it")
    new.add_argument("--prefix", metavar="P", default="", help="only objects whose names begin with it")
    new.add_argument(
        "--bucket-key",
        action=argparse.BooleanOptionalAction,
        help="whether the objects then use an S3 Bucket Key (default: as the bucket's default says)",
    )
    new.add_argument("--report-bucket", metavar="B", help="for S3's list and report (default: the bucket)")
    new.add_argument(
        "--report-prefix",
        metavar="P",
        default=_REPORT_PREFIX,
        help=f"where in it (default: {_REPORT_PREFIX})",
    )
    new.add_argument("--dry-run", action="store_true", help="print the request, and the policies it needs")
    job = parser.add_argument_group("a job that is there")
    job.add_argument("--job", metavar="ID", help="follow this job; one that waits is asked about")
    job.add_argument("--cancel", action="store_true", help="with --job: have it end; what is moved stays so")
    parser.add_argument("--yes", action="store_true", help="do not ask whether to begin")
    add_writes_flag(parser)
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Begin, or go on with a job; see ``--help`` for the exit codes."""
    from kms_tui.cli.key_access import open_chosen
    from kms_tui.config import default_path, load
    from kms_tui.object_moves.move_request import ObjectMoveError, require_bucket_name

    _check(args)
    connection: Connection = args.connection_from(args)
    if connection.read_only and not args.dry_run and (args.job is None or args.cancel or args.yes):
        args.usage_error("--read-only: only --dry-run, and following a --job, change nothing")
    require_bucket_name(args.bucket)
    session = open_chosen(connection, load(default_path()))
    try:
        return _go_on(session, args) if args.job is not None else _begin(session, args)
    except UnavailableError as error:
        raise ObjectMoveError(
            "No S3 here runs jobs: those of the demo and of local stores do not.",
            next_step="--dry-run prints what AWS would be sent.",
        ) from error
    finally:
        session.close()


def _check(args: argparse.Namespace) -> None:
    begins = {
        "--from": args.source,
        "--to": args.to,
        "--role-arn": args.role_arn,
        "--prefix": args.prefix,
        "--report-bucket": args.report_bucket,
        "--report-prefix": args.report_prefix != _REPORT_PREFIX,
        "--dry-run": args.dry_run,
    }
    if args.job is not None:
        given = [flag for flag, value in begins.items() if value]
        if given or args.bucket_key is not None:
            args.usage_error(
                f"--job is a job that is there: leave out {given[0] if given else '--bucket-key'}"
            )
        if not args.job:
            args.usage_error("--job: a job has an id")
        return
    if args.cancel:
        args.usage_error("--cancel goes with --job")
    missing = [flag for flag in ("--from", "--to", "--role-arn") if not begins[flag]]
    if missing:
        args.usage_error(f"a new job needs {', '.join(missing)}; --job ID follows one that is there")


# A new job


def _begin(session: Session, args: argparse.Namespace) -> int:
    from kms_tui.object_moves.bucket_facts import read_bucket

    if not args.dry_run:
        session.current.writing_services()  # refused before anything is read
    old = session.kms_for(args.source).describe(args.source)
    account = session.kms.account_id or session.kms.caller().account or old.account_id
    new = _new_key(session, args, old, account)
    bucket = read_bucket(_services(session, old.region), args.bucket)
    move = _request(args, account, old, new, bucket)
    _describe(move, bucket)
    if args.dry_run:
        _print_request(move, args)
        return 0
    job_run = _job_run(session, move.region, move.account)
    job_id = job_run.create(move.params)
    say(f"Job {job_id}: S3 lists the objects, which may take hours in a large bucket.")
    return _to_its_end(job_run, args)


def _new_key(session: Session, args: argparse.Namespace, old: Key, account: str) -> Key:
    """The other key, where objects can be moved to it with what was given. Raises KmsTuiError."""
    from kms_tui.key_moves.destination import DestinationError, find_destination
    from kms_tui.object_moves.move_request import (
        ObjectMoveError,
        require_bucket_name,
        require_keys,
        require_prefix,
        require_role,
    )

    require_role(args.role_arn, account)
    require_prefix(args.report_prefix)
    require_bucket_name(args.report_bucket or args.bucket)
    try:
        new = find_destination(old, args.to, session.kms_for(old.arn), session.kms_for)
    except DestinationError as error:  # this command makes no key
        step, made, _ = error.next_step.partition(", or ")
        step += "." if made else ""
        raise ObjectMoveError(str(error), next_step=step) from error
    require_keys(old, new, account)
    return new


def _request(args: argparse.Namespace, account: str, old: Key, new: Key, bucket: BucketFacts) -> ObjectMove:
    """The job that is asked for; ObjectMoveError for a bucket of another Region."""
    from kms_tui.kms.arn import Arn
    from kms_tui.object_moves.move_request import ObjectMove, ObjectMoveError

    if bucket.region != old.region:
        raise ObjectMoveError(
            f"The bucket {bucket.name} is in {bucket.region}, the key in {old.region}: S3 encrypts with keys"
            " of the bucket's own Region.",
            next_step=f"Name the keys of {bucket.region}: by ARN, or with --region {bucket.region}.",
        )
    return ObjectMove(
        bucket.name,
        bucket.region,
        account,
        Arn.parse(old.arn).partition,
        old.arn,
        new.arn,
        args.role_arn,
        str(uuid.uuid4()),
        args.report_bucket or bucket.name,
        args.report_prefix,
        args.prefix,
        bucket.has_bucket_key if args.bucket_key is None else args.bucket_key,
    )


def _describe(move: ObjectMove, bucket: BucketFacts) -> None:
    from kms_tui.object_moves.bucket_facts import bucket_notes, fact_words
    from kms_tui.object_moves.move_request import LIMITS

    which = f"whose names begin with {move.prefix}" if move.prefix else "of the whole bucket"
    rows = (
        ("bucket", f"{bucket.name} in {bucket.region}"),
        ("versioning", fact_words(bucket.versioning)),
        ("default", fact_words(bucket.default)),
        ("objects", f"those {which} that are under the old key"),
        ("old key", move.old_key),
        ("new key", f"{move.new_key}, S3 Bucket Key {'on' if move.bucket_key else 'off'}"),
        ("role", move.role),
        ("report", f"s3://{move.report_bucket}/{move.report_prefix}/, with S3's list of the objects"),
    )
    width = max(len(label) for label, _ in rows)
    say(*(f"{label:<{width}}  {text}" for label, text in rows), "")
    say(*(f"- {note}" for note in (*bucket_notes(bucket, move.old_key, move.new_key), *LIMITS)), "")


def _print_request(move: ObjectMove, args: argparse.Namespace) -> None:
    from kms_tui.command_text import service_line

    places = {"region": move.region, "profile": args.profile or "", "endpoint_url": args.endpoint_url or ""}
    shown = (
        ("The request (CreateJob)", move.params),
        ("The trust policy of the role", move.trust_policy),
        ("The permissions of the role; both key policies must let it in too", move.role_policy),
        ("The permissions of whoever begins and follows it", move.caller_policy),
    )
    for title, document in shown:
        say(f"# {title}", *json.dumps(document, indent=2, ensure_ascii=False).splitlines(), "")
    say("# The same with the AWS CLI", service_line("s3control", "CreateJob", move.params, **places))


# A job that is there


def _go_on(session: Session, args: argparse.Namespace) -> int:
    from kms_tui.object_moves.bucket_facts import read_bucket
    from kms_tui.object_moves.move_request import ObjectMoveError

    account = session.kms.account_id or session.kms.caller().account
    if not account:
        raise ObjectMoveError(
            "Whose account this is is not known.",
            next_step="Ask for sts:GetCallerIdentity: jobs are an account's.",
        )
    region = read_bucket(_services(session, session.kms.region), args.bucket).region
    job_run = _job_run(session, region, account, args.job)
    job = job_run.look()
    if not job.moves_objects or job.bucket != args.bucket:
        what = f"is one of the bucket {job.bucket}" if job.moves_objects else "moves no objects"
        raise ObjectMoveError(f"Job {job.id} {what}.", next_step="Name a bucket and a job that go together.")
    say(f"Job {job.id} moves objects to {job.new_key}: {job.words}.")
    if args.cancel:
        job_run.cancel()
        return _ended(_watched(job_run, args), args)
    return _to_its_end(job_run, args)


def _to_its_end(job_run: JobRun, args: argparse.Namespace) -> int:
    """Follow a job: until it waits, ask, and until it has ended."""
    from kms_tui.kms.errors import ConfigurationError, KmsTuiError, ReadOnlyError
    from kms_tui.object_moves.batch_job import WAITING

    job = _watched(job_run, args, WAITING)
    if job is not None and job.waits:
        if job.found_nothing:
            with contextlib.suppress(ReadOnlyError, ConfigurationError):  # then it waits for ever
                job_run.cancel()
            return _nothing()
        if args.yes or sys.stdin.isatty():
            try:
                job_run.require_writes()  # before anybody is asked
            except (ReadOnlyError, ConfigurationError):
                _say_how_to_go_on(job_run, args, _WAITS)
                raise
        agreed = _agreed(job, args)
        if agreed is None:
            _say_how_to_go_on(job_run, args, _WAITS)
            return _STOPPED if sys.stdin.isatty() else FAILURE
        if not agreed:
            job_run.cancel()
            say("Nothing was moved; the job is cancelled.")
            return FAILURE
        try:
            job_run.confirm()
        except (KmsTuiError, KeyboardInterrupt):
            _say_how_to_go_on(job_run, args, "The job was perhaps not confirmed.")
            raise
        job = _watched(job_run, args)
    return _ended(job, args)


def _agreed(job: BatchJob, args: argparse.Namespace) -> bool | None:
    """Whether to begin: by --yes, or by an answer in a terminal; None without an answer."""
    from kms_tui.evidence.cost import money
    from kms_tui.object_moves.move_request import PRICES, rough_price

    price = money(rough_price(job.total))
    found, them = ("1 object is", "it") if job.total == 1 else (f"{job.total:,} objects are", "them")
    say(
        f"{found} under the old key. Moving {them} costs roughly {price}, at list prices of {PRICES.date}:"
        " the job, its objects, requests of S3 and KMS."
    )
    if args.yes:
        return True
    if not sys.stdin.isatty():
        return None
    print(f"Move {counted(job.total, 'object')}? [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return None
    return answer.strip().lower() in ("y", "yes") if answer else None


def _watched(
    job_run: JobRun, args: argparse.Namespace, until: Collection[str] | None = None
) -> BatchJob | None:
    """The job as it is when it has such a status or has ended; None after Ctrl+C."""
    from kms_tui.kms.errors import KmsTuiError
    from kms_tui.object_moves.batch_job import ENDED

    def progress() -> Step:
        job = job_run.job
        if job is None:
            return Step("S3 is asked", 0)
        return Step(job.words, job.done)

    work: Callable[[], BatchJob] = partial(job_run.follow, ENDED if until is None else until)
    try:
        return followed(work, progress, name="kms-tui move-objects")
    except KeyboardInterrupt:
        job_run.stop()
        _say_how_to_go_on(job_run, args, "The job goes on without this command.")
        return None
    except KmsTuiError:
        _say_how_to_go_on(job_run, args, "The job was lost sight of, and goes on.")
        raise


def _say_how_to_go_on(job_run: JobRun, args: argparse.Namespace, why: str) -> None:
    flags = (("--profile", args.profile), ("--region", args.region), ("--endpoint-url", args.endpoint_url))
    words = ["kms-tui", "move-objects", args.bucket, "--job", job_run.job_id]
    words += [word for flag in flags if flag[1] for word in flag]
    words += ["--allow-service-writes"] if args.allow_service_writes else []
    line = visible(shlex.join(words))
    print(why, f"Follow it:  {line}", f"End it:     {line} --cancel", sep="\n", file=sys.stderr)


def _nothing() -> int:
    say("No object there is under the old key: nothing is to be moved.")
    return 0


def _ended(job: BatchJob | None, args: argparse.Namespace) -> int:
    """Say how it ended; the exit code. None is a job that goes on."""
    if job is None:
        return _STOPPED
    if job.found_nothing:
        return _nothing()
    are = "is" if job.succeeded == 1 else "are"
    moved = f"{job.succeeded:,} of {counted(job.total, 'object')} {are} moved"
    others = f", {job.failed:,} failed" if job.failed else ""
    say(f"{job.status}: {moved}{others}.")
    if job.is_whole:
        say(f"What is left: kms-tui used-by {job.old_key} --bucket {args.bucket} --versions")
        return 0
    for code, reason in job.failures:
        print(visible(": ".join(part for part in (code, reason) if part)), file=sys.stderr)
    if job.failures or job.failed:
        print(job.next_step, file=sys.stderr)
    if job.done and job.report:
        say(f"Report: {job.report}")
    return 1 if job.done or job.status != "Failed" else FAILURE


def _services(session: Session, region: str) -> Services:
    services = session.current.services(region)
    if services is None:
        raise UnavailableError("S3")
    return services


def _job_run(session: Session, region: str, account: str, job_id: str = "") -> JobRun:
    from kms_tui.object_moves.job_running import JobRun

    writing = partial(session.current.writing_services, region)
    return JobRun(_services(session, region), writing, account, job_id)
