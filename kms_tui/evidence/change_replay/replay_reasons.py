"""Why a request ends differently after a change, in a clause."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.evidence.change_replay.applying_statements import Applying, first_failing
from kms_tui.evidence.change_replay.key_changes import KeyAccess
from kms_tui.evidence.request_history.recorded_request import RecordedRequest
from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.describe import condition, listed, printable
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import AccessRequest, Via, action_mask, covers, named_via
from kms_tui.policy.policy_diff import StatementChange, StatementChangeKind, statement_changes
from kms_tui.policy.principals import Caller, PrincipalKind

_KEPT = (StatementChangeKind.SAME, StatementChangeKind.MOVED)


def statement_words(statement: Statement) -> str:
    """``statement 3 (Sid AllowApp)``."""
    number = f"statement {statement.index + 1}"
    return f"{number} (Sid {printable(statement.sid[:60])})" if statement.sid else number


def grant_words(grant: Grant) -> str:
    """``grant partner-importer``, or its id."""
    return f"grant {printable(grant.name or grant.grant_id[:16])}"


class Reasons:
    """The reasons of one change: what became of every statement."""

    def __init__(self, before: KeyAccess, after: KeyAccess) -> None:
        self._before, self._after = before, after
        self._is_same_key = before.key_arn == after.key_arn
        changes = statement_changes(before.policy, after.policy) if self._is_same_key else ()
        self._of_old: Mapping[Statement, StatementChange] = {
            change.old: change for change in changes if change.old is not None
        }
        self._kept: Mapping[Statement, Statement] = {
            change.new: change.old
            for change in changes
            if change.kind in _KEPT and change.new is not None and change.old is not None
        }

    def are_alike(self, before: Applying, after: Applying) -> bool:
        """Whether the same statements and grants apply before and after, for one key."""
        now = {(self._kept.get(each, each), facts) for each, facts in after.statements}
        granted = {(each.grant_id, facts) for each, facts in after.grants}
        return now == set(before.statements) and granted == {
            (each.grant_id, facts) for each, facts in before.grants
        }

    def reason(
        self,
        request: RecordedRequest,
        caller: Caller,
        judged: AccessRequest,
        before: Applying,
        after: Applying,
    ) -> str:
        """What made the difference; "" where nothing can be named."""
        if not request.is_answered:
            return self._gained(before, after)
        old = {each for each, _ in before.statements}
        new_denies = [
            each
            for each, _ in after.statements
            if not each.is_allow and self._kept.get(each, each) not in old
        ]
        if new_denies:
            known = {change.new for change in self._of_old.values()}
            word = "Deny" if new_denies[0] in known or not self._is_same_key else "new Deny"
            return f"the {word} in {statement_words(new_denies[0])} matches"
        if not self._is_same_key:
            return "the new key's policy does not let it in"
        kept = {self._kept.get(each, each) for each, _ in after.statements}
        lost = [each for each, _ in before.statements if each.is_allow and each not in kept]
        left = {each.grant_id for each, _ in after.grants}
        gone = [each for each, _ in before.grants if each.grant_id not in left]
        words = [self._lost(each, caller, judged, request) for each in lost]
        words += [f"{grant_words(each)} is gone" for each in gone]
        return listed(list(dict.fromkeys(words)), 3)

    def _lost(self, old: Statement, caller: Caller, judged: AccessRequest, request: RecordedRequest) -> str:
        """Why a statement no longer lets a caller in."""
        change = self._of_old.get(old)
        new = change.new if change is not None else None
        if new is None:
            return f"{statement_words(old)} is gone"
        name = statement_words(new)
        if not new.is_allow:
            return f"{name} is a Deny now"
        action = actions.find(judged.action)
        if action is not None and not action_mask(new) & action.bit:
            return f"{name} no longer has {judged.action}"
        via, was = named_via(new, caller), named_via(old, caller)
        if via is None:
            who = caller.arn if caller.kind is PrincipalKind.SERVICE else request.principal_label
            return f"{name} no longer names {who}"
        if not covers(self._after.policy, new, judged.key_arn, judged.resolve):
            return f"{name} no longer covers the key"
        failing = first_failing(new, judged, request.context)
        if failing is not None:
            return f"{name} now asks that {condition(failing)}"
        if via is Via.ACCOUNT and was is not Via.ACCOUNT:
            return f"{name} names only the account now"
        return f"{name} changed"

    def _gained(self, before: Applying, after: Applying) -> str:
        """Why a request that was refused is let in."""
        kept = {self._kept.get(each, each) for each, _ in after.statements}
        gone = [each for each, _ in before.statements if not each.is_allow and each not in kept]
        old = {each for each, _ in before.statements}
        new = [
            each for each, _ in after.statements if each.is_allow and self._kept.get(each, each) not in old
        ]
        words = [f"the Deny in {statement_words(each)} no longer matches" for each in gone]
        words += [f"{statement_words(each)} allows it" for each in new]
        return listed(words, 3)
