"""The request that is explained: from a message, from flags or fields, or from both.

Source: the KMS developer guide (conditions-kms) for the condition keys of an encryption context, and for
kms:ViaService.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from kms_tui.denials.message import ErrorMessage
from kms_tui.kms.arn import ALIAS_PREFIX, Arn, is_key_id, key_region
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.service_principals import SERVICES
from kms_tui.policy.actions import closest, find, lowered, nearest
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS
from kms_tui.policy.evaluation import AccessRequest, ContextValue
from kms_tui.policy.layers import Layer, Layers
from kms_tui.policy.principals import Caller

ResolveKey = Callable[[str], str]
"""A key id, alias or alias ARN -> the key's ARN; raises KmsTuiError."""
_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn")
_PAIR_KEY = "kms:EncryptionContext:"
_PAIR_KEYS = "kms:EncryptionContextKeys"


class AskedError(KmsTuiError):
    """A request that cannot be judged; ``part`` is principal, action, key, context or via."""

    def __init__(self, part: str, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.part = part


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """A request as it was typed or read. ``pairs`` is the encryption context, None where it is not known.

    ``context`` has other condition keys. With ``complete`` every key that is not given is absent.
    """

    principal: str = ""
    action: str = ""
    key: str = ""
    pairs: Mapping[str, str] | None = None
    via: str = ""
    endpoint: str = ""
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    complete: bool = False

    def over(self, message: ErrorMessage) -> AskedRequest:
        """The same, with what a message says where this says nothing."""
        resource = message.resource if message.resource not in (None, "*") else ""
        return replace(
            self,
            principal=self.principal or message.principal or "",
            action=self.action or message.action or "",
            key=self.key or resource or "",
            context={**message.context, **self.context},
        )

    def request(self, resolve: ResolveKey) -> AccessRequest:
        """The request to judge; raises AskedError, and what ``resolve`` raises for a key that is no ARN."""
        caller, action = _caller(self.principal), _action(self.action)
        known = find(action)
        key_arn = "*" if known is not None and known.iam_only and not self.key else self._key(resolve)
        return AccessRequest(caller, action, key_arn, self._context(key_arn), self.complete)

    def _key(self, resolve: ResolveKey) -> str:
        text = self.key.strip()
        if not text:
            raise AskedError("key", "Nothing says which key it is about.", next_step="Name the key (--key).")
        if is_key_arn(text):
            return text
        return resolve(text)

    def _context(self, key_arn: str) -> dict[str, ContextValue]:
        context = dict(self.context)
        if self.pairs is not None:
            context.update(pairs_context(self.pairs))
        if self.via:
            context["kms:ViaService"] = via_service(self.via, key_arn)
        if self.endpoint:
            context["aws:SourceVpce"] = self.endpoint
        return context


def is_key_arn(text: str) -> bool:
    """Whether a text is the ARN of a KMS key, whole."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        return False
    return arn.service == "kms" and arn.resource.startswith("key/") and is_key_id(arn.resource[4:])


def is_key_reference(text: str) -> bool:
    """Whether KMS would take a text as a key: an id, an alias, or the ARN of either."""
    return is_key_arn(text) or is_key_id(text) or text.startswith(ALIAS_PREFIX) or ":alias/" in text


def pairs_context(pairs: Mapping[str, str]) -> dict[str, ContextValue]:
    """The condition keys of an encryption context."""
    context: dict[str, ContextValue] = {f"{_PAIR_KEY}{name}": value for name, value in pairs.items()}
    return context | {_PAIR_KEYS: tuple(pairs)} if pairs else {_PAIR_KEYS: None}


def via_service(name: str, key_arn: str) -> str:
    """The value of kms:ViaService for a service's short name; a whole value stays.

    Raises AskedError for a short name of no service that is known; a new one can be given whole.
    """
    lower = lowered(name)
    if lower.endswith(_SUFFIXES):
        return name
    region = key_region(key_arn)
    if lower not in SERVICES:
        meant = closest(lower, {each: each for each in sorted(SERVICES)}, 2)
        raise AskedError(
            "via",
            f"No service {name} is known" + (f"; is {meant} meant?" if meant else "."),
            next_step=f"A whole value is taken as it is: {name}.{region or 'REGION'}.amazonaws.com, say.",
        )
    if not region:
        raise AskedError("via", f"kms:ViaService names a Region as well: give {name}.REGION.amazonaws.com.")
    return f"{lower}.{region}.amazonaws.com"


def closed_context(request: AccessRequest, layers: Layers) -> AccessRequest:
    """The request, whose encryption context is known, with every other pair that a policy asks for absent."""
    if ENCRYPTION_CONTEXT_KEYS not in {lowered(key) for key in request.context}:
        return request
    asked = {
        test.key
        for layer in Layer
        for policy in layers.policies(layer)
        for statement in policy.document.statements
        for test in statement.conditions
        if test.key.startswith(ENCRYPTION_CONTEXT)
    }
    absent: dict[str, ContextValue] = dict.fromkeys(asked - request.known.keys())
    return replace(request, context={**request.context, **absent}) if absent else request


def _caller(text: str) -> Caller:
    if not text.strip():
        raise AskedError(
            "principal",
            "The message does not say who was denied.",
            next_step="Name the caller (--principal).",
        )
    try:
        return Caller.parse(text.strip())
    except ValueError as error:
        raise AskedError(
            "principal",
            f"{text.strip()} is no principal that can call KMS: give the ARN of a user, role or session, an "
            "account id, or a service.",
        ) from error


def _action(text: str) -> str:
    name = text.strip()
    if not name:
        raise AskedError(
            "action", "The message does not say what was denied.", next_step="Name it: --action kms:Decrypt."
        )
    name = name if ":" in name else f"kms:{name}"
    found = find(name)
    if found is not None:
        return found.name
    near = nearest(name)
    raise AskedError("action", f"KMS has no action {name}." + (f" Is {near} meant?" if near else ""))
