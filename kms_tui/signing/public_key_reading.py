"""Reads a public key in any of the forms that people have it in.

PEM and DER of a key, a certificate or a request; base64 or hex of DER; JWK and JWKS (RFC 7517, 8037, 8812,
9964); the JSON answer of ``aws kms get-public-key``; lines of OpenSSH, and RFC 4716. A private key is refused
and never repeated.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    SSHCertificate,
    load_der_private_key,
    load_der_public_key,
    load_ssh_public_identity,
)

from kms_tui.formats import Format, FormatError, decode, encoding_of, members_once, readings
from kms_tui.public_key import PublicKey, PublicKeyError
from kms_tui.signing.pasted_kinds import PRIVATE_KEY, PastedKind, kind_of, unquoted

MAX_BYTES = 1 << 20
"""Of a text with a public key; a JWKS of some thousand keys is shorter."""
_MOST_NAMED = 8
"""Key ids that an error lists."""


class SecretGivenError(PublicKeyError):
    """What was given as a public key holds a private one, or a secret. The sentence repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class ReadPublicKey:
    """A public key, the form that it was written in, and what that form says besides."""

    key: PublicKey
    form: str
    """For people: "PEM", "JWK", "OpenSSH line"; the start of a sentence reads well with it."""
    key_id: str = ""
    """The ``kid`` of a JWK, the key ARN of KMS's answer, the comment of an SSH line; untrusted."""
    algorithm: str = ""
    """The ``alg`` of a JWK; untrusted."""


def read_public_key(content: str | bytes, *, kid: str | None = None) -> ReadPublicKey:
    """The public key in a text or a file; ``kid`` chooses among the keys of a JWKS.

    PublicKeyError, in one sentence without the content, for a private key and for everything else.
    """
    if len(content) > MAX_BYTES:
        raise PublicKeyError(
            f"This is no public key: it has {len(content):,} bytes, and none has over {MAX_BYTES:,}."
        )
    text = content if isinstance(content, str) else _text(content)
    if text is None:
        assert isinstance(content, bytes)
        return _of_der(content, "DER")
    text = _unescaped(text.lstrip("\ufeff").strip())
    if not text:
        raise PublicKeyError("There is no public key here: the text is empty.", next_step=_FORMS)
    if "-----BEGIN" in text or _SSH2_BEGIN in text:
        return _of_pem(text)
    if text.startswith(("{", "[")):
        return _of_json(text, kid)
    if _SSH_LINE.search(text):
        return _of_ssh(text)
    kind = kind_of(text)
    if kind is not None:
        raise _refused(kind)
    return _of_encoded(text)


_FORMS = "Give it as PEM, DER, JWK, SSH line, certificate, or as KMS's GetPublicKey answers."

_KEEP_SECRET = "Keep it secret: only its public half may be given."


def _refused(kind: PastedKind) -> PublicKeyError:
    error = SecretGivenError if kind.secret else PublicKeyError
    return error(f"This is {kind.name}, not a public key.", next_step=kind.next_step or _FORMS)


def _text(content: bytes) -> str | None:
    """The text in a file; None for DER and whatever else is binary."""
    if content.startswith(b"\x30") and b"\0" in content[:64]:
        return None
    try:
        text = content.decode(encoding_of(content))
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _unescaped(text: str) -> str:
    """The text without quotes around it, and a PEM block with real line ends."""
    inner = unquoted(text)
    text = text if inner is None else inner.strip()
    if "-----BEGIN" in text and "\\n" in text:  # out of JSON or an environment file
        text = text.replace("\\r", "").replace("\\n", "\n")
    return text


# PEM

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----")
_PRIVATE_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_SSH2_BEGIN, _SSH2_END = "---- BEGIN SSH2 PUBLIC KEY ----", "---- END SSH2 PUBLIC KEY ----"
_PEM_FORMS = {
    "PUBLIC KEY": "PEM",
    "RSA PUBLIC KEY": "PKCS #1 PEM",
    "CERTIFICATE": "certificate",
    "X509 CERTIFICATE": "certificate",
    "CERTIFICATE REQUEST": "certificate signing request",
    "NEW CERTIFICATE REQUEST": "certificate signing request",
}


