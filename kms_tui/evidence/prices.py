"""THE price table, with its date: US dollars. Regions differ a little, and prices change.

Source: the AWS KMS pricing page (aws.amazon.com/kms/pricing), as quoted and as listed by AWS's price list
under the usage types KMS-Keys and KMS-Requests:

- A key costs its month's price, whatever its spec and origin: symmetric, asymmetric, HMAC, imported, in a
  CloudHSM or external key store (whose own charges come on top), and each primary and replica of a
  multi-Region key by itself.
- "The first and second rotation of the key adds $1/month (prorated hourly) in cost. This price increase is
  capped at the second rotation, and any subsequent rotations will not be billed."
- AWS-managed keys are free, and so is a customer key while its deletion is scheduled; where that is
  cancelled, it is charged "as though it was never scheduled for deletion".
- Every request costs the same, reads included, but for those on asymmetric keys other than RSA_2048
  ("asymmetric requests except RSA 2048", GetPublicKey among them) and for data key pairs, whose price goes
  by the pair. HMAC keys are symmetric here; ML-DSA and ML-KEM keys asymmetric.
- 20,000 requests a month are free, none of them on asymmetric keys. That is left aside: the account's
  applications use them up.
"""

from __future__ import annotations

from dataclasses import dataclass

from kms_tui.kms.keyspecs import KEY_SPECS

_DATA_KEY_PAIRS = ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars; requests by 10,000. ``date`` is when the prices held, an ISO date."""

    date: str = "2026-11-01"
    key_month: float = 1.00
    rotation_month: float = 1.00
    charged_rotations: int = 2
    requests: float = 0.03
    asymmetric_requests: float = 0.15
    rsa_pair_requests: float = 12.00
    ecc_pair_requests: float = 0.10

    def per_request(self, operation: str, spec: str = "SYMMETRIC_DEFAULT") -> float:
        """The price of one request; ``spec`` is the key's, of a data key pair its KeyPairSpec."""
        if operation in _DATA_KEY_PAIRS:
            return (self.rsa_pair_requests if "RSA" in spec else self.ecc_pair_requests) / 10_000
        known = KEY_SPECS.get(spec)
        dear = known is not None and known.is_asymmetric and spec != "RSA_2048"
        return (self.asymmetric_requests if dear else self.requests) / 10_000


PRICES = Prices()
