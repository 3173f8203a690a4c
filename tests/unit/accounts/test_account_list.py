"""What ``--accounts`` says, and the files that list accounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_tui.accounts.account_choice import AccountChoice, parse_accounts
from kms_tui.accounts.account_list import AccountEntry, organization_accounts, read_account_file
from kms_tui.kms.errors import ConfigurationError

ONE, OTHER = "111122223333", "444455556666"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("prod", AccountChoice(("prod",))),
        ("prod, dev,prod", AccountChoice(("prod", "dev"))),
        ("organization", AccountChoice(organization=True)),
        ("file://a b.toml", AccountChoice(file=Path("a b.toml"))),
        ("file:///etc/accounts.json", AccountChoice(file=Path("/etc/accounts.json"))),
    ],
)
def test_accounts_are_profiles_a_file_or_the_organization(text: str, choice: AccountChoice) -> None:
    assert parse_accounts(text) == choice


@pytest.mark.parametrize("text", ["", ",", "prod,,dev", "file://", "prod,organization", "prod,file://x"])
def test_what_names_no_accounts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no list|names no file|stands alone"):
        parse_accounts(text)


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_each_entry_of_a_file_may_say_how_it_is_opened(tmp_path: Path) -> None:
    text = f"""
    role = "KmsReader"
    [[accounts]]
    id = "{ONE}"
    name = "payments"
    read_only = true
    [[accounts]]
    id = "{OTHER}"
    role = "arn:aws:iam::{OTHER}:role/path/Own"
    external_id = "x"
    region = "us-east-1"
    """
    listed, role = read_account_file(written(tmp_path, "a.toml", text))
    assert role == "KmsReader"
    assert listed == [
        AccountEntry(ONE, "payments", read_only=True),
        AccountEntry(OTHER, role=f"arn:aws:iam::{OTHER}:role/path/Own", external_id="x", region="us-east-1"),
    ]


def test_the_answer_of_list_accounts_is_a_file(tmp_path: Path) -> None:
    listed = {
        "Accounts": [
            {"Id": ONE, "Arn": "arn:…", "Email": "a@example.com", "Name": "Payments", "Status": "ACTIVE"},
            {"Id": OTHER, "Name": "Old", "Status": "SUSPENDED", "State": "SUSPENDED"},
        ]
    }
    one, other = read_account_file(written(tmp_path, "a.json", json.dumps(listed))).accounts
    assert (one.id, one.name, one.is_active) == (ONE, "Payments", True)
    assert not other.is_active


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "lists no accounts"),
        ("[]", "lists no accounts"),
        ("accounts = 3", "lists no accounts"),
        ("role = 3\n[[accounts]]\nid = '111122223333'", "role is not a text"),
        ("[[accounts]]\nname = 'x'", "account 1 has no id"),
        ("[[accounts]]\nid = 111122223333", "account 1: id is not the 12 digits"),
        ("[[accounts]]\nid = '1111'", "account 1: id is not the 12 digits"),
        ("[[accounts]]\nid = '111122223333'\nreadonly = true", "account 1: readonly is not a setting"),
        ("[[accounts]]\nid = '111122223333'\nread_only = 'yes'", "account 1: read_only is neither"),
        (
            "[[accounts]]\nid = '111122223333'\n[[accounts]]\nid = '111122223333'",
            "lists account 111122223333 twice",
        ),
        ("regions = []\n[[accounts]]\nid = '111122223333'", "regions is not a setting"),
        ("id = ", "neither TOML nor JSON"),
        ("[[accounts", "neither TOML nor JSON"),
        ("{", "neither TOML nor JSON"),
        ("a = " + "9" * 5000, "neither TOML nor JSON: a number in it is too long"),
        ("[3]", "account 1 is not a table"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"\0", "neither TOML nor JSON"),
        ("x" * 4_000_001, "more than 4 MB"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_the_entry(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    path = written(tmp_path, "accounts", text)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        read_account_file(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("name", ["nowhere/accounts.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_account_file(tmp_path / name)


class Organization:
    """Services with nothing but Organizations' ListAccounts, a page each."""

    region = "us-east-1"

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages = pages

    def offers(self, service: str) -> bool:
        return service == "organizations"

    def in_region(self, _region: str) -> Organization:
        return self

    def call(self, service: str, operation: str, params: Any) -> Any:
        assert (service, operation) == ("organizations", "ListAccounts")
        number = int(params.get("NextToken", 0))
        more = {"NextToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"Accounts": self.pages[number], **more}


def test_every_page_of_the_organization_is_read_and_sorted_by_name() -> None:
    services = Organization(
        [{"Id": OTHER, "Name": "b", "State": "ACTIVE"}], [], [{"Id": ONE, "Name": "A", "Status": "SUSPENDED"}]
    )
    assert [(each.name, each.is_active) for each in organization_accounts(services)] == [
        ("A", False),
        ("b", True),
    ]