def _of_pem(text: str) -> ReadPublicKey:
    if _PRIVATE_BLOCK.search(text):
        raise _refused(PRIVATE_KEY)
    if _SSH2_BEGIN in text:
        return _of_ssh_blob(_ssh2_body(text), "SSH public key of RFC 4716", "")
    blocks = [(match[1], match[2]) for match in _BLOCK.finditer(text)]
    taken = [(label, body) for label, body in blocks if label in _PEM_FORMS]
    if not taken:
        kind = kind_of(text)
        if kind is not None and blocks:
            raise _refused(kind)
        if blocks:
            raise _refused(PastedKind(f"a PEM block of another kind ({blocks[0][0]})"))
        raise PublicKeyError("The PEM block is not whole: paste it with its BEGIN and END lines.")
    if len(taken) > 1:
        raise PublicKeyError(
            f"Here are {len(taken)} PEM blocks with public keys: give one of them.",
            next_step="In a chain of certificates the first is usually the one meant.",
        )
    label, body = taken[0]
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        raise PublicKeyError("The PEM block is damaged: its content is not base64.") from None
    return _of_der(der, _PEM_FORMS[label])


def _ssh2_body(text: str) -> str:
    """The base64 between the lines, without headers, which continue on the next line after a backslash."""
    lines, header = [], False
    for line in text.partition(_SSH2_BEGIN)[2].partition(_SSH2_END)[0].splitlines():
        if header or ":" in line:
            header = line.endswith("\\")
        else:
            lines.append(line.strip())
    return "".join(lines)


# DER

_UNLOADED = {
    bytes.fromhex("0609608648016503040401"): "ML_KEM_512",
    bytes.fromhex("06082a811ccf5501822d"): "SM2",
}
"""Object identifiers of key specs that the cryptography library does not load, in DER."""


def _of_der(der: bytes, form: str) -> ReadPublicKey:
    for read, name in (
        (_of_key, form),
        (_of_certificate, "certificate"),
        (_of_request, "certificate signing request"),
    ):
        found = read(der)
        if found is not None:
            return ReadPublicKey(found, name)
    if is_private_der(der):
        raise _refused(PRIVATE_KEY)
    if der.startswith(b"\x30"):
        raise PublicKeyError(
            f"No public key can be read in this {form}: it is cut, damaged or something else."
        )
    raise PublicKeyError("These bytes are no public key.", next_step=_FORMS)


def _of_key(der: bytes) -> PublicKey | None:
    try:
        return PublicKey.of(load_der_public_key(der))
    except UnsupportedAlgorithm:  # of a kind that KMS may know; its uses say so
        return PublicKey(der, next((spec for oid, spec in _UNLOADED.items() if oid in der[:48]), ""))
    except ValueError:
        return None


def _of_certificate(der: bytes) -> PublicKey | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        return None
    return _held_by(certificate)


def _of_request(der: bytes) -> PublicKey | None:
    try:
        request = x509.load_der_x509_csr(der)
    except (ValueError, x509.InvalidVersion):
        return None
    return _held_by(request)


def _held_by(holder: x509.Certificate | x509.CertificateSigningRequest) -> PublicKey:
    try:
        return PublicKey.of(holder.public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PublicKeyError(
            "The public key in it is of a kind that this program's cryptography library does not know."
        ) from error


def is_private_der(der: bytes) -> bool:
    """Whether DER holds a private key, encrypted or not."""
    try:
        load_der_private_key(der, None)
    except TypeError:  # it is encrypted
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _of_encoded(text: str) -> ReadPublicKey:
    """DER in base64, base64url or hex."""
    for form in readings(text):
        if form is not Format.TEXT:
            data = decode(text, form)
            if data.startswith(b"-----BEGIN"):
                return read_public_key(data)
            if data.startswith(b"\x30"):
                return _of_der(data, f"DER in {form.value}")
    raise PublicKeyError("This text is no public key.", next_step=_FORMS)


# JSON

_SECRET_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "priv")


