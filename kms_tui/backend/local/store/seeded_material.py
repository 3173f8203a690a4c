"""Key material that is the same each time, for the demo only: whoever knows the seed knows every key."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kms_tui.backend.local.store.key_material import CURVES, RSA_BITS, RSA_EXPONENT, SECRET_SIZES, to_der

_FROM_SEED: Mapping[str, tuple[int, Callable[[bytes], PrivateKeyTypes]]] = {
    "ECC_NIST_EDWARDS25519": (32, ed25519.Ed25519PrivateKey.from_private_bytes),
    "ML_DSA_44": (32, mldsa.MLDSA44PrivateKey.from_seed_bytes),
    "ML_DSA_65": (32, mldsa.MLDSA65PrivateKey.from_seed_bytes),
    "ML_DSA_87": (32, mldsa.MLDSA87PrivateKey.from_seed_bytes),
    "ML_KEM_768": (64, mlkem.MLKEM768PrivateKey.from_seed_bytes),
    "ML_KEM_1024": (64, mlkem.MLKEM1024PrivateKey.from_seed_bytes),
}
"""Specs whose private key is a seed: its bytes, and what reads it."""

_WITNESSES = 8
"""Rounds of Miller-Rabin; for random numbers of these sizes far below 2**-100 (FIPS 186-5, table B.1)."""


class SeededMaterial:
    """Material that follows from a seed and the ids, made on first use."""

    lazy = True

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()

    def make(self, spec: str, key_id: str, material_id: str) -> bytes:
        stream = _Stream(self._seed, f"{spec}/{key_id}/{material_id}")
        if spec in SECRET_SIZES:
            return stream.take(SECRET_SIZES[spec])
        return to_der(_key_pair(spec, stream))


class _Stream:
    """Bytes that follow from a seed, in any number."""

    def __init__(self, seed: bytes, label: str) -> None:
        self._seed, self._label, self._count = seed, label, 0

    def take(self, size: int) -> bytes:
        self._count += 1
        info = f"{self._label}/{self._count}".encode()
        return HKDF(hashes.SHA256(), size, None, info).derive(self._seed)

    def number(self, bits: int) -> int:
        return int.from_bytes(self.take((bits + 7) // 8), "big") >> (-bits % 8)


def _key_pair(spec: str, stream: _Stream) -> PrivateKeyTypes:
    if spec in RSA_BITS:
        return _rsa(RSA_BITS[spec], stream)
    if spec in CURVES:
        curve = CURVES[spec]
        # A bit less than the order's size: always below the order, which for a demo is random enough.
        return ec.derive_private_key(stream.number(curve.key_size - 1) | 1, curve)
    size, read = _FROM_SEED[spec]
    return read(stream.take(size))


def _rsa(bits: int, stream: _Stream) -> rsa.RSAPrivateKey:
    p, q = _prime(bits // 2, stream), _prime(bits // 2, stream)
    d = rsa.rsa_recover_private_exponent(RSA_EXPONENT, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(RSA_EXPONENT, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _prime(bits: int, stream: _Stream) -> int:
    """A prime whose two highest bits are set, so that the product of two has twice the bits."""
    candidate = stream.number(bits) | (0b11 << (bits - 2)) | 1
    while not (
        _has_no_small_factor(candidate) and candidate % RSA_EXPONENT != 1 and _is_prime(candidate, stream)
    ):
        candidate += 2
    return candidate


_SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def _has_no_small_factor(number: int) -> bool:
    return all(number % prime for prime in _SMALL_PRIMES)


def _is_prime(number: int, stream: _Stream) -> bool:
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    odd = (number - 1) >> twos
    return all(
        _passes(number, odd, twos, stream.number(number.bit_length() - 1) | 2) for _ in range(_WITNESSES)
    )


def _passes(number: int, odd: int, twos: int, witness: int) -> bool:
    power = pow(witness, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
