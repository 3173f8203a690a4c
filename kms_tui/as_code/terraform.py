"""Keys as Terraform: ``import`` blocks and resources, of which the first plan imports and changes nothing.

Source: the resources of the AWS provider 5.100 (schema, and what its importers read), Terraform 1.5's
``import`` blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import NamedTuple

from kms_tui.as_code.code import Code
from kms_tui.as_code.hcl import Block, Expression, call
from kms_tui.as_code.key_definition import KeyDefinition, left_out_sentences, stack_notes
from kms_tui.as_code.policy_documents import KIND, policy_document
from kms_tui.as_code.policy_text import exact_members
from kms_tui.as_code.resource_names import alias_names, grant_names, identifier, key_names
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Grant, KeyOrigin, KeyState
from kms_tui.visible import visible

FILE = "kms_keys.tf"
Version = tuple[int, int]
_NEWER_SPECS: Mapping[str, Version | None] = {
    **dict.fromkeys(("ML_DSA_44", "ML_DSA_65", "ML_DSA_87"), (6, 0)),
    "ECC_NIST_EDWARDS25519": (6, 21),
    **dict.fromkeys(("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"), None),
}
"""Key spec -> the version of the AWS provider that takes it; None where none is known.

The provider takes what its AWS SDK knows. Source: terraform-provider-aws#43025, #45025.
"""
_UNREAD = ("bypass_policy_lockout_safety_check", "deletion_window_in_days")
"""Arguments that have a default, and that the importers of all but aws_kms_key leave unset: the first plan
would write them. They are no facts of the key."""
_CONSTRAINTS = {
    "EncryptionContextEquals": "encryption_context_equals",
    "EncryptionContextSubset": "encryption_context_subset",
}
_HEAD = """\
# The keys as they are: `terraform plan` imports them, and adds, changes and destroys nothing.
# Apply it, then remove the import blocks. default_tags of a provider would be a change."""
_KEYS = {
    (False, False): "aws_kms_key",
    (False, True): "aws_kms_external_key",
    (True, False): "aws_kms_replica_key",
    (True, True): "aws_kms_replica_external_key",
}
"""Whether a key is a replica, and whether its material is imported -> the resource."""


class _Resource(NamedTuple):
    """A resource and what imports it."""

    kind: str
    name: str
    import_id: str
    body: Mapping[str, object]
    blocks: Sequence[Block] = ()
    comment: str = ""


def terraform(
    definitions: Sequence[KeyDefinition],
    *,
    policy_documents: bool = False,
    provider_version: Version | None = None,
) -> Code:
    """One file for all of the keys, with a provider for each account and Region.

    With ``policy_documents`` a policy is a data source where that can say it; where not, that is noted. Keys
    that the AWS provider of ``provider_version`` refuses, or every known one, are left out.
    """
    refused = [(each.name, reason) for each in definitions if (reason := _refused(each, provider_version))]
    definitions = [each for each in definitions if not _refused(each, provider_version)]
    if not definitions:
        return Code({}, tuple(left_out_sentences(refused)))
    writer = _Writer(definitions, policy_documents)
    parts = [_HEAD, str(Block("terraform", (), [{"required_version": ">= 1.5"}]))]
    parts += writer.providers()
    for definition in definitions:
        parts += writer.parts(definition)
    text = "\n".join(f"{part.rstrip()}\n" for part in parts)
    return Code({FILE: text}, (*left_out_sentences(refused), *writer.notes, *stack_notes(definitions)))


def _refused(definition: KeyDefinition, version: Version | None) -> str:
    """Why a provider of the version (None: the newest) refuses the resource, after "it"; or ""."""
    key = definition.key
    if key.spec not in _NEWER_SPECS or _kind(definition) != "aws_kms_key":
        return ""
    needed = _NEWER_SPECS[key.spec]
    if needed is None:
        return f"has the key spec {key.spec}, which no AWS provider is known to take"
    if version is None or version >= needed:
        return ""
    return f"has the key spec {key.spec}, which AWS provider {_dotted(needed)} is the first to take"


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


