"""The key list in numbers: counts by scope, the status line, and the note below the filter."""

from __future__ import annotations

from kms_tui.inventory import FactName
from kms_tui.inventory.cells import span
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.row_table import Tally
from kms_tui.inventory.view import Scope, Summary, View
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.facts import Known
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.words import counted
from kms_tui.ui.widgets.key_notes import unlisted_words

_SCOPE_OF_AWS = {Scope.CUSTOMER: (False,), Scope.AWS: (True,), Scope.ALL: (False, True)}
_SCOPE_WORDS = {Scope.CUSTOMER: "Customer", Scope.AWS: "AWS", Scope.ALL: "All"}
_PATIENCE_SECONDS = 60.0
"""A filter whose facts take longer to read waits for enter."""


def scopes(view: View) -> Content:
    """The number of keys in each scope; "?" while none is listed yet."""
    inventory = view.inventory
    customer, aws = inventory.tally(aws=False).keys, inventory.tally(aws=True).keys
    counts = {Scope.CUSTOMER: customer, Scope.AWS: aws, Scope.ALL: customer + aws}
    parts = [
        Content.styled(
            f"{_SCOPE_WORDS[scope]} {'?' if _nothing_listed(inventory) else f'{count:,}'}",
            "$accent bold" if scope is view.scope else f"@click=screen.scope_to('{scope}')",
        )
        for scope, count in counts.items()
    ]
    return Content.styled(" · ", "$foreground-muted").join(parts)


def status(view: View, summary: Summary, watched: Content | None = None) -> Content:
    """What the list shows, how much of it is known, and what is under way; the most urgent first.

    ``watched`` counts refused uses of watched keys.
    """
    tally, error = _tally(view), view.inventory.passing_error
    parts = []
    if error is not None:
        parts.append(Content.styled(f"{_error_word(error)}, trying again", "$warning"))
    if summary.marked:
        hidden = f", {summary.marked_hidden} of them hidden by the filter" if summary.marked_hidden else ""
        parts.append(Content.styled(f"{summary.marked} marked{hidden}", "$accent"))
    if watched is not None:
        parts.append(watched)
    least = "at least " if unlisted_words(view.inventory) else ""
    if view.query:
        parts.append(Content(f"{summary.shown:,} of {least}{counted(summary.total, 'key')}"))
    elif tally.read == tally.keys and not _nothing_listed(view.inventory):
        parts.append(Content(f"{least}{counted(summary.total, 'key')}"))
    if tally.attention:
        words = f"{tally.attention:,} {'needs' if tally.attention == 1 else 'need'} attention"
        parts.append(Content.styled(words, "$warning @click=screen.attention"))
    if tally.read < tally.keys:
        parts.append(Content(f"{tally.read:,} of {least}{tally.keys:,} read"))
    if view.sort.column != "name" and summary.sort_known < summary.shown:
        parts.append(Content(f"sorted by {summary.sort_known:,} known"))
    if summary.arrived:
        parts.append(Content(f"{summary.arrived:,} arrived, . sorts them in"))
    if view.inventory.busy:
        parts.append(Content("listing…"))
    if (oldest := view.inventory.recorded_since) is not None:
        parts.append(Content(f"as AWS Config knew it {span(view.inventory.now() - oldest)} ago, r asks KMS"))
    return Content(" · ").join(parts)


def _tally(view: View) -> Tally:
    """The counts of the keys in the view's scope."""
    tallies = [view.inventory.tally(aws=aws) for aws in _SCOPE_OF_AWS[view.scope]]
    return Tally(*(sum(numbers) for numbers in zip(*tallies, strict=True)))


def takes_long(view: View, summary: Summary) -> bool:
    """Whether the filter needs so many calls of GetKeyLastUsage that a person must ask for them."""
    seconds = summary.undecided / _usage_rate(view)
    return FactName.LAST_USAGE in view.query.needs and seconds > _PATIENCE_SECONDS


def _usage_rate(view: View) -> float:
    """Calls of GetKeyLastUsage a second, of all accounts together."""
    return view.inventory.pace.usage * len(view.inventory.accounts)


def filter_note(view: View, summary: Summary) -> str:
    """What the filter waits for and how long, and how many keys it cannot decide; untrusted text, or ""."""
    progress = view.inventory.progress()
    if progress is not None and progress.done < progress.total:
        left = f", about {_length(progress.seconds)} left" if progress.seconds >= 1 else ""
        waits = f" ({progress.error})" if progress.error else ""
        what = "filter needs" if view.query else "list shows"
        return f"reading what the {what}: {progress.done:,} of {progress.total:,}{left}{waits}"
    if takes_long(view, summary):
        rate = _usage_rate(view)
        return (
            f"unused: takes about {_length(summary.undecided / rate)} at {rate:g} calls a second; "
            "enter starts it, esc stops it"
        )
    parts = []
    if summary.undecided:
        parts.append(f"{summary.undecided:,} keys not judged yet: a fact that the filter needs is not read")
    if summary.unreadable:
        parts.append(f"{summary.unreadable:,} keys cannot be judged: reading that fact was refused or failed")
    if summary.names_only:
        parts.append(f"{summary.names_only:,} keys matched by alias and id alone: not described yet")
    return "; ".join(parts)


def _nothing_listed(inventory: Inventory) -> bool:
    return not len(inventory) and any(not isinstance(region.keys, Known) for region in inventory.regions)


def _error_word(error: KmsTuiError) -> str:
    if isinstance(error, ServiceError):
        return "throttled" if error.throttled else "KMS fails"
    return "no answer"


def _length(seconds: float) -> str:
    """ "40 s", "4 minutes", "5 h 33 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
