"""Plans of keys of an offline KMS, with doubles of the services: what is judged, what the script may run."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend
from kms_tui.evidence.key_uses import AccountScan, FoundUse, KeyUses, KeyUseScan
from kms_tui.evidence.references import KeyNames
from kms_tui.evidence.scan_task import Section, Use
from kms_tui.evidence.scans import Scan
from kms_tui.key_moves.destination import DestinationError, find_destination
from kms_tui.key_moves.move import How
from kms_tui.key_moves.move_plan import MoveGroup, MovePlan, PlannedMove, make_plan
from kms_tui.key_moves.move_script import grant_command, script
from kms_tui.key_moves.move_table import MOVES, move_of
from kms_tui.key_moves.pasted_commands import for_shell, move_commands
from kms_tui.key_moves.permissions import permissions
from kms_tui.key_moves.plan_formats import WRITERS
from kms_tui.key_moves.step_commands import NEW_KEY, can_be_said, commands, quoted
from kms_tui.kms.facts import Known
from kms_tui.kms.model import Grant
from tests.unit.evidence.world import (
    ACCOUNT,
    NOW,
    REGION,
    FakeServices,
    arn_of,
    denied,
    local_backend,
    new_key,
)

_LOGS = {
    "Sid": "Logs",
    "Effect": "Allow",
    "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
    "Resource": "*",
}
_ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [_ROOT, *statements]})


@dataclass
class World:
    """An account with a key, another key, and resources under the first."""

    backend: LocalBackend
    services: FakeServices
    id: str = ACCOUNT
    title: str = "orders"

    def __post_init__(self) -> None:
        self.old, self.new = new_key(self.backend, "orders"), new_key(self.backend, "next")

    def kms(self, region: str = "") -> Kms:
        return Kms(self.backend.in_region(region or REGION))

    def put_policy(self, key: str, *statements: Mapping[str, Any]) -> None:
        self.kms().put_key_policy(key, _policy(*statements))

    def plan(self, to: str = "alias/next") -> MovePlan:
        kms = self.kms()
        old = kms.describe(self.old)
        new = None if to == "new" else find_destination(old, to, kms, lambda arn: kms.in_region_of(arn))
        uses = KeyUseScan(old.arn, [Scanned(self)], lambda: NOW).run()
        return make_plan(kms, old, new, uses, lambda arn: kms.in_region_of(arn), NOW)


@dataclass
class Scanned:
    """The world as a scan of uses wants it."""

    world: World
    id: str = ACCOUNT
    title: str = "orders"

    def kms(self, region: str = "") -> Kms:
        return self.world.kms(region)

    def services(self, region: str = "") -> Services | None:
        return self.world.services.in_region(region)


@pytest.fixture
def world() -> World:
    found = World(local_backend(), FakeServices())
    key = arn_of(found.old)
    found.services.answers |= {
        "DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "KmsKeyId": key}]},
        "DescribeLogGroups": {"logGroups": [{"logGroupName": "/orders", "kmsKeyId": key}]},
        "ListSecrets": {"SecretList": [{"Name": "it's; rm -rf ~", "KmsKeyId": key}]},
        "DescribeParameters": {"Parameters": [{"Name": "/a\nb", "Type": "SecureString", "KeyId": key}]},
        "GetEbsDefaultKmsKeyId": {"KmsKeyId": key},
        "DescribeFileSystems": denied("DescribeFileSystems"),
    }
    return found


def test_each_use_is_judged_and_stands_in_a_safe_order(world: World) -> None:
    plan = world.plan()
    assert [(each.group, each.move.kind) for each in plan.moves] == [
        (MoveGroup.DEFAULTS, "EBS default keys"),
        (MoveGroup.IN_PLACE, "Secrets Manager secrets"),
        (MoveGroup.IN_PLACE, "SSM SecureStrings"),
        (MoveGroup.IN_PLACE, "CloudWatch log groups"),
        (MoveGroup.BY_COPY, "EBS volumes"),
    ]
    assert [each.has_commands for each in plan.moves] == [True, True, False, True, True]
    assert {gap.what for gap in plan.gaps} == {"EFS file systems", "FSx file systems"}
    assert [alias.name for alias in plan.aliases] == ["alias/orders"]


def test_a_service_that_the_new_key_does_not_let_in_stands_first(world: World) -> None:
    world.put_policy(world.old, _LOGS)
    obstacles = world.plan().obstacles
    assert [each.sentence.partition(":")[0] for each in obstacles] == [
        "CloudWatch log groups",
        "Logs of the key's policy lets in logs.eu-west-1.amazonaws.com; the new key's policy does not.",
    ]
    assert obstacles[0].statement is not None
    world.put_policy(world.new, obstacles[0].statement)
    assert world.plan().obstacles == ()


def test_a_new_key_has_what_the_old_one_has(world: World) -> None:
    world.put_policy(world.old, _LOGS)
    kms = world.kms()
    kms.enable_rotation(world.old, 180)
    kms.create_grant(world.old, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/app", Operations=["Decrypt"])
    plan = world.plan("new")
    assert plan.obstacles == ()
    assert (plan.new, plan.draft and plan.draft.period_days) == (None, 180)
    text = script(plan)
    assert "NEW_KEY=$(aws kms create-key" in text
    assert "--rotation-period-in-days 180" in text
    assert '--key-id "$NEW_KEY" --grantee-principal arn:aws:iam::111122223333:role/app' in text
    made = [each["Sid"] for each in permissions(plan)["Statement"]]
    assert {"MakeTheKey", "OtherGrants", "Aliases"} <= {*made}


def test_a_disabled_key_and_a_policy_without_the_account_are_said(world: World) -> None:
    user = {**_ROOT, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:PutKeyPolicy"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [user, _LOGS]})
    world.kms().put_key_policy(world.new, text, bypass_lockout_check=True)
    world.kms().disable(world.new)
    sentences = [each.sentence for each in world.plan().obstacles]
    assert sentences[0] == "The new key is Disabled, not Enabled: enable it, or wait."
    assert "leaves kms:GenerateDataKey, kms:Decrypt, kms:DescribeKey to no IAM policy" in sentences[1]
    assert "grants for AWS resources" in sentences[2]


def test_a_policy_for_some_services_alone_is_held_against_each_that_needs_the_key(world: World) -> None:
    via = {"StringEquals": {"kms:ViaService": [f"{name}.{REGION}.amazonaws.com" for name in ("ec2", "ssm")]}}
    services = {**_ROOT, "Condition": via}
    administration = {**_ROOT, "Action": ["kms:Put*", "kms:Describe*", "kms:Create*"]}
    text = json.dumps({"Version": "2012-10-17", "Statement": [administration, services, _LOGS]})
    world.kms().put_key_policy(world.new, text, bypass_lockout_check=True)
    (obstacle,) = world.plan().obstacles
    assert obstacle.sentence.startswith(
        "The new key's policy leaves kms:GenerateDataKey, kms:Decrypt through "
        f"secretsmanager.{REGION}.amazonaws.com to no IAM policy of {ACCOUNT}"
    )
    assert obstacle.statement is not None
    world.put_policy(world.new, obstacle.statement, _LOGS)
    assert world.plan().obstacles == ()


def test_keys_that_nothing_can_move_to_are_refused(world: World) -> None:
    kms = world.kms()
    old = kms.describe(world.old)
    signing = kms.create_key(spec="ECC_NIST_P256", usage="SIGN_VERIFY")
    going = kms.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT")
    kms.schedule_deletion(going.key_id, 7)
    rsa = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    primary = kms.in_region("us-east-1").create_key(
        spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT", multi_region=True
    )
    for named, words in (
        (world.old, "is the key itself"),
        ("alias/orders", "is an alias of the key itself"),
        (old.arn, "is the key itself"),
        (signing.key_id, "has the usage SIGN_VERIFY"),
        (going.arn, "is scheduled for deletion"),
        (rsa.arn, "services encrypt with symmetric keys only"),
        (primary.arn, "A key of us-east-1 cannot be used in eu-west-1"),
    ):
        with pytest.raises(DestinationError, match=words):
            find_destination(old, named, kms, kms.in_region_of)
    kms.in_region("us-east-1").call("ReplicateKey", KeyId=primary.key_id, ReplicaRegion=REGION)
    with pytest.raises(DestinationError) as refused:
        find_destination(old, primary.arn, kms, kms.in_region_of)
    assert refused.value.next_step == f"Name its replica there: {arn_of(primary.key_id)}"


@pytest.mark.parametrize("to", ["alias/next", "new"])
def test_the_script_is_one_that_a_shell_takes(world: World, to: str, tmp_path: Path) -> None:
    text = script(world.plan(to))
    file = tmp_path / "move.sh"
    file.write_text(text)
    subprocess.run(["sh", "-n", str(file)], check=True, timeout=20)
    if (shellcheck := shutil.which("shellcheck")) is not None:
        subprocess.run([shellcheck, str(file)], check=True, timeout=60)
    assert "set -eu" in text
    assert "--secret-id 'it'\"'\"'s; rm -rf ~'" in text
    assert "/a\nb" not in text
    guarded = text.index('if [ "${COPY_EBS_VOLUMES:-no}" = yes ]; then')
    assert guarded < text.index("aws ec2 create-snapshot") < text.index("REPOINT_ALIASES:-no")
    assert not [line for line in text.splitlines() if line.startswith("aws ec2 create")]


def test_nothing_runs_while_something_stands_in_the_way(world: World, tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text(f"#!/bin/sh\necho called >> {shlex.quote(str(tmp_path / 'calls'))}\n")
    aws.chmod(0o755)
    world.put_policy(world.old, _LOGS)
    ended = subprocess.run(
        ["sh", "-c", script(world.plan())],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert "OBSTACLES_REMOVED=yes" in ended.stdout
    assert not (tmp_path / "calls").exists()


def test_each_form_has_what_was_not_looked_at(world: World) -> None:
    plan = world.plan()
    for write in WRITERS.values():
        text = write(plan)
        assert "DescribeFileSystems" in text
        assert "recovery points" in text
    shape = json.loads(WRITERS["json"](plan))
    assert not shape["whole"]
    by_kind = {each["kind"]: each for each in shape["moves"]}
    assert by_kind["EBS volumes"]["confirmed_by"] == "COPY_EBS_VOLUMES"
    assert by_kind["SSM SecureStrings"]["commands"] == []
    assert "secretsmanager:UpdateSecret" in json.dumps(shape["permissions"])


def test_what_is_pasted_runs_by_itself_and_stops_at_the_first_failure(world: World, tmp_path: Path) -> None:
    plan = world.plan()
    volume = plan.of_group(MoveGroup.BY_COPY)[0]
    text = for_shell(plan, "EBS\nvolumes", ACCOUNT, move_commands(volume), {"AWS_PROFILE": "it's"})
    assert text.startswith("(\n# EBS␊volumes, with credentials of account 111122223333\nset -eu\n")
    aws = tmp_path / "aws"
    calls = tmp_path / "calls"
    aws.write_text(f'#!/bin/sh\necho "$AWS_PROFILE $AWS_REGION $*" >> {shlex.quote(str(calls))}\nexit 3\n')
    aws.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    ended = subprocess.run(["sh", "-c", text], env=environment, timeout=20, check=False)
    assert ended.returncode == 3
    (line,) = calls.read_text().splitlines()
    assert line.startswith(f"it's {REGION} ec2 create-snapshot --volume-id vol-1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aws", "calls"], "the input is removed"


def test_what_is_pasted_for_a_key_to_be_made_asks_for_it(world: World) -> None:
    plan = world.plan("new")
    lines = [grant_command(Grant("g1", "", "arn:aws:iam::111122223333:role/a b", ("Decrypt",)))]
    text = for_shell(plan, "Grant", ACCOUNT, lines, {})
    ended = subprocess.run(["sh", "-c", text], env={}, capture_output=True, timeout=20, check=False)
    assert ended.returncode != 0
    assert b"set it to the ARN of the new key" in ended.stderr
    assert "INPUT" not in text


def test_by_hand_there_is_nothing_to_paste(world: World) -> None:
    (parameter,) = [each for each in world.plan().moves if each.move.kind == "SSM SecureStrings"]
    assert move_commands(parameter) == []


@given(st.text(max_size=30))
@settings(max_examples=60)
def test_a_name_reaches_a_command_as_it_is_or_not_at_all(name: str) -> None:
    use = FoundUse(ACCOUNT, Use("CloudWatch log groups", name, "k"))
    planned = PlannedMove(use, move_of(use.use), REGION, "aws")
    if not planned.has_commands:
        assert not name or not can_be_said(name)
        return
    (line,) = commands(planned.move.steps, planned.values(NEW_KEY))
    words = shlex.split(line)
    flag = f"--log-group-name={name}" if name.startswith("-") else name
    assert flag in words
    assert words[words.index("--kms-key-id") + 1] == "$NEW_KEY"


def test_marks_in_names_are_not_expanded() -> None:
    assert not can_be_said("⟦AWS_SECRET_ACCESS_KEY⟧")
    assert not can_be_said("file:///etc/passwd")
    assert quoted(f"a b{NEW_KEY}") == "'a b'\"$NEW_KEY\""
    assert quoted("") == "''"


def test_every_move_becomes_a_script(tmp_path: Path) -> None:
    """Commands of every row of the table, in one script."""
    kms = local_backend()
    old, new = (Kms(kms).describe(new_key(kms)) for _ in range(2))
    rows = [
        Use(move.kind, "0a1b2c3d", old.arn, "default", purpose)
        for move in MOVES
        for purpose in move.purposes or ("",)
    ]
    section = Section("all", tuple(rows), len(rows), len(rows), 1, (), is_whole_list=True, is_over=True)
    names = KeyNames(ACCOUNT, REGION, Known(frozenset({old.key_id})), Known({}))
    found = Scan.of(REGION, NOW, timedelta(), (section,), names)
    uses = KeyUses(old.arn, (AccountScan(ACCOUNT, "all", found),))
    plan = make_plan(Kms(kms), old, new, uses, lambda arn: Kms(kms), NOW)
    assert {each.move.how for each in plan.moves} == {*How}
    assert any("Route 53" in each.sentence for each in plan.obstacles)
    text = script(replace(plan, obstacles=()))
    file = tmp_path / "all.sh"
    file.write_text(text)
    subprocess.run(["sh", "-n", str(file)], check=True, timeout=20)
    if (shellcheck := shutil.which("shellcheck")) is not None:
        subprocess.run([shellcheck, str(file)], check=True, timeout=60)
