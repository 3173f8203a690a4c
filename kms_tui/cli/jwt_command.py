"""Sign, verify and take apart tokens (JWT) with KMS keys, and print sets of public keys (JWKS).

The signature of a token is one call of KMS: Sign, or GenerateMac with an HMAC key. The digest is made here,
so that a token may be longer than the 4,096 bytes that KMS signs, but for EdDSA and HS256/384/512.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import PIPE, open_kms, read_start
from kms_tui.cli.standard_streams import say
from kms_tui.formats import encoding_of
from kms_tui.kms.errors import ConfigurationError
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.signing.tokens.token_verifying import SignatureJudge, TokenVerdict

FAILURE = 2
"""The exit code for errors; 1 means a token that is not valid."""
_MOST_BYTES = 1 << 20
_EXIT_CODES = "exit codes: 0 done, or the token is valid; 1 it is not; 2 bad usage, or it could not be done"
_EPILOG = f"""\
examples:
  kms-tui jwt sign --key alias/tokens --claims '{{"sub": "orders"}}' --expires-in 15m
  kms-tui jwt sign --key alias/tokens --claims @claims.json --audience api --claim admin:=true
  kms-tui jwt verify "$TOKEN" --key alias/tokens --audience api
  kms-tui jwt verify @token.txt --jwks jwks.json
  kms-tui jwt show "$TOKEN"
  kms-tui jwt jwks --alias alias/tokens > jwks.json

{_EXIT_CODES}"""
_TEXT = "the text itself, @FILE, or - for standard input"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, words, add in (
        ("sign", "print a token, signed by KMS", _add_sign),
        ("verify", "judge a token: signature, times, audience, issuer", _add_verify),
        ("show", "take a token apart; its signature is not checked", _add_show),
        ("jwks", "print the public keys of KMS keys as a JWKS", _add_jwks),
    ):
        action = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        add(action)
        action.set_defaults(connection_from=partial(connection_from, action), usage_error=action.error)


def _add_sign(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"""\
examples:
  kms-tui jwt sign --key alias/tokens --claims '{{"sub": "orders"}}' --expires-in 15m
  kms-tui jwt sign --key alias/tokens --claim sub=orders --claim level:=3 --issuer https://login.example
  kms-tui jwt sign --key alias/rsa --claims @claims.json --algorithm PS256 --kid key-id --preview

{_EXIT_CODES}"""
    parser.add_argument("--key", metavar="KEY", required=True, help="key id, ARN or alias")
    parser.add_argument("--claims", metavar="JSON", default="", help=f"the claims, a JSON object: {_TEXT}")
    parser.add_argument(
        "--claim",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="one more claim, a text; NAME:=JSON for a number, true, a list, an object. May be given again",
    )
    parser.add_argument("--expires-in", metavar="TIME", default="", help="sets exp and iat: 15m, 1h30m, 7d")
    parser.add_argument("--issuer", metavar="I", default="", help="the claim iss")
    parser.add_argument("--subject", metavar="S", default="", help="the claim sub")
    parser.add_argument(
        "--audience", metavar="A", action="append", default=[], help="the claim aud; again for more"
    )
    parser.add_argument(
        "--kid",
        metavar="KID",
        default="",
        help="thumbprint (RFC 7638, the default), key-id (that of an HMAC key), none, or a text",
    )
    parser.add_argument(
        "--algorithm",
        metavar="A",
        default="",
        help="JOSE's name or KMS's: ES256, RSASSA_PSS_SHA_384. Default: RS256 for RSA, EdDSA for Ed25519",
    )
    parser.add_argument("--header", metavar="JSON", default="", help=f"more members of the header: {_TEXT}")
    parser.add_argument("--preview", action="store_true", help="print what would be signed, and sign nothing")
    add_connection_flags(parser)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"""\
examples:
  kms-tui jwt verify "$TOKEN" --key alias/tokens --audience api --leeway 30s
  kms-tui jwt verify @token.txt --public-key key.pem --at 2026-11-30T12:00:00Z
  curl -s https://login.example/jwks.json | kms-tui jwt verify "$TOKEN" --jwks - --format json

