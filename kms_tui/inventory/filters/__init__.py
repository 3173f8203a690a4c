"""The filter language: words, ``field:value`` terms, quotes, and ``-`` or ``!`` before what must not hold."""

from kms_tui.inventory.filters.filter_fields import FIELDS, Candidate, complete
from kms_tui.inventory.filters.query import Candidates, Query, Sifted, parse
from kms_tui.inventory.filters.syntax import FilterError

__all__ = ["FIELDS", "Candidate", "Candidates", "FilterError", "Query", "Sifted", "complete", "parse"]
