"""The README's session for principals, run as it stands with the stock AWS CLI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.serve.test_readme_session import README, run

pytestmark = pytest.mark.slow

_SESSION = re.compile(r"<!-- session: principals -->\n```sh\n(.*?)```\n<!-- /session -->", re.DOTALL)


def test_the_session_for_principals_runs_as_it_stands(tmp_path: Path) -> None:
    (session,) = _SESSION.findall(README.read_text(encoding="utf-8"))
    code, output, errors = run(session, tmp_path)
    assert code == 0, errors
    denied, allowed = output.splitlines()
    assert denied == "ada may not"
    assert re.fullmatch(r'"arn:aws:kms:us-east-1:111122223333:key/[0-9a-f-]{36}"', allowed)
    assert "user/ada is not authorized to perform: kms:Encrypt on resource: arn:aws:kms" in errors
