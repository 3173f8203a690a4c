"""The text of each column of a row, unstyled; text from KMS is still untrusted here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple, TypeVar

from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.row_health import FINDING_WORDS, SEVERITY_MARKS, HealthSeverity, RowFinding
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, Denied, Fact, Failed, Known
from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus

_T = TypeVar("_T")


class Look(Enum):
    """How a cell looks; each but the first two belongs to one state of a fact or of a key."""

    PLAIN = "plain"
    QUIET = "quiet"
    LOADING = "loading"
    UNASKED = "unasked"
    DENIED = "denied"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"
    WARNING = "warning"
    DANGER = "danger"


class Cell(NamedTuple):
    text: str
    look: Look = Look.PLAIN


USAGE_WORDS: Mapping[str, str] = {
    "ENCRYPT_DECRYPT": "encrypt",
    "SIGN_VERIFY": "sign",
    "GENERATE_VERIFY_MAC": "mac",
    "KEY_AGREEMENT": "agree",
    "ENCAPSULATE_DECAPSULATE": "kem",
}
STATE_WORDS: Mapping[str, str] = {
    "Creating": "creating",
    "Enabled": "enabled",
    "Disabled": "disabled",
    "PendingDeletion": "pending deletion",
    "PendingImport": "pending import",
    "PendingReplicaDeletion": "pending replica deletion",
    "Unavailable": "unavailable",
    "Updating": "updating",
}
ORIGIN_WORDS: Mapping[str, str] = {
    "AWS_KMS": "KMS",
    "EXTERNAL": "imported",
    "AWS_CLOUDHSM": "CloudHSM",
    "EXTERNAL_KEY_STORE": "external",
}
YEARLY = "yearly"
"""The rotation of every AWS-managed key since May 2022."""
NOTHING = Cell("–", Look.NOT_APPLICABLE)
BLANK = Cell("")


def name(row: Row) -> str:
    """The alias that people use, or the key id of a key without one."""
    return row.aliases[0] if row.aliases else row.key_id


def titled(row: Row) -> str:
    """The name, and the account's where several are listed."""
    return f"{name(row)} · {row.account_name}" if row.account_name else name(row)


def more_aliases(row: Row) -> str:
    """ "+2" for a key with three aliases, else ""."""
    return f"+{len(row.aliases) - 1}" if len(row.aliases) > 1 else ""


def key_word(row: Row, word: Callable[[Key], Cell]) -> Cell:
    """A word from DescribeKey's answer, or the state of that fact."""
    return _fact_cell(row.described, word)


def spec(row: Row) -> Cell:
    return key_word(row, lambda key: Cell(spec_title(key.spec)))


def usage(row: Row) -> Cell:
    return key_word(row, lambda key: Cell(USAGE_WORDS.get(key.usage, key.usage.lower())))


def state(row: Row) -> Cell:
    """The key's state; of a disabled key that is watched also the number of its refused uses."""

    def word(key: Key) -> Cell:
        text = STATE_WORDS.get(key.state, key.state.lower())
        if key.state == "Disabled" and row.refused:
            return Cell(f"{text}, {row.refused:,} refused", Look.DANGER)
        return Cell(text, Look.QUIET if key.state == "Enabled" else Look.PLAIN)

    return key_word(row, word)


def origin(row: Row) -> Cell:
    return key_word(row, lambda key: Cell(ORIGIN_WORDS.get(key.origin, key.origin.lower())))


def description(row: Row) -> Cell:
    return key_word(row, lambda key: Cell(key.description, Look.QUIET))


def rotation(row: Row) -> Cell:
    """ "365 d", "off", "yearly" for AWS-managed keys, "–" for keys without automatic rotation."""
    if row.rotation is NOT_APPLICABLE and row.aws:
        return Cell(YEARLY, Look.QUIET)
    return _fact_cell(row.rotation, _rotation_word)


def _rotation_word(status: KeyRotationStatus) -> Cell:
    if not status.enabled:
        return Cell("off")
    return Cell(f"{status.period_days} d" if status.period_days else "on")


def created(row: Row) -> Cell:
    return key_word(row, lambda key: Cell(f"{key.created:%Y-%m-%d}", Look.QUIET) if key.created else NOTHING)


