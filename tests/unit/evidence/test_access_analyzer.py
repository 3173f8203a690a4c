"""The second judge of a key policy: Access Analyzer's answers beside our own findings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kms_tui.evidence.access_analyzer import SERVICE, Comparison, second_opinion
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.operations import SERVICE_READS
from kms_tui.policy import parse
from kms_tui.policy.guard import check
from kms_tui.policy.policy_diff import effect_changes
from tests.unit.evidence.world import ACCOUNT, Answer, FakeServices, denied

ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
PUBLIC = {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
PASS = {"result": "PASS", "message": "fine"}


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class CheckedServices(FakeServices):
    """Refuses parameters that botocore's model does not know."""

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert operation in SERVICE_READS[service]
        model = botocore.session.get_session().get_service_model(service)
        shape = model.operation_model(operation).input_shape
        assert shape is not None
        report = ParamValidator().validate(dict(params), shape)
        assert not report.has_errors(), report.generate_report()
        return super().call(service, operation, params)


def judged(old: str, new: str, answers: Mapping[str, Answer]) -> tuple[Comparison, ...]:
    effects = effect_changes(parse(old), parse(new), account_id=ACCOUNT)
    return second_opinion(CheckedServices(answers), old, new, check(new, account_id=ACCOUNT), effects)


def test_both_judges_agree_on_a_public_policy() -> None:
    fails = {
        "result": "FAIL",
        "reasons": [{"description": "Public.", "statementIndex": 1, "statementId": "All"}],
    }
    written, public, widened = judged(
        policy(ROOT), policy(ROOT, PUBLIC), {"CheckNoPublicAccess": fails, "CheckNoNewAccess": fails}
    )
    assert (written.ours, written.theirs) == ((), ())
    assert len(public.ours) == 1
    assert public.theirs == widened.theirs == ("statement 2 (All): Public.",)
    assert widened.ours
    assert [each.differs for each in (written, public, widened)] == [False, False, False]


def test_a_question_on_which_one_judge_objects_alone_differs() -> None:
    span = {"start": {"line": 7, "column": 1, "offset": 9}}
    finding = {
        "findingType": "SECURITY_WARNING",
        "findingDetails": "Too wide.",
        "locations": [{"path": [], "span": span}],
    }
    suggestion = {"findingType": "SUGGESTION", "findingDetails": "Shorter."}
    pages: Iterator[Mapping[str, Any]] = iter(
        [{"findings": [finding], "nextToken": "t"}, {"findings": [suggestion]}]
    )
    written, public, _ = judged(
        policy(ROOT),
        policy(ROOT, PUBLIC),
        {"ValidatePolicy": lambda _: next(pages), "CheckNoPublicAccess": PASS, "CheckNoNewAccess": PASS},
    )
    assert written.theirs == ("line 7: Too wide.",)
    assert written.differs
    assert public.differs, "our finding alone"


@pytest.mark.parametrize("operation", sorted(SERVICE_READS[SERVICE]))
def test_a_denied_call_leaves_its_own_question_unread(operation: str) -> None:
    answers: dict[str, Answer] = {"CheckNoPublicAccess": PASS, "CheckNoNewAccess": PASS}
    found = judged(policy(ROOT), policy(ROOT), {**answers, operation: denied(operation)})
    unread = [each for each in found if each.unread]
    assert len(unread) == 1
    assert "not authorized" in unread[0].unread
    assert not unread[0].differs


def test_a_failure_without_a_reason_is_told_in_its_own_words() -> None:
    answers: dict[str, Answer] = {
        "CheckNoPublicAccess": {"result": "FAIL", "message": "It is public."},
        "CheckNoNewAccess": {"result": "FAIL"},
        "ValidatePolicy": ServiceError("ThrottlingException", "Rate exceeded", operation="ValidatePolicy"),
    }
    written, public, widened = judged(policy(ROOT), policy(ROOT), answers)
    assert "Rate exceeded" in written.unread
    assert public.theirs == ("It is public.",)
    assert widened.theirs == ("The check failed without a reason.",)
