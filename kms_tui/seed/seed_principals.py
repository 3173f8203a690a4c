"""Reads the principals of a seed, and its account policies.

What IAM holds of users and roles becomes rows of the store's account policies, as ``kms-tui store policies
set`` makes them; an access key stands for a principal, with what comes with each of its requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kms_tui.backend.local.account_policies.account_file import AccountFileError, NamedFile, rows_and_faults
from kms_tui.backend.local.account_policies.account_json import MAX_BYTES, json_of
from kms_tui.backend.local.account_policies.account_rows import (
    IDENTITIES,
    MEMBERS,
    AccountRow,
    Content,
    RowKind,
)
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.kms.arn import Arn
from kms_tui.policy import Caller
from kms_tui.policy.actions import lowered
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.layers import Layer, NamedPolicy, read_policy
from kms_tui.policy.principals import PrincipalKind
from kms_tui.seed.seed_document import MemberPath
from kms_tui.seed.seed_members import FILE, MemberReader, Members

_IDENTITIES = {PrincipalKind.USER: RowKind.USER, PrincipalKind.ROLE: RowKind.ROLE}
_SESSIONS = (PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER)
_ONLY_OF: Mapping[str, tuple[PrincipalKind, ...]] = {
    **dict.fromkeys(("policies", "attached_policies", "boundary"), tuple(_IDENTITIES)),
    **dict.fromkeys(("trust", "max_session_duration"), (PrincipalKind.ROLE,)),
    "session_policies": _SESSIONS,
    "tags": (*_IDENTITIES, *_SESSIONS),
}
"""Member -> the kinds of principals that have it."""
_WITH_KEY = (
    *("secret_access_key", "session_token", "expires_at", "session_policies"),
    *("via", "source_arn", "source_account", "org_id", "org_paths", "context"),
)
"""Members that say what comes with an access key."""
_CONDITION_KEYS = {
    "via": "kms:viaservice",
    "source_arn": "aws:sourcearn",
    "source_account": "aws:sourceaccount",
    "org_id": "aws:principalorgid",
}
_TAG = "aws:principaltag/"


def read_principals(reader: MemberReader) -> tuple[tuple[AccessKey, ...], tuple[AccountRow, ...]]:
    """The access keys, and the rows of the account policies; what is wrong is left with the reader."""
    name = reader.document.name
    lists: dict[str, list[Content]] = {}
    keys: dict[str, AccessKey] = {}
    for number, members in enumerate(reader.document.data.get("principals", ())):
        one = _PrincipalReader(reader, members, ("principals", number))
        for kind, item in one.items():
            known = lists.setdefault(MEMBERS[kind], [])
            if not (is_bare(item) and any(each["Arn"] == item["Arn"] for each in known)):
                known.append(item)
        key = one.access_key()
        if key is not None and key.access_key_id in keys:
            reader.problem(("principals", number, "access_key_id"), "is that of another principal")
        elif key is not None:
            keys[key.access_key_id] = key
    files = [NamedFile(name, lists)] if lists else []
    files += _account_files(reader)
    if reader.problems or not files:
        return tuple(keys.values()), ()
    rows, faults = rows_and_faults(files)
    reader.problems += [f"{fault}." for fault in faults]
    return tuple(keys.values()), rows


def is_bare(item: Content) -> bool:
    """Whether IAM's item of a principal says nothing but its name: that of a further access key of it."""
    return not any(value for name, value in item.items() if not isinstance(value, str))


def _account_files(reader: MemberReader) -> Iterator[NamedFile]:
    for number, value in enumerate(reader.document.data.get("account_policies", ())):
        path: MemberPath = ("account_policies", number)
        if set(value) != {FILE}:
            yield NamedFile(reader.place(path), value)
            continue
        content = reader.file(value[FILE], (*path, FILE), MAX_BYTES)
        if content is None:
            continue
        try:
            yield json_of(value[FILE], content)
        except AccountFileError as error:
            reader.problem(
                (*path, FILE), f"names a file that is none of account policies: {str(error).rstrip('.')}"
            )


