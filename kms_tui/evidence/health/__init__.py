"""The table of checks (``checks.py``): a fact that could not be read is not known, never a pass.

The key list judges its rows by them, as far as the facts on hand allow (``row_judge.py``).

An ``Examination`` reads the facts that the checks need, each once, by way of an inventory, and makes a
``Report``:

    examination = Examination(inventory, session.kms_for, Settings(unused_days=90), session.services_for)
    examination.estimate()              # the number of calls, before any is made
    report = examination.run()          # blocks; progress() and cancel() from another thread
"""
