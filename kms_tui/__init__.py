"""kms-tui: the terminal console in which people look after their AWS KMS keys."""

__version__ = "0.1.0"
