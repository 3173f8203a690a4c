"""The pytest plugin: the fixture ``local_kms``, a KMS of its own for each test.

What it begins with is, the first that is given: the marker ``@pytest.mark.local_kms(seed=…, now=…)`` with any
argument of ``LocalKms`` by name; a fixture ``local_kms_seed`` of your own; the setting
``local_kms_seed = tests/seed.yaml`` of pytest; an empty account. A KMS is made once for all tests with the
same beginning, and put back to it before each.

What it needs is imported when the first test asks for it, so that no other tests of those who have kms-tui
installed wait for that. Hence it stands outside of ``kms_tui.testing``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kms_tui.testing import LocalKms, SeedSource

_SETTING = "local_kms_seed"
_MOST_MADE = 64
"""How many KMSs are kept for further tests, the last used; each takes half a MiB."""
_made: pytest.StashKey[dict[str, LocalKms]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(_SETTING, "the seed of the fixture local_kms: a file, relative to this one", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "local_kms(seed=…, now=…, …): how the fixture begins, as LocalKms takes it"
    )
    config.stash[_made] = {}


def pytest_unconfigure(config: pytest.Config) -> None:
    for kms in config.stash.get(_made, {}).values():
        kms.close()


@pytest.fixture
def local_kms_seed(pytestconfig: pytest.Config) -> SeedSource | None:
    """The seed of ``local_kms``; define a fixture of this name to give another."""
    setting = pytestconfig.getini(_SETTING)
    if not setting:
        return None
    folder = pytestconfig.inipath.parent if pytestconfig.inipath else pytestconfig.rootpath
    return Path(folder, setting)


@pytest.fixture
def local_kms(request: pytest.FixtureRequest, local_kms_seed: SeedSource | None) -> Iterator[LocalKms]:
    """An offline KMS in the state of its seed, which all boto3 clients of the test speak to."""
    marker = request.node.get_closest_marker("local_kms")
    if marker is not None and marker.args:
        raise pytest.UsageError("the marker local_kms takes names: @pytest.mark.local_kms(seed=…)")
    options: dict[str, Any] = {"seed": local_kms_seed, **(marker.kwargs if marker else {})}
    kms = _kms_for(request.config.stash[_made], options)
    kms.reset()
    with kms:
        yield kms


def _kms_for(made: dict[str, LocalKms], options: dict[str, Any]) -> LocalKms:
    from kms_tui.testing import LocalKms

    name = repr(sorted(options.items()))
    kms = made.pop(name, None) or LocalKms(**options)
    while len(made) >= _MOST_MADE:
        del made[next(iter(made))]  # which closes it, unless somebody has it still
    made[name] = kms
    return kms
