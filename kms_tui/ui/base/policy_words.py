"""One statement of a policy on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kms_tui import policy
from kms_tui.kms.facts import Known
from kms_tui.policy import CheckResult, Finding, Severity, Verdict, json_reader
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.json_reader import ScanError
from kms_tui.session import Session
from kms_tui.ui.base.safe_text import Content, Span, safe

_INDENT = "  "


def formatted(text: str) -> str:
    """The JSON text with one member or entry a line, indented by two spaces; raises ScanError.

    Idempotent.
    """
    return "".join(_pieces(text, json_reader.read(text), "\n"))


def _pieces(text: str, value: json_reader.Value, line: str) -> Iterator[str]:
    """``line`` is a line break and the indentation of where the value stands."""
    if isinstance(value, json_reader.Object) and value.members:
        inner = line + _INDENT
        for number, (key, member) in enumerate(value.members):
            yield ("," if number else "{") + inner + text[slice(*key.span)] + ": "
            yield from _pieces(text, member, inner)
        yield line + "}"
    elif isinstance(value, json_reader.Array) and value.items:
        inner = line + _INDENT
        for number, item in enumerate(value.items):
            yield ("," if number else "[") + inner
            yield from _pieces(text, item, inner)
        yield line + "]"
    elif isinstance(value, json_reader.Object | json_reader.Array):
        yield "{}" if isinstance(value, json_reader.Object) else "[]"
    else:
        yield text[slice(*value.span)]


def formatted_statement(document: Document, statement: Statement) -> str:
    """A statement formatted, so that white space makes no difference between two of them."""
    text = document.text[slice(*statement.span)]
    try:
        return formatted(text)
    except ScanError:
        return text


def statement_text(document: Document, statement: Statement) -> Content:
    """Its label, its effect, its line, and its text."""
    line, _ = document.place(statement.span)
    head = safe(statement.label).stylize("bold")
    effect = Content.styled(f"  {statement.effect}, line {line}", "$foreground-muted")
    return head + effect + Content("\n") + safe(formatted_statement(document, statement), newlines=True)


_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\\n]|\\.)*")(?P<colon>\s*:)?|(?P<constant>-?\d[\d.eE+-]*|true|false|null)|(?P<mark>[{}\[\],])'
)


def coloured(text: str) -> Content:
    """Untrusted JSON, or what resembles it, made visible and coloured."""
    plain = safe(text, newlines=True).plain
    spans: list[Span] = []
    for token in _TOKEN.finditer(plain):
        if token["colon"] is not None:
            spans.append(Span(*token.span("text"), "$primary"))
            spans.append(Span(*token.span("colon"), "$secondary"))
        elif token["constant"] is not None:
            spans.append(Span(*token.span(), "$warning"))
        elif token["mark"] is not None:
            spans.append(Span(*token.span(), "$secondary"))
    return Content(plain, spans)


GLYPHS: Mapping[Severity, str] = {Severity.REFUSE: "✗", Severity.WARN: "!", Severity.INFO: "·"}


COLOURS: Mapping[Severity, str] = {
    Severity.REFUSE: "$error",
    Severity.WARN: "$warning",
    Severity.INFO: "$accent",
}


WORDS: Mapping[Severity, str] = {Severity.REFUSE: "refused", Severity.WARN: "warning", Severity.INFO: "note"}


def finding_line(finding: Finding) -> Content:
    """The glyph and word of its severity, its line, and its sentence."""
    severity = finding.severity
    head = Content.styled(f"{GLYPHS[severity]} {WORDS[severity]}", f"{COLOURS[severity]} bold")
    where = Content.styled(f"  line {finding.line}  ", "$foreground-muted")
    return head + where + safe(finding.sentence)


def verdict_words(result: CheckResult) -> Content:
    """The verdict as a sentence that begins with its word, for those who see no colour."""
    warnings = sum(finding.severity is Severity.WARN for finding in result.findings)
    if result.verdict is Verdict.REFUSE:
        refusal = next(finding for finding in result.findings if finding.severity is Severity.REFUSE)
        place = f" (line {refusal.line})" if refusal.statement is not None else ""
        return Content.styled("refused: ", "$error bold") + safe(refusal.sentence + place)
    if result.verdict is Verdict.WARN:
        counted = "one warning" if warnings == 1 else f"{warnings} warnings"
        return Content.styled("warning: ", "$warning bold") + Content(
            f"the account keeps control, with {counted}"
        )
    return Content.styled("ok: ", "$success bold") + Content("the account keeps control")


_POLICIES_READ = 500
"""Policies of listed keys that are searched for principals, which takes some 0.2 s."""


def principals_seen(session: Session) -> tuple[str, ...]:
    """Everyone whom the policies and grants read in this session name, sorted; calls nothing."""
    rows = session.inventory.rows()
    texts = {row.policy.value for row in rows if isinstance(row.policy, Known)}
    for text in sorted(texts)[:_POLICIES_READ]:
        session.seen_principals.update(principals_in(text))
    return tuple(sorted(session.seen_principals))


def principals_in(text: str) -> set[str]:
    """Everyone whom a policy names, as it writes them."""
    return {
        principal.text
        for statement in policy.parse(text).statements
        for principal in statement.principals
        if principal.text != "*"
    }
