"""An explanation as plain text, for the shell and for the clipboard; it may hold untrusted text."""

from __future__ import annotations

from collections.abc import Iterator

from kms_tui.denials.explanation import EFFECT_WORDS, OUTCOME_WORDS, TITLES, Explanation, near_miss_sentences


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """The explanation as lines of text: cause, stack of layers, deciding statement, near misses, fixes."""
    judged = explanation.judged
    if judged is not None:
        glyph, word = OUTCOME_WORDS[judged.outcome]
        yield f"{glyph} {word}: {explanation.cause}"
    else:
        yield explanation.cause
    if explanation.next_step:
        yield explanation.next_step
    for note in explanation.all_notes():
        yield f"! {note}"
    if judged is None:
        return
    yield ""
    width = max(map(len, TITLES.values()))
    effect_width = max(len(word) for _, word in EFFECT_WORDS.values())
    for step in judged.steps:
        glyph, word = EFFECT_WORDS[step.effect]
        mark = "▶" if step is judged.decisive else " "
        yield f"{mark} {glyph} {TITLES[step.layer]:<{width}}  {word:<{effect_width}}  {step.sentence}"
    if judged.decisive is not None:
        for each in judged.decisive.statements:
            yield ""
            yield f"{each.policy.name}:"
            yield from (f"    {line}" for line in each.text.splitlines())
    nearly = [sentence for step in judged.steps for sentence in near_miss_sentences(step)]
    if nearly:
        yield ""
        yield "Nearly:"
        yield from (f"  {sentence}" for sentence in nearly)
    if explanation.fixes:
        yield ""
        yield "What helps:"
    for number, proved in enumerate(explanation.fixes, 1):
        yield f"  {number}. {proved.fix.sentence}"
        for part in proved.fix.parts:
            yield from (f"       {line}" for line in part.text.splitlines())
        if proved.proof is not None:
            yield f"     {proved.proof.words}"
    if judged.also:
        yield ""
        yield "These would deny it as well:"
        yield from (f"  {TITLES[step.layer]}: {step.sentence}" for step in judged.also)
