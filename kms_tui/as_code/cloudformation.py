"""Keys as CloudFormation: a template for each account and Region, and the list of what a stack imports.

Source: the resource types AWS::KMS::Key, AWS::KMS::ReplicaKey and AWS::KMS::Alias of the CloudFormation
registry, their primary identifiers, and "Import AWS resources into a CloudFormation stack" (all of a
template are imported at once, each with a DeletionPolicy).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from kms_tui.as_code.code import Code
from kms_tui.as_code.key_definition import KeyDefinition, stack_notes
from kms_tui.as_code.policy_text import policy_members
from kms_tui.as_code.resource_names import alias_names, identifier, key_names, unique_names
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.model import KeyOrigin, KeyState, KeyUsage
from kms_tui.visible import visible

MAX_RESOURCES = 500
MAX_BODY = 51_200
"""Bytes of a template that a request takes; a larger one goes through S3."""

_KINDS = {False: "AWS::KMS::Key", True: "AWS::KMS::ReplicaKey"}
_ALIAS = "AWS::KMS::Alias"


class Stack(NamedTuple):
    """What becomes one stack."""

    place: AccountRegion
    resources: Mapping[str, Mapping[str, Any]]
    """Logical id -> the resource as in a template."""
    identifiers: Mapping[str, Mapping[str, str]]
    """Logical id -> what names the resource in the account."""

    @property
    def name(self) -> str:
        return f"kms-keys-{self.place.region}"


class Stacks(NamedTuple):
    stacks: tuple[Stack, ...]
    notes: tuple[str, ...]


def cloudformation(definitions: Sequence[KeyDefinition]) -> Code:
    """A template in YAML and a list in JSON for each account and Region."""
    stacks, notes = stacks_of(definitions)
    files: dict[str, str] = {}
    more = list(notes)
    for stack in stacks:
        behind = f"-{stack.place.account}-{stack.place.region}" if len(stacks) > 1 else ""
        template, listed = f"kms-keys{behind}.yaml", f"resources-to-import{behind}.json"
        files[template] = _template(stack, template, listed)
        files[listed] = json.dumps(_to_import(stack), indent=2) + "\n"
        more += _limits(stack, files[template])
    # The templates first: the main file is one.
    ordered = sorted(files, key=lambda name: name.endswith(".json"))
    return Code({name: files[name] for name in ordered}, tuple(more))


def stacks_of(definitions: Sequence[KeyDefinition]) -> Stacks:
    """The stacks, and sentences about what CloudFormation does not hold."""
    notes = [sentence for definition in definitions if (sentence := _left_out(definition))]
    held = [definition for definition in definitions if not _left_out(definition)]
    for definition in held:
        notes += _not_held(definition)
    places = sorted({definition.place for definition in held})
    stacks = [_stack(place, [each for each in held if each.place == place]) for place in places]
    return Stacks(tuple(stacks), (*notes, *stack_notes(held)))


def _left_out(definition: KeyDefinition) -> str:
    key = definition.key
    if key.custom_key_store_id:
        reason = "no resource type makes keys in custom key stores"
    elif definition.is_replica and key.origin == KeyOrigin.EXTERNAL:
        reason = "no resource type makes replicas of keys with imported material"
    elif policy_members(definition.policy) is None:
        reason = "its policy is no JSON object"
    elif key.usage == KeyUsage.ENCAPSULATE_DECAPSULATE:
        reason = f"AWS::KMS::Key is not known to take the key spec {key.spec}"
    else:
        return ""
    return f"{definition.name} in {key.region} is left out: {reason}."


def _not_held(definition: KeyDefinition) -> Iterator[str]:
    if grants := len(definition.grants):
        words = "its grant stays as it is" if grants == 1 else f"its {grants} grants stay as they are"
        yield f"{definition.name}: {words}; no resource type holds grants."
    if definition.key.origin == KeyOrigin.EXTERNAL:
        yield f"{definition.name}: its key material is imported; no template holds it."


def _stack(place: AccountRegion, definitions: Sequence[KeyDefinition]) -> Stack:
    names = key_names(definitions)
    aliases = alias_names(definitions)
    wanted: dict[tuple[str, str], tuple[str, ...]] = {}
    for definition in definitions:
        arn = definition.key.arn
        base = _logical(names[arn])
        wanted[arn, ""] = (base, f"{base}Key", f"Key{_logical(identifier(definition.key.key_id))}")
        for alias in definition.aliases:
            own = f"{_logical(aliases[arn, alias])}Alias"
            wanted[arn, alias] = (own, f"{own}{_logical(alias.encode().hex())}")
    ids = unique_names(wanted)
    resources: dict[str, Mapping[str, Any]] = {}
    identifiers: dict[str, Mapping[str, str]] = {}
    for definition in definitions:
        key_id = ids[definition.key.arn, ""]
        resources[key_id] = _retained(_KINDS[definition.is_replica], dict(_properties(definition)))
        identifiers[key_id] = {"KeyId": definition.key.key_id}
        for alias in definition.aliases:
            alias_id = ids[definition.key.arn, alias]
            resources[alias_id] = _retained(_ALIAS, {"AliasName": alias, "TargetKeyId": {"Ref": key_id}})
            identifiers[alias_id] = {"AliasName": alias}
    return Stack(place, resources, identifiers)


def _logical(name: str) -> str:
    """A name as a logical id: letters and digits, each part with a capital."""
    parts = "".join(sign if sign.isalnum() else " " for sign in name).split()
    text = "".join(part[0].upper() + part[1:] for part in parts)
    return text if text[:1].isalpha() else f"Key{text}"


def _retained(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Type": kind,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    }


def _properties(definition: KeyDefinition) -> Iterator[tuple[str, Any]]:
    key, rotation = definition.key, definition.rotation
    if key.description:
        yield "Description", key.description
    if definition.is_replica and key.multi_region is not None:
        yield "PrimaryKeyArn", key.multi_region.primary_arn
    else:
        yield "KeySpec", key.spec
        yield "KeyUsage", key.usage
        if key.origin == KeyOrigin.EXTERNAL:
            yield "Origin", str(KeyOrigin.EXTERNAL)
        if key.multi_region is not None:
            yield "MultiRegion", True
    # A key that waits for its material is disabled without anybody's doing.
    yield "Enabled", key.enabled or key.state == KeyState.PENDING_IMPORT
    if rotation is not None and not definition.is_replica:
        yield "EnableKeyRotation", rotation.enabled
        if rotation.enabled and rotation.period_days is not None:
            yield "RotationPeriodInDays", rotation.period_days
    yield "KeyPolicy", policy_members(definition.policy)
    if definition.own_tags:
        yield "Tags", [{"Key": tag.key, "Value": tag.value} for tag in definition.own_tags]


def _to_import(stack: Stack) -> list[dict[str, Any]]:
    return [
        {
            "ResourceType": stack.resources[logical_id]["Type"],
            "LogicalResourceId": logical_id,
            "ResourceIdentifier": identifier,
        }
        for logical_id, identifier in stack.identifiers.items()
    ]


def _template(stack: Stack, template: str, listed: str) -> str:
    account, region = stack.place
    change_set = f"--region {region} --stack-name {stack.name} --change-set-name import-keys"
    head = [
        f"Keys of account {account} in {region}, as they are. Importing them changes nothing:",
        "",
        f"  aws cloudformation create-change-set {change_set} --change-set-type IMPORT \\",
        f"    --template-body file://{template} --resources-to-import file://{listed}",
        f"  aws cloudformation wait change-set-create-complete {change_set}",
        f"  aws cloudformation execute-change-set {change_set}",
    ]
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"KMS keys of {account} in {region}",
        "Resources": stack.resources,
    }
    comment = "".join(f"# {visible(line)}".rstrip() + "\n" for line in head)
    return comment + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes what a reader could take for another type, and writes no aliases of its own."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = text[:1].isalpha() and text.isascii() and text.isprintable()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def _limits(stack: Stack, template: str) -> Iterator[str]:
    where = f"{stack.place.account} in {stack.place.region}"
    if len(stack.resources) > MAX_RESOURCES:
        yield (
            f"The template of {where} has {len(stack.resources):,} resources; a stack takes {MAX_RESOURCES}. "
            "Name fewer keys."
        )
    if len(template.encode()) > MAX_BODY:
        yield (
            f"The template of {where} is larger than {MAX_BODY:,} bytes: put it into a bucket, and give "
            "--template-url instead of --template-body."
        )
