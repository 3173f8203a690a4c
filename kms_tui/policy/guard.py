"""``check``: the verdict on a policy text, with every finding."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

from kms_tui.kms.arn import is_account_id
from kms_tui.policy import exposure, lint, lockout, unmet_statements
from kms_tui.policy.document import MAX_BYTES, Document, parse
from kms_tui.policy.findings import CheckResult, Remark, Severity, Verdict, located
from kms_tui.policy.json_reader import Span
from kms_tui.policy.policy_under_test import PolicyUnderTest
from kms_tui.policy.principals import PrincipalKind
from kms_tui.policy.search import Budget, TooComplexError

MAX_FINDINGS = 300
WORK = 900_000
"""Units of work for one check; realistic policies of 32 KB take a tenth of it."""
WORK_FOR_NOTES = 200_000
"""Units of work for notes on statements that never apply: without them a check is still whole."""


def check(
    text: str | bytes,
    *,
    account_id: str,
    partition: str = "aws",
    caller_arn: str | None = None,
    key_arn: str | None = None,
    now: float | None = None,
) -> CheckResult:
    """Judge whether a key policy can be saved without the account losing control of the key.

    The verdict is REFUSE, WARN or OK. ``text`` is judged as sent (bytes must be UTF-8, and a byte order mark
    is a mistake); ``account_id`` is the key's account, ``caller_arn`` the identity that saves it, ``now`` the
    time in seconds since 1970. Never raises.
    """
    if isinstance(text, bytes):
        data = text
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            return _undecodable(data, error)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return _result(list(lint.size(size)), parse(""), size)
    document = parse(text, partition=partition)
    if document.problems:
        return _result(_refusals(text, document), document, size)
    if not is_account_id(account_id):
        sentence = "The key's account is not known, so it is not known whether it keeps control."
        return _result([Remark("no-account", Severity.REFUSE, sentence, document.end)], document, size)
    moment = time.time() if now is None else now
    subject = PolicyUnderTest(document, account_id, partition, key_arn or "", moment, Budget(WORK))
    return _result([*_remarks(subject, caller_arn), *lint.size(size)], document, size)


def outside_access(
    text: str, *, account_id: str, partition: str = "aws", key_arn: str = "", now: float
) -> tuple[exposure.OutsideAccess, ...]:
    """The access of principals of other accounts, without public statements.

    The arguments are ``check``'s. Empty for a text that is not a policy; raises TooComplexError.
    """
    document = parse(text, partition=partition)
    if not document.is_valid:
        return ()
    return tuple(
        exposure.outside_access(PolicyUnderTest(document, account_id, partition, key_arn, now, Budget(WORK)))
    )


def _remarks(subject: PolicyUnderTest, caller_arn: str | None) -> list[Remark]:
    remarks: list[Remark] = []
    try:
        remarks += lockout.account_control(subject)
    except TooComplexError:
        sentence = "The policy is too complex to judge whether the account keeps control."
        return [Remark("too-complex", Severity.REFUSE, sentence, Span(0, 0))]
    is_refused = any(remark.severity is Severity.REFUSE for remark in remarks)
    try:
        if not is_refused:
            remarks += exposure.lost_actions(subject, unconditional=not remarks)
            if caller_arn:
                remarks += lockout.caller_loss(subject, caller_arn)
        remarks += exposure.exposures(subject)
        remarks += lint.lint(subject)
    except TooComplexError:
        sentence = "The policy is too complex to check every statement; there may be more findings."
        remarks.append(Remark("too-complex-for-findings", Severity.WARN, sentence, Span(0, 0)))
    if not is_refused:
        with suppress(TooComplexError):
            subject.budget.renew(WORK_FOR_NOTES)
            remarks += unmet_statements.never_applying(subject)
    return remarks


def _refusals(text: str, document: Document) -> list[Remark]:
    """Why a text is not a policy; one sentence for a known kind of pasted text."""
    from kms_tui.policy import pasted_text  # most texts are policies

    paste = pasted_text.recognize(text)
    if paste is None:
        return list(_problems(document))
    remark = Remark(
        paste.rule, Severity.REFUSE, paste.sentence, Span(paste.start, min(paste.start + 1, len(text)))
    )
    return [remark, *(_problems(document) if paste.rule == "template" else ())]


def _problems(document: Document) -> Iterator[Remark]:
    statements = {statement.index: statement for statement in document.statements}
    for problem in document.problems:
        statement = statements.get(problem.statement) if problem.statement is not None else None
        yield Remark(problem.rule, Severity.REFUSE, problem.sentence, problem.span, statement)


def _undecodable(data: bytes, error: UnicodeDecodeError) -> CheckResult:
    before = data[: error.start].decode("utf-8", "replace")
    document = parse(before)
    sentence = f"The text is not UTF-8: byte {data[error.start]:#04x} cannot be read."
    remark = Remark("encoding", Severity.REFUSE, sentence, Span(len(before), len(before)))
    return _result([remark], document, len(data))


_RANK = {Severity.REFUSE: 0, Severity.WARN: 1, Severity.INFO: 2}


def _result(remarks: list[Remark], document: Document, size: int) -> CheckResult:
    """The findings in the order of the text; beyond the maximum, the most severe are kept."""
    severities = {remark.severity for remark in remarks}
    verdict = Verdict.OK
    if Severity.REFUSE in severities:
        verdict = Verdict.REFUSE
    elif Severity.WARN in severities:
        verdict = Verdict.WARN
    kept = sorted(remarks, key=lambda each: _RANK[each.severity])[:MAX_FINDINGS]
    kept.sort(key=lambda each: (each.span.start, _RANK[each.severity], each.rule, each.span.end))
    return CheckResult(verdict, tuple(located(remark, document) for remark in kept), size)


def names_account(document: Document, account_id: str, partition: str = "") -> bool:
    """Whether an Allow statement names the account by its id or root ARN, in ``partition`` if given."""
    return document.is_valid and any(
        principal.kind is PrincipalKind.ACCOUNT
        and principal.account == account_id
        and (not partition or principal.partition in ("", partition))
        for statement in document.statements
        if statement.is_allow and not statement.not_principal
        for principal in statement.principals
    )