class _Writer:
    def __init__(self, definitions: Sequence[KeyDefinition], policy_documents: bool) -> None:
        self.notes: list[str] = []
        self._policy_documents = policy_documents
        self._keys = key_names(definitions)
        self._aliases = alias_names(definitions)
        self._grants = grant_names(definitions, self._keys)
        self._places = sorted({definition.place for definition in definitions})
        self._addresses = {
            definition.key.arn: f"{_kind(definition)}.{self._keys[definition.key.arn]}"
            for definition in definitions
        }

    def providers(self) -> Iterator[str]:
        """The provider blocks; a lone one has no alias, as that is what a configuration has already."""
        for place in self._places:
            body: dict[str, object] = {"alias": self._provider(place)} if len(self._places) > 1 else {}
            body |= {"region": place.region, "allowed_account_ids": [place.account]}
            comment = (
                f"# The credentials for {place.account} (profile, assume_role) go here. Remove the block\n"
                "# where the configuration has a provider for this account and Region."
            )
            yield f"{comment}\n{Block('provider', ('aws',), [body])}"

    def _provider(self, place: AccountRegion) -> str:
        region = identifier(place.region)
        several = len({each.account for each in self._places}) > 1
        return f"account_{place.account}_{region}" if several else region

    def parts(self, definition: KeyDefinition) -> Iterator[str]:
        """The texts of a key, its aliases and its grants."""
        address = self._addresses[definition.key.arn]
        meta: dict[str, object] = {}
        if len(self._places) > 1:
            meta["provider"] = Expression(f"aws.{self._provider(definition.place)}")
        document = self._document(definition, meta)
        if document is not None:
            yield str(document)
        resources = [self._key(definition, document)]
        for alias in definition.aliases:
            body: dict[str, object] = {"name": alias, "target_key_id": Expression(f"{address}.id")}
            name = self._aliases[definition.key.arn, alias]
            resources.append(_Resource("aws_kms_alias", name, alias, body))
        for grant in definition.grants:
            if not _no_grant(grant):
                resources.append(self._grant(grant, definition))
        refused = [(f"{each.grant_id[:12]}…", why) for each in definition.grants if (why := _no_grant(each))]
        self.notes += [f"Of the grants of {definition.name} {each}" for each in left_out_sentences(refused)]
        for resource in resources:
            to = Expression(f"{resource.kind}.{resource.name}")
            yield resource.comment + str(Block("import", (), [{"to": to, "id": resource.import_id}]))
            labels = (resource.kind, resource.name)
            yield str(Block("resource", labels, [meta, resource.body], resource.blocks))

    def _document(self, definition: KeyDefinition, meta: Mapping[str, object]) -> Block | None:
        if not self._policy_documents:
            return None
        document = policy_document(self._keys[definition.key.arn], definition.policy, meta)
        if document is None:
            self.notes.append(f"{definition.name}: its policy is no {KIND}, which could not say it as it is.")
        return document

    def _key(self, definition: KeyDefinition, document: Block | None) -> _Resource:
        key, kind = definition.key, _kind(definition)
        body = dict(_ARGUMENTS[kind](definition))
        if definition.is_replica and key.multi_region is not None:
            primary = key.multi_region.primary_arn
            reference = self._addresses.get(primary)
            body = {"primary_key_arn": Expression(f"{reference}.arn") if reference else primary, **body}
        body["policy"] = _policy(definition.policy, document)
        if definition.own_tags:
            body["tags"] = {tag.key: tag.value for tag in definition.own_tags}
        lifecycle: dict[str, object] = {"prevent_destroy": True}
        if kind != "aws_kms_key":
            lifecycle["ignore_changes"] = [Expression(name) for name in _UNREAD]
        comments = [definition.name if definition.aliases else key.arn, *self._remarks(definition)]
        return _Resource(
            kind,
            self._keys[key.arn],
            key.key_id,
            body,
            [Block("lifecycle", (), [lifecycle])],
            "".join(f"# {visible(line)}\n" for line in comments),
        )

    def _remarks(self, definition: KeyDefinition) -> Iterator[str]:
        """What the resource does not say, for its comment and for the notes."""
        key = definition.key
        external = key.origin == KeyOrigin.EXTERNAL
        version = _NEWER_SPECS.get(key.spec)
        if version is not None and _kind(definition) == "aws_kms_key":
            needs = f"its key spec {key.spec} needs AWS provider {_dotted(version)} or newer."
            yield self._noted(definition, needs)
        if external:
            yield "The key material is imported: no code holds it, and a new key has other material."
            if key.spec != SYMMETRIC_DEFAULT:
                yield self._noted(
                    definition,
                    f"before version 6.11 the provider has no argument for its key spec {key.spec}; a key "
                    f"that it makes anew is {SYMMETRIC_DEFAULT}.",
                )

    def _noted(self, definition: KeyDefinition, remark: str) -> str:
        self.notes.append(f"{definition.name}: {remark}")
        return remark[0].upper() + remark[1:]

    def _grant(self, grant: Grant, definition: KeyDefinition) -> _Resource:
        address = self._addresses[definition.key.arn]
        body: dict[str, object] = {"key_id": Expression(f"{address}.id")}
        if grant.name:
            body["name"] = grant.name
        body |= {"grantee_principal": grant.grantee, "operations": sorted(grant.operations)}
        if grant.retiring:
            body["retiring_principal"] = grant.retiring
        limits = {_CONSTRAINTS[name]: dict(pairs) for name, pairs in grant.constraints.items() if pairs}
        return _Resource(
            "aws_kms_grant",
            self._grants[definition.key.arn, grant.grant_id],
            f"{definition.key.key_id}:{grant.grant_id}",
            body,
            [Block("constraints", (), [limits])] if limits else (),
        )


