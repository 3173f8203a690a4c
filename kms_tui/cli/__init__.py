"""Arguments in, exit code out: the console is the default, everything else a command of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from kms_tui.atomic import AlreadyThereError
from kms_tui.cli import console_command
from kms_tui.cli.standard_streams import (
    READER_GONE,
    Parser,
    ReaderGoneError,
    spell_out_unwritable,
    stand_in_for_closed,
    written_out,
)
from kms_tui.kms.errors import KmsTuiError
from kms_tui.visible import visible

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("kms_tui.cli.list_command", "list the account's keys, filtered"),
    "encrypt": ("kms_tui.cli.encrypt_command", "encrypt a file of any size"),
    "decrypt": ("kms_tui.cli.decrypt_command", "decrypt a file"),
    "reencrypt": ("kms_tui.cli.reencrypt_command", "move ciphertexts in files to another key"),
    "sign": ("kms_tui.cli.sign_command", "sign files, in the forms that openssl, ssh and cosign read"),
    "verify": ("kms_tui.cli.verify_command", "verify signatures of files"),
    "public-key": ("kms_tui.cli.public_key_command", "print a public key as PEM, JWK, SSH line …"),
    "ssh-cert": ("kms_tui.cli.ssh_cert_command", "sign OpenSSH certificates for users and hosts"),
    "ssh-sign": ("kms_tui.cli.ssh_sign_command", "sign git commits, as ssh-keygen -Y does"),
    "jwt": ("kms_tui.cli.jwt_command", "sign and verify tokens, and print public keys as a JWKS"),
    "cert": ("kms_tui.cli.cert_command", "make certificates, requests and CRLs with a KMS key"),
    "policy": ("kms_tui.cli.policy_command", "judge key policies in a pipeline"),
    "explain": ("kms_tui.cli.explain_command", "say why a request was denied"),
    "code": ("kms_tui.cli.code_command", "write keys as Terraform, CloudFormation or CDK code"),
    "drift": ("kms_tui.cli.drift_command", "hold Terraform's state or plan against the account"),
    "report": ("kms_tui.cli.report_command", "hold the account's keys against the health checks"),
    "used-by": ("kms_tui.cli.used_by_command", "find the resources that name a key"),
    "plan-move": ("kms_tui.cli.plan_move_command", "plan how everything under a key moves to another"),
    "move": ("kms_tui.cli.move_command", "move what names a key in place, with a journal"),
    "move-objects": (
        "kms_tui.cli.move_objects_command",
        "move the objects of a bucket to another key, without copies",
    ),
    "snapshot": ("kms_tui.cli.snapshot_command", "write the facts of all keys into a file"),
    "diff": ("kms_tui.cli.diff_command", "say what has changed since a snapshot"),
    "algorithms": (
        "kms_tui.cli.algorithms_command",
        "list algorithms, strength, and what is not post-quantum",
    ),
    "replay": ("kms_tui.cli.replay_command", "list the requests that a change of a key would break"),
    "usage": ("kms_tui.cli.usage_command", "count who spends the account's KMS requests"),
    "login": ("kms_tui.cli.login_command", "sign in to IAM Identity Center, without the AWS CLI"),
    "config": ("kms_tui.cli.config_command", "show the configuration in effect"),
    "completion": (
        "kms_tui.cli.completion_command",
        "print a completion script for a shell, or the manual page",
    ),
    "store": ("kms_tui.cli.store_command", "look after the local store: passphrase, backup, verification"),
    "serve": ("kms_tui.cli.serve_command", "serve the offline KMS to the AWS CLI and other clients"),
}
"""Command -> (its module, its description). A module has ``add_arguments(parser)`` and ``run(args) -> int``,
and FAILURE if a KmsTuiError ends it with another exit code than 1.
"""


_EXAMPLES = """\
examples:
  kms-tui                                  AWS, as the AWS CLI would
  kms-tui --profile prod --read-only       nothing can be changed
  kms-tui --demo                           an account in memory, to try it"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, or the console without one; exit code 2 is bad usage, as in argparse."""
    stand_in_for_closed()
    spell_out_unwritable()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def ssh_sign() -> int:
    """The program for git's ``gpg.ssh.program``, which takes no command before its own arguments."""
    return main(["ssh-sign", *sys.argv[1:]])


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        name = arguments.pop(0)
        module = importlib.import_module(COMMANDS[name][0])
        parser = Parser(prog=f"kms-tui {name}", description=module.__doc__)
    else:
        module = console_command
        parser = console_parser()
        parser.also_known = tuple(COMMANDS)
    module.add_arguments(parser)
    args = parser.parse_args(arguments)
    try:
        with written_out(whole=False):
            return int(module.run(args))
    except ReaderGoneError:
        return READER_GONE
    except KmsTuiError as error:
        # What AWS or a file says is not to be trusted.
        for sentence in error.sentences:
            print(visible(f"{parser.prog}: {sentence}"), file=sys.stderr)
        next_step = error.next_step
        if isinstance(error, AlreadyThereError) and hasattr(args, "overwrite"):
            next_step = "Choose another name, or add --overwrite."
        if next_step:
            print(visible(next_step), file=sys.stderr)
        return int(getattr(module, "FAILURE", 1))


def console_parser() -> Parser:
    """The parser of the console, whose help lists the commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {help_text}" for name, (_, help_text) in COMMANDS.items()]
    return Parser(
        prog="kms-tui",
        description="The terminal console in which people look after their AWS KMS keys.",
        epilog="\n".join([_EXAMPLES, "", "commands (kms-tui COMMAND --help says more):", *lines]),
    )
