"""Replay the requests that were really made against a change of a key: whom would it break?

``kms-tui replay --key alias/orders --policy new.json`` lists the requests that the present policy lets in and
the new one refuses, by principal, operation and encryption context. Nothing is changed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import require_one_standard_input
from kms_tui.cli.history_options import add_history_flags, agreed, followed, services_of, source_from
from kms_tui.cli.key_access import access_of, is_key_arn, opened, read_policy, reading_kms
from kms_tui.kms.arn import ALIAS_PREFIX, Arn
from kms_tui.kms.errors import ConfigurationError
from kms_tui.kms.keyspecs import alias_kind
from kms_tui.session import BackendKind, Connection

if TYPE_CHECKING:
    from kms_tui.backend.base import Backend
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.evidence.change_replay import KeyAccess, KeyChange
    from kms_tui.evidence.request_history.history_source import RequestHistory

FAILURE = 2
"""The exit code without an answer; 1 is for --fail-on."""
_EPILOG = """\
examples:
  kms-tui replay --key alias/orders --policy new.json         whom would this policy break?
  kms-tui replay --key alias/orders --policy new.json --days 7 --fail-on refused --format md
  kms-tui replay --key alias/orders --disable --events AWSLogs/
  kms-tui replay --key alias/orders --alias alias/orders --to alias/orders-2027
  kms-tui replay --demo --key alias/orders-db --delete

exit codes: 0 the change was replayed; 1 something of --fail-on was found; 2 bad usage, or what is
needed cannot be read; 130 stopped with Ctrl+C. Where reading ends early, what was read is judged.

With --events, --policy-before and a key's ARN no connection is opened. Else it calls DescribeKey,
GetKeyPolicy, ListGrants, what reads the record, and the IAM policies of callers on whom it depends."""
_FORMATS = ("table", "json", "md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--key", required=True, metavar="K", help="a key id, an alias, or an ARN of either")
    change = parser.add_mutually_exclusive_group(required=True)
    change.add_argument("--policy", metavar="FILE", help="another key policy; - is standard input")
    change.add_argument("--revoke", metavar="GRANT", help="revoke or retire a grant: its id or its name")
    change.add_argument("--disable", action="store_true", help="disable the key")
    change.add_argument("--delete", action="store_true", help="schedule the key's deletion")
    change.add_argument("--alias", metavar="NAME", help="repoint this alias of the key, with --to")
    parser.add_argument("--to", metavar="KEY", help="the key that the alias is to name")
    parser.add_argument("--policy-before", metavar="FILE", help="in place of the key's present policy")
    parser.add_argument("--grants-before", metavar="FILE", help="in place of its grants: ListGrants' answer")
    parser.add_argument(
        "--fail-on",
        choices=("refused", "undecided"),
        metavar="EFFECT",
        help="exit with 1 if requests are refused; undecided: or if some depend",
    )
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    add_history_flags(parser)
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Replay; see ``--help`` for the exit codes."""
    if (args.alias is None) != (args.to is None):
        args.usage_error("--alias and --to go together")
    require_one_standard_input(args, args.policy, args.policy_before, args.grants_before)
    from kms_tui.backend.base import KnowsServices
    from kms_tui.denials.replay_reading import read_callers
    from kms_tui.evidence.change_replay import details_for, replay
    from kms_tui.evidence.change_replay.replay_formats import WRITERS
    from kms_tui.evidence.request_history.history_source import HistoryQuery

    # The calls that this command itself makes are not among the requests that it judges.
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    connection: Connection = args.connection_from(args)
    backend = _backend(args, connection)
    kms = reading_kms(backend) if backend is not None else None
    access, notes = access_of(kms, args.key, args.policy_before, args.grants_before)
    change, more = _change(args, access, kms)
    region = Arn.parse(access.key_arn).region
    live = connection.kind in (BackendKind.DEMO, BackendKind.LOCAL)
    source = source_from(args, services_of(backend), region, live=live)
    query = HistoryQuery(now - timedelta(days=args.days), now, access.key_arn, details_for(access, change))
    if not agreed(args, source, query):
        return FAILURE
    outcome = followed(source, query, args.minutes)
    history = _with_notes(outcome.history, [*notes, *more])
    result = replay(history, access, change)
    if backend is not None and kms is not None and result.unread_callers:
        services = backend.services if isinstance(backend, KnowsServices) else None
        result = replay(history, access, change, read_callers(kms, services, result.unread_callers))
    from kms_tui.cli.file_streams import writing_output

    with writing_output() as out:
        out.write(WRITERS[args.format](result, now).encode())
    if outcome.exit_code:
        return outcome.exit_code
    found = (args.fail_on and result.refused) or (args.fail_on == "undecided" and result.undecided)
    return int(bool(found))


