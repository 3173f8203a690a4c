"""Which operation takes an output next, and as what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kms_tui.scratch.operations import Name, Role


class Next(NamedTuple):
    """The operation, and the input that the output becomes; its other inputs stay as they are."""

    operation: Name
    role: Role


_CIPHERTEXT, _PLAINTEXT = Next(Name.DECRYPT, Role.CIPHERTEXT), Next(Name.ENCRYPT, Role.PLAINTEXT)
_NEXT: Mapping[str, Next] = {
    "Ciphertext": _CIPHERTEXT,
    "Sealed message": _CIPHERTEXT,
    "Encrypted data key": _CIPHERTEXT,
    "Encrypted private key": _CIPHERTEXT,
    "Plaintext": _PLAINTEXT,
    "Data key": _PLAINTEXT,
    "Private key": _PLAINTEXT,
    "Random bytes": _PLAINTEXT,
    "Encrypted secret": Next(Name.DECAPSULATE, Role.CIPHERTEXT),
    "PEM": Next(Name.DERIVE, Role.PUBLIC_KEY),
    "DER": Next(Name.DERIVE, Role.PUBLIC_KEY),
    "Public key": Next(Name.DERIVE, Role.PUBLIC_KEY),
    "Signature": Next(Name.VERIFY, Role.SIGNATURE),
    "MAC": Next(Name.VERIFY_MAC, Role.MAC),
}
"""Output's name -> what takes it."""


def next_for(output: str) -> Next | None:
    """What an output can be handed to; None for those that end a chain."""
    return _NEXT.get(output)
