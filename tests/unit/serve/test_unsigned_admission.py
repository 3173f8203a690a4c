"""Without signatures anyone is admitted, but no web page, under whatever name it reaches this machine."""

from __future__ import annotations

import pytest

from kms_tui.kms.errors import ServiceError
from kms_tui.serve.admission import Admitted
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.http_messages import HttpRequest
from kms_tui.serve.sigv4 import Credential
from tests.unit.serve.fakes import presigned, signed

_STS_URL = "http://127.0.0.1:8000/?Action=GetCallerIdentity&Version=2011-06-15"


def _admitted(hosts: tuple[str, ...] = ("127.0.0.1",), **headers: str) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        return AnyAdmission(hosts)(HttpRequest("POST", "/", "", named, b""), "kms") == Admitted()
    except ServiceError as error:
        return (error.code, error.status) != ("AccessDeniedException", 403)


def test_anyone_is_admitted_with_any_signature_or_none() -> None:
    anyone = AnyAdmission(("127.0.0.1",))
    assert anyone(HttpRequest("POST", "/", "", {}, b""), "kms") == Admitted()
    assert anyone(signed(credential=Credential("x", "y"), region="eu-north-1"), "kms") == Admitted(
        "eu-north-1"
    )
    assert anyone(presigned(_STS_URL, region="eu-north-1"), "sts") == Admitted("eu-north-1")
    assert (
        anyone(HttpRequest("POST", "/", "", {"authorization": "Credential=a/b/../"}, b""), "kms")
        == Admitted()
    )


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({"origin": "https://attacker.example"}, False),
        ({"origin": "null"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-origin"}, False),
        ({"sec_fetch_site": ""}, False),
        ({"sec_fetch_site": "none"}, True),
    ],
)
def test_no_web_page_is_admitted(headers: dict[str, str], admitted: bool) -> None:
    assert _admitted(("127.0.0.1",), **headers) is admitted


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "127.9.9.9:8000", "localhost", "LocalHost:8000", "[::1]", "[::1]:8000"],
)
def test_this_machine_is_meant_by_any_of_its_own_names(host: str) -> None:
    assert _admitted(host=host)


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:8000",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example:8000",
        "attacker.example@127.0.0.1",
        "127.0.0.1,attacker.example",
        "localhost:8000:8000",
        "[::1]attacker.example",
        "[attacker.example]",
        "192.168.1.5",
        "0.0.0.0",
        "",
        "\u2128ocalhost",
    ],
)
def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    assert not _admitted(host=host)


def test_the_name_and_the_address_that_it_listens_on_are_meant() -> None:
    hosts = ("Keys.Example", "192.168.1.5")
    assert _admitted(hosts, host="keys.example:8000")
    assert _admitted(hosts, host="192.168.1.5:8000")
    assert not _admitted(hosts, host="192.168.1.6:8000")
    assert not _admitted(hosts, host="other.example:8000")


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
def test_where_all_addresses_are_served_each_is_meant_and_no_name(bound: str) -> None:
    assert _admitted((bound, bound), host="192.168.1.5:8000")
    assert _admitted((bound, bound), host="[fe80::1]:8000")
    assert not _admitted((bound, bound), host="attacker.example:8000")


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("kms", True),
        ("Order_KMS-1:4599", True),
        ("kms.", False),
        ("kms.example", False),
        ("-kms", False),
        ("k" * 64, False),
        ("kéy", False),
    ],
)
def test_where_all_addresses_are_served_a_container_has_its_name(host: str, admitted: bool) -> None:
    assert _admitted(("0.0.0.0", "0.0.0.0"), host=host) is admitted
    assert not _admitted(("127.0.0.1", "127.0.0.1"), host=host)
