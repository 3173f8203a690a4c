"""The CDK app is Python with a construct for each resource; aws-cdk-lib synthesizes it to our templates."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kms_tui.as_code.cdk import FILE, cdk
from kms_tui.as_code.cloudformation import cloudformation
from tests.as_code_account import REGIONS, read

_PYTHON = os.environ.get("KMS_TUI_CDK_PYTHON", sys.executable)
"""A Python with aws-cdk-lib, where it is another one."""


def test_the_app_has_a_construct_for_each_resource() -> None:
    code = cdk(read().definitions)
    tree = ast.parse(code.files[FILE])
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [func.attr for func in calls if isinstance(func, ast.Attribute) and func.attr.startswith("Cfn")]
    mapped = [name for file in list(code.files)[1:] for name in json.loads(code.files[file])]
    assert sum(name != "CfnTag" for name in made) == len(mapped)
    assert made.count("CfnReplicaKey") == 3
    assert code.notes == cloudformation(read().definitions).notes


def test_names_that_python_keeps_for_itself_are_no_variables() -> None:
    definitions = read("alias/orders").definitions
    (one,) = definitions
    renamed = [
        one.__class__(one.key, one.policy, aliases=(f"alias/{word}",)) for word in ("class", "kms", "self")
    ]
    for definition in renamed:
        compile(cdk([definition]).files[FILE], FILE, "exec")


def test_texts_cannot_end_their_literals() -> None:
    (one,) = read("alias/orders-v2").definitions
    tree = ast.parse(cdk([one]).files[FILE])
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert one.key.description in strings


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("node") is None
    or ("KMS_TUI_CDK_PYTHON" not in os.environ and importlib.util.find_spec("aws_cdk") is None),
    reason="needs node, and aws-cdk-lib in this Python or in that of KMS_TUI_CDK_PYTHON",
)
def test_the_app_synthesizes_to_the_templates(tmp_path: Path) -> None:
    definitions = read().definitions
    (tmp_path / FILE).write_text(cdk(definitions).files[FILE])
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    outcome = {"CDK_OUTDIR": str(tmp_path / "out"), "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
    subprocess.run([_PYTHON, FILE], cwd=tmp_path, env={**kept, **outcome}, check=True, timeout=120)
    templates = cloudformation(definitions).files
    for region in REGIONS:
        made = json.loads((tmp_path / "out" / f"kms-keys-{region}.template.json").read_text())["Resources"]
        made.pop("CDKMetadata", None)
        assert made == yaml.safe_load(templates[f"kms-keys-111122223333-{region}.yaml"])["Resources"]
