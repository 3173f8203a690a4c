"""Makes untrusted text safe to show: everything that a terminal obeys or a reader overlooks becomes visible.

C0 controls become their pictures (ESC is ``␛``); C1 controls, bidirectional overrides, zero-width characters
and lone surrogates become Python escapes (``\\x9b``, ``\\u202e``).
"""

from __future__ import annotations

import re

_TAB = "    "

# Unicode's categories Cc, Cf, Cs, Zl and Zp, and the invisible characters of other categories
# (Default_Ignorable_Code_Point); written out because scanning all of Unicode at import takes 0.1 s.
HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""The inside of a regular expression's character class."""
_PICTOGRAPH = "[©®‼⁉™-㊙\U0001f000-\U0001faff]"
# A presentation selector after a pictograph, or a joiner between two, changes only which drawing a font
# picks, and terminals disagree about its width: it is left out rather than spelled out.
_UNSAFE = re.compile(
    f"(?P<drop>(?<={_PICTOGRAPH})\ufe0f?\u200d(?={_PICTOGRAPH})|(?<={_PICTOGRAPH})[\ufe0e\ufe0f])|[{HIDDEN}]"
)


def visible(text: str, *, newlines: bool = False) -> str:
    """``text`` with every control and invisible character shown as printable ones.

    With ``newlines`` line ends stay (as ``\\n``) and a tab becomes four spaces; otherwise the result is one
    line. Idempotent.
    """
    if text.isascii() and text.isprintable():
        return text
    if newlines:
        return "\n".join(
            _UNSAFE.sub(_spell, line) for line in text.replace("\r\n", "\n").replace("\t", _TAB).split("\n")
        )
    return _UNSAFE.sub(_spell, text)


def _spell(match: re.Match[str]) -> str:
    if match["drop"] is not None:
        return ""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
