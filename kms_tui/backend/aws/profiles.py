"""The profiles of the AWS configuration files, read with configparser alone: the start page cannot wait.

The files and their meaning are those of the AWS CLI (cli-configure-files in its user guide). Nothing secret
is kept of them.
"""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from kms_tui.kms.errors import ConfigurationError

_MAX_CHAIN = 16
"""How many source_profile steps are followed before a chain counts as a loop."""

Section = Mapping[str, str]


class ProfileInfo(NamedTuple):
    """One profile; each text is "" where the files do not say.

    ``account`` is a hint from the files (an SSO account, or the account of a role), never checked.
    ``login_command`` is what renews an expired sign-in: that of the profile at the end of its source chain.
    """

    name: str
    region: str = ""
    account: str = ""
    role: str = ""
    sso_session: str = ""
    source_profile: str = ""
    mfa_serial: str = ""
    login_command: str = ""


def profiles(environ: Mapping[str, str] = os.environ) -> list[ProfileInfo]:
    """Every profile of the config and credentials files, ``default`` first, then as written.

    Files that do not exist hold no profiles; one that cannot be parsed raises ConfigurationError.
    """
    sections = _sections(environ)
    names = sorted(sections, key=lambda name: name != "default")
    sso_login = _sso_login(environ)
    return [_info(name, sections, sso_login) for name in names]


def profile_named(name: str | None, environ: Mapping[str, str] = os.environ) -> ProfileInfo:
    """The profile that botocore chooses for a session, given a name or none; an empty one if absent."""
    chosen = name or environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"
    sections = _sections(environ)
    return _info(chosen, sections, _sso_login(environ)) if chosen in sections else ProfileInfo(chosen)


class ProfileOption(NamedTuple):
    """The value of an option, and where it stands: ``place`` is a file and line, or a variable."""

    value: str
    place: str


class SsoSession(NamedTuple):
    """A session of IAM Identity Center; ``name`` is "" where the profile has its sso_start_url itself."""

    name: str
    start_url: str
    region: str
    scopes: tuple[str, ...] = ("sso:account:access",)


def sso_session_of(profile: str, environ: Mapping[str, str] = os.environ) -> SsoSession | None:
    """What the profile, or the first of its source profiles that does, signs in to; None without any.

    Raises ConfigurationError where the files name a session that they do not describe.
    """
    for holder, section in _chain(profile, _sections(environ)):
        name = section.get("sso_session", "")
        if name:
            titled = _read(_files(environ)[0])
            section = next((each for title, each in titled if _named("sso-session", title) == name), {})
        elif "sso_start_url" not in section:
            continue
        missing = [each for each in ("sso_start_url", "sso_region") if not section.get(each)]
        if missing:
            place = f"sso-session {name}" if name else f"profile {holder}"
            raise ConfigurationError(
                f"[{place}] lacks {' and '.join(missing)}.",
                next_step=f"Complete it in {_files(environ)[0]}, or run aws configure sso.",
            )
        scopes = section.get("sso_registration_scopes", "").replace(",", " ").split()
        session = SsoSession(name, section["sso_start_url"], section["sso_region"])
        return session._replace(scopes=tuple(scopes)) if scopes else session
    return None


def option_of(name: str, option: str, environ: Mapping[str, str] = os.environ) -> ProfileOption | None:
    """An option of a profile, or of the first of its source profiles that has it; None where none has."""
    return options_of(name, (option,), environ).get(option)


def options_of(
    name: str, options: Collection[str], environ: Mapping[str, str] = os.environ
) -> dict[str, ProfileOption]:
    """Those of the options that ``option_of`` finds, by name, from one reading of the files."""
    found: dict[str, ProfileOption] = {}
    for holder, section in _chain(name, _sections(environ)):
        for option in options:
            if option in section and option not in found:
                found[option] = ProfileOption(section[option], _place(holder, option, environ))
    return found


