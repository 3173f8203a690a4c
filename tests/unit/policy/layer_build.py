"""Layers for tests: everything allowed, unless said otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from kms_tui.kms.model import Grant
from kms_tui.policy import AccessRequest, Caller
from kms_tui.policy.authorization import Authorization, authorize_request
from kms_tui.policy.layers import UNLIMITED, Layer, Layers, Levels, NamedPolicy, Policies, read_policy
from tests.unit.policy.build import ACCOUNT, Shape, with_root

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/job-17"
USER = f"arn:aws:iam::{ACCOUNT}:user/ada"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForRDS"
LINKED_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForRDS/rds"
PARTNER = "arn:aws:iam::444455556666:role/partner"
PARTNER_ROOT = "arn:aws:iam::444455556666:root"
SERVICE = "logs.us-east-1.amazonaws.com"


def gives(action: Any = "kms:*", effect: str = "Allow", **extra: Any) -> Shape:
    """A statement without a principal."""
    return {"Effect": effect, "Action": action, "Resource": "*", **extra}


def everyone(action: Any = "kms:*", effect: str = "Allow", **extra: Any) -> Shape:
    """A statement of a resource control or endpoint policy."""
    return {**gives(action, effect, **extra), "Principal": "*"}


def named(layer: Layer, *statements: Shape, name: str = "") -> NamedPolicy:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    found = read_policy(layer, name or f"the {layer}", text)
    assert found.document.is_valid, found.document.problems
    return found


def iam(*statements: Shape) -> Policies:
    return (named(Layer.IDENTITY, *statements),)


def levels(layer: Layer, *each: Shape) -> Levels:
    """One policy a level, of one statement."""
    return tuple((named(layer, statement, name=f"level {n}"),) for n, statement in enumerate(each, 1))


def key_policy(*statements: Shape) -> NamedPolicy:
    return read_policy(Layer.KEY_POLICY, "key policy", with_root(*statements))


def grant(grantee: str = ROLE, *operations: str, **constraints: Any) -> Grant:
    return Grant("g1", KEY, grantee, operations or ("Decrypt",), constraints=constraints)


def layers(**changes: Any) -> Layers:
    """The root statement alone, no grant, nobody limited, and no identity policy."""
    return replace(UNLIMITED, **{"key_policy": key_policy(), "grants": (), **changes})


def judged(
    changed: Layers, caller: str = SESSION, action: str = "kms:Decrypt", complete: bool = True, **context: Any
) -> Authorization:
    """Judge a request; names of condition keys have __ for their colons and ___ for their slashes."""
    known = {key.replace("___", "/").replace("__", ":"): value for key, value in context.items()}
    return authorize_request(AccessRequest(Caller.parse(caller), action, KEY, known, complete), changed)


def told(found: Authorization) -> tuple[str, ...]:
    """The outcome, and for another than allow the decisive layer and the further ones."""
    layer = (found.decisive.layer.value,) if found.decisive else ()
    return (found.outcome.value, *layer, *(step.layer.value for step in found.also))
