"""A plan's calls on services that others wrote (moto's server): nothing is left under the old key."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jmespath
import pytest
from botocore import xform_name

from kms_tui.backend.aws import connect
from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.campaigns.campaign import CampaignItem, ItemState, is_carried_out
from kms_tui.campaigns.resource_move import ResourceMove
from kms_tui.evidence.key_uses import KeyUses, KeyUseScan
from kms_tui.key_moves.destination import find_destination
from kms_tui.key_moves.move import Done, How, MoveStep, ServiceCall, filled
from kms_tui.key_moves.move_plan import MovePlan, PlannedMove, make_plan
from kms_tui.key_moves.move_script import script
from kms_tui.key_moves.move_table import MOVES
from tests.endpoints.aws_cli import warm_aws_cli
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.moto import MotoEndpoint
from tests.unit.evidence.moto_resources import MAKERS
from tests.unit.evidence.test_scan_moto import Account

pytestmark = pytest.mark.slow

_LACKED = {
    "CloudWatch log groups": "moto does not have AssociateKmsKey",
    "CloudWatch canaries": "moto does not have UpdateCanary",
    "EventBridge event buses": "moto does not have UpdateEventBus",
    "Athena work groups": "moto does not have UpdateWorkGroup",
    "Lambda functions": "moto's UpdateFunctionConfiguration leaves the key as it was",
    "DynamoDB tables": "moto's UpdateTable leaves the key as it was",
    "Redshift clusters": "moto keeps the key of a cluster whatever ModifyCluster says",
    "Redshift snapshot copy grants": "a new grant is made beside the old one, which people delete",
}
"""What stays under the old key on moto, and why."""


@dataclass
class ScannedMoto:
    """moto's account, as a scan of uses wants it."""

    id: str
    title: str
    backend: Any

    def kms(self, region: str = "") -> Kms:
        return Kms(self.backend)

    def services(self, region: str = "") -> Services | None:
        found: Services = self.backend.services
        return found


_ODD = "`it` \\` $(id) 'is'"


class Moved:
    """An account of moto's with resources under a key, and another key that they move to."""

    def __init__(self, account: Account) -> None:
        self.account = account
        backend = connect(region=account.region, endpoint_url=account.url)
        self.scanned = ScannedMoto("123456789012", "moto", backend)
        self.kms = Kms(backend)
        self.new = account.client("kms").create_key()["KeyMetadata"]["Arn"]

    def uses(self) -> KeyUses:
        return KeyUseScan(self.account.key_arn, [self.scanned], lambda: datetime.now(UTC)).run()

    def plan(self) -> MovePlan:
        old = self.kms.describe(self.account.key_arn)
        new = find_destination(old, self.new, self.kms, lambda arn: self.kms)
        return make_plan(self.kms, old, new, self.uses(), lambda arn: self.kms, datetime.now(UTC))

    def call(self, call: ServiceCall, params: dict[str, Any]) -> Any:
        client = self.account.client(call.service)
        return getattr(client, xform_name(call.operation))(**params)

    def carry_out(self, planned: PlannedMove) -> list[str]:
        """Make the calls of a move, as a campaign does where it can; what was written."""
        if is_carried_out(planned.move):
            return self._carry_out_as_item(planned)
        values = planned.values(self.new)
        made = []
        for step in planned.move.steps:
            assert isinstance(step, MoveStep)
            if step.done is not None and self._is_done(step.done, values):
                continue
            params = filled(step.call.params, values)
            if step.read is not None:
                answer = self.call(step.read, filled(step.read.params, values))
                params = {**params, **jmespath.search(filled(step.taken, values), answer)}
            self.call(step.call, params)
            made.append(step.call.operation)
        return made

    def _carry_out_as_item(self, planned: PlannedMove) -> list[str]:
        item = CampaignItem(planned.found.account, planned.region, planned.found.use)
        lines: list[str] = []
        names = frozenset({self.account.key_arn, self.account.key_arn.rpartition("/")[2], "alias/orders"})
        services = self.scanned.backend.services.writing()
        outcome = ResourceMove(item, self.new, names, services, lines.append).carry_out()
        is_left = item.use.resource == "leaving"
        assert outcome.state in ((ItemState.LEFT_ALONE,) if is_left else (ItemState.MOVED, ItemState.ALREADY))
        return lines

    def _is_done(self, done: Done, values: Any) -> bool:
        found = jmespath.search(
            filled(done.path, values), self.call(done.read, filled(done.read.params, values))
        )
        return bool(str(found) == filled(done.value, values))


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as monkeypatch, MotoEndpoint() as endpoint:
        use_static_credentials(monkeypatch)
        yield endpoint.url


