"""Sign in to IAM Identity Center (SSO), as ``aws sso login --use-device-code`` does, without the AWS CLI.

It prints an address and a code; whoever opens the address confirms the code there. The token is kept where
the AWS CLI keeps it, and serves both.
"""

from __future__ import annotations

import argparse
import os
from time import sleep

from kms_tui.cli.standard_streams import say
from kms_tui.kms.errors import ConfigurationError

_EPILOG = """\
examples:
  kms-tui login --profile prod
  kms-tui --profile prod                   L signs in from the console

exit codes: 0 signed in; 1 failed, declined or expired; 2 bad usage; 130 stopped with Ctrl+C"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "--profile", metavar="P", help="profile of the AWS configuration (default: as the AWS CLI chooses)"
    )


def run(args: argparse.Namespace) -> int:
    """0, or KmsTuiError."""
    from kms_tui.backend.aws.error_translation import Translator
    from kms_tui.backend.aws.profiles import profile_named, sso_session_of

    profile = profile_named(args.profile)
    session = sso_session_of(profile.name, os.environ)
    if session is None:
        raise ConfigurationError(
            f"The profile {profile.name} signs in with no SSO session.",
            next_step="Name a profile that has sso_session or sso_start_url, or whose source profile has it.",
        )
    from kms_tui.backend.aws.boto_session import sso_oidc_client
    from kms_tui.backend.aws.sso_sign_in import SsoSignIn

    translator = Translator(profile)
    sign_in = SsoSignIn(
        session, sso_oidc_client(profile.name, session.region, translator), translator, wait=sleep
    )
    code = sign_in.begin()
    minutes = max(1, round(code.lifetime / 60))
    say(
        "Open this address in a browser, on any machine, and confirm the code.",
        f"  {code.address}",
        f"  {code.user_code}",
        f"Waiting, for {minutes} min at most; Ctrl+C stops.",
    )
    expires = sign_in.finish(code)
    say(f"Signed in until {expires.astimezone():%Y-%m-%d %H:%M}.")
    return 0
