"""What a scan found and what it could not check, in words."""

from __future__ import annotations

from collections.abc import Iterator

from kms_tui.evidence.scan_task import Section, Use
from kms_tui.evidence.scans import Scan
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.facts import Denied, Failed


def error_words(error: KmsTuiError) -> str:
    """Why a call failed; untrusted text."""
    if isinstance(error, ServiceError) and error.denied:
        return f"denied: you may not call {error.operation}"
    return str(error)


def shortfall_words(section: Section, scan: Scan) -> str:
    """How much of a kind was not checked, and why; untrusted text."""
    if not section.failed_calls:
        return "cancelled" if scan.is_cancelled else "interrupted"
    first = section.failed_calls[0]
    reason = error_words(first.error)
    if first.resource:
        others = " and others" if section.unchecked > 1 else ""
        return f"{section.unchecked:,} of {section.listed:,} not checked ({first.resource}{others}): {reason}"
    return f"only {section.checked:,} checked, then {reason}" if section.checked else reason


def name_gaps(scan: Scan) -> Iterator[tuple[str, str]]:
    """(what, why) of KMS's own lists that could not be read; untrusted text."""
    if isinstance(scan.names.aliases, Denied | Failed):
        yield "Aliases", f"{error_words(scan.names.aliases.error)}; who names the key by one is not known"
    if isinstance(scan.names.key_ids, Denied | Failed):
        yield "Keys", f"{error_words(scan.names.key_ids.error)}; keys that are gone are not told apart"


def use_words(use: Use) -> str:
    """What the key is used for, and the alias by which it is named, if any; untrusted text."""
    parts = [use.label, use.purpose]
    if use.by_default:
        parts.append("by default")
    elif "alias/" in use.reference:
        parts.append(f"as {use.reference}")
    return ", ".join(part for part in parts if part)
