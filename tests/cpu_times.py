"""A pytest plugin: how much CPU each test takes, its child processes included; ``--slowest N`` prints N."""

from __future__ import annotations

import resource
from collections.abc import Generator

import pytest

_PROPERTY = "cpu seconds"


def _cpu() -> float:
    """CPU seconds of this process and of the children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slowest", type=int, default=0, help="print so many tests with their CPU seconds")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[_BEGAN] = _cpu()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "teardown":
        report.user_properties.append((_PROPERTY, _cpu() - item.stash[_BEGAN]))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    count = config.getoption("--slowest")
    reports = [each for kind in terminalreporter.stats.values() for each in kind]
    taken = {
        report.nodeid: seconds
        for report in reports
        for name, seconds in getattr(report, "user_properties", ())
        if name == _PROPERTY
    }
    if not count or not taken:
        return
    terminalreporter.section(f"{sum(taken.values()):.0f} s of CPU in tests, the {count} slowest")
    for nodeid, seconds in sorted(taken.items(), key=lambda each: -each[1])[:count]:
        terminalreporter.write_line(f"{seconds:6.2f} s  {nodeid}")


_BEGAN = pytest.StashKey[float]()
