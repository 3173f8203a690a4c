"""The filter language: words, ``field:value`` terms, quotes, and ``-`` or ``!`` to negate a term."""

from kms_tui.inventory.filters.filter_fields import FIELDS, Candidate, complete
from kms_tui.inventory.filters.query import Candidates, FilterResult, Query, parse, without_faults
from kms_tui.inventory.filters.syntax import FilterError

__all__ = [
    "FIELDS",
    "Candidate",
    "Candidates",
    "FilterError",
    "FilterResult",
    "Query",
    "complete",
    "parse",
    "without_faults",
]
