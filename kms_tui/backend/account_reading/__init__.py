"""Reads the policies that an account has beside those of its keys, through ``Services``."""
