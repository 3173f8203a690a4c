"""The fields in which a person describes a certificate, and the error that names one of them."""

from __future__ import annotations

from enum import StrEnum

from kms_tui.signing.signing_key import SigningError


class CertificateField(StrEnum):
    """A field of a form; with two dashes in front of its value it is the flag of the command."""

    SUBJECT = "subject"
    DNS = "dns"
    IP = "ip"
    EMAIL = "email"
    URI = "uri"
    PURPOSE = "purpose"
    KEY_USAGE = "key-usage"
    EXTENDED_KEY_USAGE = "extended-key-usage"
    CA = "ca"
    PATH_LENGTH = "path-length"
    DAYS = "days"
    NOT_BEFORE = "not-before"
    NOT_AFTER = "not-after"
    SERIAL = "serial"
    ALGORITHM = "algorithm"
    REVOKE = "revoke"
    NUMBER = "number"


class FieldError(SigningError):
    """What stands in ``field`` cannot be used; the sentence says why, without naming the field."""

    def __init__(self, field: CertificateField, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.field = field
