"""``PolicyEdit``: one key policy being edited, and the way to PutKeyPolicy. Without a screen.

Saving judges the text once (``check``), shows what changes, and only then reads the key's policy, compares it
and sends the text (``save``). The guard at the waist (``kms_tui.backend.wrappers.policy_guard``) judges once
more whatever is sent, and refuses what should not have come so far.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kms_tui import policy
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError, judge
from kms_tui.data_files import Draft, PolicyFiles, new_token
from kms_tui.kms.errors import KmsTuiError, OutcomeUnknownError, ServiceError
from kms_tui.kms.model import PolicyVersion
from kms_tui.policy import CheckResult, Verdict, parse
from kms_tui.policy.access import AccessFacts, access_facts
from kms_tui.ui.base.subject import Subject
from kms_tui.undo import ApiCall, already_read

BYPASS_PHRASE = "bypass the lockout safety check"
"""Typed out, it sets BypassPolicyLockoutSafetyCheck: KMS then leaves its own check of the caller aside."""
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

    @classmethod
    def of(cls, kms: Kms, subject: Subject) -> EditTarget:
        """A key in the façade's Region; asks who is calling."""
        return cls(kms, subject.key_id, subject.arn, kms.caller().arn)

    def read(self) -> str:
        """The key's policy now."""
        return self.kms.key_policy(self.key_id)

    def access(self, text: str) -> AccessFacts | None:
        """Who may do what by a text, grants aside; None where it is no policy."""
        document = parse(text, partition=self.kms.partition)
        if not document.is_valid:
            return None
        kms = self.kms
        return access_facts(document, account_id=kms.account_id, partition=kms.partition, key_arn=self.arn)

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


class DraftWriter:
    """Writes and removes the draft of one edit; the latest text wins, whichever thread is quicker."""

    def __init__(self, files: PolicyFiles, arn: str, now: Callable[[], datetime]) -> None:
        self.files = files
        self.arn = arn
        self.token = new_token()
        self.written_at: datetime | None = None
        """When the draft on disk was written; None where there is none."""
        self._now = now
        self._lock = threading.Lock()
        self._asked = 0
        self._done = 0

    def another(self) -> DraftWriter:
        """A writer of a further draft; this one's stays as it is."""
        return DraftWriter(self.files, self.arn, self._now)

    def writing(self, text: str, base: str) -> Callable[[], None]:
        """The work of having the draft on disk hold ``text``. It blocks, and raises FileError.

        A text that is as its base is no draft, and the file is removed. Work that runs after work asked for
        later does nothing.
        """
        self._asked += 1
        number = self._asked

        def write() -> None:
            with self._lock:
                if number < self._done:
                    return
                self._done = number
                if text == base:
                    self.files.discard_draft(self.arn, self.token)
                    self.written_at = None
                else:
                    now = self._now()
                    self.files.keep_draft(self.arn, Draft(self.token, now, text, base))
                    self.written_at = now

        return write


@dataclass(frozen=True, slots=True)
class CheckedPolicy:
    """A text that the guard lets pass, and the policy that it is to replace."""

    text: str
    base: str
    verdict: CheckResult

    @property
    def caller_loses(self) -> bool:
        """Whether KMS will reject it because the caller could not change the policy again."""
        return any(finding.rule == _CALLER_LOSES for finding in self.verdict.findings)


@dataclass(frozen=True, slots=True)
class SaveResult:
    """The result of a save: the policy as it was read again, or why it could not be read."""

    sent: str
    reread: str | None
    error: KmsTuiError | None = None

    @property
    def on_key(self) -> str:
        """The key's policy now, as far as it is known."""
        return self.sent if self.reread is None else self.reread


@dataclass(slots=True)
class PolicyEdit:
    """One policy being edited. ``base`` is the key's policy that ``text`` was begun from."""

    target: EditTarget
    base: str
    text: str
    draft: DraftWriter
    verdict: CheckResult | None = None
    """The guard's last verdict; the text may have changed since."""
    is_saving: bool = False
    drafted: str = field(init=False)
    """The text for which the draft on disk was last written or removed."""

    def __post_init__(self) -> None:
        self.drafted = self.text

    @property
    def is_changed(self) -> bool:
        return self.text != self.base

    def check(self, now: float) -> CheckedPolicy:
        """The text as it is now, judged; raises PolicyRefusedError."""
        text, base = self.text, self.base
        verdict = self.target.judge(text, now)
        if verdict.verdict is Verdict.REFUSE:
            raise PolicyRefusedError(verdict)
        return CheckedPolicy(text, base, verdict)

    def save(
        self, checked: CheckedPolicy, now: Callable[[], datetime], *, bypass_phrase: str = ""
    ) -> SaveResult:
        """Compare the key's policy with the base, keep it, PutKeyPolicy, and read again. It blocks.

        ``bypass_phrase`` is what was typed to set BypassPolicyLockoutSafetyCheck; only BYPASS_PHRASE does.
        Raises ConflictError where the policy is no longer the base, CallerLosesError, FileError where the
        present policy cannot be kept, and the errors of GetKeyPolicy and PutKeyPolicy.
        """
        target, text = self.target, checked.text
        bypass = bypass_phrase == BYPASS_PHRASE
        if checked.caller_loses and not bypass:
            raise CallerLosesError("You yourself lose access by this policy: KMS will reject this save.")
        present = target.read()
        if present != checked.base:
            raise ConflictError(present)
        self._keep_replaced(present, now())
        read = ApiCall("GetKeyPolicy", {"KeyId": target.key_id, "PolicyName": "default"})
        try:
            with already_read(read, {"Policy": present}):
                target.kms.put_key_policy(target.key_id, text, bypass_lockout_check=bypass)
        except ServiceError as error:
            if _CALLER_CHECK in error.message:
                raise CallerLosesError(f"KMS rejected the save: {error.message}") from error
            raise
        except OutcomeUnknownError:
            reread = target.read()
            if not is_same(reread, text):
                raise
            return SaveResult(text, reread)
        try:
            return SaveResult(text, target.read())
        except KmsTuiError as error:
            return SaveResult(text, None, error)

    def _keep_replaced(self, text: str, now: datetime) -> None:
        """Keep a policy that is about to be replaced, unless the backend keeps every version itself."""
        if self.target.kms.policy_versions(self.target.key_id) is None:
            self.draft.files.keep_version(self.target.arn, PolicyVersion(text, now))


def is_same(one: str, other: str) -> bool:
    """Whether two policies differ at most in white space and the order of elements."""
    if one == other:
        return True
    documents = policy.parse(one), policy.parse(other)
    if not all(document.is_valid for document in documents):
        return False
    return bool(json.loads(one) == json.loads(other))
