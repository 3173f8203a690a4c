"""The README's session for tokens, run as it stands, and judged by PyJWT."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jwt
import pytest

from tests.serve.test_readme_session import README, run

pytestmark = pytest.mark.slow

_SESSION = re.compile(r"<!-- session: tokens -->\n```sh\n(.*?)```\n<!-- /session -->", re.DOTALL)


def test_the_session_for_tokens_runs_as_it_stands(tmp_path: Path) -> None:
    (session,) = _SESSION.findall(README.read_text(encoding="utf-8"))
    code, output, errors = run(session, tmp_path)
    assert (code, output.splitlines()[0]) == (0, "VALID"), errors
    assert (
        errors == "kms-tui jwt: alias/login-tokens stands for alias/login-tokens, alias/login-tokens-next.\n"
    )
    token = (tmp_path / "token").read_text().strip()
    keys = jwt.PyJWKSet.from_dict(json.loads((tmp_path / "jwks.json").read_text()))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, audience="api", options={"require": ["exp", "iat"]})
    assert (claims["sub"], claims["admin"]) == ("orders", True)
