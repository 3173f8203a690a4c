"""An answer of wrong types is refused at the waist, and a proper one passes as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.answer_check import AnswerCheck
from kms_tui.kms.errors import AnswerError
from kms_tui.session import BackendKind, Connection, open_session
from tests.contract.shapes import problems, service_model
from tests.ui.nonsense import answers, sample

OPERATIONS = tuple(service_model().operation_names)


def asked(operation: str, answer: Any) -> Mapping[str, Any]:
    inner = SimpleNamespace(call=lambda _operation, _params: answer)
    return AnswerCheck(cast("Backend", inner)).call(operation, {})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_proper_answer_passes(operation: str) -> None:
    answer = sample(operation)
    assert asked(operation, answer) is answer


@given(st.data())
def test_an_answer_passes_only_if_the_model_finds_no_wrong_type_in_it(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    _, answer = data.draw(st.sampled_from(list(answers(operation))))
    shape = service_model().operation_model(operation).output_shape
    if shape is None:
        return
    wrong = [
        each for each in problems(shape, answer, operation) if " instead of " in each or "time zone" in each
    ]
    if wrong:
        with pytest.raises(AnswerError, match="could not be understood: "):
            asked(operation, answer)
    else:
        asked(operation, answer)


def test_a_time_without_its_zone_is_refused_and_the_member_is_named() -> None:
    answer = {"KeyMetadata": {"KeyId": "1", "CreationDate": datetime(2026, 1, 1)}}
    with pytest.raises(AnswerError, match=r"DescribeKey\.KeyMetadata\.CreationDate is no timestamp"):
        asked("DescribeKey", answer)


def test_an_operation_without_an_answer_still_answers_a_structure() -> None:
    assert asked("DisableKey", {}) == {}
    with pytest.raises(AnswerError, match="DisableKey is no structure"):
        asked("DisableKey", None)


def test_an_operation_that_the_model_does_not_know_passes() -> None:
    assert asked("NewOperation", {"Anything": object}) == {"Anything": object}


def test_every_session_holds_answers_against_the_model() -> None:
    answer = {"KeyMetadata": {"KeyId": "1234", "Arn": "arn:aws:kms:eu-west-1:1:key/1234", "KeyState": 3}}
    backend = SimpleNamespace(
        account_id="111122223333",
        region="eu-west-1",
        partition="aws",
        call=lambda _operation, _params: answer,
    )
    session = open_session(Connection(BackendKind.AWS), cast("Backend", backend))
    with pytest.raises(AnswerError, match="KeyState is no string"):
        session.kms.describe("alias/orders")
