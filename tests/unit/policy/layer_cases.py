"""Random cases of a denial: callers, ways to the key, layers that allow, lack, deny or are absent."""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]
KEYS = (
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
)
ISSUERS = ("arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root", "444455556666")
CALLERS = (
    "arn:aws:sts::111122223333:assumed-role/app/job-17",
    "arn:aws:sts::111122223333:assumed-role/app/job-17",
    "arn:aws:iam::111122223333:user/ada",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:federated-user/bob",
    "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForRDS/rds",
    "logs.us-east-1.amazonaws.com",
    "arn:aws:sts::444455556666:assumed-role/partner/work",
    "arn:aws:iam::444455556666:user/eve",
    "arn:aws:iam::444455556666:root",
)
ACTIONS = (
    "kms:Decrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:RetireGrant",
    "kms:PutKeyPolicy", "kms:ReEncryptFrom", "kms:DescribeKey",
)  # fmt: skip
CONTEXTS: tuple[Json, ...] = (
    {},
    {},
    {"kms:EncryptionContext:table": "orders", "kms:EncryptionContextKeys": ["table"]},
    {"kms:EncryptionContext:table": "invoices"},
    {"kms:ViaService": "s3.us-east-1.amazonaws.com", "aws:PrincipalOrgID": "o-abcdefghij"},
    {"aws:SourceVpce": "vpce-1a2b3c4d", "aws:PrincipalTag/team": "red", "aws:MultiFactorAuthPresent": True},
    {"aws:PrincipalTag/team": "red", "aws:ResourceTag/team": "red", "kms:GrantOperations": ["Decrypt"]},
    {"aws:PrincipalTag/team": "red", "aws:ResourceTag/team": "blue", "kms:GrantOperations": ["Encrypt"]},
)
CONDITIONS: tuple[Json, ...] = (
    {"StringEquals": {"kms:EncryptionContext:table": "orders"}},
    {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["table", "row"]}},
    {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "table"}},
    {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
    {"StringNotEqualsIfExists": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}},
    {"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}},
    {"Null": {"aws:PrincipalTag/team": False}},
    {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:ResourceAccount": "111122223333"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": True}},
    {"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/app", "arn:aws:iam::*:user/*"]}},
    {"StringNotEquals": {"aws:SourceVpce": ["vpce-1a2b3c4d", "vpce-0"]}},
)


def _statement(random: Random, action: str, effect: str = "Allow", principal: Any = None) -> Json:
    """A statement that is about the action, or nearly."""
    wanted = random.choice(["*", "kms:*", action, action.lower(), [action, "kms:Encrypt"], "kms:?*", "s3:*"])
    statement: Json = {"Effect": effect, "Action": wanted, "Resource": "*"}
    if principal is not None:
        statement["Principal"] = principal
    if random.random() < 0.1:
        del statement["Action"]
        statement["NotAction"] = random.choice(["s3:*", action, ["iam:*", "kms:Encrypt"]])
    if random.random() < 0.2 and principal in (None, "*"):
        statement["Resource"] = random.choice(
            [*KEYS, list(KEYS), "arn:aws:kms:*:111122223333:key/*", "arn:aws:s3:::*"]
        )
    if random.random() < 0.25:
        statement["Condition"] = random.choice(CONDITIONS)
    return statement


def _policy(random: Random, action: str, principal: Any = None, effects: Any = None) -> Json:
    effects = effects or random.choice([["Allow"]] * 6 + [["Allow", "Deny"], ["Allow", "Allow"]])
    statements = [_statement(random, action, effect, principal) for effect in effects]
    document: Json = {"Version": "2012-10-17", "Statement": statements}
    if len(statements) == 1 and random.random() < 0.3:
        document["Statement"] = statements[0]
    return document if random.random() < 0.7 else {"name": "a-policy", "document": document}


def _principals(caller: str) -> list[Any]:
    """Principals of a key policy that mean the caller, or somebody else."""
    if caller.endswith(".amazonaws.com"):
        return [{"Service": caller}, {"Service": [caller, "s3.amazonaws.com"]}, "*", {"AWS": "111122223333"}]
    account, resource = caller.split(":")[4:6]
    root = f"arn:aws:iam::{account}:root"
    found: list[Any] = [{"AWS": caller}, {"AWS": root}, {"AWS": [account]}, "*", {"AWS": "*"}]
    if resource.startswith("assumed-role/"):
        found += [{"AWS": f"arn:aws:iam::{account}:role/{resource.split('/')[1]}"}] * 3
    return [*found, {"AWS": "arn:aws:iam::111122223333:role/other"}, {"Service": "s3.amazonaws.com"}]


