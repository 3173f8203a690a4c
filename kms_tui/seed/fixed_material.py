"""Fixed key material: the bytes that a seed gives, in the form in which the store keeps them.

For symmetric and HMAC keys they are the key itself; for key pairs a private key in PEM, or as DER in PKCS #8.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from kms_tui.atomic import FileError, file_errors
from kms_tui.backend.local.store.key_material import CURVES, RSA_BITS, RSA_EXPONENT, SECRET_SIZES, to_der

_MAX_FILE = 65_536
_PEM = b"-----BEGIN "
_BY_CLASS: Mapping[type, str] = {
    ed25519.Ed25519PrivateKey: "ECC_NIST_EDWARDS25519",
    mldsa.MLDSA44PrivateKey: "ML_DSA_44",
    mldsa.MLDSA65PrivateKey: "ML_DSA_65",
    mldsa.MLDSA87PrivateKey: "ML_DSA_87",
    mlkem.MLKEM768PrivateKey: "ML_KEM_768",
    mlkem.MLKEM1024PrivateKey: "ML_KEM_1024",
}


class MaterialError(ValueError):
    """Why key material cannot be used; the sentence quotes nothing of it."""


def given_bytes(form: str, text: str, folder: Path | None) -> bytes:
    """What a member ``hex``, ``base64``, ``pem`` or ``file`` gives. Raises MaterialError."""
    return _DECODERS[form](text, folder)


def _from_hex(text: str, _: Path | None) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise MaterialError("is no even number of hexadecimal digits") from None


def _from_base64(text: str, _: Path | None) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise MaterialError("is no base64") from None


def _from_pem(text: str, _: Path | None) -> bytes:
    content = text.strip().encode(errors="replace")
    if not content.startswith(_PEM):
        raise MaterialError("is no PEM: it does not begin with -----BEGIN")
    return content


def _from_file(text: str, folder: Path | None) -> bytes:
    try:
        with file_errors(text, "read"):
            content = file_in(folder, text, _MAX_FILE)
    except FileError as error:
        raise MaterialError(f"names a file that is not to be had: {error}".rstrip(".")) from error
    if not content.lstrip().startswith(_PEM):
        raise MaterialError("names a file that is no PEM")
    return content.strip()


_DECODERS: Mapping[str, Callable[[str, Path | None], bytes]] = {
    "hex": _from_hex,
    "base64": _from_base64,
    "pem": _from_pem,
    "file": _from_file,
}


def file_in(folder: Path | None, name: str, limit: int) -> bytes:
    """The content of a file that a seed names, from the seed's folder. Raises OSError, and FileError.

    FileError, too, for a seed that is of no file, and for what is longer than ``limit``.
    """
    if folder is None:
        raise FileError(f"{name} cannot be found: this seed is of no file, so it can name none.")
    try:
        with (folder / name).open("rb") as file:
            content = file.read(limit + 1)
    except ValueError as error:  # a NUL in the name
        raise FileError(f"{name} cannot be read: no file has such a name.") from error
    if len(content) > limit:
        raise FileError(f"{name} is longer than {limit:,} bytes.")
    return content


def material_of(spec: str, content: bytes) -> bytes:
    """The material as the store keeps it; MaterialError where it is none of the key spec."""
    size = SECRET_SIZES.get(spec)
    if size is None:
        private_key = _private_key(content)
        found = spec_of(private_key)
        if found != spec:
            raise MaterialError(f"is a private key of {found or 'no key spec'}, and the key is of {spec}")
        return to_der(private_key)
    if content.startswith(_PEM):
        raise MaterialError(f"is PEM, and a key of {spec} has bytes: expected hex or base64")
    if len(content) != size:
        raise MaterialError(f"has {len(content):,} bytes, and a key of {spec} has {size}")
    return content


def spec_of_pem(content: bytes) -> str:
    """The key spec of a private key. Raises MaterialError for none."""
    found = spec_of(_private_key(content))
    if not found:
        raise MaterialError("is a private key of no key spec")
    return found


def _private_key(content: bytes) -> PrivateKeyTypes:
    """The private key; an RSA key's numbers are checked without the slow proof that they are primes."""
    load = load_pem_private_key if content.startswith(_PEM) else load_der_private_key
    try:
        private_key = load(content, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise MaterialError("is a private key under a passphrase: take that away first") from None
    except (ValueError, UnsupportedAlgorithm):
        raise MaterialError("is no private key in PEM, or as DER in PKCS #8") from None
    if isinstance(private_key, rsa.RSAPrivateKey) and not _is_consistent(private_key):
        raise MaterialError("is an RSA key whose numbers do not belong together")
    return private_key


def _is_consistent(private_key: rsa.RSAPrivateKey) -> bool:
    numbers = private_key.private_numbers()
    public, p, q, d = numbers.public_numbers, numbers.p, numbers.q, numbers.d
    return (
        p > 1
        and q > 1
        and p * q == public.n
        and public.e * d % (p - 1) == 1
        and public.e * d % (q - 1) == 1
        and (numbers.dmp1, numbers.dmq1) == (d % (p - 1), d % (q - 1))
        and q * numbers.iqmp % p == 1
    )


def spec_of(private_key: PrivateKeyTypes) -> str:
    """The key spec of a private key; "" for a kind that KMS has not."""
    if isinstance(private_key, rsa.RSAPrivateKey):
        if private_key.public_key().public_numbers().e != RSA_EXPONENT:
            return ""
        return next((spec for spec, bits in RSA_BITS.items() if bits == private_key.key_size), "")
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return next((spec for spec, curve in CURVES.items() if curve.name == private_key.curve.name), "")
    return next((spec for kind, spec in _BY_CLASS.items() if isinstance(private_key, kind)), "")
