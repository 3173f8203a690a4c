"""A backend served over HTTP as AWS KMS is: AWS JSON 1.1, with Signature Version 4.

``server`` runs it, ``sigv4`` has its credentials. Who takes a part of it, as ``kms_tui.testing`` does, waits
for no server.
"""