class _PrincipalReader:
    """Reads one principal."""

    def __init__(self, reader: MemberReader, members: Members, path: MemberPath) -> None:
        self._reader = reader
        self._members = members
        self._path = path
        self._caller = self._parsed()
        self._account = reader.account_in(members) or (self._caller.account if self._caller else "")
        self._account = self._account or reader.account
        self._judge()

    def _problem(self, sentence: str, *names: str | int) -> None:
        self._reader.problem((*self._path, *names), sentence)

    def _parsed(self) -> Caller | None:
        """Whom it is about; None for the administrator of an account."""
        text = self._members.get("arn")
        if text is None:
            return None
        try:
            found = Caller.parse(text)
            if found.kind is PrincipalKind.PROVIDER or not (
                found.kind is PrincipalKind.SERVICE or text.startswith("arn:")
            ):
                raise ValueError
        except ValueError:
            self._problem(
                f"is {json.dumps(text)[:120]}, which is no user, role, session, federated user, root user or "
                "service principal",
                "arn",
            )
            return None
        return found

    def _judge(self) -> None:
        members, caller = self._members, self._caller
        for name, kinds in _ONLY_OF.items():
            if name in members and (caller is None or caller.kind not in kinds) and not self._is_unreadable:
                of = " or a ".join(kind.value for kind in kinds)
                self._problem(f"is of a {of}, and this is {_kind_of(caller)}", name)
        given = self._reader.account_in(members)
        if given and caller and caller.account not in ("", given):
            self._problem(f"is {given}, and the ARN is of {caller.account}", "account")
        if "access_key_id" in members:
            if "secret_access_key" not in members:
                self._problem("lacks the member secret_access_key")
            return
        for name in _WITH_KEY:
            if name in members:
                self._problem("comes with an access key: write its access_key_id", name)
        if (caller is None or caller.kind not in _IDENTITIES) and not self._is_unreadable:
            self._problem("lacks the member access_key_id: without it nobody can be this principal")

    @property
    def _is_unreadable(self) -> bool:
        """Whether there is an ARN that is none, which is a problem already."""
        return self._caller is None and "arn" in self._members

    def items(self) -> Iterator[tuple[RowKind, Content]]:
        """What IAM holds of a user or role, as ``aws iam get-account-authorization-details`` prints it."""
        members, caller = self._members, self._caller
        kind = _IDENTITIES.get(caller.kind) if caller else None
        if caller is None or kind is None:
            return
        names = IDENTITIES[kind]
        item: dict[str, Any] = {
            names.name: caller.name,
            "Arn": caller.arn,
            names.inline: [
                {"PolicyName": policy.name, "PolicyDocument": policy.document.text}
                for policy in self._policies("policies", Layer.IDENTITY)
            ],
            "AttachedManagedPolicies": [
                {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}
                for arn in members.get("attached_policies", ())
            ],
            "Tags": [{"Key": name, "Value": value} for name, value in members.get("tags", {}).items()],
        }
        if "boundary" in members:
            boundary, policy = self._boundary(caller)
            item["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
            if policy is not None:
                yield RowKind.POLICY, policy
        if "trust" in members:
            item["AssumeRolePolicyDocument"] = self._trust()
        if "max_session_duration" in members:
            item["MaxSessionDuration"] = members["max_session_duration"]
        yield kind, item

    def _policies(self, name: str, layer: Layer) -> Iterator[NamedPolicy]:
        for title, value in self._members.get(name, {}).items():
            policy = self._policy(value, (*self._path, name, title), layer, title)
            if policy is not None:
                yield policy

    def _policy(self, value: object, path: MemberPath, layer: Layer, title: str) -> NamedPolicy | None:
        text = self._reader.policy_text(value, path)
        if text is None:
            return None
        policy = read_policy(layer, title, text)
        self._reader.judge_policy(value, path, policy.document)
        return policy if policy.document.is_valid else None

    def _boundary(self, caller: Caller) -> tuple[str, Content | None]:
        """The ARN of the permissions boundary, and the managed policy that is made of a given one."""
        value = self._members["boundary"]
        if isinstance(value, str) and value.startswith("arn:"):
            return value, None
        name = f"{caller.name}-boundary"
        arn = str(Arn(caller.partition, "iam", "", caller.account, f"policy/{name}"))
        policy = self._policy(value, (*self._path, "boundary"), Layer.BOUNDARY, name)
        if policy is None:
            return arn, None
        version = {"Document": policy.document.text, "VersionId": "v1", "IsDefaultVersion": True}
        content = {"PolicyName": name, "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [version]}
        return arn, content

    def _trust(self) -> Any:
        """The trust policy as an object; what it says is judged where it is used."""
        value, path = self._members["trust"], (*self._path, "trust")
        text = self._reader.policy_text(value, path)
        try:
            found = json.loads(text or "")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or "Statement" not in found:
            if text is not None:
                self._reader.problem(path, "is no policy: expected an object with a Statement")
            return {}
        return found

    def access_key(self) -> AccessKey | None:
        members, caller = self._members, self._caller
        if not {"access_key_id", "secret_access_key"} <= members.keys():
            return None
        return AccessKey(
            access_key_id=members["access_key_id"],
            secret_access_key=members["secret_access_key"],
            account=self._account,
            caller_arn=caller.arn if caller else None,
            session_token=members.get("session_token", ""),
            expires_at=self._reader.moment(members, "expires_at", self._path),
            session_policies=tuple(self._policies("session_policies", Layer.SESSION)),
            context=self._context(),
        )

    def _context(self) -> Mapping[str, ContextValue]:
        """The condition keys that come with each request, in lower case; those in ``context`` come first."""
        members, caller = self._members, self._caller
        found: dict[str, ContextValue] = {
            condition: str(members[name]) for name, condition in _CONDITION_KEYS.items() if name in members
        }
        if "org_paths" in members:
            found["aws:principalorgpaths"] = tuple(members["org_paths"])
        if caller is not None and caller.kind in _SESSIONS:
            found |= {_TAG + lowered(name): value for name, value in members.get("tags", {}).items()}
        for name, value in members.get("context", {}).items():
            found[lowered(name)] = value if isinstance(value, str) else tuple(value)
        return found


def _kind_of(caller: Caller | None) -> str:
    if caller is None:
        return "the administrator of an account"
    names = {PrincipalKind.ACCOUNT: "root user of an account", PrincipalKind.SERVICE: "service principal"}
    return f"a {names.get(caller.kind, caller.kind.value)}"
