"""Reads a pasted error message: who was denied what on which key, and by which kind of policy.

Source: the IAM user guide (troubleshoot_access-denied) for the wording, with the denying policy's ARN since
January 2026; the KMS developer guide for ``this ciphertext``. Nothing here raises, whatever the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from kms_tui.denials.message_kinds import KINDS, MessageKind
from kms_tui.denials.pasted_message import GAPS, MAX_MESSAGE, Excerpt, cleaned, loose, without_prefixes
from kms_tui.kms.operations import ROWS
from kms_tui.policy.actions import ACTIONS, find
from kms_tui.policy.layers import Layer


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """What a text says; None where it does not say. ``resource`` is as written: a key or alias ARN, or ``*``.

    ``notes`` are sentences about what could not be read, ``more`` counts further denials in the same text,
    ``encoded`` is the part that sts:DecodeAuthorizationMessage opens. ``context`` has condition keys and
    their values, which only an event or a decoded message tells.
    """

    kind: MessageKind
    principal: str | None = None
    action: str | None = None
    resource: str | None = None
    layer: Layer | None = None
    explicit: bool | None = None
    policy_arn: str | None = None
    notes: tuple[str, ...] = ()
    more: int = 0
    encoded: str | None = None
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    authorization_id: str | None = None

    @property
    def is_denial(self) -> bool:
        """Whether it says, or may say, that a policy denied a KMS request."""
        return self.kind in (MessageKind.DENIED, MessageKind.HIDDEN)

    def as_dict(self) -> dict[str, str | bool | None]:
        """The members of ``denial`` in the JSON answer."""
        return {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "layer": self.layer.value if self.layer else None,
            "explicit": self.explicit,
            "policy_arn": self.policy_arn,
        }


_DENIED = loose("not authorized to perform")
_ENCODED = loose("encoded authorization failure message")
_AUTHORIZATION_ID = re.compile(r"authorization[ -]?id[\"'` :=(]{1,6}([0-9a-z]{8,256})\b", re.IGNORECASE)
_DENIED_ACCESS = loose("not authorized to access this resource")
_OF_KMS = re.compile(rf"[:\"'`*{GAPS}]{{0,8}}{loose('kms:').pattern}", re.IGNORECASE)
_IS = re.compile(f"[{GAPS}]?i[{GAPS}]?s[{GAPS}]?\\Z", re.IGNORECASE)
_USER = loose("user:")
_ARN_START = loose("arn:")
_BEFORE, _AFTER = 2600, 4000
"""How much text beside "not authorized to perform" is read: names have limits."""
_MOST_DENIALS = 200
"""How many denials of one text are told apart: those of KMS, where there are some."""

_QUOTES = "\"'`“”‘’«»*,;()[]{}<>"
_AROUND = _QUOTES.replace("*", "") + GAPS + ":"
_JOINT = re.compile(
    r"on(?:the|this)?resource(?:s|\(s\))?:?|because(?:no|the|of|an)|with(?:an)?explicitdeny", re.IGNORECASE
)
_ON = re.compile(r"on(?P<which>the|this)?resource(?:s|\(s\))?:?", re.IGNORECASE)
_REASON = re.compile(r"because(?:no|the|of|an)|with(?:an)?explicitdeny", re.IGNORECASE)
_ACTION = re.compile(r"[a-z][a-z0-9-]{0,60}:[a-z0-9*]{1,128}\Z", re.IGNORECASE)
_ACTION_START = re.compile(
    rf"[{re.escape(_QUOTES + GAPS)}:]{{0,8}}([a-z][a-z0-9-]{{0,60}}:[A-Za-z0-9*]{{1,128}})"
)
_LONGEST_FIRST = sorted(ACTIONS, key=len, reverse=True)
_KEY_ARN = re.compile(
    r"arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/"
    r"(?:mrk-[0-9a-f]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
)
_WHOLE_KEY = re.compile(
    rf"(?:{_KEY_ARN.pattern}|arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{{12}}:alias/[A-Za-z0-9:/_-]+)\Z"
)
_IN_ARN = "A-Za-z0-9:/_.*+=,@$#~-"
_WHOLE_RESOURCE = re.compile(f"[{_IN_ARN}]{{1,2100}}\\Z")
_WORD = re.compile(f"[{re.escape(_QUOTES)}]{{0,4}}([^{re.escape(_QUOTES + GAPS)}\\\\|│]{{1,2100}}|\\*)")
_CUT = re.compile(r"(?:\.\.+|…)\Z")
_CUT_KEY = re.compile(r"arn:[^:]*:kms:[^:]*:[^:]*:key/(?:[0-9a-fA-F-]{0,35}|mrk-[0-9a-f]{0,31})\Z")

_LAYERS: Mapping[str, Layer] = {
    "identitybased": Layer.IDENTITY,
    "resourcebased": Layer.KEY_POLICY,
    "keypolicy": Layer.KEY_POLICY,
    "session": Layer.SESSION,
    "permissionsboundary": Layer.BOUNDARY,
    "permissionboundary": Layer.BOUNDARY,
    "vpcendpoint": Layer.ENDPOINT,
    "servicecontrol": Layer.SCP,
    "resourcecontrol": Layer.RCP,
    "grant": Layer.GRANT,
}
"""AWS's words for a kind of policy, without white space and hyphens -> the layer."""
_LAYER_WORDS = "|".join(_LAYERS).replace("based", "-?based")
_IMPLICIT = re.compile(rf"becauseno({_LAYER_WORDS})(?:polic(?:y|ies))?(?:allows?)?", re.IGNORECASE)
_EXPLICIT = re.compile(
    rf"explicitdenyin(?:an?|the|your)?({_LAYER_WORDS})(?:polic(?:y|ies))?[:\s\"'`(\[]*", re.IGNORECASE
)
_EXPLICIT_ALONE = re.compile(r"with(?:an)?explicitdeny|explicitlydenies|explicitlydenied", re.IGNORECASE)
_THREE_CAUSES = re.compile(r"becausetheresourcedoesnotexistinthisregion", re.IGNORECASE)
_POLICY_PART = re.compile(f"([{_IN_ARN}]{{1,2000}})")
_END_OF_ARN = re.compile(f"([{_IN_ARN}]{{1,300}})(?=[\"'`)\\]}}<>;\f”’]|\\Z)")
_WHOLE_POLICY_ARN = re.compile(
    r"arn:[a-z0-9-]+:(?:iam::(?:[0-9]{12}|aws):[a-z]+/.+"
    r"|organizations::(?:[0-9]{12}|aws):policy/(?:o-[a-z0-9]+/)?[a-z_]+_policy/p-[A-Za-z0-9]{8,128}"
    r"|(?!organizations)[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.*/.+)\Z"
)
_TRAILING = ".,:;"

