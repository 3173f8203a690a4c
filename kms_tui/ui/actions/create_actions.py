"""Create a key in three steps: its family, its spec, its names and access; then a review."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from textual.containers import VerticalScroll
from textual.widget import Widget

from kms_tui import creation
from kms_tui.backend.kms_facade import Kms
from kms_tui.creation import KeyFamily, KeyType, NewKey
from kms_tui.evidence.cost import Prices
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.facts import Known, read_fact
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT, spec_title
from kms_tui.kms.model import Key, KeyOrigin
from kms_tui.ui.actions.alias_actions import check_alias, full_alias
from kms_tui.ui.actions.grant_actions import check_principal
from kms_tui.ui.actions.rotation_actions import check_period
from kms_tui.ui.actions.tag_actions import check_description, check_tags, parse_tags
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.policy_words import principals_seen
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import USAGE_WORDS
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import ChoiceField, FlagField, Form, FormField, TextField, Values
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.text_widgets import Button, Static


class ReviewKey(Dialog[bool]):
    """Makes the key when confirmed and shows what KMS refused; Back keeps all that was entered."""

    initial_focus = "#review"
    dialog_classes = "-list"

    def __init__(
        self, title: str, summary: str, policy: str, script: str, make: Callable[[], object]
    ) -> None:
        super().__init__(title, confirm="Create key")
        self.summary = summary
        self.policy = policy
        self.script = script
        self.make = make

    def compose_body(self) -> Iterable[Widget]:
        yield VerticalScroll(
            Static(safe(self.summary)),
            Static(Content("Its policy"), classes="section"),
            Static(safe(self.policy, newlines=True)),
            Static(Content("The same as commands"), classes="section"),
            Static(safe(self.script, newlines=True)),
            id="review",
            can_focus=True,
        )

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Back"), id="cancel")
        yield Button(Content(self.confirm_label), id="confirm", variant="primary")

    def confirm(self) -> None:
        if not self.is_calling:
            start(self, self._make, group="make", description="create the key")

    async def _make(self) -> None:
        self.show_error("")
        try:
            await self.call(self.make)
        except KmsTuiError as error:
            self.show_error(error.with_next_step)
        else:
            self.dismiss(True)


DEFAULT_PERIOD = 365
"""Days between two automatic rotations, AWS's default; Security Hub's KMS.4 asks for rotation."""
_LISTED_SECONDS, _LOOK_SECONDS = 5.0, 0.05


class PeriodError(KmsTuiError):
    """A rotation period for key material that cannot rotate by itself."""


_PRINCIPALS = {
    "administrators": "Who manages it, ARNs one a line (none: as IAM policies say)",
    "users": "Who uses it, ARNs one a line",
}
"""The fields for the principals of a policy: name -> label."""
_COMPLETES = "begin the name or ARN of one, and → completes it"
_STORE_ORIGINS = {"AWS_CLOUDHSM": KeyOrigin.AWS_CLOUDHSM, "EXTERNAL_KEY_STORE": KeyOrigin.EXTERNAL_KEY_STORE}
"""CustomKeyStoreType -> the origin of the keys in it."""


async def create_key(screen: ModeScreen) -> None:
    """CreateKey, then CreateAlias and EnableKeyRotation where asked for."""
    assert screen.session is not None
    account, kms = screen.session.current, screen.session.kms
    if account.read_only:
        words = f"Account {account.name} is read-only: @ chooses another to work in."
        screen.host.notify(words, title="New key", severity="warning")
        return
    kind = await _ask_kind(screen, creation.key_families(kms.region))
    if kind is not None:
        title = f"New key: {spec_title(kind.spec)}, {USAGE_WORDS[kind.usage]}"
        await _ask_and_create(screen, kms, title, kind, {}, "")


async def _ask_kind(screen: ModeScreen, families: Sequence[KeyFamily]) -> KeyType | None:
    """The family, then one of its specs where it has several; esc goes back to the families."""
    while True:
        lines = [_family_line(family, screen.prices) for family in families]
        chosen = await screen.ask(Choose("New key: what is it for?", lines))
        if chosen is None:
            return None
        kinds = families[chosen].kinds
        if len(kinds) == 1:
            return kinds[0]
        lines = [_spec_line(kind, screen.prices) for kind in kinds]
        usage = USAGE_WORDS[kinds[0].usage]
        chosen = await screen.ask(Choose(f"New key: which {families[chosen].title} key, to {usage}?", lines))
        if chosen is not None:
            return kinds[chosen]


async def create_like(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Create a key with everything of this one but its alias."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    read = await screen.attempt(lambda: _read(kms, subject), doing=f"read {subject.name}")
    if read is not None:
        kind, values, policy = read
        await _ask_and_create(screen, kms, f"New key like {subject.name}", kind, values, policy)


def _family_line(family: KeyFamily, prices: Prices) -> Content:
    first, last = family.kinds[0], family.kinds[-1]
    specs = spec_title(first.spec)
    if first is not last:
        specs = f"{len(family.kinds)} specs, {specs} …"
    head = f"{USAGE_WORDS[first.usage].ljust(29)}{family.title.ljust(16)}{specs}"
    return Content(head) + Content.styled(f"\n  {first.explanation}", "$foreground-muted")


def _spec_line(kind: KeyType, prices: Prices) -> Content:
    return Content(f"{spec_title(kind.spec).ljust(16)}{kind.use_cost(prices)}")


def _read(kms: Kms, subject: Subject) -> tuple[KeyType, dict[str, str], str]:
    """A key's type, the form's values and the policy; what may not be read stays empty."""
    key = kms.describe(subject.key_id)
    policy = read_fact(lambda: kms.key_policy(subject.key_id))
    tags = read_fact(lambda: kms.tags(subject.key_id))
    rotation = read_fact(lambda: kms.rotation_status(subject.key_id))
    values = {
        "origin": f"{key.origin} {key.custom_key_store_id}".strip(),
        "description": key.description,
        "multi_region": "yes" if key.multi_region else "",
        "tags": "\n".join(f"{tag.key}={tag.value}" for tag in tags.value) if isinstance(tags, Known) else "",
        "period": str(rotation.value.period_days or "") if isinstance(rotation, Known) else "",
    }
    return KeyType(key.usage, key.spec), values, policy.value if isinstance(policy, Known) else ""


async def _ask_and_create(
    screen: ModeScreen, kms: Kms, title: str, kind: KeyType, values: Values, policy: str
) -> None:
    """Form and review, and back to the form with its values, until the key is made or the person cancels."""
    made: list[Key] = []
    done: set[str] = set()
    stores = await screen.attempt(lambda: _stores(kms, kind), doing="list the custom key stores") or []
    assert screen.session is not None
    known = await off_loop(partial(principals_seen, screen.session))
    while True:
        entered = await screen.ask(
            Form(
                title,
                _fields(kind, values, policy, stores, known),
                lambda entered: _check(kms, kind, entered),
                confirm="Review",
                lead=[
                    safe(f"{kind.explanation[:1].upper()}{kind.explanation[1:]}. {kind.cost(screen.prices)}.")
                ],
                blame={"AlreadyExistsException": "alias", "PeriodError": "period"},
            )
        )
        if entered is None:
            break
        values = entered
        draft = _draft(kind, values, policy)
        if await screen.ask(_review(kms, draft, made, done, screen.prices)):
            screen.changed((), f"The key {made[0].key_id} is made.")
            await _go_to(screen, made[0].arn)
            return
    if made:
        screen.changed((), f"The key {made[0].key_id} is made, but not all that was asked for with it.")


async def _go_to(screen: ModeScreen, arn: str) -> None:
    """Put the cursor on the new key, once it is listed; a listing may lag.

    The list holds a row back while the aliases of its Region are listed, unless its own is known.
    """
    for _ in range(int(_LISTED_SECONDS / _LOOK_SECONDS)):
        if screen.session is None:
            return
        inventory = screen.session.inventory
        row = inventory.row(arn)
        if row is not None and (row.aliases or not inventory.busy):
            await screen.host.show_key(arn)
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _review(kms: Kms, draft: NewKey, made: list[Key], done: set[str], prices: Prices) -> ReviewKey:
    """``made`` and ``done`` hold what an attempt that was refused half-way has made already."""

    def make() -> None:
        if not made:
            params = creation.create_params(draft, kms.account_id, kms.partition)
            made.append(Key.from_api(kms.call("CreateKey", **params)["KeyMetadata"]))
        for operation, params in creation.calls_after(draft, made[0].key_id):
            if operation not in done:
                kms.call(operation, **params)
                done.add(operation)

    return ReviewKey(
        f"Create {draft.alias or 'this key'}?",
        f"{spec_title(draft.kind.spec)}, {USAGE_WORDS[draft.kind.usage]}, {draft.kind.cost(prices)}.",
        creation.policy_of(draft, kms.account_id, kms.partition),
        "\n".join(creation.commands(draft, kms.account_id, kms.partition, kms.region)),
        make,
    )


def _stores(kms: Kms, kind: KeyType) -> list[dict[str, Any]]:
    """The custom key stores that could hold such a key; none where they may not be listed."""
    if kind.spec != SYMMETRIC_DEFAULT:
        return []
    try:
        return list(kms.call("DescribeCustomKeyStores")["CustomKeyStores"])
    except ServiceError:
        return []


def _fields(
    kind: KeyType, values: Values, policy: str, stores: Sequence[dict[str, Any]], known: Sequence[str] = ()
) -> list[FormField]:
    """``known`` are principals that the form offers."""
    origins = [("KMS makes it", str(KeyOrigin.AWS_KMS)), ("you import it", str(KeyOrigin.EXTERNAL))]
    for store in stores:
        store_origin = _STORE_ORIGINS[store["CustomKeyStoreType"]]
        state = "" if store["ConnectionState"] == "CONNECTED" else f" ({store['ConnectionState'].lower()})"
        name = f"in the key store {store['CustomKeyStoreName']}{state}"
        origins.append((name, f"{store_origin} {store['CustomKeyStoreId']}"))
    origin = values.get("origin", str(KeyOrigin.AWS_KMS))
    fields: list[FormField] = [
        FormField(
            "alias",
            "Alias",
            values.get("alias", ""),
            hint="without alias/; may stay empty",
            check=_optional(check_alias),
        ),
        TextField("description", "Description", values.get("description", ""), check=check_description),
    ]
    if not policy:
        fields += [
            TextField(
                name,
                label,
                values.get(name, ""),
                hint=_COMPLETES if known else "",
                check=_check_principals,
                known=known,
            )
            for name, label in _PRINCIPALS.items()
        ]
    if kind.spec == SYMMETRIC_DEFAULT:
        fields.append(
            FormField(
                "period",
                "Rotate every how many days",
                values.get("period", str(DEFAULT_PERIOD)),
                hint="empty: no automatic rotation",
                check=_optional(check_period),
            )
        )
    fields += [
        TextField("tags", "Tags, one a line: key=value", values.get("tags", ""), check=check_tags),
        ChoiceField(
            "origin",
            "Key material",
            origin if origin in {value for _, value in origins} else str(KeyOrigin.AWS_KMS),
            choices=origins,
        ),
    ]
    if any(store["CustomKeyStoreType"] == "EXTERNAL_KEY_STORE" for store in stores):
        fields.append(FormField("xks", "Id of the key in an external key store", values.get("xks", "")))
    flag = FlagField(
        "multi_region",
        "Multi-Region",
        values.get("multi_region", ""),
        hint="replicas can be made in other regions",
    )
    return [*fields, flag]


def _draft(kind: KeyType, values: Values, policy: str) -> NewKey:
    origin, _, store = values["origin"].partition(" ")
    period = values.get("period", "").strip()
    return NewKey(
        kind,
        origin,
        store,
        values.get("xks", "").strip() if origin == KeyOrigin.EXTERNAL_KEY_STORE else "",
        bool(values["multi_region"]),
        full_alias(values["alias"]) if values["alias"].strip() else "",
        values["description"],
        tuple(parse_tags(values["tags"])),
        int(period) if period else None,
        tuple(values.get("administrators", "").split()),
        tuple(values.get("users", "").split()),
        policy,
    )


def _check(kms: Kms, kind: KeyType, values: Values) -> None:
    """Refuse before the key is made what KMS would refuse only afterwards."""
    draft = _draft(kind, values, "")
    if draft.period_days and draft.origin != KeyOrigin.AWS_KMS:
        raise PeriodError("Only key material that KMS makes rotates by itself: leave the period empty.")
    if draft.multi_region and draft.key_store_id:
        raise KmsTuiError("A key in a custom key store cannot be multi-Region.")
    if draft.alias and _is_taken(kms, draft.alias):
        raise ServiceError("AlreadyExistsException", f"{draft.alias} exists.", operation="CreateAlias")


def _is_taken(kms: Kms, alias: str) -> bool:
    """Whether an alias names a key; False where that may not be read, and CreateAlias decides."""
    try:
        kms.describe(alias)
    except ServiceError:
        return False
    return True


def _check_principals(text: str) -> str:
    return next((wrong for each in text.split() if (wrong := check_principal(each))), "")


def _optional(check: Callable[[str], str]) -> Callable[[str], str]:
    """The same check for a field that may stay empty."""
    return lambda text: check(text) if text.strip() else ""
