"""Records the README's animated picture from the demo: one SVG, its frames shown in turn by CSS alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from make import open_demo
from textual.pilot import Pilot

from kms_tui.session import BackendKind, Connection
from kms_tui.ui.app import KmsApp
from kms_tui.ui.screenshot import settle

SIZE = (124, 34)
SECONDS = 3.0
"""How long a frame is shown."""


class Shot(NamedTuple):
    """Keys to press before a frame is taken, and what is written below it."""

    keys: tuple[str, ...]
    caption: str


SHOTS = (
    Shot((), "kms-tui --demo"),
    Shot(("slash", *"orders", "enter"), "/orders  find a key"),
    Shot(("X",), "X  disable it: who would be refused?"),
    Shot(("y",), "y  disabled"),
    Shot(("ctrl+z", "y"), "ctrl+z  undone"),
    Shot(("e",), "e  its policy, with the lockout guard"),
    Shot(("escape", "5"), "5  what needs attention, and why"),
    Shot(("6",), "6  what is coming"),
    Shot(("1", "colon", *"invoi"), ":  anything by its name"),
)
_INSIDE = re.compile(r"<svg[^>]*viewBox=\"0 0 ([\d.]+) ([\d.]+)\"[^>]*>(.*)</svg>", re.DOTALL)


async def _frames(pilot: Pilot[Any]) -> list[str]:
    await settle(pilot)
    frames = []
    for shot in SHOTS:
        for key in shot.keys:
            await pilot.press(key)
            await settle(pilot)
        await pilot.pause(0.5)
        await settle(pilot)
        frames.append(pilot.app.export_screenshot(title="kms-tui"))
    return frames


def animated(frames: list[str]) -> str:
    """One SVG that shows the frames in turn; with reduced motion, the first."""
    parts, width, height = [], 0.0, 0.0
    for number, (frame, shot) in enumerate(zip(frames, SHOTS, strict=True)):
        found = _INSIDE.search(frame)
        assert found is not None, "Textual's picture has another form than it had"
        width, height = float(found[1]), float(found[2])
        caption = f'<text class="caption" x="{width / 2}" y="{height + 34}">{shot.caption}</text>'
        delay = f"animation-delay:{number * SECONDS}s"
        parts.append(f'<g class="frame" style="{delay}">{found[3]}{caption}</g>')
    share = 100 / len(frames)
    style = (
        f".frame{{visibility:hidden;animation:frame {len(frames) * SECONDS}s step-end infinite}}"
        f"@keyframes frame{{0%{{visibility:visible}}{share:.3f}%{{visibility:hidden}}}}"
        ".caption{font:bold 22px monospace;text-anchor:middle;fill:#66bcbc}"
        "@media(prefers-reduced-motion){.frame{animation:none}.frame:first-of-type{visibility:visible}}"
    )
    box = f"0 0 {width} {height + 56}"
    background = f'<rect width="{width}" height="{height + 56}" rx="8" fill="#12171b"/>'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">'
        f"<style>{style}</style>{background}\n{body}</svg>\n"
    )


def main() -> None:
    frames: list[str] = []

    async def record(pilot: Pilot[Any]) -> None:
        frames.extend(await _frames(pilot))
        pilot.app.exit()

    app = KmsApp(open_demo, Connection(BackendKind.DEMO))
    app.run(headless=True, size=SIZE, auto_pilot=record)
    Path(__file__).with_name("tour.svg").write_text(animated(frames), encoding="utf-8")


if __name__ == "__main__":
    main()
