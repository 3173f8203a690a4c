"""kms-tui: a terminal console for AWS KMS keys."""

__version__ = "0.1.0"
