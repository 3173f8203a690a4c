"""``serve --tls``: clients that trust the certificate of the server, and what one that does not gets."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import SSLError
from cryptography import x509

from kms_tui.backend.local import LocalBackend
from kms_tui.kms.errors import EndpointError
from kms_tui.serve.server import running
from kms_tui.serve.sigv4 import Credential
from kms_tui.serve.tls import tls_for
from tests.serve.conftest import REGION
from tests.serve.process import environment, refused, serving

pytestmark = pytest.mark.slow


def client_of(url: str, credential: Credential, bundle: Path | bool) -> Any:
    return boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=credential.access_key_id,
        aws_secret_access_key=credential.secret_access_key,
        verify=str(bundle) if isinstance(bundle, Path) else bundle,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "ca.pem"


@pytest.fixture
def secure_url(backend: LocalBackend, credential: Credential, bundle: Path) -> Iterator[str]:
    tls = tls_for(["kms.test"])
    bundle.write_bytes(tls.authority)
    with running(backend, credential=credential, tls=tls) as url:
        assert url.startswith("https://127.0.0.1:")
        yield url


def strict(bundle: Path) -> ssl.SSLContext:
    """What Python 3.13 asks of a chain, and more than OpenSSL asks by itself."""
    context = ssl.create_default_context(cafile=str(bundle))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def address_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("https://").rpartition(":")
    return host, int(port)


def test_a_client_that_trusts_the_certificate_is_answered(
    secure_url: str, credential: Credential, bundle: Path
) -> None:
    with closing(client_of(secure_url, credential, bundle)) as kms:
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        sealed = kms.encrypt(KeyId=key_id, Plaintext=b"x" * 4096)["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x" * 4096


def test_a_client_that_does_not_is_not(secure_url: str, credential: Credential) -> None:
    with closing(client_of(secure_url, credential, True)) as kms, pytest.raises(SSLError):
        kms.list_keys()


@pytest.mark.parametrize("name", ["kms.test", "localhost", "127.0.0.1", "::1"])
def test_the_certificate_is_for_the_names_of_the_host(secure_url: str, bundle: Path, name: str) -> None:
    with (
        socket.create_connection(address_of(secure_url), timeout=10) as plain,
        strict(bundle).wrap_socket(plain, server_hostname=name) as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert secure.recv(100).startswith(b"HTTP/1.1 200 OK")
        assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_and_for_no_other_name(secure_url: str, bundle: Path) -> None:
    with (
        socket.create_connection(address_of(secure_url), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        strict(bundle).wrap_socket(plain, server_hostname="other.test")


def test_what_is_no_tls_does_not_stop_the_server(
    secure_url: str, credential: Credential, bundle: Path
) -> None:
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"\x00" * 5_000):
        with socket.create_connection(address_of(secure_url), timeout=10) as plain:
            plain.sendall(data)
    with closing(client_of(secure_url, credential, bundle)) as kms:
        assert kms.list_keys()["Keys"] == []


def test_every_time_of_serving_has_a_certificate_of_its_own() -> None:
    one, two = (x509.load_pem_x509_certificate(tls_for([]).authority) for _ in range(2))
    assert one.public_key() != two.public_key()
    assert one.serial_number != two.serial_number


@pytest.mark.parametrize(
    "name", ["", "a b", "ümlaut.test", "*", "a" * 64, "a..b", "x/y", "\x00", "a." * 127 + "bc"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(EndpointError, match="is no name of a host"):
        tls_for([name])


def test_the_command_says_how_to_trust_it(tmp_path: Path) -> None:
    flags = ("--ephemeral", "--tls", "--tls-name", "kms.internal", "--tls-ca", str(tmp_path / "ca.pem"))
    with serving(tmp_path, *flags, exports=7) as served:
        assert served.first_line.startswith("listening on https://127.0.0.1:")
        assert served.url.startswith("https://")
        assert served.exports["AWS_CA_BUNDLE"] == str(tmp_path / "ca.pem")
        listed = subprocess.run(
            [str(Path(sys.executable).with_name("aws")), "kms", "list-keys", "--query", "Keys"],
            env={**environment(tmp_path), **served.exports},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (listed.returncode, listed.stdout.strip(), listed.stderr) == (0, "[]", "")
        assert served.stop() == (0, "", "")
    # A later one replaces the certificate of an earlier one.
    with serving(tmp_path, *flags, exports=7) as again:
        assert again.stop()[0] == 0


def test_a_temporary_certificate_goes_with_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral", "--tls", exports=7) as served:
        bundle = Path(served.exports["AWS_CA_BUNDLE"])
        assert b"BEGIN CERTIFICATE" in bundle.read_bytes()
        assert b"PRIVATE KEY" not in bundle.read_bytes()
        assert served.stop()[0] == 0
    assert not bundle.parent.exists()


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--tls-name", "kms"), 2, "go with --tls"),
        (("--tls-ca", "ca.pem"), 2, "go with --tls"),
        (("--tls", "--tls-name", "a b"), 1, "is no name of a host"),
        (("--tls", "--tls-ca", "{folder}"), 1, "could not be"),
        (("--tls", "--tls-ca", "{folder}/none/ca.pem"), 1, "could not be"),
        (("--tls", "--tls-ca", "{folder}/notes.txt"), 1, "is no certificate, and is not replaced by one"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, flags: tuple[str, ...], code: int, words: str) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("keep me")
    result = refused(tmp_path, "--ephemeral", *(flag.format(folder=tmp_path) for flag in flags))
    assert (result.returncode, result.stdout) == (code, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert notes.read_text() == "keep me"
