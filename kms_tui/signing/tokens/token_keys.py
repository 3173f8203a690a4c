"""A KMS key that makes and checks the signatures of tokens: an asymmetric one, or an HMAC key."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import MAX_PLAINTEXT, RAW
from kms_tui.kms.model import KeyUsage
from kms_tui.public_key import PublicKey, PublicKeyError, digest_message
from kms_tui.signing.signature_forms import SignatureForm, has_two_forms, read_signature
from kms_tui.signing.signing_key import SigningError, SigningKey, open_signing_key
from kms_tui.signing.tokens.jws_algorithms import JwsAlgorithm, require_size
from kms_tui.signing.tokens.token_errors import TokenError, TokenField

_LEAST_RSA_BITS = 2048
_BAD = frozenset({"KMSInvalidSignatureException", "KMSInvalidMacException"})


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key of usage SIGN_VERIFY, or an HMAC key of usage GENERATE_VERIFY_MAC."""

    kms: Kms = field(repr=False)
    """The façade of the key's Region."""
    arn: str
    asked_as: str
    spec: str
    signing_key: SigningKey | None = None
    """None for an HMAC key."""

    @property
    def public_key(self) -> PublicKey | None:
        return self.signing_key.public_key if self.signing_key else None

    @property
    def key_id(self) -> str:
        return key_id_of(self.arn)

    @property
    def thumbprint(self) -> str:
        """The public key's RFC 7638 thumbprint; "" for an HMAC key, whose bytes nobody has, and for SM2."""
        try:
            return self.public_key.thumbprint if self.public_key else ""
        except PublicKeyError:
            return ""

    def sign(self, signing_input: bytes, algorithm: JwsAlgorithm) -> bytes:
        """The signature as a token has it: r‖s for ECDSA. One call of Sign or GenerateMac.

        TokenError, before the call, for a token over 4,096 bytes with EdDSA or a MAC.
        """
        require_size(algorithm, len(signing_input))
        if self.signing_key is None:
            answer = self.kms.call(
                "GenerateMac", KeyId=self.asked_as, Message=signing_input, MacAlgorithm=algorithm.kms
            )
            return bytes(answer["Mac"])
        return jws_form(self.signing_key.sign_message(signing_input, algorithm.kms), self.spec)

    def verify(self, signing_input: bytes, signature: bytes, algorithm: JwsAlgorithm) -> bool:
        """Whether KMS finds the signature good: one call of Verify or VerifyMac."""
        try:
            if self.signing_key is None:
                answer = self.kms.call(
                    "VerifyMac",
                    KeyId=self.asked_as,
                    Message=signing_input,
                    Mac=signature,
                    MacAlgorithm=algorithm.kms,
                )
                return bool(answer["MacValid"])
            kms_signature = kms_form(signature, self.spec)
            if kms_signature is None:
                return False
            message, message_type = signing_input, RAW
            if algorithm.signs_digests and len(message) > MAX_PLAINTEXT:
                digested = digest_message(io.BytesIO(message), algorithm.kms, self.public_key)
                message, message_type = digested.message, digested.message_type
            answer = self.kms.call(
                "Verify",
                KeyId=self.asked_as,
                Message=message,
                MessageType=message_type,
                Signature=kms_signature,
                SigningAlgorithm=algorithm.kms,
            )
        except ServiceError as error:
            if error.code not in _BAD:
                raise
            return False
        return bool(answer["SignatureValid"])  # KMS answers an error or true, other implementations false


def jws_form(signature: bytes, spec: str) -> bytes:
    """KMS's signature as JWS has it: of ECDSA r‖s (RFC 7518, section 3.4)."""
    read = read_signature(signature, spec)
    return signature if read is None else read.write(SignatureForm.R_S)


def kms_form(signature: bytes, spec: str) -> bytes | None:
    """A token's signature as KMS takes it: of ECDSA DER. None for bytes that are no r‖s of the curve."""
    if not has_two_forms(spec):
        return signature
    read = read_signature(signature, spec)
    return None if read is None or read.form is not SignatureForm.R_S else read.write(SignatureForm.DER)


def spec_for_tokens(key: PublicKey) -> str:
    """The key spec by whose algorithms a public key is judged; "" where no token is signed with its kind.

    RSA keys of sizes that KMS does not have are judged as those that it has. TokenError for one that is
    shorter than RFC 7518 allows (section 3.3).
    """
    loaded = key.loaded()
    if key.spec or not isinstance(loaded, rsa.RSAPublicKey):
        return key.spec
    if loaded.key_size < _LEAST_RSA_BITS:
        raise TokenError(
            TokenField.PUBLIC_KEY,
            f"The RSA key has {loaded.key_size:,} bits; tokens need at least {_LEAST_RSA_BITS:,} (RFC 7518).",
        )
    return "RSA_4096" if loaded.key_size >= 4096 else "RSA_2048"


def open_token_key(kms: Kms, key: str) -> TokenKey:
    """The key that an id, an ARN or an alias names, in the Region of an ARN.

    One call of GetPublicKey; for an HMAC key, which has none, also DescribeKey. TokenError for a key that
    neither signs nor makes MACs; KMS's own errors for the rest.
    """
    try:
        opened = open_signing_key(kms, key)
    except SigningError as error:
        if not isinstance(error.__cause__, ServiceError):  # it has a public key, of another usage
            raise TokenError(TokenField.KEY, str(error), next_step=error.next_step) from error
        there = kms.in_region_of(key)
        described = there.describe(key)
        if described.usage != KeyUsage.GENERATE_VERIFY_MAC:
            raise TokenError(
                TokenField.KEY,
                f"{key} is a symmetric encryption key: it signs no tokens.",
                next_step="Choose a key of usage SIGN_VERIFY or GENERATE_VERIFY_MAC.",
            ) from error
        return TokenKey(there, described.arn, key, described.spec)
    return TokenKey(opened.kms, opened.arn, key, opened.spec, opened)
