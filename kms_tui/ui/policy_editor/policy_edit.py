"""The way from the editor to PutKeyPolicy: judged, compared with the key's policy as it is now, kept, sent.

The session's backend refuses what the guard refuses by itself (``kms_tui.backend.wrappers.policy_guard``);
here that is found out before anything else, so that the editor can say where.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kms_tui import policy
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError, judge
from kms_tui.drafts import Draft, PolicyFiles, new_token
from kms_tui.kms.errors import KmsTuiError, OutcomeUnknownError, ServiceError
from kms_tui.kms.model import PolicyVersion
from kms_tui.policy import CheckResult, Verdict

BYPASS_PHRASE = "bypass the lockout safety check"
"""What is typed out to have KMS leave its own check of the caller aside."""
_CALLER_LOSES = "caller-loses-access"
_CALLER_CHECK = "will not allow you to update the key policy"


class ConflictError(KmsTuiError):
    """The key's policy is no longer the one that the text was begun from; nothing was sent."""

    def __init__(self, theirs: str) -> None:
        super().__init__(
            "The key's policy has changed since it was read.", next_step="Nothing was overwritten."
        )
        self.theirs = theirs


class CallerLosesError(KmsTuiError):
    """KMS would refuse the save, or did, because the caller could not change the policy again."""


@dataclass(frozen=True, slots=True)
class EditTarget:
    """The key whose policy is written, and as whom; ``caller_arn`` is "" where it is not known."""

    kms: Kms
    key_id: str
    arn: str
    caller_arn: str = ""

    def read(self) -> str:
        """The policy as it stands now."""
        return self.kms.key_policy(self.key_id)

    def judge(self, text: str, now: float | None = None) -> CheckResult:
        """The guard's verdict, as strict as on the way to KMS; ``now`` is in seconds since 1970."""
        kms = self.kms
        return judge(
            text,
            account_id=kms.account_id,
            partition=kms.partition,
            key_arn=self.arn,
            caller_arn=self.caller_arn,
            now=now,
        )


def caller_loses(result: CheckResult) -> bool:
    return any(finding.rule == _CALLER_LOSES for finding in result.findings)


@dataclass(frozen=True, slots=True)
class SaveResult:
    """What a save came to: the policy as it was read again afterwards, or why that could not be read."""

    reread: str | None
    trouble: KmsTuiError | None = None


def check_before_saving(target: EditTarget, text: str, base: str, now: float | None = None) -> CheckResult:
    """The verdict on a text that may be saved.

    Raises PolicyRefusedError, ConflictError where the policy is no longer ``base``, and the errors of
    GetKeyPolicy.
    """
    result = target.judge(text, now)
    if result.verdict is Verdict.REFUSE:
        raise PolicyRefusedError(result)
    theirs = target.read()
    if theirs != base:
        raise ConflictError(theirs)
    return result


def save(
    target: EditTarget,
    text: str,
    base: str,
    files: PolicyFiles,
    now: Callable[[], datetime],
    *,
    bypass_phrase: str = "",
) -> SaveResult:
    """Judge, keep what is replaced, PutKeyPolicy, and read again.

    ``bypass_phrase`` is what was typed to set BypassPolicyLockoutSafetyCheck; only BYPASS_PHRASE does. Raises
    what ``check_before_saving`` raises, CallerLosesError, FileError where the present policy cannot be kept,
    and the errors of PutKeyPolicy.
    """
    result = check_before_saving(target, text, base, now().timestamp())
    bypass = bypass_phrase == BYPASS_PHRASE
    if caller_loses(result) and not bypass:
        raise CallerLosesError("You yourself lose access by this policy: KMS will reject this save.")
    keep_replaced(target, base, files, now())
    try:
        target.kms.put_key_policy(target.key_id, text, bypass_lockout_check=bypass)
    except ServiceError as error:
        if _CALLER_CHECK in error.message:
            raise CallerLosesError(f"KMS rejected the save: {error.message}") from error
        raise
    except OutcomeUnknownError:
        if not is_same(target.read(), text):
            raise
    return _reread(target)


def is_same(one: str, other: str) -> bool:
    """Whether two policies say the same, white space and the order of elements apart."""
    if one == other:
        return True
    documents = policy.parse(one), policy.parse(other)
    if not all(document.is_valid for document in documents):
        return False
    return bool(json.loads(one) == json.loads(other))


def _reread(target: EditTarget) -> SaveResult:
    try:
        return SaveResult(target.read())
    except KmsTuiError as error:
        return SaveResult(None, error)


def keep_replaced(target: EditTarget, text: str, files: PolicyFiles, now: datetime) -> None:
    """Keep a policy that is about to be replaced, unless the backend keeps every version itself."""
    if target.kms.policy_versions(target.key_id) is None:
        files.keep_version(target.arn, PolicyVersion(text, now))


class DraftWriter:
    """Writes and removes one editor's draft; its methods block, and raise FileError."""

    def __init__(self, files: PolicyFiles, arn: str, now: Callable[[], datetime]) -> None:
        self.files = files
        self.arn = arn
        self.token = new_token()
        self.kept_at: datetime | None = None
        """When the draft on disk was written; None where there is none."""
        self._now = now
        self._lock = threading.Lock()
        self._asked = 0
        self._done = 0

    def another(self) -> DraftWriter:
        """A keeper for a further draft; this one's stays as it is."""
        return DraftWriter(self.files, self.arn, self._now)

    def turn(self) -> int:
        """The number of the next request; a request that comes after a later one is dropped."""
        self._asked += 1
        return self._asked

    def keep(self, text: str, base: str, turn: int) -> None:
        """Have the draft on disk hold ``text``; one that is as its base is no draft, and is removed."""
        with self._lock:
            if turn < self._done:
                return
            self._done = turn
            if text == base:
                self.files.discard_draft(self.arn, self.token)
                self.kept_at = None
            else:
                now = self._now()
                self.files.keep_draft(self.arn, Draft(self.token, now, text, base))
                self.kept_at = now
