"""Files of the program sops, moved to another key: it opens them to the same bytes without the old one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend
from kms_tui.cli import main
from kms_tui.serve.sigv4 import Credential
from tests.serve.conftest import REGION

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("sops") is None, reason="there is no sops on PATH"),
]

PLAIN = {
    "a.yaml": b"# kept\ndb:\n    password: hunter2 # inline\n    long: |\n        a\n        b\n",
    "many.yaml": b"a: 1\n---\n# two\nb: 2\n",
    "a.json": b'{"a": {"b": [1, "x"]}}',
    "a.env": b"A=1\n# kept\nB=x y\n",
    "a.ini": b"[s]\n; kept\na = 1\n",
    "a.bin": bytes(range(256)),
}


@pytest.fixture
def keys(backend: LocalBackend) -> list[str]:
    """The old key, the new one, and two beside them, the last in another Region."""
    backends = (backend, backend, backend, backend.in_region("us-east-1"))
    return [str(each.call("CreateKey", {})["KeyMetadata"]["Arn"]) for each in backends]


@pytest.fixture(autouse=True)
def _client(url: str, credential: Credential, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL_KMS": url,
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_ACCESS_KEY_ID": credential.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credential.secret_access_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)


def sops(*arguments: str | Path) -> bytes:
    done = subprocess.run(["sops", *arguments], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("by", ["one", "three", "fragments"])
def test_sops_opens_what_was_moved(
    backend: LocalBackend, keys: list[str], tmp_path: Path, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, *others = keys
    rules = tmp_path / "rules.yaml"
    groups = "".join(f"      - kms: [{{arn: '{key}'}}]\n" for key in (old, *others))
    rules.write_text(f"creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n{groups}")
    how: list[str | Path] = {
        "one": ["encrypt", "--kms", old, "--encryption-context", "app:orders,team:x"],
        "three": ["encrypt", "--kms", ",".join((old, *others))],
        "fragments": ["--config", rules, "encrypt"],
    }[by]  # type: ignore[assignment]
    tree, before = tmp_path / "tree", {}
    tree.mkdir()
    for name, content in PLAIN.items():
        source = tmp_path / name
        source.write_bytes(content)
        (tree / name).write_bytes(sops(*how, source))
        before[name] = (tree / name).read_bytes(), sops("decrypt", tree / name)
    assert main(["reencrypt", "-r", str(tree), "--from", old, "--to", new, "--check-with-sops"]) == 0
    assert f"{len(PLAIN)} moved" in capsys.readouterr().out
    backend.call("DisableKey", {"KeyId": old})
    for name, (sealed, plain) in before.items():
        assert sops("decrypt", tree / name) == plain
        lines = zip(sealed.split(b"\n"), (tree / name).read_bytes().split(b"\n"), strict=True)
        documents = 2 if name == "many.yaml" else 1
        changed = sum(old_line != new_line for old_line, new_line in lines)
        assert changed in (2 * documents, 3 * documents), "created_at may be of the same second"
