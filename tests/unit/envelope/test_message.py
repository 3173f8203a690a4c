from __future__ import annotations

import gc
import io
import os
import traceback
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest
from aws_encryption_sdk.streaming_client import StreamDecryptor, StreamEncryptor
from aws_encryption_sdk.structures import DataKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.envelope.errors import (
    AlteredError,
    CancelledByUserError,
    ContextMismatchError,
    CutShortError,
    EnvelopeError,
    KeysRefusedError,
    NotAMessageError,
    PieceTooLargeError,
)
from kms_tui.envelope.header import describe
from kms_tui.envelope.message import FRAME_LENGTH, Opened, seal, unseal
from kms_tui.envelope.streams import Progress, ProgressKind, ProgressStep
from kms_tui.kms.errors import KmsTuiError, ServiceError
from tests.unit.envelope.fake_kms import (
    ACCOUNT,
    FAR_KEY,
    KEY,
    OTHER_ACCOUNT,
    OTHER_REGION,
    REGION,
    SECOND_KEY,
    FakeKms,
    arn,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

CONTEXT = {"purpose": "test", "Stage": "dev"}
relaxed = settings(max_examples=40, deadline=None)


def sealed(
    kms: FakeKms,
    plaintext: bytes,
    *,
    keys: Sequence[str] = (KEY,),
    context: Mapping[str, str] | None = None,
    signed: bool = False,
    frame_length: int = FRAME_LENGTH,
) -> bytes:
    target = io.BytesIO()
    seal(
        io.BytesIO(plaintext),
        target,
        backend=kms,
        keys=keys,
        context=context,
        signed=signed,
        frame_length=frame_length,
    )
    return target.getvalue()


def opened(kms: FakeKms, message: bytes, *, context: Mapping[str, str] | None = None) -> bytes:
    target = io.BytesIO()
    unseal(io.BytesIO(message), target, backend=kms, context=context)
    return target.getvalue()


@relaxed
@given(
    st.binary(max_size=300),
    st.booleans(),
    st.sampled_from([128, 256, FRAME_LENGTH]),
    st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=3),
)
def test_what_was_sealed_is_opened(
    plaintext: bytes, signed: bool, frame_length: int, context: dict[str, str]
) -> None:
    kms = FakeKms()
    message = sealed(kms, plaintext, context=context, signed=signed, frame_length=frame_length)
    assert opened(kms, message, context=context) == plaintext


@pytest.mark.parametrize("size", [0, 1, FRAME_LENGTH - 1, FRAME_LENGTH, FRAME_LENGTH + 1, 3 * FRAME_LENGTH])
def test_sizes_around_a_frame_come_back(size: int) -> None:
    kms, plaintext = FakeKms(), os.urandom(size)
    message = sealed(kms, plaintext)
    target = io.BytesIO()
    result = unseal(io.BytesIO(message), target, backend=kms)
    assert target.getvalue() == plaintext
    assert result == Opened(describe(message), size, len(message), KEY)


def test_a_source_that_trickles_like_a_pipe_is_sealed_whole() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 7, 7))

    kms, target, plain = FakeKms(), io.BytesIO(), io.BytesIO()
    result = seal(Trickle(b"x" * 1000), target, backend=kms, keys=[KEY], frame_length=128)
    unseal(Trickle(target.getvalue()), plain, backend=kms)
    assert plain.getvalue() == b"x" * 1000
    assert result.plaintext_size == 1000
    assert result.message_size == len(target.getvalue())


def test_sealing_makes_one_call_and_opening_one() -> None:
    kms = FakeKms()
    opened(kms, sealed(kms, b"x", keys=["alias/files"]))
    assert kms.calls == [(REGION, "GenerateDataKey", "alias/files"), (REGION, "Decrypt", KEY)]


def test_any_of_several_keys_opens_even_in_another_region() -> None:
    kms = FakeKms()
    message = sealed(kms, b"x", keys=[KEY, FAR_KEY])
    assert kms.calls == [(REGION, "GenerateDataKey", KEY), (OTHER_REGION, "Encrypt", FAR_KEY)]
    for lost in (KEY, FAR_KEY):
        rest = FakeKms(keys={name: key for name, key in kms.keys.items() if name != lost})
        assert opened(rest, message) == b"x"


def test_the_key_of_ones_own_region_is_tried_first() -> None:
    kms = FakeKms()
    message = sealed(kms, b"x", keys=[KEY, FAR_KEY])
    for region, key in ((REGION, KEY), (OTHER_REGION, FAR_KEY)):
        kms.calls.clear()
        opened(kms.in_region(region), message)
        assert kms.calls == [(region, "Decrypt", key)]


