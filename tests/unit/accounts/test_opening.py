"""Several accounts at a KMS, STS and Organizations that others wrote: listed together, each by its role."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from kms_tui.cli import main
from tests.endpoints.environment import use_config
from tests.endpoints.moto import MotoEndpoint

OWN = "123456789012"
REGION = "eu-west-1"
CONFIG = """
[default]
region = eu-west-1
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = an-example-and-no-secret
[profile loop-a]
role_arn = arn:aws:iam::111111111111:role/A
source_profile = loop-b
[profile loop-b]
role_arn = arn:aws:iam::111111111111:role/B
source_profile = loop-a
[profile payments]
role_arn = arn:aws:iam::{payments}:role/KmsReader
source_profile = default
region = eu-west-1
[profile twin]
role_arn = arn:aws:iam::{payments}:role/Other
source_profile = default
region = eu-west-1
"""


class Estate:
    """An organization of moto's: its accounts by name, each with a key named after it."""

    def __init__(self, url: str, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.url = url
        self.home = home
        use_config(patch, home, CONFIG.format(payments="111111111111"))
        organizations = self._client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        self.ids = {"master": OWN}
        for name in ("payments", "Data Platform"):
            made = organizations.create_account(AccountName=name, Email=f"{len(self.ids)}@example.com")
            self.ids[name] = made["CreateAccountStatus"]["AccountId"]
        use_config(patch, home, CONFIG.format(payments=self.ids["payments"]))
        patch.setenv("AWS_ENDPOINT_URL", url)  # STS, of which botocore itself asks the profiles' credentials
        for name, account in self.ids.items():
            self.make_key(account, f"key-of-{name.split()[0].lower()}")

    def _client(self, service: str, **credentials: str) -> Any:
        return boto3.session.Session().client(  # type: ignore[call-overload]
            service, endpoint_url=self.url, region_name=REGION, **credentials
        )

    def in_account(self, account: str, service: str = "kms") -> Any:
        if account == OWN:
            return self._client(service)
        sts = self._client("sts")
        answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/Admin", RoleSessionName="test")
        given = answer["Credentials"]
        return self._client(
            service,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def make_key(self, account: str, alias: str) -> str:
        kms = self.in_account(account)
        arn: str = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=f"alias/{alias}", TargetKeyId=arn)
        return arn


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoEndpoint]:
    with MotoEndpoint() as endpoint:
        yield endpoint


@pytest.fixture
def estate(moto: MotoEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    moto.reset()
    return Estate(moto.url, tmp_path, monkeypatch)


Listed = tuple[int, list[dict[str, Any]], str]


@pytest.fixture
def listed(estate: Estate, capsys: pytest.CaptureFixture[str]) -> Callable[..., Listed]:
    def run(*arguments: str, filtered: str = "") -> Listed:
        terms = ["!manager:aws", *([filtered] if filtered else [])]
        code = main(["list", "--format", "json", "--endpoint-url", estate.url, *arguments, *terms])
        told = capsys.readouterr()
        return code, json.loads(told.out) if told.out else [], told.err

    return run


def names(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["aliases"]: row["account_name"] for row in rows}


def test_the_accounts_of_the_organization_stand_in_one_list(
    estate: Estate, listed: Callable[..., Listed]
) -> None:
    code, rows, problems = listed("--accounts", "organization", "--role", "KmsReader")
    assert (code, problems) == (0, "")
    assert names(rows) == {
        "key-of-master": "master",
        "key-of-payments": "payments",
        "key-of-data": "Data Platform",
    }
    assert {row["arn"].split(":")[4] for row in rows} == set(estate.ids.values())


def test_the_filter_takes_names_and_ids_of_accounts(estate: Estate, listed: Callable[..., Listed]) -> None:
    organization = ("--accounts", "organization", "--role", "KmsReader")
    assert names(listed(*organization, filtered="account:pay")[1]) == {"key-of-payments": "payments"}
    assert names(listed(*organization, filtered='account:"data p*"')[1]) == {"key-of-data": "Data Platform"}
    by_id = f"!account:{estate.ids['payments']},{OWN}"
    assert names(listed(*organization, filtered=by_id)[1]) == {"key-of-data": "Data Platform"}


def test_credentials_of_a_role_are_kept_where_the_aws_cli_keeps_its_own(
    estate: Estate, listed: Callable[..., Listed]
) -> None:
    listed("--accounts", "organization", "--role", "KmsReader")
    kept = [*(estate.home / ".aws/cli/cache").glob("*.json")]
    assert len(kept) == 2  # the own account needs no role
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)


