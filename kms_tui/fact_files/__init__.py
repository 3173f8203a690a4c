"""Files of the facts of all keys (``kms-tui snapshot``), and what has changed since one was written."""
