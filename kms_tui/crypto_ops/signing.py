"""Sign and Verify for messages of any length, and operations with a downloaded public key."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from kms_tui.atomic import file_errors
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.calls import call_of, direct, send, signature_for_kms, whole_input
from kms_tui.crypto_ops.check import OverLimit, limit_of
from kms_tui.crypto_ops.inputs import FromFile, Input
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.results import Fact, Result, blob, read_answer, text_part
from kms_tui.crypto_ops.scratchpad_operations import OperationName
from kms_tui.envelope.streams import Progress
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import EXTERNAL_MU, RAW, SIGNING_ALGORITHMS
from kms_tui.kms.model import Secret

if TYPE_CHECKING:
    from kms_tui.public_key import Digested, PublicKey


def download(request: OperationRequest, kms: Kms) -> tuple[PublicKey, Result]:
    """GetPublicKey of the request's key, and the facts in its answer."""
    from kms_tui.public_key import PublicKey

    assert request.key is not None
    answer = kms.call("GetPublicKey", KeyId=request.key.arn)
    public_key, result = PublicKey.from_api(answer), read_answer("GetPublicKey", answer)
    facts = (Fact("Fingerprint", f"{public_key.fingerprint} (SHA-256)"), Fact("Key spec", public_key.spec))
    return public_key, replace(result, parts=(), facts=facts)


def public_key(request: OperationRequest, kms: Kms, _: Progress) -> Result:
    """The public key in each available form, with its fingerprints."""
    downloaded, result = download(request, kms)
    parts = [text_part("PEM", downloaded.pem), blob("DER", downloaded.der)]
    facts = [*result.facts]
    jwk, ssh = _if_any(downloaded.jwk), _if_any(downloaded.ssh_line)
    if jwk is not None:
        parts.append(text_part("JWK", json.dumps(jwk, indent=2)))
        facts.insert(1, Fact("Thumbprint", f"{downloaded.thumbprint} (RFC 7638)"))
    if ssh is not None:
        parts.append(text_part("SSH line", ssh))
        facts.insert(1, Fact("SSH", downloaded.ssh_fingerprint))
    pkcs1 = _if_any(downloaded.pkcs1_pem)
    if pkcs1 is not None:
        parts.append(text_part("PKCS #1", pkcs1))
    return replace(result, parts=tuple(parts), facts=tuple(facts))


_Form = TypeVar("_Form")


def _if_any(write: Callable[[], _Form]) -> _Form | None:
    """The form, or None where no standard gives this kind of key one."""
    from kms_tui.public_key import PublicKeyError

    try:
        return write()
    except PublicKeyError:
        return None


def encrypt_offline(request: OperationRequest, kms: Kms, _: Progress) -> Result:
    """Encrypt locally with the key's public key."""
    data = whole_input(request)
    assert data is not None
    downloaded, result = download(request, kms)
    return replace(
        result,
        parts=(blob("Ciphertext", downloaded.encrypt(data, request.algorithm)),),
        facts=(Fact("Algorithm", request.algorithm), *result.facts),
        sentence="Encrypted here with the public key: neither KMS nor CloudTrail saw the plaintext.",
    )


_BAD = frozenset({"KMSInvalidSignatureException", "KMSInvalidMacException"})
_GOOD_SENTENCE = "GOOD: made of this message with this key."
_BAD_SENTENCE = "NOT GOOD: not made of this message with this key and algorithm."


