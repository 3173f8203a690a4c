"""``python -m kms_tui`` is the same as ``kms-tui``."""

from kms_tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
