"""The profiles of the AWS configuration files, without botocore."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kms_tui.backend.aws.profiles import ProfileInfo, SsoSession, profile_named, profiles, sso_session_of
from kms_tui.kms.errors import ConfigurationError
from tests.endpoints.environment import add_aws_cli

CONFIG = """\
# a comment
[profile dev]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Operator
region = eu-west-1
s3 =
    region = us-east-1
    max_concurrent_requests = 20

[default]
region = us-east-1

[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1

[profile "two words"]
sso_start_url = https://old.awsapps.com/start
sso_account_id = 444455556666

[profile prod]
role_arn = arn:aws:iam::777788889999:role/Admin
source_profile = dev
mfa_serial = arn:aws:iam::111122223333:mfa/ada

[profile signed-in]
login_session = arn:aws:iam::111122223333:user/ada

[services local]
kms =
    endpoint_url = http://localhost:8080
"""

CREDENTIALS = """\
[default]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = a-secret

[only-here]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = a-secret
"""


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    add_aws_cli(monkeypatch, tmp_path / "bin")
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "credentials").write_text(CREDENTIALS, encoding="utf-8")
    return {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "PATH": str(tmp_path / "bin"),
    }


def test_profiles_of_both_files_come_with_the_default_first(environ: dict[str, str]) -> None:
    names = [profile.name for profile in profiles(environ)]
    assert names == ["default", "dev", "two words", "prod", "signed-in", "only-here"]


def test_an_sso_profile_tells_its_account_role_and_login(environ: dict[str, str]) -> None:
    assert profile_named("dev", environ) == ProfileInfo(
        name="dev",
        region="eu-west-1",
        account="111122223333",
        role="Operator",
        sso_session="corp",
        login_command="aws sso login --profile dev",
    )


def test_a_role_logs_in_where_its_source_does(environ: dict[str, str]) -> None:
    prod = profile_named("prod", environ)
    assert prod.account == "777788889999"
    assert prod.source_profile == "dev"
    assert prod.mfa_serial.endswith("mfa/ada")
    assert prod.login_command == "aws sso login --profile dev"


def test_a_login_command_can_be_pasted_into_a_shell(environ: dict[str, str]) -> None:
    assert profile_named("two words", environ).login_command == "aws sso login --profile 'two words'"


def test_without_the_aws_cli_kms_tui_signs_in_itself(environ: dict[str, str], tmp_path: Path) -> None:
    elsewhere = {**environ, "PATH": str(tmp_path)}
    assert profile_named("prod", elsewhere).login_command == "kms-tui login --profile dev"
    assert profile_named("signed-in", elsewhere).login_command == "aws login --profile signed-in"


def test_a_profile_tells_the_session_that_it_signs_in_to(environ: dict[str, str]) -> None:
    corp = SsoSession("corp", "https://corp.awsapps.com/start", "eu-central-1")
    assert sso_session_of("dev", environ) == sso_session_of("prod", environ) == corp
    assert sso_session_of("only-here", environ) is None
    assert sso_session_of("nobody", environ) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[profile a]\nsso_session = x\n", "[sso-session x] lacks sso_start_url and sso_region."),
        ("[profile a]\nsso_start_url = https://x\n", "[profile a] lacks sso_region."),
        ("[profile b]\nsso_start_url = https://x\n[profile a]\nsource_profile = b\n", "[profile b] lacks"),
    ],
)
def test_an_incomplete_sso_session_says_what_it_lacks(
    environ: dict[str, str], text: str, sentence: str
) -> None:
    Path(environ["AWS_CONFIG_FILE"]).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        sso_session_of("a", environ)


def test_a_session_of_the_profile_itself_may_ask_for_scopes(environ: dict[str, str]) -> None:
    text = (
        "[profile a]\nsso_start_url = https://x\nsso_region = us-east-1\nsso_registration_scopes = a:b, c:d\n"
    )
    Path(environ["AWS_CONFIG_FILE"]).write_text(text, encoding="utf-8")
    assert sso_session_of("a", environ) == SsoSession("", "https://x", "us-east-1", ("a:b", "c:d"))


def test_a_console_sign_in_has_its_own_command(environ: dict[str, str]) -> None:
    assert profile_named("signed-in", environ).login_command == "aws login --profile signed-in"


def test_static_credentials_need_no_login(environ: dict[str, str]) -> None:
    assert profile_named("only-here", environ) == ProfileInfo("only-here")


@pytest.mark.parametrize(
    ("variables", "chosen"),
    [
        ({}, "default"),
        ({"AWS_PROFILE": "prod"}, "prod"),
        ({"AWS_PROFILE": "prod", "AWS_DEFAULT_PROFILE": "dev"}, "dev"),
    ],
)
def test_the_profile_in_force_is_chosen_as_botocore_does(
    variables: dict[str, str], chosen: str, environ: dict[str, str]
) -> None:
    assert profile_named(None, environ | variables).name == chosen
    assert profile_named("two words", environ | variables).name == "two words"


def test_an_unknown_profile_is_empty(environ: dict[str, str]) -> None:
    assert profile_named("nobody", environ) == ProfileInfo("nobody")


def test_no_secret_is_kept(environ: dict[str, str]) -> None:
    assert "a-secret" not in repr(profiles(environ))


def test_missing_files_hold_no_profiles(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none")
    assert profiles({"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}) == []


def test_a_default_profile_with_sso_logs_in_without_a_name(environ: dict[str, str]) -> None:
    Path(environ["AWS_CONFIG_FILE"]).write_text("[default]\nsso_session = corp\n", encoding="utf-8")
    assert profile_named(None, environ).login_command == "aws sso login"


def test_a_chain_that_loops_has_no_login(environ: dict[str, str]) -> None:
    text = "[profile a]\nsource_profile = b\n[profile b]\nsource_profile = a\n"
    Path(environ["AWS_CONFIG_FILE"]).write_text(text, encoding="utf-8")
    assert profile_named("a", environ).login_command == ""


@pytest.mark.parametrize(
    "text",
    [
        "region = eu-west-1\n",
        "[profile dev]\nregion\n",
        "[profile dev]\n[profile dev]\n",
        "[profile dev]\nregion = a\nregion = b\n",
        "[profile dev\n",
    ],
)
def test_a_broken_file_is_named_with_no_word_of_its_text(text: str, environ: dict[str, str]) -> None:
    broken = Path(environ["AWS_SHARED_CREDENTIALS_FILE"])
    broken.write_text(text.replace("region", "aws_secret_access_key = s3cr3t\nregion"), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        profiles(environ)
    assert str(broken) in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_file_that_is_not_text_is_refused(environ: dict[str, str]) -> None:
    Path(environ["AWS_CONFIG_FILE"]).write_bytes(b"[profile \xff]\n")
    with pytest.raises(ConfigurationError):
        profiles(environ)


@pytest.mark.parametrize("title", ['profile "unclosed', "profile", "profile a b", "preview", "services x"])
def test_sections_that_are_no_profiles_are_left_out(title: str, environ: dict[str, str]) -> None:
    Path(environ["AWS_CONFIG_FILE"]).write_text(f"[{title}]\nregion = eu-west-1\n", encoding="utf-8")
    assert [profile.name for profile in profiles(environ)] == ["default", "only-here"]