def sign(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Sign; a message over the limit is digested first, with the same signature."""
    return with_signature_forms(_ask(request, kms, progress), request.signing_spec)


def _ask(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Sign or Verify, with the message's digest where the message is over the limit."""
    digested = _digest_if_long(request, kms, progress, None)
    if digested is None:
        return direct(request, kms, progress)
    call = call_of(request, Secret(digested.message), message_type=digested.message_type)
    return replace(send(kms, call), sentence=digested.sentence)


def with_signature_forms(result: Result, spec: str) -> Result:
    """The result of Sign with the other forms of an ECDSA signature: r‖s, and on secp256k1 with low s."""
    from kms_tui.signing.signature_forms import SignatureForm, read_signature

    signature = read_signature(result.parts[0].value.reveal(), spec)
    if signature is None:
        return result
    parts = [*result.parts, blob("Signature as r‖s", signature.write(SignatureForm.R_S))]
    if spec == _LOW_S:
        low = signature.with_low_s()
        parts += [
            blob("Signature with low s", low.write(SignatureForm.DER)),
            blob("Signature as r‖s, low s", low.write(SignatureForm.R_S)),
        ]
    return replace(result, parts=tuple(parts))


_LOW_S = "ECC_SECG_P256K1"
"""The curve of Bitcoin and Ethereum, which take only the smaller s."""


def verify(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Verify or VerifyMac; a bad signature or MAC is a result, not an error."""
    ask = _ask if request.operation.api == "Verify" else direct
    try:
        result = ask(request, kms, progress)
    except ServiceError as error:
        if error.code not in _BAD:
            raise
        facts = (Fact("Algorithm", request.algorithm),)
        bad = Result(facts=facts, key_arn=request.key.arn if request.key else "")
        return _verdict(False, _form_words(request, good=False), bad)
    good = result.good is not False  # KMS answers an error or true, other implementations false
    more = f"{_form_words(request, good=good)} {result.sentence}".strip()
    return _verdict(good, more, result)


def verify_offline(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Verify locally with the downloaded public key."""
    public_key, result = download(request, kms)
    digested = _digest_if_long(request, kms, progress, public_key)
    if digested is None:
        message, message_type = whole_input(request), request.settings.get("message_type", RAW)
    else:
        message, message_type = Secret(digested.message), digested.message_type
    assert message is not None
    good = public_key.verify(message.reveal(), signature_for_kms(request), request.algorithm, message_type)
    facts = (Fact("Algorithm", request.algorithm), *result.facts)
    more = f"{_form_words(request, good=good)} {digested.sentence if digested else ''}".strip()
    return _verdict(good, more, replace(result, facts=facts))


def _form_words(request: OperationRequest, *, good: bool) -> str:
    """A sentence about the form of an ECDSA signature that is not the DER of KMS; "" for any other."""
    from kms_tui.signing.signature_forms import SignatureForm, has_two_forms, number_size, read_signature

    spec = request.signing_spec
    if request.operation.name is OperationName.VERIFY_MAC or not has_two_forms(spec):
        return ""
    read = read_signature(request.second_data, spec)
    if read is None:
        size = 2 * number_size(spec)
        return f"It is no ECDSA signature of this curve: neither DER nor r‖s, which has {size} bytes."
    if read.form is SignatureForm.DER:
        return ""
    if good:
        return "The right signature, written as r‖s, as in tokens; KMS writes DER."
    return "It is written as r‖s, and was checked as the same in DER."


def _verdict(good: bool, more: str, result: Result) -> Result:
    sentence = _GOOD_SENTENCE if good else _BAD_SENTENCE
    return replace(result, good=good, sentence=f"{sentence} {more}".rstrip())


def _digest_if_long(
    request: OperationRequest, kms: Kms, progress: Progress, public_key: PublicKey | None
) -> Digested | None:
    """The digest of a message over the limit; None for any other message."""
    limit = limit_of(request.operation, request.described_key, request.settings)
    assert request.given is not None
    if limit is None or limit.over is not OverLimit.DIGEST or request.given.size <= limit.most:
        return None
    from kms_tui.public_key import digest_message

    depends_on_key = EXTERNAL_MU in SIGNING_ALGORITHMS[request.algorithm].message_types
    if public_key is None and depends_on_key:
        public_key, _ = download(request, kms)
    total = request.given.size
    name = request.given.path if isinstance(request.given, FromFile) else "The message"
    with file_errors(name, "read"), _opened(request.given) as source:
        return digest_message(
            source, request.algorithm, public_key, progress=lambda done: progress.tick(done, total)
        )


def _opened(given: Input) -> BinaryIO:
    return given.path.open("rb") if isinstance(given, FromFile) else io.BytesIO(given.data.reveal())
