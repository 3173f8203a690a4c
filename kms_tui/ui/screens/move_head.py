"""What stands above the plan to move everything off a key: both keys, the counts, the progress of a scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from kms_tui.campaigns.campaign import Campaign
from kms_tui.counts import counted_as
from kms_tui.key_moves.move import How
from kms_tui.key_moves.move_plan import MovePlan
from kms_tui.key_moves.planning import PlanningProgress
from kms_tui.kms.arn import key_account, key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.words import counted
from kms_tui.ui.screens.campaign_words import age_words
from kms_tui.ui.screens.move_words import HOW_COLOURS

_BAR_CELLS = 40
_WIDE = 110
"""In a narrower terminal the head names keys without their ids."""


def head(plan: MovePlan, names: Mapping[str, str], width: int, made: str = "") -> Content:
    """From which key to which, how many moves of each kind, and what the plan lacks.

    ``names`` are the names that people use, by key ARN; ``made`` is the ARN of a key that was made since.
    """
    new = plan.new.arn if plan.new is not None else made
    lines = [_from_to(plan.old.arn, new, names, width), _counts(plan)]
    warnings = [*_warnings(plan)]
    if warnings:
        lines.append(Content(" · ").join(warnings))
    return Content("\n").join(lines)


def campaign_head(campaign: Campaign, names: Mapping[str, str], width: int, now: datetime) -> Content:
    """The same of a campaign that is gone on with, where nothing was scanned."""
    line = _from_to(campaign.head.old, campaign.head.new, names, width)
    return line + Content("\n") + safe(f"A campaign, {age_words(campaign, now)}")


def _from_to(old: str, new: str, names: Mapping[str, str], width: int) -> Content:
    line = _key_words(old, names, width) + Content("  →  ")
    if not new:
        return line + Content.styled("a new key made like it", "bold")
    line += _key_words(new, names, width)
    if key_account(new) != key_account(old):
        line += Content.styled(f" of account {key_account(new)}", "$foreground-muted")
    return line


def _key_words(arn: str, names: Mapping[str, str], width: int) -> Content:
    key_id = key_id_of(arn)
    name = names.get(arn, key_id)
    words = safe(name).stylize("bold")
    if name != key_id and width >= _WIDE:
        words += safe(f" {key_id}").stylize("$foreground-muted")
    return words


def _counts(plan: MovePlan) -> Content:
    counts = Counter(each.move.how for each in plan.moves)
    if not counts:
        return Content("Nothing that was checked names this key.")
    parts = [Content.styled(f"{counts[how]:,} {how}", HOW_COLOURS.get(how, "")) for how in How if counts[how]]
    told = Content(counted_as(len(plan.moves), "resource names it: ", "resources name it: "))
    return told + Content(" · ").join(parts)


def _warnings(plan: MovePlan) -> Iterator[Content]:
    if count := len(plan.obstacles):
        yield Content.styled(f"✗ {counted(count, 'thing')} in the way, first", "$error")
    if count := len(plan.gaps):
        yield Content.styled(f"? not whole: {count:,} not checked", "$warning")


def progress(stage: PlanningProgress, name: str, accounts: int) -> Content:
    """What is being scanned, how far that is, and how to stop it. The name is untrusted."""
    lines = [safe(f"Planning to move everything off {name}").stylize("bold"), Content()]
    if stage.total:
        filled = _BAR_CELLS * stage.done // stage.total
        bar = Content.styled("━" * filled, "$accent") + Content.styled(
            "━" * (_BAR_CELLS - filled), "$foreground-muted 30%"
        )
        of_accounts = f" of {accounts:,} accounts" if accounts > 1 else ""
        lines.append(bar + Content(f"  {stage.done:,} of {counted(stage.total, 'kind')}{of_accounts}"))
        lines.append(safe(f"Now: {stage.current}" if stage.current else "Scanning…"))
    else:
        lines.append(Content("Looking at both keys…"))
    hint = "It only reads. esc stops it."
    return Content("\n").join([*lines, Content(), Content.styled(hint, "$foreground-muted")])


def failed(error: KmsTuiError, name: str) -> Content:
    """Why there is no plan, and what to do next. The name is untrusted."""
    head_line = safe(f"There is no plan to move everything off {name}.").stylize("bold")
    lines = [head_line, Content(), safe(str(error)).stylize("$warning")]
    if error.next_step:
        lines.append(safe(error.next_step))
    return Content("\n").join([*lines, Content(), Content.styled(_AGAIN, "$foreground-muted")])


_AGAIN = "r plans again, esc goes back."
