"""What one can do to keys: THE table of acts, from which bindings, palette and action menu are made.

Each theme has a module of its own, with ``async`` functions that ask, call and report.
"""
