"""What an error says to a person, and what to do about it."""

from __future__ import annotations

import pytest

from kms_tui.kms.errors import KmsTuiError


@pytest.mark.parametrize(
    ("sentence", "next_step", "told"),
    [
        ("No policy allows kms:Sign", "Ask for it.", "No policy allows kms:Sign. Ask for it."),
        ("Invalid keyId 'zzz'", "Refresh.", "Invalid keyId 'zzz'. Refresh."),
        ("(Service: Kms, Status Code: 400)", "Refresh.", "(Service: Kms, Status Code: 400). Refresh."),
        ("The call failed:", "Refresh.", "The call failed: Refresh."),
        ("It says 'No.'", "Refresh.", "It says 'No.' Refresh."),
        ("The key is disabled.", "Enable it.", "The key is disabled. Enable it."),
        ("Which key?", "Choose one.", "Which key? Choose one."),
        ("No full stop and nothing to do", "", "No full stop and nothing to do"),
        ("", "Try again.", "Try again."),
        ("", "", ""),
    ],
)
def test_the_sentence_ends_before_the_next_step_begins(sentence: str, next_step: str, told: str) -> None:
    assert KmsTuiError(sentence, next_step=next_step).with_next_step == told
