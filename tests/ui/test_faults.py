"""The console on an endpoint in trouble: the screen stays alive, says what is wrong, and goes on after it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui import workers
from kms_tui.backend.aws import connect
from kms_tui.control.fault_rules import ANY
from kms_tui.control.faults import (
    DENY,
    EXPIRED,
    INTERNAL,
    OK,
    SKEWED,
    THROTTLE,
    UNAVAILABLE,
    Drop,
    Fault,
    Half,
    Hang,
)
from kms_tui.inventory import Pace
from kms_tui.inventory.cells import name
from kms_tui.kms.facts import Denied, Known
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.widgets.key_list import KeyList
from tests.endpoints.environment import use_config, use_static_credentials
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount
from tests.ui.conftest import fixed_now
from tests.ui.console import drive, press, settled
from tests.ui.test_hostile_text import screen_text

KEYS, AWS_MANAGED = 30, 4


@pytest.fixture(autouse=True)
def _waits_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultEndpoint]:
    use_static_credentials(monkeypatch)
    with FaultEndpoint(SyntheticAccount(KEYS, AWS_MANAGED)) as running:
        yield running


def console(endpoint: FaultEndpoint, profile: str | None = None) -> KmsApp:
    def opener(connection: Connection, _prompt: Prompt) -> Session:
        backend = connect(profile, "eu-west-1", endpoint.url)
        return open_session(connection, backend, now=fixed_now, pace=Pace(read_unasked=0))

    return KmsApp(opener, Connection(BackendKind.AWS, profile=profile))


def text_of(pilot: Pilot[Any]) -> str:
    assert isinstance(pilot.app, KmsApp)
    return screen_text(pilot.app)


def said_in_list(pilot: Pilot[Any]) -> str:
    """What stands in the list, its wrapped lines as one."""
    key_list = rows_of(pilot)
    return " ".join(" ".join(key_list.render_line(y).text for y in range(key_list.size.height)).split())


def rows_of(pilot: Pilot[Any]) -> KeyList:
    return pilot.app.screen.query_one(KeyList)


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await pilot.pause(0.01)


def test_every_fault_has_a_sentence_costs_no_row_and_is_over_when_it_is_over(endpoint: FaultEndpoint) -> None:
    faults: dict[str, Fault] = {
        "failed. ThrottlingException: Rate exceeded Wait a moment and try again": THROTTLE,
        "KMSInternalException": INTERNAL,
        "HTTP 503": UNAVAILABLE,
        "the connection was closed before the answer": Drop(),
        "the answer was cut short": Half(),
        "was denied. AccessDeniedException": DENY,
    }

    async def script(pilot: Pilot[Any]) -> None:
        total = len(rows_of(pilot).rows)
        for sentence, fault in faults.items():
            endpoint.always(ANY, fault)
            await press(pilot, "r")
            assert sentence in said_in_list(pilot)
            assert len(rows_of(pilot).rows) == total == KEYS - AWS_MANAGED
            endpoint.clear()
            await press(pilot, "r")
            assert sentence not in said_in_list(pilot)
            assert "trying again" not in text_of(pilot)

    drive(console(endpoint), script)


def test_a_page_that_breaks_off_keeps_its_keys_and_comes_whole_by_itself(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FIRST_WAIT", 0.05)
    endpoint.account = SyntheticAccount(150, 0)
    endpoint.plan("ListAliases", OK, Half(), Half(), Half())

    async def script(pilot: Pilot[Any]) -> None:
        key_list = rows_of(pilot)
        await until(pilot, lambda: "listing its aliases failed" not in said_in_list(pilot))
        await settled(pilot)
        assert len(key_list.rows) == 150
        assert sum(bool(row.aliases) for row in key_list.rows) == 135
        assert endpoint.count("ListAliases") == 4 + 1

    drive(console(endpoint), script)


def test_keys_that_may_not_be_described_stand_among_those_that_may(endpoint: FaultEndpoint) -> None:
    endpoint.plan_from("DescribeKey", itertools.cycle([OK, DENY]))
    endpoint.always("GetKeyRotationStatus", DENY)

    async def script(pilot: Pilot[Any]) -> None:
        rows = rows_of(pilot).rows
        kinds = {type(row.described) for row in rows}
        assert kinds == {Known, Denied}
        text = text_of(pilot)
        assert "rotation off" not in text
        assert "cannot describe: denied" in text
        assert all(name(row) in text for row in rows if row.aliases)

    drive(console(endpoint), script)


def test_while_calls_hang_one_can_move_filter_and_read(endpoint: FaultEndpoint) -> None:
    endpoint.always("DescribeKey", Hang())

    async def script(pilot: Pilot[Any]) -> None:
        key_list = rows_of(pilot)
        await until(pilot, lambda: endpoint.count("DescribeKey") >= 16)
        await pilot.press("down", "down", "slash", *"service-2", "enter")
        await until(pilot, lambda: 0 < len(key_list.rows) < 12)
        text = text_of(pilot)
        assert "0 of 26 read" in text
        assert key_list.current is not None
        await pilot.press("q")

    async def run() -> None:
        async with console(endpoint).run_test(size=(160, 48)) as pilot:
            await until(pilot, lambda: any(key_list.rows for key_list in pilot.app.screen.query(KeyList)))
            await script(pilot)

    asyncio.run(run())


def test_a_clock_that_is_wrong_is_named(endpoint: FaultEndpoint) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        endpoint.always(ANY, SKEWED)
        await press(pilot, "r")
        assert "This machine's clock is" in text_of(pilot)
        assert "Set this machine's clock right" in text_of(pilot)

    drive(console(endpoint), script)


SSO = (
    "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = R\n"
    "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n"
)
LOGIN = """#!{python}
import json, sys
assert sys.argv[1:] == ["sso", "login", "--profile", "dev"], sys.argv
with open({token!r}, "w") as file:
    json.dump({{"accessToken": "fresh", "expiresAt": "2999-01-01T00:00:00Z", "region": "eu-west-1"}}, file)