def test_opening_goes_to_the_region_that_the_header_names() -> None:
    kms = FakeKms()
    message = sealed(kms.in_region(OTHER_REGION), b"x", keys=[FAR_KEY])
    assert opened(kms, message) == b"x"
    assert kms.calls[-1] == (OTHER_REGION, "Decrypt", FAR_KEY)


@pytest.mark.parametrize("replica_here", [True, False])
def test_a_multi_region_key_is_used_in_ones_own_region_where_it_is(replica_here: bool) -> None:
    primary, replica = arn(7, mrk=True, region=OTHER_REGION), arn(7, mrk=True)
    kms = FakeKms(keys={primary: b"k" * 32})
    message = sealed(kms, b"x", keys=[primary])
    kms.calls.clear()
    if replica_here:
        kms.keys[replica] = kms.keys[primary]
    assert opened(kms, message) == b"x"
    expected = [(REGION, "Decrypt", replica), (OTHER_REGION, "Decrypt", primary)]
    assert kms.calls == (expected[:1] if replica_here else expected)


def test_the_context_is_in_the_header_and_may_be_checked_in_part() -> None:
    kms = FakeKms()
    message = sealed(kms, b"x", context=CONTEXT, signed=True)
    assert describe(message).context == CONTEXT
    assert opened(kms, message, context={"Stage": "dev"}) == b"x"


@pytest.mark.parametrize("expected", [{"Stage": "prod"}, {"absent": ""}])
def test_an_unexpected_context_is_refused_before_any_call(expected: dict[str, str]) -> None:
    kms = FakeKms()
    message = sealed(kms, b"x", context=CONTEXT)
    kms.calls.clear()
    with pytest.raises(ContextMismatchError) as caught:
        opened(kms, message, context=expected)
    assert caught.value.names == tuple(expected)
    assert kms.calls == []


def test_context_names_of_the_encryption_sdk_are_refused() -> None:
    kms = FakeKms()
    with pytest.raises(EnvelopeError, match="reserved"):
        sealed(kms, b"x", context={"aws-crypto-public-key": "mine"})
    assert kms.calls == []


def test_a_context_too_large_for_the_format_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="too large"):
        sealed(FakeKms(), b"x", context={"k": "v" * 70_000})


@pytest.mark.parametrize("signed", [False, True])
def test_no_altered_bit_is_let_through(signed: bool) -> None:
    kms = FakeKms()
    message = sealed(kms, b"attack at dawn", context=CONTEXT, signed=signed, frame_length=128)
    for position in range(len(message)):
        altered = bytearray(message)
        altered[position] ^= 1 << position % 8
        with pytest.raises(EnvelopeError):
            opened(kms, bytes(altered))


@pytest.mark.parametrize("signed", [False, True])
def test_no_message_cut_short_is_let_through(signed: bool) -> None:
    kms = FakeKms()
    message = sealed(kms, b"attack at dawn" * 10, signed=signed, frame_length=128)
    for size in range(4, len(message)):
        with pytest.raises(CutShortError) as caught:
            opened(kms, message[:size])
        assert f"{size:,} bytes" in str(caught.value)


@pytest.mark.parametrize("signed", [False, True])
def test_more_after_the_end_is_refused(signed: bool) -> None:
    kms = FakeKms()
    with pytest.raises(AlteredError, match="more follows"):
        opened(kms, sealed(kms, b"x", signed=signed) + b"\n")


def test_frames_in_another_order_are_refused() -> None:
    kms = FakeKms()
    message = sealed(kms, b"a" * 128 + b"b" * 128, frame_length=128)
    frame = 4 + 12 + 128 + 16
    final = 8 + 12 + 4 + 16
    body = len(message) - final - 2 * frame
    first, second = message[body : body + frame], message[body + frame : body + 2 * frame]
    with pytest.raises(AlteredError):
        opened(kms, message[:body] + second + first + message[-final:])


@pytest.mark.parametrize(
    "content", [b"", b"\x02", b"\x01\x02\x02\x00" + b"x" * 60, b"PK\x03\x04", b"\x02\xff\xff!"]
)
def test_what_is_no_message_is_told_so(content: bytes) -> None:
    with pytest.raises(NotAMessageError):
        opened(FakeKms(), content)


