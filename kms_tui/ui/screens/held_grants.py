"""The grants of keys as the screen of all grants lists them: in order, by what is searched, as rows.

There may be 50,000, so all that goes over all of them runs on a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kms_tui.evidence.account_grants import is_deleted, stale_first
from kms_tui.export import Table
from kms_tui.kms.arn import key_id_of, key_region
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Grant
from kms_tui.session import Session
from kms_tui.ui.base.subject import Subject, subject_of
from kms_tui.ui.base.words import date_words, span_words
from kms_tui.ui.widgets.line_table import TableRow


class HeldGrant(NamedTuple):
    """A grant, and the key that it is on."""

    grant: Grant
    subject: Subject
    age: str
    is_deleted: bool
    """Whether its grantee principal is deleted."""
    row_key: str
    searched: str
    """The text that the filter searches: all cells, the principals, the ids and the names of the key."""


def known_grants(facts: Mapping[str, Fact[list[Grant]]]) -> list[tuple[str, Grant]]:
    """The grants that have been read, each with the ARN of its key."""
    return [(arn, grant) for arn, fact in facts.items() if isinstance(fact, Known) for grant in fact.value]


def held_grants(session: Session, grants: Iterable[tuple[str, Grant]]) -> list[HeldGrant]:
    """Grants, each with the ARN of its key, stale ones first; on a thread."""
    grants = list(grants)
    subjects = {arn: _subject(session, arn) for arn in {arn for arn, _ in grants}}
    subject_of_grant = {id(grant): subjects[arn] for arn, grant in grants}
    now = session.now()

    def held(grant: Grant) -> HeldGrant:
        subject = subject_of_grant[id(grant)]
        age = span_words(now - grant.created) if grant.created is not None else "–"
        deleted = is_deleted(grant.grantee)
        row_key = f"{subject.arn} {grant.grant_id}"
        parts = (
            row_key,
            grant.grantee,
            "(deleted)" if deleted else "",
            age,
            subject.name,
            ", ".join(grant.operations),
            subject.region,
            subject.account,
            *subject.aliases,
            grant.retiring,
            grant.name,
        )
        return HeldGrant(grant, subject, age, deleted, row_key, " ".join(parts).lower())

    return [held(grant) for grant in stale_first(grant for _, grant in grants)]


def matching_grants(held: Sequence[HeldGrant], text: str) -> list[HeldGrant]:
    """The grants that have every word of a filter; on a thread."""
    words = text.lower().split()
    return [each for each in held if all(word in each.searched for word in words)]


def grant_row(held: HeldGrant) -> TableRow:
    grant = held.grant
    grantee = f"{grant.grantee} (deleted)" if held.is_deleted else grant.grantee
    return TableRow(
        held.row_key,
        (
            (grantee.removeprefix("arn:aws:iam::"), "warning" if held.is_deleted else "strong"),
            held.age,
            held.subject.title,
            (", ".join(grant.operations), "quiet"),
            (held.subject.region, "quiet"),
        ),
    )


def grants_table(held: Sequence[HeldGrant]) -> Table:
    """The grants as a table to export."""
    columns = (
        "grantee",
        "deleted",
        "key",
        "key_arn",
        "operations",
        "created",
        "name",
        "retiring",
        "grant_id",
    )
    rows = [
        (
            each.grant.grantee,
            "yes" if each.is_deleted else "",
            each.subject.name,
            each.subject.arn,
            " ".join(each.grant.operations),
            date_words(each.grant.created) if each.grant.created else "",
            each.grant.name,
            each.grant.retiring,
            each.grant.grant_id,
        )
        for each in held
    ]
    return Table("Grants on KMS keys", columns, rows)


def _subject(session: Session, arn: str) -> Subject:
    row = session.inventory.row(arn)
    if row is not None:
        return subject_of(row)
    return Subject(key_id_of(arn), arn, key_region(arn) or session.kms.region, (), None)
