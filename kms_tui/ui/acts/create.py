"""Create a key: of which kind, what it is to have, and a last look at its policy before it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kms_tui import creation
from kms_tui.backend.kms_facade import Kms
from kms_tui.creation import KeyType, NewKey
from kms_tui.evidence.cost import Prices
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.facts import Known
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT, spec_title
from kms_tui.kms.model import Key, KeyOrigin
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.grants import check_principal
from kms_tui.ui.acts.naming import check_alias, check_description, full_alias
from kms_tui.ui.acts.rotation import check_period
from kms_tui.ui.acts.tags import check_tags, parse_tags
from kms_tui.ui.details.tab import read_fact
from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.dialogs.form import ChoiceField, Field, FlagField, Form, TextField, Values
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.words import USAGE_WORDS

if TYPE_CHECKING:
    from kms_tui.ui.dialogs.review_key import ReviewKey
    from kms_tui.ui.screens.base import ModeScreen

_STORE_ORIGINS = {
    "AWS_CLOUDHSM": KeyOrigin.AWS_CLOUDHSM,
    "EXTERNAL_KEY_STORE": KeyOrigin.EXTERNAL_KEY_STORE,
}
"""CustomKeyStoreType -> the origin of the keys in it."""


async def create_key(screen: ModeScreen) -> None:
    """CreateKey, then CreateAlias and EnableKeyRotation where asked for."""
    assert screen.session is not None
    kms = screen.session.kms
    kinds = creation.key_types(kms.region)
    chosen = await screen.ask(
        Choose("New key: for what, and of which kind?", [_line(kind, screen.prices) for kind in kinds])
    )
    if chosen is not None:
        await _fill_in(screen, kms, kinds[chosen], {}, "")


async def create_like(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """The same with everything but the alias taken over from a key, its policy too."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    read = await screen.attempt(lambda: _read(kms, subject), doing=f"read {subject.name}")
    if read is not None:
        kind, values, policy = read
        await _fill_in(screen, kms, kind, values, policy)


def _line(kind: KeyType, prices: Prices) -> Content:
    head = f"{spec_title(kind.spec).ljust(13)}{USAGE_WORDS[kind.usage].ljust(29)}{kind.use_cost(prices)}"
    return Content(head) + Content.styled(f"\n  {kind.explanation}", "$foreground-muted")


def _read(kms: Kms, subject: Subject) -> tuple[KeyType, dict[str, str], str]:
    """The kind, the form's values and the policy of a key; what may not be read stays empty."""
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


async def _fill_in(screen: ModeScreen, kms: Kms, kind: KeyType, values: Values, policy: str) -> None:
    """Form, last page, and back to the form with what was entered, until the key is made or given up."""
    made: list[Key] = []
    done: set[str] = set()
    stores = await screen.attempt(lambda: _stores(kms, kind), doing="list the custom key stores") or []
    while True:
        entered = await screen.ask(
            Form(
                f"New key: {spec_title(kind.spec)}, {USAGE_WORDS[kind.usage]}",
                _fields(kind, values, policy, stores),
                lambda entered: _check(kms, kind, entered),
                confirm="Review",
                lead=[
                    safe(f"{kind.explanation[:1].upper()}{kind.explanation[1:]}. {kind.cost(screen.prices)}.")
                ],
                blame={"AlreadyExistsException": "alias"},
            )
        )
        if entered is None:
            break
        values = entered
        draft = _draft(kind, values, policy)
        if await screen.ask(_review(kms, draft, made, done, screen.prices)):
            screen.changed((), f"The key {made[0].key_id} is made.")
            return
    if made:
        screen.changed((), f"The key {made[0].key_id} is made, but not all that was asked for with it.")


def _review(kms: Kms, draft: NewKey, made: list[Key], done: set[str], prices: Prices) -> ReviewKey:
    """``made`` and ``done`` say what was made already, by an attempt that was refused half-way."""
    from kms_tui.ui.dialogs.review_key import ReviewKey

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


def _fields(kind: KeyType, values: Values, policy: str, stores: Sequence[dict[str, Any]]) -> list[Field]:
    origins = [("KMS makes it", str(KeyOrigin.AWS_KMS)), ("you import it", str(KeyOrigin.EXTERNAL))]
    for store in stores:
        store_origin = _STORE_ORIGINS[store["CustomKeyStoreType"]]
        state = "" if store["ConnectionState"] == "CONNECTED" else f" ({store['ConnectionState'].lower()})"
        name = f"in the key store {store['CustomKeyStoreName']}{state}"
        origins.append((name, f"{store_origin} {store['CustomKeyStoreId']}"))
    origin = values.get("origin", str(KeyOrigin.AWS_KMS))
    fields: list[Field] = [
        Field(
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
                "administrators",
                "Who manages it, ARNs one a line (none: as IAM policies say)",
                values.get("administrators", ""),
                check=_check_principals,
            ),
            TextField(
                "users", "Who uses it, ARNs one a line", values.get("users", ""), check=_check_principals
            ),
        ]
    if kind.spec == SYMMETRIC_DEFAULT:
        fields.append(
            Field(
                "period",
                "Rotate every how many days",
                values.get("period", ""),
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
        fields.append(Field("xks", "Id of the key in an external key store", values.get("xks", "")))
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
    """What would be refused only after the key was made is refused before."""
    draft = _draft(kind, values, "")
    if draft.period_days and draft.origin != KeyOrigin.AWS_KMS:
        raise KmsTuiError("Only key material that KMS makes rotates by itself: leave the period empty.")
    if draft.multi_region and draft.key_store_id:
        raise KmsTuiError("A key in a custom key store cannot be multi-Region.")
    if draft.alias and _is_taken(kms, draft.alias):
        raise ServiceError("AlreadyExistsException", f"{draft.alias} exists.", operation="CreateAlias")


def _is_taken(kms: Kms, alias: str) -> bool:
    """Whether an alias names a key; one that may not be looked at is left to CreateAlias to refuse."""
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