_OPERATION = (
    re.compile(r"whencallingthe([A-Za-z]{3,60}?)operation"),
    re.compile(r"operationerrorKMS:([A-Za-z]{3,60}?)(?=,|:|$)"),
    re.compile(r"[Ee]rrorexecuting[\"'`]*([A-Za-z]{3,60})[\"'`]+on[\"'`]*https://kms"),
    re.compile(r"K(?:MS|ms)(?:Async)?Client\.(?:execute|lambda\$)?([A-Za-z]{3,60})[($]"),
    re.compile(r"de_([A-Za-z]{3,60}?)Command(?:Error)?\("),
    re.compile(r"KeyManagementServiceClient\.([A-Za-z]{3,60}?)(?:Async)?\("),
    re.compile(r"aws_sdk_kms::operation::([a-z_]{3,60})::"),
)
"""How SDKs name the operation, without white space: botocore and the AWS CLI, Go, PHP; in stack traces, Java,
JavaScript, .NET and Rust.
"""
_BY_METHOD = {name.lower(): name for name in ROWS}
"""An operation in lower case, as methods are named -> the operation."""
_ASKS_FOR = {"ReEncrypt": "kms:ReEncryptFrom"}
"""The operation without an action of its own -> the action for the ciphertext's key."""


def read_message(text: str) -> ErrorMessage:
    """What the first denial in a text says, or else its first error; one of KMS before others."""
    said = _read(text)
    if said.kind is not MessageKind.DENIED or "\n" not in text:
        return said
    bare = without_prefixes(text)
    other = _read(bare) if bare != text else said
    if other.principal is None or not _is_whole(other.resource) or find(other.action or "") is None:
        return said
    is_better = not _is_whole(said.resource) or (said.principal or "").startswith(other.principal)
    is_same = said.action == other.action or find(said.action or "") is None
    return other if is_better and is_same else said


def _is_whole(resource: str | None) -> bool:
    return _WHOLE_KEY.match(resource or "") is not None


def _read(text: str) -> ErrorMessage:
    clean = cleaned(text)
    notes = (f"Only the first {MAX_MESSAGE:,} characters were read.",) if len(text) > MAX_MESSAGE else ()
    places = [(found.start(), found.end()) for found in _DENIED.finditer(clean)]
    if not places:
        return _other_error(clean, notes)
    places = ([place for place in places if _OF_KMS.match(clean, place[1])] or places)[:_MOST_DENIALS]
    ends = [*(start for start, _ in places[1:]), len(clean)]
    starts = [0, *(end for _, end in places)]
    found = [
        _denial(clean[max(before, start - _BEFORE) : start], clean[end : min(until, end + _AFTER)])
        for before, (start, end), until in zip(starts, places, ends, strict=False)
    ]
    first = found[0]
    if first.principal is None and first.action is None:
        return _other_error(clean, notes)
    others = {(each.principal, each.action, each.resource) for each in found}
    return ErrorMessage(
        first.kind,
        first.principal,
        first.action,
        first.resource,
        first.layer,
        first.explicit,
        first.policy_arn,
        (*first.notes, *notes),
        len(others) - 1,
        _encoded(clean),
        authorization_id=_authorization_id(clean),
    )


