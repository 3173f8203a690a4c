"""Why a request is denied, from the message and from the layers: one value, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kms_tui.denials.fixes import Fix, fixes_for
from kms_tui.denials.message import ErrorMessage
from kms_tui.denials.message_kinds import MessageKind
from kms_tui.denials.message_words import cause_of, next_step_of, short_principal, short_resource
from kms_tui.denials.proof import Proof, prove
from kms_tui.kms.operations import Access
from kms_tui.policy.actions import find
from kms_tui.policy.authorization import Authorization, LayerEffect, LayerStep, Outcome, authorize_request
from kms_tui.policy.denial_case import DenialCase
from kms_tui.policy.describe import condition, listed
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.layers import Layer, Layers, UnreadLayer

TITLES: Mapping[Layer, str] = {
    Layer.RCP: "RCPs",
    Layer.SCP: "SCPs",
    Layer.ENDPOINT: "VPC endpoint",
    Layer.KEY_POLICY: "key policy",
    Layer.GRANT: "grants",
    Layer.IDENTITY: "IAM policies",
    Layer.BOUNDARY: "boundary",
    Layer.SESSION: "session policy",
}
"""Layer -> its short name in the stack."""
_EFFECT_WORDS: Mapping[LayerEffect, tuple[str, str]] = {
    LayerEffect.ALLOW: ("✓", "allows"),
    LayerEffect.EXPLICIT_DENY: ("✗", "denies"),
    LayerEffect.IMPLICIT_DENY: ("✗", "no Allow"),
    LayerEffect.DEPENDS: ("?", "depends"),
    LayerEffect.UNREAD: ("?", "not read"),
    LayerEffect.EXEMPT: ("–", "no part"),
}
"""What a layer does -> its glyph and its word."""
EFFECT_WIDTH = max(len(word) for _, word in _EFFECT_WORDS.values())
"""The width of the longest of these words."""
_BESIDE_THE_POINT = ("·", "no Allow")
OUTCOME_WORDS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.ALLOW: ("✓", "allowed"),
    Outcome.DENY: ("✗", "denied"),
    Outcome.UNKNOWN: ("?", "depends"),
}
_TRIAL_GRANTS = 50
_ALLOWING = {Layer.KEY_POLICY, Layer.GRANT, Layer.IDENTITY}
"""The layers of which one has to allow; AWS names either for the lack of an Allow."""


@dataclass(frozen=True, slots=True)
class ProvedFix:
    """A fix, and what came of trying it; None where there is nothing to try."""

    fix: Fix
    proof: Proof | None = None

    def as_dict(self) -> dict[str, Any]:
        parts = [
            {"kind": part.kind.value, "sentence": part.sentence, "text": part.text} for part in self.fix.parts
        ]
        proved = {"proved": self.proof.holds, "proof": self.proof.words} if self.proof is not None else {}
        return {"sentence": self.fix.sentence, "suffices": self.fix.suffices, "parts": parts} | proved


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of a denial. ``request`` and what follows are None where no layers were judged.

    ``notes`` are sentences about what could not be done, ``fixes`` what would allow it, with their proofs.
    """

    message: ErrorMessage | None = None
    request: AccessRequest | None = None
    layers: Layers | None = None
    judged: Authorization | None = None
    notes: tuple[str, ...] = ()
    fixes: tuple[ProvedFix, ...] = ()

    @property
    def is_denied(self) -> bool:
        """Whether the answer is no: by the layers, where they were judged, else by the message."""
        if self.judged is not None:
            return self.judged.outcome is Outcome.DENY
        return self.message is not None and self.message.is_denial

    @property
    def cause(self) -> str:
        """The cause in one sentence."""
        said = cause_of(self.message) if self.message is not None else ""
        if self.judged is None or self.request is None:
            return said
        judged = judged_cause(self.request, self.judged)
        if self.judged.is_allowed and self.fixes:
            return f"{judged} KMS refuses it all the same: no policy is in the way."
        told = self.judged.outcome is Outcome.UNKNOWN and self.message is not None and self.message.layer
        return f"{said} {judged}" if told else judged

    @property
    def next_step(self) -> str:
        """Who can do what, as far as the message alone tells; "" once the layers are judged."""
        return next_step_of(self.message) if self.message is not None and self.judged is None else ""

    def all_notes(self) -> Iterator[str]:
        """Sentences about what is not known, or does not fit."""
        message = self.message
        if message is not None:
            yield from message.notes
            if message.more:
                plural = "denial" if message.more == 1 else "denials"
                yield f"The text holds {message.more} more {plural}: this is about the first."
        yield from self.notes
        disagreement = self._disagreement()
        if disagreement:
            yield disagreement

    def _disagreement(self) -> str:
        """What does not fit between the message and the layers, or ""."""
        if self.message is None or self.judged is None or self.message.kind is not MessageKind.DENIED:
            return ""
        said, judged = self.message.layer, self.judged
        if judged.outcome is Outcome.ALLOW:
            return (
                "AWS denied it, and by the policies as they are now it is allowed: they were changed "
                "since, or the "
                "request had other condition keys."
            )
        if said is None or judged.outcome is Outcome.UNKNOWN or judged.decisive is None:
            return ""
        named = {judged.decisive.layer, *(step.layer for step in judged.also)}
        if named & _ALLOWING:
            named |= _ALLOWING
        if said in named:
            return ""
        return f"AWS names the {said.term}; by the policies as they are now it is another layer."

    def as_dict(self) -> dict[str, Any]:
        """The answer's JSON."""
        root: dict[str, Any] = {
            "denial": self._denial(),
            "kind": self.message.kind.value if self.message else MessageKind.DENIED.value,
            "cause": self.cause,
            "next_step": self.next_step,
            "notes": list(self.all_notes()),
            "more": self.message.more if self.message else 0,
        }
        if self.judged is None:
            return root
        return root | _judged_dict(self.judged) | {"fixes": [fix.as_dict() for fix in self.fixes]}

    def _denial(self) -> dict[str, str | bool | None]:
        found = (self.message or ErrorMessage(MessageKind.DENIED)).as_dict()
        if self.request is not None:
            found["principal"] = found["principal"] or self.request.caller.arn
            found["action"] = found["action"] or self.request.action
            found["resource"] = found["resource"] or self.request.key_arn
        return found


