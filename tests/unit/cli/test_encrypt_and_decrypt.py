from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.envelope.header import describe
from kms_tui.kms.errors import ServiceError
from tests.unit.cli.conftest import Run
from tests.unit.envelope.fake_kms import FAR_KEY, KEY, OTHER_REGION, REGION, SECOND_KEY, FakeKms

PLAINTEXT = bytes(range(256)) * 9000


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain"
    path.write_bytes(PLAINTEXT)
    return path


def plain_base64(data: bytes) -> bytes:
    return base64.b64encode(data)


def wrapped(data: bytes) -> bytes:
    return base64.encodebytes(data)


def wrapped_with_crlf(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def url_safe(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data)


def url_safe_without_padding(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def quoted(data: bytes) -> bytes:
    return b'"' + base64.b64encode(data) + b'"\n'


def utf_8_with_a_mark(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + base64.b64encode(data)


def utf_16(data: bytes) -> bytes:
    return base64.encodebytes(data).decode().replace("\n", "\r\n").encode("utf-16")


def utf_16_without_a_mark(data: bytes) -> bytes:
    return f"'{base64.b64encode(data).decode()}'".encode("utf-16-le")


def utf_16_big_endian(data: bytes) -> bytes:
    return base64.b64encode(data).decode().encode("utf-16-be")


def hexadecimal(data: bytes) -> bytes:
    return data.hex().encode()


def hexadecimal_with_colons(data: bytes) -> bytes:
    return b"0x" + data.hex(":").upper().encode()


CARRIERS = (
    plain_base64,
    wrapped,
    wrapped_with_crlf,
    url_safe,
    url_safe_without_padding,
    quoted,
    utf_8_with_a_mark,
    utf_16,
    utf_16_without_a_mark,
    utf_16_big_endian,
    hexadecimal,
    hexadecimal_with_colons,
)


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_a_file_goes_there_and_back(run: Run, kms: FakeKms, plain: Path) -> None:
    done = run("encrypt", "plain", "-o", "sealed", "--key", "alias/files", "--context", "a=b=c")
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert describe(Path("sealed").read_bytes()).context == {"a": "b=c"}
    done = run("decrypt", "sealed", "-o", "opened")
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert Path("opened").read_bytes() == PLAINTEXT
    assert stat.S_IMODE(Path("opened").stat().st_mode) == 0o600
    assert names(plain.parent) == ["opened", "plain", "sealed"]


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_what_was_done_is_said_as_json(run: Run, plain: Path, raw: tuple[str, ...]) -> None:
    plain.write_bytes(b"small")
    json_of = ("--format", "json", "--context", "a=b")
    done = run("encrypt", "plain", "-o", "sealed", "--key", "alias/files", *raw, *json_of)
    assert (done.code, done.err) == (0, "")
    size = Path("sealed").stat().st_size
    sealed = json.loads(done.out)
    algorithm = "SYMMETRIC_DEFAULT" if raw else "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"
    assert sealed == {
        "output": "sealed",
        "keys": [KEY],
        "encryption_context": {"a": "b"},
        "algorithm": algorithm,
        "plaintext_bytes": 5,
        "ciphertext_bytes": size,
    }
    done = run("decrypt", "sealed", "-o", "opened", *json_of)
    assert json.loads(done.out) == {**sealed, "output": "opened"}
    assert Path("opened").read_bytes() == b"small"


@pytest.mark.parametrize("output", [(), ("-o", "-")])
def test_pipes_go_there_and_back(run: Run, output: tuple[str, ...]) -> None:
    sealed = run("encrypt", "-", *output, "--key", KEY, stdin=PLAINTEXT)
    assert sealed.code == 0
    opened = run("decrypt", "-", *output, stdin=sealed.out)
    assert (opened.code, opened.out) == (0, PLAINTEXT)


def test_nothing_unverified_goes_into_a_pipe(run: Run) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin=PLAINTEXT).out
    for damaged, word in ((sealed[:-1], "cut short"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "altered")):
        opened = run("decrypt", "-", stdin=damaged)
        assert (opened.code, opened.out) == (1, b"")
        assert word in opened.err


def test_connection_flags_are_accepted_after_the_command(run: Run, kms: FakeKms, plain: Path) -> None:
    assert run("encrypt", "plain", "-o", "sealed", "--key", FAR_KEY, "--region", OTHER_REGION).code == 0
    assert run("decrypt", "--region", REGION, "sealed", "-o", "opened").code == 0
    assert kms.calls == [(OTHER_REGION, "GenerateDataKey", FAR_KEY), (OTHER_REGION, "Decrypt", FAR_KEY)]


def test_several_keys_can_each_open_it(run: Run, plain: Path) -> None:
    run("encrypt", "plain", "-o", "sealed", "--key", KEY, "--key", FAR_KEY, "--signed")
    info = describe(Path("sealed").read_bytes())
    assert ([key.name for key in info.keys], info.signed) == ([KEY, FAR_KEY], True)


def test_a_read_only_session_may_encrypt(run: Run, plain: Path) -> None:
    assert run("encrypt", "plain", "-o", "sealed", "--key", KEY, "--read-only").code == 0


def test_an_existing_file_is_kept_unless_told(run: Run, kms: FakeKms, plain: Path) -> None:
    Path("sealed").write_bytes(b"precious")
    done = run("encrypt", "plain", "-o", "sealed", "--key", KEY)
    assert done.code == 1
    assert "sealed exists already" in done.err
    assert Path("sealed").read_bytes() == b"precious"
    assert kms.calls == []
    assert run("encrypt", "plain", "-o", "sealed", "--key", KEY, "--overwrite").code == 0
    assert [key.name for key in describe(Path("sealed").read_bytes()).keys] == [KEY]


def test_a_wrong_context_is_told_and_nothing_written(run: Run, plain: Path) -> None:
    run("encrypt", "plain", "-o", "sealed", "--key", KEY, "--context", "stage=dev")
    done = run("decrypt", "sealed", "-o", "opened", "--context", "stage=prod")
    assert done.code == 1
    assert "encryption context is not the one expected: stage" in done.err
    assert names(plain.parent) == ["plain", "sealed"]
    assert run("decrypt", "sealed", "-o", "opened", "--context", "stage=dev").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("encrypt", "plain", "-o", "x"),
        ("encrypt", "plain", "-o", "x", "--key", KEY, "--context", "novalue"),
        ("encrypt", "plain", "-o", "x", "--key", KEY, "--context", "=value"),
        ("encrypt", "plain", "-o", "x", "--key", KEY, "--context", "a=1", "--context", "a=2"),
        ("encrypt", "plain", "-o", "x", "--key", KEY, "--key", FAR_KEY, "--raw"),
        ("encrypt", "plain", "-o", "x", "--key", KEY, "--algorithm", "SYMMETRIC_DEFAULT"),
        ("encrypt", "plain", "-o", "x", "--key", KEY, "--demo", "--local"),
        ("encrypt", "plain", "--key", KEY, "--format", "json"),
        ("decrypt", "plain", "-o", "-", "--format", "json"),
        ("decrypt",),
    ],
)
def test_bad_usage_is_2_and_no_call_is_made(
    run: Run, kms: FakeKms, plain: Path, arguments: tuple[str, ...]
) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert "--help shows the usage" in done.err
    assert kms.calls == []
    assert names(plain.parent) == ["plain"]


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_help_tells_the_exit_codes(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.code == 0
    assert b"130" in done.out
    assert b"--profile" in done.out


def test_ciphertext_does_not_go_to_a_terminal(run: Run, kms: FakeKms, plain: Path) -> None:
    done = run("encrypt", "plain", "--key", KEY, terminal=("stdout",))
    assert (done.code, done.out, kms.calls) == (2, b"", [])


def test_plaintext_goes_to_a_terminal_only_when_asked(run: Run, kms: FakeKms) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin="naïve\tsecret\n".encode()).out
    calls = len(kms.calls)
    done = run("decrypt", "-", stdin=sealed, terminal=("stdout",))
    assert (done.code, done.out) == (2, b"")
    assert "--show" in done.err
    assert len(kms.calls) == calls
    assert (
        run("decrypt", "-", "--show", stdin=sealed, terminal=("stdout",)).out.decode() == "naïve    secret\n"
    )


