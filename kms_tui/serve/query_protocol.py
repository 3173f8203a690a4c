"""AWS's query protocol, as STS speaks it: a form in, by the shapes of botocore's model, and XML out.

The refusals have the words of STS. Unknown members of a form count as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from kms_tui.backend.service_model import sts_model
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.http_messages import XML, HttpRequest, HttpResponse

FORM = "application/x-www-form-urlencoded"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_VERSION = "2011-06-15"
_MAX_FIELDS = 180
_MAX_PROBLEMS = 10

_ERRORS: Mapping[str, tuple[str, int]] = {
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "AccessDeniedException": ("AccessDenied", 403),
    "ThrottlingException": ("Throttling", 400),
}
"""Error codes of the JSON protocol -> code and HTTP status of the query protocol (STS's common errors)."""


class QueryCall(NamedTuple):
    """What a form asks for. Its fields may be tokens, so they are not in the repr."""

    action: str
    version: str
    fields: Mapping[str, str]

    def __repr__(self) -> str:
        return f"QueryCall({self.action})"


def is_query(request: HttpRequest) -> bool:
    """Whether the request speaks the query protocol: a form, or a GET that names an action."""
    if "x-amz-target" in request.headers:
        return False
    if request.method == "POST":
        return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    return "Action=" in request.query


def query_call(request: HttpRequest) -> QueryCall:
    """What the form or the query asks for; MalformedQueryString for a form that cannot be read."""
    fields = request.query_parameters()
    if request.method == "POST":
        try:
            fields |= parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError as error:
            raise ServiceError("MalformedQueryString", "The form cannot be read.", status=404) from error
    return QueryCall(fields.get("Action", ""), fields.get("Version", ""), fields)


def require_offered(call: QueryCall, offered: Sequence[str]) -> None:
    """MissingAction where no action is named, InvalidAction for one that is not offered."""
    if not call.action:
        raise ServiceError("MissingAction", "Missing Action")
    if call.version != _VERSION or call.action not in sts_model()["operations"]:
        raise ServiceError(
            "InvalidAction",
            f"Could not find operation {call.action} for version {call.version or 'NO_VERSION_SPECIFIED'}",
        )
    if call.action not in offered:
        raise ServiceError("InvalidAction", f"{call.action} is not offered by this STS.")


def parameters(call: QueryCall) -> dict[str, Any]:
    """The parameters of an action in botocore's shapes. Raises ValidationError with all that is wrong."""
    operation = sts_model()["operations"][call.action]
    problems: list[str] = []
    tree = _tree(call.fields)
    found: dict[str, Any] = (
        _structure(_shape(operation["input"]["shape"]), tree, "", problems) if ("input" in operation) else {}
    )
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise ServiceError("ValidationError", f"{count}: {'; '.join(problems[:_MAX_PROBLEMS])}")
    return found


def _tree(fields: Mapping[str, str]) -> dict[str, Any]:
    """Fields by the parts of their names: "Tags.member.1.Key" is nested four deep."""
    tree: dict[str, Any] = {}
    for name, value in fields.items():
        *parents, last = name.split(".")[:8]
        at = tree
        for parent in parents:
            inner = at.setdefault(parent, {})
            if not isinstance(inner, dict):
                inner = at[parent] = {}
            at = inner
        at[last] = value
    return tree


def _shape(name: str) -> Mapping[str, Any]:
    shape: Mapping[str, Any] = sts_model()["shapes"][name]
    return shape


def _camel(member: str) -> str:
    return member[0].lower() + member[1:]


def _structure(shape: Mapping[str, Any], tree: Any, path: str, problems: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, reference in shape["members"].items():
        place = f"{path}.{_camel(name)}" if path else _camel(name)
        member = _shape(reference["shape"])
        if isinstance(tree, dict) and name in tree:
            found[name] = _READERS[member["type"]](member, tree[name], place, problems)
        elif name in shape.get("required", ()):
            said = "" if member.get("sensitive") else " null"
            problems.append(f"Value{said} at '{place}' failed to satisfy constraint: Member must not be null")
    return found


def _list(shape: Mapping[str, Any], tree: Any, path: str, problems: list[str]) -> list[Any]:
    members = tree.get("member") if isinstance(tree, dict) else None
    numbered = {
        int(number): value
        for number, value in (members.items() if isinstance(members, dict) else ())
        if number.isascii() and number.isdigit() and len(number) < 6
    }
    if len(numbered) > shape.get("max", len(numbered)):
        problems.append(_failed(None, path, f"Member must have length less than or equal to {shape['max']}"))
        return []
    inner = _shape(shape["member"]["shape"])
    return [
        _READERS[inner["type"]](inner, numbered[number], f"{path}.{place}.member", problems)
        for place, number in enumerate(sorted(numbered), 1)
    ]


def _string(shape: Mapping[str, Any], value: Any, path: str, problems: list[str]) -> str:
    text = value if isinstance(value, str) else ""
    shown = None if shape.get("sensitive") else text
    if "max" in shape and len(text) > shape["max"]:
        constraint = f"Member must have length less than or equal to {shape['max']}"
        problems.append(_failed(shown, path, constraint))
    if len(text) < shape.get("min", 0):
        constraint = f"Member must have length greater than or equal to {shape['min']}"
        problems.append(_failed(shown, path, constraint))
    pattern = shape.get("pattern")
    if pattern is not None and not _compiled(pattern).fullmatch(text):
        constraint = f"Member must satisfy regular expression pattern: {pattern}"
        problems.append(_failed(shown, path, constraint))
    return text


def _integer(shape: Mapping[str, Any], value: Any, path: str, problems: list[str]) -> int:
    text = value if isinstance(value, str) else ""
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        problems.append(_failed(text, path, "Member must be an integer"))
        return 0
    number = int(text)
    if number > shape.get("max", number):
        problems.append(_failed(text, path, f"Member must have value less than or equal to {shape['max']}"))
    if number < shape.get("min", number):
        constraint = f"Member must have value greater than or equal to {shape['min']}"
        problems.append(_failed(text, path, constraint))
    return number


_Reader = Callable[[Mapping[str, Any], Any, str, list[str]], Any]
_READERS: Mapping[str, _Reader] = {
    "structure": _structure,
    "list": _list,
    "string": _string,
    "integer": _integer,
}


def _failed(value: str | None, path: str, constraint: str) -> str:
    shown = "Value" if value is None else f"Value '{value}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    r"""A pattern of the model for Python's ``re``, which lacks \p{L} and the like."""
    if r"\p{" in pattern:
        return re.compile(pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w \u00a0\u2000-\u200a\u3000"))
    return re.compile(pattern, re.ASCII)


# Answers


def answer(action: str, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    """The result of an action, as XML."""
    return _xml(
        200,
        f'<{action}Response xmlns="{_NAMESPACE}">\n'
        f"  <{action}Result>\n{_elements(result, 4)}  </{action}Result>\n"
        f"  <ResponseMetadata>\n    <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n"
        f"</{action}Response>\n",
    )


def _elements(result: Mapping[str, Any], indent: int) -> str:
    """The members of a structure: structures, texts, numbers and moments."""
    space = " " * indent
    lines = []
    for name, value in result.items():
        if isinstance(value, Mapping):
            lines.append(f"{space}<{name}>\n{_elements(value, indent + 2)}{space}</{name}>\n")
        else:
            lines.append(f"{space}<{name}>{escape(_printable(_text(value)))}</{name}>\n")
    return "".join(lines)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def refusal(error: ServiceError, request_id: str) -> HttpResponse:
    """An error in the query protocol's form and code."""
    code, status = _ERRORS.get(error.code, (error.code, error.status))
    return _xml(
        status,
        f'<ErrorResponse xmlns="{_NAMESPACE}">\n'
        f"  <Error>\n    <Type>{'Receiver' if status >= 500 else 'Sender'}</Type>\n"
        f"    <Code>{escape(code)}</Code>\n    <Message>{escape(_printable(error.message))}</Message>\n"
        "  </Error>\n"
        f"  <RequestId>{request_id}</RequestId>\n"
        "</ErrorResponse>\n",
    )


def _printable(text: str) -> str:
    """Without the control characters that XML 1.0 cannot hold."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _xml(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, text.encode(errors="replace"), XML)
