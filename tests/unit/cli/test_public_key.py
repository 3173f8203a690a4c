"""``kms-tui public-key``: a key of KMS or of a file in each form, and what stock tools make of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.public_key import PublicKey
from kms_tui.signing.public_key_reading import read_public_key
from tests.unit.cli.conftest import Ended, Run
from tests.unit.signing.conftest import SIGNING_SPECS, signing_account  # noqa: F401
from tests.unit.signing.judges import NEEDS_OPENSSL, NEEDS_SSH, judged

Command = Callable[..., Ended]


@pytest.fixture
def command(run: Run, signing_account: Kms, monkeypatch: pytest.MonkeyPatch) -> Command:  # noqa: F811
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda connection: signing_account.backend)
    return run


@pytest.mark.parametrize("spec", SIGNING_SPECS)
def test_each_form_is_read_again(command: Command, spec: str) -> None:
    found = json.loads(command("public-key", "--key", f"alias/{spec}", "--format", "json").out)
    assert found["key_spec"] == spec
    forms = [form for form in ("pem", "pkcs1", "jwk", "ssh") if form in found]
    assert {"pem", "jwk"} <= set(forms)
    for form in (*forms, "der"):
        ended = command("public-key", "--key", f"alias/{spec}", "--format", form, "-o", f"key.{form}")
        assert ended.code == 0
        assert read_public_key(Path(f"key.{form}").read_bytes()).key.fingerprint == found["sha256"]
    from_file = json.loads(command("public-key", "key.pem", "--format", "json").out)
    assert from_file["thumbprint"] == found["thumbprint"]


@NEEDS_OPENSSL
@NEEDS_SSH
def test_stock_tools_see_the_same_fingerprints(command: Command, tmp_path: Path) -> None:
    for form in ("pem", "ssh"):
        command("public-key", "--key", "alias/ECC_NIST_P384", "--format", form, "-o", f"key.{form}")
    facts = command("public-key", "key.pem", "--format", "facts").out.decode()
    code, said = judged(tmp_path, "ssh-keygen", "-l", "-f", "key.ssh")
    assert (code, said.split()[1] in facts) == (0, True)
    code, said = judged(
        tmp_path, "openssl", "pkey", "-pubin", "-in", "key.pem", "-outform", "der", "-out", "der"
    )
    assert (code, PublicKey((tmp_path / "der").read_bytes()).fingerprint in facts) == (0, True)


def test_keys_of_other_usages_have_one_too(command: Command) -> None:
    for alias in ("ENCRYPT_DECRYPT-RSA_2048", "ENCAPSULATE_DECAPSULATE-ML_KEM_768"):
        assert command("public-key", "--key", f"alias/{alias}").out.startswith(b"-----BEGIN PUBLIC KEY-----")
        assert command("public-key", "--key", f"alias/{alias}", "--format", "facts").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "name a FILE, or --key"),
        (("x", "--key", "y"), 2, "name a FILE, or --key"),
        (("nosuch",), 1, "nosuch could not be read"),
        (("--key", "alias/ECC_SECG_P256K1", "--format", "ssh"), 1, "OpenSSH has no form"),
        (("--key", "alias/ECC_NIST_P256", "--format", "pkcs1"), 1, "Only RSA keys have a PKCS #1 form"),
        (("--key", "alias/ENCRYPT_DECRYPT-SYMMETRIC_DEFAULT"), 1, "UnsupportedOperationException"),
    ],
)
def test_what_is_refused(command: Command, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    ended = command("public-key", *arguments)
    assert (ended.code, ended.out) == (code, b"")
    assert sentence in ended.err
