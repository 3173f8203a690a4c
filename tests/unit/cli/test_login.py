"""``kms-tui login``: a device authorization, whose token serves botocore and the AWS CLI."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kms_tui.backend.aws import connect
from kms_tui.backend.aws.boto_session import sso_oidc_client
from kms_tui.backend.aws.error_translation import Translator
from kms_tui.backend.aws.profiles import SsoSession, profile_named
from kms_tui.backend.aws.sso_sign_in import SsoSignIn
from kms_tui.cli import main
from kms_tui.control.faults import OK, Drop, Refuse
from kms_tui.kms.errors import CredentialsError
from tests.endpoints.environment import use_config
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.signin import PORTAL_KEY

CONFIG = (
    "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = R\n"
    "region = eu-west-1\n"
    "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-central-1\n"
    "[profile own]\nsso_start_url = https://own.awsapps.com/start\nsso_region = eu-west-1\n"
    "sso_account_id = 111122223333\nsso_role_name = R\nregion = eu-west-1\n"
    "[profile keys]\nregion = eu-west-1\n"
)
PENDING = Refuse("AuthorizationPendingException", "", 400)


@pytest.fixture
def endpoint() -> Iterator[FaultEndpoint]:
    with FaultEndpoint() as endpoint:
        yield endpoint


@pytest.fixture
def waited(endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The seconds that the command would have slept."""
    use_config(monkeypatch, tmp_path, CONFIG)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", endpoint.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", endpoint.url)
    monkeypatch.setattr(
        "botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws/sso/cache")
    )
    monkeypatch.setattr(
        "botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws/sso/cache")
    )
    slept: list[float] = []
    monkeypatch.setattr("kms_tui.cli.login_command.sleep", slept.append)
    return slept


@pytest.mark.parametrize(("profile", "scopes"), [("dev", ["sso:account:access"]), ("own", None)])
def test_a_confirmed_code_signs_botocore_in(
    endpoint: FaultEndpoint,
    waited: list[float],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    profile: str,
    scopes: list[str] | None,
) -> None:
    endpoint.plan("CreateToken", PENDING, Refuse("SlowDownException", "", 400), OK)
    assert main(["login", "--profile", profile]) == 0
    said = capsys.readouterr().out
    assert "https://device.sso.example.com/?user_code=ABCD-EFGH" in said
    assert "for 10 min at most" in said
    assert "Signed in until" in said
    assert "fresh" not in said
    assert "hush" not in said
    assert waited == [1, 1, 6]
    register, device, *tokens = endpoint.requests
    assert register.params["scopes"] == (scopes or ["sso:account:access"])
    assert device.params["clientSecret"] == "hush"
    assert [each.params["deviceCode"] for each in tokens] == ["device"] * 3
    (file,) = (tmp_path / ".aws/sso/cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text(encoding="utf-8"))["refreshToken"] == "again"
    connect(profile, endpoint_url=endpoint.url).call("ListKeys", {})
    assert endpoint.requests[-1].access_key == PORTAL_KEY


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (Refuse("ExpiredTokenException", "", 400), "Nobody confirmed the code before it expired."),
        (Refuse("AccessDeniedException", "", 400), "The sign-in was declined in the browser."),
        (Refuse("InvalidClientException", "no such client", 401), "no such client"),
        (Drop(), "the connection was closed before the answer"),
    ],
)
def test_a_sign_in_that_fails_says_why_and_keeps_nothing(
    endpoint: FaultEndpoint,
    waited: list[float],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    refusal: Refuse | Drop,
    sentence: str,
) -> None:
    endpoint.plan("CreateToken", PENDING)
    endpoint.always("CreateToken", refusal)
    assert main(["login", "--profile", "dev"]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / ".aws").exists()


def test_a_code_that_nobody_confirms_ends_the_wait(endpoint: FaultEndpoint, waited: list[float]) -> None:
    session = SsoSession("corp", "https://corp.awsapps.com/start", "eu-central-1")
    moment = datetime(2026, 11, 30, tzinfo=UTC)
    translator = Translator(profile_named("dev"))
    sign_in = SsoSignIn(
        session,
        sso_oidc_client("dev", session.region, translator),
        translator,
        wait=waited.append,
        now=lambda: moment + timedelta(seconds=200 * len(waited)),
    )
    endpoint.always("CreateToken", PENDING)
    with pytest.raises(CredentialsError, match="Nobody confirmed the code"):
        sign_in.finish(sign_in.begin())
    assert waited == [1, 1, 1]


def test_a_profile_without_sso_is_refused_before_any_call(
    endpoint: FaultEndpoint, waited: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["login", "--profile", "keys"]) == 1
    assert "The profile keys signs in with no SSO session." in capsys.readouterr().err
    assert endpoint.count() == 0
