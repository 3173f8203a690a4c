"""The dialogs of the explanation: what a message does not say, files of policies, and the case's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kms_tui.atomic import atomic_file, typed_path
from kms_tui.denials.asked_request import AskedError, AskedRequest
from kms_tui.denials.layer_files import LayerFiles, with_files
from kms_tui.policy.denial_case import DenialCase, write_case
from kms_tui.policy.layers import Layers
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.dialogs.form import FlagField, Form, FormField, TextField, Values
from kms_tui.ui.mode_screen import ModeScreen

_PATHS: Sequence[tuple[str, type[FormField], str]] = (
    ("identity", TextField, "IAM policies of the caller: a path on each line"),
    ("scps", TextField, "SCPs: a path for each level, from the root down"),
    ("rcps", TextField, "RCPs: a path for each level, from the root down"),
    ("boundary", FormField, "Permissions boundary: a path"),
    ("session", FormField, "Session policy: a path"),
    ("endpoint", FormField, "VPC endpoint policy: a path"),
)
"""Field of ``LayerFiles``, how it is typed, and its label."""


async def ask_request(screen: ModeScreen, asked: AskedRequest, message: str) -> AskedRequest | None:
    """Ask for what a message does not say; None is Cancel."""
    found: list[AskedRequest] = []
    pairs = "\n".join(f"{name}={value}" for name, value in (asked.pairs or {}).items())
    values = await screen.ask(
        Form(
            "What the message does not say",
            [
                FormField("principal", "Principal", asked.principal, "as in the message"),
                FormField("action", "Action", asked.action, "as in the message"),
                FormField("key", "Key: id, ARN or alias", asked.key, "as in the message"),
                TextField("pairs", "Encryption context: name=value on each line", pairs),
                FormField("via", "Service that calls for it", asked.via, "s3, say"),
                FormField("endpoint", "VPC endpoint", asked.endpoint, "vpce-…"),
                FlagField(
                    "complete",
                    "",
                    "yes" if asked.complete else "",
                    hint="Every other condition key is absent",
                ),
            ],
            lambda values: found.append(_request_of(values, asked)),
            confirm="Explain",
            about=message,
        )
    )
    return found[-1] if values is not None else None


def _flag(value: bool) -> str:
    return "yes" if value else ""


def _request_of(values: Values, asked: AskedRequest) -> AskedRequest:
    """What was typed; other condition keys that were asked with stay."""
    lines = [line for line in map(str.strip, values["pairs"].splitlines()) if line]
    pairs: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or not name:
            raise AskedError("context", f"{line} is not name=value.")
        pairs[name] = value
    return replace(
        asked,
        principal=values["principal"].strip(),
        action=values["action"].strip(),
        key=values["key"].strip(),
        pairs=pairs or None,
        via=values["via"].strip(),
        endpoint=values["endpoint"].strip(),
        complete=bool(values["complete"]),
    )


async def ask_files(screen: ModeScreen, files: LayerFiles) -> LayerFiles | None:
    """Ask for files of policies, and read them once; None is Cancel."""
    found: list[LayerFiles] = []
    fields = [kind(name, label, "\n".join(map(str, getattr(files, name)))) for name, kind, label in _PATHS]
    none = _flag(files.no_session_policy)
    fields.append(FlagField("no_session_policy", "", none, hint="No policy was passed to the session"))

    def submit(values: Values) -> None:
        given = LayerFiles(
            identity=_paths(values["identity"]),
            boundary=_paths(values["boundary"]),
            session=_paths(values["session"]),
            scps=_paths(values["scps"]),
            rcps=_paths(values["rcps"]),
            endpoint=_paths(values["endpoint"]),
            no_session_policy=bool(values["no_session_policy"]),
        )
        with_files(Layers(), given)
        found.append(given)

    lead = [Content("These take the place of what would be read. A file holds a policy, or a list of them.")]
    values = await screen.ask(Form("Layers from files", fields, submit, confirm="Load", lead=lead))
    return found[-1] if values is not None else None


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(typed_path(line) for line in map(str.strip, text.splitlines()) if line)


async def save_case(screen: ModeScreen, case: DenialCase) -> None:
    """Ask for a path and write the case there."""
    values = await screen.ask(
        Form(
            "Save this denial with all its layers",
            [
                FormField("path", "File", "denial.json"),
                FlagField("overwrite", "", hint="Replace a file of that name", is_consent=True),
            ],
            lambda values: _write(values, case),
            confirm="Save",
            lead=[Content("kms-tui explain --case FILE reads it. It holds policies, and no secret.")],
            blame={"FileError": "path", "AlreadyThereError": "path"},
        )
    )
    if values is not None:
        screen.host.notify(f"The case is written to {values['path']}.")


def _write(values: Values, case: DenialCase) -> None:
    text = write_case(case)
    with atomic_file(typed_path(values["path"]), overwrite=bool(values["overwrite"])) as file:
        file.write(f"{text}\n".encode())
