"""A report of the health checks in the formats that people and other programs read, a module each.

``writers.py`` has the table of them; ``report_words.py`` has what several of them say.
"""