def test_a_terminal_never_gets_control_characters(run: Run) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin=b"\x1b]52;c;eA==\x07").out
    shown = run("decrypt", "-", "--show", stdin=sealed, terminal=("stdout",)).out.decode()
    assert shown.startswith("00000000  1b 5d 35 32")
    assert "\x1b" not in shown
    sealed = run("encrypt", "-", "--key", KEY, stdin="\u202egnp.exe\rok".encode()).out
    shown = run("decrypt", "-", "--show", stdin=sealed, terminal=("stdout",)).out.decode()
    assert shown.strip("\n").isprintable()


def test_too_much_is_not_shown(run: Run) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin=b"x" * (1 << 21)).out
    done = run("decrypt", "-", "--show", stdin=sealed, terminal=("stdout",))
    assert (done.code, done.out) == (1, b"")
    assert "too many to show" in done.err


def test_show_changes_nothing_in_a_pipe(run: Run) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin=b"\x00\xff").out
    assert run("decrypt", "-", "--show", stdin=sealed).out == b"\x00\xff"


def test_progress_is_for_terminals_and_the_line_is_taken_back(run: Run, plain: Path) -> None:
    done = run("encrypt", "plain", "-o", "sealed", "--key", KEY, terminal=("stderr",))
    assert done.code == 0
    bars, _, last = done.err.rstrip().rpartition("\r")
    assert last.startswith("Encrypted 2.2 MiB in ")
    assert "% " in bars


