"""Signatures of files: which formats there are, making them, checking them, and lists of digests."""
