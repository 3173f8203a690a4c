"""Tags, edited as lines of ``key=value``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.model import Tag
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.many import agree, change_each
from kms_tui.ui.acts.naming import cannot_name
from kms_tui.ui.dialogs.form import Form, TextField, Values
from kms_tui.ui.safe_text import Content, safe

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen

MAX_TAGS = 50


def parse_tags(text: str) -> list[Tag]:
    """One tag a line, ``key=value``; empty lines are skipped. The value is all after the first ``=``."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return [Tag(key.strip(), value.strip()) for key, _, value in pairs]


def check_tags(text: str) -> str:
    """What is wrong with the tags, or "" (TagResource: Tag)."""
    return next(_problems(text), "")


def _problems(text: str) -> Iterator[str]:
    seen: set[str] = set()
    tags = parse_tags(text)
    for tag in tags:
        if not 1 <= len(tag.key) <= 128:
            yield f"A tag's key has 1 to 128 characters: {tag.key!r}."
        if len(tag.value) > 256:
            yield f"A tag's value has at most 256 characters: {tag.key!r}."
        if tag.key.lower().startswith("aws:"):
            yield f"Keys that begin with aws: are reserved: {tag.key!r}."
        if tag.key in seen:
            yield f"The key {tag.key!r} is there twice."
        seen.add(tag.key)
    if len(tags) > MAX_TAGS:
        yield f"A key may have {MAX_TAGS} tags."


def apply_tags(kms: Kms, key_id: str, before: Sequence[Tag], after: Sequence[Tag]) -> None:
    """TagResource for what is new or changed, then UntagResource for what is gone; nothing for no change."""
    put = [tag for tag in after if tag not in before]
    gone = {tag.key for tag in before} - {tag.key for tag in after}
    if put:
        kms.tag(key_id, put)
    if gone:
        kms.untag(key_id, sorted(gone))


async def edit_tags(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """TagResource and UntagResource; many keys only get tags added or changed."""
    if len(subjects) > 1:
        await _add_to_many(screen, subjects)
        return
    (subject,) = subjects
    kms = screen.kms_for(subject)
    before = await screen.attempt(lambda: kms.tags(subject.key_id), doing="read the tags")
    if before is None:
        return
    text = "\n".join(f"{tag.key}={tag.value}" for tag in before)

    assert screen.session is not None
    history = screen.session.history

    def submit(values: Values) -> None:
        with history.together():
            apply_tags(kms, subject.key_id, before, parse_tags(values["tags"]))

    values = await screen.ask(
        Form(
            f"Tags of {subject.name}",
            [TextField("tags", "One a line: key=value", text, check=check_tags)],
            submit,
            confirm="Save",
            lead=[Content("Tags may decide who can use the key, where policies ask for them.")],
            blame=dict.fromkeys(("TagException", "ValidationException", "LimitExceededException"), "tags"),
        )
    )
    if values is not None:
        screen.changed(subjects, f"The tags of {subject.name} are saved.")


async def _add_to_many(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    values = await screen.ask(
        Form(
            f"Add tags to {screen.names(subjects)}",
            [TextField("tags", "One a line: key=value", check=_check_some_tags)],
            lambda values: None,
            confirm="Go on",
            lead=[Content("A tag that a key has already gets the value given here; its other tags stay.")],
        )
    )
    if values is None:
        return
    tags = parse_tags(values["tags"])
    names = safe(", ".join(f"{tag.key}={tag.value}" for tag in tags))
    chosen = await agree(screen, subjects, "Tag", [names], confirm="Add tags", refusal=cannot_name)
    await change_each(
        screen, chosen, lambda kms, subject: kms.tag(subject.key_id, tags), doing="tag", done="is tagged"
    )


def _check_some_tags(text: str) -> str:
    return check_tags(text) if text.strip() else "Give at least one tag."
