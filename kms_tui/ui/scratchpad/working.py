"""Starting a worker in place of the one of its group."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode
from textual.worker import Worker


def begin(
    node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], *, group: str, description: str
) -> Worker[None]:
    """Run ``work`` in a worker; the coroutine is made only if it gets to run."""
    return node.run_worker(work, group=group, exclusive=True, description=description)