def is_beside_the_point(judged: Authorization, step: LayerStep) -> bool:
    """Whether a layer has no Allow, and needs none: another one allows, or nothing depends on it."""
    return step.effect is LayerEffect.IMPLICIT_DENY and step not in (judged.decisive, *judged.also)


def effect_words(judged: Authorization, step: LayerStep) -> tuple[str, str]:
    """What a layer does, as a glyph and a word."""
    return _BESIDE_THE_POINT if is_beside_the_point(judged, step) else _EFFECT_WORDS[step.effect]


def explained(
    request: AccessRequest,
    layers: Layers,
    message: ErrorMessage | None = None,
    notes: tuple[str, ...] = (),
    *,
    key_state: str = "",
    own_account: str = "",
) -> Explanation:
    """The explanation of a request by its layers, with fixes that are tried in an offline KMS: it blocks.

    ``key_state`` and ``own_account`` are as for ``fixes_for``; the state counts where the key is used.
    """
    action = find(request.action)
    if action is None or action.access is not Access.USE:
        key_state = ""
    case = DenialCase(request, _with_few_grants(layers))
    fixes = tuple(
        ProvedFix(fix, prove(case, fix) if fix.is_change else None)
        for fix in fixes_for(request, layers, key_state=key_state, own_account=own_account)
    )
    return Explanation(message, request, layers, authorize_request(request, layers), notes, fixes)


def _with_few_grants(layers: Layers) -> Layers:
    """The layers for a trial, without the most of many grants: none of them allows a request that is denied,
    and making each offline takes a millisecond.
    """
    if isinstance(layers.grants, UnreadLayer) or len(layers.grants) <= _TRIAL_GRANTS:
        return layers
    return replace(layers, grants=layers.grants[:_TRIAL_GRANTS])


def judged_cause(request: AccessRequest, judged: Authorization) -> str:
    """What the layers say of a request, in one sentence."""
    who, what = short_principal(request.caller.arn), request.action
    where = "" if request.key_arn == "*" else f" on {short_resource(request.key_arn)}"
    decisive = judged.decisive
    if judged.outcome is Outcome.ALLOW or decisive is None:
        return f"{who} may {what}{where}."
    if judged.outcome is Outcome.DENY:
        return f"{who} may not {what}{where}. {decisive.sentence}"
    depends = [*(f"the {TITLES[step.layer]}" for step in judged.unread)]
    depends += [f"whether {condition(each.test, holds=each.wanted)}" for each in judged.conditions]
    return f"Whether {who} may {what}{where} depends on {listed(depends, 4) or decisive.sentence}."


def _judged_dict(judged: Authorization) -> dict[str, Any]:
    return {
        "outcome": judged.outcome.value,
        "decisive": _step_name(judged.decisive) if judged.decisive else None,
        "also": [_step_name(step) for step in judged.also],
        "unread": [step.layer.value for step in judged.unread],
        "conditions": [condition(each.test, holds=each.wanted) for each in judged.conditions],
        "steps": [_step_dict(step) for step in judged.steps],
    }


def _step_name(step: LayerStep) -> dict[str, str]:
    return {"layer": step.layer.value, "source": step.source, "effect": step.effect.value}


def _step_dict(step: LayerStep) -> dict[str, Any]:
    return _step_name(step) | {
        "sentence": step.sentence,
        "statements": [{"policy": each.policy.name, "statement": each.text} for each in step.statements],
        "grants": [grant.grant_id for grant in step.grants],
        "near_misses": list(near_miss_sentences(step)),
    }


def near_miss_sentences(step: LayerStep) -> Iterator[str]:
    """What nearly allows the request in a layer, a sentence each."""
    for missed in step.near_misses:
        if missed.grant is not None:
            name = f"Grant {missed.grant.name or missed.grant.grant_id}"
        else:
            label = missed.statement.label
            name = f"{label[:1].upper()}{label[1:]} of {missed.source}"
        yield f"{name} {missed.sentence}."


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """The explanation as lines of plain text, which is untrusted: for the shell and the clipboard."""
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
    for step in judged.steps:
        glyph, word = effect_words(judged, step)
        mark = "▶" if step is judged.decisive else " "
        yield f"{mark} {glyph} {TITLES[step.layer]:<{width}}  {word:<{EFFECT_WIDTH}}  {step.sentence}"
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
