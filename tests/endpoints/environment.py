"""An AWS configuration of the tests' own: nothing of the machine's reaches them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def clear_aws_environment(patch: pytest.MonkeyPatch) -> None:
    """Forget every AWS_* variable, read no configuration file, and ask no instance for credentials."""
    for name in [*os.environ]:
        if name.startswith("AWS_"):
            patch.delenv(name)
    patch.setenv("AWS_CONFIG_FILE", os.devnull)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        patch.delenv(name, raising=False)
        patch.delenv(name.lower(), raising=False)


def use_static_credentials(patch: pytest.MonkeyPatch) -> None:
    clear_aws_environment(patch)
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "an-example-and-no-secret")


def add_aws_cli(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Put a program named aws, which does nothing, first on the PATH."""
    folder.mkdir(exist_ok=True)
    (folder / "aws").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "aws").chmod(0o755)
    patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def use_config(patch: pytest.MonkeyPatch, home: Path, config: str, credentials: str = "") -> None:
    """Only these configuration files, in a home directory of the test's own."""
    clear_aws_environment(patch)
    add_aws_cli(patch, home / "bin")
    (home / "config").write_text(config, encoding="utf-8")
    (home / "credentials").write_text(credentials, encoding="utf-8")
    patch.setenv("HOME", str(home))
    patch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
