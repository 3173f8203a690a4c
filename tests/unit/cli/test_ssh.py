"""``kms-tui ssh-cert`` and ``ssh-sign``: what stock ssh-keygen and git make of them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from kms_tui.backend.kms_facade import Kms
from tests.unit.cli.conftest import Ended, Run
from tests.unit.signing.conftest import calls, signing_account  # noqa: F401
from tests.unit.signing.judges import NEEDS_GIT, NEEDS_SSH, judged

CA = ("--key", "alias/ECC_NIST_P384")
Command = Callable[..., Ended]
SECURITY_KEY = (
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIO9TFhjZd0s3miIz"
    "a8Xl0RpcO7o2VLrq4zWWGMUSGHuZAAAABHNzaDo= me"
)


@pytest.fixture
def command(run: Run, signing_account: Kms, monkeypatch: pytest.MonkeyPatch) -> Command:  # noqa: F811
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda connection: signing_account.backend)
    assert run("public-key", "--key", "alias/ECC_NIST_P256", "--format", "ssh", "-o", "ann.pub").code == 0
    return run


@NEEDS_SSH
@pytest.mark.parametrize("ca", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519"])
def test_a_user_certificate(command: Command, tmp_path: Path, ca: str) -> None:
    issue = ("ssh-cert", "ann.pub", "--key", f"alias/{ca}", "--principal", "ann")
    options = ("-O", "no-pty", "-O", "source-address=10.0.0.0/8", "-O", "force-command=/bin/true")
    ended = command(
        *issue,
        *options,
        "--serial",
        "7",
        "--id",
        "ann@corp",
        "--valid-from",
        "2026-11-20",
        "--valid-for",
        "5200w",
    )
    assert ended.code == 0, ended.err
    code, said = judged(tmp_path, "ssh-keygen", "-L", "-f", "ann-cert.pub")
    assert code == 0
    for part in ("user certificate", '"ann@corp"', "Serial: 7", "source-address 10.0.0.0/8", "user-rc"):
        assert part in said
    assert "permit-pty" not in said
    made = load_ssh_public_identity(Path("ann-cert.pub").read_bytes())
    assert isinstance(made, SSHCertificate)
    made.verify_cert_signature()


@NEEDS_SSH
def test_a_host_certificate_for_ever(command: Command, tmp_path: Path) -> None:
    ended = command("ssh-cert", "ann.pub", *CA, "--host", "--principal", "db1", "--valid-for", "forever")
    assert (ended.code, ended.out) == (0, b"")
    assert "Principals:       db1\n" in ended.err
    _, said = judged(tmp_path, "ssh-keygen", "-L", "-f", "ann-cert.pub")
    assert "host certificate" in said
    assert "Extensions: (none)" in said
    assert "Valid: after " in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "No principal is named"),
        (("--principal", "a", "--any-principal"), "Any principal is asked for, and some are named"),
        (("--principal", "a b"), "is no user or host name"),
        (("--principal", "a", "-O", "nonsense"), "ssh-keygen has no option nonsense"),
        (("--principal", "a", "-O", "source-address=10.0.0.1/8"), "is no network"),
        (("--principal", "a", "--host", "-O", "no-pty"), "host's certificate has no option"),
        (("--principal", "a", "--valid-for", "8"), "no span of time"),
        (("--principal", "a", "--valid-for", "100000d"), "is not between a second and 100 years"),
        (("--principal", "a", "--valid-from", "soon"), "is no time"),
        (("--principal", "a", "--valid-from", "2020-01-01"), "has ended already"),
        (("--principal", "a", "--serial", str(2**64)), "at most 64 bits"),
        (("--principal", "a", "--serial=-1"), "at most 64 bits"),
        (("--principal", "a", "--id", "\x1b[0m"), "is not printable"),
        (("--principal", ""), "is no user or host name"),
        (("--principal", "a", "--valid-from", "1960-01-01", "--valid-for", "forever"), "begins before 1970"),
        (("--principal", "a", "-O", "verify-required=5"), "ssh-keygen has no option verify-required=5"),
        (("--principal", "a", "-O", "force-command=a\x1b[31m"), "ssh-keygen has no option force-command=a"),
    ],
)
def test_a_certificate_that_is_refused(command: Command, arguments: tuple[str, ...], sentence: str) -> None:
    ended = command("ssh-cert", "ann.pub", *CA, *arguments)
    assert ended.code == 1
    assert sentence in ended.err
    assert not Path("ann-cert.pub").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "One line with an OpenSSH public key is expected"),
        ("ssh-ed25519 AAAA", "no OpenSSH public key"),
        ("x" * 70_000, "more than 65,536 bytes"),
        (SECURITY_KEY, "the key of a FIDO security key"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA a", "a certificate already"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n", "This is a private key"),
    ],
)
def test_a_file_that_is_no_public_key(command: Command, content: str, sentence: str) -> None:
    Path("bad.pub").write_text(content)
    ended = command("ssh-cert", "bad.pub", *CA, "--principal", "a")
    assert ended.code == 1
    assert sentence in ended.err
    assert "secret" not in ended.err


def test_nothing_is_signed_where_the_certificate_cannot_be_written(
    command: Command,
    calls: list[str],  # noqa: F811
) -> None:
    Path("ann-cert.pub").write_text("mine")
    ended = command("ssh-cert", "ann.pub", *CA, "--principal", "a")
    assert (ended.code, "exists already" in ended.err) == (1, True)
    assert (calls, Path("ann-cert.pub").read_text()) == ([], "mine")


def test_a_certificate_through_pipes(command: Command) -> None:
    ended = command("ssh-cert", "-", *CA, "--principal", "a", stdin=Path("ann.pub").read_bytes())
    assert ended.code == 0, ended.err
    assert ended.out.startswith(b"ecdsa-sha2-nistp256-cert-v01@openssh.com ")


def test_ssh_sign_that_is_stopped_leaves_no_file(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: object) -> bytes:
        os.kill(os.getpid(), signal.SIGTERM)
        return b""

    monkeypatch.setattr("kms_tui.signing.files.file_signatures.sign_file", stopped)
    Path("text").write_text("text")
    ended = command("ssh-sign", "-Y", "sign", "-n", "git", "-f", "ann.pub", "text")
    assert (ended.code, ended.out) == (128 + signal.SIGTERM, b"")
    assert sorted(each.name for each in Path().iterdir()) == ["ann.pub", "text"]


def test_a_kind_that_openssh_does_not_know(command: Command) -> None:
    ended = command("public-key", "--key", "alias/ECC_SECG_P256K1", "--format", "ssh")
    assert (ended.code, ended.out) == (1, b"")
    assert "OpenSSH has no form for ECC_SECG_P256K1" in ended.err


@NEEDS_SSH
def test_ssh_sign_signs_as_ssh_keygen_does(command: Command, tmp_path: Path) -> None:
    Path("text").write_text("text")
    ended = command("ssh-sign", "-Y", "sign", "-n", "git", "-f", "ann.pub", "text")
    assert (ended.code, ended.err) == (0, "Write signature to text.sig\n")
    Path("allowed").write_text(f"ann {Path('ann.pub').read_text()}")
    verify = ["ssh-keygen", "-Y", "verify", "-n", "git", "-f", "allowed", "-I", "ann", "-s", "text.sig"]
    assert judged(tmp_path, *verify, given=b"text")[0] == 0
    ended = command("ssh-sign", "-Y", "sign", "-n", "git", "-f", "ann.pub", stdin=b"text")
    assert ended.out.startswith(b"-----BEGIN SSH SIGNATURE-----\n")


def test_ssh_sign_wants_the_key_that_the_line_names(command: Command) -> None:
    line = Path("ann.pub").read_text().split()
    Path("bare.pub").write_text(" ".join(line[:2]))
    ended = command("ssh-sign", "-Y", "sign", "-n", "git", "-f", "bare.pub", stdin=b"text")
    assert "names no KMS key" in ended.err
    ended = command("ssh-sign", "-Y", "sign", "-n", "git", "-f", "bare.pub", *CA, stdin=b"text")
    assert "is not that of alias/ECC_NIST_P384" in ended.err
    assert ended.out == b""


@NEEDS_GIT
@NEEDS_SSH
def test_git_makes_a_signed_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    store = tmp_path / "store.db"
    from kms_tui.backend.local import open_default

    kms = Kms(open_default(store, region="eu-west-1", unlock=lambda new: None))
    arn = kms.call("CreateKey", KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    program = tmp_path / "ssh-sign"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kms_tui ssh-sign --store "{store}" "$@"\n')
    program.chmod(0o755)
    key = [
        sys.executable,
        "-m",
        "kms_tui",
        "public-key",
        "--format",
        "ssh",
        "--store",
        str(store),
        "--key",
        arn,
    ]
    code, line = judged(tmp_path, *key)
    assert code == 0, line
    (tmp_path / "ann.pub").write_text(line)
    (tmp_path / "allowed").write_text(f"ann@example.com {line}")
    settings = {
        "user.name": "Ann",
        "user.email": "ann@example.com",
        "user.signingKey": str(tmp_path / "ann.pub"),
        "gpg.format": "ssh",
        "gpg.ssh.program": str(program),
        "gpg.ssh.allowedSignersFile": str(tmp_path / "allowed"),
        "commit.gpgSign": "true",
    }
    git = ["git", *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))]
    assert judged(tmp_path, *git, "init", "-q", "work")[0] == 0
    code, said = judged(tmp_path / "work", *git, "commit", "--allow-empty", "-q", "-m", "Signed in KMS")
    assert code == 0, said
    code, said = judged(tmp_path / "work", *git, "verify-commit", "-v", "HEAD")
    assert code == 0, said
    assert 'Good "git" signature for ann@example.com' in said
