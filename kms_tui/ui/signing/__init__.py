"""Certificates, tokens, files and SSH from the console: one form with a preview, one result, a table."""
