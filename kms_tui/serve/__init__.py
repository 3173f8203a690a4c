"""A backend served over HTTP as AWS KMS is: AWS JSON 1.1, with Signature Version 4."""

from kms_tui.serve.server import Listener, access_keys_for, admission, listen, running, serve, unsigned_for
from kms_tui.serve.sigv4 import Credential, credential_of, random_credential
from kms_tui.serve.tls import tls_for

__all__ = [
    "Credential",
    "Listener",
    "access_keys_for",
    "admission",
    "credential_of",
    "listen",
    "random_credential",
    "running",
    "serve",
    "tls_for",
    "unsigned_for",
]
