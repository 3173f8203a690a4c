"""Subject alternative names: hosts, addresses, mailboxes and URIs, checked as RFC 5280 asks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import idna
from cryptography import x509

from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.visible import visible

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+\Z")
_LONGEST_URI = 2048
MOST_NAMES = 1000
"""Names of one certificate; public CAs stop at 100."""


def host_name(text: str, *, wildcard: bool = True) -> str:
    """A DNS name in ASCII (``bücher.example`` is ``xn--bcher-kva.example``); ValueError says what is wrong.

    Source: RFC 5280, 4.2.1.6 (the preferred name syntax of RFC 1034), RFC 5891 (IDNA 2008), and RFC 6125 for
    the wildcard: a whole label, the leftmost.
    """
    shown = _quoted(text)
    name = text.removesuffix(".")
    if not name:
        raise ValueError("a DNS name is empty")
    if visible(name) != name or " " in name:
        raise ValueError(f"{shown} has a character that no DNS name has")
    if "://" in name:
        raise ValueError(f"{shown} is a URI, not a DNS name")
    if "@" in name:
        raise ValueError(f"{shown} is an e-mail address, not a DNS name")
    if _address(name) is not None:
        raise ValueError(f"{shown} is an IP address, not a DNS name")
    if re.search(r":[0-9]+\Z", name):
        raise ValueError(f"{shown} has a port: a certificate is for the host alone")
    labels = name.split(".")
    if wildcard and labels[0] == "*" and len(labels) > 1:
        return ".".join(("*", host_name(".".join(labels[1:]), wildcard=False)))
    if "*" in name:
        raise ValueError(f"{shown} has a * that is not the whole leftmost label, as in *.example.com")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True, std3_rules=True).decode()
        except idna.IDNAError:
            raise ValueError(f"{shown} is no DNS name, nor an internationalized one (IDNA 2008)") from None
        labels = name.split(".")
    for label in labels:
        if not _LABEL.match(label):
            raise ValueError(
                f"{shown} is no DNS name: its part {_quoted(label)} is not 1 to 63 letters, digits, hyphens"
            )
    if len(name) > 253:
        raise ValueError(f"{shown} has {len(name):,} characters: a DNS name has at most 253")
    if labels[-1].isdigit():
        raise ValueError(f"{shown} is no DNS name: its last part is a number")
    return name


def looks_like_host(text: str) -> bool:
    """Whether a common name is meant as a DNS name: it is one, and has a dot."""
    try:
        return "." in host_name(text)
    except ValueError:
        return False


def _dns(text: str) -> x509.DNSName:
    return x509.DNSName(host_name(text))


def _ip(text: str) -> x509.IPAddress:
    shown = _quoted(text)
    if "/" in text:
        raise ValueError(f"{shown} is a network: a certificate is for single addresses")
    if "%" in text:
        raise ValueError(f"{shown} has a zone, which means something on one machine alone")
    address = _address(text)
    if address is None:
        raise ValueError(f"{shown} is no IP address")
    return x509.IPAddress(address)


def _email(text: str) -> x509.RFC822Name:
    shown = _quoted(text)
    mailbox, at, host = text.rpartition("@")
    if not at:
        raise ValueError(f"{shown} is no e-mail address: it has no @")
    if not _MAILBOX.match(mailbox) or len(mailbox) > 64:
        raise ValueError(f"{shown} is no e-mail address: what stands before the @ is no mailbox in ASCII")
    return x509.RFC822Name(f"{mailbox}@{host_name(host, wildcard=False)}")


def _uri(text: str) -> x509.UniformResourceIdentifier:
    shown = _quoted(text)
    if not _URI.match(text):
        raise ValueError(f"{shown} is no URI of ASCII characters with a scheme, as spiffe://example.com/web")
    if len(text) > _LONGEST_URI:
        raise ValueError(f"{shown} has {len(text):,} characters: {_LONGEST_URI:,} are the most")
    try:
        split = urlsplit(text)
    except ValueError:
        raise ValueError(f"{shown} is no URI: its host cannot be read") from None
    if text.partition(":")[2].startswith("//") and not split.netloc and split.scheme != "file":
        raise ValueError(f"{shown} is no URI: its host is empty")
    return x509.UniformResourceIdentifier(text)


_READERS: Mapping[CertificateField, Callable[[str], x509.GeneralName]] = {
    CertificateField.DNS: _dns,
    CertificateField.IP: _ip,
    CertificateField.EMAIL: _email,
    CertificateField.URI: _uri,
}
_BETTER = (
    (" is a URI,", CertificateField.URI),
    (" is an e-mail address,", CertificateField.EMAIL),
    (" is an IP address,", CertificateField.IP),
)
NAME_FIELDS = tuple(_READERS)
_KINDS: Mapping[type[x509.GeneralName], tuple[str, CertificateField | None]] = {
    x509.DNSName: ("DNS", CertificateField.DNS),
    x509.IPAddress: ("IP", CertificateField.IP),
    x509.RFC822Name: ("e-mail", CertificateField.EMAIL),
    x509.UniformResourceIdentifier: ("URI", CertificateField.URI),
    x509.DirectoryName: ("directory name", None),
    x509.RegisteredID: ("registered id", None),
    x509.OtherName: ("other name", None),
}


def read_names(field: CertificateField, text: str) -> Iterator[x509.GeneralName]:
    """The names in the text of one of NAME_FIELDS, separated by spaces, line ends or (but of URIs) commas.

    FieldError for the first that is none.
    """
    separators = r"\s+" if field is CertificateField.URI else r"[,\s]+"
    for each in re.split(separators, text, flags=re.ASCII):
        if each:
            yield _read(field, each)


def _read(field: CertificateField, text: str) -> x509.GeneralName:
    try:
        return _READERS[field](text)
    except ValueError as error:
        sentence = str(error)
        better = next((other for words, other in _BETTER if words in sentence and other is not field), None)
        raise FieldError(
            field,
            f"{sentence[0].upper()}{sentence[1:]}.",
            next_step=f"Give it as {better} (--{better})." if better else "",
        ) from None


def copied_name(name: x509.GeneralName) -> x509.GeneralName | None:
    """A name of a certificate or a CSR, checked as if it was typed; None for a kind that is not copied.

    FieldError where it is no such name.
    """
    field = _KINDS[type(name)][1]
    return None if field is None else _read(field, str(name.value))


def name_kind(name: x509.GeneralName) -> str:
    """ "DNS", "IP", "e-mail", "URI", and others that are shown and never made."""
    return _KINDS[type(name)][0]


def name_value(name: x509.GeneralName) -> str:
    """The value as text; untrusted, if it was read from a file."""
    if isinstance(name, x509.DirectoryName):
        return name.value.rfc4514_string()
    if isinstance(name, x509.RegisteredID):
        return name.value.dotted_string
    if isinstance(name, x509.OtherName):
        return f"{name.type_id.dotted_string} {name.value.hex()}"
    return str(name.value)


def name_text(name: x509.GeneralName) -> str:
    """The kind and the value, as ``DNS www.example.com``."""
    return f"{name_kind(name)} {name_value(name)}"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def _quoted(text: str) -> str:
    shown = visible(text)
    return f"“{shown if len(shown) <= 60 else shown[:57] + '…'}”"
