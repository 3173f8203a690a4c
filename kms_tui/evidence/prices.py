"""THE price table, with its date: US dollars. Regions differ a little, and prices change.

Source: the AWS KMS pricing page. A key costs its month's price, and so does each of the first two rotations
of a symmetric key with KMS's own material; later rotations are free. AWS-managed keys and keys pending
deletion are free. Each replica of a multi-Region key is a key of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kms_tui.kms.keyspecs import KEY_SPECS, Family

_DATA_KEY_PAIRS = ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars; requests by 10,000."""

    date: str = "2026-11-01"
    key_month: float = 1.00
    rotation_month: float = 1.00
    charged_rotations: int = 2
    requests: float = 0.03
    asymmetric_requests: float = 0.15
    rsa_pair_requests: float = 12.00
    ecc_pair_requests: float = 0.10
    free_operations: frozenset[str] = field(default_factory=frozenset)

    def for_requests(self, calls: Mapping[str, int], spec: str = "SYMMETRIC_DEFAULT") -> float:
        """The price of calls (operation -> count) on one kind of key, the free tier left aside."""
        return sum(count * self.per_request(operation, spec) for operation, count in calls.items())

    def per_request(self, operation: str, spec: str) -> float:
        """The price of one request; RSA_2048 has the symmetric price, other asymmetric keys a higher one."""
        if operation in self.free_operations:
            return 0.0
        if operation in _DATA_KEY_PAIRS:
            return (self.rsa_pair_requests if "RSA" in spec else self.ecc_pair_requests) / 10_000
        known = KEY_SPECS.get(spec)
        dear = (
            known is not None and known.family not in (Family.SYMMETRIC, Family.HMAC) and spec != "RSA_2048"
        )
        return (self.asymmetric_requests if dear else self.requests) / 10_000


PRICES = Prices()
