"""The live list of an account's keys: fills in progressively, filters, sorts and marks. No textual here.

Rows come from ListKeys and ListAliases alone. Everything else about a key is a fact (known, loading, denied,
failed, not applicable, unasked), read when its row is shown or something asks for it. How a screen uses it:

    inventory = Inventory(session.kms, now=session.now)     # regions=("eu-west-1", "us-east-1") for several
    view = View(inventory)                                  # scope, filter, order and marks of one screen
    inventory.open()                                        # returns at once, as every method here does
    key_list.show_view(view)                                # KeyList follows the inventory from here on

    key_list.set_filter(text)                               # raises FilterError(start, end): show it
    key_list.set_scope(Scope.AWS); key_list.set_sort(Sort("attention"))
    view.read_missing()                                     # as typing pauses: read what filter and sort need
    inventory.progress(); inventory.cancel_demand()         # the progress of that reading; stop it
    view.summary(), view.values()                           # "n of m", hidden marks, …; for complete()
    inventory.tally(aws=False)                              # keys, described, attention

    inventory.refresh()                                     # r: cursor, marks, filter and scroll stay
    inventory.reread(key_id)                                # after a change made here (KeysChanged)
    inventory.stopped, inventory.resume()                   # expired credentials, and after signing in
    inventory.ask(row, FactName.TAGS)                       # a fact of one row, for the details
    inventory.close()                                       # never waits

KeyList sends RowHighlighted and RowSelected (``row_key`` is the key's ARN; ``inventory.row(row_key)`` is the
row), VisibleRange, and Updated whenever ``summary`` and ``tally`` change. Without a KeyList:
``inventory.listen(callback)`` reports Changes on a thread of its own, ``view.update(changes)`` applies them,
and ``inventory.show(rows, near)`` says which rows are on screen.

Reading threads write rows under the inventory's lock; reading a row needs no lock. A View belongs to one
thread.
"""

from kms_tui.inventory.changes import Changes
from kms_tui.inventory.columns import COLUMNS, Sort
from kms_tui.inventory.fact_reader import ReadingProgress
from kms_tui.inventory.filters import FIELDS, Candidate, Candidates, FilterError, Query, complete, parse
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.pace import Pace
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.row_class import RowClass
from kms_tui.inventory.row_table import Tally
from kms_tui.inventory.view import Scope, Summary, View

__all__ = [
    "COLUMNS",
    "FIELDS",
    "Candidate",
    "Candidates",
    "Changes",
    "FactName",
    "FilterError",
    "Inventory",
    "Pace",
    "Query",
    "ReadingProgress",
    "Row",
    "RowClass",
    "Scope",
    "Sort",
    "Summary",
    "Tally",
    "View",
    "complete",
    "parse",
]
