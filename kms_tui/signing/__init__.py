"""Signatures that other tools read: KMS keys as private keys, certificates, tokens, files, SSH."""
