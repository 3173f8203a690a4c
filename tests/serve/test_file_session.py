"""The README's session for files and git, run as it stands, with openssl, git and the stock AWS CLI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.serve.test_readme_session import README, run
from tests.unit.signing.judges import NEEDS_GIT, NEEDS_OPENSSL, NEEDS_SSH

pytestmark = pytest.mark.slow

_SESSION = re.compile(r"<!-- session: files -->\n```sh\n(.*?)```\n<!-- /session -->", re.DOTALL)


@NEEDS_GIT
@NEEDS_OPENSSL
@NEEDS_SSH
def test_the_session_for_files_runs_as_it_stands(tmp_path: Path) -> None:
    (session,) = _SESSION.findall(README.read_text(encoding="utf-8"))
    code, output, errors = run(session, tmp_path)
    assert code == 0, errors
    assert output.startswith("Verified OK\nGOOD: SHA256SUMS: Good signature.")
    assert "GOOD: app.tar: Its digest is the one listed." in output
    assert 'Good "git" signature for ann@example.com' in errors
