"""Access keys: which are known, which may be used, and how many temporary ones are kept."""

from __future__ import annotations

from typing import Any

import pytest

from kms_tui.backend.local.principals import key_table
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.kms.errors import ServiceError
from tests.unit.local.conftest import ACCOUNT

_INVALID = ("UnrecognizedClientException", "The security token included in the request is invalid.")
_EXPIRED = ("ExpiredTokenException", "The security token included in the request is expired")


class _Clock:
    now = 1000

    def __call__(self) -> int:
        return self.now


def _key(name: str, **fields: Any) -> AccessKey:
    return AccessKey(name, "a secret", ACCOUNT, **fields)


def _refusal(keys: AccessKeys, key: AccessKey, token: str) -> tuple[str, str] | None:
    try:
        keys.require_usable(key, token)
    except ServiceError as error:
        return error.code, error.message
    return None


def test_neither_secret_nor_token_is_in_the_repr() -> None:
    shown = repr(_key("AKIAX", session_token="a token"))
    assert "a secret" not in shown
    assert "a token" not in shown


def test_a_key_is_used_with_its_own_token_until_it_expires() -> None:
    clock = _Clock()
    lasting, temporary = _key("AKIAX"), _key("ASIAX", session_token="token", expires_at=2000)
    keys = AccessKeys(clock, (lasting, temporary))
    assert _refusal(keys, lasting, "") is None
    assert _refusal(keys, lasting, "left over") == _INVALID
    for wrong in ("", "toke", "tokenn", "t\udc80ken", "tök"):
        assert _refusal(keys, temporary, wrong) == _INVALID
    clock.now = 1999
    assert _refusal(keys, temporary, "token") is None
    clock.now = 2000
    assert _refusal(keys, temporary, "token") == _EXPIRED
    clock.now = 1999
    assert _refusal(keys, temporary, "token") is None


def test_a_copy_puts_the_keys_back() -> None:
    keys = AccessKeys(_Clock(), (_key("AKIAX"),))
    before = keys.copy()
    keys.add(_key("ASIAX", expires_at=2000))
    keys.add(_key("AKIAX", caller_arn="arn:aws:iam::111122223333:user/ada"))
    assert set(before) == {"AKIAX"}
    keys.replace(before)
    assert keys.find("ASIAX") is None
    assert keys.find("AKIAX") == _key("AKIAX")
    keys.add(_key("AKIAY"))
    assert set(before) == {"AKIAX"}


def test_the_number_of_temporary_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_table, "MAX_TEMPORARY", 20)
    clock = _Clock()
    keys = AccessKeys(clock, (_key("AKIAX"),))
    for number in range(100):
        keys.add(_key(f"ASIA{number}", expires_at=2000 + number))
        assert len(keys.copy()) <= 21
    assert keys.find("AKIAX")
    assert keys.find("ASIA99")
    assert not keys.find("ASIA0")
    clock.now = 2099
    keys.add(_key("ASIALATE", expires_at=3000))
    keys.add(_key("ASIALATER", expires_at=3000))
    assert {"AKIAX", "ASIA99", "ASIALATE"} >= set(keys.copy()) - {"ASIALATER"}
