"""The requests that were really made on keys: distinct ones, each with its count, from any source.

A ``HistorySource`` (``history_source.py``) reads into a ``HistoryReading``; ``snapshot()`` is what it has so
far, a ``RequestHistory`` of ``RequestGroup``. Sources: ``event_lookup.py`` (LookupEvents and the offline
KMS's own record; its ``source_of`` chooses), ``trail_files.py``, ``athena_history.py``, ``lake_history.py``,
``insights_history.py``.
"""
