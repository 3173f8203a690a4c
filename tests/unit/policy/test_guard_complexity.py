"""A policy that takes too much work to judge is refused, and never taken for a sound one."""

from __future__ import annotations

import json

import pytest

from kms_tui.policy import CheckResult, guard, wildcard
from kms_tui.policy.search import MAX_BRANCHES, Budget, TooComplexError, merged, solve
from tests.bench.bench_policy import realistic
from tests.unit.policy.build import APP, Shape, allow, deny, judged, policy, with_root
from tests.unit.policy.test_guard_invariants import HOSTILE


def _with_budget(text: str, units: int, monkeypatch: pytest.MonkeyPatch) -> CheckResult:
    monkeypatch.setattr(guard, "WORK", units)
    return judged(text)


def _rules(result: CheckResult) -> set[str]:
    return {finding.rule for finding in result.findings} - {"size"}


SOUND = with_root(
    allow(APP, "kms:Decrypt", {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}),
    deny({"StringNotEquals": {"aws:PrincipalTag/a": "x"}, "Bool": {"aws:SecureTransport": "false"}}),
)


def test_without_work_left_for_control_the_policy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _with_budget(SOUND, 60, monkeypatch)
    assert result.verdict == "refuse"
    assert _rules(result) == {"too-complex"}


def test_with_work_for_control_alone_it_is_warned_of_and_with_more_it_is_sound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [_with_budget(SOUND, units, monkeypatch) for units in range(50, 12_000, 50)]
    verdicts = [result.verdict.value for result in found]
    assert list(dict.fromkeys(verdicts)) == ["refuse", "warn", "ok"]
    assert all(_rules(result) == {"too-complex"} for result in found if result.verdict == "refuse")
    warned = [result for result in found if result.verdict == "warn"]
    assert all("too-complex-for-findings" in _rules(result) for result in warned)
    assert not any(_rules(result) & {"too-complex", "too-complex-for-findings"} for result in found[-1:])


def test_a_lockout_is_told_even_where_the_findings_are_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    lockout = with_root(deny(), *(deny({"StringEquals": {f"aws:PrincipalTag/{n}": "x"}}) for n in range(50)))
    rules = [_rules(_with_budget(lockout, units, monkeypatch)) for units in range(200, 90_000, 2500)]
    assert "denied-control" in rules[-1]
    assert all(found & {"denied-control", "too-complex"} for found in rules)


def test_the_budget_stops_what_people_do_not_write_and_lets_through_what_they_do() -> None:
    hostile = HOSTILE["many variables"](700)
    assert judged(hostile).verdict == "refuse"
    assert "too-complex" in _rules(judged(hostile))
    for size in (1_000, 8_000, 32_000):
        assert not _rules(judged(realistic(size))) & {"too-complex", "too-complex-for-findings"}


def test_conditions_of_other_statements_do_not_hide_that_the_root_statement_keeps_control() -> None:
    condition = {
        "DateLessThan": {"aws:CurrentTime": [f"20{year}-01-01" for year in range(10, 99)]},
        "IpAddress": {"aws:SourceIp": [f"203.0.{number}.0/24" for number in range(200)]},
    }
    text = with_root(*(allow("*", "kms:*", condition) for _ in range(6)))
    result = judged(json.dumps(json.loads(text)))
    assert result.verdict == "warn"
    assert "too-complex" not in _rules(result)


def test_a_budget_lasts_as_long_as_it_says() -> None:
    budget = Budget(10)
    budget.spend(4)
    budget.spend(6)
    with pytest.raises(TooComplexError):
        budget.spend(1)


def _either_or(pairs: int) -> tuple[list[int], list[list[tuple[int, int]]]]:
    """Pairs of variables of which one must be set and the other not; each takes one guess."""
    clauses = []
    for pair in range(pairs):
        one, two = 2 * pair, 2 * pair + 1
        clauses += [[(one, 0b10), (two, 0b10)], [(one, 0b01), (two, 0b01)]]
    return [0b11] * (2 * pairs), clauses


def test_the_search_finds_what_meets_every_clause() -> None:
    domains, clauses = _either_or(20)
    found = solve(domains, clauses, Budget(10**9))
    assert found is not None
    assert all(any(found[variable] & ~mask == 0 for variable, mask in clause) for clause in clauses)
    assert solve(domains, [*clauses, [(0, 0b10)], [(1, 0b10)]], Budget(10**9)) is None
    assert solve([0b11], [[]], Budget(100)) is None


def test_the_search_gives_up_on_too_many_guesses() -> None:
    assert solve(*_either_or(MAX_BRANCHES - 1), Budget(10**9)) is not None
    with pytest.raises(TooComplexError):
        solve(*_either_or(MAX_BRANCHES + 5), Budget(10**9))


def test_a_clause_says_each_variable_once() -> None:
    assert merged([(3, 0b001), (1, 0b1), (3, 0b100)]) == [(3, 0b101), (1, 0b1)]


UNBOUND = (
    "arn:aws:s3:::*",
    "arn:aws:s3:::**",
    "arn:aws:*:*:*:*",
    "arn:aws:sns:us-east-1:*:topic",
    "*",
    "arn:*",
)
BOUND = ("arn:aws:s3:::logs", "arn:aws:s3:::logs-*", "arn:aws:sns:*:111122223333:*", "arn:aws:s3:::?*logs")


@pytest.mark.parametrize("arn", UNBOUND)
def test_a_source_arn_that_fits_anyones_resource_is_no_bound(arn: str) -> None:
    assert "unbound-service" in _rules(judged(with_root(_for_s3(arn))))


@pytest.mark.parametrize("arn", BOUND)
def test_a_source_arn_with_a_name_or_an_account_is_a_bound(arn: str) -> None:
    assert "unbound-service" not in _rules(judged(with_root(_for_s3(arn))))


def _for_s3(arn: str) -> Shape:
    return allow({"Service": "s3.amazonaws.com"}, "kms:Decrypt", {"StringLike": {"aws:SourceArn": arn}})


def test_a_policy_without_statements_for_the_account_takes_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _rules(_with_budget(policy(allow(APP)), 10_000, monkeypatch)) >= {"no-account-control"}


def test_the_search_for_a_text_that_fits_patterns_spends_its_budget() -> None:
    patterns = [wildcard.tokenize(pattern) for pattern in ("*a*b*c*d*", "*d*c*b*a*", "*e")]
    assert wildcard.common_match(patterns, "z", Budget(10**9)) is not None
    with pytest.raises(TooComplexError):
        wildcard.common_match(patterns, "z", Budget(500))


def test_a_wildcard_can_be_kept_from_standing_for_some_characters() -> None:
    key, alias = (wildcard.tokenize(text) for text in ("arn:aws:kms:?*:1:key/?*", "arn:aws:kms:*:1:alias/*"))
    assert wildcard.common_match([key, alias], "a", Budget(10**9)) is not None
    assert wildcard.common_match([key, alias], "a", Budget(10**9), never=":/") is None
