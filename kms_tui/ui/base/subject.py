"""``Subject``: the key that an action is done to or that details are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kms_tui.backend.kms_facade import Kms
from kms_tui.counts import in_words
from kms_tui.inventory.row import Row
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Key
from kms_tui.session import Session


@dataclass(frozen=True, slots=True)
class Subject:
    """A key that an action is done to; ``key`` is None where it is not described, or not yet."""

    key_id: str
    arn: str
    region: str
    aliases: tuple[str, ...]
    """Without ``alias/``; the first is the name that people use."""
    key: Key | None
    account: str = ""
    """The name of its account, where several are listed. Untrusted."""
    read_only: bool = False
    """Whether its account is read-only, where several are listed."""

    @property
    def title(self) -> str:
        """Its name, and its account's where several are listed."""
        return f"{self.name} · {self.account}" if self.account else self.name

    @property
    def name(self) -> str:
        """The name people use: the first alias without its prefix, or the key id."""
        return self.aliases[0] if self.aliases else self.key_id

    @property
    def confirm_names(self) -> tuple[str, ...]:
        """The names that confirm an action without undo when typed."""
        return (self.name, self.key_id) if self.aliases else (self.key_id,)


Reason = str
"""Why an action is not offered; "" where it is."""


def aws_managed(subject: Subject) -> Reason:
    """Why nothing can be changed where AWS manages the key."""
    managed = subject.key is not None and subject.key.is_aws_managed
    managed = managed or any(alias.startswith("aws/") for alias in subject.aliases)
    return "AWS manages this key: it can be viewed, not changed" if managed else ""


def in_read_only_account(subject: Subject) -> Reason:
    """Why nothing can be changed where the key's account is read-only, and others are not."""
    return f"account {subject.account} is read-only" if subject.read_only else ""


def cannot_sign(subject: Subject) -> Reason:
    """Why there is nothing to sign with a key, and no public key to show, without a call."""
    key = subject.key
    if key is None:
        return "it is not described yet"
    spec = KEY_SPECS.get(key.spec)
    if spec is not None and spec.is_symmetric:
        return f"its usage is {key.usage}, not SIGN_VERIFY"
    return "" if key.enabled else f"its state is {key.state}"


def subject_of(row: Row) -> Subject:
    """The key of a row of the inventory."""
    account = row.place.account if row.place is not None else None
    return Subject(
        row.key_id,
        row.arn,
        row.region,
        row.aliases,
        row.key,
        account.name if account is not None else "",
        account is not None and bool(account.name) and account.read_only,
    )


def names(subjects: Sequence[Subject]) -> str:
    """ "orders-db", or "3 keys"."""
    return subjects[0].name if len(subjects) == 1 else f"{len(subjects)} keys"


def arns(subjects: Sequence[Subject]) -> str:
    """Which keys these are, whatever their names: what a form for several is about."""
    return " ".join(sorted(subject.arn for subject in subjects))


def accounts_words(session: Session, subjects: Sequence[Subject]) -> str:
    """ "account a", "accounts a and b": of these keys, or the current one for none; untrusted."""
    found = dict.fromkeys(session.account_of(subject.arn) for subject in subjects) or [session.current]
    titles = [account.title for account in found]
    return f"{'account' if len(titles) == 1 else 'accounts'} {in_words(titles, 3)}"


def kms_for(session: Session, subject: Subject) -> Kms:
    """The façade in the subject's account and Region."""
    return session.kms_for(subject.arn)
