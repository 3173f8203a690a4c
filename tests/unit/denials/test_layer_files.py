"""Files of a layer: one policy, a list, or the answers of AWS that hold policies."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from kms_tui.denials.layer_files import policies_in
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.layers import Layer
from tests.unit.policy.layer_build import gives

POLICY = {"Version": "2012-10-17", "Statement": [gives("kms:Decrypt")]}
TEXT = json.dumps(POLICY)
FILES = {
    "a policy": (TEXT, 1),
    "a list": (json.dumps([POLICY, POLICY], indent=2), 2),
    "a list with blanks": (f"\n [ {TEXT}\n,\t{TEXT} ] \n", 2),
    "a list of texts": (json.dumps([TEXT]), 1),
    "names and documents": (json.dumps([{"name": "one", "document": POLICY}]), 1),
    "IAM's answer": (json.dumps({"PolicyVersion": {"Document": POLICY}}), 1),
    "IAM's answers": (json.dumps([{"PolicyName": "x", "PolicyDocument": quote(TEXT)}, POLICY]), 2),
}


def _read(tmp_path: Path, text: str) -> list[int]:
    path = tmp_path / "policies.json"
    path.write_text(text, encoding="utf-8")
    return [len(policy.document.statements) for policy in policies_in(Layer.IDENTITY, path)]


@pytest.mark.parametrize("name", FILES)
def test_each_policy_of_a_file_is_read(tmp_path: Path, name: str) -> None:
    text, count = FILES[name]
    assert _read(tmp_path, text) == [1] * count


@pytest.mark.parametrize(
    "text",
    [
        f'[{TEXT[:-1]}, "Statement": []}}]',
        f"[{TEXT},]",
        f"[{TEXT}",
        "[]",
        json.dumps([POLICY, 7]),
        json.dumps({"Policies": [{"Document": POLICY}, {"Document": POLICY}]}),
    ],
    ids=["an element twice", "a comma too many", "no end", "no policy", "a number", "several in one object"],
)
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(KmsTuiError, match="is no identity-based policy: line"):
        _read(tmp_path, text)
