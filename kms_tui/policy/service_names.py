"""Service principals: which are real, and what a misspelt one most likely means.

Source: the IAM user guide (reference_policies_elements_principal, "AWS service principals").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kms_tui.kms.arn import partition_of
from kms_tui.kms.service_principals import SERVICES
from kms_tui.policy.actions import closest, lowered

_SUFFIX = ".amazonaws.com"
_CHINA = ".cn"
_NEARLY_A_REGION = re.compile(r"[a-z]{2,5}-?[a-z]+-?[0-9]+[a-z]?\Z")
_OWN_SUFFIXES = ("aws", "aws-cn", "aws-us-gov")
"""Partitions whose service principals end as those of the table do."""


def fault(host: str, partition: str, region: str, lookups: Iterator[int]) -> str:
    """The end of a sentence: what is wrong with a service principal, and the real one; "" where nothing is.

    ``region`` is the key's, for the suggestion; "" where it is not known. A service that is not in the table
    and near none of it may be new; as long as ``lookups`` lasts, near ones are looked for, which takes
    milliseconds.
    """
    if partition not in _OWN_SUFFIXES:
        return ""
    name = lowered(host)
    in_china = name.endswith(_SUFFIX + _CHINA)
    if in_china and partition != "aws-cn":
        return f"it is of the China Regions; here it is {name.removesuffix(_CHINA)}."
    stem = name.removesuffix(_CHINA).removesuffix(_SUFFIX) if in_china or name.endswith(_SUFFIX) else ""
    if not stem:
        meant = closest(name, _HOSTS, 2) if next(lookups, None) is not None else ""
        return f"no service principal ends so; did you mean {meant}?" if meant else ""
    labels = stem.split(".")
    regions = [label for label in labels if partition_of(label)]
    other = next((label for label in regions if partition_of(label) != partition), "")
    if other:
        return f"Region {other} is of partition {partition_of(other)}, the key of {partition}."
    rest = [label for label in labels if label not in regions]
    if ".".join(rest) in SERVICES or (rest and rest[-1] in SERVICES):
        return ""
    if rest and rest[0] in SERVICES:
        if _NEARLY_A_REGION.match(rest[-1]):
            meant = f"{rest[0]}.{region or 'us-east-1'}{_SUFFIX}"
            return f"{rest[-1]} is no Region; did you mean {meant}?"
        return ""
    return _nearest(".".join(rest), regions) if next(lookups, None) is not None else ""


def _nearest(stem: str, regions: list[str]) -> str:
    meant = closest(stem, _STEMS, 2 if len(stem) > 4 else 1)
    if not meant:
        return ""
    return f"there is no such service; did you mean {'.'.join([meant, *regions])}{_SUFFIX}?"


_STEMS = {name: name for name in sorted(SERVICES)}
_HOSTS = {name + _SUFFIX: name + _SUFFIX for name in sorted(SERVICES)}