def test_a_header_that_names_too_many_keys_costs_no_call() -> None:
    kms = FakeKms()
    message = bytearray(sealed(kms, b"x"))
    kms.calls.clear()
    message[37:39] = b"\xff\xff"
    with pytest.raises(NotAMessageError):
        opened(kms, bytes(message))
    assert kms.calls == []


def test_a_key_that_is_gone_is_named_with_the_reason() -> None:
    kms = FakeKms()
    message = sealed(kms, b"x")
    with pytest.raises(KeysRefusedError) as caught:
        opened(FakeKms(keys={}), message)
    assert KEY in str(caught.value)
    assert "does not exist" in str(caught.value)
    assert caught.value.next_step.startswith("Refresh")
    assert [refusal.key for refusal in caught.value.refusals] == [KEY]


def test_a_key_of_another_account_names_both_accounts() -> None:
    theirs = arn(9, account=OTHER_ACCOUNT)
    message = sealed(FakeKms(account_id=OTHER_ACCOUNT, keys={theirs: b"k" * 32}), b"x", keys=[theirs])

    def deny(region: str, operation: str) -> None:
        raise ServiceError("AccessDeniedException", "not authorized", operation=operation)

    with pytest.raises(KeysRefusedError) as caught:
        opened(FakeKms(before=deny), message)
    assert f"account {OTHER_ACCOUNT}, this session to {ACCOUNT}" in str(caught.value)


def test_a_key_of_another_partition_gets_no_call() -> None:
    kms = FakeKms()
    message = sealed(kms, b"x")
    china = FakeKms(partition="aws-cn")
    with pytest.raises(KeysRefusedError, match="partition"):
        opened(china, message)
    assert china.calls == []


@pytest.mark.parametrize(
    "name",
    [
        "arn:aws:kms:evil.example/:111122223333:key/x",
        "arn:aws:kms:eu-west-1:111122223333:alias/files",
        "arn:aws:s3:eu-west-1:111122223333:key/x",
        "not an arn",
    ],
)
def test_a_header_that_names_no_key_arn_gets_no_call(name: str) -> None:
    kms = FakeKms()
    message = sealed(kms, b"x")
    old, new = KEY.encode(), name.encode()
    forged = message.replace(len(old).to_bytes(2) + old, len(new).to_bytes(2) + new, 1)
    kms.calls.clear()
    with pytest.raises(KeysRefusedError, match="not the ARN of a KMS key"):
        opened(kms, forged)
    assert kms.calls == []


def test_a_data_key_opened_by_another_key_than_the_one_named_is_refused() -> None:
    class Confused(FakeKms):
        def _find(self, reference: str, operation: str) -> str:
            return super()._find(KEY if operation == "Decrypt" else reference, operation)

    kms = Confused()
    message = sealed(kms, b"x").replace(KEY.encode(), SECOND_KEY.encode(), 1)
    with pytest.raises(AlteredError):
        opened(kms, message)


def test_a_message_of_other_keys_than_kms_says_so() -> None:
    kms = FakeKms()
    message = sealed(kms, b"x").replace(b"aws-kms", b"raw-kms", 1)
    with pytest.raises(KeysRefusedError, match="not in AWS KMS"):
        opened(kms, message)


def test_the_backends_errors_pass_as_they_are_when_sealing() -> None:
    with pytest.raises(ServiceError) as caught:
        sealed(FakeKms(), b"x", keys=["alias/absent"])
    assert caught.value.code == "NotFoundException"


def test_a_piece_larger_than_memory_allows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kms = FakeKms()
    message = sealed(kms, b"x")
    monkeypatch.setattr("kms_tui.envelope.message.MAX_PIECE", FRAME_LENGTH - 1)
    with pytest.raises(PieceTooLargeError):
        opened(kms, message)


def test_progress_never_goes_back_and_ends_at_the_total() -> None:
    kms, seen = FakeKms(), list[tuple[int, int | None]]()
    plaintext = b"x" * 1000
    progress = Progress(progress=lambda done, total: seen.append((done, total)))
    target = io.BytesIO()
    seal(
        io.BytesIO(plaintext),
        target,
        backend=kms,
        keys=[KEY],
        total=1000,
        frame_length=128,
        progress=progress,
    )
    assert seen[0] == (0, 1000)
    assert seen[-1] == (1000, 1000)
    assert seen == sorted(seen)
    seen.clear()
    message = target.getvalue()
    unseal(io.BytesIO(message), io.BytesIO(), backend=kms, total=len(message), progress=progress)
    assert seen[-1] == (len(message), len(message))


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_cancelling_stops_before_the_next_frame(frames: int) -> None:
    kms = FakeKms()
    asked = iter([False] * frames + [True] * 99)
    progress = Progress(cancelled=lambda: next(asked))
    source = io.BytesIO(b"x" * 1000)
    with pytest.raises(CancelledByUserError):
        seal(source, io.BytesIO(), backend=kms, keys=[KEY], frame_length=128, progress=progress)
    assert source.tell() <= frames * 128
    assert bool(kms.calls) is bool(frames)


