"""What a document attests, and which documents are believed; without what it takes to read one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

_PREFIX = "kms:recipientattestation:"


class AttestationError(Exception):
    """What is wrong with a document, as the end of a sentence about it. It quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class AttestationTrust:
    """Whose documents are believed: those that lead to one of ``roots``, or all, ``unsigned`` ones too."""

    roots: tuple[x509.Certificate, ...] = ()
    unsigned: bool = False

    @property
    def is_given(self) -> bool:
        return self.unsigned or bool(self.roots)


NO_TRUST = AttestationTrust()


@dataclass(frozen=True, slots=True)
class Attestation:
    """The public key of an enclave, or of an instance with NitroTPM, and its measurements by number."""

    module_id: str
    public_key: rsa.RSAPublicKey = field(repr=False)
    pcrs: Mapping[int, bytes]
    is_tpm: bool

    def conditions(self) -> dict[str, str]:
        """Condition key in lower case -> value (conditions-nitro-enclave, conditions-nitro-tpm)."""
        kind = "nitrotpmpcr" if self.is_tpm else "pcr"
        values = {f"{_PREFIX}{kind}{number}": value.hex() for number, value in self.pcrs.items()}
        if not self.is_tpm and 0 in self.pcrs:
            values[f"{_PREFIX}imagesha384"] = self.pcrs[0].hex()
        return values