def _place(name: str, option: str, environ: Mapping[str, str]) -> str:
    """ "~/.aws/config, line 12": configparser does not say where it read an option."""
    for path in reversed(_files(environ)):
        inside = False
        try:
            lines = _expanded(path).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            continue
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text.startswith("[") and "]" in text:
                title = text[1 : text.index("]")]
                inside = name in (title, _profile_name(title))
            elif inside and text.partition("=")[0].strip().lower() == option:
                return f"{path}, line {number}"
    return f"profile {name}"


def _files(environ: Mapping[str, str]) -> tuple[str, str]:
    """The config and the credentials file, as they are named."""
    return (
        environ.get("AWS_CONFIG_FILE") or "~/.aws/config",
        environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials",
    )


def _expanded(path: str) -> Path:
    return Path(os.path.expandvars(path)).expanduser()


def _sections(environ: Mapping[str, str]) -> dict[str, Section]:
    found: dict[str, dict[str, str]] = {}
    config, credentials = _files(environ)
    for title, section in _read(config):
        name = _profile_name(title)
        if name:
            found.setdefault(name, {}).update(section)
    for title, section in _read(credentials):
        found.setdefault(title, {}).update(section)
    return dict(found)


def _read(path: str) -> list[tuple[str, Section]]:
    file = _expanded(path)
    parser = configparser.RawConfigParser(default_section="")
    try:
        with file.open(encoding="utf-8") as lines:
            parser.read_file(lines)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, configparser.Error) as error:
        where = f", line {error.lineno}" if isinstance(error, _WITH_LINE) else ""
        # The parser's own message quotes the line, which may hold a secret key.
        raise ConfigurationError(
            f"The AWS configuration file {file}{where} cannot be read ({type(error).__name__}).",
            next_step="Correct the file, or point AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE elsewhere.",
        ) from None
    return [(title, dict(parser.items(title))) for title in parser.sections()]


_WITH_LINE = (
    configparser.MissingSectionHeaderError,
    configparser.DuplicateSectionError,
    configparser.DuplicateOptionError,
)


def _profile_name(title: str) -> str:
    """The profile that a section of the config file describes, or "" (an sso-session, say)."""
    return title if title == "default" else _named("profile", title)


def _named(kind: str, title: str) -> str:
    """The name in a section's title of this kind, or ""."""
    try:
        words = shlex.split(title)
    except ValueError:
        return ""
    return words[1] if len(words) == 2 and words[0] == kind else ""


def _info(name: str, sections: Mapping[str, Section], sso_login: str) -> ProfileInfo:
    section = sections[name]
    role = section.get("role_arn", "")
    return ProfileInfo(
        name=name,
        region=section.get("region", ""),
        account=_role_account(role) or section.get("sso_account_id") or section.get("aws_account_id", ""),
        role=role or section.get("sso_role_name", ""),
        sso_session=section.get("sso_session") or section.get("sso_start_url", ""),
        source_profile=section.get("source_profile", ""),
        mfa_serial=section.get("mfa_serial", ""),
        login_command=_login_command(name, sections, sso_login),
    )


def _role_account(role_arn: str) -> str:
    parts = role_arn.split(":")
    return parts[4] if len(parts) > 5 else ""


def _chain(name: str, sections: Mapping[str, Section]) -> Iterator[tuple[str, Section]]:
    """A profile, and then its source profiles, each with its section."""
    for _ in range(_MAX_CHAIN):
        section = sections.get(name, {})
        yield name, section
        if "source_profile" not in section:
            return
        name = section["source_profile"]


def _sso_login(environ: Mapping[str, str]) -> str:
    """The AWS CLI's command, or ours where there is no AWS CLI."""
    has_cli = shutil.which("aws", path=environ.get("PATH", os.defpath)) is not None
    return "aws sso login" if has_cli else "kms-tui login"


def _login_command(profile: str, sections: Mapping[str, Section], sso_login: str) -> str:
    for name, section in _chain(profile, sections):
        if "sso_session" in section or "sso_start_url" in section:
            return _command(sso_login, name)
        if "login_session" in section:
            return _command("aws login", name)
    return ""


def _command(command: str, profile: str) -> str:
    return command if profile == "default" else f"{command} --profile {shlex.quote(profile)}"
