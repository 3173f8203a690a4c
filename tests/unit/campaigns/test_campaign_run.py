"""A campaign over services as AWS has them: nothing is lost, nothing is done twice, whatever happens."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.campaigns.campaign import GRANTS, CampaignHead, CampaignItem, ItemState
from kms_tui.campaigns.campaign_run import CampaignRun, NoAccountError, SessionAccess, require_writes
from kms_tui.campaigns.journal import CampaignFiles, JournalError
from kms_tui.cli.account_opening import demo_sources
from kms_tui.config import ProfileSettings
from kms_tui.demo import demo_backend
from kms_tui.demo.demo_account import ACCOUNT_ID
from kms_tui.evidence.scan_task import Use
from kms_tui.kms.errors import (
    ConfigurationError,
    CredentialsError,
    EndpointError,
    KmsTuiError,
    OutcomeUnknownError,
    ReadOnlyError,
    ServiceError,
)
from kms_tui.session import BackendKind, Connection, Session, open_accounts, open_session
from tests.unit.campaigns.services import ACCOUNT, NEW, OLD, REGION, FakeKms, Killed, StoredServices, failing

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
_OTHER = OLD.replace("1111-1111", "3333-3333")
_KIND = {
    "parameter": "SSM SecureStrings",
    "secret": "Secrets Manager secrets",
    "queue": "SQS queues",
    "table": "DynamoDB tables",
    "function": "Lambda functions",
}
Make = Callable[..., CampaignRun]


@dataclass
class World:
    """The services, the journals, and the runs over them."""

    files: CampaignFiles
    services: StoredServices = field(default_factory=StoredServices)
    keys: FakeKms = field(default_factory=FakeKms)
    waited: list[float] = field(default_factory=list)

    def writing(self, account: str, region: str) -> Services:
        assert (account, region) == (ACCOUNT, REGION)
        return self.services

    def kms(self, account: str, region: str) -> Kms:
        assert (account, region) == (ACCOUNT, REGION)
        return Kms(self.keys)

    def begin(self, *items: tuple[str, str]) -> None:
        self.begin_with(*(item(kind, name) for kind, name in items))

    def begin_with(self, *items: CampaignItem) -> None:
        head = CampaignHead("c1", NOW, OLD, NEW, frozenset({OLD, "alias/orders"}))
        self.files.begin(head, items).close()

    def pause(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return False

    def run(self) -> CampaignRun:
        """Resume the campaign, and run it to its end."""
        with self.files.resume(OLD) as journal:
            run = CampaignRun(journal, self, lambda: NOW, pause=self.pause, fraction=lambda: 1.0)
            run.run()
        return run

    def states(self) -> list[ItemState]:
        campaign = self.files.newest(OLD)
        assert campaign is not None
        return [record.state for record in campaign.records]

    def words(self) -> list[str]:
        campaign = self.files.newest(OLD)
        assert campaign is not None
        return [record.words for record in campaign.records]


def item(kind: str, name: str, reference: str = OLD) -> CampaignItem:
    purpose = "environment" if kind == "function" else ""
    return CampaignItem(ACCOUNT, REGION, Use(_KIND[kind], name, reference, purpose=purpose))


def grant(grant_id: str) -> CampaignItem:
    members = {"GranteePrincipal": "arn:aws:iam::111122223333:role/app", "Operations": ["Decrypt"]}
    return CampaignItem(ACCOUNT, REGION, Use(GRANTS, grant_id, OLD), members)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(CampaignFiles(tmp_path))


def test_each_kind_is_written_read_back_and_logged_without_its_secret(world: World) -> None:
    services = world.services
    services.add_parameter("/p", versions=60, Description="what for")
    services.parameters["/p"][-1]["Labels"] = ["live"]
    services.add_secret("s", VersionIdsToStages={"v1": ["AWSCURRENT"], "v0": ["blue"]})
    services.queues["q"] = "alias/orders"
    services.tables["t"] = OLD
    world.begin(("parameter", "/p"), ("secret", "s"), ("queue", "q"), ("table", "t"))
    run = world.run()
    assert world.states() == [ItemState.MOVED] * 4
    *_, before, after = services.parameters["/p"]
    assert (after["KeyId"], after["Value"], after["Description"]) == (NEW, before["Value"], "what for")
    assert (before["Labels"], after["Labels"]) == ([], ["live"])
    assert (services.secrets["s"]["KmsKeyId"], services.queues["q"], services.tables["t"]) == (NEW,) * 3
    parameter, secret, *_ = world.words()
    assert parameter == "versions of its history that stay under the old key: 1 to 60"
    assert secret == "versions labelled blue stay under the old key until they are written again"
    path = run.journal.path
    assert path.stat().st_mode & 0o777 == 0o600
    assert "value of" not in path.read_text()
    campaign = run.journal.campaign
    assert campaign.records[0].commands[0] == (
        "aws ssm put-parameter --name /p --key-id " + NEW + " --overwrite --value file://INPUT "
        "--type SecureString --description 'what for' --tier Standard --region eu-west-1"
    )
    assert campaign.first_write == NOW
    assert [note.words for note in campaign.notes] == ["A run begins, with 4 items to do.", "The run ended."]
    assert run.progress().done == run.progress().total == 4


def test_a_second_run_writes_nothing(world: World) -> None:
    world.services.add_parameter("/p")
    world.begin(("parameter", "/p"))
    world.run()
    world.services.calls.clear()
    assert world.run().stopped is None
    assert world.services.calls == []
    assert len(world.services.parameters["/p"]) == 2


def test_what_is_under_the_new_key_already_is_not_written(world: World) -> None:
    world.services.add_secret("s", NEW)
    world.begin(("secret", "s"))
    world.run()
    assert world.states() == [ItemState.ALREADY]
    assert "updates" not in world.services.secrets["s"]


@pytest.mark.parametrize(("key", "words"), [(_OTHER, f"it names {_OTHER} now"), ("", "it names no key now")])
def test_a_resource_that_changed_since_the_plan_is_left_as_it_is(world: World, key: str, words: str) -> None:
    world.services.add_secret("s", key)
    world.begin(("secret", "s"))
    world.run()
    assert (world.states(), world.words()) == ([ItemState.CHANGED], [words])
    assert world.services.secrets["s"]["KmsKeyId"] == key


def test_a_secret_whose_versions_may_not_be_encrypted_again_says_so(world: World) -> None:
    world.keys.may_encrypt = False
    world.services.add_secret("s")
    world.services.queues["q"] = OLD
    world.begin(("secret", "s"), ("queue", "q"))
    world.run()
    assert world.states() == [ItemState.MOVED] * 2
    assert world.words()[0].startswith("you may not call kms:Encrypt with the new key")
    assert world.words()[1] == ""


def test_a_secret_that_is_to_be_deleted_is_left_alone(world: World) -> None:
    world.services.add_secret("s", DeletedDate=NOW)
    world.begin(("secret", "s"))
    world.run()
    assert (world.states(), world.words()) == ([ItemState.LEFT_ALONE], ["it is scheduled for deletion"])


def test_one_failure_does_not_stop_the_others_and_the_next_run_tries_it_again(world: World) -> None:
    for name in ("a", "b", "c"):
        world.services.add_secret(name)
    denied = ServiceError("AccessDeniedException", "no", operation="UpdateSecret")
    world.services.before = failing(denied, "UpdateSecret", resource="b")
    del world.services.secrets["c"]
    world.begin(("secret", "a"), ("secret", "b"), ("secret", "c"))
    assert world.run().stopped is None
    assert world.states() == [ItemState.MOVED, ItemState.FAILED, ItemState.GONE]
    assert "Ask for the permission" in world.words()[1]
    world.run()
    assert world.states() == [ItemState.MOVED, ItemState.MOVED, ItemState.GONE]
    assert [world.services.secrets[name]["updates"] for name in ("a", "b")] == [1, 1]


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyUpdates"])
def test_a_busy_service_is_asked_again_later(world: World, code: str) -> None:
    world.services.add_parameter("/p")
    world.services.before = failing(ServiceError(code), "PutParameter", times=3)
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.MOVED]
    assert world.waited == [1.0, 2.0, 4.0]
    world.services.add_parameter("/p")
    world.services.before = failing(ServiceError(code), "PutParameter", times=99)
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.FAILED]


@pytest.mark.parametrize("is_done", [True, False])
def test_a_lost_answer_is_looked_up_and_the_write_repeated_only_where_it_was_not_made(
    world: World, is_done: bool
) -> None:
    world.services.add_parameter("/p")
    fault = failing(OutcomeUnknownError("PutParameter", "timed out"), "PutParameter")
    setattr(world.services, "after" if is_done else "before", fault)
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.MOVED]
    assert [each["KeyId"] for each in world.services.parameters["/p"]] == [OLD, NEW]


@pytest.mark.parametrize(
    ("error", "done"), [(CredentialsError("expired"), 1), (EndpointError("no network"), 3)]
)
def test_what_would_fail_for_all_stops_the_run(world: World, error: KmsTuiError, done: int) -> None:
    names = [f"s{number}" for number in range(5)]
    for name in names:
        world.services.add_secret(name)
    world.services.before = failing(error, "DescribeSecret", times=99)
    world.begin(*(("secret", name) for name in names))
    run = world.run()
    assert run.stopped is error
    assert world.states() == [ItemState.FAILED] * done + [ItemState.WAITING] * (5 - done)
    assert run.journal.campaign.notes[-1].words == f"The run stopped: {error}"
    world.services.before = failing(error)
    world.run()
    assert world.states() == [ItemState.MOVED] * 5


def test_what_somebody_else_wrote_in_between_is_written_again(world: World) -> None:
    services = world.services
    services.add_parameter("/p")
    theirs = ["first", "second"]

    def write_in_between(operation: str, resource: str, params: Mapping[str, Any]) -> None:
        if operation == "PutParameter" and theirs:
            services.parameters["/p"].append(
                {**services.parameters["/p"][-1], "KeyId": OLD, "Value": theirs.pop(0)}
                | {"Version": services.parameters["/p"][-1]["Version"] + 1}
            )

    services.before = write_in_between
    world.begin(("parameter", "/p"))
    world.run()
    newest = services.parameters["/p"][-1]
    assert (newest["Value"], newest["KeyId"]) == ("second", NEW)
    assert world.states() == [ItemState.MOVED]


GONE = OLD.replace("key/", "key/0")


def test_an_old_version_under_a_key_that_is_gone_does_not_stand_in_the_way(world: World) -> None:
    services = world.services
    services.gone_keys = {GONE}
    services.add_parameter("/p", versions=3)
    services.parameters["/p"][0]["KeyId"] = GONE
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.MOVED]
    newest = services.parameters["/p"][-1]
    assert (newest["Value"], newest["KeyId"], newest["Version"]) == ("value of /p 3", NEW, 4)


def test_a_newest_version_under_a_key_that_is_gone_is_not_written_over(world: World) -> None:
    world.services.add_parameter("/p")
    world.services.gone_keys = {OLD}
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.FAILED]
    assert len(world.services.parameters["/p"]) == 1


def test_what_somebody_else_wrote_and_nobody_can_read_is_told(world: World) -> None:
    services = world.services
    services.add_parameter("/p")
    services.gone_keys = {GONE}

    def write_in_between(operation: str, resource: str, params: Mapping[str, Any]) -> None:
        if operation == "PutParameter":
            services.parameters["/p"].append({**services.parameters["/p"][-1], "KeyId": GONE, "Version": 2})

    services.before = write_in_between
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.FAILED]
    assert "Somebody else wrote version 2 meanwhile, which cannot be read" in world.words()[0]
    assert len(services.parameters["/p"]) == 3


def test_a_parameter_that_others_write_all_the_time_fails_with_what_to_do(world: World) -> None:
    services = world.services
    services.add_parameter("/p")

    def write(operation: str, resource: str, params: Mapping[str, Any]) -> None:
        if operation == "PutParameter":
            version = services.parameters["/p"][-1]["Version"] + 1
            services.parameters["/p"].append({**services.parameters["/p"][-1], "Version": version})

    services.before = write
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.FAILED]
    assert "Compare its two newest versions" in world.words()[0]


def test_a_change_that_is_not_shown_at_once_is_looked_at_again(world: World) -> None:
    world.services.tables["t"] = OLD
    world.services.slow_tables["t"] = [OLD] * 4
    world.begin(("table", "t"))
    world.run()
    assert world.states() == [ItemState.MOVED]
    assert world.waited == [1.0, 2.0, 4.0]
    world.services.tables["t"] = OLD
    world.services.slow_tables["t"] = [OLD] * 50
    world.begin(("table", "t"))
    world.run()
    assert world.states() == [ItemState.SENT]
    world.services.slow_tables["t"] = []
    world.run()
    assert world.states() == [ItemState.MOVED]


def test_a_cancelled_run_ends_between_two_items(world: World) -> None:
    for name in ("a", "b"):
        world.services.add_secret(name)
    world.begin(("secret", "a"), ("secret", "b"))
    with world.files.resume(OLD) as journal:
        run = CampaignRun(journal, world, lambda: NOW)
        world.services.before = lambda *_: run.cancel()
        run.run()
    assert world.states() == [ItemState.MOVED, ItemState.WAITING]


def test_the_time_left_is_that_of_the_items_so_far(world: World) -> None:
    for name in ("a", "b", "c"):
        world.services.add_secret(name)
    world.begin(("secret", "a"), ("secret", "b"), ("secret", "c"))
    seconds = iter(range(0, 1000, 10))
    told: list[tuple[int, float | None]] = []
    with world.files.resume(OLD) as journal:
        run = CampaignRun(journal, world, lambda: NOW, clock=lambda: float(next(seconds)))

        def look(operation: str, resource: str, params: Mapping[str, Any]) -> None:
            if operation == "UpdateSecret":
                told.append((run.progress().done, run.progress().seconds_left))

        world.services.before = look
        run.run()
    assert told == [(0, None), (1, 20.0), (2, 10.0)]


def test_two_runs_at_once_are_refused_and_two_campaigns_of_one_key(world: World) -> None:
    world.services.add_secret("s")
    world.begin(("secret", "s"))
    with world.files.resume(OLD), pytest.raises(JournalError, match="Another kms-tui is carrying out"):
        world.files.resume(OLD)
    with pytest.raises(JournalError, match=f"moves the key to {NEW}, and is not finished"):
        world.begin(("secret", "s"))
    with world.files.resume(OLD) as journal:
        journal.give_up(NOW)
    world.begin(("secret", "s"))
    assert world.states() == [ItemState.WAITING]


def test_a_destination_that_is_disabled_meanwhile_stops_the_run_before_the_next_write(world: World) -> None:
    for name in ("a", "b"):
        world.services.queues[name] = OLD
    world.begin(("queue", "a"), ("queue", "b"))

    def disable(operation: str, resource: str, params: Mapping[str, Any]) -> None:
        world.keys.state = "Disabled" if operation == "SetQueueAttributes" else world.keys.state

    world.services.before = disable
    run = world.run()
    assert str(run.stopped) == "The new key is Disabled: nothing can be moved to it."
    assert world.services.queues == {"a": NEW, "b": OLD}
    world.keys.state, world.services.before = "Enabled", failing(EndpointError("none"))
    world.run()
    assert world.states() == [ItemState.MOVED] * 2


_ALIASED = f"it names alias/orders, which is {_OTHER} now"


@pytest.mark.parametrize(
    ("means", "state", "words", "names"),
    [
        (OLD, ItemState.MOVED, "", NEW),
        (NEW, ItemState.MOVED, "", NEW),
        (_OTHER, ItemState.CHANGED, _ALIASED, "alias/orders"),
        ("", ItemState.CHANGED, "it names alias/orders, which is no key now", "alias/orders"),
    ],
)
def test_a_resource_whose_alias_means_another_key_by_now_is_left_as_it_is(
    world: World, means: str, state: ItemState, words: str, names: str
) -> None:
    world.services.queues["q"] = "alias/orders"
    world.keys.aliases = {"alias/orders": means} if means else {}
    world.begin(("queue", "q"))
    world.run()
    assert (world.states(), world.words(), world.services.queues) == ([state], [words], {"q": names})


def test_a_resource_that_names_the_new_key_by_an_alias_is_there_already(world: World) -> None:
    world.services.queues["q"] = "alias/next"
    world.keys.aliases["alias/next"] = NEW
    world.begin(("queue", "q"))
    world.run()
    assert (world.states(), world.services.queues) == ([ItemState.ALREADY], {"q": "alias/next"})


def test_a_grant_that_was_revoked_since_the_plan_is_not_given_again(world: World) -> None:
    world.keys.grants[OLD] = [{"GrantId": "g1"}]
    world.begin_with(grant("g1"), grant("g2"))
    world.run()
    # The second is the same as the first, so that only one is made.
    assert world.states() == [ItemState.MOVED, ItemState.ALREADY]
    world.keys.grants = {OLD: [], NEW: []}
    world.begin_with(grant("g1"))
    world.run()
    assert (world.states(), world.keys.grants[NEW]) == ([ItemState.GONE], [])


def test_labels_of_a_version_stay_where_the_campaign_has_not_written(world: World) -> None:
    world.services.add_parameter("/p", versions=2)
    world.services.parameters["/p"][0]["Labels"] = ["stable"]
    world.services.parameters["/p"][1]["KeyId"] = NEW  # by somebody who left the label
    world.begin(("parameter", "/p"))
    world.run()
    assert world.states() == [ItemState.ALREADY]
    assert [each["Labels"] for each in world.services.parameters["/p"]] == [["stable"], []]


def test_a_table_that_is_still_updating_is_not_said_to_be_moved(world: World) -> None:
    world.services.tables["t"] = OLD
    world.services.updating = ["UPDATING", "UPDATING", "ENABLED"]
    world.begin(("table", "t"))
    world.run()
    assert (world.states(), world.waited) == ([ItemState.MOVED], [1.0, 2.0])
    world.services.tables["t"], world.services.updating = NEW, ["UPDATING"] * 99
    world.begin(("table", "t"))
    world.run()
    assert (world.states(), world.words()) == ([ItemState.SENT], ["sent; the service is still at it"])


def test_a_function_that_lambda_could_not_update_has_failed_and_is_written_again(world: World) -> None:
    world.services.functions["f"] = {"KMSKeyArn": OLD}
    world.services.refuses_functions = True
    world.begin(("function", "f"))
    world.run()
    assert world.states() == [ItemState.FAILED]
    assert world.words() == ["taken, and then not made: the key is not accessible"]
    world.services.refuses_functions = False
    world.run()
    assert world.states() == [ItemState.MOVED]


def test_a_kind_that_this_version_does_not_move_is_not_said_to_be_moved(world: World) -> None:
    world.begin_with(CampaignItem(ACCOUNT, REGION, Use("EBS volumes", "vol-1", OLD)))
    world.run()
    assert world.states() == [ItemState.FAILED]
    assert world.words() == ["this version of kms-tui does not move EBS volumes"]


class UntoldAccount:
    """An account that no call has told the id of yet."""

    def __init__(self, account_id: str) -> None:
        self.id, self._told = "", account_id

    def kms(self, region: str = "") -> UntoldAccount:
        return self

    def caller(self) -> None:
        self.id = self._told

    def require_writes(self) -> None:
        pass

    def writing_services(self, region: str) -> StoredServices:
        return StoredServices()


def test_whose_credentials_they_are_is_asked_before_anything_is_written() -> None:
    own, other = UntoldAccount(ACCOUNT), UntoldAccount("999988887777")
    session: Any = SimpleNamespace(account_with=lambda account: own)
    assert SessionAccess(session).writing(ACCOUNT, REGION).region == REGION
    session = SimpleNamespace(account_with=lambda account: other)
    access = SessionAccess(session)
    for reach in (access.writing, access.kms):
        with pytest.raises(NoAccountError, match=f"No account of this session is {ACCOUNT}"):
            reach(ACCOUNT, REGION)


_DATA, _SECURITY = "222233334444", "333344445555"
_OLD_KEY, _NEW_KEY = (f"arn:aws:kms:eu-central-1:{account}:key/k" for account in (ACCOUNT_ID, _DATA))


def _in_account(account: str, kind: str) -> CampaignItem:
    return CampaignItem(account, "eu-central-1", Use(kind, "name", _OLD_KEY))


def _organization(**settings: ProfileSettings) -> Session:
    """Three accounts, by default with the permission to write; ``settings`` by their names."""
    allowed = ProfileSettings(allow_service_writes=True)
    sources = [
        replace(source, settings=settings.get(source.name.partition("-")[0], allowed))
        for source in demo_sources(demo_backend(other_accounts=True))
        if source.account_id in (ACCOUNT_ID, _DATA, _SECURITY)
    ]
    session = open_accounts(Connection(BackendKind.DEMO), sources)
    session.open_all()
    return session


_CONCERNED: Mapping[str, tuple[str, Sequence[CampaignItem]]] = {
    "payments": ("", ()),  # the old key's
    "data": (_NEW_KEY, ()),
    "security": ("", [_in_account(_SECURITY, GRANTS)]),
}
"""Account -> by what a campaign of a key in payments concerns it."""


@pytest.mark.parametrize("name", _CONCERNED)
def test_each_account_that_is_concerned_must_allow_writes(name: str) -> None:
    new, items = _CONCERNED[name]
    require_writes(_organization(), _OLD_KEY, new, items)
    title = rf"{name}[a-z-]* \d{{12}}"
    with pytest.raises(ReadOnlyError, match=rf"^The move was not sent: {title} is read-only\.$"):
        require_writes(_organization(**{name: ProfileSettings(read_only=True)}), _OLD_KEY, new, items)
    with pytest.raises(ConfigurationError, match=rf"other services than KMS are not allowed in {title}"):
        require_writes(_organization(**{name: ProfileSettings()}), _OLD_KEY, new, items)


def test_accounts_that_are_not_concerned_or_not_opened_say_nothing_of_a_move() -> None:
    session = _organization(data=ProfileSettings(), security=ProfileSettings(read_only=True))
    require_writes(session, _OLD_KEY, "", [_in_account(ACCOUNT_ID, "SQS queues")])
    require_writes(session, _OLD_KEY, _NEW_KEY.replace(_DATA, "999988887777"), ())
    with pytest.raises(NoAccountError):
        require_writes(session, _OLD_KEY, "", [_in_account("999988887777", GRANTS)])


def test_a_session_that_is_read_only_as_a_whole_names_no_account() -> None:
    session = open_session(Connection(BackendKind.DEMO, read_only=True), demo_backend())
    with pytest.raises(ReadOnlyError, match=r"^The move was not sent: this session is read-only\.$"):
        require_writes(session, _OLD_KEY, "", ())


@pytest.mark.slow
def test_five_hundred_parameters_and_two_hundred_secrets_survive_crashes_at_any_call(world: World) -> None:
    services, chance = world.services, random.Random(20)
    names = [("parameter", f"/p/{number}") for number in range(500)]
    names += [("secret", f"s{number}") for number in range(200)]
    for kind, name in names:
        if kind == "parameter":
            services.add_parameter(name)
            services.parameters[name][-1]["Labels"] = ["live"]
        else:
            services.add_secret(name)
    values = {name: history[-1]["Value"] for name, history in services.parameters.items()}
    world.begin(*names)

    def crash(*_: Any) -> None:
        if chance.random() < 0.003:
            raise Killed

    services.before = services.after = crash
    crashes = 0
    while any(not state.is_final for state in world.states()):
        try:
            world.run()
        except Killed:
            crashes += 1
    assert crashes > 15
    assert Counter(world.states()).keys() <= {ItemState.MOVED, ItemState.ALREADY}
    for name, history in services.parameters.items():
        assert [(each["KeyId"], each["Value"]) for each in history] == [
            (OLD, values[name]),
            (NEW, values[name]),
        ]
        assert [each["Labels"] for each in history] == [[], ["live"]]
    assert {(each["KmsKeyId"], each["updates"]) for each in services.secrets.values()} == {(NEW, 1)}