def _with_notes(history: RequestHistory, notes: Sequence[str]) -> RequestHistory:
    coverage = replace(history.coverage, notes=(*history.coverage.notes, *notes))
    return replace(history, coverage=coverage)


def _backend(args: argparse.Namespace, connection: Connection) -> Backend | None:
    """The connection; None where files tell everything and no flag asks for one."""
    has_all = args.policy_before is not None and is_key_arn(args.key) and args.alias is None
    if has_all and args.events is not None and connection.kind is None:
        return None
    return opened(connection)


def _change(
    args: argparse.Namespace, access: KeyAccess, kms: Kms | None
) -> tuple[KeyChange, tuple[str, ...]]:
    """The change that the arguments name, and what is not known about it."""
    from kms_tui.evidence.change_replay import AliasRepointing, GrantRemoval, PolicyChange, StateChange
    from kms_tui.kms.model import KeyState

    if args.policy is not None:
        return PolicyChange(read_policy(args.policy)), ()
    if args.revoke is not None:
        return GrantRemoval(_grant(args.revoke, access)), ()
    if args.alias is None:
        return StateChange(KeyState.DISABLED if args.disable else KeyState.PENDING_DELETION), ()
    if kms is None:
        raise ConfigurationError("An alias is repointed with a connection only.")
    alias = args.alias if args.alias.startswith(ALIAS_PREFIX) else f"{ALIAS_PREFIX}{args.alias}"
    there = kms.in_region_of(access.key_arn)
    named = there.describe(alias).arn
    if named != access.key_arn:
        raise ConfigurationError(f"{alias} is no alias of this key: it names {named}.")
    target, notes = access_of(there, args.to)
    if target.key_arn == access.key_arn:
        raise ConfigurationError("--to names the key itself: nothing would change.")
    _require_fitting(access, target)
    return AliasRepointing(alias, target), notes


def _require_fitting(access: KeyAccess, target: KeyAccess) -> None:
    """ConfigurationError where UpdateAlias refuses the target. Source: its API reference."""
    here, there = Arn.parse(access.key_arn), Arn.parse(target.key_arn)
    if (here.account, here.region) != (there.account, there.region):
        raise ConfigurationError("An alias cannot name a key of another account or Region, as --to does.")
    kinds = [alias_kind(each.facts["kms:keyspec"], each.facts["kms:keyusage"]) for each in (access, target)]
    if kinds[0] != kinds[1]:
        raise ConfigurationError(
            "UpdateAlias refuses this: both keys must be symmetric, both asymmetric, or both HMAC keys, and "
            "have the same key usage."
        )


def _grant(text: str, access: KeyAccess) -> str:
    """The id of the key's grant of that id or name; ConfigurationError where there is none, or several."""
    found = [grant.grant_id for grant in access.grants if text in (grant.grant_id, grant.name)]
    if len(found) != 1:
        many = f"{len(found)} grants" if found else "no grant"
        raise ConfigurationError(
            f"The key has {many} of the id or name {text!r}.", next_step="Give the id that ListGrants tells."
        )
    return found[0]
