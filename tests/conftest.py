"""What holds for every test."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from threading import Lock

import pytest
from botocore import hooks, loaders
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from hypothesis import settings

from kms_tui.backend.local.store import key_material
from kms_tui.seed import seed_shape as _imports_jsonschema_fast  # noqa: F401
from tests.endpoints.model_files import name_events_once, read_models_once

pytest_plugins = ("tests.cpu_times",)

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


class _Few:
    """Three key pairs that are really made, then the same three again and again."""

    def __init__(self, generate: Callable[[], PrivateKeyTypes]) -> None:
        self._generate = generate
        self._made: list[PrivateKeyTypes] = []
        self._given = 0
        self._lock = Lock()

    def __call__(self) -> PrivateKeyTypes:
        with self._lock:
            if len(self._made) < 3:
                self._made.append(self._generate())
            self._given += 1
            return self._made[(self._given - 1) % 3]


@pytest.fixture(scope="session", autouse=True)
def _few_rsa_key_pairs() -> Iterator[None]:
    """Each takes up to seconds to make; no test needs more than three of a size that differ."""
    few = {spec: _Few(key_material._KEY_PAIRS[spec]) for spec in key_material.RSA_BITS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_material, "_KEY_PAIRS", {**key_material._KEY_PAIRS, **few})
        yield


@pytest.fixture(scope="session", autouse=True)
def _models_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        read_models_once(loaders, patch.setattr)
        name_events_once(hooks, patch.setattr)
        yield
