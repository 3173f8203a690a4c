"""THE table of the kinds of code that keys are written as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kms_tui.as_code.cdk import cdk
from kms_tui.as_code.cloudformation import cloudformation
from kms_tui.as_code.code import Code
from kms_tui.as_code.key_definition import KeyDefinition
from kms_tui.as_code.terraform import terraform


class CodeFormat(NamedTuple):
    title: str
    words: str
    """What it is, in a few words."""
    write: Callable[[Sequence[KeyDefinition]], Code]


CODE_FORMATS: Mapping[str, CodeFormat] = {
    "terraform": CodeFormat("Terraform", "import blocks and resources", terraform),
    "cloudformation": CodeFormat("CloudFormation", "a template, and what its stack imports", cloudformation),
    "cdk": CodeFormat("AWS CDK", "a Python app, and the mapping for its import", cdk),
}
"""By the word that names the format in commands."""