def test_the_steps_of_envelope_encryption_can_be_seen() -> None:
    kms, steps = FakeKms(), list[ProgressStep]()
    progress = Progress(step=steps.append)
    target = io.BytesIO()
    seal(io.BytesIO(b"abc"), target, backend=kms, keys=[KEY, SECOND_KEY], progress=progress)
    assert [step.kind for step in steps] == [
        ProgressKind.DATA_KEY_ASKED,
        ProgressKind.DATA_KEY_COPIED,
        ProgressKind.HEADER_STORED,
        ProgressKind.SEALED,
        ProgressKind.KEY_FORGOTTEN,
    ]
    assert steps[0].sentence == f"Asked KMS for a new data key under {KEY}."
    assert steps[3].sentence == "Sealed with the data key, here: 3 bytes, 1 frame."
    steps.clear()
    unseal(io.BytesIO(target.getvalue()), io.BytesIO(), backend=kms, progress=progress)
    assert [step.kind for step in steps] == [
        ProgressKind.HEADER_READ,
        ProgressKind.DATA_KEY_DECRYPTED,
        ProgressKind.VERIFIED,
        ProgressKind.KEY_FORGOTTEN,
    ]


def test_the_data_key_is_forgotten_when_the_step_says_so() -> None:
    kms, alive = FakeKms(), list[bool]()
    gc.freeze()
    before = holders()

    def count(step: ProgressStep) -> None:
        if step.kind in (ProgressKind.HEADER_STORED, ProgressKind.VERIFIED, ProgressKind.KEY_FORGOTTEN):
            alive.append(len(holders() - before) > 0)

    target = io.BytesIO()
    seal(io.BytesIO(b"abc"), target, backend=kms, keys=[KEY], progress=Progress(step=count))
    unseal(io.BytesIO(target.getvalue()), io.BytesIO(), backend=kms, progress=Progress(step=count))
    assert alive == [True, False, True, False]


@pytest.mark.parametrize("fault", ["altered", "cancelled", "disk"])
def test_an_error_holds_on_to_neither_data_key_nor_plaintext(fault: str) -> None:
    class Full(io.BytesIO):
        def write(self, data: Buffer, /) -> int:
            raise OSError("full")

    kms, secret = FakeKms(), b"attack at dawn " * 100
    message = sealed(kms, secret, frame_length=128)
    gc.freeze()
    before, asked = holders(), iter([False, fault == "cancelled"] + [False] * 99)
    source = io.BytesIO(message[:-1] + b"?")
    target = Full() if fault == "disk" else io.BytesIO()
    with pytest.raises((KmsTuiError, OSError)) as caught:
        unseal(source, target, backend=kms, progress=Progress(cancelled=lambda: next(asked)))
    kept: list[object] = []
    error: BaseException | None = caught.value
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        kept += [value for frame in frames if not is_test(frame) for value in frame.f_locals.values()]
        error = error.__cause__ or error.__context__
    assert len(kept) > 5
    assert not [value for value in kept if isinstance(value, bytes) and b"attack" in value]
    assert holders() <= before


def is_test(frame: FrameType) -> bool:
    return frame.f_code.co_filename == __file__


def holders() -> set[int]:
    """Those made since ``gc.freeze()``, which spares a look at all that the tests before have left."""
    kinds = (DataKey, StreamEncryptor, StreamDecryptor)
    return {id(thing) for thing in gc.get_objects() if isinstance(thing, kinds)}


def test_a_step_may_quote_braces_from_a_header() -> None:
    assert ProgressStep(ProgressKind.DATA_KEY_DECRYPTED, "{0} {x}").sentence.endswith("{0} {x}.")


def test_errors_are_all_of_the_one_tree() -> None:
    assert issubclass(EnvelopeError, KmsTuiError)


class _OpenedByAnother(FakeKms):
    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = super().call(operation, params)
        return {**answer, "KeyId": SECOND_KEY} if operation == "Decrypt" else answer


def test_a_data_key_that_another_key_opened_is_not_used() -> None:
    kms = _OpenedByAnother()
    with pytest.raises(AlteredError):
        opened(kms, sealed(kms, b"x"))
