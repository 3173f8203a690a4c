"""A scan in words, for the tab "Used by" and for the question before a deletion."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from kms_tui.evidence.scan_shortfalls import name_gaps
from kms_tui.evidence.scan_task import Section, Use
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scans import Scan, Scans
from kms_tui.ui.base.safe_text import Content, safe, visible
from kms_tui.ui.base.words import counted, date_words

EARLIER_DATA = "Data encrypted earlier is not visible to any scan."
NOT_AVAILABLE = "not available here: this KMS has no other services beside it"
TICK_SECONDS = 0.1
"""Seconds between two drawings of a scan's progress."""


def clock_words(moment: datetime, now: datetime) -> str:
    """The time of day, with the day where it is not today."""
    time = moment.astimezone().strftime("%H:%M")
    return time if date_words(moment) == date_words(now) else f"{date_words(moment)} {time}"


def scanned_words(scan: Scan, now: datetime) -> str:
    """When a scan was made and how long it took ("scanned 12:04, 3.1 s")."""
    ended = ", cancelled after" if scan.is_cancelled else ","
    return f"scanned {clock_words(scan.started, now)}{ended} {scan.duration.total_seconds():.1f} s"


def unchecked_words(scan: Scan) -> str:
    """ "2 kinds not checked whole: EBS volumes, SNS topics"; "" where all were."""
    titles = [section.title for section in scan.unchecked]
    if not titles:
        return ""
    return f"{counted(len(titles), 'kind')} not checked whole: {', '.join(titles)}"


def kinds_words(uses: Sequence[Use]) -> str:
    """How many of each kind ("S3 buckets 2, RDS instances 1")."""
    return ", ".join(f"{kind} {count}" for kind, count in Counter(use.kind for use in uses).items())


def scanning_words(scans: Scans, region: str) -> str:
    """How far the scan of a region is ("scanning eu-west-1: 5 of 104 kinds")."""
    run = scans.run_of(region)
    over = [section.is_over for section in run.sections()] if run is not None else [False] * len(SCANNERS)
    return f"scanning {region}: {sum(over)} of {len(over)} kinds"


def progress_words(section: Section) -> str:
    if not section.is_offered:
        return "not offered here"
    if section.is_over:
        return f"{section.checked:,} checked" if section.is_checked else "not checked"
    if not section.calls:
        return "waits"
    return f"{section.checked:,} of {section.listed:,}" if section.listed else "listing…"


def used_by_content(scan: Scan, key_id: str, now: datetime, *, width: int) -> Content:
    """The answer for one key in a few lines of at most ``width`` cells."""
    uses = scan.uses(key_id)
    if uses:
        words = f"{counted(len(uses), 'resource')}: {kinds_words(uses)}"
    else:
        words = "nothing that was checked names it"
    lines = [safe(line).stylize("$warning" if uses else "") for line in textwrap.wrap(words, width)]
    gaps = [unchecked_words(scan), *(f"{what}: {why}" for what, why in name_gaps(scan))]
    for gap in (gap for gap in gaps if gap):
        lines += [safe(line).stylize("$warning") for line in textwrap.wrap(visible(gap), width)]
    lines.append(Content.styled(scanned_words(scan, now), "$foreground-muted"))
    return Content("\n").join(lines)