def test_the_steps_are_told_when_asked(run: Run, plain: Path) -> None:
    done = run("encrypt", "plain", "-o", "sealed", "--key", "alias/files", "-v")
    assert done.err.splitlines()[0] == f"Asked KMS for a new data key under {KEY}."
    assert done.err.splitlines()[-1] == "Forgot the data key."
    assert "Had KMS decrypt the data key" in run("decrypt", "sealed", "-o", "opened", "-v").err


@pytest.mark.parametrize("encoding", ["binary", "base64", "hex"])
def test_a_plain_kms_ciphertext_is_recognised(run: Run, encoding: str) -> None:
    raw = run("encrypt", "-", "--key", KEY, "--raw", stdin=b"x" * 4096).out
    assert raw.startswith(KEY.encode())
    content = {"binary": raw, "base64": base64.encodebytes(raw), "hex": raw.hex().encode()}[encoding]
    assert run("decrypt", "-", "--key", KEY, stdin=content).out == b"x" * 4096


@pytest.mark.parametrize("reference", [KEY, KEY.rpartition("/")[2], "alias/files", SECOND_KEY])
def test_the_key_that_is_asked_for_is_the_one_that_opens(run: Run, kms: FakeKms, reference: str) -> None:
    sealed = run("encrypt", "-", "--key", KEY, "--key", SECOND_KEY, stdin=b"x").out
    kms.calls.clear()
    assert run("decrypt", "-", "--key", reference, stdin=sealed).out == b"x"
    assert kms.calls == [(REGION, "Decrypt", reference)]


@pytest.mark.parametrize("reference", [SECOND_KEY, SECOND_KEY.rpartition("/")[2], "alias/other", FAR_KEY])
def test_another_key_than_the_one_asked_for_opens_nothing(
    run: Run, kms: FakeKms, plain: Path, reference: str
) -> None:
    kms.aliases["alias/other"] = SECOND_KEY
    run("encrypt", "plain", "-o", "sealed", "--key", KEY)
    done = run("decrypt", "sealed", "-o", "opened", "--key", reference)
    assert done.code == 1
    assert f"The file was not sealed under {reference}. It names {KEY}." in done.err
    assert names(plain.parent) == ["plain", "sealed"]


def test_an_algorithm_for_a_message_that_names_its_own_is_refused(run: Run, kms: FakeKms) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin=b"x").out
    kms.calls.clear()
    done = run("decrypt", "-", "--key", KEY, "--algorithm", "RSAES_OAEP_SHA_1", stdin=sealed)
    assert (done.code, done.out, kms.calls) == (1, b"", [])
    assert "--algorithm is for a plain ciphertext" in done.err


_LARGE = bytes(range(256)) * 500


@pytest.mark.parametrize("size", [1, 20_000, len(_LARGE)])
@pytest.mark.parametrize("carried", CARRIERS, ids=lambda carried: carried.__name__)
def test_a_message_as_text_is_opened(run: Run, carried: Callable[[bytes], bytes], size: int) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin=_LARGE[:size]).out
    done = run("decrypt", "-", stdin=carried(sealed))
    assert (done.code, done.out, done.err) == (0, _LARGE[:size], "")


