"""Campaigns: the plan to move everything off a key, carried out, with a journal that survives."""
