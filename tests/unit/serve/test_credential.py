"""The store's own credential."""

from __future__ import annotations

import re
from pathlib import Path

from kms_tui.backend.local import open_store
from kms_tui.serve.sigv4 import credential_of, random_credential


def test_a_store_has_one_credential_for_good_and_another_store_another(tmp_path: Path) -> None:
    credentials = []
    for name in ("a.db", "a.db", "b.db"):
        with open_store(tmp_path / name) as store:
            credentials.append(credential_of(store))
    assert credentials[0] == credentials[1]
    assert credentials[0].access_key_id != credentials[2].access_key_id
    assert credentials[0].secret_access_key != credentials[2].secret_access_key


def test_credentials_have_the_form_of_awss() -> None:
    credential = random_credential()
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", credential.access_key_id)
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", credential.secret_access_key)
    assert random_credential() != credential
