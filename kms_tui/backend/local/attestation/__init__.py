"""Attestation documents of Nitro Enclaves and NitroTPM, and answers that only their senders can read."""
