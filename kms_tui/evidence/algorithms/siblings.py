"""Which signing key that a quantum computer breaks has an ML-DSA key beside it: one rule, told in words.

KMS knows of no such pairs. An ML-DSA key of the same account and Region, whose deletion is not scheduled,
stands beside a signing key

1. by its tag ``sibling-of``, whose value is that key's id, ARN or one of its aliases; else
2. by an alias that is the same but for words that name an algorithm (``alias/releases-rsa-2048`` and
   ``alias/releases-mldsa65``, ``alias/releases`` and ``alias/releases-pq``); else
3. by the same description, unless that is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from kms_tui.evidence.algorithms.algorithm_key import AlgorithmKey
from kms_tui.kms.arn import AccountRegion, short_alias
from kms_tui.kms.facts import Known

TAG = "sibling-of"
RULE = (
    f"An ML-DSA key stands beside a signing key by its tag {TAG} (the key's id, ARN or alias), by the same "
    "alias but for words that name an algorithm, or by the same description; in the same account and Region."
)
_WORDS = re.compile(r"[-_./]+")
_ALGORITHM = re.compile(
    r"rsa|ecc|ecdsa|eddsa|ed25519|sm2|nist|secg|(?:sec)?p?(?:256|384|521)(?:[kr]1)?|(?:rsa)?(?:2048|3072|4096)"
    r"|ml|dsa|mldsa|(?:mldsa)?(?:44|65|87)|pqc?|postquantum|post|quantum|classical"
)
"""A whole word of an alias that names an algorithm."""


class PairedBy(StrEnum):
    """Which part of the rule found a sibling."""

    TAG = "tag"
    ALIAS = "alias"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class BreakableSigner:
    """A signing key that a quantum computer breaks, and the ML-DSA key beside it.

    Without one, ``unknown`` says why that is not sure: what could not be read; "" where there is none.
    """

    key: AlgorithmKey
    sibling: AlgorithmKey | None = None
    paired_by: PairedBy | None = None
    unknown: str = ""


def alias_stem(alias: str) -> str:
    """An alias without its prefix and the words that name an algorithm; "" if nothing else is left."""
    words = _WORDS.split(short_alias(alias).lower())
    return "-".join(word for word in words if word and not _ALGORITHM.fullmatch(word))


def signing_keys(keys: Iterable[AlgorithmKey], unsure: Set[AccountRegion]) -> tuple[BreakableSigner, ...]:
    """Every signing key that a quantum computer breaks, in the order given.

    In the ``unsure`` Regions keys could not be listed or described: each may be a sibling.
    """
    everything = list(keys)
    candidates = [key for key in everything if key.is_ml_dsa and not key.pending_deletion]
    return tuple(
        _paired(key, [each for each in candidates if each.place == key.place], unsure)
        for key in everything
        if key.signs and key.is_broken
    )


def _paired(
    key: AlgorithmKey, candidates: Sequence[AlgorithmKey], unsure: Set[AccountRegion]
) -> BreakableSigner:
    names = {key.key_id, key.arn, *key.aliases, *map(short_alias, key.aliases)}
    stems = set(map(alias_stem, key.aliases)) - {""}
    for candidate in candidates:
        if isinstance(candidate.tags, Known) and any(
            tag.key == TAG and tag.value in names for tag in candidate.tags.value
        ):
            return BreakableSigner(key, candidate, PairedBy.TAG)
    for candidate in candidates:
        if stems & set(map(alias_stem, candidate.aliases)):
            return BreakableSigner(key, candidate, PairedBy.ALIAS)
    for candidate in candidates:
        if key.description and key.description == candidate.description:
            return BreakableSigner(key, candidate, PairedBy.DESCRIPTION)
    return BreakableSigner(key, unknown=_unknown(key, candidates, unsure))


def _unknown(key: AlgorithmKey, candidates: Sequence[AlgorithmKey], unsure: Set[AccountRegion]) -> str:
    if key.place in unsure:
        return "not all keys of its Region could be listed and described"
    if not key.aliases_known:
        return "its aliases could not be listed"
    unread = sum(not isinstance(each.tags, Known) for each in candidates)
    keys = "an ML-DSA key" if unread == 1 else f"{unread:,} ML-DSA keys"
    return f"the tags of {keys} could not be read" if unread else ""
