"""A message moved to another key: the same bytes, context and form, another data key."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.envelope.errors import AlteredError, CutShortError, EnvelopeError, KeysRefusedError
from kms_tui.envelope.header import describe, read_header, wrapped_data_keys
from kms_tui.envelope.message import Opening, seal, unseal
from kms_tui.envelope.resealing import Resealed, require_same, reseal
from tests.unit.envelope.fake_kms import FAR_KEY, KEY, OTHER_REGION, SECOND_KEY, FakeKms

CONTEXT = {"purpose": "test"}


def sealed(kms: FakeKms, plaintext: bytes, *, signed: bool = False, frame_length: int = 128) -> bytes:
    target = io.BytesIO()
    seal(
        io.BytesIO(plaintext),
        target,
        backend=kms,
        keys=[KEY],
        context=CONTEXT,
        signed=signed,
        frame_length=frame_length,
    )
    return target.getvalue()


def resealed(kms: FakeKms, message: bytes, *keys: str) -> tuple[bytes, Resealed]:
    target = io.BytesIO()
    done = reseal(io.BytesIO(message), target, opener=kms, sealer=kms, old_key=KEY, keys=keys or [SECOND_KEY])
    return target.getvalue(), done


def opened(kms: FakeKms, message: bytes, key: str) -> bytes:
    target = io.BytesIO()
    unseal(io.BytesIO(message), target, backend=kms, key=key)
    return target.getvalue()


@settings(max_examples=15, deadline=None)
@given(
    plaintext=st.binary(max_size=300), signed=st.booleans(), frame_length=st.sampled_from([128, 256, 1024])
)
def test_the_new_message_opens_to_the_same_bytes(plaintext: bytes, signed: bool, frame_length: int) -> None:
    kms = FakeKms()
    message = sealed(kms, plaintext, signed=signed, frame_length=frame_length)
    moved, done = resealed(kms, message)
    assert opened(kms, moved, SECOND_KEY) == plaintext
    before, after = describe(message), describe(moved)
    assert (before.suite, before.context, before.frame_length) == (
        after.suite,
        after.context,
        after.frame_length,
    )
    assert [key.name for key in after.keys] == [SECOND_KEY]
    assert done.opened_with == KEY
    require_same(io.BytesIO(moved), done.digest, backend=kms, key=SECOND_KEY)


def test_the_data_key_is_another_one() -> None:
    # With the old one, header and frames would be authenticated a second time under the same nonces.
    kms = FakeKms()
    message = sealed(kms, b"abc" * 100)
    moved, _ = resealed(kms, message)
    found = []
    for each in (message, moved):
        _, header = read_header(io.BytesIO(each))
        ((key, blob),), context = wrapped_data_keys(header)
        found.append(
            kms.call("Decrypt", {"KeyId": key, "CiphertextBlob": blob, "EncryptionContext": context})[
                "Plaintext"
            ]
        )
    assert found[0] != found[1]


def test_several_keys_can_open_the_new_message_even_in_another_region() -> None:
    kms = FakeKms()
    moved, _ = resealed(kms, sealed(kms, b"abc"), SECOND_KEY, FAR_KEY)
    assert opened(kms, moved, SECOND_KEY) == b"abc"
    assert opened(kms.in_region(OTHER_REGION), moved, FAR_KEY) == b"abc"


@pytest.mark.parametrize("signed", [False, True])
def test_an_altered_or_cut_message_is_not_moved(signed: bool) -> None:
    kms = FakeKms()
    message = sealed(kms, b"abc" * 100, signed=signed)
    altered = bytearray(message)
    altered[-150] ^= 1
    with pytest.raises(AlteredError):
        resealed(kms, bytes(altered))
    with pytest.raises(CutShortError):
        resealed(kms, message[:-1])
    with pytest.raises(AlteredError, match="more follows"):
        resealed(kms, message + b"x")


def test_another_plaintext_is_not_the_same() -> None:
    kms = FakeKms()
    moved, _ = resealed(kms, sealed(kms, b"abc"))
    with pytest.raises(AlteredError, match="same bytes"):
        require_same(io.BytesIO(moved), bytes(32), backend=kms, key=SECOND_KEY)


def test_a_key_that_may_not_be_used_is_named() -> None:
    kms = FakeKms()
    message = sealed(kms, b"abc")
    del kms.keys[KEY]
    with pytest.raises(KeysRefusedError, match=KEY):
        resealed(kms, message)


def test_a_stream_whose_data_key_is_forgotten_does_not_end_as_if_it_had_verified() -> None:
    kms = FakeKms()
    message = bytearray(sealed(kms, b"abc" * 100))
    message[-70] ^= 1
    opening = Opening(io.BytesIO(bytes(message)), backend=kms)
    assert opening.read(128)
    with pytest.raises(EnvelopeError):
        list(iter(lambda: opening.read(128), b""))
    with pytest.raises(ValueError, match="forgotten"):
        opening.read(128)
    assert not opening.is_verified