def _denial(before: str, after: str) -> ErrorMessage:
    """The denial whose "not authorized to perform" stands between two texts."""
    notes: list[str] = []
    principal = _principal(before, notes)
    excerpt = Excerpt(after)
    action, rest = _action(excerpt, notes)
    if action is None and not notes:
        notes.append("The message names no action.")
    resource, rest = _resource(excerpt, rest, notes)
    layer, explicit, policy_arn = _reason(excerpt, rest, notes)
    of_kms = action is None or action.lower().startswith("kms:")
    kind = MessageKind.DENIED if of_kms else MessageKind.OTHER_SERVICE
    return ErrorMessage(kind, principal, action, resource, layer, explicit, policy_arn, tuple(notes))


def _principal(before: str, notes: list[str]) -> str | None:
    said = _IS.sub("", before)
    label = _last(_USER, said)
    if label is not None:
        name = _name(said[label.end() :])
    else:
        arn = _last(_ARN_START, said)
        name = _name(said[arn.start() :]) if arn is not None else ""
        if " " in name:
            name = ""
    if not name:
        notes.append("The beginning of the message is missing: it names no principal.")
        return None
    if _CUT.search(name):
        notes.append(f"The principal is cut off: {name}")
        return None
    return name


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)


def _name(text: str) -> str:
    """A principal without the line breaks in it; a space stays only in the name of a session or user."""
    name = _bare(text.replace("\n", "").replace("\f", ""))
    if name.startswith("arn:") and " " in name:
        head = name.split(" ", 1)[0]
        if head.count(":") < 5 or (":assumed-role/" in head and head.count("/") < 2):
            return name.replace(" ", "")
    return name


def _bare(text: str) -> str:
    """A name without the quotes, brackets and Markdown around it; one that ends in ``*`` keeps it."""
    bare = text.strip(_AROUND)
    return bare.strip("*" + _AROUND) if bare.startswith("**") and bare.strip("*") else bare


def _action(excerpt: Excerpt, notes: list[str]) -> tuple[str | None, int]:
    """The action, and where the text after it begins in ``packed``."""
    packed = excerpt.packed
    joint = _JOINT.search(packed, 0, 240)
    start = _ACTION_START.match(excerpt.text)
    if joint is not None:
        said = excerpt.between(0, joint.start())
        name = "".join(said.split()).strip(_QUOTES + ":")
        whole = _ACTION.match(name) is not None
        if whole and (find(name) is not None or " " not in said.strip(_QUOTES + GAPS + ":")):
            return _canonical(name), joint.start()
    if start is None:
        return None, joint.start() if joint else 0
    word = start[1]
    if find(word) is None and start.end() == len(excerpt.text) and _begins_known(word):
        notes.append(f"The action is cut off: {word}")
        return None, len(packed)
    begun = len(packed) - len(packed.lstrip(_QUOTES + ":"))
    if find(word) is None:
        # The line broke within the name; what follows it may be glued to it.
        known = next((name for name in _LONGEST_FIRST if packed.startswith(name, begun)), None)
        if known is not None and known.startswith(word):
            return known, begun + len(known)
    return _canonical(word), begun + len(word)


def _begins_known(word: str) -> bool:
    return any(name.startswith(word) for name in ACTIONS)


def _canonical(name: str) -> str:
    known = find(name)
    return known.name if known is not None else name


def _resource(excerpt: Excerpt, rest: int, notes: list[str]) -> tuple[str | None, int]:
    """The resource, and where the text after it begins in ``packed``."""
    packed = excerpt.packed
    on = _ON.match(packed, rest) or _ON.match(packed, _past_quotes(packed, rest))
    if on is None:
        return None, rest
    start = on.end()
    reason = _REASON.search(packed, start, start + 2200)
    if on["which"] or packed[start : start + 12].lower() == "thisresource":
        return None, reason.start() if reason else start
    if reason is not None:
        value = _bare(packed[start : reason.start()])
        spaced = " " in excerpt.between(start, reason.start()).strip(_QUOTES + GAPS)
        if _WHOLE_RESOURCE.match(value) and (not spaced or _KEY_ARN.fullmatch(value)):
            return _whole(value, notes), reason.start()
    key = _KEY_ARN.match(packed, _past_quotes(packed, start))
    if key is not None:
        return key[0], key.end()
    word = _WORD.match(excerpt.since(start))
    value = word[1].rstrip(_TRAILING) if word else ""
    if not value:
        notes.append("The message ends before the key: it is cut off.")
        return None, start
    return _whole(value, notes), start + len(value)


