"""``kms-tui jwt``: what it prints, its exit codes, and its sentences for what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import open_store
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.public_key import PublicKey
from tests.unit.cli.conftest import Run

SPECS = {"ECC_NIST_P256": "SIGN_VERIFY", "RSA_2048": "SIGN_VERIFY", "HMAC_256": "GENERATE_VERIFY_MAC"}


@pytest.fixture(scope="module")
def account() -> Iterator[Kms]:
    with open_store(None) as store:
        kms = Kms(LocalBackend(store, account_id="111122223333", region="eu-west-1"))
        for spec, usage in SPECS.items():
            made = kms.call("CreateKey", KeySpec=spec, KeyUsage=usage)
            kms.create_alias(f"alias/{spec}", made["KeyMetadata"]["KeyId"])
        yield kms


@pytest.fixture(autouse=True)
def opened(run: Run, account: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ``run``, whose commands then open the account."""
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda connection: account.backend)


def signed(run: Run, key: str = "ECC_NIST_P256", *flags: str, claims: str = '{"sub": "orders"}') -> str:
    ended = run("jwt", "sign", "--key", f"alias/{key}", "--claims", claims, *flags)
    assert ended.code == 0, ended.err
    token = ended.out.decode()
    assert token.count("\n") == 1
    return token.strip()


def test_sign_prints_the_token_alone(run: Run, account: Kms) -> None:
    ended = run("jwt", "sign", "--key", "alias/ECC_NIST_P256", "--claims", '{"sub": "orders"}')
    assert ended.err == (
        "kms-tui jwt: The token has no expiry (exp): it is good for as long as the key is trusted.\n"
    )
    public = PublicKey.from_api(account.call("GetPublicKey", KeyId="alias/ECC_NIST_P256"))
    token = ended.out.decode().strip()
    assert jwt.decode(token, public.pem, algorithms=["ES256"]) == {"sub": "orders"}
    assert jwt.get_unverified_header(token)["kid"] == public.thumbprint