def test_profiles_are_listed_by_their_names(estate: Estate, listed: Callable[..., Listed]) -> None:
    code, rows, problems = listed("--accounts", "default,payments")
    assert (code, problems) == (0, "")
    assert names(rows) == {"key-of-master": "default", "key-of-payments": "payments"}


def test_two_profiles_of_one_account_are_told(estate: Estate, listed: Callable[..., Listed]) -> None:
    code, rows, problems = listed("--accounts", "payments,twin")
    assert (code, names(rows)) == (2, {"key-of-payments": "payments"})
    assert f"twin is of account {estate.ids['payments']}, which payments lists already" in problems


def test_one_that_cannot_be_opened_hides_no_other(estate: Estate, listed: Callable[..., Listed]) -> None:
    code, rows, problems = listed("--accounts", "loop-a,payments,nobody")
    assert (code, names(rows)) == (2, {"key-of-payments": "payments"})
    assert re.search(r"The keys and aliases of loop-a could not be listed: .*loop", problems)
    assert "The keys and aliases of nobody could not be listed: " in problems
    assert len(problems.splitlines()) == 2


FILE = """
role = "KmsReader"
[[accounts]]
id = "{payments}"
name = "pay"
[[accounts]]
id = "123456789012"
[[accounts]]
id = "{data}"
name = "own profile"
profile = "payments"
"""


def test_a_file_lists_accounts_with_roles_and_profiles(estate: Estate, listed: Callable[..., Listed]) -> None:
    path = estate.home / "accounts.toml"
    path.write_text(FILE.format(payments=estate.ids["payments"], data="222222222222"))
    code, rows, problems = listed("--accounts", f"file://{path}")
    assert names(rows) == {"key-of-payments": "pay", "key-of-master": OWN}
    assert (code, problems) == (
        2,
        "The keys and aliases of own profile could not be listed: "
        f"own profile is of account {estate.ids['payments']}, not of 222222222222.\n",
    )


def test_accounts_of_the_same_name_are_told_apart_by_their_ids(
    estate: Estate, listed: Callable[..., Listed]
) -> None:
    path = estate.home / "accounts.json"
    ids = estate.ids["payments"], estate.ids["Data Platform"]
    path.write_text(json.dumps([{"id": each, "name": "prod", "role": "KmsReader"} for each in ids]))
    code, rows, problems = listed("--accounts", f"file://{path}")
    assert (code, problems) == (0, "")
    assert names(rows) == {"key-of-payments": f"prod {ids[0]}", "key-of-data": f"prod {ids[1]}"}


def test_a_role_of_one_account_opens_no_other(estate: Estate, listed: Callable[..., Listed]) -> None:
    payments = estate.ids["payments"]
    role = f"arn:aws:iam::{payments}:role/KmsReader"
    code, rows, problems = listed("--accounts", "organization", "--role", role)
    assert (code, names(rows)) == (2, {"key-of-master": "master", "key-of-payments": "payments"})
    assert f"The role {role} is of account {payments}, not of {estate.ids['Data Platform']}." in problems


def test_what_the_aws_cli_prints_of_the_organization_is_such_a_file(
    estate: Estate, listed: Callable[..., Listed]
) -> None:
    path = estate.home / "accounts.json"
    accounts = estate._client("organizations").list_accounts()["Accounts"]
    accounts.append({"Id": "999999999999", "Name": "gone", "Status": "SUSPENDED"})
    path.write_text(json.dumps({"Accounts": accounts}, default=str))
    code, rows, problems = listed("--accounts", f"file://{path}", "--role", "KmsReader")
    assert sorted(names(rows)) == ["key-of-data", "key-of-master", "key-of-payments"]
    assert code == 2
    assert problems == (
        "The keys and aliases of gone could not be listed: The account is suspended in its organization.\n"
    )


def test_an_organization_that_may_not_be_listed_is_one_sentence(
    moto: MotoEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moto.reset()
    use_config(monkeypatch, tmp_path, CONFIG.format(payments="111111111111"))
    code = main(["list", "--endpoint-url", moto.url, "--accounts", "organization", "--role", "KmsReader"])
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert told.err == "kms-tui list: There is no account to list.\n"
