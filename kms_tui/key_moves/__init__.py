"""Moving what names one key to another key: a table of how each kind is moved, a plan, and its script."""
