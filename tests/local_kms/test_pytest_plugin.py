"""The fixture ``local_kms`` in a project of somebody else's, run by a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from kms_tui import pytest_plugin
from kms_tui.testing import LocalKms

pytestmark = pytest.mark.slow

ISOLATED = """
import boto3
import pytest

client = boto3.client("kms", "eu-west-1", aws_access_key_id="A", aws_secret_access_key="S")


@pytest.mark.parametrize("number", range(6))
def test_each_test_begins_anew(local_kms, number):
    assert client.list_keys()["Keys"] == []
    client.create_key()
    local_kms.clock.advance(days=number)
    local_kms.faults.always("ListKeys", __import__("kms_tui.testing").testing.DENY)
    assert local_kms.calls.count() == 2


@pytest.mark.local_kms(region="us-west-2", account_id="444455556666")
def test_the_marker_says_how_it_begins(local_kms):
    made = boto3.client("kms").create_key()["KeyMetadata"]
    assert made["Arn"].startswith("arn:aws:kms:us-west-2:444455556666:")
"""

OWN_SEED = '''
import boto3
import pytest

SEED = """
keys:
  - id: 11111111-2222-3333-4444-555555555555
    aliases: [alias/own]
"""


class TestOwn:
    @pytest.fixture
    def local_kms_seed(self):
        return SEED

    def test_a_fixture_of_ones_own_gives_the_seed(self, local_kms):
        described = boto3.client("kms").describe_key(KeyId="alias/own")["KeyMetadata"]
        assert described["KeyId"] == "11111111-2222-3333-4444-555555555555"


def test_the_setting_names_the_seed_of_all_others(local_kms):
    assert boto3.client("kms").describe_key(KeyId="alias/everybody")
'''

SEED = """
keys:
  - aliases: [alias/everybody]
"""

PLUGIN = ("-p", "kms_tui.pytest_plugin")
"""The plugin of this tree. None that is installed is there beside it: they take a second to import."""
NO_OTHER = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _run(folder: Path, *arguments: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST"))
    }
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-q", *arguments]
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**environment, **NO_OTHER},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.stdout + ended.stderr


def test_tests_do_not_see_each_other_in_one_process_and_in_several(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(ISOLATED)
    assert "7 passed" in _run(tmp_path, "-p", "xdist", "-n", "2")
    assert "7 passed" in _run(tmp_path, "-W", "error")


def test_a_seed_comes_from_the_setting_or_a_fixture_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nlocal_kms_seed = seed.yaml\n")
    (tmp_path / "seed.yaml").write_text(SEED)
    (tmp_path / "test_theirs.py").write_text(OWN_SEED)
    assert "2 passed" in _run(tmp_path)


def test_a_wrong_seed_is_told_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nlocal_kms_seed = seed.yaml\n")
    (tmp_path / "seed.yaml").write_text("keys:\n  - aliases: alias/one\n    speck: RSA_2048\n")
    (tmp_path / "test_theirs.py").write_text("def test_it(local_kms):\n    pass\n")
    said = _run(tmp_path)
    assert "1 error" in said
    assert "seed.yaml" in said
    assert "speck" in said


def test_tests_that_do_not_ask_for_it_do_not_wait_for_it(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\n\ndef test_it():\n"
        "    assert not {'boto3', 'botocore', 'kms_tui.testing.local_kms'} & set(sys.modules)\n"
    )
    assert "1 passed" in _run(tmp_path)


def test_tests_with_many_beginnings_keep_the_last_ones() -> None:
    made: dict[str, LocalKms] = {}
    first = pytest_plugin._kms_for(made, {"account_id": f"{0:012}"})
    for number in range(1, 100):
        pytest_plugin._kms_for(made, {"account_id": f"{number:012}"})
        if number < 90:
            assert pytest_plugin._kms_for(made, {"account_id": f"{0:012}"}) is first
    assert (len(made), first in made.values()) == (64, True)
    assert pytest_plugin._kms_for(made, {"account_id": f"{1:012}"}).backend.account_id == f"{1:012}"


def test_a_marker_without_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import pytest\n\n\n@pytest.mark.local_kms('seed.yaml')\ndef test_it(local_kms):\n    pass\n"
    )
    assert "local_kms takes names" in _run(tmp_path)


def test_pytest_finds_the_plugin_where_it_is_installed() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["pytest11"] == {"kms_tui": PLUGIN[-1]}
    assert import_module(PLUGIN[-1]).local_kms