"""


@pytest.fixture
def expired_sso(endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A profile whose sign-in an ``aws`` on the path renews; the file that the sign-in leaves."""
    use_config(monkeypatch, tmp_path, SSO)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", endpoint.url)
    cache = tmp_path / ".aws/sso/cache"
    cache.mkdir(parents=True)
    monkeypatch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(cache))
    token = cache / (hashlib.sha1(b"corp", usedforsecurity=False).hexdigest() + ".json")
    aws = tmp_path / "aws"
    aws.write_text(LOGIN.format(python=sys.executable, token=str(token)), encoding="utf-8")
    aws.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return token


def test_an_expired_sign_in_is_renewed_from_the_banner_and_work_goes_on_where_it_was(
    endpoint: FaultEndpoint, expired_sso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def suspend(_app: KmsApp) -> Iterator[None]:
        yield

    monkeypatch.setattr(KmsApp, "suspend", suspend)

    async def script(pilot: Pilot[Any]) -> None:
        text = text_of(pilot)
        assert "The sign-in of profile dev has expired" in text
        assert "Run: aws sso login --profile dev" in text
        assert endpoint.count() == 0
        app = pilot.app
        assert isinstance(app, KmsApp)
        session = app.session
        assert session is not None
        await until(pilot, lambda: session.inventory.stopped is not None)
        await press(pilot, "L")
        assert expired_sso.exists()
        assert "has expired" not in text_of(pilot)
        await press(pilot, "down", "down", "down", "space")
        key_list = rows_of(pilot)
        chosen, marked = key_list.current, key_list.chosen()()
        expired_sso.unlink()
        endpoint.always(ANY, EXPIRED)
        await press(pilot, "r")
        assert "Run: aws sso login --profile dev" in text_of(pilot)
        endpoint.clear()
        await press(pilot, "L")
        assert expired_sso.exists()
        assert "Run: aws sso login" not in text_of(pilot)
        assert (key_list.current, key_list.chosen()()) == (chosen, marked)
        assert all(isinstance(row.described, Known) for row in key_list.rows)

    drive(console(endpoint, "dev"), script)


def test_quitting_waits_for_no_call(endpoint: FaultEndpoint) -> None:
    """In a process and a terminal of its own: what held the exit would be a thread of either."""
    endpoint.always("DescribeKey", Hang())
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kms_tui", "--endpoint-url", endpoint.url, "--region", "eu-west-1"]
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "48"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as running:
        os.close(theirs)
        try:
            painted = b""
            while endpoint.count("DescribeKey") < 16:
                if select.select([ours], [], [], 0.1)[0]:
                    painted += os.read(ours, 65536)
                assert running.poll() is None, painted
            os.write(ours, b"q")
            # A read gives up after 20 s, three times over: whoever waited for one would not be back by then.
            while running.poll() is None:
                assert select.select([ours], [], [], 15)[0], "it does not quit"
                try:
                    os.read(ours, 65536)
                except OSError:
                    break
            assert running.wait(15) == 0
        finally:
            running.kill()
            os.close(ours)
