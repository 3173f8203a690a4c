"""THE table of the formats that a report is written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kms_tui.evidence.health.formats import asff_findings, html_page, junit_report, sarif_report, text_formats
from kms_tui.evidence.health.health_report import Report

WRITERS: Mapping[str, Callable[[Report], str]] = {
    "table": text_formats.terminal_text,
    "md": text_formats.markdown_text,
    "json": text_formats.json_text,
    "csv": text_formats.csv_text,
    "html": html_page.html_text,
    "sarif": sarif_report.sarif_of,
    "asff": asff_findings.asff_text,
    "junit": junit_report.junit_text,
}
"""Format -> the whole report as text, with a final line end."""
