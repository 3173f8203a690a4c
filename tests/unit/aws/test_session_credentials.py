"""Credentials as the AWS CLI finds them, renewed in place, and never those of another account."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import CredentialRetrievalError, RefreshWithMFAUnsupportedError

from kms_tui.backend.aws import AwsBackend, connect
from kms_tui.backend.aws.credential_sources import CredentialSources
from kms_tui.backend.aws.error_translation import Translator
from kms_tui.backend.aws.profiles import ProfileInfo
from kms_tui.backend.aws.session_credentials import HOLD, SessionCredentials
from kms_tui.control.faults import DENY, EXPIRED, OK, Refuse
from kms_tui.kms.errors import CredentialsError
from tests.endpoints.environment import clear_aws_environment, use_config
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.signin import ASSUMED_KEY, PORTAL_KEY
from tests.endpoints.synthetic import ACCOUNT
from tests.unit.aws.conftest import REGION

OTHER = "999988887777"


class Source:
    """Stands for one of botocore's credentials objects: answers, or raises, the next of its script."""

    method = "scripted"

    def __init__(self, *script: ReadOnlyCredentials | Exception) -> None:
        self._script: Iterator[ReadOnlyCredentials | Exception] = iter(script)
        self.asked = 0

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self.asked += 1
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        return step


def frozen(key: str, account: str | None = None) -> ReadOnlyCredentials:
    return ReadOnlyCredentials(key, "secret", "token", account)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def session(
    *sources: Source, identify: Callable[[Any], str] = lambda _: "", clock: Clock | None = None
) -> SessionCredentials:
    loads = iter(sources)
    translator = Translator(ProfileInfo("dev", login_command="aws sso login --profile dev"))
    return SessionCredentials(
        lambda: next(loads, None),
        lambda question: "",
        identify,
        translator,
        CredentialSources("dev"),
        clock or Clock(),
    )


FAILURE = CredentialRetrievalError(provider="custom-process", error_msg="exit 1")


def test_renewed_credentials_of_the_same_account_are_used() -> None:
    credentials = session(Source(frozen("A", ACCOUNT), frozen("B", ACCOUNT)))
    assert credentials.get_frozen_credentials().access_key == "A"
    assert credentials.get_frozen_credentials().access_key == "B"
    assert credentials.account == ACCOUNT


def test_renewed_credentials_of_another_account_are_refused_every_time() -> None:
    clock = Clock()
    credentials = session(Source(frozen("A", ACCOUNT), frozen("B", OTHER), frozen("B", OTHER)), clock=clock)
    credentials.get_frozen_credentials()
    for _ in range(2):
        with pytest.raises(CredentialsError, match=f"belong to account {OTHER}, this session to {ACCOUNT}"):
            credentials.get_frozen_credentials()
        clock.now += HOLD
    assert credentials.account == ACCOUNT


@pytest.mark.parametrize(("found", "accepted"), [(ACCOUNT, True), (OTHER, False), ("", False)])
def test_renewed_credentials_that_do_not_say_their_account_are_asked_for_it(
    found: str, accepted: bool
) -> None:
    asked: list[str] = []

    def identify(given: ReadOnlyCredentials) -> str:
        asked.append(str(given.access_key))
        return found

    credentials = session(Source(frozen("A"), frozen("B"), frozen("B")), identify=identify)
    credentials.get_frozen_credentials()
    credentials.account = ACCOUNT
    if accepted:
        assert credentials.get_frozen_credentials().access_key == "B"
        assert credentials.get_frozen_credentials().access_key == "B"
    else:
        with pytest.raises(CredentialsError, match=f"account {found or 'unknown'}"):
            credentials.get_frozen_credentials()
    assert asked == ["B"]


def test_a_failure_is_tried_again_by_the_next_call() -> None:
    credentials = session(Source(FAILURE, frozen("A")))
    with pytest.raises(CredentialsError, match="exit 1"):
        credentials.get_frozen_credentials()
    assert credentials.get_frozen_credentials().access_key == "A"


