"""The console itself: what ``kms-tui`` does when no command is named."""
