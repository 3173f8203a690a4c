"""Which principal a request is of: by the access key that signs it, or that its credential names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.admission import Admitted, UnsignedFrom
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.client_backends import ClientBackends
from kms_tui.serve.http_messages import HttpRequest
from kms_tui.serve.sigv4 import Credential, SigV4
from tests.unit.serve.fakes import REGION, FakeBackend, kms_request, presigned, signed, time_of

_ACCOUNT = "111122223333"
_APP = f"arn:aws:iam::{_ACCOUNT}:role/app"
_LASTING = AccessKey("AKIAEXAMPLEEXAMPLE00", "first secret", _ACCOUNT, _APP)
_TEMPORARY = AccessKey(
    "ASIAEXAMPLEEXAMPLE00", "second secret", _ACCOUNT, _APP, session_token="tok/en+==", expires_at=5000
)
_STS_URL = "http://127.0.0.1:8000/?Action=GetCallerIdentity&Version=2011-06-15"


class _Clock:
    now = 1000

    def __call__(self) -> int:
        return self.now


def _request(key: AccessKey, *, token: str | None = None, **options: Any) -> HttpRequest:
    credential = Credential(key.access_key_id, key.secret_access_key)
    return signed(credential=credential, token=token or key.session_token or None, **options)


def _sigv4(request: HttpRequest, keys: AccessKeys, **options: Any) -> SigV4:
    return SigV4(Credential("AKIADEFAULT", "s"), lambda: time_of(request), keys, **options)


def _code(request: HttpRequest, keys: AccessKeys, service: str = "kms") -> str:
    with pytest.raises(ServiceError) as caught:
        _sigv4(request, keys)(request, service)
    return caught.value.code


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def keys(clock: _Clock) -> AccessKeys:
    return AccessKeys(clock, (_LASTING, _TEMPORARY))


@pytest.mark.parametrize("key", [_LASTING, _TEMPORARY])
def test_a_signature_is_of_the_access_key_that_it_names(keys: AccessKeys, key: AccessKey) -> None:
    request = _request(key)
    admitted = _sigv4(request, keys)(request, "kms")
    assert admitted.region == REGION
    assert admitted.access_key is key


def test_the_default_credential_is_of_nobody_else_whatever_token_comes_with_it(keys: AccessKeys) -> None:
    request = signed(credential=Credential("AKIADEFAULT", "s"), token="left over")
    assert _sigv4(request, keys)(request, "kms") == Admitted(REGION, None)


def test_the_secret_of_another_access_key_is_a_wrong_one(keys: AccessKeys) -> None:
    wrong = replace(_LASTING, secret_access_key=_TEMPORARY.secret_access_key)
    assert _code(_request(wrong), keys) == "InvalidSignatureException"


def test_a_key_is_signed_with_its_new_secret_after_it_was_replaced(keys: AccessKeys) -> None:
    old, new = _request(_LASTING), _request(replace(_LASTING, secret_access_key="new"))
    admit = _sigv4(old, keys)
    assert admit(old, "kms").access_key is _LASTING
    keys.replace({_LASTING.access_key_id: replace(_LASTING, secret_access_key="new")})
    assert admit(new, "kms").access_key == replace(_LASTING, secret_access_key="new")
    with pytest.raises(ServiceError, match="does not match the signature you provided"):
        admit(old, "kms")


@pytest.mark.parametrize("token", ["", "another", "tok/en+=", "tok/en+==="])
def test_temporary_keys_need_their_own_token(keys: AccessKeys, token: str) -> None:
    request = _request(replace(_TEMPORARY, session_token=token))
    assert _code(request, keys) == "UnrecognizedClientException"
    unknown = _request(replace(_TEMPORARY, access_key_id="ASIAUNKNOWN"))
    assert _code(unknown, keys) == "UnrecognizedClientException"


def test_temporary_keys_end_by_the_clock_of_the_store(keys: AccessKeys, clock: _Clock) -> None:
    clock.now = 5000
    assert _code(_request(_TEMPORARY), keys) == "ExpiredTokenException"


def test_the_token_of_a_presigned_url_stands_in_its_query(keys: AccessKeys) -> None:
    credential = Credential(_TEMPORARY.access_key_id, _TEMPORARY.secret_access_key)
    request = presigned(_STS_URL, credential=credential, token=_TEMPORARY.session_token)
    assert _sigv4(request, keys)(request, "sts").access_key is _TEMPORARY
    request = presigned(_STS_URL, credential=credential, token="another")
    assert _code(request, keys, "sts") == "UnrecognizedClientException"


def test_without_signatures_the_credential_tells_whose_request_it_is(keys: AccessKeys, clock: _Clock) -> None:
    anyone = AnyAdmission((), keys)
    wrong = replace(_LASTING, secret_access_key="no matter")
    assert anyone(_request(wrong), "kms") == Admitted(REGION, _LASTING)
    assert anyone(_request(_TEMPORARY), "kms") == Admitted(REGION, _TEMPORARY)
    assert anyone(signed(credential=Credential("test", "test")), "kms") == Admitted(REGION, None)
    assert anyone(kms_request("ListKeys"), "kms") == Admitted(None, None)
    credential = Credential(_LASTING.access_key_id, "x")
    assert anyone(presigned(_STS_URL, credential=credential), "sts") == Admitted(REGION, _LASTING)
    clock.now = 5000
    with pytest.raises(ServiceError, match="is expired"):
        anyone(_request(_TEMPORARY), "kms")


def _unsigned(address: str, **headers: str) -> HttpRequest:
    return HttpRequest("POST", "/", "", headers, b"", address)


@pytest.mark.parametrize(
    ("request_", "unsigned", "admitted"),
    [
        (_unsigned("127.0.0.1"), UnsignedFrom.NOWHERE, False),
        (_unsigned("127.0.0.1"), UnsignedFrom.THIS_MACHINE, True),
        (_unsigned("::1"), UnsignedFrom.THIS_MACHINE, True),
        (_unsigned("::ffff:127.0.0.1"), UnsignedFrom.THIS_MACHINE, True),
        (_unsigned("10.0.0.7"), UnsignedFrom.THIS_MACHINE, False),
        (_unsigned("10.0.0.7"), UnsignedFrom.ANYWHERE, True),
        (_unsigned("127.0.0.1", origin="https://attacker.example"), UnsignedFrom.ANYWHERE, False),
        (_unsigned("127.0.0.1", host="attacker.example"), UnsignedFrom.ANYWHERE, False),
        (_unsigned("127.0.0.1", host="kms.test:4599"), UnsignedFrom.THIS_MACHINE, True),
    ],
)
def test_what_needs_no_signature_is_admitted_from_where_it_may_come(
    keys: AccessKeys, request_: HttpRequest, unsigned: UnsignedFrom, admitted: bool
) -> None:
    admit = _sigv4(signed(), keys, hosts=("kms.test", "127.0.0.1"), unsigned=unsigned)
    if admitted:
        assert admit.unsigned(request_) == Admitted()
    else:
        with pytest.raises(ServiceError) as caught:
            admit.unsigned(request_)
        assert (caught.value.code, caught.value.status) == ("AccessDeniedException", 403)


def test_each_client_has_a_backend_of_its_principal_region_and_origin() -> None:
    with open_store() as store:
        clients = ClientBackends(LocalBackend(store, account_id=_ACCOUNT, region=REGION))
        request = HttpRequest("POST", "/", "", {"user-agent": "a"}, b"", "10.0.0.1")
        app = clients.of(request, Admitted("us-east-1", _LASTING))
        assert (app.region, app.caller().arn) == ("us-east-1", _APP)
        assert clients.of(request, Admitted("us-east-1", _LASTING)) is app
        assert clients.of(request, Admitted("us-east-1")) is not app
        assert clients.of(request, Admitted(None, _LASTING)).region == REGION
        other = replace(_LASTING, caller_arn=f"arn:aws:iam::{_ACCOUNT}:role/other")
        assert clients.of(request, Admitted("us-east-1", other)).caller().arn == other.caller_arn


def test_a_backend_that_is_not_offline_has_one_caller() -> None:
    clients = ClientBackends(FakeBackend())
    assert clients.of(kms_request("ListKeys"), Admitted("us-east-1", _LASTING)).region == "us-east-1"


def test_a_key_that_is_gone_is_not_the_default_callers_without_signatures(keys: AccessKeys) -> None:
    before = keys.copy()
    keys.replace({})
    admit = AnyAdmission((), keys)
    for key in (_LASTING, _TEMPORARY):
        with pytest.raises(ServiceError) as caught:
            admit(_request(key), "kms")
        assert caught.value.code == "UnrecognizedClientException"
    assert admit(_request(AccessKey("AKIANEVERKNOWN", "s", _ACCOUNT)), "kms").access_key is None
    keys.replace(before)
    assert admit(_request(_LASTING), "kms").access_key is _LASTING
