"""Grants: create one, revoke or retire one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from textual import on
from textual.widget import Widget

from kms_tui.backend.kms_facade import CreatedGrant
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Grant, Key, KeyState
from kms_tui.kms.operations import grant_operations
from kms_tui.ui.actions.viewing_actions import copy_name
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Reason, Subject, aws_managed
from kms_tui.ui.details.grants_and_uses_tab import grant_rows
from kms_tui.ui.dialogs.affected_requests import affected_requests, grant_removal
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import ChoiceField, Form, FormField, ManyField, TextField, Values
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.text_widgets import Button, Static

GrantEnding = Literal["revoke", "retire"]


class RevokeGrant(Dialog[GrantEnding]):
    """Asks before a grant ends: revoked by who manages the key, or retired by whom the grant names."""

    dialog_classes = "-list"

    def __init__(self, grant: Grant, below: Sequence[Widget] = ()) -> None:
        super().__init__("Revoke or retire this grant?", confirm="Revoke", danger=True)
        self.grant = grant
        self.below = below

    def compose_body(self) -> Iterable[Widget]:
        yield Static(FactsTable(grant_rows(self.grant)), classes="dialog-line")
        yield Static(
            Content(
                "Calls that rely on it fail within five minutes; volumes and databases that a service opened "
                "with it may stop. It can only be given anew (undo does that), with another id. Revoke needs "
                "kms:RevokeGrant; retire is for those whom the grant names."
            ),
            classes="dialog-line",
        )
        yield from self.below

    def compose_buttons(self) -> Iterable[Widget]:
        cancel, confirm = super().compose_buttons()
        yield cancel
        yield Button(Content("Retire"), id="retire", variant="error")
        yield confirm

    @on(Button.Pressed, "#retire")
    def _retire(self) -> None:
        self.dismiss("retire")

    def confirm(self) -> None:
        self.dismiss("revoke")


_PRINCIPAL = re.compile(r"[\w+=,.@:/-]{1,256}\Z")
_NAME = re.compile(r"[a-zA-Z0-9:/_-]{1,256}\Z")
_MAX_PAIRS, _MAX_VALUE = 8, 384
_SERVICE_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn")
_CONSTRAINTS = (
    ("these pairs, and others beside them", "EncryptionContextSubset"),
    ("exactly these pairs", "EncryptionContextEquals"),
)


def cannot_grant(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    enabled = subject.key is None or subject.key.state == KeyState.ENABLED
    return "" if enabled else "only an enabled key can have a new grant"


def is_service(principal: str) -> bool:
    """Whether a principal is an AWS service, which the API takes in a member of its own."""
    return not principal.startswith("arn:") and principal.endswith(_SERVICE_SUFFIXES)


def check_principal(text: str) -> str:
    """What is wrong with a grantee, or "" (CreateGrant: GranteePrincipal)."""
    text = text.strip()
    if not text:
        return "Name whom the grant is for."
    if not _PRINCIPAL.match(text) or not (text.startswith("arn:") or is_service(text)):
        return "Give the ARN of a role, user or account, or a service such as dynamodb.amazonaws.com."
    return ""


def parse_pairs(text: str) -> dict[str, str]:
    """An encryption context, one pair a line: ``key=value``."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def check_pairs(text: str) -> str:
    """What is wrong with the pairs of a constraint, or "" (CreateGrant: Constraints)."""
    lines = [line for line in text.splitlines() if line.strip()]
    pairs = parse_pairs(text)
    if any("=" not in line or not line.partition("=")[0].strip() for line in lines):
        return "Write one pair a line: key=value."
    if len(pairs) < len(lines):
        return "A key is there twice."
    if len(pairs) > _MAX_PAIRS:
        return f"A constraint may have {_MAX_PAIRS} pairs."
    if any(len(value) > _MAX_VALUE for value in pairs.values()):
        return f"A value may have {_MAX_VALUE} characters."
    return ""


def _check_operations(text: str) -> str:
    chosen = set(text.split())
    if not chosen:
        return "Choose at least one, with the space bar."
    return "A grant that allows CreateGrant alone allows nothing." if chosen == {"CreateGrant"} else ""


def _check_name(text: str) -> str:
    if not text.strip() or _NAME.match(text.strip()):
        return ""
    return "A name may have letters, digits, : / _ and - only."


