"""The wrappers round a backend, one file each, and ``stack``: their order, and why that order."""
