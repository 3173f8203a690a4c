"""What is done here with a downloaded public key."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.watch import Watch
from kms_tui.scratch.request import Request
from kms_tui.scratch.results import Fact, Part, Result, blob, read_answer, text_part
from kms_tui.scratch.sending import whole_input

if TYPE_CHECKING:
    from kms_tui.publickey import PublicKey


def download(request: Request, kms: Kms) -> tuple[PublicKey, Result]:
    """GetPublicKey of the request's key, and what the answer says of it."""
    from kms_tui.publickey import PublicKey

    assert request.key is not None
    answer = kms.call("GetPublicKey", KeyId=request.key.arn)
    public_key, result = PublicKey.from_api(answer), read_answer("GetPublicKey", answer)
    facts = (Fact("Fingerprint", f"{public_key.fingerprint} (SHA-256)"), Fact("Key spec", public_key.spec))
    return public_key, replace(result, parts=(), facts=facts)


def public_key(request: Request, kms: Kms, _: Watch) -> Result:
    """The public key in each form that there is for it."""
    downloaded, result = download(request, kms)
    parts = (text_part("PEM", downloaded.pem), blob("DER", downloaded.der), *_jwk(downloaded))
    return replace(result, parts=parts)


def _jwk(downloaded: PublicKey) -> tuple[Part, ...]:
    from kms_tui.publickey import PublicKeyError

    try:
        return (text_part("JWK", json.dumps(downloaded.jwk(), indent=2)),)
    except PublicKeyError:  # no standard gives this kind of key a JWK form, so there is none to show
        return ()


def encrypt_offline(request: Request, kms: Kms, _: Watch) -> Result:
    """A ciphertext for the key, made here."""
    data = whole_input(request)
    assert data is not None
    downloaded, result = download(request, kms)
    return replace(
        result,
        parts=(blob("Ciphertext", downloaded.encrypt(data, request.algorithm)),),
        facts=(Fact("Algorithm", request.algorithm), *result.facts),
        sentence="Encrypted here with the public key: neither KMS nor CloudTrail saw the plaintext.",
    )