@pytest.mark.parametrize("carried", CARRIERS, ids=lambda carried: carried.__name__)
def test_a_ciphertext_as_text_is_opened(run: Run, carried: Callable[[bytes], bytes]) -> None:
    raw = run("encrypt", "-", "--key", KEY, "--raw", stdin=b"x" * 4096).out
    assert run("decrypt", "-", "--key", KEY, stdin=carried(raw)).out == b"x" * 4096


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-2],
        lambda text: text[:-3],
        lambda text: text[:60_000] + b"!" + text[60_001:],
        lambda text: text + b"AAAA",
        lambda text: b'"' + text,
        lambda text: b'"' + text + b'"x',
        lambda text: text[:60_000] + b"\xff" + text[60_000:],
    ],
)
def test_a_text_that_is_not_whole_is_told_and_nothing_written(
    run: Run, plain: Path, change: Callable[[bytes], bytes]
) -> None:
    sealed = run("encrypt", "-", "--key", KEY, stdin=_LARGE + b"x").out
    text = base64.b64encode(sealed)
    assert text.endswith(b"=")
    done = run("decrypt", "-", "-o", "opened", stdin=change(text))
    assert done.code == 1
    assert "cut short or altered" in done.err or "altered since it was sealed" in done.err
    assert names(plain.parent) == ["plain"]


def test_a_plain_ciphertext_has_a_limit_that_is_told(run: Run, kms: FakeKms) -> None:
    done = run("encrypt", "-", "--key", KEY, "--raw", stdin=b"x" * 4097)
    assert (done.code, done.out) == (1, b"")
    assert "4,096 bytes" in done.err
    assert "Leave out --raw" in done.err
    assert kms.calls == []


@pytest.mark.parametrize("blank", ["", "\n  "])
def test_the_answer_of_encrypt_is_opened(run: Run, blank: str) -> None:
    raw = run("encrypt", "-", "--key", KEY, "--raw", stdin=b"x").out
    answer = {"CiphertextBlob": base64.b64encode(raw).decode(), "KeyId": KEY}
    text = blank + json.dumps(answer, indent=4)
    assert run("decrypt", "-", "--key", KEY, stdin=text.encode()).out == b"x"


def test_json_without_a_ciphertext_is_told(run: Run, kms: FakeKms) -> None:
    for content in (b'{"KeyId": "x"}', b'{"CiphertextBlob": 1}'):
        done = run("decrypt", "-", stdin=content)
        assert (done.code, done.out, kms.calls) == (1, b"", [])
        assert "This is JSON without a CiphertextBlob" in done.err


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_file_is_told(run: Run, kms: FakeKms, content: bytes) -> None:
    done = run("decrypt", "-", stdin=content)
    assert (done.code, done.out, kms.calls) == (1, b"", [])
    assert "There is nothing to decrypt: the input is empty." in done.err


@pytest.mark.parametrize("content", [b"{", b"just a text\n", bytes(range(256)) * 28, b"\x02" + bytes(9000)])
def test_what_is_neither_is_refused_without_a_call(run: Run, kms: FakeKms, content: bytes) -> None:
    done = run("decrypt", "-", stdin=content)
    assert (done.code, done.out, kms.calls) == (1, b"", [])
    assert "AWS Encryption SDK's format" in done.err


def test_a_missing_file_is_a_sentence(run: Run) -> None:
    done = run("decrypt", "absent", "-o", "opened")
    assert (done.code, done.err) == (
        1,
        "kms-tui decrypt: absent could not be read: No such file or directory.\n",
    )


def test_errors_from_elsewhere_are_shown_without_what_a_terminal_obeys(run: Run, kms: FakeKms) -> None:
    def fail(region: str, operation: str) -> None:
        raise ServiceError("AccessDeniedException", "no\x1b]0;owned\x07", operation=operation)

    kms.before = fail
    done = run("encrypt", "-", "--key", KEY, stdin=b"x")
    assert done.code == 1
    assert "\x1b" not in done.err
    assert "owned" in done.err


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"-----BEGIN PGP MESSAGE-----\n\nhQ\n", "a PGP message"),
        (b"age-encryption.org/v1\n-> X25519 abc\n\x00\xff", "an age file"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "an ansible-vault file"),
        (b"a: ENC[AES256_GCM,data:x,type:str]\nsops:\n    kms: []\n", "a sops file"),
        (b'{"a": "ENC[AES256_GCM,data:x,type:str]", "sops": {"kms": []}}', "a sops file"),
        (b"-----BEGIN CMS-----\nMIIB\n-----END CMS-----\n", "a CMS structure"),
        (bytes.fromhex("308206aa06092a864886f70d010703a082") + bytes(90), "a CMS envelope"),
    ],
)
def test_what_is_no_ciphertext_of_kms_is_named(run: Run, content: bytes, name: str) -> None:
    done = run("decrypt", "-", stdin=content)
    assert (done.code, done.out) == (1, b"")
    assert f"This is {name}, not a ciphertext of KMS." in done.err