def _key_policy(random: Random, caller: str, action: str) -> Json:
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    statements = [root] if random.random() < 0.7 else []
    for _ in range(random.choice([0, 1, 1, 2]) or (not statements)):
        effect = "Deny" if random.random() < 0.12 else "Allow"
        statements.append(_statement(random, action, effect, random.choice(_principals(caller))))
    return {"Version": "2012-10-17", "Statement": statements}


def _grants(random: Random, caller: str) -> list[Json] | None:
    names = [name for each in _principals(caller) for name in _flat(each) if name != "*"]
    grants: list[Json] = []
    for number in range(random.choice([0, 0, 1, 2])):
        operations = random.choice(
            [["Decrypt"], ["Decrypt", "GenerateDataKey", "CreateGrant"], ["Encrypt", "DescribeKey"]]
        )
        grant: Json = {
            "GrantId": f"{number}" * 64,
            "GranteePrincipal": random.choice(names),
            "Operations": operations,
        }
        if random.random() < 0.6:
            grant["IssuingAccount"] = random.choice(ISSUERS)
        if random.random() < 0.4:
            grant["Constraints"] = {"EncryptionContextSubset": {"Table": "orders"}}
        if random.random() < 0.3:
            grant["RetiringPrincipal"] = random.choice(names)
        grants.append(grant)
    return grants or random.choice([[], None])


def _flat(principal: Any) -> list[str]:
    values = principal.values() if isinstance(principal, dict) else [principal]
    return [name for value in values for name in (value if isinstance(value, list) else [value])]


def _levels(random: Random, action: str, principal: Any) -> list[list[Json]] | None:
    if random.random() < 0.3:
        return random.choice([[], None])
    full = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    if principal:
        full["Statement"] = {**full["Statement"], "Principal": principal}  # type: ignore[dict-item]
    found = [[full] for _ in range(random.choice([1, 2, 3]))]
    if random.random() < 0.5:
        level = random.choice(found)
        extra = _policy(random, action, principal, random.choice([["Allow"], ["Deny"]]))
        level[:] = [extra] if random.random() < 0.5 else [*level, extra]
    return found


def random_case(random: Random) -> Json:
    """One case; at most three of its layers are absent."""
    caller, action = random.choice(CALLERS), random.choice(ACTIONS)
    layers: Json = {
        "key_policy": _key_policy(random, caller, action),
        "grants": _grants(random, caller),
        "identity": [_policy(random, action) for _ in range(random.choice([0, 1, 1, 2]))],
        "boundary": _policy(random, action) if random.random() < 0.3 else None,
        "session": [_policy(random, action)] if _has_session(caller) and random.random() < 0.35 else [],
        "scps": _levels(random, action, None),
        "rcps": _levels(random, action, "*"),
        "endpoint": _policy(random, action, "*") if random.random() < 0.5 else None,
    }
    if random.random() < 0.2:
        _break(random, layers)
    for member in random.sample(sorted(layers), random.choice([0, 0, 0, 1, 1, 2, 3])):
        del layers[member]
    spelled = random.choice([action, action, action.lower(), action.removeprefix("kms:")])
    key, context = random.choice(KEYS), random.choice(CONTEXTS)
    return {"caller": caller, "action": spelled, "key": key, "context": context, "layers": layers}


def _has_session(caller: str) -> bool:
    return "assumed-role/" in caller or "federated-user/" in caller


def _break(random: Random, layers: Json) -> None:
    """Replace one policy by what is none."""
    places: list[tuple[Any, Any]] = [(layers, name) for name in ("key_policy", "boundary", "endpoint")]
    for listed in (layers["identity"], layers["session"], *(layers["scps"] or []), *(layers["rcps"] or [])):
        places += [(listed, number) for number in range(len(listed))]
    within, place = random.choice(places)
    within[place] = {"Statement": 5}
