"""What the terminal's encoding does not have, in ASCII as wide: lines, blocks, glyphs, letters with accents.

Textual writes to standard error, where Python writes ``\\u2502`` for what the encoding lacks: no line fits.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping
from typing import TextIO

from rich.cells import cell_len

_HANDLER = "kms-tui-ascii"
_NEEDED = "─│┃╸▌█·…–●▲◆▽↑↓✓≈"
"""Of what the console draws, a character of each kind."""

_ALIKE: Mapping[str, str] = {
    **dict.fromkeys("─━╌╍┄┅┈┉═╴╶╸╺╼╾–—−‐‑‒―▁▂▔", "-"),
    **dict.fromkeys("│┃╎╏┆┇┊┋║╵╷╹╻╽╿▏▎▍▌▐▕", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬", "+"),
    **dict.fromkeys("█▇▆▅▄▃▀▊▋▉▓▒░■▪▖▗▘▙▚▛▜▝▞▟", "#"),
    **dict.fromkeys("●•◆◇○◉✱★☆", "*"),
    **dict.fromkeys("▲△▴↑⇧", "^"),
    **dict.fromkeys("▼▽▾↓", "v"),
    **dict.fromkeys("→▶►▸›»", ">"),
    **dict.fromkeys("←◀◂‹«⌫", "<"),
    **dict.fromkeys("·⋅∙…", "."),
    **dict.fromkeys("≈∼", "~"),
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’‚", "'"),
    "✓": "v",
    "✗": "x",
    "×": "x",
    "‖": "|",
}


def alike(character: str) -> str:
    """ASCII that is as wide and looks alike, or question marks."""
    found = _ALIKE.get(character)
    if found is None:
        found = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    width = cell_len(character)
    return found if len(found) == width and found.isprintable() else "?" * width


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(alike, error.object[error.start : error.end])), error.end


def fit_encoding(stream: TextIO) -> None:
    """Have a stream write ASCII for what its encoding lacks, if that is anything that the console draws."""
    try:
        _NEEDED.encode(stream.encoding)
    except UnicodeEncodeError:
        codecs.register_error(_HANDLER, _replace)
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)
