"""Tags, edited as lines of ``key=value``, and the description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.model import Tag
from kms_tui.ui.actions.alias_actions import cannot_name
from kms_tui.ui.actions.batch import change_each, confirm_change
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject, arns, names
from kms_tui.ui.dialogs.form import Form, TextField, Values
from kms_tui.ui.mode_screen import ModeScreen

MAX_TAGS = 50
MAX_DESCRIPTION = 8192


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
    """TagResource for new and changed tags, then UntagResource for removed ones; no call for no change."""
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
            about=subject.arn,
            lead=[Content("Tags may decide who can use the key, where policies ask for them.")],
            blame=dict.fromkeys(("TagException", "ValidationException", "LimitExceededException"), "tags"),
        )
    )
    if values is not None:
        screen.changed(subjects, f"The tags of {subject.name} are saved.")


async def _add_to_many(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    values = await screen.ask(
        Form(
            f"Add tags to {names(subjects)}",
            [TextField("tags", "One a line: key=value", check=_check_some_tags)],
            lambda values: None,
            confirm="Go on",
            about=arns(subjects),
            lead=[Content("A tag that a key has already gets the value given here; its other tags stay.")],
        )
    )
    if values is None:
        return
    tags = parse_tags(values["tags"])
    listed = safe(", ".join(f"{tag.key}={tag.value}" for tag in tags))
    chosen = await confirm_change(screen, subjects, "Tag", [listed], confirm="Add tags", refusal=cannot_name)
    await change_each(
        screen, chosen, lambda kms, subject: kms.tag(subject.key_id, tags), doing="tag", done="is tagged"
    )


def _check_some_tags(text: str) -> str:
    return check_tags(text) if text.strip() else "Give at least one tag."


def check_description(text: str) -> str:
    return "" if len(text) <= MAX_DESCRIPTION else f"A description may have {MAX_DESCRIPTION} characters."


async def edit_description(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """UpdateKeyDescription."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    key = await screen.attempt(lambda: kms.describe(subject.key_id), doing="read the description")
    if key is None:
        return
    values = await screen.ask(
        Form(
            f"Description of {subject.name}",
            [TextField("description", "Description", key.description, check=check_description)],
            lambda values: kms.update_description(subject.key_id, values["description"]),
            confirm="Save",
            about=subject.arn,
            blame={"ValidationException": "description"},
        )
    )
    if values is not None:
        screen.changed(subjects, f"The description of {subject.name} is saved.")
