"""What is read of keys for code, what is left out, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kms_tui.as_code.key_definition import KeyDefinition, KeyReading, left_out_sentences, stack_notes
from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import Key, Tag
from tests.as_code_account import account, read

_ID = "1234abcd-12ab-34cd-56ef-0000000000"


def test_a_key_is_read_once_whatever_names_it() -> None:
    found = read("alias/orders", f"{_ID}01", f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}01")
    (definition,) = found.definitions
    assert definition.name == "alias/orders"
    assert definition.aliases == ("alias/orders", "alias/orders/v2", "alias/orders_v2")
    assert (len(definition.grants), len(definition.own_tags)) == (5, 7)
    assert definition.rotation is not None
    assert definition.rotation.period_days == 90
    assert (found.left_out, found.unread) == ((), ())


def test_keys_that_no_code_holds_are_left_out_with_the_reason() -> None:
    assert read("alias/going", f"{_ID}0f").left_out == (
        "alias/going is left out: it is scheduled for deletion, which tools take for deleted; cancel the "
        "deletion first.",
        f"{_ID}0f is left out: it is an AWS managed key, which AWS makes and keeps.",
    )


class _WithoutTags(Kms):
    """A caller who may not read tags."""

    def tags(self, key: str) -> list[Tag]:
        raise ServiceError("AccessDeniedException", f"no tags of {key}")


def test_a_key_that_cannot_be_read_whole_is_not_written_in_half() -> None:
    kms = _WithoutTags(account(key_stores=False).backend)
    reading = KeyReading(["alias/rsa", "alias/none-such", "alias/going"], lambda _: kms)
    found = reading.read()
    assert (found.definitions, len(found.left_out), reading.done) == ((), 1, 3)
    assert found.unread[0] == f"alias/rsa could not be read: AccessDeniedException: no tags of {_ID}04"
    assert found.unread[1].startswith("alias/none-such could not be read: NotFoundException")


class _Hostile(Kms):
    """An endpoint that answers what would be a path, or more lines of code."""

    def __init__(self, backend: Backend, **members: str) -> None:
        super().__init__(backend)
        self.members = members

    def describe(self, key: str) -> Key:
        return replace(super().describe(key), **self.members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "members",
    [
        {"account_id": "1\nprovisioner"},
        {"account_id": ""},
        {"arn": f"arn:aws:kms:../../x:111122223333:key/{_ID}04"},
        {"arn": 'arn:aws:kms:a"b:111122223333:key/x'},
        {"arn": "nothing"},
    ],
)
def test_a_place_that_is_none_gets_into_no_code(members: dict[str, str]) -> None:
    kms = _Hostile(account(key_stores=False).backend, **members)
    found = KeyReading(["alias/rsa"], lambda _: kms).read()
    assert (found.definitions, len(found.unread)) == ((), 1)


def test_tags_of_aws_are_nobodys_own_and_a_stack_is_named() -> None:
    key = Key(_ID, f"arn:aws:kms:eu-west-1:1:key/{_ID}", "1", "CUSTOMER", "Enabled", "", "", "")
    tags = (Tag("aws:cloudformation:stack-name", "base"), Tag("team", "a"))
    definition = KeyDefinition(key, "{}", tags)
    assert definition.own_tags == (Tag("team", "a"),)
    (note,) = stack_notes([definition])
    assert note.startswith(f"{_ID} is held by the CloudFormation stack base:")


def test_many_that_are_left_out_for_one_reason_are_one_sentence() -> None:
    found = [("a", "is old"), ("b", "is new"), ("c", "is old"), ("d", "is old"), ("e", "is old")]
    assert left_out_sentences(found) == [
        "a, c, d and 1 more are left out: each is old.",
        "b is left out: it is new.",
    ]
