"""IAM Access Analyzer's answers beside our own findings, in the review of a policy's change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from kms_tui.backend.base import Services
from kms_tui.evidence.access_analyzer import CUSTOM_CHECKS, PRICE_OF_A_CHECK, Comparison, second_opinion
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.findings import CheckResult
from kms_tui.policy.policy_diff import EffectChange
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.widgets.text_widgets import Static

_PRICE = f"{CUSTOM_CHECKS} of its checks cost ${CUSTOM_CHECKS * PRICE_OF_A_CHECK:.3f} together"
_OURS, _THEIRS = "kms-tui          ", "Access Analyzer  "
_MOST = 4
"""Objections of one judge that are shown; the others are counted."""


class SecondOpinion(Static):
    """Says that Access Analyzer can be asked, and shows what it answers once it was asked."""

    def __init__(
        self,
        services: Services,
        old: str,
        new: str,
        result: CheckResult | None,
        effects: Sequence[EffectChange],
    ) -> None:
        super().__init__(classes="dialog-line", id="second-opinion")
        self._ask = partial(second_opinion, services, old, new, result, effects)
        self.is_asked = False

    def ask(self) -> None:
        """Ask, once; ValidatePolicy, CheckNoPublicAccess and CheckNoNewAccess."""
        if not self.is_asked:
            self.is_asked = True
            self.update(_head("asking…"))
            start(self, self._show_answer, group="second-opinion", description="ask Access Analyzer")

    async def _show_answer(self) -> None:
        try:
            compared = await off_loop(self._ask)
        except KmsTuiError as error:
            self.update(_head(error.with_next_step))
            return
        self.update(Content("\n").join(comparison_lines(compared)))

    def on_mount(self) -> None:
        self.update(_head(f"not asked yet; {_PRICE}"))


def _head(note: str) -> Content:
    return Content.styled("Second opinion", "$accent bold") + safe(f"  Access Analyzer: {note}").stylize(
        "$foreground-muted"
    )


def comparison_lines(compared: Sequence[Comparison]) -> Iterator[Content]:
    """The questions, each with what both judges object; where they differ a line says so."""
    differing = sum(each.differs for each in compared)
    unread = sum(bool(each.unread) for each in compared)
    told = f"{differing} of {len(compared)} answers differ" if differing else "both judges agree"
    if unread:
        told += f"; {unread} of {len(compared)} not answered"
    yield _head(told)
    for each in compared:
        sign = Content.styled(" ≠ the judges differ", "$warning bold") if each.differs else Content()
        yield safe(each.question).stylize("bold") + sign
        yield from _objections(_OURS, each.ours)
        if each.unread:
            yield Content(f"  {_THEIRS}") + safe(f"? {each.unread}").stylize("$warning")
        else:
            yield from _objections(_THEIRS, each.theirs)


def _objections(judge: str, objections: Sequence[str]) -> Iterator[Content]:
    if not objections:
        yield Content(f"  {judge}") + Content.styled("✓ no objection", "$success")
    for index, sentence in enumerate(objections[:_MOST]):
        name = judge if index == 0 else " " * len(judge)
        yield Content(f"  {name}") + Content.styled("! ", "$warning") + safe(sentence)
    if len(objections) > _MOST:
        yield Content(f"  {' ' * len(judge)}and {len(objections) - _MOST} more")
