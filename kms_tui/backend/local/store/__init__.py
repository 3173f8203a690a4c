"""The store: its file and tables, its root key, the rows of keys and of their material, and its upkeep."""