def _of_json(text: str, kid: str | None) -> ReadPublicKey:
    try:
        document = json.loads(text, object_pairs_hook=members_once, parse_constant=_no_number)
    except RecursionError:
        raise PublicKeyError("This JSON nests too deep for a public key.") from None
    except json.JSONDecodeError as error:
        raise PublicKeyError(
            f"This is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None
    except ValueError as error:
        raise PublicKeyError(f"This JSON cannot be read: {error}.") from None
    if isinstance(document, dict):
        if "keys" in document:
            return _of_jwks(document["keys"], kid)
        if "kty" in document:
            return of_jwk(document)
        if "PublicKey" in document:
            return _of_answer(document)
        if "KeyMetadata" in document or "KeyId" in document:
            raise PublicKeyError(
                "This is another answer of KMS: it holds no public key.",
                next_step="aws kms get-public-key prints the one that does.",
            )
    raise PublicKeyError("This JSON is neither a JWK, nor a JWKS, nor KMS's answer.", next_step=_FORMS)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _of_answer(answer: Mapping[str, Any]) -> ReadPublicKey:
    try:
        der = decode(str(answer["PublicKey"]), Format.BASE64)
    except FormatError as error:
        raise PublicKeyError(f"The PublicKey of this answer is not base64. {error}") from None
    read = _of_der(der, "answer of GetPublicKey")
    arn = answer.get("KeyId")
    return ReadPublicKey(read.key, "answer of GetPublicKey", arn if isinstance(arn, str) else "")


def _of_jwks(keys: object, kid: str | None) -> ReadPublicKey:
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise PublicKeyError('The "keys" of a JWKS are a list of objects; here they are not.')
    if not keys:
        raise PublicKeyError("This JWKS has no keys.")
    if kid is None and len(keys) == 1:
        return of_jwk(keys[0])
    if kid is None:
        raise PublicKeyError(
            f"This JWKS has {len(keys):,} keys: which one?", next_step=f"Name its kid: {kids_of(keys)}."
        )
    found = [key for key in keys if key.get("kid") == kid]
    if len(found) == 1:
        return of_jwk(found[0])
    if found:
        raise PublicKeyError(f"This JWKS has {len(found)} keys with the kid {kid}.")
    raise PublicKeyError(f"This JWKS has no key with the kid {kid}.", next_step=f"It has {kids_of(keys)}.")


def kids_of(keys: Sequence[Mapping[str, Any]]) -> str:
    """The key ids of a JWKS for a sentence, the first of them where there are many; untrusted."""
    named = [str(key["kid"]) if "kid" in key else "one without a kid" for key in keys]
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return ", ".join(name[:128] for name in named[:_MOST_NAMED]) + more


def of_jwk(jwk: Mapping[str, Any]) -> ReadPublicKey:
    """The public key of a JWK. PublicKeyError for one that is private, secret, or not whole."""
    kind = jwk.get("kty")
    if kind == "oct" or "k" in jwk:
        raise SecretGivenError(
            "This JWK is a symmetric key (oct): it is a secret, and has no public half.",
            next_step=_KEEP_SECRET,
        )
    if any(member in jwk for member in _SECRET_MEMBERS):
        raise SecretGivenError("This JWK holds a private key.", next_step=_KEEP_SECRET)
    reader = _JWK_READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise PublicKeyError("The kty of this JWK is not one of RSA, EC, OKP and AKP.")
    try:
        key = reader(jwk)
    except (ValueError, UnsupportedAlgorithm):
        raise PublicKeyError(f"The members of this {kind} JWK are no public key.") from None
    texts = [value if isinstance(value := jwk.get(name), str) else "" for name in ("kid", "alg")]
    return ReadPublicKey(PublicKey.of(key), "JWK", *texts)


def _number(jwk: Mapping[str, Any], member: str) -> int:
    return int.from_bytes(_octets(jwk, member))


def _octets(jwk: Mapping[str, Any], member: str) -> bytes:
    value = jwk.get(member)
    if not isinstance(value, str) or not value:
        raise PublicKeyError(f"This {jwk['kty']} JWK lacks its {member}.")
    try:
        return decode(value, Format.BASE64URL)
    except FormatError:
        raise PublicKeyError(f"The {member} of this {jwk['kty']} JWK is not base64url.") from None


def _rsa_key(jwk: Mapping[str, Any]) -> PublicKeyTypes:
    return rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n")).public_key()


_CURVES: Mapping[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
_ML_DSA_KEYS: Mapping[
    str, type[mldsa.MLDSA44PublicKey] | type[mldsa.MLDSA65PublicKey] | type[mldsa.MLDSA87PublicKey]
] = {
    "ML-DSA-44": mldsa.MLDSA44PublicKey,
    "ML-DSA-65": mldsa.MLDSA65PublicKey,
    "ML-DSA-87": mldsa.MLDSA87PublicKey,
}


def _ec_key(jwk: Mapping[str, Any]) -> PublicKeyTypes:
    curve = _known(jwk, "crv", _CURVES)
    return ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), curve).public_key()