def _policy(text: str, document: Block | None) -> object:
    if document is not None:
        return Expression(f"{'.'.join((document.kind, *document.labels))}.json")
    members = exact_members(text)
    return text if members is None else call("jsonencode", members)


def _kind(definition: KeyDefinition) -> str:
    return _KEYS[definition.is_replica, definition.key.origin == KeyOrigin.EXTERNAL]


def _key_arguments(definition: KeyDefinition) -> Iterator[tuple[str, object]]:
    key, rotation = definition.key, definition.rotation
    if key.description:
        yield "description", key.description
    yield "key_usage", key.usage
    yield "customer_master_key_spec", key.spec
    if key.custom_key_store_id:
        yield "custom_key_store_id", key.custom_key_store_id
    if key.xks_key_id:
        yield "xks_key_id", key.xks_key_id
    if key.multi_region is not None:
        yield "multi_region", True
    yield "is_enabled", key.enabled
    yield "enable_key_rotation", rotation is not None and rotation.enabled
    if rotation is not None and rotation.enabled and rotation.period_days is not None:
        yield "rotation_period_in_days", rotation.period_days


def _other_arguments(definition: KeyDefinition) -> Iterator[tuple[str, object]]:
    """Of replicas, and of keys with imported material."""
    key = definition.key
    if key.description:
        yield "description", key.description
    if key.multi_region is not None and not definition.is_replica:
        yield "multi_region", True
    if key.state != KeyState.PENDING_IMPORT:
        yield "enabled", key.enabled
    if key.valid_to is not None:
        yield "valid_to", key.valid_to.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_Arguments = Callable[[KeyDefinition], Iterator[tuple[str, object]]]
_ARGUMENTS: Mapping[str, _Arguments] = {
    kind: _key_arguments if kind == "aws_kms_key" else _other_arguments for kind in _KEYS.values()
}


def _no_grant(grant: Grant) -> str:
    """Why Terraform cannot hold a grant, after "it"; or ""."""
    for who, principal in (("grantee", grant.grantee), ("retiring", grant.retiring)):
        if principal and not principal.startswith("arn:"):
            return (
                f"has the {who} principal {principal}, which is no ARN: an AWS service, which makes its "
                "grants by itself, or somebody who is gone"
            )
    unknown = sorted(grant.constraints.keys() - _CONSTRAINTS.keys())
    return f"has the constraint {', '.join(unknown)}, for which there is no argument" if unknown else ""
