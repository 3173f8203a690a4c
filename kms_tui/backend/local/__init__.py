"""The offline backend: real cryptography on an embedded store."""