def _okp_key(jwk: Mapping[str, Any]) -> PublicKeyTypes:
    kind = _known(jwk, "crv", {"Ed25519": ed25519.Ed25519PublicKey})
    return kind.from_public_bytes(_octets(jwk, "x"))


def _akp_key(jwk: Mapping[str, Any]) -> PublicKeyTypes:
    return _known(jwk, "alg", _ML_DSA_KEYS).from_public_bytes(_octets(jwk, "pub"))


_Known = TypeVar("_Known")


def _known(jwk: Mapping[str, Any], member: str, table: Mapping[str, _Known]) -> _Known:
    value = jwk.get(member)
    found = table.get(value) if isinstance(value, str) else None
    if found is None:
        raise PublicKeyError(f"The {member} of this {jwk['kty']} JWK is not one of {', '.join(table)}.")
    return found


_JWK_READERS: Mapping[str, Callable[[Mapping[str, Any]], PublicKeyTypes]] = {
    "RSA": _rsa_key,
    "EC": _ec_key,
    "OKP": _okp_key,
    "AKP": _akp_key,
}


# OpenSSH

_SSH_LINE = re.compile(
    r"(?:^|\s)((?:ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp(?:256|384|521))(?:-cert-v01@openssh\.com)?)"
    r"[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+([^\r\n]*))?",
    re.MULTILINE,
)


def _of_ssh(text: str) -> ReadPublicKey:
    """A line of a ``.pub`` file, of authorized_keys (with options) or of known_hosts."""
    found = _SSH_LINE.findall(text)
    if len(found) > 1:
        raise PublicKeyError(f"Here are {len(found)} SSH keys: give the line of one of them.")
    _, blob, comment = found[0]
    return _of_ssh_blob(blob, "OpenSSH line", comment.strip())


def _of_ssh_blob(blob: str, form: str, comment: str) -> ReadPublicKey:
    try:
        name = _ssh_name(base64.b64decode(blob, validate=True))
        identity = load_ssh_public_identity(f"{name} {blob}".encode())
        if isinstance(identity, SSHCertificate):
            return ReadPublicKey(PublicKey.of(identity.public_key()), "OpenSSH certificate", comment)
        return ReadPublicKey(PublicKey.of(identity), form, comment)
    except (ValueError, UnsupportedAlgorithm, NotImplementedError):  # a compressed point is the last
        raise PublicKeyError("The SSH key is cut, damaged, or of a kind that is not known here.") from None


def _ssh_name(blob: bytes) -> str:
    """The name of the kind, with which the blob begins."""
    return blob[4 : 4 + int.from_bytes(blob[:4])].decode("ascii")
