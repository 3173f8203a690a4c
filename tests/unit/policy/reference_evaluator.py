"""A second, naive evaluation of all layers, written from AWS's documentation alone: the oracle of tests.

It reads the JSON of a case, imports nothing of the product, and tries every kind of content that an absent
layer or a broken policy may have, so that "unknown" is what really depends on it. Source: the IAM user guide
(reference_policies_evaluation-logic_policy-eval-denyallow, …-cross-account, access_policies_boundaries,
reference_policies_elements_principal), the Organizations user guide and the KMS developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

Json = dict[str, Any]
ORDER = ("rcp", "scp", "endpoint", "key-policy", "grant", "identity", "boundary", "session")
MEMBERS = {
    "rcp": "rcps",
    "scp": "scps",
    "endpoint": "endpoint",
    "key-policy": "key_policy",
    "grant": "grants",
    "identity": "identity",
    "boundary": "boundary",
    "session": "session",
}
KNOWN_ACTIONS = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:CreateGrant",
    "kms:RetireGrant",
    "kms:PutKeyPolicy",
    "kms:ReEncryptFrom",
    "kms:DescribeKey",
)
NAMING = ("rcp", "endpoint", "key-policy")
"""The layers whose statements name principals."""
BROKEN: Json = {"Statement": 5}
"""A policy that cannot be read."""
OWN_ACCOUNT_ONLY = ("kms:PutKeyPolicy",)


def _policy(effect: str, action: str, principal: Any = None) -> Json:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return {"Statement": statement if principal is None else {**statement, "Principal": principal}}


GIVES, DENIES, OTHER = _policy("Allow", "*"), _policy("Deny", "*"), _policy("Allow", "s3:*")
EVERYONE, NOBODY = _policy("Allow", "*", "*"), _policy("Deny", "*", "*")
OTHERS = _policy("Allow", "s3:*", "*")


class Asked:
    """The request of a case."""

    def __init__(self, case: Json) -> None:
        self.caller: str = case["caller"]
        action: str = case["action"]
        names = {name.lower(): name for name in KNOWN_ACTIONS}
        self.action = names[f"kms:{action.lower().removeprefix('kms:')}"]
        self.key: str = case["key"]
        self.key_account = self.key.split(":")[4]
        self.service = self.caller.endswith(".amazonaws.com")
        parts = self.caller.split(":")
        self.account = "" if self.service else parts[4]
        resource = self.caller.split(":", 5)[-1]
        self.root = resource == "root"
        self.session = resource.startswith("assumed-role/")
        self.federated = resource.startswith("federated-user/")
        self.user = resource.startswith("user/")
        self.linked = "AWSServiceRoleFor" in resource
        self.role = (
            f"arn:{parts[1]}:iam::{self.account}:role/{resource.split('/')[1]}" if self.session else ""
        )
        self.crosses = self.account != self.key_account
        self.context: dict[str, list[str]] = {
            "aws:securetransport": ["true"],
            "aws:resourceaccount": [self.key_account],
            "aws:requestedregion": [self.key.split(":")[3]],
            "aws:principalisawsservice": [str(self.service).lower()],
        }
        if not self.service:
            self.context["aws:principalarn"] = [self.role or self.caller]
            self.context["aws:principalaccount"] = self.context["kms:calleraccount"] = [self.account]
        for name, value in case["context"].items():
            values = value if isinstance(value, list) else [value]
            self.context[name.lower()] = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
        pairs = [
            n.split(":", 2)[2] for n in case["context"] if n.lower().startswith("kms:encryptioncontext:")
        ]
        if pairs:
            self.context.setdefault("kms:encryptioncontextkeys", pairs)


def _glob(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _filled(value: str, context: Mapping[str, list[str]]) -> str | None:
    for name in re.findall(r"\$\{([^}]*)\}", value):
        found = context.get(name.lower())
        if found is None or len(found) != 1:
            return None
        value = value.replace("${" + name + "}", found[0])
    return value


def _compares(operator: str, wanted: str, got: str) -> bool:
    if operator in ("StringLike", "ArnLike", "StringNotLike"):
        return _glob(wanted, got)
    return wanted.lower() == got.lower() if operator == "Bool" else wanted == got


def _holds(operator: str, key: str, wanted: list[Any], context: Mapping[str, list[str]]) -> bool:
    values = context.get(key.lower()) or None
    if operator == "Null":
        return (str(wanted[0]).lower() == "true") == (values is None)
    qualifier, _, base = operator.rpartition(":")
    optional = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    negated = "Not" in base
    if values is None:
        return optional or qualifier == "ForAllValues" or (negated and qualifier != "ForAnyValue")
    texts = [str(each).lower() if isinstance(each, bool) else str(each) for each in wanted]
    filled = [text for text in (_filled(text, context) for text in texts) if text is not None]
    each = [any(_compares(base, text, value) for text in filled) != negated for value in values]
    return all(each) if qualifier == "ForAllValues" or (negated and not qualifier) else any(each)


def _names(statement: Json, asked: Asked) -> str:
    """How a statement names the caller: "", everyone, itself, role or account."""
    if "Principal" not in statement:
        return "itself"
    principal = statement["Principal"]
    if principal == "*":
        return "everyone"
    names = [each for kind in ("AWS", "Service") for each in _list(principal.get(kind, []))]
    if "*" in names:
        return "everyone"
    if asked.caller in names:
        return "itself"
    if asked.role and asked.role in names:
        return "role"
    account = (asked.account, f"arn:{asked.key.split(':')[1]}:iam::{asked.account}:root")
    if asked.account and any(name in account for name in names):
        return "itself" if asked.root else "account"
    return ""


def _about(statement: Json, asked: Asked) -> bool:
    if "Action" in statement:
        acts = any(_glob(each.lower(), asked.action.lower()) for each in _list(statement["Action"]))
    else:
        acts = not any(_glob(each.lower(), asked.action.lower()) for each in _list(statement["NotAction"]))
    if "Resource" in statement:
        there = any(_glob(each, asked.key) for each in _list(statement["Resource"]))
    else:
        there = not any(_glob(each, asked.key) for each in _list(statement["NotResource"]))
    return acts and there


def _applying(policy: Json, asked: Asked) -> Iterator[tuple[str, str]]:
    """Effect and naming of each statement that applies."""
    for statement in _list(policy.get("document", policy)["Statement"]):
        conditions = (
            _holds(operator, key, _list(wanted), asked.context)
            for operator, tests in statement.get("Condition", {}).items()
            for key, wanted in tests.items()
        )
        named = _names(statement, asked)
        if named and _about(statement, asked) and all(conditions):
            yield statement["Effect"], named


def _granted(grants: list[Json], asked: Asked) -> set[str]:
    found = set()
    operation = asked.action.removeprefix("kms:")
    for grant in grants:
        who = [grant["GranteePrincipal"]] if operation in grant["Operations"] else []
        if operation == "RetireGrant":
            # "... and the AWS account in which the grant was created" (grant-delete)
            issuer = grant.get("IssuingAccount", "")
            who += [grant.get("RetiringPrincipal", ""), issuer if asked.key_account not in issuer else ""]
        subset = grant.get("Constraints", {}).get("EncryptionContextSubset", {})
        fits = all(asked.context.get(f"kms:encryptioncontext:{k.lower()}") == [v] for k, v in subset.items())
        if operation in ("Decrypt", "GenerateDataKey", "ReEncryptFrom", "CreateGrant") and not fits:
            continue
        if operation == "CreateGrant":
            wanted = asked.context.get("kms:grantoperations", [])
            if not set(wanted) <= set(grant["Operations"]):
                continue
        for name in filter(None, who):
            kind = "Service" if name.endswith(".amazonaws.com") else "AWS"
            named = _names({"Principal": {kind: name}}, asked)
            # "... if a grant or IAM policy in your account allows you to use the KMS key" (policy-evaluation)
            own = asked.crosses and bool(asked.account) and asked.account in grant.get("IssuingAccount", "")
            found.add("trusted" if own and named in ("itself", "role") else named)
    return found - {""}


def _levels(case_layers: Json, layer: str, asked: Asked) -> list[list[Json]]:
    """The policies that count in a layer, by level; no level where the layer does not count."""
    value = case_layers[MEMBERS[layer]]
    exempt = {
        "rcp": asked.linked or asked.action == "kms:RetireGrant",
        "scp": asked.linked or asked.service,
        "endpoint": not asked.context.get("aws:sourcevpce"),
        "identity": asked.root or asked.service,
        "boundary": asked.root or asked.service,
        "session": asked.service,
    }
    if exempt.get(layer) or value is None:
        return []
    if layer in ("rcp", "scp"):
        return [list(level) for level in value]
    policies = _list(value)
    if not policies and layer == "session":
        return [[]] if asked.federated else []
    return [policies]


def _decided(layers: Json, asked: Asked) -> tuple[bool, list[str]]:
    """Whether it is allowed with all layers known, and the layers that deny explicitly."""
    said = {
        layer: [[each for policy in level for each in _applying(policy, asked)] for level in found]
        for layer in ORDER
        if layer != "grant"
        for found in (_levels(layers, layer, asked),)
    }
    explicit = [layer for layer in said if any(e == "Deny" for level in said[layer] for e, _ in level)]
    if explicit:
        return False, explicit
    allows = {layer: all(any(e == "Allow" for e, _ in level) for level in said[layer]) for layer in said}
    if not (allows["rcp"] and allows["scp"] and allows["endpoint"]):
        return False, []
    ways = _granted(layers["grants"] or [], asked)
    if asked.action != "kms:RetireGrant":
        ways |= {named for level in said["key-policy"] for effect, named in level if effect == "Allow"}
    elif asked.account == asked.key_account:
        ways.add("itself" if asked.root else "account")
    identity, limits = allows["identity"], allows["boundary"] and allows["session"]
    if asked.service:
        return bool(ways), []
    if asked.crosses and asked.action != "kms:RetireGrant":
        let_in = "trusted" in ways or (bool(ways) and identity)
        return asked.action not in OWN_ACCOUNT_ONLY and let_in and limits, []
    direct = bool(ways & {"itself", "everyone"})
    return direct or (bool(ways & {"role", "trusted"}) and limits) or (
        "account" in ways and identity and limits
    ), []


def _contents(layer: str, asked: Asked) -> list[Any]:
    """The kinds of content that a layer of which nothing is known can have."""
    operations = [asked.action.removeprefix("kms:"), "CreateGrant", "Decrypt", "Encrypt"]
    callers = [name for name in (asked.caller, asked.role, asked.account) if name]
    given = [
        {"GranteePrincipal": name, "Operations": operations, "RetiringPrincipal": name, "IssuingAccount": own}
        for name in callers
        for own in ("", asked.account)
    ]
    kind = "Service" if asked.service else "AWS"
    named = [_policy("Allow", "*", {kind: name}) for name in callers]
    session = [[], [GIVES], [OTHER], [GIVES, DENIES]]
    contents: dict[str, list[Any]] = {
        "rcp": [[], [[EVERYONE], [EVERYONE, NOBODY]]],
        "scp": [[], [[GIVES], [OTHER]], [[GIVES, DENIES]]],
        "endpoint": [None, OTHERS, NOBODY],
        "key-policy": [OTHERS, *named, EVERYONE, NOBODY],
        "grant": [[], *([each] for each in given)],
        "identity": [[], [GIVES], [GIVES, DENIES]],
        "boundary": [None, OTHER, DENIES],
        "session": session if asked.session or asked.federated else [[]],
    }
    return contents[layer]


def _kinds(layer: str, case: Json, asked: Asked) -> list[Any]:
    """The contents that a layer of the case may have: one if it is known."""
    member = MEMBERS[layer]
    value = case["layers"].get(member)
    if member not in case["layers"] or (layer == "key-policy" and value == BROKEN):
        return _contents(layer, asked)
    return list(_mended(value, (OTHERS, EVERYONE, NOBODY) if layer in NAMING else (OTHER, GIVES, DENIES)))


def _mended(value: Any, policies: tuple[Json, ...]) -> Iterator[Any]:
    """The value with each of these in the place of a policy that cannot be read."""
    if value == BROKEN:
        yield from policies
    elif isinstance(value, list):
        yield from (list(each) for each in product(*(list(_mended(item, policies)) for item in value)))
    else:
        yield value


def _worlds(case: Json, asked: Asked) -> Iterator[Json]:
    for contents in product(*(_kinds(layer, case, asked) for layer in ORDER)):
        yield {MEMBERS[layer]: each for layer, each in zip(ORDER, contents, strict=True)}


def expected(case: Json) -> tuple[str, set[str]]:
    """allow, deny or unknown, and the layers any of which may be named as decisive."""
    asked = Asked(case)
    found = [_decided(layers, asked) for layers in _worlds(case, asked)]
    outcomes = {allowed for allowed, _ in found}
    if len(outcomes) > 1:
        return "unknown", set(_matter(case, asked))
    if outcomes == {True}:
        return "allow", set()
    certain = set.intersection(*(set(explicit) for _, explicit in found))
    return "deny", certain or set(_lacking(case, asked))


def _matter(case: Json, asked: Asked) -> Iterator[str]:
    """The layers that are not wholly known on which the outcome depends while the others stay as they are."""
    for layer in ORDER:
        kinds = _kinds(layer, case, asked)
        others = {"layers": {**case["layers"], MEMBERS[layer]: None}}
        for world in _worlds(others, asked) if len(kinds) > 1 else ():
            if len({_decided({**world, MEMBERS[layer]: each}, asked)[0] for each in kinds}) > 1:
                yield layer
                break


def _lacking(case: Json, asked: Asked) -> Iterator[str]:
    """The layers for whose lack of an Allow it is denied, whatever the others say; of the key's either."""
    open_layers = {
        "rcps": [], "scps": [], "endpoint": None, "identity": [GIVES], "boundary": None, "grants": [],
        "session": [GIVES] if asked.federated else [],
    }  # fmt: skip
    keys = {name: case["layers"].get(name) for name in ("key_policy", "grants")}
    keys["key_policy"] = None if keys["key_policy"] == BROKEN else keys["key_policy"]
    reached = _decided({**open_layers, **keys}, asked)[0]
    for layer in ORDER:
        if layer in ("key-policy", "grant"):
            tried = [{**open_layers, **keys}]
        else:
            let_in = keys if reached else {"key_policy": EVERYONE, "grants": []}
            kinds = _kinds(layer, case, asked)
            tried = [{**open_layers, **let_in, MEMBERS[layer]: each} for each in kinds]
        if not any(_decided(each, asked)[0] for each in tried):
            yield layer