class Prompting(Source):
    """Credentials that take a code, and get none."""

    def __init__(self) -> None:
        super().__init__()
        self.ask: Callable[[str], str] = str

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self.asked += 1
        self.ask("code?")
        raise FAILURE


def test_a_prompt_that_failed_is_not_repeated_for_a_moment() -> None:
    clock, source = Clock(), Prompting()
    credentials = session(source, clock=clock)
    source.ask = credentials.ask
    for _ in range(3):
        with pytest.raises(CredentialsError, match="exit 1"):
            credentials.get_frozen_credentials()
    assert source.asked == 1
    clock.now += HOLD
    with pytest.raises(CredentialsError):
        credentials.get_frozen_credentials()
    assert source.asked == 2


def test_renewing_forgets_a_failure_at_once() -> None:
    source = Prompting()
    credentials = session(source, Source(frozen("B")))
    source.ask = credentials.ask
    with pytest.raises(CredentialsError):
        credentials.get_frozen_credentials()
    credentials.renew()
    assert credentials.get_frozen_credentials().access_key == "B"


def test_waiting_threads_share_one_failure() -> None:
    entered, release = threading.Event(), threading.Event()
    clock = Clock()

    class Slow(Source):
        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            self.asked += 1
            entered.set()
            release.wait(10)
            clock.now += 1
            raise FAILURE

    source = Slow()
    began = threading.Semaphore(0)

    def monotonic() -> float:
        began.release()
        return clock.now

    credentials = SessionCredentials(
        lambda: source, str, lambda _: "", Translator(ProfileInfo("dev")), CredentialSources("dev"), monotonic
    )
    failures: list[CredentialsError] = []

    def ask() -> None:
        try:
            credentials.get_frozen_credentials()
        except CredentialsError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert began.acquire(timeout=10)
    assert entered.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert len(failures) == 8
    assert source.asked == 1


def test_an_expired_role_asks_for_an_mfa_code_again() -> None:
    credentials = session(Source(frozen("A"), RefreshWithMFAUnsupportedError()), Source(frozen("B")))
    assert credentials.get_frozen_credentials().access_key == "A"
    assert credentials.get_frozen_credentials().access_key == "B"


def test_no_credentials_anywhere_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_aws_environment(monkeypatch)
    with pytest.raises(CredentialsError, match="No AWS credentials") as caught:
        connect(region=REGION)
    assert "--profile" in caught.value.next_step


