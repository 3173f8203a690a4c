"""Reads one item of a file of account policies into its row: what is used of it, with policies as objects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote

from kms_tui.backend.local.account_policies.account_rows import (
    AWS,
    CONTROL_POLICIES,
    IDENTITIES,
    AccountRow,
    Content,
    RowKind,
)
from kms_tui.kms.arn import Arn, is_account_id
from kms_tui.policy.actions import lowered
from kms_tui.policy.layers import Layer, read_policy

_NAME = re.compile(r"[\w+=,.@-]{1,128}\Z", re.ASCII)
_TARGET = re.compile(r"(?:r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|[0-9]{12})\Z")
_ENDPOINT = re.compile(r"vpce-[0-9a-f]{8,32}\Z")
_CONTROL_ID = re.compile(r"p-[0-9a-zA-Z_]{1,160}\Z")
_UNIQUE_ID = re.compile(r"\w{1,128}\Z", re.ASCII)
_DURATIONS = range(3600, 43200 + 1)
MASTER = "MasterAccountId"
TRUST = "AssumeRolePolicyDocument"
MAX_DURATION = "MaxSessionDuration"
_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_FULL_ACCESS: Mapping[Layer, Content] = {
    Layer.SCP: {"Version": "2012-10-17", "Statement": [_ALL]},
    Layer.RCP: {"Version": "2012-10-17", "Statement": [{**_ALL, "Principal": "*"}]},
}
_OPEN_ENDPOINT = {"Statement": [{**_ALL, "Principal": "*"}]}
"""The policy of an endpoint that was made without one."""

_IDENTITY_MEMBERS = "Path Arn CreateDate AttachedManagedPolicies PermissionsBoundary Tags"
_KNOWN: Mapping[RowKind, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        RowKind.USER: f"{_IDENTITY_MEMBERS} UserName UserId UserPolicyList GroupList",
        RowKind.GROUP: f"{_IDENTITY_MEMBERS} GroupName GroupId GroupPolicyList",
        RowKind.ROLE: (
            f"{_IDENTITY_MEMBERS} RoleName RoleId RolePolicyList AssumeRolePolicyDocument "
            "InstanceProfileList RoleLastUsed MaxSessionDuration"
        ),
        RowKind.POLICY: (
            "PolicyName PolicyId Arn Path DefaultVersionId AttachmentCount PermissionsBoundaryUsageCount "
            "IsAttachable Description CreateDate UpdateDate PolicyVersionList"
        ),
        RowKind.ORGANIZATION: (
            "Id Arn FeatureSet MasterAccountArn MasterAccountId MasterAccountEmail AvailablePolicyTypes"
        ),
        RowKind.TARGET: "Id Arn Name ParentId ServiceControlPolicies ResourceControlPolicies",
        RowKind.ENDPOINT: (
            "VpcEndpointId VpcEndpointType PolicyDocument VpcId ServiceName ServiceRegion State "
            "RouteTableIds SubnetIds Groups IpAddressType DnsOptions PrivateDnsEnabled RequesterManaged "
            "NetworkInterfaceIds DnsEntries CreationTimestamp Tags OwnerId LastError Ipv4Prefixes "
            "Ipv6Prefixes FailureReason ServiceNetworkArn ResourceConfigurationArn "
            "PayerResponsibilities"
        ),
    }.items()
}
"""Kind -> the members that AWS prints; others are newer, unless they look like one of these."""


class FaultError(Exception):
    """What is wrong with one item."""


def full_access(layer: Layer) -> Content:
    """AWS's own SCP or RCP, which allows everything."""
    name = CONTROL_POLICIES[layer].full_access
    return {"Id": f"p-{name}", "Name": name, "Content": _FULL_ACCESS[layer]}


def alike(name: str, known: Iterable[str]) -> str:
    """What was meant, perhaps: "; did you mean Arn?", or ""."""
    found = get_close_matches(name, known, 1, cutoff=0.7)
    return f"; did you mean {found[0]}?" if found else ""


def row_of(kind: RowKind, item: Content) -> AccountRow:
    """The row of an item; FaultError where something is wrong with it."""
    for member in item:
        if member not in _KNOWN[kind]:
            meant = alike(member, _KNOWN[kind])
            if meant:
                raise FaultError(f"the member {member[:80]!r} is not known{meant}")
    return _READERS[kind](kind, item)


# One item -> its row, reduced to what is used, policies as objects


