"""What can be known of a ciphertext without decrypting it."""

from __future__ import annotations

from kms_tui.crypto_ops.inputs import Entered, in_words
from kms_tui.crypto_ops.results import Fact
from kms_tui.crypto_ops.sealing import is_message
from kms_tui.kms.errors import KmsTuiError

_LIKE_AWS = (b"\x01\x02\x02\x00\x78", b"\x01\x02\x03\x00\x78")
"""How ciphertext of AWS's symmetric keys has begun for years (AQICAH, AQIDAH in base64); undocumented."""
_RSA_SIZES = {256: "RSA_2048", 384: "RSA_3072", 512: "RSA_4096"}


def known(given: Entered) -> tuple[Fact, ...]:
    """Facts about a ciphertext, all of them untrusted; slow the first time."""
    data = given.data.reveal()
    if is_message(given):
        return _of_message(data)
    from kms_tui.backend.local.engine import ciphertext_blob

    parsed = ciphertext_blob.parse(data)
    if parsed is not None:
        return (Fact("Key", parsed.key_id), Fact("Account", f"{parsed.account}, offline"))
    if data.startswith(_LIKE_AWS):
        return (Fact("Format", "as AWS KMS makes it with a symmetric key, which only KMS can name"),)
    if len(data) in _RSA_SIZES:
        return (Fact("Format", f"as long as one of {_RSA_SIZES[len(data)]}; it would not name its key"),)
    return ()


def _of_message(data: bytes) -> tuple[Fact, ...]:
    from kms_tui.envelope.header import describe

    try:
        info = describe(data)
    except KmsTuiError as error:
        return (Fact("Format", str(error)),)
    return (
        Fact("Format", "AWS Encryption SDK message"),
        *(Fact("Key", key.name) for key in info.keys),
        Fact("Suite", info.suite),
        Fact("Context", in_words(info.context)),
    )
