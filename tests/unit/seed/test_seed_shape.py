"""What importing the schema of seeds costs, and leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SYNTAX = """
print("compiled")

def is_valid_syntax(rule, text):
    return (rule, text) == ("iri", "good") or (rule, text) == ("iri_reference", "also")
"""
_PROGRAM = """
import sys
sys.modules["rfc3987"] = None  # jsonschema would take it first
import kms_tui.seed.seed_shape
assert "rfc3987_syntax" not in sys.modules
from jsonschema import FormatChecker
print("imported")
checker = FormatChecker()
assert [checker.conforms(text, "iri") for text in ("good", "also")] == [True, False]
assert [checker.conforms(text, "iri-reference") for text in ("good", "also")] == [False, True]
"""


def test_the_syntax_of_iris_is_compiled_when_one_is_checked(tmp_path: Path) -> None:
    (tmp_path / "rfc3987_syntax.py").write_text(_SYNTAX)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert said.split() == ["imported", "compiled"]
