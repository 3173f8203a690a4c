"""Keys as an AWS CDK app in Python: the constructs of CloudFormation's own resource types (L1).

The constructs above them (L2) cannot say all that a key is; these synthesize to the template that
``cloudformation`` writes. Source: aws_cdk.aws_kms (CfnKey, CfnReplicaKey, CfnAlias), ``cdk import``.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kms_tui.as_code.cloudformation import Stack, stacks_of
from kms_tui.as_code.code import Code
from kms_tui.as_code.key_definition import KeyDefinition

FILE = "app.py"
_PLAIN = re.compile(r"[ !#-&(-\[\]-~]*\Z")
"""Printable ASCII without quotes and backslashes."""
_HEAD = '''\
"""KMS keys as they are: `cdk import` takes them over and changes nothing.

{commands}
"""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct
'''


def cdk(definitions: Sequence[KeyDefinition]) -> Code:
    """An app with a stack for each account and Region, and a resource mapping for ``cdk import`` of each."""
    stacks, notes = stacks_of(definitions)
    several = len({stack.place.account for stack in stacks}) > 1
    names = [
        f"kms-keys-{stack.place.account}-{stack.place.region}" if several else stack.name for stack in stacks
    ]
    mappings = [f"{name}.mapping.json" for name in names]
    commands = [
        f'    cdk --app "python app.py" import {name} --resource-mapping {mapping}'
        for name, mapping in zip(names, mappings, strict=True)
    ]
    parts = [_HEAD.format(commands="\n".join(commands))]
    parts += [_class(stack, _class_name(name)) for stack, name in zip(stacks, names, strict=True)]
    parts.append("\n".join(("app = cdk.App()", *_instances(stacks, names), "app.synth()")) + "\n")
    files = {FILE: "\n\n".join(parts)} if stacks else {}
    for stack, mapping in zip(stacks, mappings, strict=True):
        files[mapping] = json.dumps(stack.identifiers, indent=2) + "\n"
    return Code(files, notes)


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in re.split("[^A-Za-z0-9]+", name))


def _instances(stacks: Sequence[Stack], names: Sequence[str]) -> Iterator[str]:
    for stack, name in zip(stacks, names, strict=True):
        account, region = stack.place
        environment = f'cdk.Environment(account="{account}", region="{region}")'
        yield f'{_class_name(name)}(app, "{name}", env={environment})'


def _class(stack: Stack, name: str) -> str:
    lines = [
        f"class {name}(cdk.Stack):",
        "    def __init__(self, scope: Construct, construct_id: str, **options: object) -> None:",
        "        super().__init__(scope, construct_id, **options)",
    ]
    variables = _variables(stack)
    for logical_id, resource in stack.resources.items():
        variable = variables[logical_id]
        construct = f"Cfn{resource['Type'].rpartition('::')[2]}"
        lines += [
            "",
            f"        {variable} = kms.{construct}(",
            "            self,",
            f'            "{logical_id}",',
        ]
        for member, value in resource["Properties"].items():
            text = _tags(value) if member == "Tags" else _argument(value, variables)
            lines.append(f"            {_snake(member)}={text},")
        lines += ["        )", f"        {variable}.apply_removal_policy(cdk.RemovalPolicy.RETAIN)"]
    return "\n".join(lines) + "\n"


def _variables(stack: Stack) -> Mapping[str, str]:
    """Logical id -> the name of a variable."""
    found = {logical_id: _snake(logical_id) for logical_id in stack.resources}
    taken = [*found.values()]
    return {
        logical_id: logical_id if taken.count(name) > 1 or keyword.iskeyword(name) or name in _TAKEN else name
        for logical_id, name in found.items()
    }


_TAKEN = frozenset({"cdk", "kms", "self", "scope", "construct_id", "options", "app", "super"})


def _snake(name: str) -> str:
    return re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _argument(value: Any, variables: Mapping[str, str]) -> str:
    if isinstance(value, dict) and value.keys() == {"Ref"}:
        return f"{variables[value['Ref']]}.ref"
    return _python(value, " " * 12)


def _tags(tags: Sequence[Mapping[str, str]]) -> str:
    made = [f"cdk.CfnTag(key={_python(tag['Key'])}, value={_python(tag['Value'])})" for tag in tags]
    return "".join(("[", *(f"\n                {each}," for each in made), "\n            ]"))


def _python(value: Any, indent: str = "") -> str:
    """A JSON value as Python, what nobody sees spelled out; later lines are indented."""
    inner = indent + "    "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{_python(name)}: {_python(each, inner)},\n" for name, each in value.items()]
        return "".join(("{\n", *lines, indent, "}"))
    if isinstance(value, list) and len(value) > 1:
        return "".join(("[\n", *(f"{inner}{_python(each, inner)},\n" for each in value), indent, "]"))
    if isinstance(value, list):
        return f"[{''.join(_python(each, indent) for each in value)}]"
    if isinstance(value, str) and _PLAIN.match(value):
        return f'"{value}"'
    return ascii(value)
