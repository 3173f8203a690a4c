"""The filter language: words, ``field:value`` terms, quotes, and ``-`` or ``!`` before what must not hold."""

from kms_tui.inventory.filters.candidates import Candidates
from kms_tui.inventory.filters.completion import Candidate, complete
from kms_tui.inventory.filters.fields import FIELDS
from kms_tui.inventory.filters.query import Query, Sifted, parse
from kms_tui.inventory.filters.syntax import FilterError

__all__ = ["FIELDS", "Candidate", "Candidates", "FilterError", "Query", "Sifted", "complete", "parse"]