def test_credentials_that_kms_calls_expired_are_read_again_from_the_files(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def keys(access_key: str) -> str:
        return f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = s\n"

    use_config(monkeypatch, tmp_path, "", keys("OLD"))
    backend = connect(region=REGION, endpoint_url=endpoint.url)
    endpoint.plan("ListAliases", EXPIRED, OK)
    with pytest.raises(CredentialsError, match="ExpiredTokenException"):
        backend.call("ListAliases", {})
    (tmp_path / "credentials").write_text(keys("NEW"), encoding="utf-8")
    backend.call("ListAliases", {})
    assert [request.access_key for request in endpoint.requests] == ["OLD", "NEW"]


SSO = (
    "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = R\n"
    "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n"
)


@pytest.fixture
def sso(endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AwsBackend:
    use_config(monkeypatch, tmp_path, SSO)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", endpoint.url)
    # botocore settles this path when it is imported.
    monkeypatch.setattr(
        "botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws/sso/cache")
    )
    return connect("dev", REGION, endpoint.url)


def sign_in(home: Path, token: str) -> None:
    """Leave what `aws sso login` leaves."""
    cache = home / ".aws/sso/cache"
    cache.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha1(b"corp", usedforsecurity=False).hexdigest()
    content = {"accessToken": token, "expiresAt": "2999-01-01T00:00:00Z", "region": "eu-west-1"}
    (cache / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_missing_sso_sign_in_names_the_login_command(sso: AwsBackend, endpoint: FaultEndpoint) -> None:
    for operation in ("ListKeys", "CreateKey"):
        with pytest.raises(CredentialsError, match="profile dev has expired, or was never made") as caught:
            sso.call(operation, {})
        assert caught.value.login_command == "aws sso login --profile dev"
    assert endpoint.count() == 0


def test_work_goes_on_after_a_sign_in_elsewhere(
    sso: AwsBackend, endpoint: FaultEndpoint, tmp_path: Path
) -> None:
    with pytest.raises(CredentialsError):
        sso.call("ListKeys", {})
    sign_in(tmp_path, "fresh")
    sso.renew_credentials()
    sso.call("ListKeys", {})
    portal, call = endpoint.requests
    assert portal.params == {"role_name": "R", "account_id": ACCOUNT, "token": "fresh"}
    assert call.access_key == PORTAL_KEY


def test_a_sign_in_that_the_portal_no_longer_knows_names_the_login_command(
    sso: AwsBackend, endpoint: FaultEndpoint, tmp_path: Path
) -> None:
    sign_in(tmp_path, "revoked")
    endpoint.always("GetRoleCredentials", Refuse("UnauthorizedException", "Session token not found", 401))
    with pytest.raises(CredentialsError) as caught:
        sso.call("ListKeys", {})
    assert caught.value.login_command == "aws sso login --profile dev"


ROLE = """\
[profile base]
aws_access_key_id = AKIABASE
aws_secret_access_key = s
[profile admin]
role_arn = arn:aws:iam::111122223333:role/Admin
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/ada
"""


@pytest.fixture
def role(endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FaultEndpoint:
    use_config(monkeypatch, tmp_path, ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint.url)
    return endpoint


def admin(endpoint: FaultEndpoint, prompt: Callable[[str], str] | None) -> AwsBackend:
    return connect("admin", REGION, endpoint.url, mfa_prompt=prompt)


def test_a_role_with_mfa_asks_for_the_code_once(role: FaultEndpoint) -> None:
    questions: list[str] = []

    def prompt(question: str) -> str:
        questions.append(question)
        return "123456"

    backend = admin(role, prompt)
    backend.call("ListKeys", {})
    backend.in_region("us-east-1").call("CreateKey", {})
    assert questions == ["Enter MFA code for arn:aws:iam::111122223333:mfa/ada: "]
    assumed = next(request for request in role.requests if request.operation == "AssumeRole")
    assert assumed.access_key == "AKIABASE"
    assert assumed.params["TokenCode"] == "123456"
    assert role.requests[-1].access_key == ASSUMED_KEY
    assert backend.account_id == ACCOUNT


def test_an_assumed_role_is_kept_in_the_cli_cache_and_found_there(
    role: FaultEndpoint, tmp_path: Path
) -> None:
    admin(role, lambda _: "123456").call("ListKeys", {})
    cached = list((tmp_path / ".aws/cli/cache").glob("*.json"))
    assert len(cached) == 1
    assert cached[0].stat().st_mode & 0o077 == 0
    assert json.loads(cached[0].read_text(encoding="utf-8"))["Credentials"]["AccessKeyId"] == ASSUMED_KEY
    admin(role, None).call("ListKeys", {})
    assert role.count("AssumeRole") == 1


def test_a_wrong_mfa_code_says_so_and_is_asked_for_again(role: FaultEndpoint) -> None:
    codes = iter(["000000", "123456"])
    backend = admin(role, lambda _: next(codes))
    role.plan("AssumeRole", Refuse("AccessDenied", "invalid MFA one time pass code", 403), OK)
    with pytest.raises(CredentialsError, match="AssumeRole was refused: AccessDenied: invalid MFA"):
        backend.call("ListKeys", {})
    backend.renew_credentials()
    backend.call("ListKeys", {})
    assert role.count("AssumeRole") == 2


def test_a_closed_prompt_reaches_the_caller_as_it_is(role: FaultEndpoint) -> None:
    closed = CredentialsError("The prompt was closed.")

    def prompt(question: str) -> str:
        raise closed

    with pytest.raises(CredentialsError) as caught:
        admin(role, prompt).call("CreateKey", {})
    assert caught.value is closed
    assert role.count() == 0


def test_without_a_prompt_a_role_with_mfa_says_what_to_do(role: FaultEndpoint) -> None:
    with pytest.raises(CredentialsError, match="needs an MFA code"):
        admin(role, None).call("ListKeys", {})


def test_credentials_that_a_process_renews_for_another_account_send_nothing(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"

    def offer(access_key: str, account: str) -> None:
        # Past the mandatory refresh window of ten minutes, so that each request asks the process again.
        expiration = "2999-01-01T00:00:00Z" if access_key == "SECOND" else "{soon}"
        answer.write_text(
            json.dumps(
                {
                    "Version": 1,
                    "AccessKeyId": access_key,
                    "SecretAccessKey": "s",
                    "SessionToken": "t",
                    "Expiration": expiration,
                    "AccountId": account,
                }
            ),
            encoding="utf-8",
        )

    program = tmp_path / "process.py"
    program.write_text(
        "import datetime, pathlib, sys\n"
        "soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)\n"
        "print(pathlib.Path(sys.argv[1]).read_text().replace('{soon}', soon.isoformat()))\n",
        encoding="utf-8",
    )
    command = shlex.join([sys.executable, str(program), str(answer)])
    use_config(monkeypatch, tmp_path, f"[profile p]\ncredential_process = {command}\n")
    offer("FIRST", ACCOUNT)
    backend = connect("p", REGION, endpoint.url)
    backend.call("ListKeys", {})
    assert endpoint.requests[-1].access_key == "FIRST"
    offer("SECOND", OTHER)
    with pytest.raises(CredentialsError, match=f"belong to account {OTHER}"):
        backend.call("CreateKey", {})
    assert endpoint.count("CreateKey") == 0


def test_a_process_that_fails_is_reported(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_config(monkeypatch, tmp_path, "[profile p]\ncredential_process = false\n")
    with pytest.raises(CredentialsError, match="credential_process false failed: it says nothing"):
        connect("p", REGION, endpoint.url)


def static(key: str) -> str:
    return f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n"


@pytest.mark.parametrize("sts", [True, False])
def test_new_credentials_without_an_account_are_identified_before_they_are_used(
    sts: bool, endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_config(monkeypatch, tmp_path, "", static("FIRST"))
    backend = connect(region=REGION, endpoint_url=endpoint.url)
    backend.caller()
    (tmp_path / "credentials").write_text(static("SECOND"), encoding="utf-8")
    backend.renew_credentials()
    endpoint.clear()
    if sts:
        endpoint.always("ListKeys", DENY)
    backend.call("EnableKey", {"KeyId": "00000005-0000-4000-8000-000000000005"})
    asked = ["ListKeys", "GetCallerIdentity"] if sts else ["ListKeys"]
    assert [request.operation for request in endpoint.requests] == [*asked, "EnableKey"]
    assert {request.access_key for request in endpoint.requests} == {"SECOND"}


def test_new_credentials_that_cannot_be_identified_are_not_used(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_config(monkeypatch, tmp_path, "", static("FIRST"))
    backend = connect(region=REGION, endpoint_url=endpoint.url)
    backend.caller()
    (tmp_path / "credentials").write_text(static("SECOND"), encoding="utf-8")
    backend.renew_credentials()
    for operation in ("ListKeys", "GetCallerIdentity"):
        endpoint.always(operation, DENY)
    with pytest.raises(CredentialsError, match="account unknown"):
        backend.call("CreateKey", {})
    assert endpoint.count("CreateKey") == 0
