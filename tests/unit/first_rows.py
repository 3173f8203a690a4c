"""The console's real start in a process of its own, without a terminal, until it paints the first row.

python -m tests.unit.first_rows --endpoint-url URL: prints as JSON which modules are imported by then, and how
often all style sheets were parsed again. No key is judged before: the first row does not need it, and what
judges a key is imported once one is described, sooner or later as threads happen to run; so are the screens
that no key has asked for, a second after the session opens.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partialmethod
from typing import Any

from textual.css.stylesheet import Stylesheet

from kms_tui.cli import main
from kms_tui.evidence.health.row_judge import RowJudge
from kms_tui.inventory.row_health import UNDESCRIBED
from kms_tui.ui import app
from kms_tui.ui.app import KmsApp
from kms_tui.ui.widgets import key_list

_reparse = Stylesheet.reparse
_reparsed = 0


def _counted(sheet: Stylesheet) -> None:
    global _reparsed
    _reparsed += 1
    _reparse(sheet)


def _first_row(*_: Any) -> Any:
    print(json.dumps({"modules": sorted(sys.modules), "reparsed": _reparsed}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    for stream in (sys.stdin, sys.stdout):
        stream.isatty = lambda: True  # type: ignore[method-assign]
    replaced: tuple[tuple[Any, str, Any], ...] = (
        (KmsApp, "run", partialmethod(KmsApp.run, headless=True, size=(160, 48))),
        (Stylesheet, "reparse", _counted),
        (key_list, "key_line", _first_row),
        (RowJudge, "health", lambda *_: UNDESCRIBED),
        (RowJudge, "prepare", lambda *_: None),
        (app, "_STARTED_SECONDS", 3600.0),
    )
    for owner, name, value in replaced:
        setattr(owner, name, value)
    sys.exit(main())
