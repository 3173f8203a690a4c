"""JSON in the editor's colours, for texts that are only read."""

from __future__ import annotations

import re

from kms_tui.ui.base.safe_text import Content, Span, safe

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
