"""Files of every form under another key: what they hold is the same, and all else of them."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope import sops_file
from kms_tui.envelope.header import describe
from kms_tui.envelope.sops_file import SopsFile
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.reencryption.file_moves import move_file
from kms_tui.reencryption.file_task import FileOutcome, MoveOptions, Status
from kms_tui.reencryption.file_tree import FoundFile
from kms_tui.reencryption.key_move import prepared_move
from tests.unit.reencryption.samples import PLAINTEXT, SOPS_FORMS, Account, SopsSample


def named(path: Path) -> FoundFile:
    return FoundFile(path, Path(path.name), True)


def in_a_tree(path: Path) -> FoundFile:
    return FoundFile(path, Path(path.name), False)


def moved(path: Path, options: MoveOptions) -> FileOutcome:
    outcome = move_file(named(path), options)
    assert outcome.status is Status.MOVED, outcome
    return outcome


def file_of(tmp_path: Path, content: bytes | str, name: str = "file") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Plain ciphertexts


Carrier = Callable[[bytes], bytes]


def crlf(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def in_json(data: bytes) -> bytes:
    return json.dumps({"CiphertextBlob": base64.b64encode(data).decode(), "KeyId": "old", "x": 1}).encode()


CARRIERS: dict[str, tuple[Carrier, Carrier]] = {
    "bytes": (bytes, bytes),
    "base64": (base64.b64encode, base64.b64decode),
    "base64 and newline": (lambda data: base64.b64encode(data) + b"\n", base64.b64decode),
    "lines": (base64.encodebytes, base64.b64decode),
    "lines with CRLF": (crlf, base64.b64decode),
    "base64url": (lambda data: base64.urlsafe_b64encode(data).rstrip(b"="), lambda text: unpadded(text)),
    "quotes": (
        lambda data: b'"' + base64.b64encode(data) + b'"\n',
        lambda text: base64.b64decode(text[1:-2]),
    ),
    "hex": (lambda data: data.hex().upper().encode(), lambda text: bytes.fromhex(text.decode())),
    "JSON": (in_json, lambda text: base64.b64decode(json.loads(text)["CiphertextBlob"])),
}


def unpadded(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plaintext=st.binary(min_size=1, max_size=200), carrier=st.sampled_from(sorted(CARRIERS)))
def test_a_plain_ciphertext_keeps_plaintext_and_form(
    account: Account, tmp_path: Path, plaintext: bytes, carrier: str
) -> None:
    written, read = CARRIERS[carrier]
    content = written(account.encrypted(plaintext, account.old))
    path = file_of(tmp_path, content)
    outcome = move_file(in_a_tree(path), account.options(source=account.old))
    assert (outcome.status, outcome.keys) == (Status.MOVED, (account.old,))
    after = path.read_bytes()
    assert account.decrypted(read(after), account.new) == plaintext
    # Both ciphertexts are as long.
    assert shape(after.replace(account.new.encode(), b"old")) == shape(content)


def shape(content: bytes) -> object:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return len(content)
    return [len(line) for line in text.split("\n")], re.sub(r"[A-Za-z0-9+/_-]", "", text)


def test_the_plaintext_of_a_plain_ciphertext_stays_in_kms(account: Account, tmp_path: Path) -> None:
    calls: list[str] = []
    path = file_of(tmp_path, account.encrypted(b"secret", account.old))
    options = account.options()
    before = account.backend.call

    def call(operation: str, params: object) -> object:
        calls.append(operation)
        return before(operation, params)  # type: ignore[arg-type]

    account.backend.call = call  # type: ignore[method-assign, assignment]
    assert move_file(named(path), options).status is Status.MOVED
    assert calls == ["ReEncrypt"]


def test_the_encryption_context_is_kept_or_replaced(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, account.encrypted(b"x", account.old, {"a": "b"}))
    assert move_file(named(path), account.options()).status is Status.FAILED
    moved(path, account.options(context={"a": "b"}, new_context={"a": "b"}))
    assert account.decrypted(path.read_bytes(), account.new, {"a": "b"}) == b"x"
    moved(path, account.options(context={"a": "b"}, new_context={"c": "d"}))
    assert account.decrypted(path.read_bytes(), account.new, {"c": "d"}) == b"x"


def test_between_regions_it_is_decrypted_there_and_encrypted_here(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, account.encrypted(b"x", account.far))
    refused = move_file(named(path), account.options())
    assert (refused.status, "name its ARN with --from" in refused.next_step) == (Status.FAILED, True)
    said = "By Decrypt and Encrypt: its plaintext passes through memory."
    assert move_file(named(path), account.options(source=account.far, dry_run=True)).sentence == said
    assert moved(path, account.options(source=account.far)).sentence == said
    assert account.decrypted(path.read_bytes(), account.new) == b"x"
    moved(path, account.options(to=account.far, source=account.new))
    assert account.decrypted(path.read_bytes(), account.far) == b"x"


def test_between_accounts_with_credentials_of_their_own_too(account: Account, tmp_path: Path) -> None:
    theirs = account.backend.in_account("444455556666")
    key = str(theirs.call("CreateKey", {})["KeyMetadata"]["Arn"])

    def kms_for(reference: str) -> Kms:
        return Kms(theirs) if ":444455556666:" in reference else account.kms_for(reference)

    options = MoveOptions(prepared_move(kms_for, key, account.old), {}, {})
    samples = (
        account.encrypted(b"x", account.old),
        account.sealed(account.old, signed=True),
        SopsSample(account, account.old).yaml().encode(),
    )
    for content in samples:
        path = file_of(tmp_path, content)
        moved(path, options)
        assert move_file(named(path), options).status is Status.ALREADY


# Messages


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("wrap", [bytes, base64.b64encode, base64.encodebytes, crlf])
def test_a_message_is_sealed_anew(account: Account, tmp_path: Path, signed: bool, wrap: Carrier) -> None:
    path = file_of(tmp_path, wrap(account.sealed(account.old, signed=signed)))
    before = path.read_bytes()
    outcome = move_file(in_a_tree(path), account.options())
    assert (outcome.status, outcome.keys) == (Status.MOVED, (account.old,))
    after = path.read_bytes()
    message = after if wrap is bytes else base64.b64decode(after)
    assert account.unsealed(message, account.new) == PLAINTEXT
    if wrap is not bytes:
        assert set(map(len, after.splitlines()[:-1])) == set(map(len, before.splitlines()[:-1]))
        assert (after[-1:] == b"\n", b"\r\n" in after) == (before[-1:] == b"\n", b"\r\n" in before)


def test_the_other_keys_of_a_message_stay(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, account.sealed(account.old, account.other, account.far))
    outcome = move_file(named(path), account.options())
    assert outcome.status is Status.FAILED
    assert "--from" in outcome.next_step
    moved(path, account.options(source=account.old))
    names = {key.name for key in describe(path.read_bytes()).keys}
    assert names == {account.new, account.other, account.far}
    for key in names:
        assert account.unsealed(path.read_bytes(), key) == PLAINTEXT


def test_a_message_that_cannot_be_read_back_is_left(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, account.sealed(account.old))
    before = path.read_bytes()
    options = account.options()
    refuse_decryption(account, account.new)
    outcome = move_file(named(path), options)
    assert (outcome.status, path.read_bytes()) == (Status.FAILED, before)
    assert "could not be read back" in outcome.sentence
    assert os.listdir(tmp_path) == ["file"]
    without = account.options(read_back=False)
    moved(path, without)


def refuse_decryption(account: Account, key: str) -> None:
    before = account.backend.call

    def call(operation: str, params: object) -> object:
        if operation == "Decrypt" and isinstance(params, dict) and params.get("KeyId") == key:
            raise ServiceError("AccessDeniedException", "no", operation=operation)
        return before(operation, params)  # type: ignore[arg-type]

    account.backend.call = call  # type: ignore[method-assign, assignment]


# sops files


def read_sops(path: Path) -> SopsFile:
    found = sops_file.read(path.read_text())
    assert found is not None
    return found


@pytest.mark.parametrize("form", SOPS_FORMS)
def test_only_the_wrapped_data_key_of_a_sops_file_changes(
    account: Account, tmp_path: Path, form: str
) -> None:
    sample = SopsSample(account, account.old, account.other, context={"app": "orders"})
    path = file_of(tmp_path, getattr(sample, form)())
    before = path.read_text()
    outcome = move_file(in_a_tree(path), account.options(source=account.old))
    assert outcome.status is Status.MOVED
    file = read_sops(path)
    assert [key.arn.value for key in file.keys] == [account.new, account.other]
    assert account.decrypted(file.keys[0].blob(), account.new, {"app": "orders"}) == sample.data_key
    changed = [
        (a, b) for a, b in zip(before.split("\n"), path.read_text().split("\n"), strict=True) if a != b
    ]
    assert len(changed) == 3
    assert move_file(named(path), account.options(source=account.old)).status is Status.ALREADY


def test_a_sops_file_whose_mac_does_not_open_is_left(account: Account, tmp_path: Path) -> None:
    sample = SopsSample(account, account.old)
    sample.mac = sample.mac.replace("ENC[AES256_GCM,data:", "ENC[AES256_GCM,data:AAAA")
    path = file_of(tmp_path, sample.yaml())
    outcome = move_file(named(path), account.options())
    assert (outcome.status, path.read_text()) == (Status.FAILED, sample.yaml())
    assert "its MAC does not open with it" in outcome.sentence


def test_fragments_of_a_data_key_are_compared_with_the_old_ones(account: Account, tmp_path: Path) -> None:
    samples = [SopsSample(account, key) for key in (account.old, account.other)]
    groups = [{"kms": sample.entries()} for sample in samples]
    metadata = {"shamir_threshold": 2, "key_groups": groups, "lastmodified": "x", "mac": samples[0].mac}
    path = file_of(tmp_path, json.dumps({"a": 1, "sops": metadata}))
    outcome = moved(path, account.options(source=account.old))
    assert outcome.sentence == "Fragments of its data key wrapped anew: 1."
    first, second = read_sops(path).keys
    assert account.decrypted(first.blob(), account.new) == samples[0].data_key
    assert account.decrypted(second.blob(), account.other) == samples[1].data_key


def test_an_alias_in_a_sops_file_is_the_key_that_it_points_to(account: Account, tmp_path: Path) -> None:
    account.backend.call("CreateAlias", {"AliasName": "alias/files", "TargetKeyId": account.old})
    alias = account.old.partition(":key/")[0] + ":alias/files"
    path = file_of(tmp_path, SopsSample(account, account.old).yaml().replace(account.old, alias))
    moved(path, account.options(source=account.old))
    assert read_sops(path).keys[0].arn.value == account.new


@pytest.mark.parametrize(
    "name", ["arn:aws:kms:x.evil.example:1:key/a", "alias/x", "arn:aws:iam::1:role/a", "", "x" * 9999]
)
def test_a_name_that_is_no_key_arn_gets_no_call(account: Account, tmp_path: Path, name: str) -> None:
    text = SopsSample(account, account.old).json().replace(account.old, name)
    path = file_of(tmp_path, text)
    outcome = move_file(named(path), account.options())
    assert (outcome.status, path.read_text()) == (Status.FAILED, text)
    assert "not the ARN of a KMS key" in outcome.sentence
    assert len(outcome.sentence) < 300


def test_the_role_that_sops_assumes_is_told(account: Account, tmp_path: Path) -> None:
    role = "arn:aws:iam::111122223333:role/deploy"
    text = (
        SopsSample(account, account.old)
        .yaml()
        .replace("          enc:", f"          role: {role}\n          enc:")
    )
    path = file_of(tmp_path, text)
    assert f"sops opens it as {role}" in moved(path, account.options()).sentence
    assert f"          role: {role}\n" in path.read_text()


def test_a_sops_file_without_kms_keys_is_left_alone(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, SopsSample(account).yaml())
    assert move_file(in_a_tree(path), account.options()).status is Status.OTHER_KEY


def test_sops_is_asked_before_the_file_is_changed(account: Account, tmp_path: Path) -> None:
    asked: list[tuple[bytes, str]] = []

    def refuse(content: bytes, form: str) -> None:
        asked.append((content, form))
        raise KmsTuiError("sops does not open it.")

    text = SopsSample(account, account.old).yaml()
    path = file_of(tmp_path, text)
    assert move_file(named(path), account.options(check_sops=refuse)).status is Status.FAILED
    assert path.read_text() == text
    assert [(account.new.encode() in content, form) for content, form in asked] == [(True, "YAML")]


# All files


@pytest.mark.parametrize("kind", ["plain", "message", "sops"])
def test_a_dry_run_changes_nothing_and_says_what_would_be(
    account: Account, tmp_path: Path, kind: str
) -> None:
    content = {
        "plain": account.encrypted(b"x", account.old),
        "message": account.sealed(account.old, signed=True),
        "sops": SopsSample(account, account.old).yaml().encode(),
    }[kind]
    path = file_of(tmp_path, content)
    options = account.options(dry_run=True)
    outcome = move_file(named(path), options)
    assert (outcome.status, path.read_bytes()) == (Status.WOULD_MOVE, content)
    account.backend.call("DisableKey", {"KeyId": account.old})
    assert move_file(named(path), options).status is Status.FAILED
    account.backend.call("EnableKey", {"KeyId": account.old})
    moved(path, account.options())
    assert move_file(named(path), options).status is Status.ALREADY
    assert move_file(named(path), account.options()).status is Status.ALREADY


@pytest.mark.parametrize("operation", ["GenerateDataKey", "Encrypt"])
def test_a_dry_run_tries_the_sealing_too(account: Account, tmp_path: Path, operation: str) -> None:
    path = file_of(tmp_path, account.sealed(account.old, account.other))
    options = account.options(source=account.old, dry_run=True)
    assert move_file(named(path), options).status is Status.WOULD_MOVE
    before = account.backend.call

    def call(asked: str, params: object) -> object:
        if asked == operation:
            raise ServiceError("AccessDeniedException", "no", operation=asked)
        return before(asked, params)  # type: ignore[arg-type]

    account.backend.call = call  # type: ignore[method-assign, assignment]
    assert move_file(named(path), options).status is Status.FAILED


def test_a_file_under_another_key_is_left_alone(account: Account, tmp_path: Path) -> None:
    for content in (
        account.encrypted(b"x", account.other),
        account.sealed(account.other),
        SopsSample(account, account.other).yaml().encode(),
    ):
        path = file_of(tmp_path, content)
        outcome = move_file(named(path), account.options(source=account.old))
        assert (outcome.status, path.read_bytes()) == (Status.OTHER_KEY, content)


def test_mode_and_hard_links(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, account.encrypted(b"x", account.old))
    path.chmod(0o640)
    (tmp_path / "other").hardlink_to(path)
    outcome = moved(path, account.options())
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "hard links" in outcome.sentence


def test_results_go_to_another_folder(account: Account, tmp_path: Path) -> None:
    content = account.encrypted(b"x", account.old)
    path = file_of(tmp_path, content)
    out = tmp_path / "out"
    file = FoundFile(path, Path("a/b/file"), False)
    assert move_file(file, account.options(out_folder=out)).status is Status.MOVED
    assert path.read_bytes() == content
    assert account.decrypted((out / "a/b/file").read_bytes(), account.new) == b"x"
    again = move_file(file, account.options(out_folder=out))
    assert (again.status, "exists already" in again.sentence) == (Status.FAILED, True)
    assert "--overwrite" in again.next_step
    assert move_file(file, account.options(out_folder=out, overwrite=True)).status is Status.MOVED


def test_a_file_that_changes_meanwhile_is_left(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, account.encrypted(b"x", account.old))
    options = account.options()
    before = account.backend.call

    def call(operation: str, params: object) -> object:
        path.write_bytes(b"somebody else's")
        return before(operation, params)  # type: ignore[arg-type]

    account.backend.call = call  # type: ignore[method-assign, assignment]
    outcome = move_file(named(path), options)
    assert (outcome.status, path.read_bytes()) == (Status.FAILED, b"somebody else's")
    assert "has changed meanwhile" in outcome.sentence


def test_what_a_killed_run_left_is_removed(account: Account, tmp_path: Path) -> None:
    path = file_of(tmp_path, account.encrypted(b"x", account.old))
    left = file_of(tmp_path, b"half", ".file.0123456789ab.part")
    move_file(FoundFile(path, Path("file"), False, (left,)), account.options(dry_run=True))
    assert left.exists()
    move_file(FoundFile(path, Path("file"), False, (left,)), account.options())
    assert not left.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"hello\n", "no ciphertext of KMS"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", "age file"),
        (b"\x00" * 10_000, "no ciphertext of KMS"),
        (b"\xff\xfe\x00\xd8 sops", "no ciphertext of KMS"),
        (b"\x02\x05\x78" + b"\xff" * 200, "in the middle"),
        (b'{"CiphertextBlob": 1}', "no ciphertext of KMS"),
        (b"A" * 400, "InvalidCiphertextException"),
        (b"\xde\xad" * 100, "InvalidCiphertextException"),
    ],
)
def test_what_is_no_ciphertext_is_said_where_it_was_named(
    account: Account, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = file_of(tmp_path, content)
    outcome = move_file(named(path), account.options())
    assert outcome.status is Status.FAILED
    assert sentence in outcome.sentence
    tree = move_file(in_a_tree(path), account.options())
    is_message = content[:1] == b"\x02"
    assert tree.status is (Status.FAILED if is_message else Status.NO_CIPHERTEXT)
    assert path.read_bytes() == content


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["message", "sops", "json", "signed"]))
def test_a_damaged_file_is_never_changed(
    account: Account, tmp_path: Path, data: st.DataObject, kind: str
) -> None:
    content = bytearray(
        {
            "message": lambda: account.sealed(account.old),
            "signed": lambda: account.sealed(account.old, signed=True),
            "sops": lambda: SopsSample(account, account.old).yaml().encode(),
            "json": lambda: in_json(account.encrypted(b"x", account.old)),
        }[kind]()
    )
    end = data.draw(st.integers(0, len(content)))
    damaged = bytes(content[:end]) + data.draw(st.binary(max_size=8)) + bytes(content[end + 4 :])
    path = file_of(tmp_path, damaged)
    outcome = move_file(in_a_tree(path), account.options())
    if outcome.status is not Status.MOVED:
        assert path.read_bytes() == damaged
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("what", ["missing", "folder", "pipe", "link"])
def test_what_cannot_be_read_is_said(account: Account, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "link":
        path.symlink_to(file_of(tmp_path, account.encrypted(b"x", account.old)))
    outcome = move_file(in_a_tree(path), account.options())
    assert outcome.status is Status.UNREADABLE
    assert str(path) in outcome.sentence


# The keys


def test_a_destination_that_cannot_take_them_is_said_first(account: Account) -> None:
    made = {
        "RSA_2048": {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
        "HMAC_256": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    }
    for spec, params in made.items():
        key = account.backend.call("CreateKey", params)["KeyMetadata"]["Arn"]
        with pytest.raises(KmsTuiError, match=f"cannot take them: it is an {spec} key"):
            prepared_move(account.kms_for, key, None)
    account.backend.call("DisableKey", {"KeyId": account.new})
    with pytest.raises(KmsTuiError, match="its state is Disabled"):
        prepared_move(account.kms_for, account.new, None)
    with pytest.raises(ServiceError, match="NotFoundException"):
        prepared_move(account.kms_for, "alias/none", None)
    with pytest.raises(KmsTuiError, match="are one key"):
        prepared_move(account.kms_for, account.old, account.old)
