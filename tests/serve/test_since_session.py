"""The README's session for snapshots and what has changed since, run as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.serve.test_readme_session import README, run

pytestmark = pytest.mark.slow

_SESSION = re.compile(r"<!-- session: since -->\n```sh\n(.*?)```\n<!-- /session -->", re.DOTALL)


def test_the_session_for_snapshots_runs_as_it_stands(tmp_path: Path) -> None:
    (session,) = _SESSION.findall(README.read_text(encoding="utf-8"))
    code, output, errors = run(session, tmp_path)
    assert (code, errors) == (0, "")
    assert "The facts of 1 key are in monday.json." in output
    assert re.search("^high +Deletion scheduled +", output, re.MULTILINE)
    assert "1 change in 1 key since " in output
    assert json.loads((tmp_path / "monday.json").read_text())["version"] == 1