{_EXIT_CODES}"""
    parser.add_argument("token", metavar="TOKEN", help=_TEXT)
    by = parser.add_mutually_exclusive_group(required=True)
    by.add_argument("--key", metavar="KEY", help="key id, ARN or alias: KMS verifies")
    by.add_argument(
        "--public-key", metavar="FILE", help="PEM, DER, JWK, certificate, … : verified here, without KMS"
    )
    by.add_argument("--jwks", metavar="FILE", help="a JWKS; the token's kid chooses the key")
    parser.add_argument(
        "--offline", action="store_true", help="with --key: download the public key, and verify here"
    )
    parser.add_argument("--audience", metavar="A", default="", help="whom the token must be for")
    parser.add_argument("--issuer", metavar="I", default="", help="whom it must be from")
    parser.add_argument("--leeway", metavar="TIME", default="0s", help="what clocks may differ by: 30s")
    parser.add_argument("--at", metavar="TIME", default="", help="judge the times as of then (default: now)")
    parser.add_argument("--format", choices=("json",), help="an object: valid, header, claims, checks")
    add_connection_flags(parser)


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("token", metavar="TOKEN", help=_TEXT)
    parser.add_argument("--at", metavar="TIME", default="", help="judge the times as of then (default: now)")
    parser.add_argument("--format", choices=("json",), help="an object: valid, header, claims, checks")
    add_connection_flags(parser)


def _add_jwks(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"""\
examples:
  kms-tui jwt jwks --key alias/tokens
  kms-tui jwt jwks --alias alias/tokens            # also alias/tokens-2025, alias/tokens/v2, …

A key that signs does not rotate in KMS: one makes another key and moves the alias to it, or adds an alias.
To which keys an alias pointed before, KMS does not tell, so the versions of an alias are the aliases that
continue its name after one of - _ / and the full stop. A key behind one of them that is
not enabled is left out.

