"""The flags of ``serve`` for access keys: fixed ones from a file or the environment, and web identities."""

from __future__ import annotations

import argparse
import configparser
import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.atomic import file_errors
from kms_tui.kms.arn import is_account_id
from kms_tui.kms.errors import KmsTuiError

if TYPE_CHECKING:
    from kms_tui.backend.local.principals.access_keys import AccessKey
    from kms_tui.serve.sigv4 import Credential

FILE_HELP = """\
--credentials takes a file in the format of ~/.aws/credentials, so that clients can read the same one:

  [app]
  aws_access_key_id = AKIAEXAMPLEAPP000000
  aws_secret_access_key = any-secret
  principal = arn:aws:iam::111122223333:role/app

principal is the ARN of a user, role or session, or a service such as s3.amazonaws.com; without one the key
is that of the administrator of aws_account_id. via = s3 makes the requests those that S3 forwards for its
principal."""

_ID, _SECRET, _TOKEN = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
_ACCOUNT, _PRINCIPAL, _VIA = "aws_account_id", "principal", "via"
_KNOWN = (_ID, _SECRET, _TOKEN, _ACCOUNT, _PRINCIPAL, _VIA)
_ROLE = "role_arn"
_OF_CLIENTS = frozenset(
    {
        *("region", "output", _ROLE, "source_profile", "role_session_name", "external_id"),
        *("duration_seconds", "mfa_serial", "web_identity_token_file"),
    }
)
"""Members of AWS's that clients read, and a server does not."""
_ID_FORM = re.compile(r"[\w.-]{1,128}\Z", re.ASCII)
_SECRET_FORM = re.compile(r"[!-~]{1,1024}\Z")
_TOKEN_FORM = re.compile(r"[!-~]{1,8192}\Z")
_SERVICE_FORM = re.compile(r"[a-z0-9][a-z0-9.-]{0,100}\Z")
_MAX_BYTES = 1024 * 1024


def add_access_key_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("access keys")
    group.add_argument(
        "--credentials",
        metavar="FILE",
        type=Path,
        help="further access keys, each with its principal, in the format of ~/.aws/credentials",
    )
    group.add_argument(
        "--credential-from-env",
        action="store_true",
        help=f"clients sign with {_ID.upper()} and {_SECRET.upper()} of this environment, not with the "
        "store's own key",
    )
    group.add_argument(
        "--trust-web-identity",
        action="store_true",
        help="AssumeRoleWithWebIdentity takes tokens, which are not verified, for a store on disk too, and "
        "from other machines: whoever reaches the port may use the roles that trust an identity provider",
    )


def credential_from(args: argparse.Namespace) -> Credential | None:
    """The credential in the environment, where the flag asks for it; KmsTuiError where there is none."""
    if not args.credential_from_env:
        return None
    from kms_tui.serve.sigv4 import Credential

    values = [os.environ.get(name.upper(), "") for name in (_ID, _SECRET)]
    for name, value, form in zip((_ID, _SECRET), values, (_ID_FORM, _SECRET_FORM), strict=True):
        if not form.match(value):
            wrong = "is not set" if not value else "has characters that no such value has"
            raise KmsTuiError(
                f"{name.upper()} {wrong}.",
                next_step="Set it, or leave out --credential-from-env to sign with the store's own key.",
            )
    return Credential(*values)


def access_keys_from(
    args: argparse.Namespace, account: str, partition: str, default: Credential
) -> tuple[AccessKey, ...]:
    """The access keys in the file of ``--credentials``. Raises KmsTuiError with what is wrong and where."""
    if args.credentials is None:
        return ()
    path: Path = args.credentials
    with file_errors(path, "read"):
        content = path.read_bytes()
    if len(content) > _MAX_BYTES:
        raise _wrong(path, "it is longer than 1 MB")
    found: dict[str, AccessKey] = {}
    for profile, members in _profiles(path, content):
        if _ROLE in members and _ID not in members:
            continue  # a client's profile, which assumes a role
        key = _access_key(path, profile, members, account, partition)
        if key.access_key_id in found:
            raise _wrong(path, f"[{profile}] has the {_ID} of another profile")
        if key.access_key_id == default.access_key_id:
            raise _wrong(path, f"[{profile}] has the {_ID} of the default caller")
        found[key.access_key_id] = key
    if not found:
        raise _wrong(path, f"it has no profile with {_ID}")
    return tuple(found.values())


def _profiles(path: Path, content: bytes) -> Iterator[tuple[str, Mapping[str, str]]]:
    parser = configparser.RawConfigParser(default_section="", delimiters=("=",), empty_lines_in_values=False)
    try:
        parser.read_string(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _wrong(path, f"byte {error.start + 1} is no UTF-8") from error
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
        what = getattr(error, "option", None) or f"[{error.section}]"
        raise _wrong(path, f"line {error.lineno}: {what} is there twice") from error
    except configparser.MissingSectionHeaderError as error:
        raise _wrong(path, f"line {error.lineno}: a profile, such as [app], comes first") from error
    except configparser.ParsingError as error:
        # Not the text of the line: it may be a secret.
        raise _wrong(path, f"line {error.errors[0][0]} is no NAME = VALUE") from error
    for name in parser.sections():
        yield name, dict(parser[name])


def _access_key(
    path: Path, profile: str, members: Mapping[str, str], account: str, partition: str
) -> AccessKey:
    from kms_tui.backend.local.authorization.callers import identity_of
    from kms_tui.backend.local.principals.access_keys import AccessKey

    for name in members:
        if name not in (*_KNOWN, *_OF_CLIENTS):
            meant = get_close_matches(name, _KNOWN, 1, cutoff=0.6)
            alike = f" (did you mean {meant[0]}?)" if meant else ""
            raise _wrong(path, f"[{profile}] has {name[:80]}, which is not known{alike}")
    for name, form in ((_ID, _ID_FORM), (_SECRET, _SECRET_FORM)):
        if not form.match(members.get(name, "")):
            wrong = "lacks" if not members.get(name) else "has a wrong"
            raise _wrong(path, f"[{profile}] {wrong} {name}")
    token, via = members.get(_TOKEN, ""), members.get(_VIA, "")
    if token and not _TOKEN_FORM.match(token):
        raise _wrong(path, f"[{profile}] has a wrong {_TOKEN}")
    if via and not _SERVICE_FORM.match(via):
        raise _wrong(
            path, f"[{profile}] has via = {via[:80]}: a service is s3, or s3.eu-west-1.amazonaws.com"
        )
    own = members.get(_ACCOUNT) or account
    if not is_account_id(own):
        raise _wrong(path, f"[{profile}] has {_ACCOUNT} = {own[:80]}: an account id has 12 digits")
    principal = members.get(_PRINCIPAL) or None
    try:
        caller = identity_of(partition, own, principal)
    except KmsTuiError as error:
        raise _wrong(path, f"[{profile}]: {str(error).rstrip('.')}", error.next_step) from error
    return AccessKey(
        members[_ID],
        members[_SECRET],
        caller.account,
        principal,
        session_token=token,
        context={"kms:viaservice": via} if via else {},
    )


def _wrong(path: Path, sentence: str, next_step: str = "") -> KmsTuiError:
    return KmsTuiError(f"{path}: {sentence}.", next_step=next_step or "See `kms-tui serve --help`.")
