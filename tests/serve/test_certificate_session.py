"""The README's session for certificates, run as it stands, with openssl and the stock AWS CLI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography import x509

from tests.serve.test_readme_session import README, run
from tests.unit.signing.judges import NEEDS_OPENSSL, openssl_agrees

pytestmark = pytest.mark.slow

_SESSION = re.compile(r"<!-- session: certificates -->\n```sh\n(.*?)```\n<!-- /session -->", re.DOTALL)


@NEEDS_OPENSSL
def test_the_session_for_certificates_runs_as_it_stands(tmp_path: Path) -> None:
    (session,) = _SESSION.findall(README.read_text(encoding="utf-8"))
    code, output, errors = run(session, tmp_path)
    assert code == 0, errors
    assert output.startswith("web.pem: OK\nweb.pem: certificate\n")
    assert "verified with the key of CN=Example CA,O=Example\n" in output
    lines = [line.strip() for line in errors.splitlines() if line.startswith("  openssl ")]
    assert len(lines) == 6
    for line in lines:
        openssl_agrees(line, tmp_path)
    revoked = x509.load_pem_x509_crl((tmp_path / "ca.crl").read_bytes())
    web = x509.load_pem_x509_certificate((tmp_path / "web.pem").read_bytes())
    assert revoked.get_revoked_certificate_by_serial_number(web.serial_number) is not None
