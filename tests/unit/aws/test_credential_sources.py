"""Each source of credentials that fails says which it was, where it is named, and what to do."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.credentials import ReadOnlyCredentials

from kms_tui.backend.aws import connect
from kms_tui.backend.aws.credential_sources import (
    CredentialSources,
    check_proxies,
    proxy_variable,
    refuse_unusable,
)
from kms_tui.backend.aws.profiles import ProfileOption, option_of
from kms_tui.kms.errors import ConfigurationError, CredentialsError, EndpointError, KmsTuiError
from tests.endpoints.environment import clear_aws_environment, use_config
from tests.endpoints.server import FaultEndpoint
from tests.unit.aws.conftest import REGION

STATIC = "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n"
ROLE = "role_arn = arn:aws:iam::111122223333:role/x\n"


def refused(profile: str | None = None, endpoint_url: str | None = None) -> KmsTuiError:
    """What opening a session, or its first call, says."""
    with pytest.raises(KmsTuiError) as caught:
        connect(profile, REGION, endpoint_url).call("ListKeys", {})
    return caught.value


@pytest.mark.parametrize(
    ("process", "sentence", "step"),
    [
        ("echo hello", "credential_process echo printed something else than", "Run it by hand"),
        ("true", "credential_process true printed something else than", "Run it by hand"),
        ("echo []", "credential_process echo printed something else than", "Run it by hand"),
        ("echo 'unclosed", "credential_process echo printed something else than", "Run it by hand"),
        (
            "/nope/okta --secret s3cret",
            "/nope/okta could not be started: No such file",
            "install the program",
        ),
        ("sh -c 'echo not signed in >&2; exit 3'", "process sh failed: not signed in.", "Run it by hand"),
        ("""echo '{"Version": 1}'""", "Missing required key in response: 'AccessKeyId'", "Run it by hand"),
    ],
    ids=["text", "nothing", "list", "quotes", "missing", "fails", "incomplete"],
)
def test_a_credential_process_is_named_with_the_line_that_names_it(
    process: str, sentence: str, step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_config(monkeypatch, tmp_path, f"[profile p]\nregion = eu-west-1\ncredential_process = {process}\n")
    error = refused("p")
    assert isinstance(error, CredentialsError)
    assert sentence in str(error)
    assert step in error.next_step
    assert f"{tmp_path}/config, line 3" in error.next_step
    assert "s3cret" not in f"{error} {error.next_step}"
    assert error.__suppress_context__ or error.__cause__ is not None


def test_a_process_at_the_end_of_a_role_chain_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chain = f"[profile admin]\n{ROLE}source_profile = base\n[profile base]\ncredential_process = /nope/okta\n"
    use_config(monkeypatch, tmp_path, chain)
    error = refused("admin")
    assert "/nope/okta could not be started" in str(error)
    assert "config, line 5" in error.next_step


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_missing_web_identity_token_file_is_named(
    by_variable: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = tmp_path / "token"
    config = "" if by_variable else f"[profile p]\n{ROLE}web_identity_token_file = {missing}\n"
    use_config(monkeypatch, tmp_path, config)
    if by_variable:
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(missing))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/x")
    error = refused(None if by_variable else "p")
    assert isinstance(error, CredentialsError)
    assert f"token file {missing} cannot be read: No such file or directory" in str(error)
    assert ("AWS_WEB_IDENTITY_TOKEN_FILE names it" if by_variable else "line 3 names it") in error.next_step


def test_a_login_session_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = "arn:aws:sts::111122223333:assumed-role/x/y"
    use_config(monkeypatch, tmp_path, f"[profile p]\nlogin_session = {session}\n")
    monkeypatch.setattr("botocore.credentials.EC", None)
    error = refused("p")
    assert "signs in with `aws login`" in str(error)
    assert "kms-tui[login]" in error.next_step


def test_an_empty_profile_variable_counts_as_none(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_config(monkeypatch, tmp_path, "", STATIC)
    monkeypatch.setenv("AWS_PROFILE", "")
    connect(region=REGION, endpoint_url=endpoint.url).call("ListKeys", {})
    assert endpoint.requests[-1].access_key == "AKIAX"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (("AKIA\r", "s", None), "The access key ID ends in a carriage return"),
        (("AKIA", "s\r\n", None), "The secret access key ends in a carriage return"),
        (("AKIA", "s", "t "), "The session token ends in white space"),
        (("\tAKIA", "s", None), "The access key ID begins with white space"),
        (("AK\x1bIA", "s", None), "The access key ID holds a character that no key has"),
        (("AKIA", "geheimé", None), "The secret access key holds a character that no key has"),
    ],
)
def test_keys_that_no_request_can_carry_are_refused_unshown(
    keys: tuple[str, str, str | None], sentence: str
) -> None:
    frozen = ReadOnlyCredentials(*keys, None)
    with pytest.raises(CredentialsError, match=sentence) as caught:
        refuse_unusable(frozen, "env")
    assert "AWS_" in caught.value.next_step
    told = f"{caught.value} {caught.value.next_step}"
    assert "geheim" not in told
    assert "\x1b" not in told
    with pytest.raises(CredentialsError) as caught:
        refuse_unusable(frozen, "shared-credentials-file")
    assert "shared-credentials-file" in caught.value.next_step


def test_ordinary_keys_pass() -> None:
    refuse_unusable(ReadOnlyCredentials("AKIAX", "a/B+c=", None, None), "env")


def test_a_carriage_return_in_a_variable_is_found_before_a_request(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAX\r")
    assert "carriage return" in str(refused(endpoint_url=endpoint.url))
    assert endpoint.count() == 0


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "cannot be read: No such file"), ("nonsense", "holds no certificate")]
)
@pytest.mark.parametrize("by_variable", [True, False])
def test_a_ca_bundle_that_cannot_serve_is_named(
    content: str | None, reason: str, by_variable: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content, encoding="utf-8")
    use_config(monkeypatch, tmp_path, "" if by_variable else f"[default]\nca_bundle = {bundle}\n", STATIC)
    if by_variable:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    error = refused()
    assert isinstance(error, ConfigurationError)
    assert f"The CA bundle {bundle} {reason}" in str(error)
    assert ("AWS_CA_BUNDLE" if by_variable else "config, line 2") in error.next_step


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def plain_port() -> Iterator[int]:
    """An HTTP server that knows neither TLS nor CONNECT."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_https_to_a_plain_port_says_so(plain_port: int) -> None:
    error = refused(endpoint_url=f"https://127.0.0.1:{plain_port}")
    assert isinstance(error, EndpointError)
    assert "does not speak TLS" in str(error)
    assert "http://" in error.next_step
    assert "bundle" not in error.next_step.lower()