def _identity(kind: RowKind, item: Content) -> AccountRow:
    names = IDENTITIES[kind]
    arn = _arn(item, f"{kind}/")
    name = _text(item, names.name, _NAME)
    if arn.resource.rpartition("/")[2] != name:
        raise FaultError(f"its Arn is of another {kind} than {names.name} says")
    content: dict[str, Any] = {names.name: name, "Arn": str(arn)}
    inline = []
    for place, each in _objects(item, names.inline):
        policy = _text(each, "PolicyName", _NAME, place)
        document = _document(Layer.IDENTITY, each.get("PolicyDocument"), f"{place} ({policy})")
        inline.append({"PolicyName": policy, "PolicyDocument": document})
    if len({each["PolicyName"] for each in inline}) < len(inline):
        raise FaultError(f"{names.inline} has two policies of one name")
    content[names.inline] = inline
    content["AttachedManagedPolicies"] = [
        {"PolicyName": _policy_name(arn), "PolicyArn": arn}
        for place, each in _objects(item, "AttachedManagedPolicies")
        for arn in [_text(each, "PolicyArn", place=place)]
    ]
    boundary = item.get("PermissionsBoundary")
    if boundary is not None and kind is not RowKind.GROUP:
        if not isinstance(boundary, dict):
            raise FaultError("PermissionsBoundary is no object")
        content["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": _text(boundary, "PermissionsBoundaryArn", place="PermissionsBoundary"),
        }
    if kind is RowKind.USER:
        groups = item.get("GroupList", [])
        if not isinstance(groups, list) or not all(isinstance(each, str) for each in groups):
            raise FaultError("GroupList is no list of names")
        content["GroupList"] = groups
    if kind is RowKind.ROLE:
        content |= _of_role(item)
    if kind is not RowKind.GROUP:
        content |= _unique_id(item, f"{names.title}Id") | _tags(item)
    return AccountRow(kind, arn.account, name, content)


def _of_role(item: Content) -> dict[str, Any]:
    """Who may assume a role, and for how long: what the item tells of it."""
    found: dict[str, Any] = {}
    trust = item.get(TRUST)
    if isinstance(trust, dict) and not trust.get("Statement"):
        found[TRUST] = {"Version": "2012-10-17", "Statement": []}  # it trusts nobody
    elif trust is not None:
        found[TRUST] = _document(Layer.RCP, trust, TRUST)  # a policy of any service, with principals
    duration = item.get(MAX_DURATION)
    if duration is not None:
        if type(duration) is not int or duration not in _DURATIONS:
            raise FaultError(f"{MAX_DURATION} is none: it is from 3600 to 43200 seconds")
        found[MAX_DURATION] = duration
    return found


def _unique_id(item: Content, member: str) -> dict[str, Any]:
    return {member: _text(item, member, _UNIQUE_ID)} if item.get(member) is not None else {}


def _tags(item: Content) -> dict[str, Any]:
    tags: list[Content] = []
    for place, each in _objects(item, "Tags"):
        value = each.get("Value", "")
        if not isinstance(value, str):
            raise FaultError(f"{place}: Value is no text")
        tags.append({"Key": _text(each, "Key", place=place), "Value": value})
    if len({lowered(each["Key"]) for each in tags}) < len(tags):
        raise FaultError("Tags has two tags of one name: upper and lower case are the same")
    return {"Tags": tags} if tags else {}


def _policy_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _managed(kind: RowKind, item: Content) -> AccountRow:
    arn = _arn(item, "policy/", of_aws=True)
    versions = list(_objects(item, "PolicyVersionList"))
    default = item.get("DefaultVersionId")
    applying = [
        (place, version)
        for place, version in versions
        if len(versions) == 1
        or version.get("IsDefaultVersion") is True
        or version.get("VersionId") == default
    ]
    if not applying:
        raise FaultError("PolicyVersionList lacks the version that applies")
    place, version = applying[0]
    version_id = version.get("VersionId") or default or "v1"
    if not isinstance(version_id, str) or not re.match(r"v[0-9]{1,9}\Z", version_id):
        raise FaultError(f"{place}: VersionId is none")
    content = {
        "PolicyName": _policy_name(str(arn)),
        "Arn": str(arn),
        "DefaultVersionId": version_id,
        "PolicyVersionList": [
            {
                "Document": _document(Layer.IDENTITY, version.get("Document"), place),
                "VersionId": version_id,
                "IsDefaultVersion": True,
            }
        ],
    }
    return AccountRow(kind, arn.account, str(arn), content)


def _organization(kind: RowKind, item: Content) -> AccountRow:
    content = {MASTER: _text(item, MASTER, re.compile(r"[0-9]{12}\Z"))}
    content["Id"] = _text(item, "Id", re.compile(r"o-[a-z0-9]{10,32}\Z")) if "Id" in item else "o-0000000000"
    return AccountRow(kind, "", "", content)


