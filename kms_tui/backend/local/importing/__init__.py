"""Imported key material: parameters and token, the import, deletion."""