def test_claims_come_from_files_pipes_and_flags(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes('\ufeff{"sub": "a"}'.encode("utf-16-le"))
    for arguments, stdin in ((("--claims", "@c.json"), b""), (("--claims", "-"), b'{"sub": "a"}')):
        ended = run("jwt", "sign", "--key", "alias/RSA_2048", *arguments, "--expires-in", "5m", stdin=stdin)
        assert (ended.code, ended.err) == (0, "")
        assert jwt.decode(ended.out.strip(), options={"verify_signature": False})["sub"] == "a"
    token = signed(
        run, "RSA_2048", "--algorithm", "PS384", "--claim", "n:=5", "--issuer", "me", "--kid", "none"
    )
    assert jwt.get_unverified_header(token) == {"alg": "PS384", "typ": "JWT"}
    assert jwt.decode(token, options={"verify_signature": False}) == {"sub": "orders", "n": 5, "iss": "me"}


def test_preview_signs_nothing(run: Run) -> None:
    ended = run("jwt", "sign", "--key", "alias/HMAC_256", "--claims", '{"sub": "o\\u202e"}', "--preview")
    assert ended.code == 0
    assert b"one call of GenerateMac" in ended.out
    assert "\u202e" not in ended.out.decode()


def test_verify_with_kms_offline_a_file_and_a_jwks(run: Run, account: Kms, tmp_path: Path) -> None:
    token = signed(run, "ECC_NIST_P256", "--expires-in", "15m", "--audience", "api")
    (tmp_path / "t").write_text(f"Bearer {token}\r\n")
    public = PublicKey.from_api(account.call("GetPublicKey", KeyId="alias/ECC_NIST_P256"))
    (tmp_path / "k.pem").write_text(public.pem)
    (tmp_path / "jwks.json").write_bytes(run("jwt", "jwks", "--key", "alias/ECC_NIST_P256").out)
    for way in (
        ("--key", "alias/ECC_NIST_P256"),
        ("--key", "alias/ECC_NIST_P256", "--offline"),
        ("--public-key", "k.pem"),
        ("--public-key", "jwks.json"),
        ("--jwks", "jwks.json"),
    ):
        for given, stdin in ((token, ""), ("@t", ""), ("-", token)):
            ended = run("jwt", "verify", given, *way, "--audience", "api", stdin=stdin.encode())
            assert ended.code == 0, ended
            out = ended.out.decode()
            around = "· token       What stood around it was left out: Bearer.\n" if given == "@t" else ""
            assert out.startswith(f"VALID\n{around}✓ signature   Good")
            assert "✓ expiry      It expires in 14 min" in out or "It expires in 15 min" in out
            assert '"sub": "orders"' in out
    late = run("jwt", "verify", token, "--public-key", "k.pem", "--at", "2099-01-01", "--leeway", "1m")
    assert late.code == 1
    assert late.out.decode().startswith("NOT VALID\n✓ signature")
    assert "✗ expiry      It expired 7" in late.out.decode()
    answer = json.loads(run("jwt", "verify", token, "--key", "alias/RSA_2048", "--format", "json").out)
    assert answer["valid"] is False
    assert answer["claims"]["sub"] == "orders"
    mac = signed(run, "HMAC_256")
    assert run("jwt", "verify", mac, "--key", "alias/HMAC_256").code == 0
    ended = run("jwt", "verify", mac, "--key", "alias/HMAC_256", "--offline")
    assert (ended.code, ended.out) == (2, b"")
    assert "only KMS can verify with it" in ended.err


def test_show_judges_the_times_and_no_signature(run: Run) -> None:
    token = signed(run, claims='{"exp": 5}')
    ended = run("jwt", "show", token)
    assert ended.code == 0
    assert "· signature   Not checked: the token says ES256." in ended.out.decode()
    assert "✗ expiry      It expired 5" in ended.out.decode()
    assert json.loads(run("jwt", "show", token, "--format", "json").out)["valid"] is None


def test_a_token_that_cannot_be_read_is_not_valid(run: Run, tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_text("x")
    ended = run("jwt", "verify", "token.txt", "--key", "alias/ECC_NIST_P256")
    assert (ended.code, ended.err) == (1, "")
    assert "To read a file, write @token.txt." in ended.out.decode()
    ended = run("jwt", "sign", "--key", "alias/ECC_NIST_P256", "--claims", "token.txt")
    assert (ended.code, ended.out) == (2, b"")
    assert "to read the file, write @token.txt" in ended.err
    answer = json.loads(run("jwt", "verify", "a.b.c.d.e", "--jwks", "x", "--format", "json").out)
    assert answer["valid"] is False
    assert "JWE" in answer["checks"][0]["sentence"]
    (tmp_path / "big").write_bytes(b"x" * 10_000_000)
    ended = run("jwt", "show", "@big")
    assert (ended.code, ended.out) == (2, b"")
    assert "big has more than 1,048,576 bytes" in ended.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sign", "--key", "alias/nosuch", "--claims", "{}"), "alias/nosuch is not found"),
        (("sign", "--key", "alias/HMAC_256", "--claims", "{"), "The claims cannot be read as JSON"),
        (("sign", "--key", "alias/HMAC_256", "--claims", "@nosuch"), "nosuch could not be read"),
        (("sign", "--key", "alias/HMAC_256", "--claims", "-", "--header", "-"), "cannot both come"),
        (("sign", "--key", "alias/RSA_2048", "--claims", "{}", "--algorithm", "ES256"), "it has no ES256"),
        (("sign", "--claims", "{}"), "required: --key"),
        (("verify", "a.b.c"), "one of the arguments --key --public-key --jwks is required"),
        (("verify", "a.b.c", "--jwks", "j", "--offline"), "--offline goes with --key"),
        (("verify", "-", "--jwks", "-"), "cannot both come from standard input"),
        (("verify", "a.b.c", "--jwks", "j", "--leeway", "x"), "The leeway is a length of time"),
        (("verify", "a.b.c", "--jwks", "j", "--at", "x"), "This is no moment"),
        (("jwks",), "name a key with --key"),
        (("jwks", "--alias", "alias/nosuch"), "There is no alias alias/nosuch"),
        (("jwks", "--key", "alias/HMAC_256"), "a JWKS is public"),
        (("sing",), "did you mean sign?"),
    ],
)
def test_bad_usage_gets_one_sentence(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    ended = run("jwt", *arguments)
    assert (ended.code, ended.out) == (2, b"")
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def test_keys_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    token = signed(run)
    (tmp_path / "private.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    )
    (tmp_path / "binary").write_bytes(b"\xff\x00\xfe")
    for way, sentence in (
        (("--public-key", "private.pem"), "a private key"),
        (("--public-key", "nosuch"), "nosuch could not be read"),
        (("--jwks", "private.pem"), "The JWKS cannot be read as JSON"),
        (("--jwks", "binary"), "is not text"),
        (("--jwks", "https://login.example/jwks.json"), "fetch it first"),
    ):
        ended = run("jwt", "verify", token, *way)
        assert (ended.code, ended.out) == (2, b"")
        assert sentence in ended.err
        assert "c2VjcmV0" not in ended.err
