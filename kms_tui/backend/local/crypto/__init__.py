"""The cryptographic operations, by what a key is for (KeyUsage)."""
