"""Baselines: what they accept, what they refuse, and what is said of entries that accept nothing."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from kms_tui.evidence.health.baseline import Baseline, baseline_text, read_baseline
from kms_tui.evidence.health.formats.report_words import strays_in_words
from kms_tui.evidence.health.formats.writers import WRITERS
from kms_tui.evidence.health.health_report import Report
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.kms.errors import KmsTuiError
from tests.unit.evidence.health.build import ACCOUNT, NOW, OTHER
from tests.unit.evidence.health.reports import LOST, PLACES, REFUSED, ROTATION_OFF, Estate, estate

TODAY = NOW.date()
LATER = "2027-03-31"


def entry(check: str = "rotation-off", key: str = "alias/orders", expires: str = LATER, **more: str) -> str:
    members = {"owner": '"Kim"', "reason": '"only tests"', "expires": expires} | more
    lines = [
        f'check = "{check}"',
        f'key = "{key}"',
        *(f"{name} = {value}" for name, value in members.items()),
    ]
    return "\n".join(["[[accepted]]", *lines, ""])


def baseline(tmp_path: Path, *entries: str, name: str = "accepted.toml") -> Baseline:
    path = tmp_path / name
    path.write_text("\n".join(entries), encoding="utf-8")
    return read_baseline(path, TODAY)


def accepted(report: Report) -> list[tuple[str, str]]:
    return [(finding.check.id, finding.key.name) for finding in report.accepted]


def two_orders() -> Estate:
    made = Estate()
    made.add(PLACES[0], "orders", "orders-old", rotation=ROTATION_OFF)
    made.add(PLACES[2], "orders", rotation=ROTATION_OFF)
    return made


FIRST = "arn:aws:kms:eu-west-1:111122223333:key/00000001-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (FIRST, 1),
        ("arn:aws:kms:*:111122223333:key/*", 1),
        ("arn:aws:kms:eu-west-1:111122223333:alias/orders-old", 1),
        ("arn:aws:kms:*:*:alias/ord*", 2),
        ("alias/orders-old", 1),
        ("alias/orders*", 2),
        ("alias/order", 0),
        (ACCOUNT, 1),
        (OTHER, 1),
        ("arn:aws:kms:*:*:key/*", 2),
        ("alias/Orders", 0),
    ],
)
def test_an_entry_names_keys_by_arn_alias_or_account(tmp_path: Path, key: str, found: int) -> None:
    report, _ = baseline(tmp_path, entry(key=key)).applied_to(two_orders().report())
    assert len(report.accepted) == found
    assert len(report.news) == 2 - found


def test_only_news_reach_a_severity_and_are_counted(tmp_path: Path) -> None:
    before = two_orders().report()
    assert before.reaches(HealthSeverity.MEDIUM)
    report, remarks = baseline(tmp_path, entry()).applied_to(before)
    assert not report.reaches(HealthSeverity.LOW)
    assert report.count(HealthSeverity.MEDIUM) == 0
    assert (len(report.findings), remarks) == (2, ())
    rotation = next(tally for tally in report.tallies if tally.check.id == "rotation-off")
    assert (rotation.found, rotation.accepted, rotation.passed) == (2, 2, 0)
    assert [sum(tally.accepted for tally in each.tallies) for each in report.places] == [1, 1]


def test_another_check_of_the_same_key_is_not_accepted(tmp_path: Path) -> None:
    report, _ = baseline(tmp_path, entry(check="no-alias")).applied_to(two_orders().report())
    assert accepted(report) == []


def test_it_holds_on_its_last_day_and_not_on_the_next(tmp_path: Path) -> None:
    report, remarks = baseline(tmp_path, entry(expires=f"{TODAY}")).applied_to(two_orders().report())
    assert (len(report.accepted), remarks) == (2, ())
    yesterday = TODAY - timedelta(days=1)
    report, remarks = baseline(tmp_path, entry(expires=f"{yesterday}")).applied_to(two_orders().report())
    assert accepted(report) == []
    where = f"{tmp_path}/accepted.toml, line 1: accepted[0]"
    assert remarks == (f"{where}: it expired on {yesterday} and accepts nothing any more.",)


def test_an_entry_that_matches_nothing_is_told(tmp_path: Path) -> None:
    _, remarks = baseline(tmp_path, entry(), entry(key="alias/gone")).applied_to(two_orders().report())
    where = f"{tmp_path}/accepted.toml, line 8: accepted[1]"
    assert remarks == (f"{where}: nothing is found any more that it accepts; take it out.",)


@pytest.mark.parametrize(
    ("check", "key"),
    [
        ("rotation-off", "arn:aws:kms:eu-west-1:777766665555:key/*"),
        ("rotation-off", "arn:aws:kms:ap-south-1:111122223333:key/*"),
        ("rotation-off", "777766665555"),
        ("unused", "alias/orders"),
        ("public-policy", "alias/hidden"),
        ("public-policy", LOST.account),
        ("public-policy", f"arn:aws:kms:*:{LOST.account}:key/*"),
        ("public-policy", "alias/somewhere"),
    ],
)
def test_an_entry_about_what_was_not_looked_at_is_not_told(tmp_path: Path, check: str, key: str) -> None:
    made = estate()
    made.add(PLACES[0], "hidden", policy=REFUSED)
    _, remarks = baseline(tmp_path, entry(check, key)).applied_to(made.report())
    assert remarks == ()


ELSEWHERE = ("arn:aws:kms:eu-west-1:777766665555:key/*", "arn:aws:kms:ap-south-1:*:key/*", "777766665555")


def test_entries_for_other_accounts_and_regions_are_told_in_each_format_with_gaps(tmp_path: Path) -> None:
    entries = (
        entry(key=FIRST),
        *(entry(key=key) for key in ELSEWHERE),
        entry(key="1" * 12, expires="2020-01-01"),
    )
    report, _ = baseline(tmp_path, *entries).applied_to(two_orders().report())
    assert tuple(stray.key for stray in report.strays) == ELSEWHERE
    assert report.strays[0].where == f"{tmp_path}/accepted.toml, line 8: accepted[1]"
    told = f"3 entries of the baseline are for no account and Region of this report: {ELSEWHERE[0]}, "
    for name in ("table", "md", "html", "sarif"):
        assert told in WRITERS[name](report), name
    assert [each["key"] for each in json.loads(WRITERS["json"](report))["baseline_elsewhere"]] == [*ELSEWHERE]


def test_of_many_entries_for_another_account_the_first_are_named(tmp_path: Path) -> None:
    keys = [f"arn:aws:kms:eu-west-1:777766665555:key/{number}" for number in range(300)]
    report, _ = baseline(tmp_path, *(entry(key=key) for key in keys)).applied_to(two_orders().report())
    told = "300 entries of the baseline are for no account and Region of this report: "
    assert strays_in_words(report) == f"{told}{', '.join(keys[:5])} and 295 more."


def test_without_entries_for_other_places_nothing_is_told(tmp_path: Path) -> None:
    report, _ = baseline(tmp_path, entry(), entry(key="alias/gone")).applied_to(two_orders().report())
    assert report.strays == ()
    assert all("of the baseline" not in WRITERS[name](report) for name in ("table", "md", "html", "sarif"))


BAD: dict[str, tuple[str, str]] = {
    "unknown check": (
        entry("rotation-of"),
        "line 2: accepted[0].check: there is no check 'rotation-of'; did",
    ),
    "no date": (entry(expires='"soon"'), "line 6: accepted[0].expires: 'soon' is no date like 2027-03-31."),
    "no such day": (entry(expires='"2027-02-30"'), "is no date like"),
    "a number": (entry(expires="20270331"), "accepted[0].expires: it is no date."),
    "no owner": (entry(owner='""'), "line 4: accepted[0].owner: it is not filled in."),
    "blanks": (entry(reason='"  "'), "accepted[0].reason: it is not filled in."),
    "placeholder": (entry(reason='"fill in: why"'), "accepted[0].reason: it is not filled in."),
    "list": (entry(owner='["Kim"]'), "accepted[0].owner: it is no text in quotes."),
    "long": (entry(reason=f'"{"x" * 3000}"'), "longer than 2,000 characters"),
    "key": (entry(key="orders"), "line 3: accepted[0].key: 'orders' is neither an ARN of a key"),
    "all": (entry(key="*"), "is neither an ARN"),
    "short ARN": (entry(key="arn:*"), "is neither an ARN"),
    "member": (entry(until="1"), "accepted[0].until: there is no such member"),
    "twice": (entry() + entry(), "accepted[1]: the same check and key are accepted above, in"),
    "missing": ('[[accepted]]\ncheck = "no-alias"\n', "accepted[0]: it has no key."),
    "top": ("[other]\na = 1\n" + entry(), "other: there is no such member"),
    "no table": ("accepted = [1]\n", "accepted[0]: an entry has the members check, key"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_wrong_entry_is_told_by_file_and_line_and_the_others_hold(
    tmp_path: Path, bad: tuple[str, str]
) -> None:
    text, sentence = bad
    good = "" if text.startswith("accepted =") else entry(key=ACCOUNT)
    found = baseline(tmp_path, text, good)
    assert any(sentence in problem for problem in found.problems), found.problems
    assert all(problem.startswith(f"{tmp_path}/accepted.toml") for problem in found.problems)
    if good:
        report, _ = found.applied_to(two_orders().report())
        assert ("rotation-off", "orders") in accepted(report)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", "accepted = ["),
        ("a.toml", ""),
        ("a.toml", "x = " + "[" * 5000),
        ("a.toml", "\x00"),
        ("a.toml", 'accepted = "rotation-off"'),
        ("a.json", "[1, 2]"),
        ("a.json", '{"accepted": ['),
        ("a.yaml", "accepted: *nowhere"),
        ("a.yaml", "- 1"),
        ("a.txt", entry()),
        ("a", entry()),
    ],
)
def test_what_is_no_baseline_is_one_sentence(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(KmsTuiError) as caught:
        baseline(tmp_path, text, name=name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KmsTuiError, match=r"nowhere\.toml could not be read"):
        read_baseline(tmp_path / "nowhere.toml", TODAY)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.yaml",
            "accepted:\n- check: rotation-off\n  key: alias/orders\n  owner: Kim\n"
            "  reason: tests\n  expires: 2027-03-31\n",
        ),
        (
            "a.json",
            '{"accepted": [{"check": "rotation-off", "key": "alias/orders", "owner": "Kim",'
            ' "reason": "tests", "expires": "2027-03-31"}]}',
        ),
    ],
)
def test_yaml_and_json_are_read_too(tmp_path: Path, name: str, text: str) -> None:
    found = baseline(tmp_path, text, name=name)
    assert found.problems == ()
    report, _ = found.applied_to(two_orders().report())
    assert len(report.accepted) == 2


def test_a_written_baseline_is_refused_until_it_is_filled_in_and_then_accepts_everything(
    tmp_path: Path,
) -> None:
    report = estate().report()
    text = baseline_text(report)
    empty = baseline(tmp_path, text)
    assert len(empty.problems) == 2 * len(report.findings)
    assert empty.entries == ()
    lines = [
        f'{line.split(" = ")[0]} = "Kim"' if line.startswith(("owner", "reason")) else line
        for line in text.splitlines()
    ]
    full = baseline(tmp_path, *lines)
    assert full.problems == ()
    marked, remarks = full.applied_to(report)
    assert (marked.news, remarks) == ((), ())
    assert marked.findings[0].accepted is not None
    assert marked.findings[0].accepted.expires == TODAY + timedelta(days=90)


def test_a_written_baseline_keeps_what_is_accepted_already(tmp_path: Path) -> None:
    report, _ = baseline(tmp_path, entry()).applied_to(two_orders().report())
    again = baseline(tmp_path, baseline_text(report))
    assert again.problems == ()
    assert {each.acceptance.owner for each in again.entries} == {"Kim"}
    assert {each.acceptance.expires for each in again.entries} == {date.fromisoformat(LATER)}


def test_quotes_and_control_characters_survive_as_text(tmp_path: Path) -> None:
    reason = r'''"say \"no\"\\ \u001b[31m"'''
    report, _ = baseline(tmp_path, entry(reason=reason)).applied_to(two_orders().report())
    written = baseline_text(report)
    assert "\x1b" not in written
    again = baseline(tmp_path, written)
    assert again.problems == ()
    assert again.entries[0].acceptance.reason == 'say "no"\\ ␛[31m'
