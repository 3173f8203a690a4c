"""Whether the caller may use a key, asked of KMS by dry runs: the offline KMS answers as AWS does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import open_ephemeral
from kms_tui.evidence.dry_runs import _MEMBERS, DryRunOutcome, dry_runs, operations_for
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Key

MODEL = botocore.session.get_session().get_service_model("kms")
KINDS = [(spec, usage) for spec, each in KEY_SPECS.items() if not each.regions for usage in each.algorithms]
ARN = "arn:aws:kms:eu-west-1:111122223333:key/k"
NOT_OFFERED = ("SM2", "ML_KEM_512")


def made(kms: Kms, spec: str, usage: str) -> Key:
    return Key.from_api(kms.call("CreateKey", KeySpec=spec, KeyUsage=usage)["KeyMetadata"])


@pytest.mark.parametrize(
    ("spec", "usage"), [kind for kind in KINDS if kind[0] not in NOT_OFFERED and "RSA_4096" not in kind]
)
def test_the_owner_may_do_all_that_can_be_asked_of_a_key(spec: str, usage: str) -> None:
    kms = Kms(open_ephemeral())
    answers = list(dry_runs(kms, made(kms, spec, usage), {"table": "orders"}))
    assert [answer for answer in answers if answer.outcome is not DryRunOutcome.ALLOWED] == []
    assert bool(answers) is (usage != "KEY_AGREEMENT")


def test_every_dry_run_is_a_call_that_botocore_sends() -> None:
    asked = set()
    for spec, usage in KINDS:
        key = Key.from_api({"KeyId": "k", "Arn": ARN, "KeySpec": spec, "KeyUsage": usage})
        for operation in operations_for(key):
            shape = MODEL.operation_model(operation).input_shape
            assert shape is not None
            assert "DryRun" in shape.members
            members: dict[str, Any] = {"KeyId": key.arn} if "KeyId" in shape.required_members else {}
            members |= {**_MEMBERS[operation](key, {"a": "b"}), "DryRun": True}
            report = ParamValidator().validate(members, shape)
            assert not report.has_errors(), report.generate_report()
            asked.add(operation)
    assert asked == set(_MEMBERS)


class Answering:
    """A backend that answers every call with an error."""

    def __init__(self, error: ServiceError) -> None:
        self.error = error
        self.account_id, self.region, self.partition = "111122223333", "eu-west-1", "aws"

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert params["DryRun"] is True
        raise self.error


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("DryRunOperationException", DryRunOutcome.ALLOWED),
        ("AccessDeniedException", DryRunOutcome.DENIED),
        ("DisabledException", DryRunOutcome.FAILED),
    ],
)
def test_what_is_denied_and_what_fails_are_told_apart(code: str, outcome: DryRunOutcome) -> None:
    key = made(Kms(open_ephemeral()), "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    kms = Kms(cast("Backend", Answering(ServiceError(code, "said so"))))
    answers = list(dry_runs(kms, key, {}))
    assert {answer.outcome for answer in answers} == {outcome}
    assert {answer.message for answer in answers} == {"" if outcome is DryRunOutcome.ALLOWED else "said so"}


def test_a_key_of_an_unknown_spec_is_asked_nothing() -> None:
    key = Key.from_api({"KeyId": "k", "Arn": ARN, "KeySpec": "NEW_1", "KeyUsage": "ENCRYPT_DECRYPT"})
    assert operations_for(key) == ()