{_EXIT_CODES}"""
    parser.add_argument(
        "--key", metavar="KEY", action="append", default=[], help="key id, ARN or alias; again for more"
    )
    parser.add_argument(
        "--alias",
        metavar="A",
        action="append",
        default=[],
        help="an alias and all its versions; again for more",
    )
    parser.add_argument("--kid", choices=("thumbprint", "key-id"), default="thumbprint", help="(thumbprint)")
    parser.add_argument("--algorithm", metavar="A", default="", help="alg of the keys that have it: PS256")
    add_connection_flags(parser)


def run(args: argparse.Namespace) -> int:
    """See the module for exit codes. Raises KmsTuiError."""
    return _ACTIONS[args.action](args)


def _sign(args: argparse.Namespace) -> int:
    from kms_tui.signing.tokens.token_keys import open_token_key
    from kms_tui.signing.tokens.token_signing import TokenRequest, prepare, sign

    if args.claims == PIPE and args.header == PIPE:
        args.usage_error("--claims and --header cannot both come from standard input")
    if _is_file(args.claims):
        args.usage_error(f"--claims takes the claims themselves: to read the file, write @{args.claims}")
    request = TokenRequest(
        claims=_text(args.claims),
        pairs=tuple(args.claim),
        expires_in=args.expires_in,
        issuer=args.issuer,
        subject=args.subject,
        audience=tuple(args.audience),
        kid=args.kid,
        algorithm=args.algorithm,
        header=_text(args.header),
    )
    unsigned = prepare(request, open_token_key(open_kms(args), args.key), datetime.now(UTC))
    if args.preview:
        say(*unsigned.preview())
        return 0
    token = sign(unsigned)
    for note in unsigned.notes:
        print(f"kms-tui jwt: {visible(note)}", file=sys.stderr)
    print(token)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from kms_tui.signing.tokens.claim_times import read_length, read_moment
    from kms_tui.signing.tokens.token_errors import TokenError, TokenField
    from kms_tui.signing.tokens.token_reading import read_token
    from kms_tui.signing.tokens.token_verifying import Expected, verify

    if args.offline and not args.key:
        args.usage_error("--offline goes with --key")
    if args.token == PIPE and PIPE in (args.public_key, args.jwks):
        args.usage_error("the token and the key cannot both come from standard input")
    expected = Expected(
        now=read_moment(args.at, TokenField.AT) if args.at else datetime.now(UTC),
        leeway=read_length(args.leeway, TokenField.LEEWAY, "The leeway"),
        audience=args.audience,
        issuer=args.issuer,
    )
    try:
        token = read_token(_text(args.token))
    except TokenError as error:
        return _unreadable(args, error)
    verdict = verify(token, _signature_check(args, token.key_id), expected)
    if args.format:
        print(json.dumps(verdict.as_dict(), indent=2))
    else:
        say("VALID" if verdict.valid else "NOT VALID")
        _say_apart(verdict)
    return 0 if verdict.valid else 1


def _unreadable(args: argparse.Namespace, error: Exception) -> int:
    """Say that the token cannot be taken apart, which is a way of not being valid."""
    hint = f" To read a file, write @{args.token}." if _is_file(args.token) else ""
    if args.format:
        check = {"name": "token", "state": "bad", "sentence": f"{error}{hint}"}
        print(json.dumps({"valid": False, "checks": [check]}, indent=2))
    else:
        say("NOT VALID", f"✗ token       {error}{hint}")
    return 1


def _show(args: argparse.Namespace) -> int:
    from kms_tui.signing.tokens.claim_times import read_moment
    from kms_tui.signing.tokens.token_errors import TokenError, TokenField
    from kms_tui.signing.tokens.token_reading import read_token
    from kms_tui.signing.tokens.token_verifying import Expected, TokenVerdict, claim_checks, unchecked

    now = read_moment(args.at, TokenField.AT) if args.at else datetime.now(UTC)
    try:
        token = read_token(_text(args.token))
    except TokenError as error:
        return _unreadable(args, error)
    verdict = TokenVerdict(token, (unchecked(token), *claim_checks(token.claims, Expected(now))))
    if args.format:
        print(json.dumps({**verdict.as_dict(), "valid": None}, indent=2))
    else:
        _say_apart(verdict)
    return 0


_MARKS = {"good": "✓", "bad": "✗", "note": "·"}


def _say_apart(verdict: TokenVerdict) -> None:
    from kms_tui.signing.tokens.token_reading import pretty

    token = verdict.token
    if token.notes:
        say(f"· {'token':<11} What stood around it was left out: {', '.join(token.notes)}.")
    for check in verdict.checks:
        say(f"{_MARKS[check.state.value]} {check.name:<11} {check.sentence}")
    for name, value in (("header", token.header), ("claims", token.claims)):
        print(visible(f"{name} {pretty(value)}", newlines=True))


def _signature_check(args: argparse.Namespace, kid: str | None) -> SignatureJudge:
    from kms_tui.signing.tokens.token_keys import open_token_key
    from kms_tui.signing.tokens.token_verifying import with_jwks, with_kms, with_public_key

    if args.jwks:
        if args.jwks.startswith(("http://", "https://")):
            args.usage_error("--jwks takes a file: fetch it first, as with curl -s URL | … --jwks -")
        return with_jwks(_decoded(_content(args.jwks), args.jwks))
    if args.public_key:
        from kms_tui.signing.public_key_reading import read_public_key

        read = read_public_key(_content(args.public_key), kid=kid)
        return with_public_key(read.key, f"the public key in {_shown(args.public_key)}")
    key = open_token_key(open_kms(args), args.key)
    if not args.offline:
        return with_kms(key)
    if key.public_key is None:
        raise ConfigurationError(
            f"{args.key} is an HMAC key: only KMS can verify with it.", next_step="Leave out --offline."
        )
    return with_public_key(key.public_key, args.key)


def _jwks(args: argparse.Namespace) -> int:
    from kms_tui.signing.tokens.jwks import key_set

    if not args.key and not args.alias:
        args.usage_error("name a key with --key, or an alias and its versions with --alias")
    made = key_set(open_kms(args), args.key, args.alias, kid=args.kid, algorithm=args.algorithm)
    for note in made.notes:
        print(f"kms-tui jwt: {visible(note)}", file=sys.stderr)
    print(json.dumps(made.as_dict(), indent=2))
    return 0


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "sign": _sign,
    "verify": _verify,
    "show": _show,
    "jwks": _jwks,
}


# Texts and files


def _text(argument: str) -> str:
    """A text that an argument gives itself, or that stands in @FILE or in standard input."""
    if argument != PIPE and not argument.startswith("@"):
        return argument
    name = argument.removeprefix("@")
    return _decoded(_content(name), name)


def _is_file(argument: str) -> bool:
    """Whether a text is the name of a file, whose @ was forgotten."""
    return not argument.startswith("@") and os.path.isfile(argument)


def _shown(name: str) -> str:
    return "standard input" if name == PIPE else name


def _content(name: str) -> bytes:
    """The bytes of a file or of standard input; FileError; ConfigurationError where there are too many."""
    content = read_start(name, _MOST_BYTES)
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(f"{_shown(name)} has more than {_MOST_BYTES:,} bytes: it is something else.")
    return content


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode(encoding_of(content))
    except UnicodeDecodeError:
        raise ConfigurationError(f"{_shown(name)} is not text.") from None
