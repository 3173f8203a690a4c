"""Everything there is to see of one key: a head, and a tab for each question."""
