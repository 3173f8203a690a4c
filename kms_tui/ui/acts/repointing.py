"""Making an alias point at another key: which keys fit, and what it means for those who use the alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kms_tui.kms.keyspecs import alias_kind
from kms_tui.kms.model import Key, KeyUsage
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.naming import cannot_name, choose_alias
from kms_tui.ui.acts.protection import lifted
from kms_tui.ui.details.subject import subject_of
from kms_tui.ui.details.table import facts_table
from kms_tui.ui.dialogs.choose_key import ChooseKey
from kms_tui.ui.dialogs.confirm import Confirm
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.words import USAGE_WORDS

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


async def repoint_alias(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """UpdateAlias, to a key that KMS lets it point at."""
    (subject,) = subjects
    alias = await choose_alias(screen, subject, "Repoint which alias?")
    if alias is None:
        return
    what = Content.styled("An alias stays with keys of the same type and usage: ", "$foreground-muted")
    which = safe(_kind_words(subject.key)) if subject.key is not None else Content("its key is not known.")
    choice = ChooseKey(f"Repoint {alias} to which key?", _fitting(screen, subject), what + which)
    target = await screen.ask(choice)
    if target is None or not await lifted(screen, "Repoint an alias to it", [target]):
        return
    sentences = [
        facts_table([("now", _named(subject)), ("then", _named(target))]),
        Content(_MEANING.get(subject.key.usage if subject.key is not None else "", _MEANING[""])),
    ]
    if not await screen.ask(Confirm(f"Repoint {alias} to {target.name}?", sentences, confirm="Repoint")):
        return
    kms = screen.kms_for(subject)
    if await screen.succeeds(lambda: kms.update_alias(alias, target.key_id), doing=f"repoint {alias}"):
        screen.changed((), f"{alias} now points at {target.name}.")


def _fitting(screen: ModeScreen, subject: Subject) -> list[Subject]:
    """The keys that KMS would let the alias point at; those that are not known yet are left to KMS."""
    assert screen.session is not None
    kind = _kind(subject)
    rows = sorted(screen.session.inventory.rows(), key=lambda row: row.sort_name)
    others = [
        subject_of(row)
        for row in rows
        if row.region == subject.region and row.key_id != subject.key_id and not (row.aws or row.gone)
    ]
    return [each for each in others if _fits(each, kind)]


def _fits(subject: Subject, kind: tuple[str, bool, bool] | None) -> bool:
    known = _kind(subject)
    return not cannot_name(subject) and (kind is None or known is None or known == kind)


def _kind(subject: Subject) -> tuple[str, bool, bool] | None:
    return alias_kind(subject.key.spec, subject.key.usage) if subject.key is not None else None


def _kind_words(key: Key) -> str:
    _, symmetric, asymmetric = alias_kind(key.spec, key.usage)
    type_ = "symmetric" if symmetric else "asymmetric" if asymmetric else "HMAC"
    return f"{type_}, {USAGE_WORDS.get(key.usage, key.usage)}."


def _named(subject: Subject) -> Content:
    if not subject.aliases:
        return safe(subject.key_id)
    return safe(subject.name) + safe(f"  {subject.key_id}").stylize("$foreground-muted")


_MEANING: Mapping[str, str] = {
    KeyUsage.ENCRYPT_DECRYPT: (
        "What is encrypted through this alias from now on needs the other key. What is encrypted already "
        "still needs the present one, which must stay enabled: symmetric ciphertext finds it by itself, "
        "RSA ciphertext must be decrypted under its key id."
    ),
    KeyUsage.SIGN_VERIFY: (
        "New signatures are made by the other key. Those made already verify with the present one alone; "
        "who verifies offline needs the other public key."
    ),
    KeyUsage.GENERATE_VERIFY_MAC: (
        "New MACs are made by the other key. Those made already verify with the present one alone."
    ),
    "": (
        "Whoever uses this alias uses the other key from then on; what was made with the present one still "
        "needs that."
    ),
}
"""What it means for old and new data, by the key's usage."""
