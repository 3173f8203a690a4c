"""``kms-tui sign`` and ``verify``: files, lists of digests, and what they refuse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.signing_key import open_signing_key
from tests.unit.cli.conftest import Ended, Run
from tests.unit.signing.conftest import signing_account  # noqa: F401
from tests.unit.signing.judges import NEEDS_OPENSSL, judged

KEY = ("--key", "alias/ECC_NIST_P256")
Command = Callable[..., Ended]


@pytest.fixture
def command(run: Run, signing_account: Kms, monkeypatch: pytest.MonkeyPatch) -> Command:  # noqa: F811
    """A command on the account with a key of each kind, in a folder with the file ``app``."""
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda connection: signing_account.backend)
    Path("app").write_bytes(b"release 1.0\n" * 1000)
    Path("public.pem").write_text(open_signing_key(signing_account, KEY[1]).public_key.pem)
    return run


@NEEDS_OPENSSL
def test_a_signature_that_openssl_reads(command: Command, tmp_path: Path) -> None:
    ended = command("sign", "app", *KEY, "-o", "sig")
    assert (ended.code, ended.out, ended.err) == (0, b"", "sig: signature of app, raw\n")
    openssl = ["openssl", "dgst", "-sha256", "-verify", "public.pem", "-signature", "sig", "app"]
    assert judged(tmp_path, *openssl) == (0, "Verified OK\n")
    good = (0, b"GOOD: app: Good signature. (ECDSA_SHA_256)\n")
    for which in (KEY, ("--public-key", "public.pem")):
        ended = command("verify", "app", "--signature", "sig", *which)
        assert (ended.code, ended.out) == good
    Path("app").write_bytes(b"changed")
    ended = command("verify", "app", "--signature", "sig", *KEY)
    assert ended.code == 1
    assert ended.out.startswith(b"NOT GOOD: app: The signature is of another content")


def test_several_files_get_a_signature_beside_each(command: Command) -> None:
    Path("other").write_bytes(b"other")
    ended = command("sign", "app", "other", *KEY, "--format", "ssh")
    assert ended.code == 0
    assert Path("app.sig").read_text().startswith("-----BEGIN SSH SIGNATURE-----\n")
    ended = command("verify", "app", "other", "--public-key", "public.pem", "--format", "json")
    found = json.loads(ended.out)
    assert (ended.code, found["good"]) == (0, True)
    assert [each["file"] for each in found["files"]] == ["app", "other"]
    assert command("verify", "app", *KEY, "--namespace", "git").code == 1
    assert command("verify", "app", *KEY, "--namespace", "file").code == 0


def test_one_signature_for_a_release(command: Command, tmp_path: Path) -> None:
    Path("other").write_bytes(b"other")
    assert command("sign", "app", "other", *KEY, "--digests", "SHA256SUMS").code == 0
    assert judged(tmp_path, "sha256sum", "-c", "SHA256SUMS") == (0, "app: OK\nother: OK\n")
    assert command("verify", "--digests", "SHA256SUMS", *KEY).code == 0
    Path("other").write_bytes(b"changed")
    Path("app").unlink()
    ended = command("verify", "--digests", "SHA256SUMS", *KEY)
    assert ended.code == 1
    assert ended.out.decode().splitlines()[1:] == [
        "NOT GOOD: app: There is no such file.",
        "NOT GOOD: other: Its digest differs from the one listed.",
    ]
    Path("SHA256SUMS").write_text("0" * 64 + "  app\n")
    ended = command("verify", "--digests", "SHA256SUMS", *KEY)
    assert (ended.code, ended.out.count(b"\n")) == (1, 1)


def test_a_list_names_files_as_seen_from_its_own_folder(command: Command, tmp_path: Path) -> None:
    Path("dist").mkdir()
    Path("dist/other").write_bytes(b"other")
    files = ("app", "dist/other", str(tmp_path / "dist" / "other"))
    ended = command("sign", *files, *KEY, "--digests", "dist/SHA256SUMS")
    assert (ended.code, ended.err.splitlines()[0]) == (0, "dist/SHA256SUMS: the digests of 3 files")
    names = [line[66:] for line in Path("dist/SHA256SUMS").read_text().splitlines()]
    assert names == ["../app", "other", "other"]
    code, said = judged(tmp_path / "dist", "sha256sum", "-c", "SHA256SUMS")
    assert (code, said) == (0, "../app: OK\nother: OK\nother: OK\n")
    assert command("verify", "--digests", "dist/SHA256SUMS", *KEY).code == 0


@pytest.mark.parametrize("itself", ["./SHA256SUMS", "SHA256SUMS.sig"])
def test_a_list_does_not_list_itself(command: Command, itself: str) -> None:
    assert command("sign", "app", *KEY, "--digests", "SHA256SUMS").code == 0
    before = Path("SHA256SUMS").read_bytes()
    ended = command("sign", "app", itself, *KEY, "--digests", "SHA256SUMS", "--overwrite")
    assert (ended.code, "cannot be in the list" in ended.err) == (2, True)
    assert Path("SHA256SUMS").read_bytes() == before


@pytest.mark.parametrize("taken", ["SHA256SUMS", "SHA256SUMS.sig"])
def test_a_list_and_its_signature_are_written_both_or_neither(command: Command, taken: str) -> None:
    Path(taken).write_text("mine")
    ended = command("sign", "app", *KEY, "--digests", "SHA256SUMS")
    assert (ended.code, "exists already" in ended.err) == (1, True)
    assert sorted(each.name for each in Path().iterdir()) == [taken, "app", "public.pem"]
    Path(taken).unlink()
    assert command("sign", "nosuch", *KEY, "--digests", "SHA256SUMS").code == 1
    assert sorted(each.name for each in Path().iterdir()) == ["app", "public.pem"]


def signed_list(command: Command, content: bytes) -> Ended:
    """The verdict on a list that the key did sign."""
    Path("list").write_bytes(content)
    assert command("sign", "list", *KEY, "--overwrite").code == 0
    return command("verify", "--digests", "list", *KEY)


@pytest.mark.parametrize(
    "name", [b"n" * 300, b"x/" * 5000, b"a\0b", b".", b"app/x", b"/dev/zero", b"\xff\x1b"]
)
def test_a_listed_name_that_no_file_has(command: Command, name: bytes) -> None:
    ended = signed_list(command, b"%s  %s\n" % (b"0" * 64, name))
    assert ended.code == 1
    assert ended.out.decode().splitlines()[1].endswith(": There is no such file.")
    assert b"\x1b" not in ended.out


def test_other_forms_of_a_line(command: Command) -> None:
    digest = hashlib.sha256(Path("app").read_bytes()).hexdigest().encode()
    for line in (b"%s *app\n", b"%s  app\r\n", b"%s  app"):
        assert signed_list(command, line % digest).code == 0
    assert signed_list(command, b"SHA256 (app) = %s\n" % digest).code == 0
    ended = signed_list(command, b"SHA512 (app) = %s\n" % (digest * 2))
    assert (ended.code, "Line 1 is none of sha256sum" in ended.err) == (1, True)


def test_what_is_wrong_with_one_file_does_not_hide_the_others(command: Command) -> None:
    Path("other").write_bytes(b"other")
    Path("unsigned").write_bytes(b"")
    assert command("sign", "app", "other", *KEY).code == 0
    Path("other").unlink()
    ended = command("verify", "other", "unsigned", "app", *KEY)
    assert ended.code == 1
    said = ended.out.decode().splitlines()
    assert said[0].startswith("NOT GOOD: other: other could not be read")
    assert said[1].startswith("NOT GOOD: unsigned: There is no signature beside unsigned")
    assert said[2].startswith("GOOD: app: ")


def test_only_the_algorithm_that_is_asked_for(command: Command) -> None:
    assert command("sign", "app", "--key", "alias/RSA_2048", "--format", "ssh").code == 0
    verify = ("verify", "app", "--key", "alias/RSA_2048", "--algorithm")
    assert command(*verify, "RSASSA_PKCS1_V1_5_SHA_512").code == 0
    ended = command(*verify, "RSASSA_PSS_SHA_512")
    assert (ended.code, b"was made with RSASSA_PKCS1_V1_5_SHA_512, not with" in ended.out) == (1, True)


@pytest.mark.parametrize(
    ("key", "form", "note"),
    [
        ("ECC_NIST_P256", "raw", ""),
        ("ECC_NIST_EDWARDS25519", "raw", "openssl pkeyutl -verify -rawin does"),
        ("ECC_NIST_EDWARDS25519", "cms", "openssl cms does not verify Ed25519"),
        ("ECC_NIST_EDWARDS25519", "ssh", ""),
        ("ML_DSA_44", "raw", "OpenSSL 3.5 or newer verifies it, with openssl pkeyutl"),
        ("ML_DSA_44", "cms", "OpenSSL 3.5 or newer verifies it."),
    ],
)
def test_what_openssl_does_not_verify_is_said(command: Command, key: str, form: str, note: str) -> None:
    Path("short").write_bytes(b"short")
    more: tuple[str, ...] = ()
    if form == "cms":
        own = ("cert", "self-sign", "--key", f"alias/{key}", "--subject", "CN=a", "-o", "cert.pem")
        assert command(*own).code == 0
        more = ("--certificate", "cert.pem")
    ended = command("sign", "short", "--key", f"alias/{key}", "--format", form, *more)
    assert ended.code == 0
    assert note in ended.err
    assert ("note: " in ended.err) is bool(note)


@NEEDS_OPENSSL
def test_openssl_verifies_ed25519_as_the_note_says(command: Command, tmp_path: Path) -> None:
    Path("short").write_bytes(b"short")
    key = ("--key", "alias/ECC_NIST_EDWARDS25519")
    assert command("sign", "short", *key).code == 0
    assert command("public-key", *key, "-o", "ed.pem").code == 0
    verify = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "ed.pem", "-in", "short"]
    assert judged(tmp_path, *verify, "-sigfile", "short.sig")[0] == 0


def test_pipes(command: Command) -> None:
    ended = command("sign", "-", *KEY, "-o", "-", "--format", "base64", stdin=b"piped")
    assert ended.code == 0
    Path("sig").write_bytes(ended.out)
    assert command("verify", "-", "--signature", "sig", *KEY, stdin=b"piped").code == 0
    assert command("verify", "-", "--signature", "sig", *KEY, stdin=b"other").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "-", "--signature", "-", *KEY),
        ("verify", "-", "--signature", "sig", "--public-key", "-"),
        ("verify", "--digests", "-", "--signature", "-", *KEY),
        ("sign", "-", *KEY, "-o", "sig", "--format", "cms", "--certificate", "-"),
        ("ssh-sign", "-Y", "sign", "-f", "-", "-n", "git"),
    ],
    ids=" ".join,
)
def test_standard_input_is_read_once(command: Command, arguments: tuple[str, ...]) -> None:
    ended = command(*arguments)
    assert ended.code == 2
    assert "standard input can be read once only: give the other as a file" in ended.err


def test_a_file_that_exists_stays(command: Command) -> None:
    Path("app.sig").write_text("mine")
    ended = command("sign", "app", *KEY)
    assert ended.code == 1
    assert "exists already" in ended.err
    assert ended.err.endswith("Choose another name, or add --overwrite.\n")
    assert Path("app.sig").read_text() == "mine"
    assert command("sign", "app", *KEY, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("sign", "nosuch", *KEY), 1, "nosuch could not be read: No such file"),
        (("sign", ".", *KEY), 1, "could not be read: Is a directory"),
        (("sign", "app", "--key", "alias/nosuch"), 1, "alias/nosuch"),
        (("sign", "app", "--key", "alias/GENERATE_VERIFY_MAC-HMAC_256"), 1, "is a symmetric key"),
        (("sign", "app", *KEY, "--algorithm", "RSASSA_PSS_SHA_256"), 1, "does not sign with"),
        (("sign", "app", *KEY, "--format", "cms"), 1, "names its signer by a certificate"),
        (
            ("sign", "app", *KEY, "--format", "cms", "--certificate", "public.pem"),
            1,
            "public.pem holds a public key",
        ),
        (("sign", "app", "--key", "alias/ECC_NIST_EDWARDS25519"), 1, "at most 4,096 bytes"),
        (("sign", "app", "app", *KEY, "-o", "x"), 2, "-o names one signature"),
        (("sign", "app", *KEY, "-o", "./app", "--overwrite"), 2, "-o names the file that is signed"),
        (("sign", "app", *KEY, "--digests", "list", "-o", "list"), 2, "-o names the file that is signed"),
        (("sign", "-", *KEY), 2, "standard input is signed alone"),
        (("sign", "app", *KEY, "--namespace", "git"), 2, "--namespace goes with"),
        (("sign", "app", *KEY, "--certificate", "x"), 2, "--certificate goes with"),
        (("verify", *KEY), 2, "name what to verify"),
        (("verify", "app", *KEY), 1, "There is no signature beside app"),
        (("verify", "app", "--signature", "nosuch", *KEY), 1, "nosuch could not be read"),
        (("verify", "app", "--signature", "app", "--public-key", "app"), 1, "public key"),
        (("verify", "--digests", "app", "--signature", "public.pem", *KEY), 1, "PEM of a PUBLIC KEY"),
    ],
)
def test_what_is_refused(command: Command, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    before = sorted(Path().iterdir())
    ended = command(*arguments)
    assert (ended.code, ended.out) == (code, b"")
    assert sentence in ended.err
    assert sorted(Path().iterdir()) == before
