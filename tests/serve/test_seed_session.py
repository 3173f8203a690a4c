"""The README's session for seeds, as it stands; ``serve --seed`` with a kept store, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from pathlib import Path

import boto3
import pytest

from tests.serve.process import refused, serving
from tests.serve.test_readme_session import README, run

pytestmark = pytest.mark.slow

_SESSION = re.compile(r"<!-- session: seed -->\n```sh\n(.*?)```\n<!-- /session -->", re.DOTALL)


def test_the_session_for_seeds_runs_as_it_stands(tmp_path: Path) -> None:
    (session,) = _SESSION.findall(README.read_text(encoding="utf-8"))
    code, output, errors = run(session, tmp_path)
    assert (code, errors) == (0, "")
    mac = hmac.digest(bytes(range(32)), b"hello", hashlib.sha256)
    assert output.splitlines() == [
        "keys.yaml is sound: 3 keys (1 with fixed key material).",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        base64.b64encode(mac).decode(),
    ]


def test_a_seed_in_a_store_that_is_kept(tmp_path: Path) -> None:
    seed, store = tmp_path / "keys.yaml", tmp_path / "store.db"
    seed.write_text("region: eu-west-3\nkeys: [{fixed_material: {hex: '%s'}}]\n" % ("00" * 32))
    ended = refused(tmp_path, "--seed", str(seed), "--store", str(store))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "line 2: keys[0] has fixed key material, and the store" in ended.stderr
    arguments = ("--seed", str(seed), "--store", str(store), "--allow-fixed-material")
    with serving(tmp_path, *arguments) as served:
        assert served.exports["AWS_REGION"] == "eu-west-3"
        assert served.stop()[0] == 0


def test_flags_say_where_a_seed_is_that_does_not(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("keys: [{aliases: [alias/app]}]\n")
    place = ("--region", "eu-west-3", "--account-id", "444455556666")
    with serving(tmp_path, "--seed", str(tmp_path / "seed.yaml"), *place, "--auth", "any") as served:
        session = boto3.Session("A", "S", region_name="eu-west-3")
        client = session.client("kms", endpoint_url=served.url)
        arn = client.describe_key(KeyId="alias/app")["KeyMetadata"]["Arn"]
        assert arn.startswith("arn:aws:kms:eu-west-3:444455556666:key/")


def test_what_serve_refuses(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("keys:\n- spec: AES\n- {}\n- polcy: 1\n")
    ended = refused(tmp_path, "--seed", str(tmp_path / "bad.yaml"))
    lines = ended.stderr.splitlines()
    assert (ended.returncode, len(lines)) == (1, 3)
    assert "bad.yaml, line 2: keys[0].spec is" in lines[0]
    assert "bad.yaml, line 4: keys[2].polcy is no member of a key; did you mean policy?" in lines[1]
    ended = refused(tmp_path, "--seed", str(tmp_path / "bad.yaml"), "--demo")
    assert ended.returncode == 2
    ended = refused(tmp_path, "--seed", str(tmp_path / "none.yaml"))
    assert (ended.returncode, "none.yaml could not be read" in ended.stderr) == (1, True)
