"""A public key in every form that it has: PEM, DER, PKCS #1, JWK, OpenSSH, and its fingerprints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from kms_tui.public_key import PublicKey, PublicKeyError


class PublicKeyForm(StrEnum):
    """A form in which others read a public key."""

    PEM = "pem"
    DER = "der"
    PKCS1 = "pkcs1"
    JWK = "jwk"
    SSH = "ssh"


_FORMS: Mapping[PublicKeyForm, Callable[[PublicKey, str], bytes]] = {
    PublicKeyForm.PEM: lambda key, _: key.pem.encode(),
    PublicKeyForm.DER: lambda key, _: key.der,
    PublicKeyForm.PKCS1: lambda key, _: key.pkcs1_pem().encode(),
    PublicKeyForm.JWK: lambda key, _: f"{json.dumps(key.jwk(), indent=2)}\n".encode(),
    PublicKeyForm.SSH: lambda key, comment: f"{key.ssh_line(comment)}\n".encode(),
}


def written(key: PublicKey, form: PublicKeyForm, comment: str = "") -> bytes:
    """The key in a form; ``comment`` ends an SSH line. PublicKeyError for a kind that lacks the form."""
    return _FORMS[form](key, comment)


def forms_of(key: PublicKey) -> Iterator[PublicKeyForm]:
    """The forms that this kind of key has."""
    for form in PublicKeyForm:
        try:
            written(key, form)
        except PublicKeyError:
            continue
        yield form


def fingerprints(key: PublicKey) -> Iterator[tuple[str, str]]:
    """Name and value of each fingerprint that this kind of key has."""
    yield "SHA-256 of the DER", key.fingerprint
    for name, member in (("SSH fingerprint", "ssh_fingerprint"), ("JWK thumbprint", "thumbprint")):
        try:
            yield name, getattr(key, member)
        except PublicKeyError:
            continue
