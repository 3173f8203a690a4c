"""Region names on the command line, for every flag that takes one or several."""

from __future__ import annotations

import argparse
from difflib import get_close_matches

_NEAR = 0.75
"""How alike a Region is that is suggested: difflib's ratio."""
_SUGGESTED = 3


def region_name(text: str) -> str:
    """A Region of any of botocore's partitions; ArgumentTypeError, which names near ones, for another."""
    from kms_tui.backend.regions import regions_of  # not needed where no Region is given
    from kms_tui.kms.arn import PARTITIONS

    known = sorted(name for partition in PARTITIONS for name in regions_of(partition))
    if text in known:
        return text
    near = get_close_matches(text.lower(), known, _SUGGESTED, _NEAR)
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    raise argparse.ArgumentTypeError(
        f"{text!r} is no Region that the installed boto3 knows{hint} For a newer Region update boto3."
    )


def region_names(text: str) -> tuple[str, ...]:
    """Regions between commas, each once, in their order; ArgumentTypeError."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of Regions")
    return tuple(map(region_name, names))
