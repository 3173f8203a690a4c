"""The accounts of ``--accounts``: how each is opened. Uses the backend that ``cli/connection.py`` chooses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from kms_tui.accounts.account import AccountSource
from kms_tui.accounts.account_choice import AccountChoice
from kms_tui.cli.connection import open_backend
from kms_tui.config import Config, ProfileSettings
from kms_tui.kms.arn import key_account
from kms_tui.kms.errors import ConfigurationError, KmsTuiError
from kms_tui.session import BackendKind, Connection, Prompt

if TYPE_CHECKING:
    from kms_tui.accounts.account_list import AccountEntry
    from kms_tui.backend.aws import AwsBackend
    from kms_tui.backend.base import Backend, Services
    from kms_tui.backend.local import LocalBackend


class ChosenAccounts(NamedTuple):
    """The accounts to list; ``home`` are the services of who assumes roles in them, if anyone does."""

    sources: list[AccountSource]
    home: Services | None = None


def chosen_accounts(
    connection: Connection, choice: AccountChoice, config: Config, prompt: Prompt | None
) -> ChosenAccounts:
    """The accounts that were chosen; slow, where AWS or a file lists them. Raises KmsTuiError."""
    home: Services | None = None
    if connection.kind is BackendKind.DEMO:
        from kms_tui.demo import demo_backend

        sources = demo_sources(demo_backend(region=connection.region, other_accounts=True))
    elif connection.kind is BackendKind.LOCAL:
        sources = _of_a_store(connection, choice, prompt)
    elif choice.profiles:
        sources = [_of_profile(replace(connection, profile=name), prompt) for name in choice.profiles]
    else:
        sources, home = _of_a_list(connection, choice, prompt)
    settled = [
        replace(
            source,
            settings=_settings(source, config, connection.title),
            settings_by_id={} if source.account_id else config.accounts,
        )
        for source in sources
    ]
    return ChosenAccounts(_told_apart(settled), home)


def _told_apart(sources: list[AccountSource]) -> list[AccountSource]:
    """Those of the same name with their ids: in an organization several accounts may have one name."""
    named = Counter(source.name for source in sources)
    return [
        replace(source, name=f"{source.name} {source.account_id}")
        if named[source.name] > 1 and source.account_id
        else source
        for source in sources
    ]


def _settings(source: AccountSource, config: Config, title: str) -> ProfileSettings:
    found = config.account(source.profile or title, source.account_id, source.name)
    return replace(found, read_only=found.read_only or source.settings.read_only)


def _of_profile(
    connection: Connection, prompt: Prompt | None, entry: AccountEntry | None = None
) -> AccountSource:
    from kms_tui.backend.aws.profiles import profile_named

    profile = connection.profile or ""
    return AccountSource(
        partial(open_backend, connection, prompt),
        name=(entry.name if entry is not None else "") or profile,
        account_id=entry.id if entry is not None else "",
        region=connection.region or profile_named(profile).region,
        profile=profile,
    )


def _of_a_list(connection: Connection, choice: AccountChoice, prompt: Prompt | None) -> ChosenAccounts:
    """The accounts of the organization or of a file; the connection's caller assumes a role in each."""
    from kms_tui.accounts.account_list import AccountFile, organization_accounts, read_account_file
    from kms_tui.backend.aws.aws_backend import AwsBackend

    listed = read_account_file(choice.file) if choice.file is not None else AccountFile([])
    home: Backend = open_backend(connection, prompt)
    assert isinstance(home, AwsBackend)
    entries = listed.accounts if choice.file is not None else organization_accounts(home.services)
    own = home.caller().account
    entries.sort(key=lambda entry: entry.id != own)  # the caller's own account is open already
    role = choice.role or listed.role
    sources = [_of_entry(entry, connection, role, home, own, prompt) for entry in entries]
    return ChosenAccounts(sources, home.services)


def _of_entry(
    entry: AccountEntry, connection: Connection, role: str, home: AwsBackend, own: str, prompt: Prompt | None
) -> AccountSource:
    region = (entry.region if not connection.regions else "") or home.region
    if entry.profile:
        chosen = replace(connection, profile=entry.profile, region=region)
        source = _of_profile(chosen, prompt, entry)
    else:
        source = AccountSource(
            _opener(entry, entry.role or role, home, own, region),
            name=entry.name or entry.id,
            account_id=entry.id,
            region=region,
        )
    return replace(source, settings=replace(source.settings, read_only=entry.read_only))


def suspended(status: str) -> KmsTuiError:
    """Why an account is not opened that Organizations does not call active."""
    words = status.lower().replace("_", " ")
    return ConfigurationError(
        f"The account is {words} in its organization.", next_step="Its keys cannot be listed."
    )


def _opener(entry: AccountEntry, role: str, home: AwsBackend, own: str, region: str) -> Callable[[], Backend]:
    """Opens an account of a list: by a role in it, or as the caller where it is the caller's own."""
    from kms_tui.backend.aws.aws_backend import AssumedRole

    def opened() -> Backend:
        if not entry.is_active:
            raise suspended(entry.status)
        if entry.id == own and not entry.role:
            return home.in_region(region)
        if not role:
            raise ConfigurationError(
                f"Nothing says how account {entry.id} is opened.",
                next_step="Give a role with --role NAME, or a role or a profile in the file.",
            )
        arn = role if role.startswith("arn:") else f"arn:{home.partition}:iam::{entry.id}:role/{role}"
        if key_account(arn) not in ("", entry.id):
            raise ConfigurationError(
                f"The role {arn} is of account {key_account(arn)}, not of {entry.id}.",
                next_step="Give the role's name, or for each account a role of its own.",
            )
        return home.assuming(AssumedRole(arn, entry.external_id)).in_region(region)

    return opened


def demo_sources(home: LocalBackend) -> list[AccountSource]:
    """The accounts of the demo's organization, one of which is suspended."""
    from kms_tui.demo.demo_account import ACCOUNT_ID
    from kms_tui.demo.demo_organization import MAIN_NAME, OTHER_ACCOUNTS

    return [
        _stored(home, ACCOUNT_ID, MAIN_NAME),
        *(_stored(home, each.id, each.name, is_suspended=each.is_suspended) for each in OTHER_ACCOUNTS),
    ]


def _of_a_store(connection: Connection, choice: AccountChoice, prompt: Prompt | None) -> list[AccountSource]:
    """The accounts that have keys in a store, or those of them that are named by their ids."""
    from kms_tui.backend.local import LocalBackend
    from kms_tui.backend.local.default_store import accounts_of

    home = open_backend(connection, prompt)
    assert isinstance(home, LocalBackend)
    held = accounts_of(home.store)
    missing = [name for name in choice.profiles if name not in held]
    if missing or choice.file is not None:
        reason = f"The store has no keys of an account {missing[0]}" if missing else "A store needs no file"
        raise ConfigurationError(
            f"{reason}.", next_step=f"--accounts organization shows what it has: {', '.join(held) or 'none'}."
        )
    return [_stored(home, account_id, account_id) for account_id in choice.profiles or held]


def _stored(home: LocalBackend, account_id: str, name: str, *, is_suspended: bool = False) -> AccountSource:
    def opened() -> Backend:
        if is_suspended:
            raise suspended("SUSPENDED")
        return home if account_id == home.account_id else home.in_account(account_id)

    return AccountSource(opened, name=name, account_id=account_id, region=home.region)
