"""STS GetCallerIdentity: AWS's query protocol, a form in and XML out."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.serve.http_messages import XML, HttpRequest, HttpResponse

FORM = "application/x-www-form-urlencoded"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_VERSION = "2011-06-15"
_MAX_FIELDS = 100

_QUERY_ERRORS: Mapping[str, tuple[str, int]] = {
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ThrottlingException": ("Throttling", 400),
}
"""Error codes of the JSON protocol -> code and HTTP status of the query protocol (STS's common errors)."""


def is_query(request: HttpRequest) -> bool:
    """Whether the request speaks the query protocol: a form, or a GET that names an action."""
    if "x-amz-target" in request.headers:
        return False
    if request.method == "POST":
        return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    return "Action=" in request.query


def require_known_action(request: HttpRequest) -> None:
    """ServiceError where the form or the query names no action, or one that is not offered."""
    fields = request.query_parameters()
    if request.method == "POST":
        try:
            fields |= parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError as error:
            raise ServiceError("MalformedQueryString", "The form cannot be read.", status=404) from error
    action, version = fields.get("Action", ""), fields.get("Version", "")
    if not action:
        raise ServiceError("MissingAction", "Missing Action")
    if action != "GetCallerIdentity" or version != _VERSION:
        raise ServiceError(
            "InvalidAction",
            f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}",
        )


def identity(caller: CallerIdentity, request_id: str) -> HttpResponse:
    """GetCallerIdentity's answer."""
    return _xml(
        200,
        f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}">\n'
        "  <GetCallerIdentityResult>\n"
        f"    <Arn>{escape(caller.arn)}</Arn>\n"
        f"    <UserId>{escape(caller.user_id)}</UserId>\n"
        f"    <Account>{escape(caller.account)}</Account>\n"
        "  </GetCallerIdentityResult>\n"
        f"  <ResponseMetadata>\n    <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n"
        "</GetCallerIdentityResponse>\n",
    )


def refusal(error: ServiceError, request_id: str) -> HttpResponse:
    """An error in the query protocol's form and code."""
    code, status = _QUERY_ERRORS.get(error.code, (error.code, error.status))
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
