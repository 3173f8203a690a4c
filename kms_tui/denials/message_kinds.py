"""THE table of the errors that AWS sends instead of an answer, besides the denial that names an action.

Source: botocore's KMS service model (errors), the KMS developer guide (key-state), the IAM user guide
(troubleshoot_access-denied), the STS API reference (common errors).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class MessageKind(StrEnum):
    """What a pasted text says."""

    DENIED = "denied"
    OTHER_SERVICE = "denied by another service"
    HIDDEN = "not found, or denied"
    ENCODED = "encoded"
    WITHOUT_REASON = "denied without a reason"
    DISABLED = "key disabled"
    PENDING_DELETION = "key pending deletion"
    PENDING_IMPORT = "key without material"
    KEY_STATE = "key in the wrong state"
    NOT_FOUND = "not found"
    DRY_RUN = "would succeed"
    CREDENTIALS = "credentials not accepted"
    EXPIRED = "credentials expired"
    SIGNATURE = "signature not accepted"
    THROTTLED = "throttled"
    WRONG_KEY = "wrong key"
    CIPHERTEXT = "ciphertext not accepted"
    USAGE = "key of another usage"
    NOTHING = "no error of AWS"


class KindRow(NamedTuple):
    """A kind of message: what it looks like without its white space, and what it says.

    One of ``words`` is in it, in lower case, or what ``pattern`` finds; ``hint`` is in each text in which the
    pattern finds something, which may have the groups ``resource``, ``alias`` and ``encoded``. ``next_step``
    says who can do what.
    """

    kind: MessageKind
    words: tuple[str, ...]
    sentence: str
    next_step: str
    hint: str = ""
    pattern: re.Pattern[str] | None = None

    def said_in(self, packed: str, folded: str) -> Mapping[str, str | None] | None:
        """What a text without white space says of this kind; None for another kind of text.

        ``folded`` is the same text in lower case.
        """
        found = self.pattern.search(packed) if self.pattern and self.hint in folded else None
        if found is not None:
            return found.groupdict()
        return {} if any(word in folded for word in self.words) else None


_ARN = r"arn:[a-z0-9-]{1,20}:kms:[a-z0-9-]{0,30}:[0-9]{0,12}:[A-Za-z0-9:/_-]{1,270}?"
_STATE = rf"(?:(?P<resource>{_ARN})|(?<=[0-9a-f]))is"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_ROWS = (
    KindRow(
        MessageKind.HIDDEN,
        ("kmskeynotaccessible",),
        "AWS does not say which it is: the key does not exist, is in another Region, or the caller may not "
        "use it.",
        "Name the key in the request (KeyId), or ask for one key (--principal, --action, --key).",
        "doesnotexist",
        _pattern(
            r"ciphertextreferstoa(?:customermasterkey|kmskey|key)thatdoesnotexist"
            rf"|specifiedkmskey\[?(?P<resource>{_ARN})\]?doesnotexist,isnotenabled"
        ),
    ),
    KindRow(
        MessageKind.ENCODED,
        (),
        "The message is encoded: sts:DecodeAuthorizationMessage opens it.",
        "Explain it with a connection whose caller may sts:DecodeAuthorizationMessage.",
        "encodedauthorizationfailuremessage",
        _pattern(r"encodedauthorizationfailuremessage:?[\"'`]*(?P<encoded>[A-Za-z0-9_-]{20,10240})"),
    ),
    KindRow(
        MessageKind.DRY_RUN,
        ("requestwouldhavesucceeded", "dryrunoperationexception"),
        "This is no denial: it was a dry run, and the request would have succeeded.",
        "Send it without DryRun.",
    ),
    KindRow(
        MessageKind.PENDING_DELETION,
        (),
        "The key is pending deletion: no policy is in the way, and no policy helps.",
        "Whoever may kms:CancelKeyDeletion and kms:EnableKey on it can bring it back until the date of its "
        "deletion.",
        "ispendingdeletion",
        _pattern(rf"{_STATE}pendingdeletion"),
    ),
    KindRow(
        MessageKind.PENDING_IMPORT,
        (),
        "The key has no key material: it was not imported yet, was deleted, or has expired.",
        "Whoever has the material and may kms:ImportKeyMaterial can import it again.",
        "ispendingimport",
        _pattern(rf"{_STATE}pendingimport"),
    ),
    KindRow(
        MessageKind.DISABLED,
        ("disabledexception",),
        "The key is disabled: no policy is in the way, and no policy helps.",
        "Whoever may kms:EnableKey on it can enable it.",
        "isdisabled",
        _pattern(rf"{_STATE}disabled(?![a-z])"),
    ),
    KindRow(
        MessageKind.KEY_STATE,
        ("kmsinvalidstateexception",),
        "The key is in a state in which KMS refuses this: no policy is in the way.",
        "Look at the key's state; a replica that is made, or a key store that is disconnected, passes.",
        "is",
        _pattern(rf"{_STATE}(?:unavailable|creating|updating|notpendingdeletion)"),
    ),
    KindRow(
        MessageKind.NOT_FOUND,
        (
            "invalidarn",
            "invalidkeyid",
            "(notfoundexception)",
            "model.notfoundexception",
            '"notfoundexception"',
        ),
        "KMS knows no such key or alias here: it was deleted, or is in another Region or account.",
        "Look for the key in the Region of its ARN; a deleted key does not come back.",
        "not",
        _pattern(
            rf"key[\"'`]?(?P<resource>{_ARN}|[0-9a-f-]{{36}}|mrk-[0-9a-f]{{32}})[\"'`]?doesnotexist"
            rf"|alias(?P<alias>{_ARN})isnotfound"
        ),
    ),
    KindRow(
        MessageKind.EXPIRED,
        ("expiredtoken", "tokenincludedintherequestisexpired", "requestexpired", "tokenhasexpired"),
        "The caller's credentials have expired, so AWS looked at no policy.",
        "Sign in again (aws sso login, or a new session of the role).",
    ),
    KindRow(
        MessageKind.SIGNATURE,
        (
            "signaturedoesnotmatch",
            "requestsignaturewecalculated",
            "incompletesignature",
            "invalidsignatureexception",
            "signaturenotyetcurrent",
            "signatureexpired",
        ),
        "AWS did not accept the request's signature, so it looked at no policy.",
        "Check the secret access key, the clock of the machine, and what changes requests on their way.",
    ),
    KindRow(
        MessageKind.CREDENTIALS,
        (
            "unrecognizedclient",
            "invalidclienttokenid",
            "securitytokenincludedintherequestisinvalid",
            "missingauthenticationtoken",
            "unabletolocatecredentials",
            "invalidaccesskeyid",
        ),
        "AWS knows no such credentials, so it looked at no policy.",
        "Check which credentials the program finds; a Region that is not enabled refuses them, too.",
    ),
    KindRow(
        MessageKind.THROTTLED,
        ("throttlingexception", "ratelimitexceeded", "toomanyrequestsexception", "rateexceeded"),
        "KMS was asked too often: the caller was throttled, not denied.",
        "Send it again later; S3 bucket keys and cached data keys save requests.",
    ),
    KindRow(
        MessageKind.WRONG_KEY,
        ("incorrectkeyexception", "doesnotidentifyacmkthatcanperform"),
        "The ciphertext was made with another key than the request names.",
        "Leave the KeyId out, or name the key that encrypted it.",
    ),
    KindRow(
        MessageKind.CIPHERTEXT,
        ("invalidciphertextexception",),
        "KMS cannot open the ciphertext: it was altered or cut, or the encryption context differs.",
        "Send the same encryption context as for the encryption, in every letter.",
    ),
    KindRow(
        MessageKind.USAGE,
        ("invalidkeyusageexception", "whichisnotvalidfor"),
        "The key has another usage than the operation needs.",
        "Use a key of the right usage: a key's usage does not change.",
    ),
    KindRow(
        MessageKind.WITHOUT_REASON,
        ("accessdenied", "notauthorized", "unauthorizedoperation", "403forbidden"),
        "Access was denied, and the message does not say whom, what or by which policy.",
        "The event in CloudTrail says more; or ask directly (--principal, --action, --key).",
    ),
)

KINDS: Mapping[MessageKind, KindRow] = {row.kind: row for row in _ROWS}
"""Kind -> its row, in the order in which a message is held against them."""
