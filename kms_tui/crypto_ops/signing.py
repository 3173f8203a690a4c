"""Sign and Verify for messages of any length, and operations with a downloaded public key."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from kms_tui.atomic import file_errors
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.calls import call_of, direct, send, whole_input
from kms_tui.crypto_ops.check import OverLimit, limit_of
from kms_tui.crypto_ops.inputs import FromFile, Input
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.results import Fact, Part, Result, blob, read_answer, text_part
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
    """The public key in each available form."""
    downloaded, result = download(request, kms)
    parts = (text_part("PEM", downloaded.pem), blob("DER", downloaded.der), *_jwk(downloaded))
    return replace(result, parts=parts)


def _jwk(downloaded: PublicKey) -> tuple[Part, ...]:
    from kms_tui.public_key import PublicKeyError

    try:
        return (text_part("JWK", json.dumps(downloaded.jwk(), indent=2)),)
    except PublicKeyError:  # no standard gives this kind of key a JWK form, so there is none to show
        return ()


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
    digested = _digest_if_long(request, kms, progress, None)
    if digested is None:
        return direct(request, kms, progress)
    call = call_of(request, Secret(digested.message), message_type=digested.message_type)
    return replace(send(kms, call), sentence=digested.sentence)


def verify(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Verify or VerifyMac; a bad signature or MAC is a result, not an error."""
    ask = sign if request.operation.api == "Verify" else direct
    try:
        result = ask(request, kms, progress)
    except ServiceError as error:
        if error.code not in _BAD:
            raise
        facts = (Fact("Algorithm", request.algorithm),)
        return _verdict(False, "", Result(facts=facts, key_arn=request.key.arn if request.key else ""))
    return _verdict(True, result.sentence, result)


def verify_offline(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Verify locally with the downloaded public key."""
    public_key, result = download(request, kms)
    digested = _digest_if_long(request, kms, progress, public_key)
    if digested is None:
        message, message_type = whole_input(request), request.settings.get("message_type", RAW)
    else:
        message, message_type = Secret(digested.message), digested.message_type
    assert message is not None
    good = public_key.verify(message.reveal(), request.second_data, request.algorithm, message_type)
    facts = (Fact("Algorithm", request.algorithm), *result.facts)
    return _verdict(good, digested.sentence if digested else "", replace(result, facts=facts))


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
