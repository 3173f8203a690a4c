"""Judges a denial by its layers, wherever they come from: a connection, files, a policy that is not saved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.denials.asked_request import AskedError, AskedRequest, closed_context
from kms_tui.denials.event_message import decoded_by
from kms_tui.denials.explanation import Explanation, explained
from kms_tui.denials.layer_files import LayerFiles, with_files
from kms_tui.denials.layer_reading import read_layers
from kms_tui.denials.message import ErrorMessage
from kms_tui.denials.troubleshooter import troubleshot
from kms_tui.evidence.activity import KeepGoing, always
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.layers import Layer, Layers, read_policy
from kms_tui.policy.role_paths import PRINCIPAL_ARN


class LayerSource(NamedTuple):
    """A connection that layers are read through."""

    kms: Kms
    services: Services | None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked about a request. ``asked`` goes before what the message says; ``files`` before what is
    read. ``key_policy`` is a text in the place of the key's policy, or None.
    """

    message: ErrorMessage | None = None
    asked: AskedRequest = field(default_factory=AskedRequest)
    files: LayerFiles = field(default_factory=LayerFiles)
    key_policy: str | None = None

    @property
    def has_layers(self) -> bool:
        """Whether some layers are given without a connection."""
        return self.key_policy is not None or not self.files.is_empty


def judge(
    inquiry: Inquiry, source: LayerSource | None, notes: tuple[str, ...] = (), keep_going: KeepGoing = always
) -> Explanation:
    """Judge a request by its layers; it blocks.

    A message alone that lacks something, is no denial, or has no layers is explained without them. Raises
    AskedError for a question that cannot be judged, KmsTuiError for files without policies.
    """
    message = inquiry.message
    if message is not None and message.encoded and source is not None:
        message = decoded_by(source.services, message)
    if message is not None and source is not None:
        message = troubleshot(source.services, message)
    if message is not None and not (message.is_denial and (source is not None or inquiry.has_layers)):
        return Explanation(message, notes=notes)
    if source is None and not inquiry.has_layers:
        raise KmsTuiError(
            "There are no policies to judge it by.",
            next_step="Open a connection, or give files (--iam-policy, --scp and the like).",
        )
    asked = inquiry.asked.over(message) if message is not None else inquiry.asked
    try:
        return _judged(replace(inquiry, message=message, asked=asked), source, notes, keep_going)
    except AskedError as error:
        if message is None:
            raise
        said = f"The layers were not judged: {error.with_next_step}"
        return Explanation(message, notes=(*notes, said))


def _judged(
    inquiry: Inquiry, source: LayerSource | None, notes: tuple[str, ...], keep_going: KeepGoing
) -> Explanation:
    state = account = ""
    if source is None:
        request = inquiry.asked.request(_unresolved)
        layers = Layers()
    else:
        kms = source.kms
        request = inquiry.asked.request(lambda key: _resolved(kms, key))
        layers, key, role_arn = read_layers(kms, source.services, request, keep_going)
        if role_arn is not None and not request.gives(PRINCIPAL_ARN):
            request = replace(request, context={**request.context, "aws:PrincipalArn": role_arn})
        state, account = key.state if key is not None else "", kms.account_id
    layers = with_files(layers, inquiry.files)
    if inquiry.key_policy is not None:
        policy = read_policy(Layer.KEY_POLICY, "the policy in the editor", inquiry.key_policy)
        layers = replace(layers, key_policy=policy)
    request = closed_context(request, layers)
    return explained(request, layers, inquiry.message, notes, key_state=state, own_account=account)


def _resolved(kms: Kms, key: str) -> str:
    """A key id, alias or alias ARN as the key's ARN."""
    try:
        return kms.describe(key).arn
    except KmsTuiError as error:
        raise AskedError(
            "key", f"{key} was not found: {str(error).rstrip('.')}.", next_step="Give the ARN of the key."
        ) from error


def _unresolved(key: str) -> str:
    raise AskedError("key", f"{key} is no ARN of a key, and there is no connection to look it up.")
