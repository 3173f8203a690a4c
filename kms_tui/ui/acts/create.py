"""Create a key: what it is for, of which kind, and what people call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyUsage
from kms_tui.ui.acts.naming import check_alias, check_description, full_alias
from kms_tui.ui.acts.rotation import check_period
from kms_tui.ui.acts.tags import check_tags, parse_tags
from kms_tui.ui.dialogs.form import ChoiceField, Field, FlagField, Form, TextField, Values
from kms_tui.ui.words import USAGE_WORDS

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


@dataclass(frozen=True, slots=True)
class Kind:
    """A usage and a spec that go together."""

    usage: KeyUsage
    spec: str

    @property
    def value(self) -> str:
        return f"{self.usage} {self.spec}"


KINDS = tuple(
    Kind(usage, spec.name)
    for usage in KeyUsage
    for spec in sorted(KEY_SPECS.values(), key=lambda spec: spec.name != SYMMETRIC_DEFAULT)
    if usage in spec.usages
)


async def create_key(screen: ModeScreen) -> None:
    """CreateKey, then CreateAlias and EnableKeyRotation where asked for."""
    assert screen.session is not None
    kms = screen.session.kms
    made: list[Key] = []

    def submit(values: Values) -> None:
        if not made:
            usage, _, spec = values["kind"].partition(" ")
            made.append(
                kms.create_key(
                    spec=spec,
                    usage=usage,
                    description=values["description"],
                    multi_region=bool(values["multi_region"]),
                    tags=parse_tags(values["tags"]),
                )
            )
        (key,) = made
        if values["alias"].strip():
            kms.create_alias(full_alias(values["alias"]), key.key_id)
        if values["period"].strip():
            kms.enable_rotation(key.key_id, int(values["period"]))

    values = await screen.ask(
        Form(
            "New key",
            [
                ChoiceField(
                    "kind",
                    "For what, and of which kind",
                    KINDS[0].value,
                    choices=[
                        (f"{USAGE_WORDS[kind.usage]}: {KEY_SPECS[kind.spec].title}", kind.value)
                        for kind in KINDS
                    ],
                ),
                Field("alias", "Alias", hint="without alias/; may stay empty", check=_optional(check_alias)),
                TextField("description", "Description", check=check_description),
                TextField("tags", "Tags, one a line: key=value", check=check_tags),
                Field(
                    "period",
                    "Rotate every how many days",
                    hint="empty: no automatic rotation",
                    check=_optional(check_period),
                ),
                FlagField("multi_region", "Multi-Region", hint="replicas can be made in other regions"),
            ],
            submit,
            confirm="Create key",
            lead=[Content("A customer key costs about $1 a month. Its policy will be the default one.")],
            blame={
                "AlreadyExistsException": "alias",
                "InvalidAliasNameException": "alias",
                "TagException": "tags",
                "UnsupportedOperationException": "kind",
            },
        )
    )
    if values is not None:
        screen.changed((), f"The key {made[0].key_id} is made.")


def _optional(check: Callable[[str], str]) -> Callable[[str], str]:
    """The same check for a field that may stay empty."""
    return lambda text: check(text) if text.strip() else ""
