"""Takes off what programs wrap around an error message: colours, JSON, XML, boxes, quote marks, line breaks.

The time is in proportion to the text: each pattern begins where a run begins, and gives nothing back.
"""

from __future__ import annotations

import re
import string
from urllib.parse import unquote_to_bytes

MAX_MESSAGE = 16 * 1024 * 1024
"""Characters of a paste that are read."""

GAPS = " \n\f"
"""The white space of a cleaned text: a space, a line break, and the end of a paragraph."""

_COLOURS = re.compile(
    r"(?:\x1b|␛|\^\[)(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|\][^\x07\x1b␛\n]{0,200}(?:\x07|\x1b\\))"
)
_JSON_ESCAPE = re.compile(r"""(?<!\\)\\++(?:u([0-9a-fA-F]{4})|([nrtbf"'/]))""")
_JSON_CHARACTERS = {"n": "\n", "r": "\n", "t": " ", "b": "", "f": "\n"}
_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(quot|amp|lt|gt|apos|nbsp));")
_ENTITIES = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'", "nbsp": " "}
_URL_ENCODED = re.compile(r"not(?:%20|\+)authorized", re.IGNORECASE)
_BREAKING_TAG = re.compile(r"<(?:br|wbr)\s?/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9:._-]{0,40}(?: [^<>]{0,400})?/?>")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_FRAME = " \t\xa0│┃║╷╵╎┆┊|>"
_LINE_END = "\r\n\v\f\x85\u2028\u2029"
_LOG_PREFIXES = (
    r"[A-Za-z0-9_.-]{1,60}[ \t]{0,8}\|[ \t]+",
    r"[0-9]{4}-[0-9:.TZ+-]{12,30} std(?:out|err) [FP] ",
    r"(?P<record>\[?[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{8,18}(?:Z|[+-][0-9:]{2,6})?\]?[ \t]+)",
    r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [A-Za-z0-9_.-]{1,60} [A-Za-z0-9_./@-]{1,60}(?:\[[0-9]{1,10}\])?: ",
)
"""What is put before each line: by docker compose, Kubernetes, GitHub and Jenkins, the system's log.

What follows the ``record``'s time may be another record: no name goes on there.
"""
_BREAK = re.compile(
    rf"(?<![\\{_FRAME}])[\\{_FRAME}]*+[{_LINE_END}][{_FRAME}{_LINE_END}]*+"
    rf"(?:(?:{'|'.join(_LOG_PREFIXES)})[{_FRAME}]*+)?(?:\\(?= ))?"
)
_LITERAL_END = re.compile(r"(?<! )( ?)([\"'])[ \t]{0,8}\+?[ \t]{0,8}\r?\n[ \t]{0,80}\+?[ \t]{0,8}\2(?=( ?))")
"""Between two strings that a program's text joins, as Python writes long ones; a space ends or begins one."""
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_NEWLINE = re.compile(f"\r\n|[{_LINE_END}]")
_SPACES = re.compile(r"[^\S\n\f]+")
_PASSES = 3
"""How many times escapes may lie in one another: JSON in JSON in XML."""


def cleaned(text: str) -> str:
    """The text without what is wrapped around its words; white space is one of ``GAPS`` each.

    Quotes and brackets stay, and a tag becomes a quote: they end the words beside them.
    """
    text = _DASHES.sub("-", text[:MAX_MESSAGE])
    if _URL_ENCODED.search(text):
        packed = text.replace("+", " ").encode("utf-8", "replace")
        text = unquote_to_bytes(packed).decode("utf-8", "replace")
    text = _LITERAL_END.sub(_joined, _COLOURS.sub("", text))
    for _ in range(_PASSES):
        unescaped = _ENTITY.sub(_entity, _JSON_ESCAPE.sub(_json_character, text))
        if unescaped == text:
            break
        text = _COLOURS.sub("", unescaped)
    text = _TAG.sub('"', _BREAKING_TAG.sub("\n", _UNSEEN.sub("", text)))
    return _SPACES.sub(" ", _BREAK.sub(_gap, text)).strip(GAPS)


def _json_character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return _JSON_CHARACTERS.get(match[2], match[2])


def _entity(match: re.Match[str]) -> str:
    if match[3]:
        return _ENTITIES[match[3]]
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if code <= 0x10FFFF else ""


_DIGITS = str.maketrans("123456789", "000000000")
_LINES_OF_ONE = 12
"""How many lines after that of a principal may belong to its message."""
_MOST_MESSAGES = 200
_WORDS_OF_ONE = ("arn:", "User:")
"""What a message begins with: no program puts it before each line."""


def without_prefixes(text: str) -> str:
    """The text without what a program puts before each line of a message, the same but for its digits.

    It is a guess: two messages may begin with the same words. Only lines from one with a principal on count.
    """
    lines = _COLOURS.sub("", text[:MAX_MESSAGE]).split("\n")
    starts = [number for number, line in enumerate(lines) if "arn:" in line or "User:" in line]
    for start in starts[:_MOST_MESSAGES]:
        if start + 1 >= len(lines):
            break
        prefix = _common_prefix(lines[start], lines[start + 1])
        if not prefix:
            continue
        shape = re.compile("".join(map(_shape, _RUNS.findall(prefix))))
        for number in range(start, min(start + _LINES_OF_ONE, len(lines))):
            found = shape.match(lines[number])
            if found is None:
                break
            lines[number] = lines[number][found.end() :]
    return "\n".join(lines)


_RUNS = re.compile(r"[0-9]+|[ \t]+|[^0-9 \t]+")


def _shape(run: str) -> str:
    """The pattern of a run of digits or blanks, of any length, or of other characters."""
    if run[0] in string.digits:
        return "[0-9]++"
    return "[ \t]++" if run[0] in " \t" else re.escape(run)


def _common_prefix(one: str, other: str) -> str:
    """What two lines begin with, up to the end of a word; digits may differ."""
    shapes = [line[:_LONGEST_PREFIX].translate(_DIGITS) for line in (one, other)]
    same = zip(*shapes, strict=False)
    length = next((place for place, (left, right) in enumerate(same) if left != right), min(map(len, shapes)))
    prefix = one[:length]
    for word in _WORDS_OF_ONE:
        prefix = prefix.partition(word)[0]
    return prefix.rstrip(_LETTERS)


_LONGEST_PREFIX = 200
_LETTERS = string.ascii_letters + string.digits


def _joined(match: re.Match[str]) -> str:
    return match[1] if match[1] or match[3] else match[0]


def _gap(match: re.Match[str]) -> str:
    if match["record"]:
        return "\f"
    return "\n" if len(_NEWLINE.findall(match[0])) == 1 else "\f"


def loose(words: str) -> re.Pattern[str]:
    """Finds words in any case, whatever line breaks a terminal put between their letters."""
    letters = [re.escape(letter) for letter in words if letter != " "]
    return re.compile(f"[{GAPS}]?".join(letters), re.IGNORECASE)


class Excerpt:
    """A part of a cleaned text, with and without its gaps.

    ``packed`` has no gaps; ``text`` has them, and ``places`` says where in it each character of ``packed``
    is.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.places = [place for place, character in enumerate(text) if character not in GAPS]
        self.packed = "".join(text[place] for place in self.places)

    def since(self, start: int) -> str:
        """The text from a place in ``packed`` on."""
        return self.text[self.places[start] :] if start < len(self.places) else ""

    def between(self, start: int, end: int) -> str:
        """The text between two places in ``packed``."""
        if start >= end:
            return ""
        return self.text[self.places[start] : self.places[end - 1] + 1]
