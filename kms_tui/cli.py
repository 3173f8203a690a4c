"""Arguments in, exit code out."""


def main() -> int:
    raise SystemExit(2)
