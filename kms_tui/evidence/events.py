"""One CloudTrail event about a key: who, what, when, from where, and how it ended.

Any part of an event may be missing, of another type, or hostile: nothing here raises for it, and all of it is
untrusted text. Source: the CloudTrail user guide (cloudtrail-event-reference-record-contents,
…-user-identity).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from kms_tui.inventory.filters.syntax import Term, split
from kms_tui.kms.operations import CRYPTOGRAPHIC, READING

DISABLED = "DisabledException"
RESULT_WORDS: Mapping[str, str] = {
    "AccessDenied": "denied",
    "AccessDeniedException": "denied",
    DISABLED: "key disabled",
    "DryRunOperationException": "dry run",
    "IncorrectKeyException": "wrong key",
    "InvalidCiphertextException": "bad ciphertext",
    "InvalidKeyUsageException": "wrong usage",
    "KMSInvalidMacException": "bad MAC",
    "KMSInvalidSignatureException": "bad signature",
    "KMSInvalidStateException": "wrong state",
    "KeyUnavailableException": "unavailable",
    "LimitExceededException": "over a limit",
    "NotFoundException": "not found",
    "ThrottlingException": "throttled",
    "ValidationException": "bad request",
}
"""Error code -> a word or two; any other code is shown as it is."""


class Purpose(Enum):
    """The purpose of a call."""

    USE = "use"
    CHANGE = "change"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One call; parts that the event lacks are "", empty or None.

    ``who`` is short ("app", "account 444455556666"), ``principal`` the longest form in the event (an ARN).
    ``is_readable`` is False if the event's record could not be read: the call's result is then not known.
    """

    event_id: str
    time: datetime | None
    operation: str
    who: str
    principal: str
    address: str
    agent: str
    error: str
    message: str
    context: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    """ARNs of the keys in the event."""
    is_readable: bool
    text: str = field(repr=False, compare=False)
    """The event's own record: JSON, or the text in its place."""
    search_text: str = field(repr=False, compare=False)
    """The text that a filter's words are searched in, in lower case."""

    @property
    def key(self) -> str:
        """Its identity: the event id, or else the whole record."""
        return self.event_id or self.text

    @property
    def is_refused(self) -> bool:
        return bool(self.error) and self.error != "DryRunOperationException"

    @property
    def purpose(self) -> Purpose:
        if self.operation in CRYPTOGRAPHIC:
            return Purpose.USE
        return Purpose.LOOK if self.operation in READING else Purpose.CHANGE

    @property
    def result(self) -> str:
        """The outcome in words."""
        return _result(self.error, self.is_readable)

    @property
    def raw(self) -> str:
        """The record as indented JSON; other text unchanged."""
        try:
            return json.dumps(json.loads(self.text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.text

    def names(self, arn: str) -> bool:
        """Whether it is about a key: by its resources, or by its error message, which begins with the ARN."""
        return arn in self.keys or self.message.startswith(f"{arn} ")


def usage_event(entry: Mapping[str, Any]) -> UsageEvent:
    """An entry of LookupEvents' ``Events``."""
    text = text_of(entry.get("CloudTrailEvent"))
    record, is_readable = _record(text)
    operation = text_of(record.get("eventName")) or text_of(entry.get("EventName"))
    who, principal = _who(mapping_of(record.get("userIdentity")), text_of(entry.get("Username")))
    address, agent = text_of(record.get("sourceIPAddress")), text_of(record.get("userAgent"))
    error, message = text_of(record.get("errorCode")), text_of(record.get("errorMessage"))
    context = tuple(_context(mapping_of(record.get("requestParameters"))))
    parts = (
        who,
        principal,
        operation,
        address,
        agent,
        error,
        message,
        _result(error, is_readable),
        "refused" if error else "allowed" if is_readable else "",
        *(f"{name}={value}" for name, value in context),
    )
    return UsageEvent(
        text_of(entry.get("EventId")) or text_of(record.get("eventID")),
        time_of(entry.get("EventTime")) or time_of(record.get("eventTime")),
        operation or "?",
        who,
        principal,
        address,
        agent,
        error,
        message,
        context,
        tuple(dict.fromkeys(_keys(entry, record))),
        is_readable,
        text or json.dumps(entry, default=str),
        "\n".join(parts).lower(),
    )


def _result(error: str, is_readable: bool) -> str:
    if error:
        return RESULT_WORDS.get(error, error)
    return "allowed" if is_readable else "not known"


def _record(text: str) -> tuple[Mapping[str, Any], bool]:
    """The event's record, and whether its text is JSON."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return {}, False
    return (record, True) if isinstance(record, dict) else ({}, False)


def _who(identity: Mapping[str, Any], user_name: str) -> tuple[str, str]:
    """The caller's short name and its longest one."""
    issuer = mapping_of(mapping_of(identity.get("sessionContext")).get("sessionIssuer"))
    arn, account = text_of(identity.get("arn")), text_of(identity.get("accountId"))
    service = text_of(identity.get("invokedBy"))
    kind = text_of(identity.get("type"))
    if kind == "AWSService":
        return service or user_name or "an AWS service", service or arn
    if kind == "AWSAccount":
        return f"account {account or '?'}", arn or account
    if kind == "Root":
        return "root", arn or account
    name = text_of(issuer.get("userName")) or text_of(identity.get("userName")) or _name_in(arn)
    return name or user_name or service or "?", arn or text_of(identity.get("principalId")) or user_name


def _name_in(arn: str) -> str:
    """The role of a session's ARN, or the last part of a user's or role's."""
    resource = arn.split(":", 5)[-1] if arn.startswith("arn:") else ""
    parts = resource.split("/")
    return parts[1] if parts[0] == "assumed-role" and len(parts) > 1 else parts[-1]


def _context(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The encryption context; for ReEncrypt, of both sides."""
    for member, pairs in request.items():
        if member.lower().endswith("encryptioncontext"):
            yield from ((str(name), text_of(value)) for name, value in mapping_of(pairs).items())


def _keys(entry: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    for resources, member in ((entry.get("Resources"), "ResourceName"), (record.get("resources"), "ARN")):
        for resource in resources if isinstance(resources, list) else ():
            name = text_of(mapping_of(resource).get(member))
            if ":key/" in name:
                yield name


def time_of(value: Any) -> datetime | None:
    """A moment, or its ISO text; None for anything else, UTC where it names no zone."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def mapping_of(value: Any) -> Mapping[str, Any]:
    """A mapping as it is; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str:
    """A text or a number as text; "" for anything else."""
    if type(value) is str:  # ten million times in a trail's files
        return value
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


# The filter language is that of the key list: blanks mean and, ``-`` means not, quotes hold words together.
# A term with any other field is searched for as text.

FIELDS: Mapping[str, Callable[[UsageEvent], str]] = {
    "who": lambda event: f"{event.who} {event.principal}",
    "op": lambda event: event.operation,
    "result": lambda event: f"{event.result} {event.error} {'refused' if event.is_refused else 'allowed'}",
    "from": lambda event: f"{event.address} {event.agent}",
    "context": lambda event: " ".join(f"{name}={value}" for name, value in event.context),
}


def matching(text: str, events: Iterable[UsageEvent]) -> list[UsageEvent]:
    """The events that match a filter, in their order."""
    left = list(events)
    for term in split(text):
        left = [event for event in left if _holds(term, event)]
    return left


def _holds(term: Term, event: UsageEvent) -> bool:
    field = FIELDS.get(term.field)
    if field is not None:
        found = term.value.lower() in field(event).lower()
    else:
        wanted = f"{term.field}:{term.value}" if term.field else term.value
        found = wanted.lower() in event.search_text
    return found is not term.negated