def _target(kind: RowKind, item: Content) -> AccountRow:
    target = _text(item, "Id", _TARGET)
    content: dict[str, Any] = {"Id": target}
    is_root = target.startswith("r-")
    if is_root and item.get("ParentId") is not None:
        raise FaultError("a root has no ParentId")
    if not is_root:
        content["ParentId"] = _text(item, "ParentId", _TARGET)
    for layer, names in CONTROL_POLICIES.items():
        if item.get(names.member) is not None:
            content[names.member] = _control_policies(layer, item)
    return AccountRow(kind, "", target, content)


def _control_policies(layer: Layer, item: Content) -> list[Content]:
    names = CONTROL_POLICIES[layer]
    found: list[Content] = []
    for place, each in _objects(item, names.member):
        name = _text(each, "Name", re.compile(r"[\x20-\x7e]{1,128}\Z"), place)
        document = _document(layer, each.get("Content"), f"{place} ({name})")
        policy_id = _text(each, "Id", _CONTROL_ID, place) if "Id" in each else _id_of(layer, name)
        found.append({"Id": policy_id, "Name": name, "Content": document})
    allows = any(
        statement.get("Effect") == "Allow" for each in found for statement in _statements(each["Content"])
    )
    return found if allows else [full_access(layer), *found]


def _id_of(layer: Layer, name: str) -> str:
    """The id of a policy that the file gives none, to be recognized in an ARN: p-NoDeletion, p-RCPOnlyUs."""
    kind = "" if layer is Layer.SCP else "RCP"
    return f"p-{kind}{re.sub('[^0-9a-zA-Z]', '_', name.removeprefix(kind))}"


def _statements(policy: Content) -> list[Content]:
    statements = policy["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _endpoint(kind: RowKind, item: Content) -> AccountRow:
    endpoint = _text(item, "VpcEndpointId", _ENDPOINT)
    policy = item.get("PolicyDocument") or _OPEN_ENDPOINT
    document = _document(Layer.ENDPOINT, policy, "PolicyDocument")
    return AccountRow(kind, "", endpoint, {"VpcEndpointId": endpoint, "PolicyDocument": document})


_READERS: Mapping[RowKind, Callable[[RowKind, Content], AccountRow]] = {
    **dict.fromkeys(IDENTITIES, _identity),
    RowKind.POLICY: _managed,
    RowKind.ORGANIZATION: _organization,
    RowKind.TARGET: _target,
    RowKind.ENDPOINT: _endpoint,
}


def _text(item: Content, member: str, form: re.Pattern[str] | None = None, place: str = "") -> str:
    before = f"{place}: " if place else ""
    value = item.get(member)
    if value is None:
        raise FaultError(f"{before}{member} is missing")
    if not isinstance(value, str) or not value or (form is not None and not form.match(value)):
        raise FaultError(f"{before}{member} is none: {json.dumps(value)[:80]}")
    return value


def _arn(item: Content, resource: str, *, of_aws: bool = False) -> Arn:
    text = _text(item, "Arn")
    try:
        arn = Arn.parse(text)
    except ValueError:
        arn = None
    owned = arn is not None and (is_account_id(arn.account) or (of_aws and arn.account == AWS))
    if arn is None or not owned or arn.service != "iam" or not arn.resource.startswith(resource):
        raise FaultError(f"Arn is none of a {resource.rstrip('/')}: {json.dumps(text)[:120]}")
    if not text.isascii() or not text.isprintable():
        raise FaultError("Arn has characters that no ARN has")
    return arn


def _objects(item: Content, member: str) -> Iterator[tuple[str, Content]]:
    """The objects of a list, each with its place."""
    found = item.get(member)
    if found is None:
        return
    if not isinstance(found, list):
        raise FaultError(f"{member} is no list")
    for number, each in enumerate(found):
        if not isinstance(each, dict):
            raise FaultError(f"{member}[{number}] is no object")
        yield f"{member}[{number}]", each


def _document(layer: Layer, value: object, place: str) -> Content:
    """A policy: an object, its text, or its text URL-encoded, as IAM's API answers it."""
    if isinstance(value, str):
        text = unquote(value) if value.lstrip().startswith("%") else value
    elif isinstance(value, dict):
        text = json.dumps(value, indent=2)
    else:
        raise FaultError(f"{place}: the policy is missing")
    document = read_policy(layer, place, text).document
    for problem in document.problems:
        line, column = document.place(problem.span)
        where = f"line {line}, column {column} of its text: " if isinstance(value, str) else ""
        if not where and problem.statement is not None:
            where = f"statement {problem.statement + 1}: "
        raise FaultError(f"{place}: {where}{problem.sentence.rstrip('.')}")
    policy: Content = json.loads(text)
    return policy