def _past_quotes(packed: str, start: int) -> int:
    while start < len(packed) and packed[start] in _QUOTES and packed[start] != "*":
        start += 1
    return start


def _whole(value: str, notes: list[str]) -> str | None:
    """A resource, or None, with a note, for one that is cut off."""
    cut = _CUT.search(value) or (value.startswith("arn:") and value.count(":") < 5)
    whole_key = _KEY_ARN.fullmatch(value) is not None
    if cut or (not whole_key and _CUT_KEY.match(value)) or "arn:".startswith(value):
        notes.append(f"The key's ARN is cut off: {value}")
        return None
    return value


def _reason(excerpt: Excerpt, rest: int, notes: list[str]) -> tuple[Layer | None, bool | None, str | None]:
    packed = excerpt.packed
    implicit, explicit = _IMPLICIT.search(packed, rest), _EXPLICIT.search(packed, rest)
    if implicit is not None and (explicit is None or implicit.start() < explicit.start()):
        return _layer(implicit[1]), False, None
    if explicit is not None:
        return _layer(explicit[1]), True, _policy_arn(excerpt, explicit.end(), notes)
    if _THREE_CAUSES.search(packed, rest):
        notes.append(
            "AWS names three possible causes to a caller of another account: the key is not in this Region, "
            "its policy does not allow the caller, or its policy has a Deny."
        )
        return None, None, None
    if _EXPLICIT_ALONE.search(packed, rest):
        return None, True, None
    if _REASON.search(packed, rest):
        notes.append("The end of the message is cut off: it does not say which policy.")
    return None, None, None


def _layer(words: str) -> Layer:
    return _LAYERS[words.replace("-", "").lower()]


def _policy_arn(excerpt: Excerpt, start: int, notes: list[str]) -> str | None:
    """The ARN of the denying policy, put together where a line broke in it."""
    text = excerpt.since(start)
    found = _POLICY_PART.match(text)
    if found is None or not excerpt.packed.startswith("arn:", start):
        return None
    arn, end = found[0], found.end()
    while text[end : end + 1] == "\n":
        word = _END_OF_ARN.match(text, end + 1)
        if _WHOLE_POLICY_ARN.match(arn) and (word is None or arn[-1] in _TRAILING):
            break
        word = word or _POLICY_PART.match(text, end + 1)
        if word is None:
            break
        arn, end = arn + word[1], word.end()
    arn = arn.rstrip(_TRAILING)
    if not _WHOLE_POLICY_ARN.match(arn):
        notes.append(f"The ARN of the denying policy is cut off: {arn}")
        return None
    return arn


def _authorization_id(clean: str) -> str | None:
    found = _AUTHORIZATION_ID.search(clean)
    return found[1] if found else None


def _encoded(clean: str) -> str | None:
    found = _ENCODED.search(clean)
    packed = "".join(clean[found.start() :].split()) if found else ""
    said = KINDS[MessageKind.ENCODED].said_in(packed, packed.lower()) if found else None
    return said.get("encoded") if said else None


def _other_error(clean: str, notes: tuple[str, ...]) -> ErrorMessage:
    """A text without "not authorized to perform": the first kind of the table that it holds."""
    packed = "".join(clean.split())
    action = _operation(packed)
    access = _DENIED_ACCESS.search(clean)
    if access is not None:
        more_notes: list[str] = []
        principal = _principal(clean[max(0, access.start() - _BEFORE) : access.start()], more_notes)
        return ErrorMessage(MessageKind.DENIED, principal, action, notes=(*more_notes, *notes))
    folded = packed.lower()
    for row in KINDS.values():
        said = row.said_in(packed, folded)
        if said is not None:
            resource = said.get("resource") or said.get("alias")
            return ErrorMessage(
                row.kind, action=action, resource=resource, notes=notes, encoded=said.get("encoded")
            )
    return ErrorMessage(MessageKind.NOTHING, notes=notes)


def _operation(packed: str) -> str | None:
    """The action of the KMS operation that an SDK names; None for another service's, or none."""
    for name in _operations(packed):
        action = action_for(_BY_METHOD.get(name.replace("_", "").lower(), ""))
        if action is not None:
            return action
    return None


def action_for(operation: str) -> str | None:
    """The action that a KMS operation asks for; None for a name that is no operation of KMS."""
    return _ASKS_FOR.get(operation, f"kms:{operation}") if operation in ROWS else None


def _operations(packed: str) -> Iterator[str]:
    for pattern in _OPERATION:
        yield from (found[1] for found in islice(pattern.finditer(packed), _MOST_DENIALS))
