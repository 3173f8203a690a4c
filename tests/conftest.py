"""What holds for every test."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

settings.register_profile("fixed", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile("fixed")
"""A property test tries the same examples in each run. ``--hypothesis-profile=search`` looks for new ones."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage less often, and never look through what is there before the first test.

    The thousands of tests themselves are objects; looking through them took a third of the consoles' time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
