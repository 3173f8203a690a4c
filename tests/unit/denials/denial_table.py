"""Some hundred denials: at least five that each layer decides, half of them with a second cause.

A layer that is not changed does not limit the request. ``causes`` are the layers that deny, in any order;
"grant" means a grant that nearly allows, named beside the layer that denies. ``fixed`` are the fixes that
make the call pass, as the kinds of their parts; empty where the fix lies elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from kms_tui.policy import AccessRequest, Caller
from kms_tui.policy.denial_case import DenialCase
from kms_tui.policy.layers import UNLIMITED, Layer
from tests.unit.policy.build import Shape
from tests.unit.policy.layer_build import (
    FEDERATED,
    KEY,
    PARTNER,
    PARTNER_ROOT,
    ROLE,
    ROOT,
    SERVICE,
    SESSION,
    USER,
    everyone,
    gives,
    grant,
    iam,
    key_policy,
    levels,
    named,
)


@dataclass(frozen=True, slots=True)
class Denial:
    """One row. ``fixed`` are ``-``joined kinds of fix parts."""

    name: str
    causes: tuple[str, ...]
    changes: Mapping[str, Any]
    fixed: frozenset[str] = frozenset()
    caller: str = SESSION
    action: str = "kms:Decrypt"
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def case(self) -> DenialCase:
        known = dict(self.context)
        names = [key.removeprefix("kms:EncryptionContext:") for key in known if key.startswith(_PAIR)]
        if names:
            known["kms:EncryptionContextKeys"] = names
        request = AccessRequest(Caller.parse(self.caller), self.action, KEY, known, complete=True)
        layers = replace(UNLIMITED, **{"key_policy": key_policy(), "grants": (), **self.changes})
        return DenialCase(request, layers)


_PAIR = "kms:EncryptionContext:"
TABLE = {_PAIR + "table": "invoices"}
ORDERS: Shape = {"StringEquals": {_PAIR + "table": "orders"}}
MFA: Shape = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
VIA_S3: Shape = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
VPCE = {"aws:SourceVpce": "vpce-1"}
ALL = iam(gives("kms:*"))
S3 = gives("s3:*")
FULL = gives("*")
IAM = frozenset({"identity"})
ANY = frozenset({"key-policy", "grant", "identity"})
AT_KEY = frozenset({"key-policy", "grant"})
BOTH = frozenset({"key-policy-identity", "grant-identity"})
PARTNER_IN = key_policy({**gives("kms:*"), "Principal": {"AWS": PARTNER_ROOT}})


def deny(action: str = "kms:Decrypt", **extra: Any) -> Shape:
    return gives(action, "Deny", **extra)


def stops(action: str = "kms:Decrypt", **extra: Any) -> Shape:
    return everyone(action, "Deny", **extra)


def at_key(principal: str, effect: str = "Allow", action: str = "kms:Decrypt", **extra: Any) -> Shape:
    return {**gives(action, effect, **extra), "Principal": "*" if principal == "*" else {"AWS": principal}}


def scps(*each: Shape) -> Mapping[str, Any]:
    return {"scps": levels(Layer.SCP, *each)}


def rcps(*each: Shape) -> Mapping[str, Any]:
    return {"rcps": levels(Layer.RCP, *each)}


def boundary(*statements: Shape) -> Mapping[str, Any]:
    return {"boundary": named(Layer.BOUNDARY, *statements)}


def session(*statements: Shape) -> Mapping[str, Any]:
    return {"session": (named(Layer.SESSION, *statements),)}


def endpoint(*statements: Shape) -> Mapping[str, Any]:
    return {"endpoint": named(Layer.ENDPOINT, *statements)}


def alone(*statements: Shape) -> Mapping[str, Any]:
    """A key policy without the root statement, in which an administrator keeps control."""
    admin = at_key(f"{ROOT.removesuffix('root')}role/KeyAdmin", action="kms:*")
    return {"key_policy": named(Layer.KEY_POLICY, admin, *statements)}


ROLE_IN: Mapping[str, Any] = {"key_policy": key_policy(at_key(ROLE))}
OF_ORDERS: Mapping[str, Any] = {"grants": (grant(ROLE, EncryptionContextSubset={"table": "orders"}),)}
OUTSIDE: Shape = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}
NOTHING: Mapping[str, Any] = {}
HAVE: Mapping[str, Any] = {"identity": ALL}

_CAUSES: Mapping[str, Mapping[str, Any]] = {
    "rcp": rcps(stops()),
    "scp": scps(FULL, S3),
    "endpoint": endpoint(everyone("kms:Encrypt")),
    "key-policy": {"key_policy": key_policy(at_key("*", "Deny"))},
    "identity": {"identity": iam(S3)},
    "boundary": boundary(gives("kms:Encrypt")),
    "session": session(gives(), deny()),
}
"""Layer -> what makes it deny."""
PAIRS = tuple(
    Denial(f"both {one} and {other}", (one, other), {**HAVE, **_CAUSES[one], **_CAUSES[other]}, context=VPCE)
    for one, other in combinations(_CAUSES, 2)
)

DENIALS: tuple[Denial, ...] = (
    *PAIRS,
    # identity
    Denial("no policy", ("identity",), NOTHING, ANY),
    Denial("other service", ("identity",), {"identity": iam(S3)}, ANY),
    Denial("other key", ("identity",), {"identity": iam(gives(Resource=KEY + "c"))}, ANY),
    Denial("mfa", ("identity",), {"identity": iam(gives(Condition=MFA))}, ANY, USER),
    Denial("explicit", ("identity",), {"identity": iam(gives(), deny())}),
    Denial("partner without iam", ("identity",), {"key_policy": PARTNER_IN}, IAM, PARTNER),
    Denial("federated without session policy", ("session",), HAVE, caller=FEDERATED),
    Denial("explicit and boundary", ("identity", "boundary"), {"identity": iam(deny()), **boundary(S3)}),
    Denial("none and session", ("identity", "session"), session(S3)),
    Denial("none and scp", ("identity", "scp"), scps(FULL, S3)),
    Denial("none and rcp", ("identity", "rcp"), rcps(stops())),
    # key policy
    Denial("not delegated", ("key-policy",), {**HAVE, **alone()}, frozenset({"grant"})),
    Denial("not delegated user", ("key-policy",), {**HAVE, **alone()}, frozenset({"grant"}), USER),
    Denial("explicit deny", ("key-policy",), {**HAVE, "key_policy": key_policy(at_key("*", "Deny"))}),
    Denial(
        "explicit deny without context",
        ("key-policy",),
        {
            **HAVE,
            "key_policy": key_policy(
                at_key("*", "Deny", Condition={"Null": {_PAIR + "table": "true"}})
            ),
        },
    ),
    Denial("service", ("key-policy",), NOTHING, frozenset({"key-policy"}), SERVICE),
    Denial("partner not let in", ("key-policy",), HAVE, AT_KEY, PARTNER),
    Denial("partner's root", ("key-policy",), NOTHING, AT_KEY, PARTNER_ROOT),
    Denial("partner's administration", ("key-policy",), {**HAVE, "key_policy": PARTNER_IN}, caller=PARTNER,
           action="kms:DisableKey"),
    Denial("partner, neither", ("key-policy", "identity"), NOTHING, BOTH, PARTNER),
    Denial("partner and boundary", ("key-policy", "boundary"), {**HAVE, **boundary(S3)}, caller=PARTNER),
    Denial("partner and scp", ("key-policy", "scp"), {**HAVE, **scps(deny())}, caller=PARTNER),
    Denial("explicit and identity", ("key-policy", "identity"),
           {"key_policy": key_policy(at_key(ROLE, "Deny"))}),
    # grants that nearly allow
    Denial("grant of another context", ("identity", "grant"),
           OF_ORDERS, ANY, context=TABLE),
    Denial("grant of more context", ("identity", "grant"),
           {"grants": (grant(ROLE, EncryptionContextEquals={"table": "invoices", "x": "y"}),)}, ANY,
           context=TABLE),
    Denial("grant to another", ("identity", "grant"), {"grants": (grant(USER),)}, ANY),
    Denial("grant to the account", ("identity",), {"grants": (grant(ROOT),)}, ANY),
    Denial("grant of another session", ("identity", "grant"), {"grants": (grant(SESSION + "x"),)}, ANY),
    Denial("grant to the partner's role", ("identity",), {"grants": (grant(PARTNER),)}, IAM,
           PARTNER),
    Denial("grant within the boundary", ("boundary",), {"grants": (grant(ROLE),), **boundary(S3)}),
    Denial("grant of a context and scp", ("identity", "grant", "scp"),
           {**OF_ORDERS, **scps(S3)}, context=TABLE),
    # boundary
    Denial("boundary lacks", ("boundary",), {**HAVE, **boundary(S3)}),
    Denial("boundary denies", ("boundary",), {**HAVE, **boundary(gives(), deny())}),
    Denial("boundary of a user", ("boundary",), {**HAVE, **boundary(gives("kms:Encrypt"))}, caller=USER),
    Denial("boundary of a named role", ("boundary",), {**ROLE_IN, **boundary(S3)}),
    Denial("boundary by condition", ("boundary",), {**HAVE, **boundary(gives(Condition=ORDERS))},
           context=TABLE),
    Denial("boundary and session", ("boundary", "session"), {**HAVE, **boundary(S3), **session(S3)}),
    Denial("boundary and scp", ("boundary", "scp"), {**HAVE, **boundary(S3), **scps(deny())}),
    Denial("boundary and identity", ("boundary", "identity"), boundary(S3)),
    # session
    Denial("session lacks", ("session",), {**HAVE, **session(S3)}),
    Denial("session denies", ("session",), {**HAVE, **session(gives(), deny())}),
    Denial("session of a named role", ("session",), {**ROLE_IN, **session(S3)}),
    Denial("session denies a named session", ("session",),
           {"key_policy": key_policy(at_key(SESSION)), **session(deny())}),
    Denial("session of a partner", ("session",), {"key_policy": PARTNER_IN, **HAVE, **session(S3)},
           caller=PARTNER),
    Denial("session and rcp", ("session", "rcp"), {**HAVE, **session(S3), **rcps(stops())}),
    Denial("session and endpoint", ("session", "endpoint"),
           {**HAVE, **session(S3), **endpoint(everyone("kms:Encrypt"))}, context=VPCE),
    # endpoint
    Denial("endpoint lacks", ("endpoint",), {**HAVE, **endpoint(everyone("kms:Encrypt"))}, context=VPCE),
    Denial("endpoint denies", ("endpoint",), {**HAVE, **endpoint(everyone(), stops())}, context=VPCE),
    Denial("endpoint for others", ("endpoint",), {**HAVE, **endpoint(at_key(USER))}, context=VPCE),
    Denial("endpoint of another key", ("endpoint",), {**HAVE, **endpoint(everyone(Resource=KEY + "c"))},
           context=VPCE),
    Denial("endpoint and scp", ("endpoint", "scp"), {**HAVE, **endpoint(stops()), **scps(S3)}, context=VPCE),
    Denial("endpoint and boundary", ("endpoint", "boundary"),
           {**HAVE, **endpoint(stops()), **boundary(S3)}, context=VPCE),
    Denial("endpoint and identity", ("endpoint", "identity"), endpoint(stops()), context=VPCE),
    # SCPs
    Denial("scp denies at the root", ("scp",), {**HAVE, "scps": (
        (named(Layer.SCP, FULL), named(Layer.SCP, deny(), name="p-root")), (named(Layer.SCP, FULL),))}),
    Denial("scp lacks at a unit", ("scp",), {**HAVE, **scps(FULL, S3, FULL)}),
    Denial("scp for the root user", ("scp",), scps(FULL, S3), caller=ROOT),
    Denial("scp by Region", ("scp",), {**HAVE, "scps": ((named(Layer.SCP, FULL, deny(
        "*", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}})),),)}),
    Denial("scp of a named session", ("scp",), {"key_policy": key_policy(at_key(SESSION)), **scps(deny())}),
    Denial("scp and rcp", ("scp", "rcp"), {**HAVE, **scps(S3), **rcps(stops())}),
    Denial("scp and session", ("scp", "session"), {**HAVE, **scps(S3), **session(S3)}),
    Denial("scp and a Deny at the key", ("scp", "key-policy"),
           {**HAVE, **scps(S3), "key_policy": key_policy(at_key("*", "Deny"))}),
    # RCPs
    Denial("rcp denies", ("rcp",), {**HAVE, **rcps(stops())}),
    Denial("rcp outside the organization", ("rcp",), {"key_policy": PARTNER_IN, **HAVE, "rcps": (
        (named(Layer.RCP, everyone("*"), stops("kms:*", Condition=OUTSIDE)),),)}, caller=PARTNER),
    Denial("rcp for a service", ("rcp",),
           {"key_policy": key_policy({**gives(), "Principal": {"Service": SERVICE}}), **rcps(stops())},
           caller=SERVICE),
    Denial("rcp lacks at a level", ("rcp",), {**HAVE, **rcps(everyone("*"), everyone("s3:*"))}),
    Denial("rcp and endpoint", ("rcp", "endpoint"), {**HAVE, **rcps(stops()), **endpoint(stops())},
           context=VPCE),
    Denial("rcp and boundary", ("rcp", "boundary"), {**HAVE, **rcps(stops()), **boundary(S3)}),
    Denial("rcp and partner not let in", ("rcp", "key-policy"), {**HAVE, **rcps(stops())}, caller=PARTNER),
    # Other actions, with real cryptography behind the proof
    Denial("Encrypt in a context", ("identity",), NOTHING, ANY, action="kms:Encrypt", context=TABLE),
    Denial("data key through S3", ("identity",), {"identity": iam(gives("kms:Encrypt"))}, ANY,
           action="kms:GenerateDataKey", context={"kms:ViaService": "s3.us-east-1.amazonaws.com", **TABLE}),
    Denial("only through S3", ("identity",), {"key_policy": key_policy(
        at_key(ROLE, Condition=VIA_S3))}, ANY, context={"kms:ViaService": "rds.us-east-1.amazonaws.com"}),
    Denial("Sign", ("identity",), NOTHING, ANY, action="kms:Sign"),
    Denial("VerifyMac", ("identity",), NOTHING, ANY, action="kms:VerifyMac"),
    Denial("PutKeyPolicy", ("identity",), NOTHING, frozenset({"key-policy", "identity"}),
           action="kms:PutKeyPolicy"),
    Denial("ScheduleKeyDeletion", ("identity",), NOTHING, frozenset({"key-policy", "identity"}),
           action="kms:ScheduleKeyDeletion"),
)  # fmt: skip
