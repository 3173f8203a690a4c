"""Regions on the command line: every command refuses a name that no partition has."""

from __future__ import annotations

import argparse
import importlib

import pytest

from kms_tui.cli import COMMANDS, console_command
from kms_tui.cli.region_flags import region_name, region_names
from kms_tui.cli.standard_streams import Parser
from tests.unit.cli.conftest import Run


def _region_flags(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The flags for Regions of a parser and of its subcommands."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                found += _region_flags(each)
        found += [action] if {"--region", "--regions"} & set(action.option_strings) else []
    return found


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_flag_of_each_command_refuses_what_is_no_region(command: str) -> None:
    module = importlib.import_module(COMMANDS[command][0]) if command else console_command
    parser = Parser()
    module.add_arguments(parser)
    kinds = {action.type for action in _region_flags(parser)}
    assert kinds <= {region_name, region_names}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--demo", "--regions", "eu-west-1,eu-wst-1"),
        ("report", "--demo", "--regions", "eu-wst-1"),
        ("list", "--region", "eu-wst-1", "--endpoint-url", "http://127.0.0.1:9"),
        ("report", "--store", "x", "--region", "eu-wst-1"),
        ("serve", "--ephemeral", "--region", "eu-wst-1"),
        ("policy", "check", "x", "--account", "111122223333", "--region", "eu-wst-1"),
    ],
    ids=" ".join,
)
def test_an_unknown_region_is_bad_usage_and_near_ones_are_named(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, b"")
    assert "'eu-wst-1' is no Region that the installed boto3 knows; did you mean eu-west-1 or " in ended.err


@pytest.mark.parametrize("text", ["eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"])
def test_a_region_of_any_partition_is_taken(text: str) -> None:
    assert region_name(text) == text


@pytest.mark.parametrize("text", ["xx", "", "aws-global", "us-east-1-fips", "EU-WEST-1", "eu-west-1 "])
def test_another_name_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no Region that the installed boto3 knows"):
        region_name(text)


def test_several_are_each_checked_and_each_taken_once() -> None:
    assert region_names("us-east-1, eu-west-1,us-east-1") == ("us-east-1", "eu-west-1")
    with pytest.raises(argparse.ArgumentTypeError, match="'eu-west-11' is no Region"):
        region_names("us-east-1,eu-west-11")
    with pytest.raises(argparse.ArgumentTypeError, match="not a list of Regions"):
        region_names("us-east-1,")
