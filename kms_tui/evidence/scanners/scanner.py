"""What a row of THE table of scanners says: a list call, a call for each entry, where the key is named.

Paths are JMESPath expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DELETED = frozenset({"ResourceNotFoundException", "NotFoundException", "ResourceNotFound"})
"""What services answer about an entry that is deleted since it was listed."""
NAME_TAG = "Tags[?Key=='Name'].Value"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list call: ``items`` is the path to its entries; a plain text entry becomes the member ``wrap``.

    ``token`` is (request member, path in the answer) for the next page, empty where there are no pages;
    ``in_region`` is the request member for the region's name.
    """

    operation: str
    items: str
    token: tuple[str, str] = ("", "")
    params: Mapping[str, Any] = field(default_factory=dict)
    wrap: str = ""
    in_region: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """A call for each entry: ``member`` of its request is the entry's text at ``of``.

    ``as_list``: the member is a list of all texts at ``of``; an entry without any is not asked about.
    ``also`` are further members with their paths. ``without`` are the error codes of an entry without a key:
    nothing is configured, it is in another region, or it is deleted.
    """

    operation: str
    member: str
    of: str
    params: Mapping[str, Any] = field(default_factory=dict)
    without: frozenset[str] = DELETED
    as_list: bool = False
    also: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource names a key: the member ``key`` of the structures at ``within``, and its purpose.

    For a structure without a key the service uses the alias ``default``, if ``when`` (a member and its
    values) matches.
    """

    key: str
    purpose: str = ""
    within: str = ""
    default: str = ""
    when: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Scanner:
    """One kind of resource; ``service`` is botocore's name, ``title`` a plural for people.

    A resource's name is the text at ``name``, or its part after the last ``name_after``; ``label`` is its
    second name, given by people. ``region_at`` is the path to an entry's region. ``home`` is the one region
    whose keys a global service takes. At most ``rate`` calls are made a second.
    """

    title: str
    service: str
    listing: Listing
    name: str
    keys: tuple[Place, ...]
    detail: Detail | None = None
    name_after: str = ""
    label: str = ""
    region_at: str = ""
    home: str = ""
    rate: float = 10.0