def last_used(row: Row, now: datetime) -> Cell:
    """ "3 d ago", or "not since <day>" where no use was seen since tracking began."""

    def word(use: KeyLastUsage) -> Cell:
        if use.time is not None:
            return Cell(f"{span(now - use.time)} ago")
        return Cell(f"not since {use.tracking_start:%Y-%m-%d}" if use.tracking_start else "never seen")

    return _fact_cell(row.last_usage, word)


def attention(row: Row, now: datetime) -> Cell:
    """The worst that the health checks found, with its glyph and the number of further findings.

    Without a finding it says what the checks still lack, or the state of a key that is not enabled; blank is
    an enabled key that passed all of them.
    """
    if row.gone:
        return Cell("no longer listed", Look.DANGER)
    health = row.health
    if (worst := health.worst) is not None:
        more = f" +{len(health.findings) - 1}" if len(health.findings) > 1 else ""
        words = f"{SEVERITY_MARKS[worst.severity]} {_finding_words(worst, row.key, now)}{more}"
        return Cell(words, _SEVERITY_LOOKS[worst.severity])
    for name in FactName:
        if name in health.refused:
            is_denied = isinstance(row.fact(name), Denied)
            return Cell(
                f"{_FACT_WORDS.get(name, name.value)} {'denied' if is_denied else 'failed'}",
                Look.DENIED if is_denied else Look.FAILED,
            )
    if health.unread:
        is_loading = any(row.fact(name) is LOADING for name in FactName if name in health.unread)
        return Cell("?", Look.LOADING) if is_loading else Cell("not read", Look.UNASKED)
    if health.unsure:
        return Cell("not judged", Look.UNASKED)
    shown = state(row) if not row.aws else BLANK
    return BLANK if shown.look is Look.QUIET else shown


_SEVERITY_LOOKS: Mapping[HealthSeverity, Look] = {
    HealthSeverity.HIGH: Look.DANGER,
    HealthSeverity.MEDIUM: Look.WARNING,
    HealthSeverity.LOW: Look.PLAIN,
}
_FACT_WORDS: Mapping[FactName, str] = {FactName.DESCRIBED: "cannot describe:"}
"""Fact -> its word, where that is not its name."""


def _finding_words(finding: RowFinding, key: Key | None, now: datetime) -> str:
    """A finding in words, with the number that matters."""
    if finding.check == "pending-deletion" and key is not None and key.deletion_date is not None:
        return _ahead("deleted", key.deletion_date, now, "being deleted")
    if finding.check == "material-expires" and key is not None and key.valid_to is not None:
        return _ahead("expires", key.valid_to, now, "material expired")
    return FINDING_WORDS[finding.check]


def _ahead(what: str, moment: datetime, now: datetime, over: str) -> str:
    return over if moment <= now else f"{what} in {span(length_between(moment, now))}"


def length_between(moment: datetime, now: datetime) -> timedelta:
    """How far apart they are: from a day on in whole days, as a calendar counts them in the reader's zone."""
    if abs(moment - now) < timedelta(days=1):
        return moment - now
    return timedelta(days=(moment.astimezone().date() - now.astimezone().date()).days)


def span(length: timedelta) -> str:
    """A length of time in its largest unit ("12 d", "5 h", "2 y"), never less than a minute."""
    seconds = max(int(length.total_seconds()), 60)
    for unit, size, least in _UNITS:
        if seconds >= least:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} min"


_DAY = 86_400
# The unit, its seconds, and the least seconds for it: up to two years are shown in days.
_UNITS = (("y", 365 * _DAY, 730 * _DAY), ("d", _DAY, _DAY), ("h", 3600, 3600))


def _fact_cell(fact: Fact[_T], word: Callable[[_T], Cell]) -> Cell:
    if isinstance(fact, Known):
        return word(fact.value)
    if isinstance(fact, Denied):
        return Cell("denied", Look.DENIED)
    if isinstance(fact, Failed):
        return Cell("failed", Look.FAILED)
    if fact is LOADING:
        return Cell("?", Look.LOADING)
    if fact is NOT_APPLICABLE:
        return NOTHING
    return Cell("·", Look.UNASKED)
