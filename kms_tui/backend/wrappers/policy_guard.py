"""The lockout guard round the backend: a key policy that it refuses is not sent, whoever sends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.arn import key_arn
from kms_tui.kms.errors import KmsTuiError

if TYPE_CHECKING:
    from kms_tui.policy import CheckResult, Finding


class PolicyRefusedError(KmsTuiError):
    """The guard refuses the policy; nothing was sent. ``result`` has the finding that says why, and where."""

    def __init__(self, result: CheckResult) -> None:
        from kms_tui.policy import Severity

        finding = next(each for each in result.findings if each.severity is Severity.REFUSE)
        super().__init__(finding.sentence, next_step="Nothing was sent; the key's policy is as it was.")
        self.finding: Finding = finding
        self.result = result


def judge(
    text: str,
    *,
    account_id: str,
    partition: str,
    key_arn: str = "",
    caller_arn: str = "",
    now: float | None = None,
) -> CheckResult:
    """``guard.check``, and stricter: some Allow statement must name the account.

    The root statement may not be dropped, even where ``*`` would keep control. ``now`` is in seconds since
    1970.
    """
    # Imported here: a session opens without having a policy to judge.
    from kms_tui import policy
    from kms_tui.policy import guard

    result = guard.check(
        text,
        account_id=account_id,
        partition=partition,
        caller_arn=caller_arn or None,
        key_arn=key_arn or None,
        now=now,
    )
    if result.verdict is policy.Verdict.REFUSE:
        return result
    if guard.names_account(policy.parse(text, partition=partition), account_id):
        return result
    sentence = (
        f"No Allow statement names the account {account_id}: the root statement may not go, even where "
        "others keep control."
    )
    finding = policy.Finding("no-root-statement", policy.Severity.REFUSE, sentence, None, "", 1, 1, 1, 2)
    return replace(result, verdict=policy.Verdict.REFUSE, findings=(finding, *result.findings))


class PolicyGuard(Wrapper):
    """Raises PolicyRefusedError for a call that would send a key policy which the guard refuses.

    PutKeyPolicy, CreateKey and ReplicateKey have one as their Policy.
    """

    def __init__(self, inner: Backend, now: Callable[[], float] = time.time) -> None:
        super().__init__(inner)
        self._now = now

    def around(self, inner: Backend) -> PolicyGuard:
        return PolicyGuard(inner, self._now)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        text = params.get("Policy")
        if isinstance(text, str):
            self._require_sound(text, str(params.get("KeyId", "")))
        return self.inner.call(operation, params)

    def _require_sound(self, text: str, key: str) -> None:
        from kms_tui.policy import Verdict

        result = judge(
            text,
            account_id=self.account_id,
            partition=self.partition,
            key_arn=self._arn(key),
            now=self._now(),
        )
        if result.verdict is Verdict.REFUSE:
            raise PolicyRefusedError(result)

    def _arn(self, key: str) -> str:
        if not key or key.startswith("arn:"):
            return key
        return key_arn(self.partition, self.region, self.account_id, key)
