"""An API call as text that somebody else can run: an ``aws kms …`` command line, or Python with boto3.

No secret is ever written into either. What goes in (the plaintext, ciphertext or message, or a secret
string) is read from a file, named INPUT unless told otherwise; both run as they stand once it exists.
It is slow to import (0.1 s): import it late.
"""

from kms_tui.commands.members import aws_cli, boto3_code, left_out

__all__ = ["aws_cli", "boto3_code", "left_out"]
