"""Where a new statement goes, and how it looks there."""

from __future__ import annotations

import re

from kms_tui.policy import snippets
from kms_tui.policy.document import CURRENT_VERSION
from kms_tui.policy.json_reader import ScanError
from kms_tui.policy.snippets import StatementShape
from kms_tui.ui.policy_editor.layout import formatted
from kms_tui.ui.policy_editor.outline import Outline

_EMPTY_LIST = re.compile(r'"Statement"\s*:\s*\[')


def with_statement(text: str, offset: int, statement: StatementShape) -> str | None:
    """The policy with a statement after the one at ``offset`` (or before it); None where there is no place.

    A text without anything becomes a policy of this one statement.
    """
    written = snippets.as_text(statement)
    if not text.strip():
        return formatted(f'{{"Version": "{CURRENT_VERSION}", "Statement": [{written}]}}') + "\n"
    spans = sorted(Outline(text).statements)
    if not spans:
        found = _EMPTY_LIST.search(text)
        return None if found is None else _laid_out(f"{text[: found.end()]}{written}{text[found.end() :]}")
    start, end = next((span for span in reversed(spans) if span[0] <= offset), spans[0])
    if text[: spans[0][0]].rstrip().endswith("["):
        return text[:end] + ",\n" + _indented(written, _indent_of(text, start)) + text[end:]
    return _laid_out(f"{text[:start]}[{text[start:end]},{written}]{text[end:]}")


def _laid_out(text: str) -> str:
    try:
        return formatted(text)
    except ScanError:
        return text


def _indent_of(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip())]


def _indented(text: str, indent: str) -> str:
    return "\n".join(indent + line for line in text.split("\n"))