@pytest.fixture(scope="module")
def applications(moto: str) -> Moved:
    account = Account(moto)
    account.fill()
    return Moved(account)


@pytest.fixture(scope="module")
def one_of_each(moto: str) -> Moved:
    account = Account(moto, "us-east-1")
    account.make_functions()
    in_place = {move.kind for move in MOVES if move.steps and move.how is How.IN_PLACE}
    for kind, make in MAKERS.items():
        if kind in in_place:
            make(account.client, account.key_arn)
    return Moved(account)


def _left(moved: Moved) -> set[str]:
    """The kinds that are under the old key after everything in place is moved, twice."""
    plan = moved.plan()
    in_place = [each for each in plan.moves if each.move.how is How.IN_PLACE and each.has_commands]
    assert in_place
    for each in in_place:
        if each.move.kind not in _LACKED:
            moved.carry_out(each)
    for each in in_place:
        if each.move.kind not in _LACKED:
            assert not moved.carry_out(each) or not any(
                isinstance(step, MoveStep) and step.done for step in each.move.steps
            )
    moveable = {each.move.kind for each in in_place}
    return {each.use.kind for each in moved.uses().uses if each.use.resource != "leaving"} & moveable


def test_nothing_is_left_under_the_old_key(applications: Moved) -> None:
    ssm = applications.account.client("ssm")
    ssm.put_parameter(
        Name="/orders/special",
        Value="a 'quoted' $value\n",
        Type="SecureString",
        KeyId="alias/orders",
        Tier="Advanced",
        Description="what for",
        Tags=[{"Key": "team", "Value": "orders"}],
    )
    ssm.label_parameter_version(Name="/orders/special", Labels=["live"])
    assert _left(applications) == {"CloudWatch log groups", "DynamoDB tables", "Lambda functions"}
    history = ssm.get_parameter_history(Name="/orders/special", WithDecryption=True)["Parameters"]
    before, after = history
    assert (before["Value"], before["Labels"]) == (after["Value"], [])
    assert (after["KeyId"], after["Labels"]) == (applications.new, ["live"])
    assert (after["Tier"], after["Description"]) == ("Advanced", "what for")
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/orders/special")["TagList"]
    assert tags == [{"Key": "team", "Value": "orders"}]


def test_one_of_each_kind_is_moved(one_of_each: Moved) -> None:
    assert _left(one_of_each) <= _LACKED.keys()


def test_the_script_does_the_same_with_the_aws_cli(moto: str, tmp_path: Path) -> None:
    pytest.importorskip("awscli")
    account = Account(moto, "us-west-2")
    ssm, secrets, s3 = (account.client(name) for name in ("ssm", "secretsmanager", "s3"))
    ssm.put_parameter(Name="/it's", Value="x y", Type="SecureString", KeyId=account.key_arn, Description=_ODD)
    ssm.label_parameter_version(Name="/it's", Labels=["live"])
    secrets.create_secret(Name="orders $(id)", SecretString="x", KmsKeyId=account.key_arn)
    s3.create_bucket(Bucket="script", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": account.key_arn}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket="script", ServerSideEncryptionConfiguration=rules)
    moved = Moved(account)
    plan = moved.plan()
    file = tmp_path / "move.sh"
    file.write_text(script(replace(plan, obstacles=())))
    path = f"{warm_aws_cli()}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "AWS_ENDPOINT_URL": moto, "PATH": path, "REPOINT_ALIASES": "yes"}
    for _ in range(2):
        ended = subprocess.run(
            ["sh", str(file)], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, "")
    assert [use.use.kind for use in moved.uses().uses] == []
    assert [each["Labels"] for each in ssm.get_parameter_history(Name="/it's")["Parameters"]] == [
        [],
        ["live"],
    ]
    newest = ssm.get_parameter(Name="/it's", WithDecryption=True)["Parameter"]["Value"]
    assert (newest, ssm.get_parameter_history(Name="/it's")["Parameters"][-1]["Description"]) == ("x y", _ODD)
    applied = s3.get_bucket_encryption(Bucket="script")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert applied["BucketKeyEnabled"]
    assert moved.kms.describe("alias/orders").arn == moved.new
