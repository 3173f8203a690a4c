"""Shell commands of a move's steps."""

from __future__ import annotations

from kms_tui.key_moves.move import Done, ServiceCall
from kms_tui.key_moves.step_commands import _unless


def test_what_is_asked_of_an_answer_in_pages_is_asked_of_all_of_them_at_once() -> None:
    done = Done(ServiceCall("ssm", "GetParameterHistory", {"Name": "$resource"}), "Latest", "0", paged=True)
    text = _unless(done, {"resource": "/a"})
    assert "--output json | tr -d '\"'" in text
    assert "--output text" not in text