def _fields(key: Key) -> list[FormField]:
    operations = grant_operations(key.spec, key.usage)
    fields = [
        FormField(
            "grantee", "For whom", hint="ARN of a role, user or account; or a service", check=check_principal
        ),
        ManyField("operations", "May call (space chooses)", check=_check_operations, choices=operations),
    ]
    if key.spec == SYMMETRIC_DEFAULT:
        fields += [
            TextField("pairs", "Only with the encryption context: key=value, one a line", check=check_pairs),
            ChoiceField("constraint", "which has", _CONSTRAINTS[0][1], choices=_CONSTRAINTS),
        ]
    return [
        *fields,
        FormField(
            "source", "Only for the resource", hint="ARN; a service needs one, others may leave it empty"
        ),
        FormField(
            "retiring",
            "Who else may retire it",
            hint="ARN or service; may stay empty",
            check=lambda text: check_principal(text) if text.strip() else "",
        ),
        FormField("name", "Name", hint="makes it safe to send twice; may stay empty", check=_check_name),
    ]


def grant_params(values: Values) -> dict[str, Any]:
    """CreateGrant's members from the form's values, without KeyId."""
    grantee, retiring = values["grantee"].strip(), values["retiring"].strip()
    constraints: dict[str, Any] = {}
    if pairs := parse_pairs(values.get("pairs", "")):
        constraints[values["constraint"]] = pairs
    if source := values["source"].strip():
        constraints["SourceArn"] = source
    params = {
        "GranteeServicePrincipal" if is_service(grantee) else "GranteePrincipal": grantee,
        "Operations": values["operations"].split(),
        "Constraints": constraints,
        "RetiringServicePrincipal" if is_service(retiring) else "RetiringPrincipal": retiring,
        "Name": values["name"].strip(),
    }
    return {member: value for member, value in params.items() if value}


async def create_grant(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """CreateGrant; then its token can be copied, with which the grant works at once."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    key = await screen.attempt(lambda: kms.describe(subject.key_id), doing="describe the key")
    if key is None:
        return
    made: list[CreatedGrant] = []
    values = await screen.ask(
        Form(
            f"New grant on {subject.name}",
            _fields(key),
            lambda values: made.append(kms.create_grant(subject.key_id, **grant_params(values))),
            confirm="Create grant",
            about=subject.arn,
            lead=[Content("A grant allows what it names at once with its token, else within five minutes.")],
            blame={
                "InvalidArnException": "grantee",
                "MalformedPolicyDocumentException": "grantee",
                "LimitExceededException": "grantee",
            },
        )
    )
    if values is None:
        return
    (grant,) = made
    screen.changed(subjects, f"{values['grantee'].strip()} may use {subject.name} by a grant.")
    lines = [safe(f"Grant id     {grant.grant_id}"), Content("Grant token  to use it before it has spread")]
    chosen = await screen.ask(Choose("The grant is made: copy", lines))
    if chosen is not None:
        label, text = (("Grant id", grant.grant_id), ("Grant token", grant.token))[chosen]
        copy_name(screen, label, text)


def _line(grant: Grant) -> Content:
    name = f"  {grant.name}" if grant.name else ""
    text = f"{grant.grantee.rpartition(':')[2]}{name}"
    return safe(text) + safe(f"  {', '.join(grant.operations)}").stylize("$foreground-muted")


async def revoke_grant(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """RevokeGrant or RetireGrant, of one of the key's grants."""

    (subject,) = subjects
    kms = screen.kms_for(subject)
    grants = await screen.attempt(lambda: kms.grants(subject.key_id), doing="list the grants")
    if grants is None:
        return
    if not grants:
        screen.host.notify(f"{subject.name} has no grants.")
        return
    chosen = await screen.ask(Choose("Revoke or retire which grant?", [_line(grant) for grant in grants]))
    if chosen is None:
        return
    await end_grant(screen, subject, grants[chosen])


async def end_grant(screen: ModeScreen, subject: Subject, grant: Grant) -> None:
    """RevokeGrant or RetireGrant of this grant, after a question."""
    kms = screen.kms_for(subject)
    subjects = [subject]
    assert screen.session is not None
    affected = affected_requests(screen.session, kms, subjects, grant_removal(grant.grant_id))
    how = await screen.ask(RevokeGrant(grant, affected))
    if how is None:
        return
    take = kms.revoke_grant if how == "revoke" else kms.retire_grant
    if await screen.succeeds(lambda: take(subject.arn, grant.grant_id), doing=f"{how} the grant"):
        screen.changed(subjects, f"The grant for {grant.grantee} is {how}d.")
