"""The HTML report: readable, of one piece, and harmless, in a browser where there is one."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kms_tui.evidence.health.compliance_packs import PACKS
from kms_tui.evidence.health.formats import html_page
from kms_tui.evidence.health.formats.html_page import html_text
from kms_tui.evidence.health.formats.html_parts import Bar, bars, share
from kms_tui.evidence.health.health_report import Report
from tests.unit.evidence.health.build import ACCOUNT, OTHER
from tests.unit.evidence.health.reports import HOSTILE, LOST, PLACES, ROTATION_OFF, Estate, accepting, estate
from tests.unit.evidence.health.web_page import Page

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, _BROWSERS)), "")
_STYLE = Path(html_page.__file__).with_name("html_report.css").read_text(encoding="utf-8")


def everything() -> Report:
    return accepting(estate().report(PACKS.values()), "no-alias")


def test_it_has_no_script_and_asks_for_nothing() -> None:
    page = Page(html_text(everything()))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"}
    (policy,) = [each for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"].startswith("default-src 'none'; style-src 'sha256-")
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")]
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", _STYLE)


def test_names_are_text_and_nothing_else() -> None:
    text = html_text(everything())
    assert "<script>" not in text
    words = "".join(Page(text).words)
    assert "<script>alert(1)</script>\"'&␀␛[31m\\u202e](http://x){0}\\ud800" in words
    assert HOSTILE not in words


def test_every_link_leads_somewhere_and_every_id_is_there_once() -> None:
    page = Page(html_text(everything()))
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert set(ids.values()) == {1}
    for attributes in page.all("a"):
        assert attributes["href"].removeprefix("#") in ids
    for _, attributes in page.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_it_can_be_read_without_seeing_it() -> None:
    text = html_text(everything())
    page = Page(text)
    assert page.all("html") == [{"lang": "en"}]
    assert all("aria-label" in attributes for attributes in page.all("table"))
    assert {attributes.get("scope") for attributes in page.all("th")} == {"col", "row"}
    for attributes in page.all("svg"):
        assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}


def test_it_says_what_was_found_where_and_what_is_not_known() -> None:
    words = " ".join(Page(html_text(everything())).words)
    for told in (
        "Health of the KMS keys of 3 accounts",
        "2026-11-20 12:00 UTC",
        f"Not all keys of eu-west-1 in {LOST.account} could be listed.",
        "Checks of keys, without those that could not be listed",
        "Findings by account",
        "GetKeyPolicy was denied",
        "Kim <kim@example.com>",
        "CIS AWS Foundations Benchmark",
        "It is about IAM policies",
        "What was checked",
    ):
        assert told in words
    assert words.count(ACCOUNT) > 2
    assert OTHER in words


def test_accounts_are_folded_where_there_is_much() -> None:
    made = Estate()
    for number in range(250):
        made.add(PLACES[number % 3], "a", rotation=ROTATION_OFF)
    assert not [each for each in Page(html_text(made.report())).all("details") if "open" in each]
    few = Page(html_text(everything())).all("details")
    assert [each for each in few if "open" in each] == few


def test_bars_are_as_long_as_their_numbers() -> None:
    page = Page(bars("by check", [Bar("a", 10, "high"), Bar("b", 5, "low"), Bar("c", 0, "low")]))
    assert [each["width"] for each in page.all("rect")] == ["100.00", "50.00", "0.00"]
    parts = share("checks", [Bar("passed", 999, "passed"), Bar("not known", 1, "unknown")])
    assert "passed: 999 (99%)" in parts
    assert "not known: 1 (under 1%)" in parts


# Colours


def _colours(block: str) -> dict[str, str]:
    found = re.search(re.escape(block) + r"(.*?)\}", _STYLE, re.DOTALL)
    assert found is not None
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", found[1]))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("block", [":root {", "(prefers-color-scheme:dark) {\n  :root {"])
def test_texts_and_bars_have_contrast(block: str) -> None:
    colours = _colours(block)
    tones = ("high", "medium", "low", "pass", "unknown", "accepted", "accent", "soft")
    for ground in ("page", "card", "stripe"):
        for text in ("ink", *tones):
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for tone in tones:
        assert _contrast(colours[tone], colours["track"]) >= 3, tone


# In a browser


def _browse(folder: Path, page: Path, *flags: str) -> str:
    """What a browser makes of a page, as HTML."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += ["--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}", "--dump-dom", *flags]
    ended = subprocess.run([*command, page.as_uri()], capture_output=True, check=True, timeout=120)
    return ended.stdout.decode()


_MEASURE = """
addEventListener("load", () => setTimeout(() => {
  const found = [...document.querySelectorAll("iframe")].map((frame) => {
    const page = frame.contentDocument, width = frame.clientWidth;
    const lists = [...page.querySelectorAll(".scroll")];
    const wide = [...page.querySelectorAll("body *")].filter(
      (each) => each.getBoundingClientRect().right > width + 1 && !each.closest(".scroll"));
    return {
      width, page: page.documentElement.scrollWidth, scripts: page.scripts.length,
      wide: wide.map((each) => each.tagName),
      lists: lists.filter((each) => each.scrollWidth > each.clientWidth).length,
      requests: frame.contentWindow.performance.getEntriesByType("resource").length,
      background: page.defaultView.getComputedStyle(page.body).backgroundColor};
  });
  const result = document.createElement("output");
  result.textContent = JSON.stringify(found);
  document.body.append(result);
}, 100));
"""


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium is here")
def test_in_a_browser_nothing_overflows_nothing_runs_and_nothing_is_requested(tmp_path: Path) -> None:
    text = html.escape(html_text(everything()))
    frames = "".join(
        f'<iframe srcdoc="{text}" style="border:0;width:{width}px;height:900px"></iframe>'
        for width in (1200, 400)
    )
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><body>{frames}<script>{_MEASURE}</script></body>", encoding="utf-8")
    dom = _browse(tmp_path, page, "--window-size=1300,1000", "--virtual-time-budget=4000")
    found = re.search(r"<output>(.*?)</output>", dom, re.DOTALL)
    assert found is not None, dom[-500:]
    frames_found: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    assert [each["width"] for each in frames_found] == [1200, 400]
    for each in frames_found:
        assert each["page"] <= each["width"]
        assert (each["wide"], each["lists"], each["scripts"], each["requests"]) == ([], 0, 0, 0)
        # The style sheet is in force: its hash in the policy is right.
        assert each["background"] == "rgb(246, 247, 249)"


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium is here")
def test_in_a_browser_names_are_text(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html_text(everything()), encoding="utf-8")
    dom = _browse(tmp_path, page)
    assert "<script" not in dom
    assert "&lt;script&gt;alert(1)" in dom
