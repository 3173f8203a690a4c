"""A backend served over HTTP as AWS KMS is: AWS JSON 1.1, with Signature Version 4.

Certificates are a module of their own, ``kms_tui.serve.tls``: who serves no TLS does not wait for it.
"""

from kms_tui.serve.server import Listener, access_keys_for, admission, listen, running, serve, unsigned_for
from kms_tui.serve.sigv4 import Credential, credential_of, random_credential

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
    "unsigned_for",
]
