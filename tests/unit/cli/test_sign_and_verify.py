"""``kms-tui sign`` and ``verify``: files, lists of digests, and what they refuse."""

from __future__ import annotations

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
        "NOT GOOD: app: It is not there.",
        "NOT GOOD: other: Its digest differs from the one listed.",
    ]
    Path("SHA256SUMS").write_text("0" * 64 + "  app\n")
    ended = command("verify", "--digests", "SHA256SUMS", *KEY)
    assert (ended.code, ended.out.count(b"\n")) == (1, 1)


def test_pipes(command: Command) -> None:
    ended = command("sign", "-", *KEY, "-o", "-", "--format", "base64", stdin=b"piped")
    assert ended.code == 0
    Path("sig").write_bytes(ended.out)
    assert command("verify", "-", "--signature", "sig", *KEY, stdin=b"piped").code == 0
    assert command("verify", "-", "--signature", "sig", *KEY, stdin=b"other").code == 1


def test_a_file_that_exists_stays(command: Command) -> None:
    Path("app.sig").write_text("mine")
    ended = command("sign", "app", *KEY)
    assert ended.code == 1
    assert "exists already" in ended.err
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
            "certificate is neither",
        ),
        (("sign", "app", "--key", "alias/ECC_NIST_EDWARDS25519"), 1, "at most 4,096 bytes"),
        (("sign", "app", "app", *KEY, "-o", "x"), 2, "-o names one signature"),
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
