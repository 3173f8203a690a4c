"""Distinguished names, typed as RFC 4514 (``CN=x,O=y``) or as for ``openssl req -subj`` (``/O=y/CN=x``).

A certificate holds its name from the general to the particular. RFC 4514 writes it the other way round, so
``CN=x,O=y`` and ``/O=y/CN=x`` are the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import NameOID

from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.visible import visible

_MOST = 64
"""Parts of a name; more would be a mistake."""
_USUAL_LENGTH = 256
_LENGTHS = {
    NameOID.COMMON_NAME: 64,
    NameOID.ORGANIZATION_NAME: 64,
    NameOID.ORGANIZATIONAL_UNIT_NAME: 64,
    NameOID.LOCALITY_NAME: 128,
    NameOID.STATE_OR_PROVINCE_NAME: 128,
    NameOID.STREET_ADDRESS: 128,
    NameOID.TITLE: 64,
    NameOID.SERIAL_NUMBER: 64,
    NameOID.DOMAIN_COMPONENT: 63,
}
"""Most characters of a value. Source: the upper bounds of RFC 5280, appendix A."""
_ASCII_ONLY = {
    NameOID.COUNTRY_NAME,
    NameOID.SERIAL_NUMBER,
    NameOID.DN_QUALIFIER,
    NameOID.EMAIL_ADDRESS,
    NameOID.DOMAIN_COMPONENT,
}

_SHORT = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "GN": NameOID.GIVEN_NAME,
    "title": NameOID.TITLE,
    "initials": NameOID.INITIALS,
    "pseudonym": NameOID.PSEUDONYM,
    "generationQualifier": NameOID.GENERATION_QUALIFIER,
    "dnQualifier": NameOID.DN_QUALIFIER,
    "postalCode": NameOID.POSTAL_CODE,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "businessCategory": NameOID.BUSINESS_CATEGORY,
}
"""The names of attribute types that are written, as openssl writes them."""
_ALSO = {"S": NameOID.STATE_OR_PROVINCE_NAME, "E": NameOID.EMAIL_ADDRESS, "EMAIL": NameOID.EMAIL_ADDRESS}
_TYPES = {name.lower(): oid for name, oid in (*_SHORT.items(), *_ALSO.items())}
_TYPES |= {oid._name.lower(): oid for oid in _SHORT.values()}
_WRITTEN = {oid: name for name, oid in _SHORT.items()}
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]{0,30})){1,30}\Z")
_ESCAPE = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\(.)", re.DOTALL)
_NEXT_TYPE = re.compile(r"\s*[A-Za-z0-9.]+\s*=")


def subject_text(name: x509.Name) -> str:
    """The name as RFC 4514 writes it; untrusted text, if it was read from a file."""
    return name.rfc4514_string(_WRITTEN)


def common_name(name: x509.Name) -> str:
    """The last common name, the most particular one; "" where there is none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def parse_subject(text: str) -> x509.Name:
    """The name that a text means; FieldError names the part that is wrong. "" and "/" are the empty name."""
    text = text.lstrip()
    slashes = text.startswith("/")
    if text.rstrip() in ("", "/"):
        return x509.Name([])
    parts = list(_relative_names(text[1:] if slashes else text, "/" if slashes else ","))
    if len(parts) > _MOST:
        raise _error(f"a name of {len(parts):,} parts is too long: {_MOST} are the most")
    return x509.Name(parts if slashes else parts[::-1])


def _relative_names(text: str, separator: str) -> Iterator[x509.RelativeDistinguishedName]:
    for part in _split(text, separator):
        attributes = [_attribute(each, separator) for each in _split(part, "+")]
        try:
            yield x509.RelativeDistinguishedName(attributes)
        except ValueError:
            raise _error(f"the part {_quoted(part)} has the same attribute twice") from None


def _split(text: str, separator: str) -> list[str]:
    """The texts between separators that are neither escaped nor quoted; a ``+`` counts before ``TYPE=``."""
    parts, start, at, quoted = [], 0, 0, False
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"' and separator != "/":
            quoted = not quoted
        elif text[at] == separator and not quoted and (separator != "+" or _NEXT_TYPE.match(text, at + 1)):
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def _attribute(part: str, separator: str) -> x509.NameAttribute[str]:
    type_text, equals, value_text = part.partition("=")
    type_text = type_text.strip()
    if not part.strip():
        raise _error(f"a part is empty: there is one {separator} too many")
    if not equals:
        raise _error(
            f"the part {_quoted(part)} is no TYPE=VALUE",
            next_step=f"Write \\{separator} for a {separator} inside a value.",
        )
    oid = _type(type_text)
    value = _value(value_text, part)
    what = f"the value of {visible(type_text)}"
    if not value:
        raise _error(f"{what} is empty")
    if visible(value) != value:
        raise _error(f"{what}, {_quoted(value)}, has a control or invisible character")
    most = _LENGTHS.get(oid, _USUAL_LENGTH)
    if len(value) > most:
        raise _error(f"{what} has {len(value):,} characters: {most} are the most (RFC 5280)")
    if oid == NameOID.COUNTRY_NAME and not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise _error(f"{what}, {_quoted(value)}, is not a country's code of two letters, such as DE")
    if oid in _ASCII_ONLY and not value.isascii():
        raise _error(f"{what}, {_quoted(value)}, may have ASCII characters only")
    return x509.NameAttribute(oid, value.upper() if oid == NameOID.COUNTRY_NAME else value)


def _type(text: str) -> x509.ObjectIdentifier:
    if oid := _TYPES.get(text.lower()):
        return oid
    if _OID.match(text.removeprefix("OID.")):
        try:
            return x509.ObjectIdentifier(text.removeprefix("OID."))
        except ValueError:
            pass
    raise _error(
        f"{_quoted(text)} is no attribute type", next_step=f"There are {', '.join(_SHORT)}, and dotted OIDs."
    )


def _value(text: str, part: str) -> str:
    text = text.lstrip()
    bare = text.rstrip()
    if bare.endswith("\\") and (len(bare) - len(bare.rstrip("\\"))) % 2 and len(text) > len(bare):
        bare += text[len(bare)]  # an escaped space at the end belongs to the value
    if bare.startswith("#"):
        raise _error(f"the part {_quoted(part)} has a value in hex, which is not taken: write \\# for a #")
    if bare.startswith('"'):
        if len(bare) < 2 or not bare.endswith('"'):
            raise _error(f"the part {_quoted(part)} has a quotation mark without its end")
        bare = bare[1:-1]
    if re.search(r"(?:^|[^\\])(?:\\\\)*\\\Z", bare):
        raise _error(f"the part {_quoted(part)} ends in a backslash, with nothing behind it")
    try:
        return _ESCAPE.sub(_unescape, bare)
    except UnicodeDecodeError:
        raise _error(f"the part {_quoted(part)} has escaped bytes that are no UTF-8") from None


def _unescape(match: re.Match[str]) -> str:
    return match[1] or bytes.fromhex(match[0].replace("\\", "")).decode()


def _quoted(text: str) -> str:
    shown = visible(text.strip())
    return f"“{shown if len(shown) <= 60 else shown[:57] + '…'}”"


def _error(sentence: str, *, next_step: str = "") -> FieldError:
    sentence = f"{sentence[0].upper()}{sentence[1:]}."
    return FieldError(
        CertificateField.SUBJECT, sentence, next_step=next_step or "Write it as CN=www.example.com,O=Example."
    )
