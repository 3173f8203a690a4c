"""``kms-tui serve`` from outside: what it prints, how it stops, what it keeps, what it refuses."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from kms_tui.backend.local import open_default
from kms_tui.backend.local.account_policies.account_file import NamedFile, read_account
from kms_tui.backend.local.store.stored_account import replace_account
from kms_tui.cli import main
from kms_tui.serve.sigv4 import Credential
from tests.account_samples import ROLE, Json, organization, whole
from tests.serve.conftest import kms_client
from tests.serve.process import Served, command, environment, refused, serving
from tests.serve.raw import Raw, call, post

pytestmark = pytest.mark.slow

REGION = "us-east-1"


def key_ids(served: Served) -> list[str]:
    with closing(kms_client(served.url, served.credential, region=REGION)) as client:
        return [key["KeyId"] for key in client.list_keys()["Keys"]]


def make_key(served: Served) -> str:
    with closing(kms_client(served.url, served.credential, region=REGION)) as client:
        return client.create_key()["KeyMetadata"]["KeyId"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_then_how_to_reach_it_and_stops_cleanly(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serving(tmp_path, "--ephemeral") as served:
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", served.first_line)
        url = served.first_line.split()[-1]
        assert {
            "AWS_ENDPOINT_URL_KMS": url,
            "AWS_ENDPOINT_URL_STS": url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }.items() <= served.exports.items()
        assert key_ids(served) == []
        assert served.stop(number) == (0, "", "")


def test_it_stops_while_a_connection_is_open_and_a_request_half_sent(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral") as served:
        place = urlsplit(served.url)
        with (
            socket.create_connection((place.hostname, place.port)) as half,
            socket.create_connection((place.hostname, place.port)),
        ):
            half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n1")
            assert served.stop()[0] == 0


def test_a_store_keeps_its_keys_and_its_credential_through_kill_9(tmp_path: Path) -> None:
    store = str(tmp_path / "store.db")
    with serving(tmp_path, "--store", store) as first:
        key_id = make_key(first)
        first.process.kill()
    with serving(tmp_path, "--store", store) as second:
        assert key_ids(second) == [key_id]
        assert second.credential == first.credential


def test_a_store_that_is_overwritten_while_it_is_served_keeps_its_log(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with serving(tmp_path, "--store", str(store)) as served:
        make_key(served)
        content, log = store.read_bytes(), store.with_name("store.db-wal").read_bytes()
        store.write_bytes(b"")
        with pytest.raises(ClientError, match="KMSInternalException"):
            make_key(served)
        assert served.stop()[0] == 0
    assert store.with_name("store.db-wal").read_bytes() == log
    store.write_bytes(content)
    with serving(tmp_path, "--store", str(store)) as served:
        assert len(key_ids(served)) == 1


def test_the_local_store_is_the_default_and_nothing_ephemeral_is_kept(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        key_id = make_key(served)
    with serving(tmp_path, "--local") as served:
        assert key_ids(served) == [key_id]
    with serving(tmp_path, "--ephemeral") as served:
        assert key_ids(served) == []


def test_two_servers_share_a_store(tmp_path: Path) -> None:
    store = str(tmp_path / "store.db")
    with serving(tmp_path, "--store", store) as one, serving(tmp_path, "--store", store) as two:
        key_id = make_key(one)
        assert key_ids(two) == [key_id]


def test_a_passphrase_comes_from_the_environment_and_is_needed_again(tmp_path: Path) -> None:
    store = str(tmp_path / "store.db")
    with serving(tmp_path, "--store", store, KMS_TUI_PASSPHRASE="correct horse"):
        pass
    assert not list(tmp_path.glob("*.key"))
    result = refused(tmp_path, "--store", store)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "passphrase" in result.stderr


def test_the_account_can_be_chosen(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "--ephemeral", "--account-id", "999988887777", "--region", "eu-west-3") as served,
        closing(kms_client(served.url, served.credential, region=served.exports["AWS_REGION"])) as client,
    ):
        arn = client.create_key()["KeyMetadata"]["Arn"]
    assert arn.startswith("arn:aws:kms:eu-west-3:999988887777:key/")


def test_the_demo_account_can_be_served(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "--demo") as served,
        closing(kms_client(served.url, served.credential, region=served.exports["AWS_REGION"])) as client,
    ):
        assert len(client.list_keys()["Keys"]) > 10


@pytest.mark.parametrize("account", ["--ephemeral", "--demo"])
def test_all_clients_call_as_the_principal_that_is_named_with_its_iam_policy(
    tmp_path: Path, account: str
) -> None:
    arn = "arn:aws:iam::111122223333:role/deploy"
    policy = tmp_path / "policy.json"
    statement = {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with (
        serving(tmp_path, account, "--as", arn, "--iam-policy", str(policy)) as served,
        closing(kms_client(served.url, served.credential)) as client,
    ):
        client.list_keys()
        with pytest.raises(
            ClientError, match=f"User: {arn} is not authorized to perform: kms:CreateKey"
        ) as caught:
            client.create_key()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_all_clients_are_judged_by_the_account_policies_of_the_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_default(path).store as store:

        def put(*files: Json) -> None:
            replace_account(store, read_account([NamedFile("x", each) for each in files]))

        put(whole())
        with (
            serving(tmp_path, "--store", str(path), "--as", ROLE) as served,
            closing(kms_client(served.url, served.credential)) as client,
        ):
            client.list_keys()
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            with pytest.raises(ClientError, match="explicit deny in a service control policy"):
                client.schedule_key_deletion(KeyId=key_id)
            put(organization())
            with pytest.raises(ClientError, match="no identity-based policy allows the kms:ListKeys"):
                client.list_keys()


def test_an_iam_policy_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text("{")
    arn = "arn:aws:iam::111122223333:role/deploy"
    result = refused(tmp_path, "--ephemeral", "--as", arn, "--iam-policy", str(policy))
    assert (result.returncode, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr


def test_any_checks_no_signature_and_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral", "--auth", "any") as served:
        assert call(served.url, "ListKeys").status == 200
        request = post("ListKeys").replace(b"localhost", b"rebound.example")
        with Raw(served.url) as page:
            assert page.ask(request).status == 403
        code, output, errors = served.stop()
    assert (code, output) == (0, "")
    assert errors == "--auth any: neither signatures nor their age are checked.\n"


def test_sigv4_is_the_default(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral") as served:
        assert call(served.url, "ListKeys").error == "MissingAuthenticationTokenException"
        wrong = Credential(served.credential.access_key_id, "wrong")
        with closing(kms_client(served.url, wrong)) as client, pytest.raises(ClientError, match="signature"):
            client.list_keys()


def test_verbose_writes_a_line_for_each_request_without_its_values(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral", "--auth", "any", "--verbose") as served:
        call(served.url, "GenerateRandom", NumberOfBytes=7)
        call(served.url, "Nothing\x1b[31m")
        _, _, errors = served.stop()
    lines = errors.splitlines()[1:]
    assert re.fullmatch(r"GenerateRandom us-east-1 200 \d+\.\d ms", lines[0])
    assert "\x1b" not in errors


def test_any_beyond_this_machine_needs_to_be_said(tmp_path: Path) -> None:
    result = refused(tmp_path, "--ephemeral", "--auth", "any", "--host", "0.0.0.0")
    assert (result.returncode, result.stdout) == (1, "")
    assert "--allow-network" in result.stderr
    with serving(tmp_path, "--ephemeral", "--auth", "any", "--host", "0.0.0.0", "--allow-network") as served:
        assert served.url.startswith("http://127.0.0.1:")
        assert call(served.url, "ListKeys").status == 200


def test_a_port_in_use_is_a_sentence_and_not_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = refused(tmp_path, "--ephemeral", "--port", str(port))
    assert (result.returncode, result.stdout) == (1, "")
    assert f"Cannot listen on 127.0.0.1, port {port}" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_host_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    result = refused(tmp_path, "--ephemeral", "--host", "256.1.1.1")
    assert result.returncode == 1
    assert result.stderr.startswith("kms-tui serve: Cannot listen on 256.1.1.1")


def test_a_file_that_is_no_store_is_a_sentence_and_stays_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / "notes.txt"
    store.write_text("my notes")
    result = refused(tmp_path, "--store", str(store))
    assert (result.returncode, result.stdout) == (1, "")
    assert "is not a kms-tui store" in result.stderr
    assert store.read_text() == "my notes"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--account-id", "12"),
        ("--account-id", "²" * 12),
        ("--port", "65536"),
        ("--port", "x"),
        ("--as", "ada"),
        ("--iam-policy", "x.json"),
        ("--demo", "--ephemeral"),
        ("--demo", "--account-id", "111122223333"),
        ("--auth", "none"),
        ("extra",),
    ],
)
def test_flags_that_make_no_sense_are_usage_errors(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", *arguments])
    output, errors = capsys.readouterr()
    assert (caught.value.code, output) == (2, "")
    assert errors.startswith("kms-tui serve: error: ")


def test_who_reads_the_first_line_only_does_not_stop_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("--ephemeral", "--auth", "any"),
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[-1]
        process.stdout.close()
        try:
            assert call(url, "ListKeys").status == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()
