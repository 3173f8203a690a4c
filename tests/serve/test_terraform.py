"""Terraform itself, with the AWS provider, takes the keys of a served KMS over from our code.

The variable KMS_TUI_TERRAFORM_MIRROR names a directory with the provider (a filesystem mirror); without it,
or without terraform on the path, there is nothing to run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from kms_tui.as_code.key_definition import KeyReading
from kms_tui.as_code.terraform import terraform
from kms_tui.backend.kms_facade import Kms
from tests.as_code_account import REGIONS, account, all_keys

MIRROR = os.environ.get("KMS_TUI_TERRAFORM_MIRROR", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("terraform") is None or not MIRROR,
        reason="needs terraform, and KMS_TUI_TERRAFORM_MIRROR with the AWS provider",
    ),
]

_SETTINGS = """
  access_key                  = "any"
  secret_key                  = "any"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  endpoints {{
    kms = "{url}"
    sts = "{url}"
  }}
}}
"""


class Terraform:
    """A directory with a configuration; ``run`` gives the exit code and what was printed."""

    def __init__(self, directory: Path, url: str, code: str, aliases: Sequence[str] = ()) -> None:
        self.directory = directory
        (directory / "keys.tf").write_text(code)
        heads = [f'provider "aws" {{\n  alias = "{alias}"' for alias in aliases] or ['provider "aws" {']
        overrides = "".join(head + _SETTINGS.format(url=url) for head in heads)
        (directory / "providers_override.tf").write_text(overrides)
        mirror = f'filesystem_mirror {{\n    path = "{MIRROR}"\n  }}'
        (directory / "cli.tfrc").write_text(f"provider_installation {{\n  {mirror}\n}}\n")
        code_of_init, output = self.run("init")
        assert code_of_init == 0, output

    def run(self, *arguments: str) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        ended = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=self.directory,
            env={**kept, "TF_CLI_CONFIG_FILE": str(self.directory / "cli.tfrc"), "CHECKPOINT_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=240,
        )
        return ended.returncode, ended.stdout.decode()

    def plan(self) -> tuple[int, str]:
        return self.run("plan", "-detailed-exitcode", "-input=false")


def test_the_first_plan_imports_every_kind_of_key_and_changes_nothing(tmp_path: Path) -> None:
    local = account()
    kms = Kms(local.backend)
    code = terraform(KeyReading(all_keys(kms), kms.in_region_of).read().definitions)
    (text,) = code.files.values()
    with local.served() as url:
        aliases = [region.replace("-", "_") for region in REGIONS]
        runner = Terraform(tmp_path, url, text, aliases)
        assert runner.run("fmt", "-check", "-diff", "keys.tf") == (0, "")
        changed, output = runner.plan()
        wanted = f"Plan: {text.count('import {')} to import, 0 to add, 0 to change, 0 to destroy."
        assert (changed, wanted in output) == (2, True), output
        done, output = runner.run("apply", "-auto-approve", "-input=false")
        assert done == 0, output
        assert set(local.calls.counts) <= _READS
        nothing, output = runner.plan()
        assert (nothing, "No changes." in output) == (0, True), output


_READS = {
    "DescribeKey",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListAliases",
    "ListGrants",
    "ListResourceTags",
}


def test_one_account_and_region_needs_no_provider_and_policies_may_be_documents(tmp_path: Path) -> None:
    local = account(key_stores=False)
    kms = Kms(local.backend)
    keys = ["alias/orders", "alias/everywhere", "alias/orders-v2"]
    code = terraform(KeyReading(keys, kms.in_region_of).read().definitions, policy_documents=True)
    (text,) = code.files.values()
    assert (text.count('data "aws_iam_policy_document"'), "provider =" in text) == (3, False)
    with local.served() as url:
        runner = Terraform(tmp_path, url, text)
        assert runner.run("fmt", "-check", "-diff", "keys.tf") == (0, "")
        changed, output = runner.plan()
        assert changed == 2
        assert "Plan: 12 to import, 0 to add, 0 to change, 0 to destroy." in output
