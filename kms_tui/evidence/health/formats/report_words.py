"""What several formats of a report say of it as a whole, and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kms_tui.counts import counted, counted_as, in_words
from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.compliance_packs import Pack
from kms_tui.evidence.health.control_results import ControlResult, results_of
from kms_tui.evidence.health.health_report import AccountRegionTally, HealthFinding, KeyName, Report
from kms_tui.export import Table
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.kms.arn import AccountRegion

UNKNOWN_ACCOUNT = "an account that is not known"
_NAMED = 5
"""Keys of a control, and accounts of a title, that a line names."""


def summary(report: Report) -> str:
    """ "1 high, 4 medium, 3 low; 2 accepted; 2 not known." """
    counts = ", ".join(f"{report.count(severity)} {severity.value}" for severity in HealthSeverity)
    accepted = f" {len(report.accepted)} accepted;" if report.accepted else ""
    return f"{counts};{accepted} {len(report.gaps)} not known."


def scope(report: Report) -> str:
    """The numbers of keys and checks, in a sentence or two."""
    checks = len(report.tallies)
    text = f"{report.keys:,} customer keys, {checks} checks."
    if report.aws_managed:
        text += f" {report.aws_managed:,} AWS-managed keys were not examined."
    if report.empty:
        text += f" {no_keys(report)}"
    if report.strays:
        text += f" {strays_in_words(report)}"
    if report.unlisted:
        text += f" Not all keys of {_listed(report, report.unlisted)} could be listed."
    if not report.complete:
        text += f" {stopped_in_words(report)}"
    return text


def stopped_in_words(report: Report) -> str:
    """That the examination was stopped, and how many of the keys it was over with."""
    if not report.keys:
        return "The examination was stopped before a customer key was listed."
    done = report.keys - report.unexamined
    return (
        f"The examination was stopped after {done:,} of {counted(report.keys, 'listed customer key')}: "
        "what was not read by then is not known."
    )


def no_keys(report: Report) -> str:
    """ "No customer keys in eu-west-1 in 111122223333."; "" where each account and Region has some."""
    return f"No customer keys in {_listed(report, report.empty)}." if report.empty else ""


def strays_in_words(report: Report) -> str:
    """How many entries of the baseline are for other accounts or Regions, and what they name; or ""."""
    if not report.strays:
        return ""
    count = counted_as(len(report.strays), "entry of the baseline is", "entries of the baseline are")
    names = in_words([stray.key for stray in report.strays], _NAMED)
    return f"{count} for no account and Region of this report: {names}."


def _listed(report: Report, places: Sequence[AccountRegionTally]) -> str:
    return in_words([place_words(report, each.place) for each in places], _NAMED)


def place_words(report: Report, place: AccountRegion) -> str:
    """ "eu-west-1 in payments 111122223333"."""
    return f"{place.region} in {report.account_title(place.account)}" if place.account else place.region


def has_several_accounts(report: Report) -> bool:
    return len({each.place.account for each in report.places}) > 1


def accounts_in_words(report: Report) -> str:
    """The account, or how many there are."""
    if has_several_accounts(report):
        return f"{len({each.place.account for each in report.places}):,} accounts"
    return report.accounts[0] if report.accounts else UNKNOWN_ACCOUNT


def title(report: Report) -> str:
    where = in_words(report.regions)
    return f"Health of the KMS keys of {accounts_in_words(report)}, {where}, {report.time:%Y-%m-%d %H:%M %Z}"


def by_severity(findings: Iterable[HealthFinding]) -> tuple[int, ...]:
    """The numbers of findings of each severity, the gravest first."""
    found = [finding.check.severity for finding in findings]
    return tuple(found.count(severity) for severity in HealthSeverity)


def accounts_table(report: Report) -> Table:
    """A row for each account and Region, with its keys and findings; one that was not listed says so."""
    columns = ("account", "region", "keys", *HealthSeverity, "accepted", "not_known", "note")
    found: dict[tuple[str, str], list[HealthFinding]] = {}
    for finding in report.findings:
        found.setdefault((finding.key.account, finding.key.region), []).append(finding)
    gaps: dict[tuple[str, str], int] = {}
    for gap in report.gaps:
        place = gap.key.account, gap.key.region
        gaps[place] = gaps.get(place, 0) + 1
    rows = []
    for each in report.places:
        here = found.get(each.place, [])
        news = [finding for finding in here if finding.accepted is None]
        numbers = (each.keys, *by_severity(news), len(here) - len(news), gaps.get(each.place, 0))
        note = each.unlisted and f"Not all keys could be listed. {each.unlisted}"
        account = report.account_title(each.place.account)
        rows.append((account, each.place.region, *(f"{number}" for number in numbers), note))
    return Table("Accounts and Regions", columns, rows)


def checks_table(report: Report) -> Table:
    """A row for each check, with its numbers of keys."""
    columns = ("check", "severity", "control", "keys", "passed", "found", "not_known")
    return Table(
        "What was checked",
        columns,
        [
            (
                tally.check.title,
                tally.check.severity.value,
                str(tally.check.control or ""),
                *(f"{number}" for number in (tally.keys, tally.passed, tally.found, tally.not_known)),
            )
            for tally in report.tallies
        ],
    )


def found_checks(report: Report) -> Iterable[Check]:
    """The checks that found something, each once."""
    return {finding.check.id: finding.check for finding in report.findings}.values()


def pack_table(report: Report, pack: Pack) -> Table:
    """A row for each control of a pack; its detail names keys, or says why it is not assessed."""
    columns = ("control", "title", "status", "keys", "failed", "accepted", "not_known", "detail")
    return Table(
        pack.title,
        columns,
        [
            (
                result.control.id,
                result.control.title,
                result.status.value,
                *(
                    f"{number}" if not result.control.unassessed else ""
                    for number in (result.keys, len(result.findings), result.accepted, len(result.gaps))
                ),
                control_detail(result),
            )
            for result in results_of(report, pack)
        ],
    )


def control_detail(result: ControlResult) -> str:
    """Which keys fail a control, or are not known; or why it is not assessed."""
    if result.control.unassessed:
        return result.control.unassessed
    failed = named([finding.key for finding in result.findings])
    unknown = named([gap.key for gap in result.gaps])
    return "; ".join([failed] * bool(failed) + [f"not known: {unknown}"] * bool(unknown))


def named(keys: Sequence[KeyName], most: int = _NAMED) -> str:
    """The names of keys, with their accounts where those differ; untrusted."""
    several = len({key.account for key in keys}) > 1
    names = list(dict.fromkeys(f"{key.name} ({key.account})" if several else key.name for key in keys))
    return in_words(names, most)
