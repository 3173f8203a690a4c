"""Serial numbers of certificates, in the forms that people write and tools print."""

from __future__ import annotations

import re

from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.visible import visible

_MOST = 1 << 159
"""Twenty bytes with a sign (RFC 5280, 4.1.2.2)."""
_DECIMAL = re.compile(r"[0-9]{1,60}\Z")
_HEX = re.compile(r"0[xX][0-9A-Fa-f]{1,60}\Z|[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{2}){1,30}\Z|[0-9A-Fa-f]{1,60}\Z")


def read_serial(text: str, field: CertificateField = CertificateField.SERIAL) -> int | None:
    """Digits are decimal; 0x, colons, or a letter among them make it hex. None for "". FieldError."""
    text = text.strip()
    if not text:
        return None
    number = 0
    if _DECIMAL.match(text):
        number = int(text)
    elif _HEX.match(text):
        number = int(text.replace(":", ""), 16)
    else:
        raise FieldError(
            field,
            f"“{visible(text[:60])}” is no serial number.",
            next_step="Write it in decimal, in hex with 0x in front, or as 01:ab:….",
        )
    if not 0 < number < _MOST:
        raise FieldError(field, "A serial number is greater than 0 and has at most 20 bytes (RFC 5280).")
    return number


def serial_text(serial: int) -> str:
    """Bytes with colons, as openssl prints them."""
    digits = f"{abs(serial):x}"
    pairs = digits.zfill(len(digits) + len(digits) % 2)
    return ("-" if serial < 0 else "") + ":".join(pairs[at : at + 2] for at in range(0, len(pairs), 2))
