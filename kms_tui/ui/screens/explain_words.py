"""An explanation as styled text: the cause, the stack of layers, the deciding statement, what helps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kms_tui.denials.explanation import (
    EFFECT_WIDTH,
    OUTCOME_WORDS,
    TITLES,
    Explanation,
    ProvedFix,
    effect_words,
    is_beside_the_point,
    near_miss_sentences,
)
from kms_tui.denials.message_kinds import MessageKind
from kms_tui.policy.authorization import Authorization, LayerEffect, LayerStep, Outcome
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.widgets.facts_table import FactsTable

_MUTED = "$foreground-muted"
_EFFECT_LOOKS: Mapping[LayerEffect, str] = {
    LayerEffect.ALLOW: "$success",
    LayerEffect.EXPLICIT_DENY: "$error",
    LayerEffect.IMPLICIT_DENY: "$error",
    LayerEffect.DEPENDS: "$warning",
    LayerEffect.UNREAD: "$warning",
    LayerEffect.EXEMPT: _MUTED,
}
_OUTCOME_LOOKS: Mapping[Outcome, str] = {
    Outcome.ALLOW: "$success",
    Outcome.DENY: "$error",
    Outcome.UNKNOWN: "$warning",
}


def cause_content(explanation: Explanation) -> Content:
    """The answer as a word, the cause as a sentence, and what is not known."""
    lines: list[Content] = []
    if explanation.judged is not None:
        glyph, word = OUTCOME_WORDS[explanation.judged.outcome]
        look = _OUTCOME_LOOKS[explanation.judged.outcome]
        lines.append(Content.styled(f"{glyph} {word}", f"{look} bold"))
    elif explanation.message is not None and explanation.message.kind is not MessageKind.NOTHING:
        lines.append(Content.styled(explanation.message.kind.value, "bold"))
    lines.append(safe(explanation.cause))
    if explanation.next_step:
        lines.append(safe(explanation.next_step).stylize(_MUTED))
    lines += [safe(note).stylize("$warning") for note in explanation.all_notes()]
    return Content("\n").join(lines)


def stack_table(explanation: Explanation) -> FactsTable | Content:
    """A line for each layer, that which decides marked; nothing where no layers were judged."""
    judged = explanation.judged
    if judged is None:
        return Content()
    return FactsTable((_layer_name(judged, step), _layer_part(judged, step)) for step in judged.steps)


def _layer_name(judged: Authorization, step: LayerStep) -> Content:
    decides = step is judged.decisive
    glyph, _ = effect_words(judged, step)
    name = Content.styled(TITLES[step.layer], "bold" if decides else "")
    mark = Content.styled("▶ " if decides else "  ", "$accent")
    return mark + Content.styled(f"{glyph} ", _look(judged, step)) + name


def _layer_part(judged: Authorization, step: LayerStep) -> Content:
    _, word = effect_words(judged, step)
    return Content.styled(f"{word:<{EFFECT_WIDTH}}  ", _look(judged, step)) + safe(step.sentence)


def _look(judged: Authorization, step: LayerStep) -> str:
    return _MUTED if is_beside_the_point(judged, step) else _EFFECT_LOOKS[step.effect]


def details_content(explanation: Explanation) -> Content:
    """The deciding statements, what nearly allows it, what else denies, and what helps with its proof."""
    return Content("\n").join(_details(explanation))


def _details(explanation: Explanation) -> Iterator[Content]:
    judged = explanation.judged
    if judged is None:
        return
    if judged.decisive is not None:
        for each in judged.decisive.statements:
            yield Content()
            yield safe(each.policy.name).stylize(_MUTED)
            yield safe(each.text, newlines=True)
    nearly = [sentence for step in judged.steps for sentence in near_miss_sentences(step)]
    if nearly:
        yield from _titled("Nearly")
        yield from map(safe, nearly)
    if judged.also:
        yield from _titled("These would deny it as well")
        yield from (safe(f"{TITLES[step.layer]}: {step.sentence}") for step in judged.also)
    if explanation.fixes:
        yield from _titled("What helps")
        for number, proved in enumerate(explanation.fixes, 1):
            yield from _fix(number, proved)


def _titled(title: str) -> Iterator[Content]:
    yield Content()
    yield Content.styled(title, "$accent bold")


def _fix(number: int, proved: ProvedFix) -> Iterator[Content]:
    yield safe(f"{number}. {proved.fix.sentence}")
    if proved.proof is not None:
        glyph, look = ("✓", "$success") if proved.proof.holds else ("?", "$warning")
        yield Content.styled(f"   {glyph} ", look) + safe(proved.proof.words).stylize(_MUTED)
    for part in proved.fix.parts:
        if part.text:
            yield safe("\n".join(f"   {line}" for line in part.text.splitlines()), newlines=True)


def fix_line(proved: ProvedFix) -> Content:
    """A fix as a line of a menu."""
    mark = ""
    if proved.proof is not None:
        mark = "  proved" if proved.proof.holds else "  not proved"
    return safe(proved.fix.sentence) + Content.styled(mark, _MUTED)