@pytest.mark.parametrize("listens", [True, False])
def test_a_proxy_that_refuses_is_named_with_its_variable(
    listens: bool, plain_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = plain_port if listens else 1
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:geheim@127.0.0.1:{port}")
    error = refused()
    assert isinstance(error, EndpointError)
    assert f"The proxy 127.0.0.1:{port}" in str(error)
    assert error.next_step.startswith("Check HTTPS_PROXY")
    assert "geheim" not in f"{error} {error.next_step}"


def test_a_proxy_of_no_variable_has_none() -> None:
    assert proxy_variable("http://proxy:3128", {}) == ""
    assert proxy_variable("http://proxy:3128", {"https_proxy": "proxy:3128"}) == "https_proxy"


@pytest.mark.parametrize(
    ("proxy", "fault"),
    [
        ("socks5://127.0.0.1:9", "names a socks5 proxy, and only HTTP proxies can be used"),
        ("http://[::1", "is no URL"),
        ("http://proxy:notaport", "is no URL"),
        ("http://", "names no host"),
    ],
)
def test_a_proxy_that_no_request_can_take_is_told_with_its_variable(
    proxy: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = refused()
    assert isinstance(error, ConfigurationError)
    assert str(error) == f"HTTPS_PROXY {fault}."
    assert "http://proxy.example.com:3128" in error.next_step


def test_proxies_that_can_be_used_pass() -> None:
    for url in ("http://proxy:3128", "https://user:secret@proxy:3128", "proxy:3128", "127.0.0.1:9"):
        check_proxies({"https": url, "http": url}, {})


def test_a_port_that_is_none_is_no_endpoint() -> None:
    error = refused(endpoint_url="http://127.0.0.1:99999")
    assert isinstance(error, ConfigurationError)
    assert "Invalid endpoint: http://127.0.0.1:99999 (port out of range 0-65535)" in str(error)


@pytest.mark.parametrize("setting", ["max_attempts = many", "sts_regional_endpoints = maybe"])
def test_a_setting_that_cannot_be_used_does_not_speak_of_endpoints(
    setting: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_config(monkeypatch, tmp_path, f"[default]\n{setting}\n", STATIC)
    error = refused(endpoint_url="http://127.0.0.1:1")
    assert error.next_step == "Check the profile in the AWS configuration files."


def test_an_option_is_found_where_it_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_config(
        monkeypatch,
        tmp_path,
        "[default]\nregion = x\n[profile 'a b']\n# credential_process = no\nCredential_Process = first\n",
        "[a b]\ncredential_process=second\n",
    )
    assert option_of("a b", "credential_process") == ProfileOption(
        "second", f"{tmp_path}/credentials, line 2"
    )
    assert option_of("default", "credential_process") is None
    assert option_of("nobody", "region") is None
    assert CredentialSources.of("a b").program == "second"
    clear_aws_environment(monkeypatch)
    assert CredentialSources.of("a b") == CredentialSources("a b")
