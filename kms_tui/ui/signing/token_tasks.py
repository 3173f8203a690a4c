"""Tokens from the console: making a JWT, and taking a pasted one apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.streams import Progress
from kms_tui.kms.model import Key, KeyUsage
from kms_tui.signing.tokens.jws_algorithms import algorithms_of
from kms_tui.signing.tokens.token_keys import TokenKey, open_token_key
from kms_tui.signing.tokens.token_reading import read_token
from kms_tui.signing.tokens.token_signing import (
    KEY_ID,
    NO_KID,
    THUMBPRINT,
    TokenRequest,
    UnsignedToken,
    prepare,
    sign,
)
from kms_tui.signing.tokens.token_verifying import (
    CheckState,
    Expected,
    TokenCheck,
    claim_checks,
    unchecked,
    verify,
    with_kms,
)
from kms_tui.ui.base.command_lines import option
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.dialogs.form import ChoiceField, FormField, TextField, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.signing_task import SigningTask
from kms_tui.ui.widgets.facts_table import Facts

_MARKS = {CheckState.GOOD: "✓", CheckState.BAD: "✗", CheckState.NOTE: "·"}


def _open(kms: Kms, subject: Subject) -> TokenKey:
    return open_token_key(kms, subject.arn)


def _refuses(key: Key) -> Reason:
    if key.usage not in (KeyUsage.SIGN_VERIFY, KeyUsage.GENERATE_VERIFY_MAC):
        return f"its usage is {key.usage}: it makes neither signatures nor MACs"
    if not algorithms_of(key.spec):
        return f"tokens have no algorithm for {key.spec}"
    return "" if key.enabled else f"its state is {key.state}"


def _fields(subject: Subject, key: TokenKey) -> Sequence[FormField]:
    algorithms = [(each.name, each.name) for each in algorithms_of(key.spec)]
    kids = [("the key id", KEY_ID), ("none", NO_KID)]
    if key.thumbprint:
        kids = [("the thumbprint (RFC 7638)", THUMBPRINT), *kids]
    return (
        TextField("claims", "Claims, as a JSON object", hint='{"sub": "ann", "role": "admin"}'),
        FormField("expires-in", "Expires in", "15m", hint="15m, 1h30m, 7d; sets exp and iat"),
        FormField("issuer", "Issuer (iss)", hint="https://login.example.com"),
        FormField("audience", "Audience (aud)", hint="names, separated by spaces"),
        ChoiceField("algorithm", "Algorithm", algorithms[0][1], choices=algorithms),
        ChoiceField("kid", "Key id in the header (kid)", kids[0][1], choices=kids),
        TextField("header", "More of the header, as a JSON object"),
    )


def _prepared(key: TokenKey, values: Values, now: datetime) -> UnsignedToken:
    request = TokenRequest(
        claims=values["claims"],
        expires_in=values["expires-in"].strip(),
        issuer=values["issuer"].strip(),
        audience=tuple(values["audience"].split()),
        kid=values["kid"],
        algorithm=values["algorithm"],
        header=values["header"],
    )
    return prepare(request, key, now)


def _preview(key: TokenKey, values: Values, now: datetime) -> Facts:
    token = _prepared(key, values, now)
    expiry = [
        check
        for check in claim_checks(token.claims, Expected(now.replace(microsecond=0)))
        if check.name == "expiry"
    ]
    notes = [("Note", note) for note in token.notes]
    return (
        *(_lines(expiry) if "exp" in token.claims else ()),
        *_taken_apart(token.header, token.claims, notes),
    )


def _taken_apart(header: object, claims: object, more: Sequence[tuple[str, str]]) -> Facts:
    return (
        ("Header", json.dumps(header, indent=2, ensure_ascii=False)),
        ("Claims", json.dumps(claims, indent=2, ensure_ascii=False)),
        *more,
    )


def _make(key: TokenKey, values: Values, now: datetime, progress: Progress) -> Output:
    token = _prepared(key, values, now)
    facts = _taken_apart(token.header, token.claims, [("Key", key.arn)])

    def check(name: str) -> Sequence[str]:
        return "jwt", "verify", f"@{name}", "--key", key.arn

    return Output("Token", f"{sign(token)}\n".encode(), "token.jwt", facts, check=check)


def _command(subject: Subject, values: Values) -> Sequence[str]:
    command = ["jwt", "sign", "--key", subject.arn]
    for name in ("claims", "expires-in", "issuer", "algorithm", "kid", "header"):
        command += option(f"--{name}", values[name])
    for audience in values["audience"].split():
        command += option("--audience", audience)
    return command


def _verify_fields(subject: Subject, key: TokenKey) -> Sequence[FormField]:
    return (
        TextField("token", "Token"),
        FormField("audience", "Expected audience", hint="not asked"),
        FormField("issuer", "Expected issuer", hint="not asked"),
    )


def _expected(values: Values, now: datetime) -> Expected:
    audience, issuer = values["audience"].strip(), values["issuer"].strip()
    return Expected(now, audience=audience, issuer=issuer)


def _lines(checks: Sequence[TokenCheck]) -> list[tuple[str, str]]:
    return [(check.name.capitalize(), f"{_MARKS[check.state]} {check.sentence}") for check in checks]


def _preview_verify(key: TokenKey, values: Values, now: datetime) -> Facts:
    token = read_token(values["token"])
    checks = [unchecked(token), *claim_checks(token.claims, _expected(values, now))]
    return (*_lines(checks), *_taken_apart(token.header, token.claims, ()))


def _verify(key: TokenKey, values: Values, now: datetime, progress: Progress) -> Output:
    verdict = verify(read_token(values["token"]), with_kms(key), _expected(values, now))
    title = "✓ The token is valid" if verdict.valid else "✗ The token is not valid"
    token = verdict.token
    facts = (*_lines(verdict.checks), *_taken_apart(token.header, token.claims, ()))
    return Output(title, b"", "", facts, is_bad=not verdict.valid)


def _verify_command(subject: Subject, values: Values) -> Sequence[str]:
    command = ["jwt", "verify", "-", "--key", subject.arn]
    for name in ("audience", "issuer"):
        command += option(f"--{name}", values[name])
    return command


def _piped_token(values: Values) -> str:
    return values["token"].strip()


TOKEN_TASKS = (
    SigningTask(
        id="sign-token",
        title="Sign a token (JWT)",
        words="claims, expiry, kid",
        confirm="Sign",
        open=_open,
        fields=_fields,
        preview=_preview,
        make=_make,
        command=_command,
        refuses=_refuses,
    ),
    SigningTask(
        id="verify-token",
        title="Verify a token (JWT)",
        words="its parts, times and signature",
        confirm="Verify",
        open=_open,
        fields=_verify_fields,
        preview=_preview_verify,
        make=_verify,
        command=_verify_command,
        piped=_piped_token,
        refuses=_refuses,
        preview_title="What it says",
    ),
)
